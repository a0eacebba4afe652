"""The drill's report for people: `report.md` and the closing table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drill.report import waterfall
from drill.report.report import Gap, IncidentFigures, Interrupted, Report, as_json

_BARS = "▁▂▃▄▅▆▇█"
_SECONDS_IN_A_ROW = 100
_KILLED = (
    "Every `pulumi up` of the procedure was killed at each of its points and run again: no figure below that is "
    "a time, of exporters paused or commands not accepted either, tells how long the procedure takes."
)
_WHOSE = {"own": "its own stack", "peer": "the other region's stack"}


def write(report: Report, folder: Path) -> None:
    """Write report.json and report.md."""
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")


def as_markdown(report: Report) -> str:
    """Return the report for people."""
    return "\n\n".join((f"# Drill: {report.result}", _opening(report), *_sections(report))) + "\n"


def _sections(report: Report) -> Iterator[str]:
    yield "## Figures"
    yield _table(("figure", "value"), report.figures())
    yield "## Checks"
    checks = (("ok" if c.ok else "**FAILED**", c.name, c.detail) for c in report.checks)
    yield _table(("", "check", "seen"), checks)
    yield "## Steps of the procedure"
    steps = (
        (report.in_incident(phase), step.id, step.stack, f"{step.seconds:.1f}", step.title)
        for phase in report.phases
        for step in phase.steps
    )
    yield _table(("phase", "step", "stack", "seconds", "proves that"), steps)
    if report.interrupted:
        yield "## Interruptions"
        points = map(_point, (*report.interruptions, *report.not_reachable))
        yield _table(("killed at", "stack", "phase", "point"), points)
    if report.status_seconds:
        yield "## `dualregion status`"
        answers = (
            (when, f"{seconds:.1f}", report.status_asked[when])
            for when, seconds in report.status_seconds.items()
        )
        yield _table(("asked", "seconds", "times"), answers)
    yield from _rights(report)
    yield "## Time without service"
    yield from _service(report)
    yield "## Where the time went"
    yield "Each stage of the drill, and in it (—) the steps of the procedure, as the stacks recorded them."
    bars = (
        (f"{row.start:.1f} s", row.what, f"{row.seconds:.1f}", f"`{row.bar}`")
        for row in waterfall.rows(report.stages, report.steps, report.began_at, report.seconds)
    )
    yield _table(("began at", "stage or step", "seconds", "of the whole"), bars)
    yield "## Machine and versions"
    yield _table(("what", "value"), [*report.machine.items(), *report.versions.items()])


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
            where = f"{step.stack}, {report.in_incident(phase)}"
            figures.add_row(f"step {step.id} ({where})", f"{step.seconds:.1f} s")
    for name, value in report.figures():
        figures.add_row(name, value)
    console.print(figures)


def sparkline(counts: Sequence[int], top: int | None = None) -> str:
    """Return one character for each count, the highest count (or `top`) being the full height; 0 is a blank."""
    top = max(counts, default=0) if top is None else top
    return "".join(
        " " if not count else _BARS[(count * (len(_BARS) - 1) + top - 1) // top] for count in counts
    )


def _rights(report: Report) -> Iterator[str]:
    """Yield which rights no request needed, and what was refused; nothing where there is no audit log."""
    if not report.rights:
        return
    given = sum(len(each.granted) for each in report.rights.values())
    used = sum(len(each.used) for each in report.rights.values())
    yield "## Rights"
    yield f"{used} of the {given} rights of both stacks were used. These never:"
    yield _by_resource("never used", {s: r.never_used for s, r in report.rights.items()})
    refused = {side: rights.refused for side, rights in report.rights.items() if rights.refused}
    if refused:
        yield "Refused, as they have no right to it:"
        yield _by_resource("refused", refused)


def _by_resource(what: str, rights: Mapping[str, Sequence[str]]) -> str:
    """Return rights as a table with one row for each side's resource."""
    rows: dict[tuple[str, str], list[str]] = {}
    for side, texts in rights.items():
        for text in texts:
            resource, _, verb = text.partition(": ")
            rows.setdefault((_WHOSE[side], resource), []).append(verb)
    return _table(
        ("in a region's cluster", "resource", what),
        [(*key, ", ".join(verbs)) for key, verbs in rows.items()],
    )


def _opening(report: Report) -> str:
    lost = " then ".join(map(str, report.lost_regions))
    fate = "cut off, back alive after the failover" if report.zombie else "lost"
    fate += ", each called lost by the other's operator" if report.two_operators else ""
    place = f"Camunda {report.camunda}. Region {lost} {fate}, cluster size {report.cluster_size}, until `{report.until}`."
    if report.late_flush:
        place += " One broker flushed late in the failback, which was begun again."
    place += f" Broker: {report.broker}." if report.broker else ""
    killed = f"{_KILLED} " if report.interrupted else ""
    return f"{place} {killed}{report.reason}".strip()


def _point(each: Interrupted) -> Sequence[str]:
    at = "not reachable" if each.at is None else f"{each.at:.1f} s"
    return at, each.stack, each.phase, each.point


def _service(report: Report) -> Iterator[str]:
    if not any(incident.acks_per_second for incident in report.incidents):
        yield "Nothing was measured."
        return
    for heading, incident in report.headed_incidents():
        if heading:
            yield f"### {heading.capitalize()}"
        yield from _service_of(incident)
    yield "What refused commands were told:"
    yield _table(("answer", "times"), sorted(report.load.errors.items()))


def _service_of(incident: IncidentFigures) -> Iterator[str]:
    yield f"Accepted commands in each second after the loss, {_SECONDS_IN_A_ROW} s in a row:"
    yield f"```\n{_timeline(incident.acks_per_second)}\n```"
    yield from _gaps(incident.gaps, incident.unavailable_seconds_by_partition)
    if back := incident.failback:
        yield "In the failback:"
        yield from _gaps(back.failback_gaps, back.failback_unavailable_seconds_by_partition)


def _gaps(gaps: Iterable[Gap], by_partition: Mapping[int, float]) -> Iterator[str]:
    rows = ((f"{gap.start:.1f} s", f"{gap.end:.1f} s", f"{gap.seconds:.1f}") for gap in gaps)
    yield _table(("gap from (after the loss)", "to", "seconds"), rows, none="No gap.")
    seconds = ", ".join(f"{each}: {value:.1f} s" for each, value in by_partition.items())
    yield f"Without an accepted command on each partition: {seconds or 'none'}"


def _timeline(acks_per_second: Mapping[int, int]) -> str:
    """Return the sparkline in rows, each with the second it begins at."""
    top = max(acks_per_second.values(), default=0)
    seconds = list(acks_per_second.items())
    rows = [
        seconds[start : start + _SECONDS_IN_A_ROW]
        for start in range(0, len(seconds), _SECONDS_IN_A_ROW)
    ]
    return "\n".join(
        f"{row[0][0]:5d} s {sparkline([count for _, count in row], top)}" for row in rows
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]], none: str = "None.") -> str:
    lines = [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
    return "\n".join(lines) if len(lines) > 2 else none


def _row(cells: Sequence[Any]) -> str:
    return (
        "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"
    )
