"""Waiting: it ends when the world is ready, fails at its deadline, and never looks like a hang.

The clock is the test's own, so nothing here rests on how fast the machine is.
"""

from collections.abc import Callable, Iterator

import pytest
import tenacity

from clients.cluster.kubernetes import CallFailed
from dualregion.errors import DeadlineExceeded, Refused
from messages import Message
from messages.clients import clusters
from messages.steps import steps as messages
from steps.polling import REPEAT_SECONDS, Unchanged, Waiting, steadily
from tests.raising import any_message, raises

JOINED, LOOK = messages.failover_brokers_joined([1, 3]), messages.look_at_brokers()
BUSY = clusters.service_failed("GET /v1/topology", 503, "no endpoints")


class Clock:
    """Time that passes only while something sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    monkeypatch.setattr("time.sleep", clock.sleep)
    return clock


def waiting(clock: Clock, lines: list[str], deadline: float = 60, poll: float = 1) -> Waiting:
    return Waiting("F2", lines.append, deadline, poll, _clock=clock)


def seeing(*reasons: str | Exception | None) -> Callable[[], Message | None]:
    """Return a look that sees these one after the other, the last one for good."""
    left: Iterator[str | Exception | None] = iter(reasons)
    last = reasons[-1]

    def look() -> Message | None:
        seen = next(left, last)
        if isinstance(seen, Exception):
            raise seen
        return None if seen is None else any_message(seen)

    return look


def test_the_patched_clock_is_the_one_that_tenacity_sleeps_on(clock: Clock) -> None:
    tenacity.nap.sleep(5)
    assert clock.now == 1005


def test_what_is_so_already_is_not_waited_for(clock: Clock) -> None:
    lines: list[str] = []
    assert waiting(clock, lines).until_none(JOINED, seeing(None), LOOK) == 0
    assert lines == [messages.wait_done("F2", JOINED, 0.0)]


def test_it_waits_until_there_is_no_reason_left_and_returns_the_seconds(clock: Clock) -> None:
    lines: list[str] = []
    took = waiting(clock, lines).until_none(
        JOINED, seeing("1 missing", "1 missing", "1 missing", None), LOOK
    )
    assert took == 3
    assert lines == [
        messages.wait_goes_on("F2", JOINED, 0.0, "1 missing"),
        messages.wait_done("F2", JOINED, 3.0),
    ]


def test_the_deadline_tells_what_was_awaited_what_was_seen_last_and_what_to_try(
    clock: Clock,
) -> None:
    with raises(
        "deadline-exceeded",
        DeadlineExceeded,
        step="F2",
        seconds=60,
        what=JOINED,
        last_seen="1 of 2",
        hint=LOOK,
    ):
        waiting(clock, [], deadline=60).until_none(JOINED, seeing("0 of 2", "1 of 2"), LOOK)


def test_an_unchanged_state_is_said_again_now_and_then_but_not_at_every_look(clock: Clock) -> None:
    lines: list[str] = []
    with pytest.raises(DeadlineExceeded):
        waiting(clock, lines, deadline=100, poll=0.5).until_none(JOINED, seeing("same"), LOOK)
    assert len(lines) == 100 / REPEAT_SECONDS + 1
    assert lines[1] == messages.wait_goes_on("F2", JOINED, REPEAT_SECONDS, "same")


def test_a_changed_state_is_said_at_once_if_the_last_line_is_a_second_old(clock: Clock) -> None:
    lines: list[str] = []
    waiting(clock, lines, poll=1).until_none(JOINED, seeing("a", "b", "b", "c", None), LOOK)
    assert lines == [
        messages.wait_goes_on("F2", JOINED, 0.0, "a"),
        messages.wait_goes_on("F2", JOINED, 1.0, "b"),
        messages.wait_goes_on("F2", JOINED, 3.0, "c"),
        messages.wait_done("F2", JOINED, 4.0),
    ]


def test_a_state_that_flutters_does_not_flood(clock: Clock) -> None:
    lines: list[str] = []
    states = [f"state {index}" for index in range(100)]
    waiting(clock, lines, poll=0.1).until_none(JOINED, seeing(*states, None), LOOK)
    assert len(lines) <= 12


def test_a_failed_call_is_a_reason_like_any_other(clock: Clock) -> None:
    lines: list[str] = []
    look = seeing(CallFailed(BUSY), CallFailed(BUSY), None)
    assert waiting(clock, lines).until_none(JOINED, look, LOOK) == 2
    assert lines[0] == messages.wait_goes_on("F2", JOINED, 0.0, BUSY)


def test_a_failed_call_at_the_deadline_is_what_was_seen_last(clock: Clock) -> None:
    with raises("deadline-exceeded", DeadlineExceeded, last_seen=BUSY):
        waiting(clock, [], deadline=3).until_none(JOINED, seeing(CallFailed(BUSY)), LOOK)


@pytest.mark.parametrize(
    ("seen", "hint"),
    [
        (BUSY, "look-behind-service"),
        (clusters.service_failed("PUT _snapshot/x", 500, "no such bucket"), LOOK.code),
        (clusters.service_unanswered("GET /v1/topology", "closed"), "look-at-reach"),
        (clusters.call_unanswered("cluster-london", "no answer"), "look-at-reach"),
        (messages.lost_region_works(1, "paris", "london"), "cut-what-policies-leave"),
        (any_message("still broker 1"), LOOK.code),
    ],
)
def test_the_hint_is_about_what_was_seen_last(clock: Clock, seen: Message, hint: str) -> None:
    """Where nothing answered, what helps against what is awaited is no remedy."""
    with raises("deadline-exceeded", DeadlineExceeded) as raised:
        waiting(clock, [], deadline=3).until_none(JOINED, lambda: seen, LOOK)
    assert raised.value.message.facts["hint"].code == hint


def test_a_refusal_is_not_waited_out(clock: Clock) -> None:
    with pytest.raises(Refused):
        waiting(clock, []).until_none(JOINED, seeing(Refused(any_message("never"))), LOOK)
    assert clock.now == 1000


def test_the_last_reason_is_for_those_who_decide_themselves(clock: Clock) -> None:
    assert (
        waiting(clock, [], deadline=3).last_reason(JOINED, seeing("still there")) == "still there"
    )
    assert waiting(clock, []).last_reason(JOINED, seeing("still there", None)) is None


def test_for_how_long_something_is_as_it_is(clock: Clock) -> None:
    seen, quiet = iter(["a", "a", "b", "b", "a"]), Unchanged(clock)
    found = []
    for each in seen:
        found.append(quiet.seconds(each))
        clock.sleep(2)
    assert found == [0, 2, 0, 2, 0]


def test_what_must_stay_so_is_looked_at_until_it_has_stayed_so(clock: Clock) -> None:
    lines: list[str] = []
    look = steadily(3, seeing(None, None, "gone", None), clock)
    assert waiting(clock, lines, poll=1).until_none(JOINED, look, LOOK) == 6
    assert messages.wait_goes_on("F2", JOINED, 0.0, messages.seen_for_a_while(3)) in lines


def test_a_look_that_fails_is_a_break(clock: Clock) -> None:
    look = steadily(2, seeing(None, CallFailed(BUSY), None), clock)
    assert waiting(clock, [], poll=1).until_none(JOINED, look, LOOK) == 4


def test_what_need_not_stay_so_is_seen_at_once(clock: Clock) -> None:
    assert waiting(clock, []).until_none(JOINED, steadily(0, seeing(None), clock), LOOK) == 0
