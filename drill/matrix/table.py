"""The matrix for people, as Markdown: what is covered, and what the last run of each cell has shown. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from drill.matrix.cells import FAULTS, Cell, all_cells, fault_of
from drill.matrix.choice import Covered, coverage
from drill.matrix.results import Outcome, Ran, last_run


def covered(runs: Sequence[Ran], cells: Iterable[Cell] | None = None) -> str:
    """Return how much of each fault's cells has been run.

    :param cells: those that count; all of the table's by default.
    """
    every = tuple(all_cells() if cells is None else cells)
    found = coverage(FAULTS, every, runs)
    lines = [
        "| fault | cells | run | passed | runs | passed with either region lost |",
        "|---|---|---|---|---|---|",
    ]
    lines += map(_row, found)
    total = [
        sum(values)
        for values in zip(*((c.cells, c.run, c.passed, c.runs) for c in found), strict=True)
    ]
    lines.append(f"| all | {total[0]} | {total[1]} | {total[2]} | {total[3]} | |")
    return "\n".join(lines)


def _row(each: Covered) -> str:
    both = "yes" if each.both_regions else "no"
    return f"| {each.title} | {each.cells} | {each.run} | {each.passed} | {each.runs} | {both} |"


def outcomes(runs: Iterable[Ran]) -> str:
    """Return what the last run of each cell has shown, in the table's order; runs that do not count are left out."""
    order = {fault.name: number for number, fault in enumerate(FAULTS)}
    last = sorted(last_run(runs).values(), key=lambda run: (order[run.cell.fault], run.cell))
    heading = "| fault | moment | lost | size | version | outcome | cells of the drill | seconds | without commands | instances | lost | commit | seed |"
    return "\n".join([heading, "|---" * 13 + "|", *map(_outcome, last)])


def _outcome(run: Ran) -> str:
    cell, figures = run.cell, run.figures
    outcome = run.outcome if run.outcome is Outcome.PASSED else f"**{run.outcome}**"
    shown = (
        fault_of(cell).title,
        cell.moment.replace("@", ", "),
        f"region {cell.lost}",
        str(cell.size),
        cell.version,
        outcome,
        str(1 + len(run.beside)),
        f"{run.seconds:.0f}",
        _number(figures.get("unavailable_seconds")),
        _number(figures.get("acknowledged")),
        _number(figures.get("lost")),
        run.commit,
        str(run.seed),
    )
    return f"| {' | '.join(shown)} |"


def _number(value: object) -> str:
    return "?" if value is None else str(value)


def failures(runs: Iterable[Ran]) -> Iterator[str]:
    """Yield the cells whose last run failed, each with its reason, its seed, and the cells of the same drill."""
    for run in last_run(runs).values():
        if run.outcome is Outcome.FAILED:
            beside = "".join(f", beside {cell.fault} {cell.moment}" for cell in run.beside)
            yield f"{run.cell.key} (seed {run.seed}, {run.commit}{beside}): {run.reason}"
