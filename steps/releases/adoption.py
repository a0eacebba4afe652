"""Adopting: a release that runs becomes this stack's, and no broker restarts for it.

Pulumi's own import of a Helm release demands that the program's inputs be those that the provider reads, and
it reads neither where the chart came from nor how the program installs it. So the release is installed
again, over its own objects: Helm takes over what it has made itself. Before that it is proved that nothing
of it would change, and brokers are held, so that none restarts whatever an install may write.
"""

from pathlib import Path

from clients.files import chart_version
from dualregion.chart.adoption import RunningRelease, differences, is_adopting
from dualregion.errors import DualRegionError, Refused
from dualregion.procedure.topology import Installation
from steps.context import StepContext
from steps.polling import Waiting
from steps.releases import helm_records, rollout

DEPLOYED = "deployed"


def check(ctx: StepContext, project: Path) -> None:
    """Refuse to adopt what the program would install otherwise than it runs; say what is adopted.

    :param project: where the path of a chart starts.
    :raises Refused: naming every difference, or that there is nothing to adopt.
    """
    if not is_adopting(ctx.settings, ctx.own):
        return
    for spec in ctx.topology.installations:
        running = _unchanged(ctx, spec, project)
        ctx.say(
            f"adopt: release {ctx.settings.release} in {spec.namespace} (revision {running.revision}, chart "
            f"{running.chart}) runs as the program would install it: it is taken over, and nothing restarts"
        )


def take_over(ctx: StepContext, spec: Installation, project: Path) -> bool:
    """Make way for an install over a running release.

    :param project: as in `check`.
    :returns: whether there was one to adopt.
    :raises Refused: as `check`, as much may have happened since.
    """
    if not is_adopting(ctx.settings, ctx.own):
        return False
    _unchanged(ctx, spec, project)
    at = ctx.at(spec.namespace)
    rollout.hold(at, ctx.say)
    helm_records.set_aside(at)
    ctx.say(
        f"adopt: Helm's records of release {at.release} in {at.namespace} are set aside; "
        "it is installed over what runs"
    )
    return True


def settle(ctx: StepContext, waiting: Waiting) -> None:
    """Let the brokers go that an adoption has held, once it is proved that nothing of them has changed.

    :raises DualRegionError: if the install has changed them after all; none was restarted.
    """
    at = ctx.installation
    if not ctx.settings.adopt:
        # The way out of the refusal below: the update is rolled out.
        rollout.release_hold(at)
        return
    if rollout.release_hold_if_pods_unchanged(at, waiting=waiting, say=ctx.say):
        return
    raise DualRegionError(
        f"the adopted release in {ctx.namespace} gives its brokers another pod template than they run with, "
        "although chart and values are the same. They are held, and none was restarted. Compare "
        f"`{at.kubectl} get controllerrevisions`. If they may "
        "restart one after the other, `pulumi config rm adopt` and `pulumi up` again"
    )


def _unchanged(ctx: StepContext, spec: Installation, project: Path) -> RunningRelease:
    """Return the running release, which is proved to be what the program would install."""
    release, place = ctx.settings.release, f"namespace {spec.namespace}"
    running = helm_records.running(ctx.at(spec.namespace))
    if running is None:
        raise Refused(
            f"adopt is set, but {place} of kube context {ctx.cluster.context!r} holds no Helm release "
            f"{release!r}: check the context, the namespace and the setting release; or, if the region is to be "
            "installed, `pulumi config rm adopt`"
        )
    if running.status != DEPLOYED:
        raise Refused(
            f"Helm release {release!r} in {place} is {running.status!r} (revision {running.revision}), not "
            f"{DEPLOYED!r}: bring it in order with helm first; nothing is adopted in the middle of a change"
        )
    changes = differences(running, chart_version(ctx.settings.chart, project), spec.values)
    if changes:
        listed = "\n".join(f"  - {each}" for each in changes)
        raise Refused(
            f"Helm release {release!r} in {place} (revision {running.revision}) is not adopted, as the program "
            f"would install it otherwise than it runs, which may restart brokers:\n{listed}\n"
            f"Let the settings and values files say what runs (`helm get values {release} -n {spec.namespace} "
            f"--kube-context {ctx.cluster.context}` shows it), or bring the release to what they say with helm, "
            "one region after the other, and adopt it then (docs/prepare/adopting.md)"
        )
    return running
