"""What is shown while an `up` runs: each step, how long it takes, and what it waits for.

At a terminal a live table; else a line for each event.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.text import Text

from cli.driver.events import Change, Line
from cli.stacks.region_steps import RegionStep
from cli.status.shown.table import row, table

_CTRL_C_WIDTH = 3
"""Room for the `^C` that a terminal shows behind the last row: in a full one it would begin another."""


@dataclass
class StepShown:
    """A step as it is shown.

    :ivar began: when the program first reported on it, on the clock.
    :ivar ended: when its gate was made, or it failed.
    :ivar failed: whether it failed.
    :ivar last: what was last reported of it.
    """

    began: float | None = None
    ended: float | None = None
    failed: bool = False
    last: str = ""


@dataclass
class Running:
    """An `up` that runs, as it is shown; its methods are called by the engine's thread."""

    stack: str
    ahead: Sequence[RegionStep]
    console: Console
    clock: Callable[[], float] = time.monotonic
    steps: dict[str, StepShown] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._start = self.clock()
        self.steps = {step.id: StepShown() for step in self.ahead}

    def line(self, line: Line) -> None:
        """Show what the program reports, but errors: these are shown once, at the end of the run."""
        is_error = line.severity == "error"
        with self._lock:
            shown = self.steps.setdefault(line.step, StepShown()) if line.step else None
            if shown is not None:
                shown.began = self.clock() if shown.began is None else shown.began
                shown.last = shown.last if is_error else line.text
        if is_error:
            return
        if not self.console.is_terminal or shown is None:
            prefix = f"{line.step}: " if line.step else ""
            self._print(f"{prefix}{line.text}")

    def change(self, change: Change) -> None:
        """Show a change that was made; that of a step's record proves the step."""
        with self._lock:
            shown = self.steps.get(change.name)
            if shown is not None and change.kind == "ConfigMap" and change.operation == "create":
                shown.ended = self.clock()
        if not self.console.is_terminal:
            self._print(str(change))

    def fail(self) -> None:
        """Show that the run has failed: each step that was under way did not end well."""
        with self._lock:
            begun = {step: shown for step, shown in self.steps.items() if shown.began is not None}
            under_way = [step for step, shown in begun.items() if shown.ended is None]
            for step in under_way:
                begun[step].failed, begun[step].ended = True, self.clock()
        if not self.console.is_terminal:
            for step in under_way:
                self._print(f"{step}: failed")

    def _print(self, text: str) -> None:
        seconds = self.clock() - self._start
        self.console.print(
            f"{seconds:6.0f} s  {self.stack}: {text}",
            markup=False,
            highlight=False,
            soft_wrap=not self.console.is_terminal,
        )

    def __rich__(self) -> RenderableType:
        found = table(
            f"stack {self.stack}, {self.clock() - self._start:.0f} s", "", "step", "seconds", "now"
        )
        titles = {step.id: step.title for step in self.ahead}
        with self._lock:
            for step, shown in self.steps.items():
                end = shown.ended or self.clock()
                seconds = None if shown.began is None else f"{end - shown.began:.0f}"
                done = shown.ended is not None and not shown.failed
                now = titles.get(step, "") if done or not shown.last else shown.last
                row(found, _mark(shown), step, seconds, now)
        return Constrain(found, self.console.width - _CTRL_C_WIDTH)


def _mark(shown: StepShown) -> Text:
    if shown.failed:
        return Text("failed", "red")
    if shown.ended is not None:
        return Text("done", "green")
    return Text("ahead", "dim") if shown.began is None else Text("running", "yellow")


@contextmanager
def running(stack: str, ahead: Sequence[RegionStep], console: Console) -> Iterator[Running]:
    """Show an `up` as long as the block lasts."""
    shown = Running(stack, ahead, console)
    if not console.is_terminal:
        yield shown
        return
    with Live(shown, console=console, refresh_per_second=2):
        yield shown
