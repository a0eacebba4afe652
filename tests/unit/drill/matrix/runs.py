"""Runs of cells, for tests."""

from dataclasses import replace

from drill.matrix.cells import Cell
from drill.matrix.results import Outcome, Ran

CELL = Cell("gateway-restarted", "F2@survivor", 1, 4, "8.5")


def ran(
    cell: Cell = CELL, at: float = 1.0, outcome: Outcome = Outcome.PASSED, **others: object
) -> Ran:
    known = Ran(cell, at=at, commit="abc", seed=7, outcome=outcome, seconds=100.0)
    return replace(known, **others)  # type: ignore[arg-type]
