"""What a check is: a statement, whether it held, and what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_NAMED = 5
"""How many missing keys or pods a detail names; the report's files have them all."""


@dataclass(frozen=True)
class Check:
    """A statement, whether it held, and what was seen."""

    name: str
    ok: bool
    detail: str


def check_of(name: str, problems: Sequence[str], detail: str) -> Check:
    """Return a check that holds when there are no problems; `detail` is then what was seen."""
    return Check(name, not problems, "; ".join(problems) if problems else detail)


def listed(items: Sequence[object]) -> str:
    """Return the first few of many, and how many more there are."""
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return ", ".join(str(item) for item in items[:_MOST_NAMED]) + more
