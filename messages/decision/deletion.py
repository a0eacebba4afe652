"""What speaks against deleting something of a stack."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import listed


@message
def not_deleted(resource: str, reason: Message, name: str, namespace: str) -> str:
    """A release, a namespace or a gate's record is needed, whatever is about to delete it."""
    return (
        f"{resource} is not deleted, as {reason}. If a setting that names it was changed (release, namespace), take that "
        f"back: it would be deleted and recreated. To take the installation of region {name} down for good, with all its "
        f"data, see docs/prepare/day-two.md, 'Taking an installation down': `pulumi config set retire {namespace}`, then `pulumi "
        "destroy --run-program`"
    )


@message
def half_of_the_brokers(name: str, phase: str) -> str:
    """Why it is needed: each region runs half of the brokers."""
    return f"half of the brokers run in region {name} (phase {phase}), and without them no partition has a quorum"


@message
def only_complete_data(name: str, phase: str) -> str:
    """Why it is needed: until the failback is complete, only the surviving region holds all data."""
    return f"region {name} is the survivor (phase {phase}), and holds the only complete data"


@message
def lost_region_kept(name: str, phase: str) -> str:
    """Why it is needed: until the other region has taken over, the region may be healthy, and called lost by mistake."""
    return (
        f"region {name} stays as it is (phase {phase}) until it answers and the other region has taken over; then `pulumi "
        "up` here cleans it"
    )


@message
def needed_for_quorum(name: str, phase: str) -> str:
    """Why it is needed: the failback is past the point from which on this region's brokers count."""
    return f"the brokers of region {name} are needed for the quorum (phase {phase})"


@message
def brokers_unseen(brokers: Sequence[int]) -> str:
    """Brokers that are to stay are not in the gateway's topology."""
    return f"broker {listed(brokers)} is not in the topology"


@message
def replicas_not_healthy(broker: int, partitions: Sequence[int]) -> str:
    """A broker that is to stay has replicas that are not healthy."""
    return f"not healthy on broker {broker}: partition {listed(partitions)}"


@message
def too_few_replicas_stay(partitions: Sequence[int], replicas: Sequence[int], quorum: int) -> str:
    """The brokers that are to stay do not hold enough replicas of some partitions for a quorum."""
    counts = (
        f"{each}: {count} of {quorum}" for each, count in zip(partitions, replicas, strict=True)
    )
    return f"replicas on the brokers that stay, of partition {listed(counts)}"
