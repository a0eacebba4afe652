"""Which cells are run next, which of them share a drill, and what has been covered. Pure.

Every cell has its turn: those that failed beside others first, each by itself, then those never run, then those whose
last run is longest ago. Of several that are equal, one of each fault and then each lost region comes before a second of
the same, so that a short budget sees many kinds; what was run before counts.

A drill has several turns, and a fault concerns one of them: cells of one size, version and lost region whose faults
come in different turns share a drill. Its judgement is of all of them; what fails is run again by itself.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from drill.matrix.cells import Cell, Fault, fault_of, furthest
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
    # One whose fault did not come is still to be run, but not before all others each time.
    tried = {run.cell: run.at for run in sorted(known, key=lambda run: run.at)}
    drawn = sorted(cells)
    random.Random(seed).shuffle(drawn)  # noqa: S311 (no secret)
    drawn.sort(key=_plainness)
    age = {cell: last[cell].at if cell in last else 0.0 for cell in drawn}
    turn = _turns(sorted(drawn, key=lambda cell: age[cell]), _counted(known))

    def rank(cell: Cell) -> tuple[object, ...]:
        return (
            not is_suspect(cell, last),
            cell in last,
            age[cell],
            tried.get(cell, 0.0),
            turn[cell],
        )

    return tuple(sorted(drawn, key=rank))


def is_suspect(cell: Cell, last: Mapping[Cell, Ran]) -> bool:
    """Whether a cell's last run failed beside others: it may have been one of these."""
    run = last.get(cell)
    return run is not None and run.outcome is Outcome.FAILED and bool(run.beside)


def company(first: Cell, others: Iterable[Cell], runs: Iterable[Ran]) -> tuple[Cell, ...]:
    """Return the cells of one drill: the first, and those of the others that can share it, in their order.

    Faults that were run less often with this lost region come before others. Each has a fault of its own, in a turn of
    its own; one of them at most is a fault of the whole drill. One that needs another drill than the others, and one
    that failed beside others, is by itself.
    """
    known = list(runs)
    last, often = last_run(known), _counted(known)
    if first.is_alone or is_suspect(first, last):
        return (first,)
    found = [first]
    for cell in sorted(others, key=lambda cell: often[cell.fault, cell.lost]):
        if (
            not cell.is_alone
            and not is_suspect(cell, last)
            and all(_can_share(cell, each) for each in found)
        ):
            found.append(cell)
    return tuple(found)


def _can_share(one: Cell, other: Cell) -> bool:
    return (
        (one.lost, one.size, one.version) == (other.lost, other.size, other.version)
        and one.fault != other.fault
        and one.turn != other.turn
    )


def _plainness(cell: Cell) -> tuple[int, str]:
    """Small before large, old before new."""
    return cell.size, cell.version


def _counted(runs: Iterable[Ran]) -> Counter[tuple[str, int]]:
    """Return how often each fault was run with each lost region."""
    return Counter((run.cell.fault, run.cell.lost) for run in runs if run.counts)


def _turns(
    cells: Sequence[Cell], often: Counter[tuple[str, int]]
) -> Mapping[Cell, tuple[int, int]]:
    """Return for each cell how many of its fault and lost region come before it; of its fault, in the second place.

    :param often: how often each was run already.
    """
    regions, faults, turns = Counter(often), Counter[str](), {}
    for (fault, _), times in often.items():
        faults[fault] += times
    for cell in cells:
        region = cell.fault, cell.lost
        turns[cell] = (regions[region], faults[cell.fault])
        regions[region] += 1
        faults[cell.fault] += 1
    return turns


def seconds_of(cells: Sequence[Cell], runs: Iterable[Ran]) -> float:
    """Return how long a drill of these cells is expected to take: as those like it did before, or as is usual."""
    size = cells[0].size
    phase = furthest(cells)
    known = [run for run in runs if run.counts and run.cell.size == size and run.phase is phase]
    same = [run.seconds for run in known if run.of_drill == set(cells)]
    faults = {cell.fault for cell in cells}
    alike = [run.seconds for run in known if run.cell.fault in faults]
    if found := same or alike:
        return median(found)
    return USUAL_SECONDS[phase] * OF_SIZE[size] * max(fault_of(cell).times for cell in cells)


def next_drill(
    cells: Iterable[Cell],
    runs: Sequence[Ran],
    seconds: float,
    seed: int,
    *,
    alone: bool,
    is_first: bool,
) -> tuple[Cell, ...]:
    """Return the cells of the next drill, or none if none fits any more.

    A drill that is not expected to fit is passed over for one that does; the first is always tried, so that each
    budget runs something.

    :param cells: those that are left.
    :param seconds: what is left of the budget.
    :param seed: as of `in_order`.
    :param alone: each cell has a drill to itself.
    :param is_first: nothing was run yet.
    """
    ordered = in_order(cells, runs, seed)
    for number, cell in enumerate(ordered):
        found = (cell,) if alone else company(cell, ordered[number + 1 :], runs)
        if (is_first and number == 0) or seconds_of(found, runs) <= seconds:
            return found
    return ()


def drills(
    cells: Iterable[Cell], runs: Iterable[Ran], seconds: float, seed: int, *, alone: bool
) -> Iterator[tuple[tuple[Cell, ...], float]]:
    """Yield the drills that are expected to fit into a budget, in their order, with their seconds, as if all passed."""
    rest, known, left, is_first = list(cells), list(runs), seconds, True
    while found := next_drill(rest, known, left, seed, alone=alone, is_first=is_first):
        takes = seconds_of(found, known)
        yield found, takes
        left -= takes
        rest = [cell for cell in rest if cell not in found]
        known += [_as_if(cell, found, takes, at=float(len(known))) for cell in found]
        is_first = False


def _as_if(cell: Cell, drill: Sequence[Cell], seconds: float, at: float) -> Ran:
    """Return the run of a cell whose drill passes."""
    beside = tuple(each for each in drill if each != cell)
    return Ran(cell, at, "", 0, Outcome.PASSED, seconds, beside=beside)


def seed_of(cell: Cell, seed: int) -> int:
    """Return the seed of a cell's own chances, the same whatever runs before it."""
    return random.Random(f"{seed} {cell.key}").randrange(2**31)  # noqa: S311 (no secret)


# --- coverage ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Covered:
    """How much of a fault's cells has been run.

    :ivar both_regions: it has passed with either region lost.
    """

    fault: Fault
    cells: int
    run: int
    passed: int
    runs: int
    both_regions: bool

    @property
    def title(self) -> str:
        """For people."""
        return self.fault.title


def coverage(
    faults: Iterable[Fault], cells: Iterable[Cell], runs: Iterable[Ran]
) -> tuple[Covered, ...]:
    """Return for each fault how many of its cells there are, were run, and passed when they were last run.

    A run in which the fault did not come is none.
    """
    known = [run for run in runs if run.counts]
    last = last_run(known)
    every = list(cells)
    return tuple(_covered(fault, every, known, last) for fault in faults)


def _covered(
    fault: Fault, cells: Sequence[Cell], runs: Sequence[Ran], last: Mapping[Cell, Ran]
) -> Covered:
    own = {cell for cell in cells if cell.fault == fault.name}
    owned = [run for run in runs if run.cell in own]
    counted = Counter(run.cell for run in owned)
    return Covered(
        fault,
        cells=len(own),
        run=len(counted),
        passed=sum(last[cell].outcome is Outcome.PASSED for cell in counted),
        runs=counted.total(),
        both_regions={run.cell.lost for run in owned if run.outcome is Outcome.PASSED} == {0, 1},
    )
