"""What a drill has found out so far, and the report made of it, however far the drill came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drill import measure
from drill.checks import Check
from drill.loadlog import LoadLog
from drill.measure import ExportSample
from drill.progress import Stage
from drill.report import Load, PhaseTimes, Report, StepTime
from drill.settings import DrillSettings

_SECONDS_BEFORE_LOSS = 10
"""How much of the time before the loss the timeline shows, to compare with."""


@dataclass
class Findings:
    """Moments are on the monotonic clock; None is what has not happened, or was not looked for."""

    checks: list[Check] = field(default_factory=list)
    phases: list[PhaseTimes] = field(default_factory=list)
    loss: float | None = None
    up_began: float | None = None
    failover_end: float | None = None
    watched_until: float | None = None
    load: LoadLog = field(default_factory=LoadLog)
    found: frozenset[int] | None = None
    exports: Sequence[ExportSample] = ()
    noop_preview_seconds: float | None = None
    peak_memory_gib: float | None = None
    peak_machine_memory_gib: float | None = None
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, phase: str, *checks: Check) -> None:
        """Take in the outcome of checks made in a phase."""
        self.checks += [Check(f"{phase}: {c.name}", c.ok, c.detail) for c in checks]


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
    settings: DrillSettings, findings: Findings, stages: Sequence[Stage], reason: str | None
) -> Report:
    """Return the drill's report; `reason` says what broke, None that nothing did."""
    report = Report(
        cluster_size=settings.cluster_size,
        lost_region=settings.lost,
        until=settings.until,
        phases=tuple(findings.phases),
        checks=tuple(findings.checks),
        load=_load(settings, findings),
        noop_preview_seconds=findings.noop_preview_seconds,
        peak_memory_gib=findings.peak_memory_gib,
        peak_machine_memory_gib=findings.peak_machine_memory_gib,
        stages=tuple(stages),
        machine=findings.machine,
        versions=findings.versions,
        **_service(settings, findings),
    )
    return report.judged(reason)


def _load(settings: DrillSettings, findings: Findings) -> Load:
    log = findings.load
    keys = {ack.key for ack in log.acks}
    found = None if findings.found is None else len(keys & findings.found)
    return Load(
        acknowledged=len(keys),
        found=found,
        lost=None if found is None else len(keys) - found,
        acknowledged_after_loss=0 if findings.loss is None else len(log.sent_after(findings.loss)),
        rate=settings.rate,
        errors=log.errors,
        tunnels_ended=log.tunnels_ended,
        client_late_seconds=sum(log.late_seconds),
    )


def _service(settings: DrillSettings, findings: Findings) -> dict[str, Any]:
    """Return the figures about the time without service, as far as there is something to compute."""
    loss = findings.loss
    if loss is None or not findings.load.acks:
        return {}
    moments = findings.load.moments
    watched = findings.watched_until or max(moments)
    end = findings.failover_end or watched
    return {
        "lost_at": loss,
        "outage_seconds": measure.outage_seconds(moments, loss, watched),
        "unavailable_seconds": measure.unavailable_seconds(moments, loss, end),
        "export_gap_seconds": measure.export_gap_seconds(
            findings.exports, loss, settings.partitions
        ),
        "reaction_seconds": None if findings.up_began is None else findings.up_began - loss,
        "gaps": tuple(measure.gaps_between(moments, loss, end)),
        "unavailable_by_partition": measure.unavailable_by_partition(findings.load.acks, loss, end),
        "acks_per_second": measure.acks_per_second(
            moments, loss, max(moments[0], loss - _SECONDS_BEFORE_LOSS), end
        ),
    }
