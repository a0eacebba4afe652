"""What tests demand of a refusal: its code and its facts; its sentence is compared in one place, the golden file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from dualregion.errors import DualRegionError
from messages import Message

Error = TypeVar("Error", bound=Exception)


def any_message(sentence: str) -> Message:
    """Return a message for a test in which it does not matter which one it is."""
    return Message("any", {"sentence": sentence}, sentence)


@contextmanager
def raises(
    code: str,
    kind: type[Error] = DualRegionError,  # type: ignore[assignment]
    **facts: Any,
) -> Iterator[pytest.ExceptionInfo[Error]]:
    """Demand an error by its code; a `ConfigError` with one problem has that one's.

    :param facts: those of the message that matter here.
    """
    with pytest.raises(kind) as raised:
        yield raised
    assert_message(message_of(raised.value), code, **facts)


def message_of(error: Exception) -> object:
    """Return the message of an error, be it one of the project's or a `RunError` that Pulumi shows."""
    return error.message if isinstance(error, DualRegionError) else error.args[0]


def assert_message(found: object, code: str, **facts: Any) -> None:
    """Demand a message by its code, and these of its facts."""
    assert isinstance(found, Message), f"no message: {found!r}"
    assert (found.code, {name: found.facts.get(name) for name in facts}) == (code, facts), found


def assert_same(found: str | None, expected: Message | None) -> None:
    """Demand a message with this one's code and all of its facts, or none."""
    assert _plain(found) == _plain(expected), found


def _plain(fact: Any) -> Any:
    if isinstance(fact, Message):
        return fact.code, {name: _plain(each) for name, each in fact.facts.items()}
    return [_plain(each) for each in fact] if isinstance(fact, list | tuple) else fact


def tells(found: object, part: str) -> bool:
    """Whether a message, or one among its facts, is this one, or has this code, or this text in a fact.

    What is no message is searched for the text.
    """
    if isinstance(found, Message):
        is_it = _plain(found) == _plain(part) if isinstance(part, Message) else found.code == part
        return is_it or any(tells(fact, part) for fact in found.facts.values())
    if isinstance(found, list | tuple):
        return any(tells(each, part) for each in found)
    if isinstance(part, Message):
        return False
    return part in found if isinstance(found, str) else part == str(found)


def assert_tells(found: object, *parts: str) -> None:
    """Demand each of these of a message, see `tells`."""
    missing = [part for part in parts if not tells(found, part)]
    assert not missing, f"{missing} not in {found!r}"


@contextmanager
def fails_with(
    *parts: str,
    kind: type[Error] = DualRegionError,  # type: ignore[assignment]
) -> Iterator[pytest.ExceptionInfo[Error]]:
    """Demand an error whose message tells each of these, see `tells`."""
    with pytest.raises(kind) as raised:
        yield raised
    assert_tells(message_of(raised.value), *parts)
