"""What tests demand of a refusal: its code and its facts; its sentence is compared in one place, the golden file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from dualregion.errors import DualRegionError
from dualregion.messages import Message

Error = TypeVar("Error", bound=DualRegionError)


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
    assert_message(raised.value.message, code, **facts)


def assert_message(found: str | None, code: str, **facts: Any) -> None:
    """Demand a message by its code, and these of its facts."""
    assert isinstance(found, Message), f"no message: {found!r}"
    assert (found.code, {name: found.facts.get(name) for name in facts}) == (code, facts), found
