"""The drill itself, stage by stage, as an operator would go through the procedure.

Whatever happens in between, success, a failed check, an error, Ctrl-C: everything is taken down, and the
report is written.
"""

import time
import traceback
from collections.abc import Callable
from typing import Any

from drill.checks import checks
from drill.errors import DrillError, DrillInterrupted
from drill.own_images import broker_used
from drill.procedure.model import Until
from drill.progress import Progress
from drill.regions import REGIONS, Region
from drill.report.readable import write
from drill.report.report import Report
from drill.report.results import Results, report_of
from drill.scenario.adopting import check_adopted, check_previews, install_by_helm, pods_of_both
from drill.scenario.checking import (
    ask_in_normal,
    check_commands,
    check_exporting,
    check_kept,
    check_seen,
)
from drill.scenario.incident import rehearse_incident
from drill.settings import DrillSettings, Paths
from drill.testbed.context import DrillContext
from drill.testbed.lifecycle import Lifecycle
from sandbox.errors import SandboxError


class Drill:
    """One drill, from a bare machine to a report."""

    def __init__(
        self,
        settings: DrillSettings,
        paths: Paths,
        progress: Progress,
        rehearse: Callable[[DrillContext], None] | None = None,
    ) -> None:
        """Take what is asked for; `rehearse` is what happens once both regions are there, by default the whole drill."""
        self._rehearse = rehearse or rehearse_all
        self._settings = settings
        self._paths = paths
        self._progress = progress
        self._results = Results()
        self._lifecycle = Lifecycle(settings, paths, progress, self._results)

    def run(self, on_teardown: Callable[[], None]) -> Report:
        """Carry the drill out and return its report, which is also written; never raises for what failed.

        :param on_teardown: called when the taking down begins, which must not be interrupted.
        """
        reason = None
        try:
            self._rehearse(self._lifecycle.start())
        except (DrillError, DrillInterrupted, SandboxError) as error:
            reason = str(error)
        except Exception as error:
            trace = self._paths.logs / "traceback.txt"
            trace.write_text(traceback.format_exc())
            reason = f"an error of the drill itself, {type(error).__name__}: {error} (see {trace})"
        on_teardown()
        reason = self._lifecycle.take_down(reason)
        report = report_of(self._settings, self._results, self._progress, reason)
        write(report, self._paths.folder)
        return report


def rehearse_all(ctx: DrillContext) -> None:
    """Go through everything that a drill is asked for.

    :raises DrillError: something could not be done.
    :raises SandboxError: a region could not be lost or recreated.
    """
    to_normal(ctx)
    if ctx.settings.until is Until.NORMAL:
        stay_in_normal(ctx)
        return
    for incident in ctx.settings.incidents:
        rehearse_incident(ctx, incident)


def to_normal(ctx: DrillContext) -> None:
    """Install both regions, or adopt what runs, and check that they work together.

    :raises DrillError: an `up` failed, or the stacks wait for each other.
    """
    before = _adopting(ctx)
    began = time.monotonic()
    outputs = ctx.take_turns(
        "normal",
        REGIONS[0],
        "both regions to phase normal",
        # Adopting is for one region after the other, as its guide has it.
        at_once=ctx.settings.stacks_at_once and not ctx.settings.adopt,
    )
    ctx.record_phase("normal", time.monotonic() - began, outputs)
    incident = ctx.settings.incidents[0]
    first = incident.survivor
    # Nothing was lost yet, and all must be as after a failback.
    check_seen(ctx, "normal", Until.RESTORED, incident.lost, by=first)
    for region in REGIONS:
        ctx.check(
            "normal",
            checks.stack_is_in(outputs[region], region, "normal", "member"),
            checks.steps_are_proved(outputs[region], region, ("N",)),
        )
    if ctx.settings.adopt:
        check_adopted(ctx, before)
    note_broker(ctx, first)


def note_broker(ctx: DrillContext, region: Region) -> None:
    """Note which broker runs, and in which Kubernetes, as a region's own answer."""
    view = ctx.view(region)
    version = str(view.topology(region.namespace).get("gatewayVersion"))
    brokers = view.broker_pods([region.namespace])
    ctx.results.broker = broker_used(version, brokers, ctx.settings.images)
    ctx.results.versions["zeebe"] = version
    ctx.results.versions["kubernetes"] = view.call("GET", "/version")["gitVersion"]


def _adopting(ctx: DrillContext) -> list[dict[str, Any]]:
    """In a drill that adopts, install by plain Helm and preview; return the pods that must live on."""
    if not ctx.settings.adopt:
        return []
    install_by_helm(ctx)
    check_previews(ctx)
    return pods_of_both(ctx)


def stay_in_normal(ctx: DrillContext) -> None:
    """Put both regions under load and lose none.

    :raises DrillError: the load could not be started.
    """
    ctx.start_load(ctx.settings.incidents[0].survivor, number=0)
    ask_in_normal(ctx)
    ctx.await_exports()
    since = time.monotonic()
    check_commands(ctx, "normal", since, "in phase normal")
    check_exporting(ctx, "normal", since, "in phase normal")
    ctx.stop_load()
    check_kept(ctx, "normal", {region: region.namespace for region in REGIONS}, since=0.0)
