"""Asking many at once, none of which may keep the others waiting.

A dead region answers nothing, not even an error. What does not answer in time is told as such, and
its thread is left behind: a daemon, so that the command ends all the same.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from clients.parallel import begin
from dualregion.errors import DualRegionError, unforeseen
from dualregion.secrets import without_secrets

K = TypeVar("K", bound=str)
T = TypeVar("T")


@dataclass(frozen=True)
class Result(Generic[T]):
    """An answer, or why there is none.

    :ivar silence: the reason, if `value` is None.
    """

    value: T | None = None
    error: str | None = None


def result_of(future: "Future[T]", until: float) -> Result[T]:
    """Return what was answered.

    :param until: the moment of `time.monotonic` at which the answer is given up.
    """
    began = time.monotonic()
    try:
        return Result(future.result(max(0.0, until - began)))
    except TimeoutError:
        return Result(error="no answer in time")
    except DualRegionError as error:
        return Result(error=without_secrets(str(error).removeprefix("- ")))
    except Exception as error:
        # An answer of an unforeseen shape: it must not hide all the others. Its text may hold anything.
        return Result(error=f"its answer is not understood ({unforeseen(error)})")


def all_of(asks: Mapping[K, Callable[[], T]], until: float) -> dict[K, Result[T]]:
    """Ask all at once, and return what each has answered in time."""
    begun = {name: begin(ask) for name, ask in asks.items()}
    return {name: result_of(future, until) for name, future in begun.items()}
