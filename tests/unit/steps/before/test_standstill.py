"""Whether partitions that need the lost region stand still: one refusal is none, and a wait is one only if it lasts."""

from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import cast

import pytest

from clients.cluster.kubernetes import CallFailed
from messages import Message
from steps.before import standstill
from steps.before.standstill import STILL_SECONDS, Commands
from steps.context import StepContext
from tests.inputs.examples import failover
from tests.raising import any_message

REFUSED = any_message("no leader")
Answers = dict[int, list["Future[Message | None]"]]


class Asked:
    """Commands whose answers come when the test says so; two partitions need the lost region."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.answers: Answers = {}
        monkeypatch.setattr(standstill, "begin", self._begin)
        zeebe = SimpleNamespace(refuses_commands=lambda partition: partition)
        found = SimpleNamespace(
            settings=failover(0, lost=1, clusterSize=4, partitionCount=2),
            gateway=SimpleNamespace(zeebe=zeebe),
        )
        self.commands = Commands(cast(StepContext, found), clock=lambda: self.now)

    def _begin(self, ask: Callable[[], int]) -> "Future[Message | None]":
        future: Future[Message | None] = Future()
        self.answers.setdefault(ask(), []).append(future)
        return future

    def answer(self, *partitions: int, with_: Message | Exception | None = REFUSED) -> None:
        for partition in partitions:
            future = self.answers[partition][-1]
            if isinstance(with_, Exception):
                future.set_exception(with_)
            else:
                future.set_result(with_)

    def later(self, seconds: float = 1.0) -> tuple[int | None, bool]:
        self.now += seconds
        return self.commands.carried_out(), self.commands.stand_still()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def test_each_is_refused_twice(asked: Asked) -> None:
    asked.answer(1, 2)
    assert asked.later() == (None, False)
    asked.answer(1, 2)
    assert asked.later() == (None, True)
    assert [len(each) for each in asked.answers.values()] == [3, 3]


def test_a_call_that_failed_is_refused(asked: Asked) -> None:
    for _ in range(2):
        asked.answer(1, 2, with_=CallFailed(REFUSED, 503))
        found = asked.later()
    assert found == (None, True)


def test_what_else_went_wrong_shows_nothing(asked: Asked) -> None:
    for _ in range(5):
        asked.answer(1)
        asked.answer(2, with_=ValueError("no answer"))
        assert asked.later() == (None, False)


def test_one_that_is_refused_once_may_work_again(asked: Asked) -> None:
    asked.answer(1, 2)
    asked.later()
    asked.answer(1)
    asked.answer(2, with_=None)
    assert asked.later() == (2, False)


def test_one_that_waits_stands_still_only_after_a_while(asked: Asked) -> None:
    assert asked.later(STILL_SECONDS - 0.1) == (None, False)
    assert asked.later(0.2) == (None, True)


def test_a_partition_that_works_refutes_all_others(asked: Asked) -> None:
    asked.later(STILL_SECONDS)
    asked.answer(1, with_=None)
    assert asked.commands.carried_out() == 1


def test_what_has_refused_is_not_asked_again_at_once(asked: Asked) -> None:
    asked.answer(1, 2)
    asked.later(0.1)
    assert [len(each) for each in asked.answers.values()] == [1, 1]
