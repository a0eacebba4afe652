"""The drill's report: one model, which is `report.json`; of its figures it has the names and units for people, too."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, SerializerFunctionWrapHandler, model_serializer

from drill.check import Check
from drill.checks.audit import Rights
from drill.model import Model
from drill.procedure.versions import DEFAULT_VERSION
from drill.progress import Stage

Figure = tuple[str, str]
"""What a figure is called, and its value with its unit."""
SECONDS, GIB, COUNT = "{:.1f} s", "{:.2f} GiB", "{}"
"""How people read a figure."""
Seconds = Annotated[float | None, SECONDS]
Gib = Annotated[float | None, GIB]
_SHARE_DIGITS = 4


def shown(value: float | None, unit: str) -> str:
    """Return a figure for people; None is one that was not measured, or not over when the drill ended."""
    return "unknown" if value is None else unit.format(value)


def figures_of(model: Model) -> Iterator[Figure]:
    """Yield all figures of a model and of those in it: they are the fields that have a title."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, Model):
            yield from figures_of(value)
        elif field.title:
            yield field.title.format(model), shown(value, field.metadata[0])


class StepTime(Model):
    """One step of the procedure as the stack recorded it."""

    id: str
    stack: str
    seconds: float
    start: str = ""
    end: str = ""
    title: str = ""


class PhaseTimes(Model):
    """How long a phase took and what its steps were; `incident` counts from 1, 0 is before the first."""

    name: str
    seconds: float
    steps: tuple[StepTime, ...] = ()
    incident: int = 0


class Load(Model):
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
    errors: Mapping[str, int] = {}
    tunnels_ended: int = 0
    client_late_seconds: float = 0.0


class Records(Model):
    """The exported records at the end: how many are known, how many each region lacks; None: not looked for."""

    total: int | None = None
    missing_in_region0: int | None = None
    missing_in_region1: int | None = None


class CtrlC(Model):
    """Ctrl-C in the midst of a step: seconds until the command had ended, and until the step was under way again."""

    step: str
    ended_seconds: Annotated[float, SECONDS] = Field(
        title="Ctrl-C in {0.step}, until `dualregion` had ended"
    )
    again_seconds: Seconds = Field(
        title="Ctrl-C in {0.step}, until the same command had {0.step} under way again"
    )


class Gap(Model):
    """A stretch in which no command was accepted, in seconds after the loss."""

    start: float
    end: float
    seconds: float


class Failback(Model):
    """The failback of one incident: from the first `pulumi up` of `failback-pending` to the last of `restored`."""

    failback_seconds: Seconds = Field(
        default=None, title="failback, from its first `pulumi up` to its last"
    )
    failback_unavailable_seconds: Seconds = Field(
        default=None, title="without any accepted command in the failback"
    )
    failback_unavailable_seconds_by_partition: Mapping[int, float] = {}
    failback_gaps: tuple[Gap, ...] = ()
    paused_seconds: Seconds = Field(default=None, title="exporters paused in the failback")
    web_apps_down_seconds: Seconds = Field(
        default=None, title="Operate or Tasklist down in the failback"
    )


class IncidentFigures(Model):
    """The figures of one incident; None is what was not measured, or not over when the drill ended."""

    lost_region: int
    outage_seconds: Seconds = Field(
        default=None, title="from the loss to the next accepted command"
    )
    unavailable_seconds: Seconds = Field(
        default=None, title="without any accepted command until the end of the failover"
    )
    unavailable_from_up_seconds: Seconds = Field(default=None, title="of that from `pulumi up` on")
    overhead_seconds: Seconds = Field(
        default=None, title="of that in no step of the procedure (Pulumi, its program, Helm)"
    )
    unavailable_seconds_by_partition: Mapping[int, float] = {}
    export_gap_seconds: Seconds = Field(
        default=None, title="from the loss until exporting moves on every partition"
    )
    reaction_seconds: Seconds = Field(
        default=None,
        title="from the loss until `pulumi up` was run (disks gone, configuration, preview)",
    )
    gaps: tuple[Gap, ...] = ()
    acks_per_second: Annotated[
        Mapping[int, int], PlainSerializer(lambda counts: list(counts.items()))
    ] = {}
    noop_preview_seconds: Seconds = Field(default=None, title="preview with nothing to do")
    ctrl_c: CtrlC | None = None
    failback: Failback | None = None

    @model_serializer(mode="wrap")
    def _without_sections(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the JSON form, in which the failback's figures stand among the others."""
        document: dict[str, Any] = serialized(self)
        return document | (document.pop("failback") or Failback().model_dump(by_alias=True))


class Interrupted(Model):
    """A point at which `pulumi up` was killed, `at` seconds after the drill began, or could not be: then None."""

    incident: int
    phase: str
    stack: str
    point: str
    at: float | None = Field(default=None, exclude_if=lambda at: at is None)


class Report(Model):
    """Everything that a drill has found, as far as it came."""

    result: str = "failed"
    reason: str = ""
    cluster_size: int
    lost_regions: tuple[int, ...]
    until: str
    camunda: str = DEFAULT_VERSION
    """The version of Camunda that was rehearsed."""
    broker: str | None = None
    """Which broker was used, with its image; None if none was ever seen."""
    seconds: float = 0.0
    began_at: float = 0.0
    """The drill's start, in seconds since the epoch."""
    own_waiting_seconds: float = 0.0
    """How much of it was spent waiting though what was waited for was there: polling, and fixed waits."""
    phases: tuple[PhaseTimes, ...] = ()
    checks: tuple[Check, ...] = ()
    load: Load = Load()
    records: Records = Records()
    incidents: tuple[IncidentFigures, ...] = ()
    interrupted: bool = False
    interruptions: tuple[Interrupted, ...] = ()
    not_reachable: tuple[Interrupted, ...] = ()
    zombie: bool = False
    """Whether the region was cut off and came back alive, instead of being killed."""
    two_operators: bool = False
    """Whether each region's operator called the other region lost."""
    late_flush: bool = False
    """Whether a broker wrote its buffers only after the copy was made."""
    by_command: bool = False
    """Whether the runbook command took the turns."""
    status_seconds: Mapping[str, float] = {}
    """How long its `status` took to answer, by what was going on."""
    status_asked: Mapping[str, int] = {}
    """How often it had to be asked."""
    rights: Mapping[str, Rights] | None = None
    """What became of the rights of each side, `own` and `peer`; None where no API server has logged it."""
    peak_memory_gib: Gib = Field(default=None, serialization_alias="peakMemoryGiB")
    peak_machine_memory_gib: Gib = Field(default=None, serialization_alias="peakMachineMemoryGiB")
    stages: tuple[Stage, ...] = ()
    machine: Mapping[str, Any] = {}
    versions: Mapping[str, str] = {}

    @property
    def own_waiting_share(self) -> float:
        """The part of the drill's time that was own waiting, 0 to 1."""
        return self.own_waiting_seconds / self.seconds if self.seconds else 0.0

    @property
    def steps(self) -> list[StepTime]:
        """The steps of all phases."""
        return [step for phase in self.phases for step in phase.steps]

    @property
    def several(self) -> bool:
        """Whether more than one region is lost, so that figures must name their incident."""
        return len(self.lost_regions) > 1

    def in_incident(self, phase: PhaseTimes) -> str:
        """Return a phase's name, with its incident if there are several."""
        return (
            f"{phase.name}, incident {phase.incident}"
            if self.several and phase.incident
            else phase.name
        )

    def figures(self) -> Iterator[Figure]:
        """Yield all figures that people read, in their order."""
        load, records = self.load, self.records
        kept = "not looked for" if load.lost is None else f"{load.found} found, {load.lost} lost"
        yield "acknowledged instances", f"{load.acknowledged} ({kept})"
        for region, count in enumerate((load.in_region0, load.in_region1)):
            if count is not None:
                yield f"of them in region {region}'s search engine", str(count)
        if records.total is not None:
            missing = f"{records.missing_in_region0} and {records.missing_in_region1} missing"
            yield "exported records", f"{records.total} ({missing} in region 0 and 1)"
        for heading, incident in self.headed_incidents():
            before = f"{heading}: " if heading else ""
            yield from ((f"{before}{name}", value) for name, value in figures_of(incident))
        for phase in self.phases:
            yield f"phase {self.in_incident(phase)}", shown(phase.seconds, SECONDS)
        yield "peak memory of the drill's processes", shown(self.peak_memory_gib, GIB)
        yield "peak memory taken from the machine", shown(self.peak_machine_memory_gib, GIB)
        yield "the whole drill", shown(self.seconds, SECONDS)
        waiting = f"{shown(self.own_waiting_seconds, SECONDS)} ({self.own_waiting_share:.1%})"
        yield "of it own waiting (polling, fixed waits)", waiting

    def headed_incidents(self) -> Iterator[tuple[str, IncidentFigures]]:
        """Yield each incident with its name; that is empty if there is only one."""
        for number, incident in enumerate(self.incidents, start=1):
            heading = f"incident {number}, region {incident.lost_region} lost"
            yield heading if self.several else "", incident


def verdict(checks: tuple[Check, ...], reason: str | None) -> dict[str, str]:
    """Return a drill's result and reason: it has passed only if nothing broke (`reason`) and every check held.

    A drill in which no check ran has proved nothing and has not passed.
    """
    failed = [check.name for check in checks if not check.ok]
    if not reason and failed:
        reason = f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}"
    if not reason and not checks:
        reason = "no check was run"
    return {"result": "failed" if reason else "passed", "reason": reason or ""}


def as_json(report: Report) -> str:
    """Return the report as JSON, seconds rounded to hundredths.

    The figures of the first incident stand at the top too: most drills have one.
    """
    first, *_ = report.incidents or (IncidentFigures(lost_region=report.lost_regions[0]),)
    document = {
        **_rounded(report),
        **_rounded(first),
        "ownWaitingShare": round(report.own_waiting_share, _SHARE_DIGITS),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rounded(model: Model) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        model.model_dump_json(by_alias=True), parse_float=lambda text: round(float(text), 2)
    )
    return document
