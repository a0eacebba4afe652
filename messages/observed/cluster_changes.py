"""What the cluster's configuration says that is not as it is to be (Camunda 8.6 and later)."""

from collections.abc import Sequence

from messages.catalogue import message
from messages.words import listed, some_of


@message
def zone_aware_cluster(broker: str) -> str:
    """Brokers have ids with the name of a zone in them: a zone-aware cluster, which this program does not know."""
    return (
        f"broker {broker!r} has no number: this is a zone-aware cluster, in which a lost zone is removed and added as a "
        "whole, by calls that this program does not make. It carries out the procedure of clusters whose brokers are "
        "numbered (`global.multiregion`); take the region over by Camunda's own procedure for zones"
    )


@message
def change_pends(change: int, completed: int, pending: Sequence[str]) -> str:
    """A change of the cluster's configuration is under way; each operation is tried again until it succeeds."""
    return (
        f"change {change} of the cluster's configuration is under way: {completed} operations are done, "
        f"{len(pending)} are to be done: {some_of(pending)}"
    )


@message
def another_change_ended(change: int, last: int | None) -> str:
    """The last change of the configuration that ended is another one than the one that was asked for."""
    ended = "none has ended yet" if last is None else f"the last one that ended is {last}"
    return f"change {change} of the cluster's configuration is not seen: {ended}"


@message
def change_ended_badly(change: int, status: str) -> str:
    """A change of the configuration has failed or was cancelled; what it had done by then stays so."""
    return f"change {change} of the cluster's configuration ended as {status}"


@message
def removal_does_more(operations: Sequence[str]) -> str:
    """The dry run of the removal shows operations that a removal by force does not consist of."""
    return f"it would do more than remove brokers: {listed(operations)}"


@message
def members_of_neither_region(brokers: Sequence[int]) -> str:
    """The cluster has members whose ids belong to neither of the two regions, for the cluster size that is set."""
    return f"broker {listed(brokers)} is a member, and of neither region by `clusterSize`"


@message
def removal_keeps_others(removed: Sequence[int], kept: Sequence[int]) -> str:
    """The dry run of the removal shows that other brokers would be left than those of the surviving region."""
    return f"it would remove broker {listed(removed) or 'none'} and keep broker {listed(kept) or 'none'}"


@message
def addition_does_more(operations: Sequence[str]) -> str:
    """The dry run of the addition shows operations that do not let the lost brokers join again."""
    return f"it would do more than let these brokers join: {some_of(operations)}"


@message
def addition_ends_otherwise(members: Sequence[int], wanted: Sequence[int]) -> str:
    """The dry run of the addition shows that the cluster would not have all brokers afterwards."""
    return f"the cluster would have broker {listed(members)}, and not {listed(wanted)}"


@message
def replicas_not_split(partitions: Sequence[int], replicas: Sequence[int], wanted: int) -> str:
    """Partitions have, or would have, another number of replicas than they are to have."""
    counts = (f"{each}: {count}" for each, count in zip(partitions, replicas, strict=True))
    return f"members with a replica, of partition {listed(counts)}; {wanted} each are wanted"


@message
def configuration_untold(
    members: Sequence[int], partitions: Sequence[int], replicas: Sequence[int], least: int
) -> str:
    """The cluster's configuration is answered without members or replicas that are there in any case."""
    counts = (f"{each}: {count}" for each, count in zip(partitions, replicas, strict=True))
    return (
        f"the answer does not tell the cluster's configuration: it names broker {listed(members) or 'none'}, and of partition "
        f"{listed(counts)} replicas, where each has at least {least}"
    )


@message
def other_members(members: Sequence[int], wanted: Sequence[int]) -> str:
    """The members of the cluster are others than they are to be."""
    return f"the cluster's members are broker {listed(members)}, and not {listed(wanted)}"


@message
def members_not_active(brokers: Sequence[int], states: Sequence[str]) -> str:
    """Members of the cluster do not take part yet, or not any more."""
    shown = (f"{broker} is {state}" for broker, state in zip(brokers, states, strict=True))
    return f"member {listed(shown)}"


@message
def replica_not_active(partition: int, broker: int, state: str) -> str:
    """A replica has not joined its partition yet, or leaves it."""
    return f"partition {partition} on broker {broker} is {state}"


@message
def exporter_state(partition: int, broker: int, state: str | None) -> str:
    """The state of an exporter on one replica, as the configuration has it."""
    return f"partition {partition} on broker {broker}: {state or 'not known there'}"


@message
def exporter_not_as_wanted(exporter: str, wanted: str, otherwise: Sequence[str]) -> str:
    """An exporter is not enabled, or disabled, on every replica of every member."""
    return f"exporter {exporter} is not {wanted} everywhere: {some_of(otherwise, '; ')}"
