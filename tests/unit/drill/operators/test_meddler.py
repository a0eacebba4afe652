"""One fault in the midst of a step: it comes once, on one stack, and an `up` that fails by it is run again."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from drill.observation.events import Event, Moment
from drill.operators import meddler as meddling
from drill.operators.meddler import MOST_UPS, Meddler, Planned, TurnedBack
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


def nothing(_: threading.Event, __: Callable[[], None]) -> None:
    """No fault at all."""


def plan(make: meddling.Break = nothing, step: str = "F2", stack: str = LONDON.stack) -> Planned:
    return Planned(step, stack, after=0.0, make=make)


def showing(stacks: FakeStacks, make: meddling.Break = nothing) -> meddling.Break:
    """A fault after which the `up` of these stacks ends."""

    def made(over: threading.Event, kill: Callable[[], None]) -> None:
        try:
            make(over, kill)
        finally:
            stacks.shown.set()

    return made


def meddler(stacks: FakeStacks, progress: Progress, *planned: Planned) -> Meddler:
    return Meddler(cast(Stacks, stacks), progress, planned or (plan(showing(stacks)),))


def test_it_comes_when_the_step_begins_and_the_same_up_is_run_again(progress: Progress) -> None:
    stacks = FakeStacks([1, 1, 0])
    found = meddler(stacks, progress)
    assert found.up(LONDON, "x").exit_status == 0
    found.end()
    (fault,) = found.came
    assert (fault.was_made, found.ups) == (True, 3)
    assert fault.lasted is not None


def test_it_comes_once(progress: Progress) -> None:
    made: list[int] = []
    stacks = FakeStacks([1, 0, 0])
    found = meddler(stacks, progress, plan(showing(stacks, lambda _, __: made.append(1))))
    for _ in range(2):
        found.up(LONDON, "x")
    found.end()
    assert made == [1]


def test_on_another_stack_or_at_another_step_it_does_not_come(progress: Progress) -> None:
    stacks = FakeStacks([0, 0])
    stacks.shown.set()
    there, other = plan(), plan(step="B2")
    meddler(stacks, progress, there).up(PARIS, "x")
    meddler(stacks, progress, other).up(LONDON, "x")
    assert (there.came, other.came) == (None, None)
    assert not there.was_made


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
    found = meddler(stacks, progress, plan(showing(stacks, lambda _, kill: kill())))
    assert found.up(LONDON, "x").exit_status == 0
    assert (stacks.cancelled, found.ups) == ([LONDON.stack], 2)


def test_a_fault_that_cannot_be_made_is_told(progress: Progress) -> None:
    def make(_: threading.Event, __: Callable[[], None]) -> None:
        raise ValueError("no such pod")

    stacks = FakeStacks([0])
    fault = plan(showing(stacks, make))
    found = meddler(stacks, progress, fault)
    found.up(LONDON, "x")
    found.end()
    assert (fault.failed, fault.was_made) == ("ValueError: no such pod", False)


def test_an_up_that_fails_without_the_fault_is_not_run_on_and_on(progress: Progress) -> None:
    def make(_: threading.Event, __: Callable[[], None]) -> None:
        raise ValueError("no such pod")

    stacks = FakeStacks([1] * 20)
    found = meddler(stacks, progress, plan(showing(stacks, make)))
    assert found.up(LONDON, "x").exit_status == 1
    # The first may end before it is known that the fault could not be made.
    assert found.ups <= 2 < MOST_UPS


def test_one_that_lasts_goes_at_the_end(progress: Progress) -> None:
    gone: list[bool] = []
    began = threading.Event()

    def make(over: threading.Event, _: Callable[[], None]) -> None:
        began.set()
        gone.append(over.wait(60))

    stacks = FakeStacks([0])
    found = meddler(stacks, progress, plan(make))
    found.up(LONDON, "x")
    assert began.wait(60)
    assert gone == []
    found.end()
    assert gone == [True]


def test_one_that_ends_with_its_up_is_gone_then(progress: Progress) -> None:
    stacks, gone = FakeStacks([0]), list[bool]()

    def make(over: threading.Event, _: Callable[[], None]) -> None:
        stacks.shown.set()
        gone.append(over.wait(60))

    meddler(stacks, progress, replace(plan(make), ends_with_up=True)).up(LONDON, "x")
    assert gone == [True]


def test_when_the_next_one_comes_that_before_it_is_taken_away_first(progress: Progress) -> None:
    told: list[str] = []
    there = threading.Event()

    def first(over: threading.Event, _: Callable[[], None]) -> None:
        told.append("first comes")
        there.set()
        over.wait(60)
        told.append("first goes")

    def second(_: threading.Event, __: Callable[[], None]) -> None:
        told.append("second comes")

    class Stepwise(FakeStacks):
        def up(
            self, stack: str, _: str, on_event: Callable[[Event, Callable[[], None]], None]
        ) -> Run:
            on_event(self.events[0], lambda: None)
            assert there.wait(60)
            on_event(self.events[1], lambda: None)
            return Run((), 0, 0.0, "", Path("log"))

    stacks = Stepwise([0])
    one, other = plan(first, "F1"), plan(showing(stacks, second), "F2")
    found = meddler(stacks, progress, one, other)
    found.up(LONDON, "x")
    assert stacks.shown.wait(60)
    found.end()
    assert told == ["first comes", "first goes", "second comes"]
    assert found.came == (one, other)


def test_one_whose_time_is_over_before_it_was_made_was_not_made(progress: Progress) -> None:
    stacks = FakeStacks([0])
    stacks.shown.set()
    late = Planned("F2", LONDON.stack, after=60.0, make=nothing)
    found = meddler(stacks, progress, late)
    found.up(LONDON, "x")
    found.end()
    assert (late.came is not None, late.was_made, late.lasted) == (True, False, None)


@pytest.mark.parametrize("status", [0, 1])
def test_what_the_same_up_does_not_overcome_turns_the_operator_back(
    progress: Progress, status: int
) -> None:
    stacks, lost = FakeStacks([status, 0]), threading.Event()

    def make(over: threading.Event, _: Callable[[], None]) -> None:
        stacks.shown.set()
        over.wait(60)
        lost.set()

    planned = replace(plan(make), turns_back=True)
    with pytest.raises(TurnedBack):
        meddler(stacks, progress, planned).up(LONDON, "x")
    assert (lost.is_set(), planned.was_made, len(stacks.upped)) == (True, True, 1)


def test_an_up_that_ends_before_its_fault_was_made_waits_for_it(progress: Progress) -> None:
    stacks, made = FakeStacks([0]), list[int]()
    stacks.shown.set()
    planned = replace(plan(lambda *_: made.append(1)), turns_back=True, after=0.2)
    with pytest.raises(TurnedBack):
        meddler(stacks, progress, planned).up(LONDON, "x")
    assert made == [1]


def test_an_operator_who_turns_back_takes_a_killed_ups_lock_away(progress: Progress) -> None:
    stacks = FakeStacks([])
    planned = replace(plan(showing(stacks, lambda _, kill: kill())), turns_back=True)
    with pytest.raises(TurnedBack):
        meddler(stacks, progress, planned).up(LONDON, "x")
    assert stacks.cancelled == [LONDON.stack]
