"""How the commands of the drill begin and end: one at a time in a folder, and with an exit status for each way out."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from drill.errors import DrillError, DrillInterrupted
from drill.settings import Paths
from sandbox.errors import SandboxError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@contextmanager
def ending(console: Console, status: int) -> Iterator[None]:
    """Print why the drill cannot go on, and exit with this status, or with that of an interruption.

    :raises typer.Exit: always then.
    """
    try:
        yield
    except (DrillError, SandboxError, DrillInterrupted) as error:
        print_plain(console, f"error: {error}", style="red")
        interrupted = isinstance(error, DrillInterrupted)
        raise typer.Exit(EXIT_INTERRUPTED if interrupted else status) from None


def print_plain(console: Console, text: str, style: str = "") -> None:
    """Print a text as it is."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def only_one(paths: Paths) -> Iterator[None]:
    """Hold the drill's folder; a killed drill frees it by ending.

    :raises DrillError: another drill of this checkout is running.
    """
    with (paths.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DrillError(
                f"another drill of this checkout is running (it holds {lock.name}): "
                "wait until it has ended, or interrupt it"
            ) from None
        yield
