"""Where a drill's time went: its stages and the procedure's steps, each as a bar on the drill's own time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from drill.progress import Stage
from drill.report.report import StepTime

WIDTH = 40
_BAR, _BEFORE, _AFTER = "█", "·", "·"


class Row(NamedTuple):
    """One row: when it began (seconds since the drill's start), what it was, its seconds, and its bar."""

    start: float
    what: str
    seconds: float
    bar: str


def rows(
    stages: Sequence[Stage], steps: Sequence[StepTime], began_at: float, total: float
) -> tuple[Row, ...]:
    """Return the waterfall, in the order of beginning: steps stand below the stage in which they began.

    :param stages: of the drill.
    :param steps: of the procedure, with their times as the stacks recorded them; those without are left out.
    :param began_at: the drill's start, in seconds since the epoch.
    :param total: the drill's seconds.
    """
    found = [(s.start, 0, s.name + ("" if s.ok else " (failed)"), s.seconds) for s in stages]
    found += [(start, 1, f"— {name}", seconds) for start, name, seconds in _timed(steps, began_at)]
    return tuple(
        Row(start, what, seconds, bar(start, seconds, total))
        for start, _, what, seconds in sorted(found)
    )


def _timed(steps: Sequence[StepTime], began_at: float) -> Iterator[tuple[float, str, float]]:
    for step in steps:
        if step.start:
            start = datetime.fromisoformat(step.start).timestamp() - began_at
            yield max(0.0, start), f"{step.id} on {step.stack}", step.seconds


def bar(start: float, seconds: float, total: float, width: int = WIDTH) -> str:
    """Return a bar that shows where in the whole a part lies; the shortest part still shows."""
    if total <= 0:
        return _BEFORE * width
    first = min(width - 1, int(start / total * width))
    length = max(1, min(width - first, round(seconds / total * width)))
    return _BEFORE * first + _BAR * length + _AFTER * (width - first - length)
