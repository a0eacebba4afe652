"""One heat: regions are installed, put under load, one is lost, and the racer fails over, and back if the race goes so far."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from drill.check import Check
from drill.observation import measure
from drill.procedure.model import Until
from drill.progress import Progress
from drill.race import by_program
from drill.race.by_program import ByProgram
from drill.race.by_script import ByScript
from drill.race.course import Heat, Racer
from drill.race.figures import (
    BETWEEN,
    Cut,
    HeatFigures,
    Stretch,
    bare_seconds,
    done_meanwhile,
    own_seconds,
    stretches_of,
)
from drill.report.report import Report, StepTime
from drill.report.results import Episode
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.judging import check_failed_over, check_whole_again
from drill.testbed.context import DrillContext

_BEGINNING = {
    Racer.SCRIPT: "script",
    Racer.PULUMI: "configuration",
    Racer.COMMAND: "preview, and up until its first step",
}
"""What a racer does first."""


@dataclass
class HeatRun:
    """A heat that is carried out.

    :ivar began: when the racer began to fail over, on the clock that never jumps.
    """

    heat: Heat
    racer: ByScript | ByProgram | None = None
    episode: Episode | None = None
    began: float | None = None

    def rehearse(self, ctx: DrillContext) -> None:
        """Carry it out, and judge it as any drill is judged.

        :raises DrillError: something could not be done.
        :raises SandboxError: a region could not be lost or recreated.
        """
        incident = ctx.settings.incidents[0]
        racer = ByScript(ctx, incident) if ctx.settings.by_script else ByProgram(ctx, incident)
        self.racer = racer
        racer.install()
        episode = self.episode = ctx.start_load(incident.survivor, incident.number)
        ctx.await_exports()
        failover = Failover(ctx, incident, episode)
        failover.lose()
        self.began = time.monotonic()
        try:
            racer.fail_over()
        finally:
            episode.failover_end = time.monotonic()
        check_failed_over(failover)
        if ctx.settings.until is Until.FAILOVER:
            failover.check_engines()
            return
        failback = Failback(ctx, incident, episode)
        failback.recreate()
        racer.recreated()
        racer.fail_back()
        check_whole_again(failback)


def figures_of(run: HeatRun, report: Report, progress: Progress) -> HeatFigures:
    """Return what a heat has shown, of the drill's report and of the moments that it has kept besides."""
    heat, episode = run.heat, run.episode
    known = HeatFigures(
        racer=heat.racer,
        lost_region=heat.lost,
        delay=heat.delay,
        result=report.result,
        reason=_failed(report.checks) or report.reason,
    )
    if not report.incidents or episode is None or episode.loss is None:
        return known
    incident, loss = report.incidents[0], episode.loss
    end = episode.failover_end or loss
    acks = episode.load.moments
    steps = [step for phase in report.phases if phase.name == "failover" for step in phase.steps]
    stretches = stretches_of(_cuts(run, steps, loss, progress), acks, loss, end)
    failback, by_partition = incident.failback, incident.unavailable_seconds_by_partition
    has_ended = "F3" in [step.id for step in steps]
    missing = (report.records.missing_in_region0, report.records.missing_in_region1)
    return known.model_copy(
        update={
            "outage": incident.outage_seconds,
            "unavailable": incident.unavailable_seconds,
            "gaps": incident.gaps,
            "worst_partition": max(by_partition.values(), default=None),
            "exporting": incident.export_gap_seconds,
            "failover": end - loss if has_ended else None,
            "bare": bare_seconds(acks, _installed(run, progress), end),
            "own": own_seconds(stretches),
            "paused": failback and failback.paused_seconds,
            "web_apps_down": failback and failback.web_apps_down_seconds,
            "failback": failback and failback.failback_seconds,
            "failback_unavailable": failback and failback.failback_unavailable_seconds,
            "instances_lost": report.load.lost,
            "records_missing": None if None in missing else sum(filter(None, missing)),
            "own_waiting_share": report.own_waiting_share,
            "parts": stretches,
            "pause": _pause(episode, report, progress),
        }
    )


def _failed(checks: tuple[Check, ...]) -> str:
    return "; ".join(f"{check.name} ({check.detail})" for check in checks if not check.ok)


def _installed(run: HeatRun, progress: Progress) -> float | None:
    """Return when the failover installation was there, on the clock that never jumps; None if that was not seen."""
    match run.racer:
        case ByScript(moments=moments) if moments and "installed" in moments:
            return progress.moment_of(moments["installed"])
        case ByProgram(runs=runs) if "up" in runs:
            return by_program.installed_at(runs["up"])
    return None


def _cuts(run: HeatRun, steps: list[StepTime], loss: float, progress: Progress) -> Iterator[Cut]:
    """Yield when each stretch of the failover begins."""
    yield loss, "before the first command"
    if run.began is not None:
        yield run.began, _BEGINNING[run.heat.racer]
    if isinstance(run.racer, ByProgram):
        yield from _of_runs(run.racer)
    for step in steps:
        yield _moment(step.start, progress), step.id
        yield _moment(step.end, progress), BETWEEN


def _pause(episode: Episode, report: Report, progress: Progress) -> tuple[Stretch, ...]:
    """Return the stretches of the failback's pause of exporters; none if none was seen."""
    began, end = episode.failback_began, episode.failback_end
    if began is None or end is None:
        return ()
    span = measure.span_in_state(((each.at, each.paused) for each in episode.exports), began, end)
    if span is None:
        return ()
    steps = [
        (_moment(step.start, progress), _moment(step.end, progress), step.id)
        for phase in report.phases
        for step in phase.steps
    ]
    zero = progress.moment_of(progress.began_at)
    runs = [
        (zero + stage.start, zero + stage.start + stage.seconds, stage.name.partition(": ")[2])
        for stage in progress.stages
    ]
    return done_meanwhile(steps, runs, episode.load.moments, *span)


def _of_runs(racer: ByProgram) -> Iterator[Cut]:
    if preview := racer.runs.get("preview"):
        yield preview.began, "preview"
    if up := racer.runs.get("up"):
        yield up.began, "up, until it changes something"
        if first := by_program.first_change_at(up):
            yield first, "up, before the first step"
        if last := by_program.last_change_at(up):
            yield last, "up, after its last change"


def _moment(text: str, progress: Progress) -> float:
    return progress.moment_of(datetime.fromisoformat(text).timestamp())
