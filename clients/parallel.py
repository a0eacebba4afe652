"""Asking many at once, and asking in the background: an answer that may never come holds nothing up."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

CONNECTIONS = 16
"""How many are asked at once, and how many connections to an API server are kept: brokers are asked all together."""


def at_once(ask: Callable[[S], T], each: Iterable[S], most: int = CONNECTIONS) -> list[T]:
    """Ask of each at once, and return the answers in the order of what was asked.

    On a link that is cut each of them takes as long as a call may.

    :param most: how many at once.
    :raises Exception: what the first in that order that failed has raised.
    """
    with ThreadPoolExecutor(max_workers=most) as pool:
        return list(pool.map(ask, each))


def begin(ask: Callable[[], T]) -> "Future[T]":
    """Begin to ask, in a thread that never keeps the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
