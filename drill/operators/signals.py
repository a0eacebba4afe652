"""What ends a drill before its time: a signal, or an output that is not read any more.

Either ends it in order, once: what follows is the taking down, which nothing interrupts.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from drill.errors import DrillInterrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Whether a drill can still be interrupted, and whether it was.

    :ivar interrupted: whether it was.
    :ivar is_wanted: whether it was to be, also while it was taken down already: then no other one begins.
    """

    def __init__(self) -> None:
        self.interrupted = self.is_wanted = False
        self._is_calm = False

    def calm(self) -> None:
        """From now on nothing interrupts: the taking down has begun."""
        self._is_calm = True

    def begin_another(self) -> None:
        """Let another drill of a series be interrupted, after the taking down of the one before."""
        self._is_calm = self.is_wanted

    def interrupt(self, reason: str) -> None:
        """End the drill; nothing if it is being taken down already.

        :raises DrillInterrupted: with the reason.
        """
        self.is_wanted = True
        if self._is_calm:
            return
        self._is_calm = self.interrupted = True
        raise DrillInterrupted(f"interrupted by {reason}")

    @contextmanager
    def by_signals(self, console: Console) -> Iterator[None]:
        """Let signals interrupt the drill."""

        def on_signal(number: int, _: FrameType | None) -> None:
            name = signal.Signals(number).name
            self.interrupt(name)
            console.print(f"{name}: the drill is being taken down already, please wait")

        former = {number: signal.signal(number, on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


class Output(Console):
    """The drill's standard output; a reader that stops, such as a `tee` at Ctrl-C, ends the drill in order."""

    def __init__(self, interruption: Interruption) -> None:
        super().__init__()
        self._interruption = interruption

    def on_broken_pipe(self) -> None:
        """Print nothing any more, and end the drill; without this the process would end at once and leave all behind.

        :raises DrillInterrupted: unless the drill is being taken down already.
        """
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        self._interruption.interrupt("the end of its output's reader")
