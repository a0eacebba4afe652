"""What the clusters answer, read into plain values at the edge, and judged by pure functions.

Each judgement returns the reason why something is *not* so yet, as a message for the operator, or
None; gates, previews and tests share it. Sources: the gateway's REST `GET /v1/topology` and the
brokers' `GET /actuator/partitions` (Zeebe 8.5).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dualregion import brokers
from messages import Message
from messages.observed import brokers as messages
from messages.observed.brokers import all_of


@dataclass(frozen=True)
class Replica:
    """One broker's copy of a partition, as the gateway sees it."""

    partition: int
    role: str
    healthy: bool

    @property
    def is_leader(self) -> bool:
        """Whether this broker leads the partition."""
        return self.role == "leader"


@dataclass(frozen=True)
class Broker:
    """A broker as the gateway sees it.

    :ivar host: its advertised address, which is the user's to choose: shown, and never judged by. Brokers are known
        by their ids.
    """

    id: int
    host: str
    replicas: tuple[Replica, ...] = ()


@dataclass(frozen=True)
class ClusterView:
    """The Zeebe cluster as one gateway sees it."""

    brokers: tuple[Broker, ...] = field(default_factory=tuple)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "ClusterView":
        """Read the answer of `GET /v1/topology`."""
        return cls(
            tuple(
                Broker(
                    id=int(node["nodeId"]),
                    host=str(node.get("host", "")),
                    replicas=tuple(
                        Replica(
                            partition=int(copy["partitionId"]),
                            role=str(copy.get("role", "")).lower(),
                            healthy=str(copy.get("health", "")).lower() == "healthy",
                        )
                        for copy in node.get("partitions") or ()
                    ),
                )
                for node in answer.get("brokers") or ()
            )
        )

    @property
    def ids(self) -> frozenset[int]:
        """The ids of all brokers in sight."""
        return frozenset(broker.id for broker in self.brokers)

    def missing(self, cluster_size: int) -> list[int]:
        """Return the ids that a cluster of this size has and that are not in sight."""
        return sorted(set(range(cluster_size)) - self.ids)

    def has_leader(self, partition: int) -> bool:
        """Whether some broker leads the partition."""
        return partition in self._led

    @cached_property
    def _led(self) -> frozenset[int]:
        return frozenset(
            copy.partition for broker in self.brokers for copy in broker.replicas if copy.is_leader
        )

    @cached_property
    def healthy_replicas(self) -> Mapping[int, int]:
        """How many healthy replicas each partition has; those without any are left out."""
        return Counter(
            copy.partition for broker in self.brokers for copy in broker.replicas if copy.healthy
        )


def still_visible(view: ClusterView, ids: Collection[int]) -> Message | None:
    """Return which of these brokers the gateway still sees, or None."""
    seen = sorted((each for each in view.brokers if each.id in ids), key=lambda each: each.id)
    if not seen:
        return None
    return messages.still_visible([each.id for each in seen], [each.host for each in seen])


def blind(view: ClusterView, own: Collection[int], ready: Collection[int]) -> Message | None:
    """Return why it proves nothing that a gateway does not see a broker, or None.

    One that has just started, or is cut off from the brokers, sees no broker: not even those of its own region.

    :param own: the ids of the brokers of the gateway's region.
    :param ready: those of them that are ready.
    """
    unseen = sorted(set(ready) - view.ids)
    if unseen:
        return messages.ready_brokers_unseen(unseen)
    if not view.ids & set(own):
        return messages.no_broker_seen()
    return None


def not_joined(view: ClusterView, ids: Collection[int]) -> Message | None:
    """Return which of these brokers have not joined, or None."""
    missing = sorted(set(ids) - view.ids)
    return messages.brokers_not_joined(missing) if missing else None


def missing_brokers(view: ClusterView, cluster_size: int) -> Message | None:
    """Return which of all brokers the gateway does not see, wherever they should run, or None."""
    return not_joined(view, range(cluster_size))


def partitions_not_ready(
    view: ClusterView, *, partition_count: int, healthy_replicas: int
) -> Message | None:
    """Return which partitions lack a leader or healthy replicas, or None.

    :param healthy_replicas: how many healthy replicas each partition must have.
    """
    partitions = range(1, partition_count + 1)
    leaderless = [each for each in partitions if not view.has_leader(each)]
    if leaderless:
        return messages.no_leader(leaderless)
    healthy = {each: view.healthy_replicas.get(each, 0) for each in partitions}
    thin = [each for each in partitions if healthy[each] < healthy_replicas]
    if thin:
        counts = [healthy[each] for each in thin]
        return messages.too_few_healthy_replicas(thin, counts, healthy_replicas)
    return None


@dataclass(frozen=True)
class Distribution:
    """Who holds which partition, as a gateway sees it.

    :ivar holders: of the partitions whose copies are all in sight.
    :ivar partial: of the other ones, with the copies that are in sight.
    """

    holders: Mapping[int, frozenset[int]]
    partial: Mapping[int, frozenset[int]]

    def problem(
        self, lost_regions: Iterable[int], cluster_size: int, *, by_removal: bool
    ) -> Message | None:
        """Return why a failover of one of these regions would not be safe, for all that is in sight; or None.

        :param by_removal: whether lost brokers are removed by force, instead of replaced by failover brokers.
        """
        judge = brokers.removal_problem if by_removal else brokers.failover_problem
        found = (judge(each, cluster_size, self.holders) for each in lost_regions)
        return next(filter(None, found), None)

    def contradiction(self, computed: brokers.Holders) -> Message | None:
        """Return which partition is not held as computed, though not all of its copies are in sight; or None."""
        for partition, seen in self.partial.items():
            others = seen - set(computed[partition])
            if others:
                return messages.held_elsewhere(partition, sorted(others))
        return None


def distribution(
    view: ClusterView, *, partition_count: int, replication_factor: int
) -> Distribution:
    """Return who holds which partition, as far as all copies are in sight."""
    seen: dict[int, set[int]] = {each: set() for each in range(1, partition_count + 1)}
    for broker in view.brokers:
        for copy in broker.replicas:
            if copy.partition in seen:
                seen[copy.partition].add(broker.id)
    return Distribution(
        {each: frozenset(ids) for each, ids in seen.items() if len(ids) >= replication_factor},
        {each: frozenset(ids) for each, ids in seen.items() if len(ids) < replication_factor},
    )


def led_by(view: ClusterView, ids: Collection[int], partitions: Collection[int]) -> list[int]:
    """Return which of these partitions one of these brokers leads, as the gateway sees it."""
    return sorted(
        copy.partition
        for broker in view.brokers
        if broker.id in ids
        for copy in broker.replicas
        if copy.is_leader and copy.partition in partitions
    )


def has_quorum(view: ClusterView, *, partition_count: int) -> bool:
    """Return whether the gateway sees a leader for every partition."""
    return all(view.has_leader(partition) for partition in range(1, partition_count + 1))


@dataclass(frozen=True)
class Exporting:
    """A partition's exporting on one broker: `GET /actuator/partitions`.

    :ivar pod: the broker's pod.
    """

    pod: str
    partition: int
    leader: bool
    phase: str
    exported_position: int
    processed_position: int

    @property
    def is_paused(self) -> bool:
        """Whether exporting is paused, hard or softly."""
        return PAUSED in self.phase

    @property
    def is_paused_softly(self) -> bool:
        """Whether records are exported, and kept all the same: as a backup does it, and never a failback."""
        return self.is_paused and self.phase != PAUSED


def exporting_of(pod: str, answer: Mapping[str, Any]) -> tuple[Exporting, ...]:
    """Read one broker's answer; a partition still being installed has no phase."""
    return tuple(
        Exporting(
            pod=pod,
            partition=int(partition),
            leader=str(state.get("role", "")).upper() == "LEADER",
            phase=str(state.get("exporterPhase") or ""),
            exported_position=int(state.get("exportedPosition") or -1),
            processed_position=int(state.get("processedPosition") or -1),
        )
        for partition, state in answer.items()
    )


def leaders(states: Iterable[Exporting]) -> dict[int, str]:
    """Return the pod of each partition's leader."""
    return {state.partition: state.pod for state in states if state.leader}


def deposed(before: Mapping[int, str], now: Mapping[int, str]) -> Message | None:
    """Return which partitions are led by another broker than before, or None; one without a leader is left out."""
    found = [
        messages.leader_changed(partition, pod, now[partition])
        for partition, pod in sorted(before.items())
        if now.get(partition, pod) != pod
    ]
    return all_of(found)


def exported_positions(states: Iterable[Exporting]) -> dict[int, int]:
    """Return how far each partition has exported, as far as any of its replicas knows; its leader may be unknown."""
    found: dict[int, int] = {}
    for state in states:
        known = found.get(state.partition, state.exported_position)
        found[state.partition] = max(known, state.exported_position)
    return found


def exporting_stuck(
    before: Mapping[int, int], states: Collection[Exporting], partitions: Iterable[int]
) -> Message | None:
    """Return which of these partitions do not export, or None once every position moved since `before`.

    A partition that has exported all it processed counts as moving: there is nothing left to move.
    """
    problems: list[Message] = []
    leading = {state.partition: state for state in states if state.leader}
    for partition in partitions:
        state = leading.get(partition)
        if state is None:
            problems.append(messages.leader_not_among(partition))
        elif state.phase != RUNNING:
            problems.append(_in_other_phase(state, RUNNING))
        elif not _caught_up(state) and not state.exported_position > before.get(
            partition, state.exported_position
        ):
            problems.append(messages.exporter_stands_still(partition, state.exported_position))
    return all_of(problems)


PAUSED, RUNNING = "PAUSED", "EXPORTING"
"""What a broker calls the phase of a partition whose exporters stand still, or work."""


def not_all_in(
    states: Collection[Exporting], phase: str, *, partition_count: int, replication_factor: int
) -> Message | None:
    """Return which replicas' exporters are not known to be in a phase, or None.

    Every replica of every partition must have answered so, as any of them may lead next.

    :param states: of all brokers of all installations.
    """
    replicas = dict.fromkeys(range(1, partition_count + 1), replication_factor)
    return not_all_of(states, phase, replicas)


def not_all_of(
    states: Collection[Exporting], phase: str, replicas: Mapping[int, int]
) -> Message | None:
    """Return which replicas' exporters are not known to be in a phase, or None; see `not_all_in`.

    :param replicas: how many replicas each partition has.
    """
    problems: list[Message] = []
    of_partition: dict[int, list[Exporting]] = defaultdict(list)
    for state in states:
        of_partition[state.partition].append(state)
    for partition, count in replicas.items():
        asked = of_partition[partition]
        if len(asked) != count:
            problems.append(messages.replicas_asked(partition, len(asked), count))
        problems += [_in_other_phase(state, phase) for state in asked if state.phase != phase]
    return all_of(problems)


def _in_other_phase(state: Exporting, expected: str) -> Message:
    return messages.exporter_in_other_phase(
        state.partition, state.pod, state.phase or None, expected
    )


def paused_anywhere(states: Iterable[Exporting]) -> Message | None:
    """Return where exporters are paused, hard or soft, or None."""
    partitions: dict[tuple[str, str], list[int]] = {}
    for state in states:
        if state.is_paused:
            partitions.setdefault((state.pod, state.phase), []).append(state.partition)
    problems = [
        messages.exporters_paused_on(pod, phase, sorted(found))
        for (pod, phase), found in partitions.items()
    ]
    return all_of(problems)


def _caught_up(state: Exporting) -> bool:
    return state.exported_position >= state.processed_position > 0
