"""What gateways and brokers answer that is not as it is to be."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


def all_of(reasons: Sequence[Message]) -> Message | None:
    """Return one message that holds all of these; None without any."""
    return several_reasons(reasons) if len(reasons) > 1 else next(iter(reasons), None)


@message
def several_reasons(reasons: Sequence[str]) -> str:
    """Several things are not as they are to be, each with a message of its own."""
    return "; ".join(reasons)


@message
def still_visible(brokers: Sequence[int], hosts: Sequence[str]) -> str:
    """A gateway still has brokers of the lost region in its topology."""
    seen = (f"{broker} ({host})" for broker, host in zip(brokers, hosts, strict=True))
    return f"the gateway still sees broker {listed(seen)}"


@message
def ready_brokers_unseen(brokers: Sequence[int]) -> str:
    """A gateway does not see ready brokers of its own region, so what it does not see proves nothing."""
    return f"the gateway does not see broker {listed(brokers)} of its own region, which is ready"


@message
def no_broker_seen() -> str:
    """A gateway sees no broker of its own region, so what it does not see proves nothing."""
    return "the gateway sees no broker of its own region"


@message
def brokers_not_joined(brokers: Sequence[int]) -> str:
    """Brokers are not in the gateway's topology."""
    return f"broker {listed(brokers)} not in the topology yet"


@message
def no_leader(partitions: Sequence[int]) -> str:
    """Partitions have no leader: their commands are refused."""
    return f"partition {listed(partitions)} has no leader"


@message
def too_few_healthy_replicas(
    partitions: Sequence[int], replicas: Sequence[int], needed: int
) -> str:
    """Partitions have fewer healthy replicas than they are to have."""
    counts = (
        f"{each}: {count} of {needed}" for each, count in zip(partitions, replicas, strict=True)
    )
    return f"healthy replicas of partition {listed(counts)}"


@message
def held_elsewhere(partition: int, brokers: Sequence[int]) -> str:
    """A partition has replicas on brokers that would not hold it in a new cluster of these sizes."""
    return f"partition {partition} is held by broker {listed(brokers)}, too"


@message
def no_quorum_after_failover(
    lost_region: int, partitions: Sequence[int], held: Sequence[str]
) -> str:
    """Partitions of the cluster as it is would have no quorum after a failover."""
    return f"after a failover of region {lost_region} partition {listed(partitions)} has no quorum (held: {'; '.join(held)})"


@message
def acknowledged_may_be_lost(
    lost_region: int, partitions: Sequence[int], held: Sequence[str]
) -> str:
    """A leader elected after a failover might not know every command that was acknowledged before."""
    return (
        f"after a failover of region {lost_region} partition {listed(partitions)} may forget what it acknowledged "
        f"(held: {'; '.join(held)})"
    )


@message
def held_by(partition: int, brokers: Sequence[int]) -> str:
    """Which brokers have a replica of a partition."""
    return f"{partition} by broker {listed(brokers)}"


@message
def leader_changed(partition: int, before: str, now: str) -> str:
    """Another broker leads a partition than when its exporters were paused."""
    return f"partition {partition} is led by {now} now, and was by {before}"


@message
def leader_not_among(partition: int) -> str:
    """None of the brokers that answered leads a partition."""
    return f"partition {partition}: no leader among the brokers asked"


@message
def exporter_in_other_phase(partition: int, pod: str, phase: str | None, expected: str) -> str:
    """A partition's exporters on one broker are in another phase than they are to be, or it is unknown."""
    return f"partition {partition} on {pod}: exporter phase is {phase or 'unknown'}, expected {expected}"


@message
def exporter_stands_still(partition: int, position: int) -> str:
    """The exported position of a partition that has more to export does not move."""
    return f"partition {partition}: exported position stays at {position}"


@message
def replicas_asked(partition: int, asked: int, expected: int) -> str:
    """Another number of a partition's replicas answered than there are."""
    return f"partition {partition}: {asked} of {expected} replicas were asked"


@message
def exporters_paused_on(pod: str, phase: str, partitions: Sequence[int]) -> str:
    """Exporters of partitions are paused on a broker, hard or soft."""
    return f"partition {listed(partitions)} on {pod}: exporter phase is {phase}"
