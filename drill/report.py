"""The drill's report: `report.json` for machines, `report.md` and the closing table for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drill.checks import Check
from drill.measure import Gap
from drill.progress import Stage

_BARS = "▁▂▃▄▅▆▇█"


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
    """How long a phase took and what its steps were."""

    name: str
    seconds: float
    steps: tuple[StepTime, ...] = ()


@dataclass(frozen=True)
class Load:
    """What became of the load client's instances.

    `found` and `lost` count those that are, and are not, in the survivor's search engine; they are None
    when nobody has looked.
    """

    acknowledged: int = 0
    found: int | None = None
    lost: int | None = None
    acknowledged_after_loss: int = 0
    rate: float = 0.0
    errors: Mapping[str, int] = field(default_factory=dict)
    tunnels_ended: int = 0
    client_late_seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """Everything that a drill has to say, as far as it came."""

    cluster_size: int
    lost_region: int
    until: str
    result: str = "failed"
    reason: str = ""
    phases: tuple[PhaseTimes, ...] = ()
    checks: tuple[Check, ...] = ()
    load: Load = Load()
    outage_seconds: float | None = None
    unavailable_seconds: float | None = None
    export_gap_seconds: float | None = None
    reaction_seconds: float | None = None
    gaps: tuple[Gap, ...] = ()
    unavailable_by_partition: Mapping[int, float] = field(default_factory=dict)
    acks_per_second: Mapping[int, int] = field(default_factory=dict)
    noop_preview_seconds: float | None = None
    peak_memory_gib: float | None = None
    peak_machine_memory_gib: float | None = None
    stages: tuple[Stage, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    lost_at: float | None = None
    """The loss on the monotonic clock, None without one: `gaps` are told in seconds after it."""

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


def as_json(report: Report) -> str:
    """Return the report as JSON, keys in camelCase, seconds rounded to hundredths."""
    document = {
        "result": report.result,
        "reason": report.reason,
        "clusterSize": report.cluster_size,
        "lostRegion": report.lost_region,
        "until": report.until,
        "phases": [_rounded(asdict(phase)) for phase in report.phases],
        "checks": [asdict(check) for check in report.checks],
        "load": _camel(_rounded(asdict(report.load))),
        "outageSeconds": _round(report.outage_seconds),
        "unavailableSeconds": _round(report.unavailable_seconds),
        "exportGapSeconds": _round(report.export_gap_seconds),
        "reactionSeconds": _round(report.reaction_seconds),
        "gaps": [_gap_after_loss(gap, report.lost_at or 0.0) for gap in report.gaps],
        "unavailableSecondsByPartition": _rounded(dict(report.unavailable_by_partition)),
        "acksPerSecond": [[second, count] for second, count in report.acks_per_second.items()],
        "noopPreviewSeconds": _round(report.noop_preview_seconds),
        "peakMemoryGiB": _round(report.peak_memory_gib),
        "peakMachineMemoryGiB": _round(report.peak_machine_memory_gib),
        "stages": [_rounded(asdict(stage)) for stage in report.stages],
        "machine": dict(report.machine),
        "versions": dict(report.versions),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_markdown(report: Report) -> str:
    """Return the report for people."""
    parts = [
        f"# Drill: {report.result}",
        _opening(report),
        "## Figures",
        _table(("figure", "value"), _figures(report)),
        "## Checks",
        _table(
            ("", "check", "seen"),
            [("ok" if c.ok else "**FAILED**", c.name, c.detail) for c in report.checks],
        ),
        "## Steps of the procedure",
        _table(
            ("phase", "step", "stack", "seconds", "proves that"),
            [
                (phase.name, step.id, step.stack, f"{step.seconds:.1f}", step.title)
                for phase in report.phases
                for step in phase.steps
            ],
        ),
        "## Time without service",
        _gap_text(report),
        "## Stages of the drill",
        _table(
            ("began at", "stage", "seconds"),
            [
                (f"{s.start:.1f} s", s.name + ("" if s.ok else " (failed)"), f"{s.seconds:.1f}")
                for s in report.stages
            ],
        ),
        "## Machine and versions",
        _table(("what", "value"), [*report.machine.items(), *report.versions.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def write(report: Report, folder: Path) -> None:
    """Write report.json and report.md."""
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")


def print_closing(report: Report, console: Console) -> None:
    """Print the closing table."""
    table = Table(title=f"Drill: {report.result}", title_justify="left")
    table.add_column("")
    table.add_column("check", overflow="fold")
    table.add_column("seen", overflow="fold")
    for check in report.checks:
        mark = "[green]ok[/]" if check.ok else "[red]FAILED[/]"
        table.add_row(mark, check.name, check.detail if not check.ok else check.detail[:120])
    console.print(table)
    figures = Table(show_header=False)
    for phase in report.phases:
        for step in phase.steps:
            figures.add_row(f"step {step.id} ({step.stack})", f"{step.seconds:.1f} s")
    for name, value in _figures(report):
        figures.add_row(name, value)
    console.print(figures)


def sparkline(counts: Sequence[int]) -> str:
    """Return one character for each count, the highest count being the full height; 0 is a blank."""
    top = max(counts, default=0)
    return "".join(
        " " if not count else _BARS[(count * (len(_BARS) - 1) + top - 1) // top] for count in counts
    )


def _opening(report: Report) -> str:
    place = f"Region {report.lost_region} lost, cluster size {report.cluster_size}, until `{report.until}`."
    return f"{place} {report.reason}".strip()


def _figures(report: Report) -> list[tuple[str, str]]:
    load = report.load
    kept = "not looked for" if load.lost is None else f"{load.found} found, {load.lost} lost"
    return [
        ("acknowledged instances", f"{load.acknowledged} ({kept})"),
        *(_loss_figures(report) if report.lost_at is not None else ()),
        *((f"phase {phase.name}", _seconds(phase.seconds)) for phase in report.phases),
        ("peak memory of the drill's processes", _gib(report.peak_memory_gib)),
        ("peak memory taken from the machine", _gib(report.peak_machine_memory_gib)),
    ]


def _loss_figures(report: Report) -> list[tuple[str, str]]:
    return [
        ("from the loss to the next accepted command", _seconds(report.outage_seconds)),
        (
            "without any accepted command until the end of the failover",
            _seconds(report.unavailable_seconds),
        ),
        (
            "from the loss until exporting moves on every partition",
            _seconds(report.export_gap_seconds),
        ),
        (
            "from the loss until `pulumi up` was said (disks gone, configuration, preview)",
            _seconds(report.reaction_seconds),
        ),
        ("preview with nothing to do", _seconds(report.noop_preview_seconds)),
    ]


def _gap_text(report: Report) -> str:
    if not report.acks_per_second:
        return "Nothing was measured."
    seconds = list(report.acks_per_second)
    loss = report.lost_at or 0.0
    rows = [
        (
            f"{gap.start - loss:.1f} s",
            f"{gap.end - loss:.1f} s",
            f"{gap.seconds:.1f}",
        )
        for gap in report.gaps
    ]
    errors = [(kind, str(count)) for kind, count in sorted(report.load.errors.items())]
    return "\n\n".join(
        [
            f"Accepted commands in each second, from {seconds[0]} s to {seconds[-1]} s after the loss:",
            f"```\n{sparkline(list(report.acks_per_second.values()))}\n```",
            _table(("gap from (after the loss)", "to", "seconds"), rows),
            "Without an accepted command on each partition: "
            + (
                ", ".join(f"{p}: {s:.1f} s" for p, s in report.unavailable_by_partition.items())
                or "none"
            ),
            "What refused commands were told:",
            _table(("answer", "times"), errors),
        ]
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
    return "\n".join(lines) if len(lines) > 2 else "None."


def _row(cells: Sequence[Any]) -> str:
    return (
        "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"
    )


def _gap_after_loss(gap: Gap, loss: float) -> dict[str, float]:
    figures = {"start": gap.start - loss, "end": gap.end - loss, "seconds": gap.seconds}
    return {name: round(value, 2) for name, value in figures.items()}


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"


def _gib(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} GiB"


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
