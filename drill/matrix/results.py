"""What became of cells: one JSON object a line and run, appended, never rewritten. Reading is pure but for the file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from drill.errors import DrillError
from drill.matrix.cells import Cell, furthest
from drill.procedure.model import Until


class Outcome(StrEnum):
    """How a run ended. Only the first two have run the cell."""

    PASSED = "passed"
    FAILED = "failed"
    MISSED = "missed"
    """The fault did not come: its moment was not reached, or it could not be made. The cell has not been run."""
    INTERRUPTED = "interrupted"


COUNTED = (Outcome.PASSED, Outcome.FAILED)


@dataclass(frozen=True)
class Ran:
    """One run of a cell.

    :ivar at: its beginning, in seconds since the epoch.
    :ivar commit: of the checkout, with `+` behind it if something in it was changed.
    :ivar seed: what its chances were drawn from; with the cell it makes the same run.
    :ivar reason: why it failed or was missed.
    :ivar figures: of the drill's report.
    :ivar beside: the other cells of the same drill, whose judgement is of all of them.
    """

    cell: Cell
    at: float
    commit: str
    seed: int
    outcome: Outcome
    seconds: float
    reason: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[Cell, ...] = ()

    @property
    def of_drill(self) -> frozenset[Cell]:
        """All cells of its drill."""
        return frozenset((self.cell, *self.beside))

    @property
    def phase(self) -> Until:
        """How far the drill went."""
        return furthest(self.of_drill)

    @property
    def counts(self) -> bool:
        """Whether the cell was run by it."""
        return self.outcome in COUNTED

    def line(self) -> str:
        """Return it as a line of the file."""
        document = {**asdict(self.cell), **{k: v for k, v in asdict(self).items() if k != "cell"}}
        document["beside"] = [[cell.fault, cell.moment] for cell in self.beside]
        return json.dumps(document, ensure_ascii=False) + "\n"


def ran(line: str) -> Ran:
    """Return the run of a line.

    :raises ValueError: it is none.
    """
    try:
        found = json.loads(line)
        cell = Cell(**{name: found.pop(name) for name in Cell.__dataclass_fields__})
        beside = tuple(
            replace(cell, fault=fault, moment=moment) for fault, moment in found.pop("beside", ())
        )
        return Ran(cell, **{**found, "outcome": Outcome(found["outcome"])}, beside=beside)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no run of the matrix: {error!r}") from None


def read(path: Path) -> tuple[Ran, ...]:
    """Return all runs of a file, in its order; none if there is no file.

    :raises DrillError: a line is broken; the message names it.
    """
    if not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    for number, text in enumerate(lines, start=1):
        try:
            found.append(ran(text))
        except ValueError as error:
            raise DrillError(f"{path}, line {number}: {error}") from None
    return tuple(found)


def append(path: Path, run: Ran) -> None:
    """Add a run to a file, and make it if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(run.line())


def by_drill(runs: Iterable[Ran]) -> tuple[tuple[Ran, ...], ...]:
    """Return the runs of each drill; two drills can have begun in the same second, with other cells."""
    found: dict[tuple[float, frozenset[Cell]], list[Ran]] = {}
    for run in runs:
        found.setdefault((run.at, run.of_drill), []).append(run)
    return tuple(map(tuple, found.values()))


def last_run(runs: Iterable[Ran]) -> dict[Cell, Ran]:
    """Return the last run of each cell that counts."""
    return {run.cell: run for run in sorted(runs, key=lambda run: run.at) if run.counts}
