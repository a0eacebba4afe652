"""How sentences show several things, and amounts."""

from collections.abc import Iterable, Sequence

_NAMED = 5
"""How many names a sentence holds before the rest is only counted."""


def listed(names: Iterable[object]) -> str:
    """Return all of these, numbers or names."""
    return ", ".join(map(str, names))


def some_of(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - _NAMED
    return separator.join([*names[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as `1 step` or `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def amount(done: int, total: int) -> str:
    """Return how many of so many bytes, in the unit that suits their total."""
    unit, size = _unit(total)
    return f"{_in(done, size)} of {_in(total, size)} {unit}"


def duration(seconds: float) -> str:
    """Return about how long that is, in the two units that suit it."""
    if seconds < 90:
        return f"{max(10, round(seconds / 10) * 10)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def bytes_of(size: int) -> str:
    """Return an amount of bytes in the unit that suits it."""
    unit, per = _unit(size)
    return f"{_in(size, per)} {unit}"


def _unit(total: int) -> tuple[str, int]:
    units = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
    return next((each for each in units if total >= each[1]), ("bytes", 1))


def _in(count: int, size: int) -> str:
    return str(count) if size == 1 else f"{count / size:.1f}"
