"""A check with what it is given: right answers, and the same with something wrong in them."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from drill.check import Check

Json = dict[str, Any]
Spoil = Callable[[Any], object]


class Case(NamedTuple):
    """A check with what it is given, and whether it holds then."""

    check: Callable[..., Check]
    arguments: tuple[Any, ...]
    ok: bool


def holds(check: Callable[..., Check], *arguments: Any) -> Case:
    return Case(check, arguments, True)


def fails(check: Callable[..., Check], *arguments: Any) -> Case:
    return Case(check, arguments, False)


def spoilt(right: Any, *spoil: Spoil) -> Any:
    """Return a copy of something right in which something is wrong."""
    wrong = copy.deepcopy(right)
    for each in spoil:
        each(wrong)
    return wrong
