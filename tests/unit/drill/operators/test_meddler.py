"""One fault in the midst of a step: it comes once, on one stack, and an `up` that fails by it is run again."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from drill.observation.events import Event, Moment
from drill.operators import meddler as meddling
from drill.operators.meddler import MOST_UPS, Meddler
from drill.operators.stacks import Run, Stacks
from drill.progress import Progress
from drill.regions import REGIONS

LONDON, PARIS = REGIONS


def message(text: str) -> Event:
    return Event(Moment.MESSAGE, text=text)


@dataclass
class FakeStacks:
    """Each `up` shows these events and ends so; one that is killed ends at once."""

    ends: list[int]
    events: tuple[Event, ...] = (message("F1: waiting"), message("F2: waiting"))
    upped: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    shown: threading.Event = field(default_factory=threading.Event)

    def up(self, stack: str, _: str, on_event: Callable[[Event, Callable[[], None]], None]) -> Run:
        self.upped.append(stack)
        killed = threading.Event()
        for event in self.events:
            on_event(event, killed.set)
        self.shown.wait(0.5)
        status = -signal.SIGKILL if killed.is_set() else self.ends.pop(0)
        return Run((), status, 0.0, "", Path("log"))

    def cancel(self, stack: str) -> None:
        self.cancelled.append(stack)


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meddling, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(Console(quiet=True), tmp_path / "log")


def meddler(
    stacks: FakeStacks, progress: Progress, make: meddling.Break | None = None, step: str = "F2"
) -> Meddler:
    def made(_: threading.Event, __: Callable[[], None]) -> None:
        stacks.shown.set()

    return Meddler(cast(Stacks, stacks), progress, step, LONDON.stack, after=0.0, make=make or made)


def test_it_comes_when_the_step_begins_and_the_same_up_is_run_again(progress: Progress) -> None:
    stacks = FakeStacks([1, 1, 0])
    found = meddler(stacks, progress)
    assert found.up(LONDON, "x").exit_status == 0
    found.end()
    assert (found.came is not None, found.ups, found.failed) == (True, 3, "")


def test_it_comes_once(progress: Progress) -> None:
    made: list[int] = []
    stacks = FakeStacks([1, 0, 0])

    def make(_: threading.Event, __: Callable[[], None]) -> None:
        made.append(1)
        stacks.shown.set()

    found = meddler(stacks, progress, make)
    for _ in range(2):
        found.up(LONDON, "x")
    found.end()
    assert made == [1]


def test_on_another_stack_or_at_another_step_it_does_not_come(progress: Progress) -> None:
    stacks = FakeStacks([0, 0])
    stacks.shown.set()
    there, other = meddler(stacks, progress), meddler(stacks, progress, step="B2")
    there.up(PARIS, "x")
    other.up(LONDON, "x")
    assert (there.came, other.came) == (None, None)


def test_an_up_that_fails_before_it_came_is_not_run_again(progress: Progress) -> None:
    stacks = FakeStacks([1, 0], events=(message("F1: waiting"),))
    stacks.shown.set()
    assert meddler(stacks, progress).up(LONDON, "x").exit_status == 1
    assert len(stacks.upped) == 1


def test_an_up_that_never_goes_through_ends_as_it_does(progress: Progress) -> None:
    stacks = FakeStacks([1] * 20)
    found = meddler(stacks, progress)
    assert found.up(LONDON, "x").exit_status == 1
    assert found.ups == MOST_UPS


def test_a_killed_up_is_cancelled_before_it_is_run_again(progress: Progress) -> None:
    stacks = FakeStacks([0])

    def make(_: threading.Event, kill: Callable[[], None]) -> None:
        kill()
        stacks.shown.set()

    found = meddler(stacks, progress, make)
    assert found.up(LONDON, "x").exit_status == 0
    assert (stacks.cancelled, found.ups) == ([LONDON.stack], 2)


def test_a_fault_that_cannot_be_made_is_told(progress: Progress) -> None:
    stacks = FakeStacks([0])

    def make(_: threading.Event, __: Callable[[], None]) -> None:
        stacks.shown.set()
        raise ValueError("no such pod")

    found = meddler(stacks, progress, make)
    found.up(LONDON, "x")
    found.end()
    assert found.failed == "ValueError: no such pod"


def test_one_that_lasts_goes_at_the_end(progress: Progress) -> None:
    gone: list[bool] = []
    stacks = FakeStacks([0])

    def make(over: threading.Event, _: Callable[[], None]) -> None:
        stacks.shown.set()
        gone.append(over.wait(60))

    found = meddler(stacks, progress, make)
    found.up(LONDON, "x")
    assert gone == []
    found.end()
    assert gone == [True]
