"""The calls that the program makes, as the contract's checks make them."""

import asyncio
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
from pyzeebe import ZeebeClient, create_insecure_channel
from pyzeebe.errors import PyZeebeError
from pyzeebe.grpc_internals.types import DeployResourceResponse

from drill.observation.load.load import PROCESS_FILE
from tests.contract.target import Answer, Target, ask, eventually

KEY_BITS = 51
GRPC_ERRORS = (PyZeebeError, grpc.aio.AioRpcError, TimeoutError)

T = TypeVar("T")


class Replica(NamedTuple):
    """What a broker says of a partition."""

    broker: int
    partition: int
    role: str
    phase: str
    exported: int
    processed: int


def topology(target: Target) -> dict[str, Any]:
    """Return what the gateway sees."""
    answer = ask("GET", f"{target.gateway.rest}/{target.api}/topology")
    assert answer.status == 200, answer
    assert isinstance(answer.content, dict), answer
    return answer.content


def seen(target: Target) -> set[int]:
    """Return the ids of the brokers that the gateway sees."""
    return {int(broker["nodeId"]) for broker in topology(target)["brokers"] or ()}


def leaders(target: Target) -> dict[int, int]:
    """Return the leader of each partition that has one, as the gateway sees it."""
    return {
        int(copy["partitionId"]): int(broker["nodeId"])
        for broker in topology(target)["brokers"] or ()
        for copy in broker["partitions"] or ()
        if copy["role"] == "leader"
    }


def partition_ids(target: Target) -> range:
    """Return the ids of all partitions."""
    return range(1, int(topology(target)["partitionsCount"]) + 1)


def replicas_of(target: Target, broker: int) -> list[Replica]:
    """Return what one broker says of its partitions."""
    answer = ask("GET", f"{target.brokers[broker]}/actuator/partitions")
    assert answer.status == 200, answer
    return [
        Replica(
            broker,
            int(partition),
            str(state["role"]),
            str(state.get("exporterPhase") or ""),
            int(state.get("exportedPosition", -1)),
            int(state.get("processedPosition", -1)),
        )
        for partition, state in answer.content.items()
    ]


def replicas(target: Target) -> list[Replica]:
    """Return what every broker says of every partition."""
    return [each for broker in target.brokers for each in replicas_of(target, broker)]


def led(target: Target) -> dict[int, Replica]:
    """Return what each partition's leader says of it, once every partition has one."""
    found: dict[int, Replica] = {}

    def leaderless() -> str | None:
        found.clear()
        found.update({each.partition: each for each in replicas(target) if each.role == "LEADER"})
        missing = sorted(set(partition_ids(target)) - set(found))
        return f"no broker says that it leads partition {missing}" if missing else None

    eventually(leaderless, target.timing.slack)
    return found


def phases(target: Target) -> set[str]:
    """Return the phases in which the replicas say that exporting is."""
    return {each.phase for each in replicas(target)}


def all_in(target: Target, phase: str) -> str | None:
    """Return which replicas are not in a phase, or None."""
    others = [each for each in replicas(target) if each.phase != phase]
    return f"not {phase}: {others}" if others else None


def readiness(target: Target, broker: int) -> int:
    """Return the status of a broker's readiness; 0 if it does not answer."""
    return ask("GET", f"{target.brokers[broker]}/actuator/health/readiness", within=3.0).status


def probe(target: Target, partition: int, within: float = 30.0) -> Answer:
    """Complete a user task that cannot exist: the first key of a partition."""
    path = f"/{target.api}/user-tasks/{partition << KEY_BITS}/completion"
    return ask("POST", f"{target.gateway.rest}{path}", {"action": "probe"}, within=within)


def accepted(answer: Answer) -> bool:
    """Say whether a probe was processed."""
    return answer.status == 404 and "NOT_FOUND" in answer.body


def probe_all(target: Target, within: float = 30.0) -> dict[int, Answer]:
    """Probe all partitions at once."""
    ids = partition_ids(target)
    with ThreadPoolExecutor(len(ids)) as threads:
        answers = threads.map(lambda each: probe(target, each, within), ids)
        return dict(zip(ids, answers, strict=True))


def order(target: Target, what: str) -> Answer:
    """Ask the gateway to `pause`, `pause?soft=true` or `resume` exporting."""
    return ask("POST", f"{target.gateway.management}/actuator/exporting/{what}")


def order_broker(target: Target, broker: int, what: str) -> Answer:
    """Ask one broker to `pauseExporting`, `softPauseExporting` or `resumeExporting`."""
    return ask("POST", f"{target.brokers[broker]}/actuator/partitions/{what}")


def refused(answer: Answer) -> bool:
    """Say whether an order was refused, by the status line or by the status in the body."""
    if not 200 <= answer.status < 300:
        return True
    status = answer.content.get("status", 200) if isinstance(answer.content, dict) else 200
    return not (isinstance(status, int) and 200 <= status < 300)


def demand(target: Target, what: str) -> None:
    """Give the gateway an order that it must accept."""
    answer = order(target, what)
    assert not refused(answer), f"{what}: {answer}"


def deploy(target: Target, process: str, job_type: str = "nobody-works-this") -> tuple[int, int]:
    """Deploy the drill's process under another id; return the definition's key and version."""
    text = PROCESS_FILE.read_text().replace('id="drill"', f'id="{process}"')
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{process}.bpmn"
        file.write_text(text.replace("drill-nobody-works-this", job_type))
        answer = _run(target, lambda client: client.deploy_resource(str(file)), within=20.0)
    (definition,) = answer.deployments
    assert isinstance(definition, DeployResourceResponse.ProcessMetadata), definition
    return definition.process_definition_key, definition.version


def deployed(target: Target) -> str:
    """Deploy the drill's process under an id that was not used; return the id."""
    process = f"contract-{uuid.uuid4().hex[:10]}"
    key, version = deploy(target, process)
    assert key > 0
    assert version == 1
    return process


def create(target: Target, process: str, count: int = 1, within: float = 20.0) -> list[int]:
    """Create instances one after the other; return their keys."""

    async def each(client: ZeebeClient) -> list[int]:
        answers = [await client.run_process(process) for _ in range(count)]
        return [int(answer.process_instance_key) for answer in answers]

    return _run(target, each, within)


def try_to_create(target: Target, process: str, count: int, within: float) -> list[int]:
    """Create instances at once; return the keys of those that were acknowledged in time."""

    async def one(client: ZeebeClient) -> int:
        async with asyncio.timeout(within):
            answer = await client.run_process(process)
        return int(answer.process_instance_key)

    async def each(client: ZeebeClient) -> list[int]:
        found = await asyncio.gather(*(one(client) for _ in range(count)), return_exceptions=True)
        unforeseen = [e for e in found if not isinstance(e, (int, *GRPC_ERRORS))]
        assert not unforeseen, unforeseen
        return [e for e in found if isinstance(e, int)]

    return _run(target, each, within + 10)


def create_on_each(target: Target, process: str) -> dict[int, int]:
    """Create instances until every partition has one, those too that elect a leader; return one key of each."""
    ids = partition_ids(target)
    found: dict[int, int] = {}

    def missing() -> str | None:
        acknowledged = try_to_create(target, process, len(ids), within=10)
        found.update({key >> KEY_BITS: key for key in acknowledged})
        return None if set(found) == set(ids) else f"instances on {sorted(found)} of {list(ids)}"

    eventually(missing, target.timing.patience)
    return found


def grpc_topology(target: Target) -> Any:
    """Return what the gateway sees, as gRPC says it."""
    return _run(target, lambda client: client.topology(), within=10.0)


def _run(target: Target, call: Callable[[ZeebeClient], Awaitable[T]], within: float) -> T:
    async def connected() -> T:
        channel = create_insecure_channel(
            target.gateway.grpc,
            (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)),
        )
        try:
            async with asyncio.timeout(within):
                return await call(ZeebeClient(channel, max_connection_retries=-1))
        finally:
            await channel.close()

    return asyncio.run(connected())


def incomplete(target: Target) -> str | None:
    """Return what a whole cluster at work has that this one lacks, or None."""
    answer = ask("GET", f"{target.gateway.rest}/{target.api}/topology")
    if answer.status != 200:
        return f"the gateway: {answer}"
    size, factor = answer.content["clusterSize"], answer.content["replicationFactor"]
    brokers = answer.content["brokers"] or []
    if len(brokers) != size or not size:
        return f"{len(brokers)} of {size} brokers in sight"
    copies = [copy for broker in brokers for copy in broker["partitions"] or ()]
    for partition in range(1, int(answer.content["partitionsCount"]) + 1):
        roles = [each["role"] for each in copies if each["partitionId"] == partition]
        if roles.count("leader") != 1 or len(roles) != factor:
            return f"partition {partition} has {roles}"
    return unready(target)


def idle(target: Target) -> str | None:
    """Return which partitions have not exported all, or None."""
    behind = [each for each in led(target).values() if each.exported < each.processed]
    return f"not exported yet: {behind}" if behind else None


def refusing(target: Target) -> str | None:
    """Return which partitions refuse commands, or None."""
    no = {key: each for key, each in probe_all(target).items() if not accepted(each)}
    return f"commands refused: {no}" if no else None


def whole(target: Target) -> None:
    """Wait until the cluster is whole, accepts commands, and exports.

    :raises AssertionError: if it does not get there.
    """
    patience = target.timing.patience
    eventually(lambda: incomplete(target), patience)
    eventually(lambda: refusing(target), patience + 3 * target.timing.dead_connection)
    eventually(lambda: _resumed(target), patience)


def _resumed(target: Target) -> str | None:
    if not all_in(target, "EXPORTING"):
        return None
    answer = order(target, "resume")
    return f"resume: {answer}" if refused(answer) else all_in(target, "EXPORTING")


def watch(seconds: float, wrong: Callable[[], str | None], every: float = 0.1) -> None:
    """Demand that nothing is wrong for some time.

    :raises AssertionError: with what was wrong.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reason = wrong()
        assert reason is None, reason
        time.sleep(every)


def ids_of(engine_documents: Iterable[Any]) -> set[str]:
    """Return the ids of documents."""
    return {document.id for document in engine_documents}


def half(brokers: Sequence[int]) -> list[int]:
    """Return every second broker: as many as a lost region takes along."""
    return sorted(brokers)[1::2]


def unready(target: Target) -> str | None:
    """Return which brokers are not ready, or None."""
    lacking = [broker for broker in target.brokers if readiness(target, broker) != 200]
    return f"broker {lacking} is not ready" if lacking else None
