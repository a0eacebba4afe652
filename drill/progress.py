"""Live progress: one line for each thing that begins or is done, with the seconds since the start."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True)
class Stage:
    """One stage of the drill: when it began (seconds since the start), how long it took, how it ended."""

    name: str
    start: float
    seconds: float
    ok: bool


class Progress:
    """Writes the drill's lines to the console and to a log, and remembers its stages."""

    def __init__(self, console: Console, log: Path) -> None:
        self.console = console
        self.stages: list[Stage] = []
        self._log = log
        self._began = time.monotonic()
        self.began_at = time.time()
        """The beginning, in seconds since the epoch."""
        self.waited_too_long = 0.0
        """Seconds, on average, that were spent waiting though what was waited for was there; of all that ran at the
        same time together."""
        self._adding = Lock()

    def add_waiting(self, seconds: float) -> None:
        """Add to `waited_too_long`."""
        with self._adding:
            self.waited_too_long += seconds

    def moment_of(self, epoch: float) -> float:
        """Return a wall clock's moment, in seconds since the epoch, on the clock that never jumps."""
        return self._began + epoch - self.began_at

    @property
    def elapsed(self) -> float:
        """Seconds since the drill began."""
        return time.monotonic() - self._began

    def write(self, text: str, style: str = "") -> None:
        """Write one line."""
        line = f"[{self.elapsed:7.1f} s] {text}"
        with self._log.open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        self.console.print(escape(line), style=style or None, highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Report that a stage begins and how long it took; it is remembered however it ends."""
        self.write(name, style="bold")
        start, ok = self.elapsed, False
        try:
            yield
            ok = True
        finally:
            seconds = self.elapsed - start
            self.stages.append(Stage(name, start, seconds, ok))
            # Stages overlap: the end must name it.
            self.write(f"  {'done' if ok else 'failed'} after {seconds:.1f} s: {name}")
