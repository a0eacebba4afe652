"""The drill's report for people: `report.md` and the closing table."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drill.observation.measure import Gap
from drill.report import waterfall
from drill.report.report import CtrlC, Failback, IncidentFigures, PhaseTimes, Report, as_json

_BARS = "▁▂▃▄▅▆▇█"
_SECONDS_IN_A_ROW = 100
_KILLED = (
    "Every `pulumi up` of the procedure was killed at each of its points and run again: no figure below that is "
    "a time, of exporters paused or commands not accepted either, tells how long the procedure takes."
)
_WHOSE = {"own": "its own stack", "peer": "the other region's stack"}
_Figures = list[tuple[str, str]]


def write(report: Report, folder: Path) -> None:
    """Write report.json and report.md."""
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")


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
                (_phase(report, phase), step.id, step.stack, f"{step.seconds:.1f}", step.title)
                for phase in report.phases
                for step in phase.steps
            ],
        ),
        *_interruptions(report),
        *_answers(report),
        *_rights(report),
        "## Time without service",
        *_service(report),
        "## Where the time went",
        *_waterfall(report),
        "## Machine and versions",
        _table(("what", "value"), [*report.machine.items(), *report.versions.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _waterfall(report: Report) -> Iterable[str]:
    steps = [step for phase in report.phases for step in phase.steps]
    yield "Each stage of the drill, and in it (—) the steps of the procedure, as the stacks recorded them."
    yield _table(
        ("began at", "stage or step", "seconds", "of the whole"),
        [
            (f"{row.start:.1f} s", row.what, f"{row.seconds:.1f}", f"`{row.bar}`")
            for row in waterfall.rows(report.stages, steps, report.began_at, report.seconds)
        ],
    )


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
            where = f"{step.stack}, {_phase(report, phase)}"
            figures.add_row(f"step {step.id} ({where})", f"{step.seconds:.1f} s")
    for name, value in _figures(report):
        figures.add_row(name, value)
    console.print(figures)


def sparkline(counts: Sequence[int], top: int | None = None) -> str:
    """Return one character for each count, the highest count (or `top`) being the full height; 0 is a blank."""
    top = max(counts, default=0) if top is None else top
    return "".join(
        " " if not count else _BARS[(count * (len(_BARS) - 1) + top - 1) // top] for count in counts
    )


def _answers(report: Report) -> list[str]:
    """How long the runbook command took to tell how both regions stand."""
    if not report.answers:
        return []
    rows = [(when, f"{each.seconds:.1f}", str(each.asked)) for when, each in report.answers.items()]
    return ["## `dualregion status`", _table(("asked", "seconds", "times"), rows)]


def _rights(report: Report) -> list[str]:
    """Which rights no request needed, and what was refused; nothing where no audit log tells it."""
    if not report.rights:
        return []
    given = sum(len(each.granted) for each in report.rights.values())
    used = sum(len(each.used) for each in report.rights.values())
    parts = ["## Rights", f"{used} of the {given} rights of both stacks were used. These never:"]
    parts.append(_by_resource("never used", {s: r.never_used for s, r in report.rights.items()}))
    refused = {side: rights.refused for side, rights in report.rights.items() if rights.refused}
    if refused:
        parts += ["Refused, as they have no right to it:", _by_resource("refused", refused)]
    return parts


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
    place = f"Region {lost} {fate}, cluster size {report.cluster_size}, until `{report.until}`."
    if report.late_flush:
        place += " One broker flushed late in the failback, which was begun again."
    place += f" Broker: {report.broker}." if report.broker else ""
    killed = f"{_KILLED} " if report.interrupted else ""
    return f"{place} {killed}{report.reason}".strip()


def _interruptions(report: Report) -> list[str]:
    """Return what was killed where, and what could not be; nothing of a drill that killed nothing."""
    if not report.interrupted:
        return []
    rows = [
        (f"{each.at:.1f} s", turn.stack, turn.phase, str(each.point))
        for turn in report.turns
        for each in turn.interruptions
    ]
    rows += [
        ("not reachable", turn.stack, turn.phase, str(point))
        for turn in report.turns
        for point in turn.not_reachable
    ]
    return ["## Interruptions", _table(("killed at", "stack", "phase", "point"), rows)]


def _phase(report: Report, phase: PhaseTimes) -> str:
    several = len(report.lost_regions) > 1 and phase.incident
    return f"{phase.name}, incident {phase.incident}" if several else phase.name


def _figures(report: Report) -> _Figures:
    load = report.load
    kept = "not looked for" if load.lost is None else f"{load.found} found, {load.lost} lost"
    return [
        ("acknowledged instances", f"{load.acknowledged} ({kept})"),
        *_kept_figures(report),
        *(
            (f"{heading}{name}", value)
            for heading, incident in _incidents(report)
            for name, value in (*_loss_figures(incident), *_failback_figures(incident.failback))
        ),
        *((f"phase {_phase(report, phase)}", _seconds(phase.seconds)) for phase in report.phases),
        ("peak memory of the drill's processes", _gib(report.peak_memory_gib)),
        ("peak memory taken from the machine", _gib(report.peak_machine_memory_gib)),
        ("the whole drill", _seconds(report.seconds)),
        (
            "of it own waiting (polling, fixed waits)",
            f"{_seconds(report.own_waiting_seconds)} ({report.own_waiting_share:.1%})",
        ),
    ]


def _kept_figures(report: Report) -> _Figures:
    figures = [
        (f"of them in region {region}'s search engine", str(count))
        for region, count in enumerate((report.load.in_region0, report.load.in_region1))
        if count is not None
    ]
    records = report.records
    if records.total is not None:
        missing = f"{records.missing_in_region0} and {records.missing_in_region1} missing"
        figures.append(("exported records", f"{records.total} ({missing} in region 0 and 1)"))
    return figures


def _incidents(report: Report) -> list[tuple[str, IncidentFigures]]:
    """Return each incident with what stands before its figures' names: nothing if there is only one."""
    several = len(report.lost_regions) > 1
    return [
        (f"incident {number}, region {incident.lost_region} lost: " if several else "", incident)
        for number, incident in enumerate(report.incidents, start=1)
    ]


def _loss_figures(incident: IncidentFigures) -> _Figures:
    return [
        ("from the loss to the next accepted command", _seconds(incident.outage_seconds)),
        (
            "without any accepted command until the end of the failover",
            _seconds(incident.unavailable_seconds),
        ),
        (
            "from the loss until exporting moves on every partition",
            _seconds(incident.export_gap_seconds),
        ),
        (
            "from the loss until `pulumi up` was said (disks gone, configuration, preview)",
            _seconds(incident.reaction_seconds),
        ),
        ("preview with nothing to do", _seconds(incident.noop_preview_seconds)),
        *_ctrl_c_figures(incident.ctrl_c),
    ]


def _ctrl_c_figures(hit: CtrlC | None) -> _Figures:
    if hit is None:
        return []
    return [
        (f"Ctrl-C in {hit.step}, until `dualregion` had ended", _seconds(hit.ended_seconds)),
        (
            f"Ctrl-C in {hit.step}, until the same command had {hit.step} at work again",
            _seconds(hit.again_seconds),
        ),
    ]


def _failback_figures(back: Failback | None) -> _Figures:
    if back is None:
        return []
    return [
        ("failback, from its first `pulumi up` to its last", _seconds(back.seconds)),
        (
            "without any accepted command in the failback",
            _seconds(back.unavailable_seconds),
        ),
        ("exporters paused in the failback", _seconds(back.paused_seconds)),
        ("Operate or Tasklist down in the failback", _seconds(back.web_apps_down_seconds)),
    ]


def _service(report: Report) -> list[str]:
    if not any(incident.acks_per_second for incident in report.incidents):
        return ["Nothing was measured."]
    errors = [(kind, str(count)) for kind, count in sorted(report.load.errors.items())]
    parts = []
    for heading, incident in _incidents(report):
        parts += [f"### {heading.removesuffix(': ').capitalize()}"] if heading else []
        parts += _service_of(incident)
    return [*parts, "What refused commands were told:", _table(("answer", "times"), errors)]


def _service_of(incident: IncidentFigures) -> list[str]:
    loss, back = incident.lost_at or 0.0, incident.failback
    parts = [
        f"Accepted commands in each second after the loss, {_SECONDS_IN_A_ROW} s in a row:",
        f"```\n{_timeline(incident.acks_per_second)}\n```",
        _gap_table(incident.gaps, loss),
        f"Without an accepted command on each partition: {_by_partition(incident.unavailable_by_partition)}",
    ]
    if back is not None:
        parts += [
            "In the failback:",
            _gap_table(back.gaps, loss),
            f"Without an accepted command on each partition: {_by_partition(back.unavailable_by_partition)}",
        ]
    return parts


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


def _gap_table(gaps: Iterable[Gap], loss: float) -> str:
    rows = [
        (f"{gap.start - loss:.1f} s", f"{gap.end - loss:.1f} s", f"{gap.seconds:.1f}")
        for gap in gaps
    ]
    return _table(("gap from (after the loss)", "to", "seconds"), rows, none="No gap.")


def _by_partition(seconds: Mapping[int, float]) -> str:
    return ", ".join(f"{p}: {s:.1f} s" for p, s in seconds.items()) or "none"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]], none: str = "None.") -> str:
    lines = [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
    return "\n".join(lines) if len(lines) > 2 else none


def _row(cells: Sequence[Any]) -> str:
    return (
        "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"
    )


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"


def _gib(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} GiB"
