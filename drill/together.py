"""Doing several things at the same time: most of a drill's time nobody computes, and each waits for something else."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def together(*works: Callable[[], T]) -> list[T]:
    """Do all of them at the same time, and return what each returned, in order.

    All are waited for, also when one fails. Their threads never keep the process alive: what an interrupted drill
    leaves at work ends with its processes.

    Raises:
        Exception: the first failure, by the order given.
    """
    done: dict[int, T] = {}
    failed: dict[int, BaseException] = {}

    def run(number: int, work: Callable[[], T]) -> None:
        try:
            done[number] = work()
        except BaseException as error:  # handed to the caller, whose thread is another
            failed[number] = error

    threads = [
        Thread(target=run, args=(number, work), daemon=True) for number, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[min(failed)]
    return [done[number] for number in range(len(works))]
