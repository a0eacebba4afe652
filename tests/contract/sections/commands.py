"""Commands: which are processed, which are refused, and what becomes of those that are not answered."""

import time

from tests.contract.asking import (
    GRPC_ERRORS,
    KEY_BITS,
    accepted,
    create,
    deploy,
    deployed,
    half,
    idle,
    led,
    partition_ids,
    probe,
    probe_all,
    refusing,
    try_to_create,
)
from tests.contract.expectations import (
    GATEWAY_SETTINGS,
    GRPC,
    PROTOCOL,
    REST,
    ROUND_ROBIN,
    SEEN,
    expected,
)
from tests.contract.target import Need, Target, eventually

_PROBERS = ("clients/zeebe.py",)
_LOAD = ("drill/observation/load/load.py",)
_COMPLETE = f"{REST}complete-a-user-task/"
_REQUEST_TIMEOUT = 15.0
"""`zeebe.gateway.cluster.requestTimeout`, by default."""


@expected(relied_on=_PROBERS, sources=(_COMPLETE, SEEN))
def a_user_task_that_cannot_exist_is_not_found(target: Target) -> None:
    """Completing a partition's first key as a user task is answered by 404 and `NOT_FOUND`, on every partition."""
    for partition, answer in probe_all(target).items():
        assert accepted(answer), f"partition {partition}: {answer}"


@expected(relied_on=_PROBERS, sources=(_COMPLETE,))
def a_refusal_is_a_problem_document(target: Target) -> None:
    """The refusal's body has `type`, `title`, `status`, `detail` and `instance`."""
    answer = probe(target, 1)
    assert {"type", "title", "status", "detail", "instance"} <= set(answer.content), answer
    assert answer.content["status"] == answer.status, answer


@expected(relied_on=_PROBERS, sources=(PROTOCOL, SEEN))
def a_probe_is_written_on_the_partition_in_its_key(target: Target) -> None:
    """A probe moves the processed position of the partition in the key's upper bits by two, and no other's."""
    for partition in partition_ids(target):
        probe(target, partition)
        before = _processed(target)
        probe(target, partition)
        wanted = before | {partition: before[partition] + 2}
        eventually(lambda b=before, w=wanted: _not_moved(target, b, w), 30)  # type: ignore[misc]


@expected(Need.SINK, relied_on=_PROBERS, sources=(SEEN,))
def a_probe_exports_nothing(target: Target) -> None:
    """A probe leaves nothing behind in search engines."""
    eventually(lambda: idle(target), target.timing.exported)
    before = [engine.count() for engine in target.engines]
    probe_all(target)
    time.sleep(target.timing.bulk_delay + 1)
    assert [engine.count() for engine in target.engines] == before


@expected(
    Need.KILL, relied_on=("clients/zeebe.py", "steps/actions.py"), sources=(GATEWAY_SETTINGS, SEEN)
)
def without_quorum_a_probe_is_refused_within_15_seconds(target: Target) -> None:
    """While half of the brokers are gone no partition answers 404, and the gateway gives up after 15 s at the latest."""
    target.hands.kill(*half(list(target.brokers)))
    for partition, answer in probe_all(target, within=_REQUEST_TIMEOUT + 10).items():
        assert not accepted(answer), f"partition {partition}: {answer}"
        assert answer.status >= 400, f"partition {partition}: {answer}"
        assert answer.seconds < _REQUEST_TIMEOUT + 2, f"partition {partition}: {answer}"


@expected(relied_on=_LOAD, sources=(f"{GRPC}#deployresource-rpc",))
def deploying_the_same_again_changes_nothing(target: Target) -> None:
    """A resource that is deployed again keeps its key and version; a changed one gets the next version."""
    process = deployed(target)
    first = deploy(target, process)
    assert deploy(target, process) == first
    key, version = deploy(target, process, job_type="nobody-works-that")
    assert version == first[1] + 1
    assert key != first[0]


@expected(relied_on=_LOAD, sources=(f"{GRPC}#createprocessinstance-rpc", PROTOCOL, ROUND_ROBIN))
def instances_go_to_every_partition_in_turn(target: Target) -> None:
    """Instances are created on every partition in turn; an instance's key names its partition above bit 51."""
    ids = partition_ids(target)
    keys = create(target, deployed(target), 2 * len(ids))
    assert len(set(keys)) == len(keys)
    found = [key >> KEY_BITS for key in keys]
    assert {each: found.count(each) for each in ids} == dict.fromkeys(ids, 2), found


@expected(relied_on=_LOAD, sources=(f"{GRPC}#createprocessinstance-rpc",))
def an_unknown_process_is_refused(target: Target) -> None:
    """Creating an instance of a process that was never deployed is refused by a gRPC status."""
    try:
        keys = create(target, "contract-never-deployed")
    except GRPC_ERRORS:
        return
    raise AssertionError(f"instances of an unknown process: {keys}")


@expected(
    Need.FREEZE,
    Need.ENGINE,
    relied_on=("drill/observation/load/load.py", "drill/checks/audit.py"),
    sources=(SEEN,),
    quirk="unanswered-still-carried-out",
)
def an_unanswered_command_may_be_carried_out(target: Target) -> None:
    """Commands that are not answered in time are carried out all the same once there is quorum again."""
    process, frozen = deployed(target), half(list(target.brokers))
    target.hands.freeze(*frozen)
    count = 2 * len(partition_ids(target))
    acknowledged = try_to_create(target, process, count, within=1.0)
    target.hands.thaw(*frozen)
    assert len(acknowledged) < count, "no command was left unanswered"
    eventually(lambda: refusing(target), target.timing.patience)
    within = target.timing.exported

    def missing() -> str | None:
        more = set(target.engines[0].instances(process)) - set(acknowledged)
        return None if more else f"none of {count - len(acknowledged)} unanswered was carried out"

    eventually(missing, within)


def _processed(target: Target) -> dict[int, int]:
    return {partition: each.processed for partition, each in led(target).items()}


def _not_moved(target: Target, before: dict[int, int], wanted: dict[int, int]) -> str | None:
    found = _processed(target)
    return None if found == wanted else f"from {before} to {found}, not {wanted}"
