"""Doing several things at the same time: for most of a drill nothing computes, and each waits for something else."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from drill.errors import DrillError, DrillInterrupted
from sandbox.errors import SandboxError

T = TypeVar("T")


def together(*works: Callable[[], T]) -> list[T]:
    """Do all of them at the same time, and return what each returned, in order.

    The first one is done by the caller's own thread: an interruption unwinds it as if it were alone, so what must be
    cleared up in order comes first. The others are waited for, also when one fails; their threads never keep the
    process alive, and end with the processes that they wait for.

    :raises DrillError: several have failed, for known reasons; the message has all of them.
    :raises DrillInterrupted: the drill was interrupted meanwhile; the others may still be running.
    :raises Exception: the only failure, or the first that was not foreseen.
    """
    first, *others = works
    done: dict[int, T] = {}
    failed: dict[int, Exception] = {}

    def run(number: int, work: Callable[[], T]) -> None:
        try:
            done[number] = work()
        except Exception as error:  # handed to the caller, whose thread is another
            failed[number] = error

    threads = [
        Thread(target=run, args=(number, work), daemon=True)
        for number, work in enumerate(others, start=1)
    ]
    for thread in threads:
        thread.start()
    try:
        done[0] = first()
    except DrillInterrupted:
        raise
    except Exception as error:
        failed[0] = error
    for thread in threads:
        thread.join()
    if failed:
        raise _failure([failed[number] for number in sorted(failed)])
    return [done[number] for number in range(len(works))]


def _failure(errors: list[Exception]) -> Exception:
    """Return what is raised for one failure or more: none of them is lost."""
    unforeseen = [each for each in errors if not isinstance(each, DrillError | SandboxError)]
    if unforeseen or len(errors) == 1:
        return (unforeseen or errors)[0]
    return DrillError("; and ".join(map(str, errors)))
