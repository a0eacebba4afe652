"""Which broker has which id, holds which partition, and when a partition can work.

Zeebe gives partition p (1-based) to the replicationFactor brokers p-1, p, ... modulo clusterSize.
The chart camunda-platform 10.x gives broker ids by `global.multiregion`: normally
ordinal * 2 + regionId; in a failOver installation ordinal * 4 + regionId of the *lost* region,
with a quarter of the cluster as replicas. A partition works while more than half of its replicas do.
"""

from collections.abc import Collection, Mapping

from messages import Message
from messages.observed import brokers as messages

Holders = Mapping[int, Collection[int]]
"""The brokers that hold a copy of each partition."""

REGIONS = 2
"""A dual region has two regions; the chart's `global.multiregion.regions`."""


def other(region: int) -> int:
    """Return the other region's id."""
    return REGIONS - 1 - region


def broker_count(cluster_size: int) -> int:
    """Return how many brokers (pods) one region's normal installation has."""
    return cluster_size // REGIONS


def failover_broker_count(cluster_size: int) -> int:
    """Return how many brokers a failOver installation has (the chart's integer division)."""
    return cluster_size // REGIONS // 2


def region_broker_ids(cluster_size: int, region: int) -> tuple[int, ...]:
    """Return the ids of a region's normal brokers, by ordinal."""
    return tuple(ordinal * REGIONS + region for ordinal in range(broker_count(cluster_size)))


def staying(cluster_size: int, lost_region: int) -> tuple[int, ...]:
    """Return the ids of the brokers that are left when a region is lost, by ordinal."""
    return region_broker_ids(cluster_size, other(lost_region))


def sleeps(ordinal: int) -> bool:
    """Return whether a broker of a failBack installation sleeps: the failover brokers have its id."""
    return ordinal % REGIONS == 0


def failover_broker_ids(cluster_size: int, lost_region: int) -> tuple[int, ...]:
    """Return the ids that the failOver brokers take over from the lost region, by ordinal."""
    return tuple(
        ordinal * 2 * REGIONS + lost_region
        for ordinal in range(failover_broker_count(cluster_size))
    )


def replicas(partition: int, cluster_size: int, replication_factor: int) -> tuple[int, ...]:
    """Return the ids of the brokers that hold a partition (1-based)."""
    return tuple((partition - 1 + offset) % cluster_size for offset in range(replication_factor))


def quorum(replication_factor: int) -> int:
    """Return how many replicas of a partition must live for it to work."""
    return replication_factor // 2 + 1


def computed_holders(
    cluster_size: int, partition_count: int, replication_factor: int
) -> dict[int, tuple[int, ...]]:
    """Return the brokers that hold each partition, as Zeebe distributes them in a new cluster.

    One that began on an older version keeps the distribution that it began with: until 8.4 ids were sorted as texts
    (camunda/camunda pull request 17129). Where a gateway can be asked, it says who holds what.
    """
    return {
        partition: replicas(partition, cluster_size, replication_factor)
        for partition in range(1, partition_count + 1)
    }


def partitions_without_quorum(
    alive: Collection[int], *, cluster_size: int, partition_count: int, replication_factor: int
) -> tuple[int, ...]:
    """Return the partitions of a new cluster that cannot work with only these brokers alive."""
    sizes = (cluster_size, partition_count, replication_factor)
    return without_quorum(alive, computed_holders(*sizes))


def without_quorum(alive: Collection[int], holders: Holders) -> tuple[int, ...]:
    """Return the partitions that cannot work with only these brokers alive."""
    return tuple(
        partition
        for partition, held_by in holders.items()
        if len(set(held_by) & set(alive)) < quorum(len(held_by))
    )


def alive_after_failover(cluster_size: int, lost_region: int) -> tuple[int, ...]:
    """Return the ids of all brokers that run once the failover is complete, in order."""
    survivors = staying(cluster_size, lost_region)
    return tuple(sorted(survivors + failover_broker_ids(cluster_size, lost_region)))


def partitions_at_risk(
    lost_region: int, *, cluster_size: int, partition_count: int, replication_factor: int
) -> tuple[int, ...]:
    """Return the partitions of a new cluster whose acknowledged commands a failover could forget; see `at_risk`."""
    sizes = (cluster_size, partition_count, replication_factor)
    return at_risk(lost_region, cluster_size, computed_holders(*sizes))


def at_risk(lost_region: int, cluster_size: int, holders: Holders) -> tuple[int, ...]:
    """Return the partitions whose acknowledged commands a failover could forget.

    A command is acknowledged once a quorum q holds it, so at least q - l of the s survivors do, where l
    replicas were lost. After the failover a leader is elected by any q of the s survivors and f empty
    failover brokers: it knows the command for certain only if such a majority always meets one of the
    q - l, that is if q + (q - l) > s + f.
    """
    survivors = set(staying(cluster_size, lost_region))
    fresh = set(failover_broker_ids(cluster_size, lost_region))
    risky = []
    for partition, held_by in holders.items():
        copies, needed = set(held_by), quorum(len(held_by))
        kept = needed - len(copies - survivors)
        if kept < 1 or needed + kept <= len(copies & survivors) + len(copies & fresh):
            risky.append(partition)
    return tuple(risky)


def partitions_at_risk_of_removal(
    lost_region: int, cluster_size: int, holders: Holders
) -> tuple[int, ...]:
    """Return the partitions of which the brokers that remain after a forced removal might not know every command.

    What was acknowledged lies on a quorum q of the replicas, so on at least q - l of the s survivors, where l replicas
    are lost. The s survivors are a group of their own then, whose majority m elects the leader: it knows the command for
    certain only if m + (q - l) > s. With four replicas, two lost, 2 + 1 > 2 holds; with six, three lost, 2 + 1 > 3 does
    not.
    """
    left = set(staying(cluster_size, lost_region))
    risky = []
    for partition, held_by in holders.items():
        survivors = len(left & set(held_by))
        kept = quorum(len(held_by)) - (len(set(held_by)) - survivors)
        if kept < 1 or quorum(survivors) + kept <= survivors:
            risky.append(partition)
    return tuple(risky)


def removal_problem(lost_region: int, cluster_size: int, holders: Holders) -> Message | None:
    """Return why a region's brokers must not be removed with partitions held by these brokers, or None."""
    risky = partitions_at_risk_of_removal(lost_region, cluster_size, holders)
    if not risky:
        return None
    held = [messages.held_by(each, sorted(holders[each])) for each in risky]
    return messages.acknowledged_may_be_lost(lost_region, risky, held)


def failover_problem(lost_region: int, cluster_size: int, holders: Holders) -> Message | None:
    """Return why a failover of a region would not be safe with partitions held by these brokers, or None."""
    alive = alive_after_failover(cluster_size, lost_region)
    for found, problem in (
        (without_quorum(alive, holders), messages.no_quorum_after_failover),
        (at_risk(lost_region, cluster_size, holders), messages.acknowledged_may_be_lost),
    ):
        if found:
            held = [messages.held_by(each, sorted(holders[each])) for each in found]
            return problem(lost_region, found, held)
    return None
