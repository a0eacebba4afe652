"""The cluster's configuration as Camunda 8.6 and later keep it: members, replicas, exporters, and changes of it. Pure.

The management API answers in these words. A **member** is a broker that belongs to the cluster; a broker that only runs
is in sight of the gateways (`zeebe_answers`), and no member. A change is accepted first and carried out later, operation
by operation: it is over when none pends, and has succeeded if the last one is this one, and completed. What is read
here is not guessed: states are kept as they are called, and only the ones that are known count for anything.

Sources: `GET /actuator/cluster`, its changes, and `GET /actuator/exporters` (Camunda 8.6 to 8.10).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dualregion.errors import Refused
from messages import Message
from messages.observed import cluster_changes as messages
from messages.observed.brokers import all_of

ACTIVE, LEFT = "ACTIVE", "LEFT"
"""What a member, or a replica, is called that takes part; and a member that does so no more."""
ENABLED, DISABLED, MISSING = "ENABLED", "DISABLED", "CONFIG_NOT_FOUND"
"""The states of an exporter; `MISSING` is one that no broker's own configuration has any more."""
COMPLETED = "COMPLETED"
"""The status of a change that has succeeded."""
_REMOVES = frozenset({"PARTITION_FORCE_RECONFIGURE", "BROKER_REMOVE"})
_ADD, _JOIN, _PRIORITY = "BROKER_ADD", "PARTITION_JOIN", "PARTITION_RECONFIGURE_PRIORITY"


@dataclass(frozen=True)
class Replica:
    """A member's copy of a partition, as the configuration has it.

    :ivar exporters: the state of each exporter there, by its id.
    """

    partition: int
    state: str
    exporters: Mapping[str, str]


@dataclass(frozen=True)
class Member:
    """A broker that belongs to the cluster."""

    id: int
    state: str
    replicas: tuple[Replica, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One step of a change, carried out by one broker.

    :ivar kind: as the API calls it; kinds that are not known are kept as they are.
    :ivar broker: who carries it out.
    :ivar partition: whose partition it is about; None if it is about none.
    """

    kind: str
    broker: int
    partition: int | None = None

    def __str__(self) -> str:
        about = "" if self.partition is None else f" of partition {self.partition}"
        return f"{self.kind}{about} by broker {self.broker}"


@dataclass(frozen=True)
class EndedChange:
    """The last change that ended, well or not."""

    id: int
    status: str


@dataclass(frozen=True)
class PendingChange:
    """The change that is under way.

    :ivar pending: what is still to be done, in order.
    :ivar completed: how many of its operations are done.
    """

    id: int
    pending: tuple[Operation, ...]
    completed: int

    @property
    def message(self) -> Message:
        """It, and what it waits for."""
        return messages.change_pends(self.id, self.completed, [*map(str, self.pending)])


@dataclass(frozen=True)
class Configuration:
    """The answer of `GET /actuator/cluster`.

    :ivar last: None if there was no change yet.
    :ivar pending: None if none is under way.
    """

    version: int
    members: tuple[Member, ...]
    last: EndedChange | None = None
    pending: PendingChange | None = None

    @property
    def under_way(self) -> Message | None:
        """The change that is under way, and what it waits for; None without one."""
        return self.pending.message if self.pending else None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Configuration":
        """Read the answer.

        :raises Refused: if brokers are known by other ids than numbers, as in a zone-aware cluster.
        """
        last, pending = answer.get("lastChange"), answer.get("pendingChange")
        return cls(
            int(answer["version"]),
            _members(answer["brokers"]),
            None if last is None else EndedChange(int(last["id"]), str(last["status"])),
            None if pending is None else _pending(pending),
        )


@dataclass(frozen=True)
class PlannedChange:
    """The answer to a request for a change, or to its dry run.

    :ivar id: the change's; that of the last one if there is nothing to do.
    :ivar current: the members before it.
    :ivar expected: the members after it.
    """

    id: int
    operations: tuple[Operation, ...]
    current: tuple[Member, ...]
    expected: tuple[Member, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "PlannedChange":
        """Read the answer; raises as `Configuration.of`."""
        return cls(
            int(answer["changeId"]),
            tuple(map(_operation, answer["plannedChanges"])),
            _members(answer["currentTopology"]),
            _members(answer["expectedTopology"]),
        )


def exporters_of(answer: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Read the answer of `GET /actuator/exporters`: the state of each exporter over all replicas."""
    return {str(each["exporterId"]): str(each["status"]) for each in answer}


def _members(brokers: Iterable[Mapping[str, Any]]) -> tuple[Member, ...]:
    """Read the members; one that has left is none any more."""
    found = (
        Member(
            _broker_id(each["id"]),
            str(each["state"]),
            tuple(map(_replica, each.get("partitions") or ())),
        )
        for each in brokers
    )
    return tuple(each for each in found if each.state != LEFT)


def _replica(copy: Mapping[str, Any]) -> Replica:
    exporting = (copy.get("config") or {}).get("exporting") or {}
    return Replica(
        int(copy["id"]),
        str(copy["state"]),
        {str(each["id"]): str(each["state"]) for each in exporting.get("exporters") or ()},
    )


def _pending(change: Mapping[str, Any]) -> PendingChange:
    operations = tuple(map(_operation, change.get("pending") or ()))
    return PendingChange(int(change["id"]), operations, len(change.get("completed") or ()))


def _operation(found: Mapping[str, Any]) -> Operation:
    # Of a kind that is not known, nothing but the kind is needed.
    broker, partition = found.get("brokerId"), found.get("partitionId")
    return Operation(
        str(found["operation"]),
        -1 if broker is None else _broker_id(broker),
        None if partition is None else int(partition),
    )


def _broker_id(found: Any) -> int:
    """Return a broker's id.

    :raises Refused: if it is a name with a zone in it.
    """
    if isinstance(found, str) and not found.isdecimal():
        raise Refused(messages.zone_aware_cluster(found))
    return int(found)


def ids_of(members: Iterable[Member]) -> frozenset[int]:
    """Return the members' ids, in whatever state they are."""
    return frozenset(each.id for each in members)


def holders_of(members: Iterable[Member]) -> dict[int, frozenset[int]]:
    """Return which members hold a replica of each partition, in whatever state it is."""
    found: dict[int, set[int]] = {}
    for member in members:
        for replica in member.replicas:
            found.setdefault(replica.partition, set()).add(member.id)
    return {partition: frozenset(ids) for partition, ids in found.items()}


# --- Judgements: why something is not so yet, or None


def removal_problem(
    planned: PlannedChange,
    lost: Collection[int],
    kept: Collection[int],
    *,
    partition_count: int,
    replicas: int,
) -> Message | None:
    """Return why a removal by force would do something else than remove these brokers; None if it does only that.

    :param planned: the answer to its dry run.
    :param lost: the ids of the lost region.
    :param kept: the ids of the surviving region.
    :param replicas: how many replicas each partition must keep, all of them on brokers that are kept.
    """
    strange = sorted({each.kind for each in planned.operations} - _REMOVES)
    if strange:
        return messages.removal_does_more(strange)
    before, after = ids_of(planned.current), ids_of(planned.expected)
    if foreign := sorted(before - set(lost) - set(kept)):
        return messages.members_of_neither_region(foreign)
    if after != set(kept):
        return messages.removal_keeps_others(sorted(before - after), sorted(after))
    return _thin_partitions(planned.expected, partition_count, replicas)


def addition_problem(
    planned: PlannedChange,
    added: Collection[int],
    wanted: Collection[int],
    *,
    partition_count: int,
    replicas: int,
) -> Message | None:
    """Return why an addition would do something else than let these brokers join; None if it does only that.

    :param planned: the answer to its dry run.
    :param added: the ids of the region that comes back.
    :param wanted: the ids of all brokers afterwards.
    :param replicas: how many replicas each partition is to have then.
    """
    strange = sorted(
        str(each)
        for each in planned.operations
        if each.kind != _PRIORITY and (each.kind not in (_ADD, _JOIN) or each.broker not in added)
    )
    if strange:
        return messages.addition_does_more(strange)
    after = ids_of(planned.expected)
    if after != set(wanted):
        return messages.addition_ends_otherwise(sorted(after), sorted(wanted))
    return _thin_partitions(planned.expected, partition_count, replicas)


def _thin_partitions(
    members: Iterable[Member], partition_count: int, replicas: int
) -> Message | None:
    holders = holders_of(members)
    unlike = {
        partition: len(holders.get(partition, ()))
        for partition in range(1, partition_count + 1)
        if len(holders.get(partition, ())) != replicas
    }
    if unlike:
        return messages.replicas_not_split(list(unlike), list(unlike.values()), replicas)
    return None


def unconfirmed(found: Configuration, change: int) -> Message | None:
    """Return why a change is not known to have ended well, or None; the state that it leads to is judged besides.

    Ids grow, and one change begins when the one before has ended: of one before the last nothing else is known.

    :param change: its id, as it was accepted.
    """
    if found.under_way:
        return found.under_way
    if found.last is None or found.last.id < change:
        last = None if found.last is None else found.last.id
        return messages.another_change_ended(change, last)
    if found.last.id == change and found.last.status != COMPLETED:
        return messages.change_ended_badly(change, found.last.status)
    return None


def members_differ(found: Configuration, wanted: Collection[int]) -> Message | None:
    """Return why not exactly these brokers are members, all of them at work; or None."""
    ids = ids_of(found.members)
    if ids != set(wanted):
        return messages.other_members(sorted(ids), sorted(wanted))
    idle = [each for each in found.members if each.state != ACTIVE]
    if idle:
        return messages.members_not_active(
            [each.id for each in idle], [each.state for each in idle]
        )
    return None


def replicas_differ(found: Configuration, *, partition_count: int, replicas: int) -> Message | None:
    """Return which partitions do not have so many replicas, all of them at work; or None."""
    joining = [
        messages.replica_not_active(replica.partition, member.id, replica.state)
        for member in found.members
        for replica in member.replicas
        if replica.state != ACTIVE
    ]
    return _thin_partitions(found.members, partition_count, replicas) or all_of(joining)


def untold(found: Configuration, *, partition_count: int, least: int) -> Message | None:
    """Return why an answer cannot be the whole configuration, or None; nothing of what it does not name contradicts anything.

    :param least: how many replicas each partition has in every state that the procedure knows.
    """
    counts = counted_replicas(found)
    thin = [each for each in range(1, partition_count + 1) if counts.get(each, 0) < least]
    if not thin:
        return None
    ids = sorted(ids_of(found.members))
    return messages.configuration_untold(ids, thin, [counts.get(each, 0) for each in thin], least)


def counted_replicas(found: Configuration) -> dict[int, int]:
    """Return how many members have a replica of each partition."""
    return {partition: len(ids) for partition, ids in sorted(holders_of(found.members).items())}


def exporter_states(found: Configuration, exporter: str) -> frozenset[str]:
    """Return every state that an exporter is in on some replica; empty if none knows it."""
    return frozenset(
        replica.exporters[exporter]
        for member in found.members
        for replica in member.replicas
        if exporter in replica.exporters
    )


def may_export(found: Configuration, exporter: str) -> Message | None:
    """Return on which replicas an exporter may write, or None if it is disabled on all, or none has it any more."""
    replicas = [replica for member in found.members for replica in member.replicas]
    states = exporter_states(found, exporter)
    # A replica that names no exporter at all does not say that it has none.
    if states and states <= {DISABLED, MISSING} and all(each.exporters for each in replicas):
        return None
    return exporter_not_in(found, exporter, DISABLED)


def exporter_not_in(found: Configuration, exporter: str, state: str) -> Message | None:
    """Return on which replicas an exporter is not in a state, or None once it is on all of all members."""
    otherwise = [
        messages.exporter_state(replica.partition, member.id, replica.exporters.get(exporter))
        for member in found.members
        for replica in member.replicas
        if replica.exporters.get(exporter) != state
    ]
    return messages.exporter_not_as_wanted(exporter, state, otherwise) if otherwise else None
