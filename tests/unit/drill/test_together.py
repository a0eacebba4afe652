"""Several things at the same time: all are done, and a failure is not lost."""

from threading import Barrier, Event

import pytest

from drill.errors import DrillError, DrillInterrupted
from drill.together import together
from sandbox.patience import allowed


def test_all_are_done_at_the_same_time_and_answer_in_order() -> None:
    met = Barrier(2, timeout=allowed(30))

    def meet(answer: str) -> str:
        met.wait()
        return answer

    assert together(lambda: meet("a"), lambda: meet("b")) == ["a", "b"]


def fail(text: str) -> None:
    raise DrillError(text)


def test_a_failure_is_raised_when_the_others_have_ended() -> None:
    ended: list[str] = []
    with pytest.raises(DrillError, match="first"):
        together(lambda: fail("first"), lambda: ended.append("second"))
    assert ended == ["second"]


def test_no_failure_is_lost() -> None:
    with pytest.raises(DrillError, match="one; and two"):
        together(lambda: fail("one"), lambda: fail("two"))
    with pytest.raises(ZeroDivisionError):
        together(lambda: fail("one"), lambda: 1 // 0)


def test_an_interruption_unwinds_the_first_at_once_and_waits_for_none() -> None:
    """What must be cleared up in order is done by the caller's own thread: a sandbox that starts, above all."""
    left, unwound = Event(), list[str]()

    def first() -> None:
        try:
            raise DrillInterrupted("interrupted by SIGINT")
        finally:
            unwound.append("first")

    try:
        with pytest.raises(DrillInterrupted):
            together(first, lambda: left.wait(allowed(60)))
        assert unwound == ["first"]
    finally:
        left.set()
