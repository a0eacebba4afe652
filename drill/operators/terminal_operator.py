"""The operator at the terminal: reads the screen, answers each question, and may hit Ctrl-C in the midst of a step."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drill.operators.terminal import Terminal, text_of, unwrapped

_QUESTION = "[y/N]:"
_NAMING = "Type the name of the lost region to go on:"
"""How a question ends that is answered by a name."""
_QUESTION_ROWS = 12
"""How many rows a question may take."""
_STEP = re.compile(r"^(?P<state>ahead|running|failed|done) +(?P<step>[A-Z]\d?)\b")
_LONGEST = 160
_COUNTED = re.compile(r"\d+")


@dataclass(frozen=True)
class Question:
    """A question that was on the screen.

    :ivar above: all that stood above it since the last one, in one line.
    :ivar window: what was in the window when it was answered, line by line.
    """

    text: str
    above: str
    window: str = ""


@dataclass
class Operator:
    """Looks at one command's screen until it has ended.

    `answer` is given to every question, but for one that asks for the lost region's name: `name` is, unless the answer
    is no. In the midst of step `stop_in`, once it has run for `stop_after` seconds, Ctrl-C is hit, once; None: never.
    """

    write: Callable[[str], None]
    answer: str = "yes"
    stop_in: str | None = None
    stop_after: float = 0.0
    name: str = ""
    asked: list[Question] = field(default_factory=list)
    running: dict[str, float] = field(default_factory=dict)
    """When each step was first seen running, on the clock that never jumps."""
    carried_out: dict[str, float] = field(default_factory=dict)
    """When each step was seen running, or, first ahead, as done: a quick one runs between two looks."""
    stopped: float | None = None
    """When Ctrl-C was hit."""
    _ahead: set[str] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)
    _read: int = 0
    """How many rows that have scrolled away were read."""
    _answered: int = -1
    """The row of the last question."""

    def look(self, terminal: Terminal) -> None:
        """Read what is new on the screen, and do what is to be done."""
        self._show_new(terminal)
        asks = terminal.cursor_line.endswith((_QUESTION, _NAMING))
        if asks and terminal.cursor != self._answered:
            self._reply(terminal)
        for row in terminal.rows:
            if found := _STEP.match(row.text):
                self._note(found["state"], found["step"])
        if self.stopped is None and self._is_in_the_midst():
            self.write(f"  Ctrl-C, while {self.stop_in} runs")
            self.stopped = time.monotonic()
            terminal.interrupt()

    def _note(self, state: str, step: str) -> None:
        if state == "ahead":
            self._ahead.add(step)
        elif state == "running":
            self.running.setdefault(step, time.monotonic())
        if state == "running" or (state == "done" and step in self._ahead):
            self.carried_out.setdefault(step, time.monotonic())

    def _reply(self, terminal: Terminal) -> None:
        rows = [*terminal.scrolled_rows, *terminal.rows][self._answered + 1 : terminal.cursor + 1]
        self._answered = terminal.cursor
        is_naming = terminal.cursor_line.endswith(_NAMING) and self.answer == "yes"
        answer = self.name if is_naming else self.answer
        question = unwrapped(rows[-_QUESTION_ROWS:])
        self.asked.append(Question(question, unwrapped(rows), text_of(terminal.rows)))
        self.write(f"  answering: {answer}")
        terminal.type(answer)

    def _is_in_the_midst(self) -> bool:
        began = self.running.get(self.stop_in or "")
        return began is not None and time.monotonic() - began >= self.stop_after

    def _show_new(self, terminal: Terminal) -> None:
        """Show each line once; a line of the live display that only counts on is no new one."""
        scrolled = terminal.scrolled_rows
        for row in [*scrolled[self._read :], *terminal.rows]:
            line = row.text.rstrip()
            without_numbers = _COUNTED.sub("", line).strip()
            if line and without_numbers not in self._shown:
                self._shown.add(without_numbers)
                self.write(f"  {line[:_LONGEST]}")
        self._read = len(scrolled)
