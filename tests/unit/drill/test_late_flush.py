"""The drill's late flush: refused where it shows nothing, judged by what the refusal says, and done before the failback."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from drill.checks import failback_checks
from drill.errors import DrillError
from drill.regions import REGIONS
from drill.scenario import incident, walk
from drill.scenario.late_flush import LateFlush
from drill.settings import DrillSettings, Incident, Until
from drill.together import together

SAID = (
    "B4: the search engine of camunda-london and the search engine of camunda-paris differ: index "
    "zeebe-record_job_8.5.8_2026-11-29: 9 documents in the survivor, 7 documents in the recreated region. ... "
    "To go on, back out and begin the failback again: ...\nEXPORTERS ARE PAUSED (...)"
)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"until": Until.FAILOVER}, "there is no failback"),
        ({"interrupt": True}, "--interrupt and --late-flush"),
        ({"back_out": True}, "--back-out and --late-flush"),
    ],
)
def test_where_it_cannot_be_rehearsed_it_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(DrillError, match=why):
        DrillSettings(late_flush=True, **wrong)


def test_the_turns_are_taken_by_plain_pulumi() -> None:
    assert not DrillSettings(late_flush=True).by_command
    assert DrillSettings().by_command


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (255, SAID, None),
        (255, SAID.replace("differ: index zeebe", "differ: index operate"), "what the copy lacks"),
        (0, SAID, "succeeded"),
        (255, SAID.replace("EXPORTERS ARE PAUSED", ""), "that exporters are paused"),
        (255, SAID.replace("back out", "wait"), "how to go on"),
        (255, "B4: no answer", "what the copy lacks"),
    ],
)
def test_a_refusal_counts_only_if_it_tells_all(status: int, said: str, why: str | None) -> None:
    check = failback_checks.gap_is_refused(status, said)
    assert check.ok is (why is None)
    assert why is None or why in check.detail


@pytest.mark.parametrize(("lost", "partition"), [(1, 4), (0, 3)])
def test_the_broker_is_the_first_replica_of_its_partition(lost: int, partition: int) -> None:
    """Broker b is the first that stands for partition b + 1, and even ordinals sleep."""
    failback: Any = SimpleNamespace(incident=Incident(1, REGIONS[lost]))
    assert LateFlush(failback)._partition == partition
    assert LateFlush(failback)._pod == "camunda-zeebe-1"


class Recorder:
    """Notes which of its methods were called, in their order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.done.append(name)


@pytest.mark.parametrize(
    ("late", "order"),
    [(True, ["rehearse", "begin_again", "check_pending"]), (False, ["begin", "check_pending"])],
)
def test_the_failback_is_begun_again_after_it(
    monkeypatch: pytest.MonkeyPatch, late: bool, order: list[str]
) -> None:
    stages = Recorder()
    for name in ("Failover", "Failback", "LateFlush"):
        monkeypatch.setattr(incident, name, lambda *_: stages)
    monkeypatch.setattr(walk, "check_hooks", lambda *_: None)
    settings = DrillSettings(late_flush=late, until=Until.FAILBACK_PENDING)
    rig: Any = SimpleNamespace(
        settings=settings,
        start_load=lambda *_: None,
        await_exports=lambda: None,
        ask_status=lambda *_: None,
        together=together,
    )
    incident.rehearse_incident(rig, settings.incidents[0])
    assert stages.done[-len(order) :] == order
