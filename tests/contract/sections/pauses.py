"""Pausing and resuming exporting."""

import re
import time

from tests.contract.asking import (
    all_in,
    create,
    create_on_each,
    demand,
    deployed,
    idle,
    led,
    order,
    order_broker,
    partition_ids,
    phases,
    probe_all,
    refused,
    replicas,
    replicas_of,
    seen,
    topology,
    unready,
)
from tests.contract.expectations import (
    DIRECTOR,
    ELASTIC_EXPORTER,
    MANAGEMENT,
    MANAGEMENT_BODIES,
    MIXED_PAUSE,
    OURS,
    PARTITIONS,
    PAUSE_FILE,
    PAUSING,
    PHASES,
    SEEN,
    expected,
)
from tests.contract.target import Need, Target, ask, eventually

_PAUSERS = (
    "clients/zeebe.py",
    "dualregion/observed/zeebe_answers.py",
    "drill/observation/cluster.py",
)
_ACCEPTED = {"body": None, "status": 204, "contentType": None}
_TOLD = 5.0
"""Seconds in which every replica says its phase: one whose leadership just moves says none."""
_REFUSAL = re.compile(r"Expected \d+ members of partition \d+ but found \d+")


@expected(relied_on=_PAUSERS, sources=(MANAGEMENT, MANAGEMENT_BODIES))
def an_accepted_pause_is_204_in_the_body_of_a_200(target: Target) -> None:
    """An accepted pause or resume is HTTP 200 with status 204 in its body, and counts on every replica."""
    for what, phase in (("pause", "PAUSED"), ("resume", "EXPORTING")):
        answer = order(target, what)
        assert answer.status == 200, answer
        assert answer.content == _ACCEPTED, answer
        eventually(lambda p=phase: all_in(target, p), _TOLD)  # type: ignore[misc]


@expected(
    Need.RESTART,
    relied_on=_PAUSERS,
    sources=(MANAGEMENT_BODIES, PAUSING),
    quirk="refusal-behind-200",
)
def a_refused_pause_is_500_in_the_body_of_a_200(target: Target) -> None:
    """While a partition lacks a replica, pause and resume are refused by status 500 in the body of an HTTP 200."""
    gone = max(target.brokers)
    target.hands.stop(gone)
    eventually(lambda: f"{gone} in sight" if gone in seen(target) else None, 60)
    for what in ("pause", "resume"):
        answer = order(target, what)
        assert answer.status == 200, answer
        assert answer.content["status"] == 500, answer
        assert _REFUSAL.search(str(answer.content["body"]["message"])), answer
    # A partition whose leadership moves at that moment says nothing of its phase.
    for broker in set(target.brokers) - {gone}:
        assert "PAUSED" not in {each.phase for each in replicas_of(target, broker)}


@expected(relied_on=_PAUSERS, sources=(PARTITIONS, PHASES))
def a_broker_describes_each_of_its_partitions(target: Target) -> None:
    """`GET /actuator/partitions` gives role, phases and positions of each partition, by its id."""
    for url in target.brokers.values():
        answer = ask("GET", f"{url}/actuator/partitions")
        for partition, state in answer.content.items():
            assert partition.isdecimal(), answer
            assert state["role"] in ("LEADER", "FOLLOWER", "INACTIVE"), answer
            assert state["exporterPhase"] in ("EXPORTING", "PAUSED", "SOFT_PAUSED", "CLOSED"), (
                answer
            )
            assert state["streamProcessorPhase"] in ("PROCESSING", "REPLAY", "PAUSED"), answer
            assert isinstance(state["exportedPosition"], int), answer
            assert isinstance(state["processedPosition"], int), answer
            assert {"snapshotId", "processedPositionInSnapshot"} <= set(state), answer


@expected(
    relied_on=("dualregion/observed/zeebe_answers.py", "clients/zeebe.py"),
    sources=(PARTITIONS,),
)
def every_replica_is_described_by_its_broker(target: Target) -> None:
    """The brokers together describe as many replicas of each partition as the replication factor, one of them leading."""
    factor = topology(target)["replicationFactor"]
    for partition in partition_ids(target):
        roles = [each.role for each in replicas(target) if each.partition == partition]
        assert len(roles) == factor, f"partition {partition}: {roles}"
        assert roles.count("LEADER") == 1, f"partition {partition}: {roles}"


@expected(relied_on=("clients/zeebe.py",), sources=(PARTITIONS,))
def a_broker_pauses_and_resumes_by_itself(target: Target) -> None:
    """`POST /actuator/partitions/{pause,softPause,resume}Exporting` count on that broker and answer like the `GET`."""
    one, *others = sorted(target.brokers)
    for what, phase in (
        ("pauseExporting", "PAUSED"),
        ("resumeExporting", "EXPORTING"),
        ("softPauseExporting", "SOFT_PAUSED"),
        ("resumeExporting", "EXPORTING"),
    ):
        answer = order_broker(target, one, what)
        assert answer.status == 200, answer
        assert {"role", "exporterPhase"} <= set(next(iter(answer.content.values()))), answer
        eventually(lambda p=phase: _not_in(target, one, p), _TOLD)  # type: ignore[misc]
        for other in others:
            eventually(lambda o=other: _not_in(target, o, "EXPORTING"), _TOLD)  # type: ignore[misc]


@expected(Need.RESTART, relied_on=("clients/zeebe.py",), sources=(PARTITIONS, SEEN))
def a_broker_resumes_while_others_are_gone(target: Target) -> None:
    """A broker resumes by its own order while the gateway's is refused because half of the brokers are gone."""
    demand(target, "pause")
    gone = sorted(target.brokers)[1::2]
    target.hands.stop(*gone)
    for broker in sorted(set(target.brokers) - set(gone)):
        answer = order_broker(target, broker, "resumeExporting")
        assert not refused(answer), answer
        eventually(lambda b=broker: _not_in(target, b, "EXPORTING"), _TOLD)  # type: ignore[misc]


@expected(
    Need.RESTART,
    relied_on=_PAUSERS,
    sources=(PAUSE_FILE, SEEN),
    quirk="pause-persists",
)
def a_pause_outlasts_restarts(target: Target) -> None:
    """A pause is kept on the disk of every replica, followers too: restarted brokers say `PAUSED`."""
    demand(target, "pause")
    target.hands.stop(*target.brokers)
    target.hands.start(*target.brokers)
    eventually(lambda: unready(target), target.timing.patience)
    eventually(lambda: _unless(phases(target) == {"PAUSED"}, str(phases(target))), 10)


@expected(
    Need.WIPE, relied_on=("dualregion/observed/zeebe_answers.py",), sources=(PAUSE_FILE, SEEN)
)
def an_empty_disk_begins_with_exporting(target: Target) -> None:
    """A broker on an empty disk knows of no pause: it says `EXPORTING` while the others say `PAUSED`."""
    demand(target, "pause")
    emptied, *others = sorted(target.brokers, reverse=True)
    target.hands.stop(emptied)
    target.hands.wipe(emptied)
    target.hands.start(emptied)
    eventually(lambda: unready(target), target.timing.patience)
    eventually(lambda: _not_in(target, emptied, "EXPORTING"), _TOLD)
    for other in others:
        eventually(lambda o=other: _not_in(target, o, "PAUSED"), _TOLD)  # type: ignore[misc]


@expected(
    Need.TWO_ENGINES,
    relied_on=("clients/zeebe.py", "drill/observation/records.py"),
    sources=(ELASTIC_EXPORTER, SEEN),
    quirk="flush-after-pause",
)
def buffers_are_written_after_a_pause(target: Target) -> None:
    """A pause stops what is taken in; what exporters hold by then is written later, on each exporter's own schedule."""
    process, slowest = deployed(target), target.engines[1]
    for _ in range(2):
        # Just after a flush of each partition's buffer the next one is a whole delay away.
        flushed = create_on_each(target, process)
        eventually(lambda f=flushed: _lacking(target, f), target.timing.exported, 0.02)  # type: ignore[misc]
        keys = create_on_each(target, process)
        time.sleep(0.15)
        demand(target, "pause")
        time.sleep(0.5)
        before = {key: len(slowest.documents(key)) for key in keys.values()}
        time.sleep(target.timing.bulk_delay + 1.5)
        after = {key: len(slowest.documents(key)) for key in keys.values()}
        demand(target, "resume")
        if after != before:
            return
    raise AssertionError(f"nothing was written in the time after a pause: {before}")


@expected(Need.ENGINE, relied_on=_PAUSERS, sources=(MANAGEMENT, DIRECTOR))
def nothing_is_taken_in_during_a_pause(target: Target) -> None:
    """What is created during a pause is processed, reaches no engine, moves no position, and is exported afterwards."""
    process = deployed(target)
    eventually(lambda: idle(target), target.timing.exported)
    demand(target, "pause")
    time.sleep(target.timing.bulk_delay + 1)
    before = {partition: each.exported for partition, each in led(target).items()}
    (key,) = create(target, process)
    probe_all(target)
    time.sleep(target.timing.bulk_delay + 1)
    assert [len(engine.documents(key)) for engine in target.engines] == [0] * len(target.engines)
    assert {partition: each.exported for partition, each in led(target).items()} == before
    demand(target, "resume")
    eventually(lambda: _lacking(target, {0: key}), target.timing.exported)
    eventually(lambda: idle(target), target.timing.exported)


@expected(
    Need.ENGINE, relied_on=("dualregion/observed/zeebe_answers.py",), sources=(MANAGEMENT, PHASES)
)
def a_soft_pause_exports_and_acknowledges_nothing(target: Target) -> None:
    """During a soft pause records reach the engines, but no position moves until exporting is resumed."""
    process = deployed(target)
    eventually(lambda: idle(target), target.timing.exported)
    demand(target, "pause?soft=true")
    eventually(lambda: all_in(target, "SOFT_PAUSED"), _TOLD)
    time.sleep(1)
    before = {partition: each.exported for partition, each in led(target).items()}
    (key,) = create(target, process)
    eventually(lambda: _lacking(target, {0: key}), target.timing.exported)
    time.sleep(1)
    assert {partition: each.exported for partition, each in led(target).items()} == before
    demand(target, "resume")
    eventually(lambda: idle(target), target.timing.exported)


@expected(
    Need.OURS,
    relied_on=("clients/zeebe.py",),
    sources=(OURS, MIXED_PAUSE),
    quirk="no-mixed-pause",
)
def a_pause_on_top_of_a_soft_pause_is_refused(target: Target) -> None:
    """A hard pause on top of a soft one is refused: a real broker takes it, and cannot start its partitions again."""
    demand(target, "pause?soft=true")
    answer = order(target, "pause")
    assert refused(answer), answer
    eventually(lambda: all_in(target, "SOFT_PAUSED"), _TOLD)


def _lacking(target: Target, keys: dict[int, int]) -> str | None:
    found = {key: [len(e.documents(key)) for e in target.engines] for key in keys.values()}
    lacking = {key: counts for key, counts in found.items() if min(counts) < 11}
    return f"records of instances in each engine: {lacking}" if lacking else None


def _not_in(target: Target, broker: int, phase: str) -> str | None:
    others = [each for each in replicas_of(target, broker) if each.phase != phase]
    return f"not {phase}: {others}" if others else None


def _unless(true: bool, reason: str) -> str | None:
    return None if true else reason
