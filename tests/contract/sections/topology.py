"""What the gateway says of the cluster."""

from tests.contract.asking import grpc_topology, leaders, topology
from tests.contract.expectations import GRPC, MANAGEMENT, OURS, REST, SEEN, expected
from tests.contract.target import Need, Target, ask

_READERS = (
    "dualregion/observed/zeebe_answers.py",
    "clients/zeebe.py",
    "drill/observation/cluster.py",
)
_TOPOLOGY = f"{REST}get-cluster-topology/"


@expected(relied_on=_READERS, sources=(_TOPOLOGY,))
def the_topology_says_sizes_and_version(target: Target) -> None:
    """`GET /v1/topology` gives `clusterSize`, `partitionsCount`, `replicationFactor` and `gatewayVersion`."""
    answer = topology(target)
    for name in ("clusterSize", "partitionsCount", "replicationFactor"):
        assert isinstance(answer[name], int), f"{name}: {answer}"
        assert answer[name] > 0, f"{name}: {answer}"
    assert answer["gatewayVersion"], answer
    assert set(target.brokers) == set(range(answer["clusterSize"])), (
        f"the target names brokers {sorted(target.brokers)}, the gateway says {answer['clusterSize']}"
    )


@expected(relied_on=_READERS, sources=(_TOPOLOGY,))
def the_topology_describes_each_broker(target: Target) -> None:
    """Each broker has `nodeId`, `host`, `port`, `version` and `partitions`, and each id stands there once."""
    brokers = topology(target)["brokers"]
    assert sorted(broker["nodeId"] for broker in brokers) == sorted(target.brokers), brokers
    for broker in brokers:
        assert isinstance(broker["host"], str), broker
        assert broker["host"], broker
        assert isinstance(broker["port"], int), broker
        assert broker["version"], broker
        assert isinstance(broker["partitions"], list), broker


@expected(relied_on=_READERS, sources=(_TOPOLOGY,))
def the_topology_gives_each_partition_one_leader_and_all_replicas(target: Target) -> None:
    """Each partition has as many replicas as the replication factor, one of them `leader`, the others `follower`."""
    answer = topology(target)
    copies = [copy for broker in answer["brokers"] for copy in broker["partitions"]]
    assert {copy["role"] for copy in copies} == {"leader", "follower"}, copies
    assert {copy["health"] for copy in copies} == {"healthy"}, copies
    for partition in range(1, answer["partitionsCount"] + 1):
        roles = [copy["role"] for copy in copies if copy["partitionId"] == partition]
        assert len(roles) == answer["replicationFactor"], f"partition {partition}: {roles}"
        assert roles.count("leader") == 1, f"partition {partition}: {roles}"


@expected(relied_on=("dualregion/observed/zeebe_answers.py",), sources=(_TOPOLOGY, SEEN))
def a_brokers_host_is_the_one_it_advertises(target: Target) -> None:
    """`host` is what the broker advertises: the program reads its namespace out of it."""
    hosts = {broker["nodeId"]: broker["host"] for broker in topology(target)["brokers"]}
    for broker, host in target.hosts.items():
        assert hosts[broker] == host, hosts


@expected(relied_on=("drill/observation/load/load.py",), sources=(f"{GRPC}#topology-rpc",))
def grpc_says_the_same_topology(target: Target) -> None:
    """The gRPC call `Topology` gives the sizes and leaders that REST gives."""
    rest, found = topology(target), grpc_topology(target)
    assert found.cluster_size == rest["clusterSize"]
    assert found.partitions_count == rest["partitionsCount"]
    assert found.replication_factor == rest["replicationFactor"]
    leading = {
        copy.partition_id: broker.node_id
        for broker in found.brokers
        for copy in broker.partitions
        if str(getattr(copy.role, "name", copy.role)).upper().endswith("LEADER")
    }
    assert leading == leaders(target)


@expected(Need.OURS, relied_on=("clients/cluster/kubernetes.py",), sources=(OURS,))
def answers_are_json_maps_of_a_known_length(target: Target) -> None:
    """Answers are JSON maps with `Content-Length`: they come through the API server's proxy."""
    broker = next(iter(target.brokers.values()))
    for url in (f"{target.gateway.rest}/v1/topology", f"{broker}/actuator/partitions"):
        answer = ask("GET", url)
        assert isinstance(answer.content, dict), answer
        assert answer.headers["Content-Type"].startswith("application/json"), answer.headers
        assert int(answer.headers["Content-Length"]) == len(answer.body.encode()), answer.headers


@expected(Need.OURS, relied_on=("clients/zeebe.py",), sources=(MANAGEMENT, SEEN))
def a_gateway_that_sees_no_broker_refuses_a_pause_by_status_500(target: Target) -> None:
    """Before a gateway sees any broker it is not ready, its topology is empty, and a pause is answered by HTTP 500."""
    gateway = target.ours.lonely_gateway()
    ready = ask("GET", f"{gateway.management}/actuator/health/readiness")
    for _ in range(100):
        if ready.status:
            break
        ready = ask("GET", f"{gateway.management}/actuator/health/readiness")
    assert ready.status == 503, ready
    assert ask("GET", f"{gateway.rest}/v1/topology").content["brokers"] == []
    answer = ask("POST", f"{gateway.management}/actuator/exporting/pause")
    assert answer.status == 500, answer
