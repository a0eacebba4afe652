"""Faults on purpose, which only the rehearsal broker has: what real ones do on bad days."""

import time
from collections.abc import Sequence
from functools import partial

from tests.contract.asking import (
    accepted,
    all_in,
    create,
    create_on_each,
    demand,
    deployed,
    idle,
    leaders,
    order,
    partition_ids,
    probe,
    probe_all,
    refused,
    seen,
    topology,
    try_to_create,
)
from tests.contract.expectations import COMMAND_API, DISK_SPACE, OURS, expected
from tests.contract.target import Need, Target, ask, eventually

_EXPORTER = "elasticsearchregion1"
_LATE_SECONDS = 4
_TRIES = 5
_USED_BY = ("tests",)


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def a_gateway_told_so_refuses_to_pause(target: Target) -> None:
    """`refusePause`: the gateway refuses a pause behind HTTP 200, and nothing is paused."""
    target.ours.faults(refusePause=True)
    answer = order(target, "pause")
    assert answer.status == 200, answer
    assert refused(answer), answer
    eventually(lambda: all_in(target, "EXPORTING"), 30)


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def an_exporter_told_so_is_stuck(target: Target) -> None:
    """`stuckExporter`: one exporter writes nothing, the other one everything, and the position stays."""
    process = deployed(target)
    eventually(lambda: idle(target), 30)
    target.ours.faults(stuckExporter={_EXPORTER: True})
    (key,) = create(target, process)
    eventually(lambda: None if target.engines[0].documents(key) else "nothing exported", 30)
    time.sleep(target.timing.bulk_delay + 1)
    assert target.engines[1].documents(key) == []
    assert idle(target)
    target.ours.faults()
    eventually(lambda: None if target.engines[1].documents(key) else "nothing exported", 30)


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def an_exporter_told_so_is_slow(target: Target) -> None:
    """`slowExporter`: one exporter's writes take some seconds longer."""
    process = deployed(target)
    eventually(lambda: idle(target), 30)
    target.ours.faults(slowExporter={_EXPORTER: 3})
    began = time.monotonic()
    (key,) = create(target, process)
    eventually(lambda: None if target.engines[0].documents(key) else "nothing exported", 30)
    eventually(lambda: None if target.engines[1].documents(key) else "nothing exported", 30)
    assert time.monotonic() - began >= 3


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def buffers_told_so_are_written_late(target: Target) -> None:
    """`lateFlush`: what is held at a pause is written some seconds later than its delay."""
    process = deployed(target)
    target.ours.faults(lateFlush=_LATE_SECONDS)
    for _ in range(_TRIES):
        keys, paused = _paused_after_some(target, process)
        is_held = _unwritten(target, keys)
        eventually(partial(_unwritten, target, keys), 15 + _LATE_SECONDS, 0.02)
        if is_held:
            assert time.monotonic() - paused >= _LATE_SECONDS
            return
        demand(target, "resume")
    raise AssertionError("nothing was held at a pause")


def _paused_after_some(target: Target, process: str) -> tuple[list[int], float]:
    """Pause exporting just after instances were created; return these, and when it was asked for.

    Buffers are written by themselves every now and then, on a busy machine also between the two.
    """
    flushed = list(create_on_each(target, process).values())
    eventually(partial(_unwritten, target, flushed), 15, 0.02)
    keys = list(create_on_each(target, process).values())
    time.sleep(0.15)
    # Before it is asked for: on a busy machine the answer comes some time after the pause.
    paused = time.monotonic()
    demand(target, "pause")
    return keys, paused


def _unwritten(target: Target, keys: Sequence[int]) -> str | None:
    missing = [key for key in keys if not target.engines[1].documents(key)]
    return f"{len(missing)} of {len(keys)} are not written" if missing else None


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def a_partition_told_so_has_no_leader(target: Target) -> None:
    """`leaderless`: no broker leads a partition; its commands are refused, the others' are not."""
    target.ours.faults(leaderless=[1])
    eventually(lambda: None if probe(target, 1).status != 404 else "commands are accepted", 30)
    eventually(lambda: None if probe(target, 2).status == 404 else "no commands", 30)
    eventually(lambda: None if "leader" not in _roles(target, 1).values() else "it is led", 30)


@expected(
    Need.FAULTS,
    relied_on=("drill/matrix/faults/pods.py", "drill/scenario/late_flush.py"),
    sources=(OURS,),
)
def a_leader_gives_its_partition_to_a_broker_by_name(target: Target) -> None:
    """`POST /rehearsal/partitions/PARTITION/leader/BROKER`: that broker leads; one that does not lead has none to give."""
    for broker in _roles(target, 1):
        eventually(partial(_gives, target, broker), 30)
        other = next(each for each in _roles(target, 1) if each != broker)
        refusal = ask("POST", f"{target.brokers[other]}/rehearsal/partitions/1/leader/{broker}")
        assert refusal.status == 409, refusal


@expected(
    Need.FAULTS, relied_on=("drill/matrix/faults/pods.py",), sources=(OURS, DISK_SPACE, COMMAND_API)
)
def brokers_told_so_have_a_full_disk(target: Target) -> None:
    """`diskFull`: commands are refused as RESOURCE_EXHAUSTED, partitions are unhealthy, yet led; exporting goes on."""
    process = deployed(target)
    eventually(lambda: idle(target), 30)
    target.ours.faults(diskFull=True)
    for answer in probe_all(target).values():
        assert answer.status == 429, answer
        assert "RESOURCE_EXHAUSTED" in answer.body, answer
    assert try_to_create(target, process, 2, within=10) == []
    eventually(lambda: None if _health(target) == {"unhealthy"} else "not told", 15)
    assert set(leaders(target)) == set(partition_ids(target))
    for url in target.brokers.values():
        assert ask("GET", f"{url}/actuator/health/readiness").status == 200
        assert ask("GET", f"{url}/actuator/health/status").status == 503
    target.ours.faults()
    (key,) = create(target, process)
    target.ours.faults(diskFull=True)
    eventually(lambda: None if target.engines[1].documents(key) else "nothing exported", 30)
    target.ours.faults()
    eventually(lambda: None if _health(target) == {"healthy"} else "not told", 15)
    assert all(map(accepted, probe_all(target).values()))


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def a_management_port_told_so_hangs(target: Target) -> None:
    """`hangManagement`: requests to brokers and gateway are taken and never answered."""
    target.ours.faults(hangManagement=True)
    broker = next(iter(target.brokers.values()))
    for url in (
        f"{broker}/actuator/partitions",
        f"{target.gateway.management}/actuator/health/readiness",
    ):
        answer = ask("GET", url, within=1.0)
        assert answer.status == 0, answer
        assert "Timeout" in answer.body, answer


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,))
def a_gateway_told_so_keeps_an_old_view(target: Target) -> None:
    """`staleGateway`: a broker that is gone stays in the topology."""
    target.ours.faults(staleGateway=True)
    gone = max(target.brokers)
    assert gone in seen(target)
    target.hands.stop(gone)
    time.sleep(target.timing.member_timeout + 2)
    assert gone in seen(target)


def _gives(target: Target, broker: int) -> str | None:
    """Let the first partition's leader give it to a broker; return who led it instead, or None."""
    leader = next((id_ for id_, role in _roles(target, 1).items() if role == "leader"), None)
    if leader == broker:
        return None
    if leader is not None:
        ask("POST", f"{target.brokers[leader]}/rehearsal/partitions/1/leader/{broker}")
    return f"broker {leader} leads partition 1, not {broker}"


def _health(target: Target) -> set[str]:
    """Return how the replicas are, as the gateway has it."""
    brokers = topology(target)["brokers"]
    return {copy["health"] for broker in brokers for copy in broker["partitions"]}


def _roles(target: Target, partition: int) -> dict[int, str]:
    return {
        broker["nodeId"]: copy["role"]
        for broker in topology(target)["brokers"]
        for copy in broker["partitions"]
        if copy["partitionId"] == partition
    }
