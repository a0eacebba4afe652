"""A pseudo terminal with one command at it, and the screen that an operator has before them."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from types import TracebackType
from typing import NamedTuple

import pexpect
import pyte
from pexpect.spawnbase import SpawnBase
from pyte.screens import Char

from drill.errors import DrillError
from drill.processes import end_marked


class Size(NamedTuple):
    """A window's size, in letters."""

    columns: int
    lines: int


WALKING = Size(80, 24)
"""The smallest window that operators have, such as a console's: in it they walk through the procedure."""
READING = Size(120, 40)
"""A window in which tables are read."""


@dataclass(frozen=True)
class Row:
    """A row of a screen.

    :ivar cells: column -> what stands there; blank where nothing does.
    """

    cells: Mapping[int, Char]
    columns: int

    @property
    def text(self) -> str:
        """Its text, as wide as the screen."""
        return "".join(self.cells[column].data for column in range(self.columns))


_HISTORY = 5000
_CHUNK = 65536
_REST_SECONDS = 0.1
"""A screen that nothing is written to for so long is one to look at; a live display is drawn four times a second."""
_LOOK_SECONDS = 0.5
"""A screen that is written to without rest is looked at so often all the same."""
_CANCEL_SECONDS = 8.0
"""What an interrupted command gets to stop in order before it is killed."""
_NOT_OURS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM")
"""What of the drill's own terminal must not shape this one."""


class Screen:
    """What an operator has before them of all that a command has written, and by scrolling back."""

    def __init__(self, size: Size = WALKING) -> None:
        self.size = size
        self._screen = pyte.HistoryScreen(size.columns, size.lines, history=_HISTORY)
        self._stream = pyte.Stream(self._screen)

    def feed(self, text: str) -> None:
        """Write to it."""
        self._stream.feed(text)

    @property
    def rows(self) -> list[Row]:
        """What is on the screen now."""
        return [self._row(self._screen.buffer[line]) for line in range(self.size.lines)]

    @property
    def scrolled_rows(self) -> list[Row]:
        """What has left the screen at its top."""
        return [self._row(each) for each in self._screen.history.top]

    def _row(self, cells: Mapping[int, Char]) -> Row:
        return Row(cells, self.size.columns)

    @property
    def all_rows(self) -> list[Row]:
        """All that was ever written, without the blank rows below it."""
        rows = [*self.scrolled_rows, *self.rows]
        while rows and not rows[-1].text.strip():
            rows.pop()
        return rows

    @property
    def cursor(self) -> int:
        """The row in which the cursor stands, counted from the first one that was ever written."""
        return len(self._screen.history.top) + int(self._screen.cursor.y)

    @property
    def cursor_line(self) -> str:
        """What stands in the cursor's row."""
        return self._row(self._screen.buffer[self._screen.cursor.y]).text.rstrip()

    @property
    def text(self) -> str:
        """All that an operator can read, by scrolling back too."""
        return text_of(self.all_rows)


class Terminal(Screen):
    """Runs one command at a terminal of its own; a context manager, at whose end the command has ended.

    The log gets all that the command writes, as it is: `cat` shows it.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        log: Path,
        mark: str,
        *,
        size: Size = WALKING,
    ) -> None:
        """Start the command; `mark` names the variable by which all that it starts is known."""
        super().__init__(size)
        self._log, self._mark = log, mark
        kept = {name: value for name, value in env.items() if name not in _NOT_OURS}
        self._file = log.open("w", encoding="utf-8")
        self._process = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            cwd=str(folder),
            env=kept | {mark: str(log), "TERM": "xterm-256color"},
            dimensions=(size.lines, size.columns),
            encoding="utf-8",
            codec_errors="replace",
            logfile=None,
            # A shell has what it starts in the background ignore Ctrl-C; at a terminal it does not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._process.logfile_read = self._file

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._process.isalive():
                self._end()
        finally:
            self._process.close(force=True)
            self._file.close()

    # --- the operator's hands and eyes -----------------------------------------------------------------

    def read(self) -> bool:
        """Take in what is written until it rests for a moment, or for long enough; return whether more may come."""
        began = time.monotonic()
        while time.monotonic() - began < _LOOK_SECONDS:
            try:
                text = self._process.read_nonblocking(_CHUNK, _REST_SECONDS)
            except pexpect.TIMEOUT:
                return True
            except pexpect.EOF:
                self.feed(self._last_words())
                return False
            self.feed(text)
        return True

    def _last_words(self) -> str:
        """Return what came after the last look: pexpect reads no more of a command that has just ended."""
        text = ""
        with suppress(pexpect.EOF):
            while select([self._process.child_fd], [], [], 0)[0]:
                text += SpawnBase.read_nonblocking(self._process, _CHUNK)
        return text

    def type(self, text: str) -> None:
        """Type a line, and hit Enter."""
        self._process.send(f"{text}\r")

    def interrupt(self) -> None:
        """Hit Ctrl-C."""
        self._process.sendintr()

    def exit_status(self, seconds: float) -> int:
        """Return how the command has ended; negative is the signal that ended it, as with `subprocess`.

        :raises DrillError: it does not end.
        """
        deadline = time.monotonic() + seconds
        while self._process.isalive():
            if time.monotonic() > deadline:
                raise DrillError(
                    f"the command still runs, though its terminal is closed: {self._log}"
                )
            time.sleep(_REST_SECONDS)
        if self._process.signalstatus is not None:
            return -int(self._process.signalstatus)
        return int(self._process.exitstatus)

    def _end(self) -> None:
        """Stop the command as Ctrl-C does; kill it, and all that it has started, if it does not end in time."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        deadline = time.monotonic() + _CANCEL_SECONDS
        while self._process.isalive() and time.monotonic() < deadline:
            self.read()
            time.sleep(_REST_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(DrillError):
            end_marked(self._mark, str(self._log))


def text_of(rows: Sequence[Row]) -> str:
    """Return the text of rows, without the blanks at their ends."""
    return "".join(row.text.rstrip() + "\n" for row in rows)


def unwrapped(rows: Sequence[Row]) -> str:
    """Return the text of rows as one line: sentences that the terminal has wrapped are whole again."""
    return " ".join("".join(row.text for row in rows).split())
