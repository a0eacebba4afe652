"""What a drill has found out so far, and the report made of it, however far the drill came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from drill.check import Check
from drill.checks.audit import Audit
from drill.observation import measure
from drill.observation.load import log as loadlog
from drill.observation.load.log import LoadLog
from drill.observation.measure import ExportSample
from drill.operators.points import Point, Turn
from drill.progress import Progress
from drill.regions import REGIONS
from drill.report.report import (
    CtrlC,
    Failback,
    Gap,
    IncidentFigures,
    Interrupted,
    Load,
    PhaseTimes,
    Records,
    Report,
    StepTime,
    verdict,
)
from drill.settings import DrillSettings

_SECONDS_BEFORE_LOSS = 10
"""How much of the time before the loss the timeline shows, to compare with."""


class Answer(NamedTuple):
    """How long `dualregion status` took, the last time it was asked, and how often it had to be."""

    seconds: float
    asked: int = 1


@dataclass
class Episode:
    """What was seen while one load client ran: of an incident, or, without a loss, of phase normal.

    Moments are on the monotonic clock; None is what has not happened, or was not looked for.
    """

    lost_region: int
    load: LoadLog = field(default_factory=LoadLog)
    exports: Sequence[ExportSample] = ()
    loss: float | None = None
    up_began: float | None = None
    failover_end: float | None = None
    noop_preview_seconds: float | None = None
    ctrl_c: CtrlC | None = None
    failback_began: float | None = None
    failback_end: float | None = None
    watched_until: float | None = None


@dataclass
class Results:
    """Everything seen; of the search engines by region: `found` instances, `records` by their ids.

    `known_records` are those ever seen in any engine: what both engines have lost is missed by it too.
    """

    checks: list[Check] = field(default_factory=list)
    phases: list[PhaseTimes] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    found: dict[int, frozenset[int]] = field(default_factory=dict)
    records: dict[int, frozenset[str]] = field(default_factory=dict)
    known_records: frozenset[str] = frozenset()
    incidents: dict[int, dict[str, Sequence[str]]] = field(default_factory=dict)
    """For each region's stack: what it calls each incident -> the steps that it took."""
    turns: list[Turn] = field(default_factory=list)
    """The turns of an interrupted drill."""
    peak_memory_gib: float | None = None
    peak_machine_memory_gib: float | None = None
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    broker: str = ""
    """Which broker was used, for people."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """How `dualregion status` answered, by what was going on."""
    audit: Audit = field(default_factory=Audit)

    def add(self, phase: str, *checks: Check) -> None:
        """Take in the outcome of checks made in a phase."""
        self.checks += [Check(f"{phase}: {c.name}", c.ok, c.detail) for c in checks]

    @property
    def load(self) -> LoadLog:
        """The logs of all load clients that have ended, as one."""
        return loadlog.merged(episode.load for episode in self.episodes)

    @property
    def steps(self) -> list[StepTime]:
        """The steps of all phases so far."""
        return [step for phase in self.phases for step in phase.steps]


def steps_of(
    stack: str, outputs: Mapping[str, Any], known: Sequence[StepTime] = ()
) -> list[StepTime]:
    """Return the steps that a stack has recorded, without those known from an earlier phase."""
    before = {(step.stack, step.id, step.start) for step in known}
    record: Mapping[str, Mapping[str, Any]] = outputs.get("record") or {}
    steps = [
        StepTime(
            id=id_,
            stack=stack,
            seconds=float(entry.get("seconds") or 0),
            start=str(entry.get("start", "")),
            end=str(entry.get("end", "")),
            title=str(entry.get("title", "")),
        )
        for id_, entry in record.items()
    ]
    new = [step for step in steps if (step.stack, step.id, step.start) not in before]
    return sorted(new, key=lambda step: step.start)


def report_of(
    settings: DrillSettings, results: Results, progress: Progress, reason: str | None
) -> Report:
    """Return the drill's report; `reason` is what broke, None that nothing did."""
    checks = tuple(results.checks)
    return Report(
        **verdict(checks, reason),
        cluster_size=settings.cluster_size,
        lost_regions=settings.lost,
        until=settings.until,
        camunda=settings.camunda,
        broker=results.broker or None,
        seconds=progress.elapsed,
        began_at=progress.began_at,
        own_waiting_seconds=progress.waited_too_long,
        phases=tuple(results.phases),
        checks=checks,
        load=_load(settings, results),
        records=_records(results),
        incidents=tuple(
            _incident(settings, episode, episode.loss, _steps_between(results, progress))
            for episode in results.episodes
            if episode.loss is not None
        ),
        interrupted=settings.interrupt,
        interruptions=tuple(
            _interrupted(turn, each.point, each.at)
            for turn in results.turns
            for each in turn.interruptions
        ),
        not_reachable=tuple(
            _interrupted(turn, point) for turn in results.turns for point in turn.not_reachable
        ),
        zombie=settings.zombie,
        two_operators=settings.two_operators,
        late_flush=settings.late_flush,
        by_command=settings.by_command,
        status_seconds={when: each.seconds for when, each in results.answers.items()},
        status_asked={when: each.asked for when, each in results.answers.items()},
        rights=results.audit.rights() or None,
        peak_memory_gib=results.peak_memory_gib,
        peak_machine_memory_gib=results.peak_machine_memory_gib,
        stages=tuple(progress.stages),
        machine=results.machine,
        versions=results.versions,
    )


def _interrupted(turn: Turn, point: Point, at: float | None = None) -> Interrupted:
    return Interrupted(
        incident=turn.incident, phase=turn.phase, stack=turn.stack, point=str(point), at=at
    )


def _load(settings: DrillSettings, results: Results) -> Load:
    log = results.load
    keys = frozenset(ack.key for ack in log.acks)
    in_region = {index: len(keys & found) for index, found in results.found.items()}
    everywhere = len(keys.intersection(*results.found.values())) if results.found else None
    return Load(
        acknowledged=len(keys),
        found=everywhere,
        lost=None if everywhere is None else len(keys) - everywhere,
        in_region0=in_region.get(0),
        in_region1=in_region.get(1),
        acknowledged_after_loss=sum(
            len(episode.load.sent_after(episode.loss))
            for episode in results.episodes
            if episode.loss is not None
        ),
        rate=settings.rate,
        errors=log.errors,
        tunnels_ended=log.tunnels_ended,
        client_late_seconds=sum(log.late_seconds),
    )


def _records(results: Results) -> Records:
    if len(results.records) < len(REGIONS):
        return Records()
    known = results.known_records
    return Records(
        total=len(known),
        missing_in_region0=len(known - results.records[0]),
        missing_in_region1=len(known - results.records[1]),
    )


def _steps_between(results: Results, progress: Progress) -> list[measure.Gap]:
    """Return when the steps of the procedure ran, on the clock that never jumps; those without times are left out."""
    return [
        measure.Gap(*(progress.moment_of(_epoch(moment)) for moment in (step.start, step.end)))
        for step in results.steps
        if step.start and step.end
    ]


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _incident(
    settings: DrillSettings, episode: Episode, loss: float, steps: Sequence[measure.Gap]
) -> IncidentFigures:
    """Return the figures of one incident, as far as there is something to compute."""
    moments = episode.load.moments
    if not moments:
        return IncidentFigures(
            lost_region=episode.lost_region,
            noop_preview_seconds=episode.noop_preview_seconds,
            ctrl_c=episode.ctrl_c,
        )
    watched = episode.watched_until or max(moments)
    end = episode.failover_end or watched
    up = episode.up_began
    from_up = None if up is None else measure.gaps_between(moments, up, end)
    drawn_to = end if episode.failback_began is None else episode.failback_end or watched
    return IncidentFigures(
        lost_region=episode.lost_region,
        outage_seconds=measure.outage_seconds(moments, loss, watched),
        unavailable_seconds=measure.unavailable_seconds(moments, loss, end),
        unavailable_from_up_seconds=None
        if from_up is None
        else sum(gap.seconds for gap in from_up),
        overhead_seconds=None if from_up is None else measure.seconds_outside(from_up, steps),
        unavailable_seconds_by_partition=measure.unavailable_by_partition(
            episode.load.acks, loss, end
        ),
        export_gap_seconds=measure.export_gap_seconds(
            _before_failback(episode), loss, settings.partitions
        ),
        reaction_seconds=None if up is None else up - loss,
        gaps=_gaps(moments, loss, end, loss),
        acks_per_second=measure.acks_per_second(
            moments, loss, max(moments[0], loss - _SECONDS_BEFORE_LOSS), drawn_to
        ),
        noop_preview_seconds=episode.noop_preview_seconds,
        ctrl_c=episode.ctrl_c,
        failback=_failback(episode, loss),
    )


def _before_failback(episode: Episode) -> list[ExportSample]:
    """Return the samples before the failback: from then on exporters are paused on purpose."""
    began = episode.failback_began
    return [sample for sample in episode.exports if began is None or sample.at < began]


def _failback(episode: Episode, loss: float) -> Failback | None:
    began = episode.failback_began
    if began is None:
        return None
    moments = episode.load.moments
    end = episode.failback_end or episode.watched_until or max(moments)
    return Failback(
        failback_seconds=end - began,
        failback_unavailable_seconds=measure.unavailable_seconds(moments, began, end),
        failback_unavailable_seconds_by_partition=measure.unavailable_by_partition(
            episode.load.acks, began, end
        ),
        failback_gaps=_gaps(moments, began, end, loss),
        paused_seconds=measure.seconds_in_state(
            ((each.at, each.paused) for each in episode.exports), began, end
        ),
        web_apps_down_seconds=measure.seconds_in_state(
            ((each.at, each.web_apps_down) for each in episode.exports), began, end
        ),
    )


def _gaps(moments: Sequence[float], start: float, end: float, loss: float) -> tuple[Gap, ...]:
    return tuple(
        Gap(start=gap.start - loss, end=gap.end - loss, seconds=gap.seconds)
        for gap in measure.gaps_between(moments, start, end)
    )
