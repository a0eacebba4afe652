"""Names and numbers of the rehearsed dual region: what the drill expects, derived apart from the program.

The drill judges the program, so it must not take its expectations from it: broker ids, quorum and
hosts are worked out here again, from the procedure's own text.
"""

from collections.abc import Collection
from dataclasses import dataclass

RELEASE = "camunda"
BROKERS = f"{RELEASE}-zeebe"
"""The StatefulSet of a region's brokers."""
GATEWAY_SERVICE = f"{RELEASE}-zeebe-gateway"
BROKER_SELECTOR = "app.kubernetes.io/component=zeebe-broker"

REGION_COUNT = 2
REPLICATION_FACTOR = 4
"""Copies of each partition, as in the reference setup: two in each region."""


@dataclass(frozen=True)
class Region:
    """One of the two regions as stack, cluster and namespaces know it."""

    index: int
    city: str
    stack: str
    context: str
    namespace: str
    failover_namespace: str
    pod_cidr: str
    dns_address: str

    @property
    def other(self) -> "Region":
        """The other region of the two."""
        return REGIONS[1 - self.index]


def _region(index: int, city: str, pod_cidr: str, dns_address: str) -> Region:
    return Region(
        index=index,
        city=city,
        stack=f"region{index}",
        context=f"cluster-{city}",
        namespace=f"camunda-{city}",
        failover_namespace=f"camunda-{city}-failover",
        pod_cidr=pod_cidr,
        dns_address=dns_address,
    )


REGIONS = (
    _region(0, "london", "10.180.0.0/16", "10.180.255.1"),
    _region(1, "paris", "10.181.0.0/16", "10.181.255.1"),
)


@dataclass(frozen=True)
class ExpectedBrokers:
    """Which broker ids must be where: id -> namespace in which the broker runs."""

    namespace_of: dict[int, str]

    @property
    def ids(self) -> list[int]:
        """All expected broker ids, in order."""
        return sorted(self.namespace_of)


def brokers_in_normal(cluster_size: int) -> ExpectedBrokers:
    """Return the brokers of both regions: id = ordinal x 2 + region."""
    return ExpectedBrokers(
        {broker: REGIONS[broker % REGION_COUNT].namespace for broker in range(cluster_size)}
    )


def brokers_of_both(cluster_size: int, lost: int) -> ExpectedBrokers:  # noqa: ARG001 (as the others)
    """Return the brokers of both regions, whichever was lost."""
    return brokers_in_normal(cluster_size)


def brokers_that_live(cluster_size: int, lost: int) -> ExpectedBrokers:
    """Return the survivor's brokers alone."""
    everywhere = brokers_in_normal(cluster_size).namespace_of
    return ExpectedBrokers(
        {id_: where for id_, where in everywhere.items() if where != REGIONS[lost].namespace}
    )


def brokers_after_failover(cluster_size: int, lost: int) -> ExpectedBrokers:
    """Return the survivor's brokers, and in its failover namespace every second one of the lost region."""
    survivor = REGIONS[1 - lost]
    ordinals = range(cluster_size // REGION_COUNT)
    living = {ordinal * REGION_COUNT + survivor.index: survivor.namespace for ordinal in ordinals}
    replaced = {
        ordinal * 2 * REGION_COUNT + lost: survivor.failover_namespace
        for ordinal in range(cluster_size // REGION_COUNT // 2)
    }
    return ExpectedBrokers(living | replaced)


def brokers_in_failback(cluster_size: int, lost: int) -> ExpectedBrokers:
    """Return the brokers as long as every second one of the recreated region sleeps: the failover ones stand in."""
    survivor = REGIONS[1 - lost]
    stand_ins = brokers_after_failover(cluster_size, lost).namespace_of
    awake = {
        broker: region
        for broker, region in brokers_in_normal(cluster_size).namespace_of.items()
        if broker not in stand_ins and region != survivor.namespace
    }
    return ExpectedBrokers(stand_ins | awake)


def replicas(cluster_size: int, members: Collection[int]) -> dict[int, list[int]]:
    """Return for each member the partitions that it holds, of as many partitions as there are brokers in both regions.

    The copies of partition p are on consecutive brokers from p-1 on; those on brokers that are no members are gone.
    """
    held: dict[int, list[int]] = {member: [] for member in sorted(members)}
    for partition in range(1, cluster_size + 1):
        for offset in range(REPLICATION_FACTOR):
            broker = (partition - 1 + offset) % cluster_size
            if broker in held:
                held[broker].append(partition)
    return held


def quorum(replication_factor: int = REPLICATION_FACTOR) -> int:
    """Return how many members of a partition must be healthy for it to accept commands."""
    return replication_factor // 2 + 1
