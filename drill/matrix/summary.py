"""What all runs together have shown, as Markdown: how many there were, of what, and what came of them. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from textwrap import shorten
from typing import Any

from drill.matrix.cells import FAULTS, LOST, MATRIX_VERSIONS, SIZES, all_cells
from drill.matrix.choice import coverage
from drill.matrix.results import Outcome, Ran, by_drill

_REASON = 120
"""How many characters of a reason are shown; the results have more."""


def summary(runs: Sequence[Ran]) -> str:
    """Return all of it: figures, runs by version, size and lost region, and each run that has not passed."""
    if not runs:
        return "Nothing has been run yet."
    tables = (_figures(runs), _spread(runs), _not_passed(runs))
    return "\n\n".join(table for table in map("\n".join, tables) if table)


def _figures(runs: Sequence[Ran]) -> Iterator[str]:
    first = [drill[0] for drill in by_drill(runs)]
    looked = [run.figures for run in first if run.figures.get("lost") is not None]
    compared = [run.figures for run in first if run.figures.get("records") is not None]
    missing = sum(sum(filter(None, figures["recordsMissing"])) for figures in compared)
    ended = Counter(run.outcome for run in runs)
    hours = sum(run.seconds for run in first) / 3600
    covered = coverage(FAULTS, all_cells(), runs)
    lacking = [each.title for each in covered if not each.both_regions]
    yield "| of all runs | |"
    yield "|---|---|"
    yield f"| first, last (UTC) | {_day(min(run.at for run in runs))}, {_day(max(run.at for run in runs))} |"
    yield f"| drills | {len(first):,}; {hours:.1f} hours in all |"
    yield f"| cells run | {sum(each.run for each in covered):,} of {sum(each.cells for each in covered):,} |"
    yield f"| runs of cells | {len(runs):,}: {', '.join(f'{ended[each]:,} {each}' for each in Outcome)} |"
    yield (
        f"| acknowledged instances | {_sum(looked, 'acknowledged'):,} in the {len(looked):,} drills that looked for "
        f"them: {_sum(looked, 'lost'):,} lost |"
    )
    yield (
        f"| exported records | {_sum(compared, 'records'):,} in the {len(compared):,} drills that compared them: "
        f"{missing:,} missing |"
    )
    yield f"| faults that have passed with either region lost | {len(covered) - len(lacking)} of {len(covered)} |"
    if lacking:
        yield f"| faults that have not | {'; '.join(lacking)} |"


def _sum(figures: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(each[name] for each in figures)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _spread(runs: Iterable[Ran]) -> Iterator[str]:
    """Yield how many runs count, by version, size and lost region: those that have none are shown, too."""
    often = Counter((run.cell.version, run.cell.size, run.cell.lost) for run in runs if run.counts)
    columns = tuple(product(SIZES, LOST))
    names = (f"size {size}, region {lost} lost" for size, lost in columns)
    yield f"| passed or failed | {' | '.join(names)} |"
    yield "|---" * (1 + len(columns)) + "|"
    for version in MATRIX_VERSIONS:
        found = (str(often[version, size, lost]) for size, lost in columns)
        yield f"| {version} | {' | '.join(found)} |"


def _not_passed(runs: Sequence[Ran]) -> Iterator[str]:
    """Yield each run that failed or was missed, with its reason."""
    found = [run for run in runs if run.outcome in (Outcome.FAILED, Outcome.MISSED)]
    if found:
        yield "| not passed | cell | reason, or its beginning | the same fault and lost region passed since |"
        yield "|---|---|---|---|"
    for run in sorted(found, key=lambda run: run.at):
        reason = shorten(
            run.reason.rstrip("; ").replace("`", "'").replace("|", "/"), _REASON, placeholder=" ..."
        )
        yield f"| {run.outcome} | {run.cell.key} | `{reason}` | {'yes' if _passed_since(run, runs) else 'no'} |"


def _passed_since(run: Ran, runs: Iterable[Ran]) -> bool:
    return any(
        later.at > run.at
        and later.outcome is Outcome.PASSED
        and (later.cell.fault, later.cell.lost) == (run.cell.fault, run.cell.lost)
        for later in runs
    )
