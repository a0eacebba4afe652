"""Which cells are run next, and what has been covered. Pure.

Every cell has its turn: those never run first, then those whose last run is longest ago. Of several that are equal, one
of each fault and then each lost region comes before a second of the same, so that a short budget sees many kinds.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from drill.matrix.cells import Cell, Fault, Way, fault_of
from drill.matrix.results import Outcome, Ran, last_run
from drill.procedure.model import Until

USUAL_SECONDS = {Until.FAILOVER: 150.0, Until.RESTORED: 300.0}
"""How long a cell takes of which none like it was ever run, by how far its drill goes."""
OF_SIZE = {4: 1.0, 8: 1.4, 12: 1.8}
"""How many times as long drills of a size take as those of the smallest."""


def in_order(cells: Iterable[Cell], runs: Iterable[Ran], seed: int) -> tuple[Cell, ...]:
    """Return the cells in the order in which they are to be run.

    :param seed: draws the order of those that are equal in all.
    """
    known = list(runs)
    last = last_run(known)
    # One whose fault did not come is still to be run, but not for ever before all others.
    tried = {run.cell: run.at for run in sorted(known, key=lambda run: run.at)}
    drawn = sorted(cells)
    random.Random(seed).shuffle(drawn)  # noqa: S311 (no secret)
    drawn.sort(key=_plainness)
    age = {cell: last[cell].at if cell in last else 0.0 for cell in drawn}
    turn = _turns(sorted(drawn, key=lambda cell: age[cell]))
    return tuple(
        sorted(drawn, key=lambda cell: (cell in last, age[cell], tried.get(cell, 0.0), turn[cell]))
    )


def _plainness(cell: Cell) -> tuple[int, str]:
    """Small before large, old before new."""
    return cell.size, cell.version


def _turns(cells: Sequence[Cell]) -> Mapping[Cell, tuple[int, int]]:
    """Return for each cell how many of its fault come before it; of its fault and lost region, in the second place."""
    seen: Counter[object] = Counter()
    turns = {}
    for cell in cells:
        fault, region = cell.fault, (cell.fault, cell.lost)
        turns[cell] = (seen[region], seen[fault])
        seen.update((fault, region))
    return turns


def seconds_of(cell: Cell, runs: Iterable[Ran]) -> float:
    """Return how long a cell is expected to take: as it, or its fault, did before; else as drills of its kind do."""
    known = [run for run in runs if run.counts]
    same = [run.seconds for run in known if run.cell == cell]
    alike = [
        run.seconds
        for run in known
        if (run.cell.fault, run.cell.phase) == (cell.fault, cell.phase)
        and run.cell.size == cell.size
    ]
    if found := same or alike:
        return median(found)
    return USUAL_SECONDS[cell.phase] * OF_SIZE[cell.size] * fault_of(cell).times


def within(cells: Iterable[Cell], runs: Sequence[Ran], seconds: float) -> Iterator[Cell]:
    """Yield the cells that are expected to fit into a budget, in their order.

    One that does not fit any more is passed over for one that does; the first is always tried, so that no budget is too
    small for ever.
    """
    left = seconds
    for number, cell in enumerate(cells):
        expected = seconds_of(cell, runs)
        if number == 0 or expected <= left:
            left -= expected
            yield cell


def seed_of(cell: Cell, seed: int) -> int:
    """Return the seed of a cell's own chances, the same whatever runs before it."""
    return random.Random(f"{seed} {cell.key}").randrange(2**31)  # noqa: S311 (no secret)


# --- coverage ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Covered:
    """How much of a fault's cells has been run."""

    fault: Fault
    cells: int
    run: int
    passed: int
    twice: int
    both_regions: bool

    @property
    def title(self) -> str:
        """For people."""
        return self.fault.title


def coverage(
    faults: Iterable[Fault], cells: Iterable[Cell], runs: Iterable[Ran]
) -> tuple[Covered, ...]:
    """Return for each fault how many of its cells there are, were run, and passed when they were last run.

    A run in which the fault did not come is none. A fault that is not made yet has no cells, whatever runs say.
    """
    known = [run for run in runs if run.counts and fault_of(run.cell).way is not Way.MISSING]
    last = last_run(known)
    every = list(cells)
    return tuple(_covered(fault, every, known, last) for fault in faults)


def _covered(
    fault: Fault, cells: Sequence[Cell], runs: Sequence[Ran], last: Mapping[Cell, Ran]
) -> Covered:
    own = [cell for cell in cells if cell.fault == fault.name and fault.way is not Way.MISSING]
    counted = Counter(run.cell for run in runs if run.cell in set(own))
    return Covered(
        fault,
        cells=len(own),
        run=len(counted),
        passed=sum(last[cell].outcome is Outcome.PASSED for cell in counted),
        twice=sum(times > 1 for times in counted.values()),
        both_regions={cell.lost for cell in counted} == {0, 1},
    )
