"""Waiting: it ends when the world is ready, fails at its deadline, and never looks like a hang.

The clock is the test's own, so nothing here rests on how fast the machine is.
"""

from collections.abc import Callable, Iterator

import pytest
import tenacity

from clients.kubernetes import CallFailed
from dualregion.errors import DeadlineExceeded, Refused
from steps.polling import REPEAT_SECONDS, Waiting


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


def seeing(*reasons: str | Exception | None) -> Callable[[], str | None]:
    """Return a look that sees these one after the other, the last one for good."""
    left: Iterator[str | Exception | None] = iter(reasons)
    last = reasons[-1]

    def look() -> str | None:
        seen = next(left, last)
        if isinstance(seen, Exception):
            raise seen
        return seen

    return look


def test_the_patched_clock_is_the_one_that_tenacity_sleeps_on(clock: Clock) -> None:
    tenacity.nap.sleep(5)
    assert clock.now == 1005


def test_what_is_so_already_is_not_waited_for(clock: Clock) -> None:
    lines: list[str] = []
    assert waiting(clock, lines).until_none("brokers joined", seeing(None), "Look.") == 0
    assert lines == ["F2: done: brokers joined (0.0 s)"]


def test_it_waits_until_there_is_no_reason_left_and_returns_the_seconds(clock: Clock) -> None:
    lines: list[str] = []
    took = waiting(clock, lines).until_none(
        "brokers joined", seeing("1 missing", "1 missing", "1 missing", None), "Look."
    )
    assert took == 3
    assert lines == [
        "F2: waiting until brokers joined: 0 s; 1 missing",
        "F2: done: brokers joined (3.0 s)",
    ]


def test_the_deadline_tells_what_was_awaited_what_was_seen_last_and_what_to_try(
    clock: Clock,
) -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        waiting(clock, [], deadline=60).until_none(
            "2 failover brokers are ready", seeing("0 of 2", "1 of 2"), "Look at the pods."
        )
    text = str(caught.value)
    assert text.startswith("F2: waited 60 s until 2 failover brokers are ready.")
    assert "Last seen: 1 of 2." in text
    assert "Look at the pods." in text
    assert "`pulumi up` goes on from here" in text


def test_an_unchanged_state_is_said_again_now_and_then_but_not_at_every_look(clock: Clock) -> None:
    lines: list[str] = []
    with pytest.raises(DeadlineExceeded):
        waiting(clock, lines, deadline=100, poll=0.5).until_none("x", seeing("same"), "Look.")
    assert len(lines) == 100 / REPEAT_SECONDS + 1
    assert lines[1] == f"F2: waiting until x: {REPEAT_SECONDS:.0f} s; same"


def test_a_changed_state_is_said_at_once_if_the_last_line_is_a_second_old(clock: Clock) -> None:
    lines: list[str] = []
    waiting(clock, lines, poll=1).until_none("x", seeing("a", "b", "b", "c", None), "Look.")
    assert lines == [
        "F2: waiting until x: 0 s; a",
        "F2: waiting until x: 1 s; b",
        "F2: waiting until x: 3 s; c",
        "F2: done: x (4.0 s)",
    ]


def test_a_state_that_flutters_does_not_flood(clock: Clock) -> None:
    lines: list[str] = []
    states = [f"state {index}" for index in range(100)]
    waiting(clock, lines, poll=0.1).until_none("x", seeing(*states, None), "Look.")
    assert len(lines) <= 12


def test_a_failed_call_is_a_reason_like_any_other(clock: Clock) -> None:
    lines: list[str] = []
    look = seeing(CallFailed("GET /v1/topology: 503"), CallFailed("GET /v1/topology: 503"), None)
    assert waiting(clock, lines).until_none("x", look, "Look.") == 2
    assert lines[0] == "F2: waiting until x: 0 s; GET /v1/topology: 503"


def test_a_failed_call_at_the_deadline_is_what_was_seen_last(clock: Clock) -> None:
    with pytest.raises(DeadlineExceeded, match="Last seen: connection refused"):
        waiting(clock, [], deadline=3).until_none(
            "x", seeing(CallFailed("connection refused")), "Look."
        )


def test_a_refusal_is_not_waited_out(clock: Clock) -> None:
    with pytest.raises(Refused):
        waiting(clock, []).until_none("x", seeing(Refused("never")), "Look.")
    assert clock.now == 1000


def test_the_last_reason_is_for_those_who_decide_themselves(clock: Clock) -> None:
    assert waiting(clock, [], deadline=3).last_reason("x", seeing("still there")) == "still there"
    assert waiting(clock, []).last_reason("x", seeing("still there", None)) is None
