"""Which broker has which id, holds which partition, and when a partition can work.

Zeebe gives partition p (1-based) to the replicationFactor brokers p-1, p, ... modulo clusterSize.
The chart camunda-platform 10.x gives broker ids by `global.multiregion`: normally
ordinal * 2 + regionId; in a failOver installation ordinal * 4 + regionId of the *lost* region,
with a quarter of the cluster as replicas. A partition works while more than half of its replicas do.
"""

from collections.abc import Collection

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


def partitions_without_quorum(
    alive: Collection[int], *, cluster_size: int, partition_count: int, replication_factor: int
) -> tuple[int, ...]:
    """Return the partitions that cannot work with only these brokers alive."""
    return tuple(
        partition
        for partition in range(1, partition_count + 1)
        if len(set(replicas(partition, cluster_size, replication_factor)) & set(alive))
        < quorum(replication_factor)
    )


def alive_after_failover(cluster_size: int, lost_region: int) -> tuple[int, ...]:
    """Return the ids of all brokers that run once the failover is complete, in order."""
    survivors = region_broker_ids(cluster_size, other(lost_region))
    return tuple(sorted(survivors + failover_broker_ids(cluster_size, lost_region)))


def partitions_at_risk(
    lost_region: int, *, cluster_size: int, partition_count: int, replication_factor: int
) -> tuple[int, ...]:
    """Return the partitions whose acknowledged commands a failover could forget.

    A command is acknowledged once a quorum q holds it, so at least q - l of the s survivors do, where l
    replicas were lost. After the failover a leader is elected by any q of the s survivors and f empty
    failover brokers: it knows the command for certain only if such a majority always meets one of the
    q - l, that is if q + (q - l) > s + f.
    """
    survivors = set(region_broker_ids(cluster_size, other(lost_region)))
    fresh = set(failover_broker_ids(cluster_size, lost_region))
    needed = quorum(replication_factor)
    risky = []
    for partition in range(1, partition_count + 1):
        holders = set(replicas(partition, cluster_size, replication_factor))
        kept = needed - len(holders - survivors)
        if kept < 1 or needed + kept <= len(holders & survivors) + len(holders & fresh):
            risky.append(partition)
    return tuple(risky)
