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
from messages.steps import progress
from messages.steps import releases as messages
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
            progress.adopting(
                ctx.settings.release, spec.namespace, running.revision, str(running.chart)
            )
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
    ctx.say(progress.records_set_aside(at.release, at.namespace))
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
    raise DualRegionError(messages.adopted_pods_differ(at.namespace, at.kubectl))


def _unchanged(ctx: StepContext, spec: Installation, project: Path) -> RunningRelease:
    """Return the running release, which is proved to be what the program would install."""
    release, namespace, context = ctx.settings.release, spec.namespace, ctx.cluster.context
    running = helm_records.running(ctx.at(spec.namespace))
    if running is None:
        raise Refused(messages.nothing_to_adopt(namespace, context, release))
    if running.status != DEPLOYED:
        raise Refused(messages.not_deployed(release, namespace, running.status, running.revision))
    changes = differences(running, chart_version(ctx.settings.chart, project), spec.values)
    if changes:
        raise Refused(
            messages.adoption_would_change(release, namespace, context, running.revision, changes)
        )
    return running
