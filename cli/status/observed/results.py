"""Many requests at once, none of which delays another.

A dead region answers nothing, not even an error. What does not answer in time gets that as its error, and its thread is
left behind: a daemon, so that the command ends all the same.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from clients.parallel import begin
from dualregion.errors import DualRegionError, unforeseen
from dualregion.secrets import without_secrets
from messages import Message
from messages.command import status as messages

K = TypeVar("K", bound=str)
T = TypeVar("T")


@dataclass(frozen=True)
class Result(Generic[T]):
    """An answer, or why there is none.

    :ivar error: the reason, if `value` is None.
    """

    value: T | None = None
    error: Message | None = None


def result_of(future: "Future[T]", until: float) -> Result[T]:
    """Return the answer.

    :param until: the moment of `time.monotonic` after which it is not waited for.
    """
    began = time.monotonic()
    try:
        return Result(future.result(max(0.0, until - began)))
    except TimeoutError:
        return Result(error=messages.not_in_time())
    except DualRegionError as error:
        return Result(error=error.message.redacted(without_secrets))
    except Exception as error:
        # An answer of an unforeseen shape: it must not hide all the others. Its text may hold anything.
        return Result(error=messages.answer_unexpected(unforeseen(error)))


def all_of(asks: Mapping[K, Callable[[], T]], until: float) -> dict[K, Result[T]]:
    """Send all requests at once, and return each answer that came in time."""
    begun = {name: begin(ask) for name, ask in asks.items()}
    return {name: result_of(future, until) for name, future in begun.items()}
