"""The drill's report as data, and as `report.json` for machines; `drill.report.readable` tells it to people."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from drill.check import Check
from drill.checks.audit import Rights
from drill.observation.measure import Gap
from drill.operators.points import Turn
from drill.progress import Stage


@dataclass(frozen=True)
class StepTime:
    """One step of the procedure as the stack recorded it."""

    id: str
    stack: str
    seconds: float
    start: str = ""
    end: str = ""
    title: str = ""


@dataclass(frozen=True)
class PhaseTimes:
    """How long a phase took and what its steps were; `incident` counts from 1, 0 is before the first."""

    name: str
    seconds: float
    steps: tuple[StepTime, ...] = ()
    incident: int = 0


@dataclass(frozen=True)
class Load:
    """What became of the load clients' instances, over all incidents.

    `in_region0` and `in_region1` count those in that region's search engine, None when it was not looked there.
    `found` are in all engines that were looked at, `lost` are missing in one of them at least.
    """

    acknowledged: int = 0
    found: int | None = None
    lost: int | None = None
    in_region0: int | None = None
    in_region1: int | None = None
    acknowledged_after_loss: int = 0
    rate: float = 0.0
    errors: Mapping[str, int] = field(default_factory=dict)
    tunnels_ended: int = 0
    client_late_seconds: float = 0.0


@dataclass(frozen=True)
class Records:
    """The exported records at the end: how many are known, how many each region lacks; None: not looked for."""

    total: int | None = None
    missing_in_region0: int | None = None
    missing_in_region1: int | None = None


@dataclass(frozen=True)
class Answer:
    """How long `dualregion status` took, the last time it was asked, and how often it had to be."""

    seconds: float
    asked: int = 1


@dataclass(frozen=True)
class CtrlC:
    """Ctrl-C in the midst of a step: seconds until the command had ended, and until the step was at work again."""

    step: str
    ended_seconds: float
    again_seconds: float | None


@dataclass(frozen=True)
class Failback:
    """The failback of one incident: from the first `pulumi up` of `failback-pending` to the last of `restored`."""

    seconds: float
    unavailable_seconds: float
    unavailable_by_partition: Mapping[int, float] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    paused_seconds: float | None = None
    web_apps_down_seconds: float | None = None


@dataclass(frozen=True)
class IncidentFigures:
    """The figures of one incident; None is what was not measured, or not over when the drill ended.

    `lost_at` is the loss on the monotonic clock: `gaps` are told in seconds after it.
    """

    lost_region: int
    lost_at: float | None = None
    outage_seconds: float | None = None
    unavailable_seconds: float | None = None
    unavailable_by_partition: Mapping[int, float] = field(default_factory=dict)
    export_gap_seconds: float | None = None
    reaction_seconds: float | None = None
    gaps: tuple[Gap, ...] = ()
    acks_per_second: Mapping[int, int] = field(default_factory=dict)
    noop_preview_seconds: float | None = None
    ctrl_c: CtrlC | None = None
    failback: Failback | None = None


@dataclass(frozen=True)
class Report:
    """Everything that a drill has to say, as far as it came."""

    cluster_size: int
    lost_regions: tuple[int, ...]
    until: str
    result: str = "failed"
    reason: str = ""
    phases: tuple[PhaseTimes, ...] = ()
    checks: tuple[Check, ...] = ()
    load: Load = Load()
    records: Records = Records()
    incidents: tuple[IncidentFigures, ...] = ()
    interrupted: bool = False
    turns: tuple[Turn, ...] = ()
    """Of an interrupted drill: the turns in which `pulumi up` was killed and run again."""
    peak_memory_gib: float | None = None
    peak_machine_memory_gib: float | None = None
    seconds: float = 0.0
    began_at: float = 0.0
    """The drill's start, in seconds since the epoch."""
    own_waiting_seconds: float = 0.0
    """How much of it was spent waiting though what was waited for was there: polling, and fixed waits."""
    stages: tuple[Stage, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    broker: str = ""
    """Which broker was used, with its image; empty if none was ever seen."""
    zombie: bool = False
    """Whether the region was cut off and came back alive, instead of being killed."""
    late_flush: bool = False
    """Whether a broker wrote its buffers only after the copy was made."""
    two_operators: bool = False
    """Whether each region's operator called the other region lost."""
    by_command: bool = False
    """Whether the runbook command took the turns."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """How its `status` answered, by what was going on."""
    rights: Mapping[str, Rights] = field(default_factory=dict)
    """What became of the rights of each side, `own` and `peer`; empty where no API server has told it."""

    def judged(self, reason: str | None) -> "Report":
        """Return the report with its result: passed only if nothing broke and every check held.

        A drill in which no check ran has proved nothing and has not passed.
        """
        failed = [check.name for check in self.checks if not check.ok]
        if not reason and failed:
            reason = f"{len(failed)} of {len(self.checks)} checks failed: {'; '.join(failed)}"
        if not reason and not self.checks:
            reason = "no check was run"
        return replace(self, result="failed" if reason else "passed", reason=reason or "")

    @property
    def own_waiting_share(self) -> float:
        """The part of the drill's time that was own waiting, 0 to 1."""
        return self.own_waiting_seconds / self.seconds if self.seconds else 0.0


def as_json(report: Report) -> str:
    """Return the report as JSON, keys in camelCase, seconds rounded to hundredths.

    The figures of the first incident stand at the top too: most drills have one.
    """
    first = report.incidents[0] if report.incidents else IncidentFigures(report.lost_regions[0])
    document = {
        "result": report.result,
        "reason": report.reason,
        "clusterSize": report.cluster_size,
        "lostRegions": list(report.lost_regions),
        "until": report.until,
        "broker": report.broker or None,
        "seconds": _round(report.seconds),
        "beganAt": _round(report.began_at),
        "ownWaitingSeconds": _round(report.own_waiting_seconds),
        "ownWaitingShare": round(report.own_waiting_share, 4),
        "phases": [_rounded(asdict(phase)) for phase in report.phases],
        "checks": [asdict(check) for check in report.checks],
        "load": _camel(_rounded(asdict(report.load))),
        "records": _camel(asdict(report.records)),
        **_figures(first),
        "incidents": [_figures(incident) for incident in report.incidents],
        "interrupted": report.interrupted,
        "interruptions": [
            {**_place(turn), "point": str(each.point), "at": _round(each.at)}
            for turn in report.turns
            for each in turn.interruptions
        ],
        "notReachable": [
            {**_place(turn), "point": str(point)}
            for turn in report.turns
            for point in turn.not_reachable
        ],
        "zombie": report.zombie,
        "twoOperators": report.two_operators,
        "lateFlush": report.late_flush,
        "byCommand": report.by_command,
        "statusSeconds": {when: _round(each.seconds) for when, each in report.answers.items()},
        "statusAsked": {when: each.asked for when, each in report.answers.items()},
        "rights": {side: _camel(asdict(each)) for side, each in report.rights.items()} or None,
        "peakMemoryGiB": _round(report.peak_memory_gib),
        "peakMachineMemoryGiB": _round(report.peak_machine_memory_gib),
        "stages": [_rounded(asdict(stage)) for stage in report.stages],
        "machine": dict(report.machine),
        "versions": dict(report.versions),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(turn: Turn) -> dict[str, Any]:
    return {"incident": turn.incident, "phase": turn.phase, "stack": turn.stack}


def _figures(incident: IncidentFigures) -> dict[str, Any]:
    loss, back = incident.lost_at or 0.0, incident.failback
    return {
        "lostRegion": incident.lost_region,
        "outageSeconds": _round(incident.outage_seconds),
        "unavailableSeconds": _round(incident.unavailable_seconds),
        "unavailableSecondsByPartition": _rounded(dict(incident.unavailable_by_partition)),
        "exportGapSeconds": _round(incident.export_gap_seconds),
        "reactionSeconds": _round(incident.reaction_seconds),
        "gaps": [_gap_after_loss(gap, loss) for gap in incident.gaps],
        "acksPerSecond": [[second, count] for second, count in incident.acks_per_second.items()],
        "noopPreviewSeconds": _round(incident.noop_preview_seconds),
        "ctrlC": incident.ctrl_c and _camel(_rounded(asdict(incident.ctrl_c))),
        "failbackSeconds": _round(back.seconds if back else None),
        "failbackUnavailableSeconds": _round(back.unavailable_seconds if back else None),
        "failbackUnavailableSecondsByPartition": _rounded(
            dict(back.unavailable_by_partition) if back else {}
        ),
        "failbackGaps": [_gap_after_loss(gap, loss) for gap in (back.gaps if back else ())],
        "pausedSeconds": _round(back.paused_seconds if back else None),
        "webAppsDownSeconds": _round(back.web_apps_down_seconds if back else None),
    }


def _gap_after_loss(gap: Gap, loss: float) -> dict[str, float]:
    figures = {"start": gap.start - loss, "end": gap.end - loss, "seconds": gap.seconds}
    return {name: round(value, 2) for name, value in figures.items()}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _camel(document: Mapping[str, Any]) -> dict[str, Any]:
    def name(key: str) -> str:
        first, *rest = key.split("_")
        return first + "".join(word.title() for word in rest)

    return {name(key): value for key, value in document.items()}
