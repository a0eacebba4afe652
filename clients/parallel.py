"""Asking in the background: an answer that may never come holds nothing up."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


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
