"""How far the two stacks have come: what each one's state holds, and which incident it is about.

A failed `pulumi up` saves no outputs, but every resource it made: progress is read from the gates in
the state. Each gate names its incident, so that none of an earlier incident counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.procedure import (
    B0,
    B1,
    F1,
    F2,
    F3,
    FAILBACK_STEPS,
    FAILOVER_STEPS,
    STEP_IDS,
    N,
    Phase,
    Procedure,
    Role,
    Step,
)
from dualregion.procedure.topology import Kind
from messages.decision import guards as messages


@dataclass(frozen=True)
class Incident:
    """One loss of a region and all that followed: what records and snapshots are named after.

    :ivar number: counts the incidents of this pair of stacks, from 1.
    """

    number: int
    lost_region: int

    def __str__(self) -> str:
        return f"{self.number}-region{self.lost_region}-lost"

    @classmethod
    def parse(cls, text: object) -> "Incident | None":
        """Return the incident that a record names, or None if it names none."""
        found = re.fullmatch(r"(\d+)-region([01])-lost", str(text))
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class Release:
    """A Helm release as a state has it.

    :ivar chart: name and version of the chart that is installed; empty if the provider has not reported it.
    """

    name: str
    namespace: str
    chart: str = ""


@dataclass(frozen=True)
class Recorded:
    """What a stack's outputs remember of its last update.

    :ivar program: the version of the program that made it; None if it did not record it yet.
    :ivar sizes: clusterSize, partitionCount and replicationFactor, by these names.
    :ivar camunda: the setting `camundaVersion` that it was made with; None if it did not record it yet.
    """

    program: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    camunda: str | None = None


@dataclass(frozen=True)
class Stack:
    """What a stack holds: its last outputs, and the resources in its state.

    :ivar phase: None if it has never been updated.
    :ivar nodes: the names of the releases, gates, policies and network ACL rules in its state.
    :ivar region: its own region, by its outputs.
    :ivar gates: the incident that each gate in its state names, by step id.
    :ivar rounds: in which round of it each gate was proved, by step id; the first one where none is named. A failback that is
        backed out of begins the next one.
    :ivar history: the records of all incidents: incident -> step -> record.
    :ivar descriptions: the description that each release in its state has, by node name.
    :ivar values: the values that its last update gave each release, by node name, where they can be seen.
    :ivar claim: the incident in which its state claims a failover, confirmed (gate F0) or not; None without one.
    :ivar records: the record of each gate in its state, by step id.
    :ivar chain_writes: how often the DNS chain had to be written, by its record; 0 without one.
    :ivar releases: the Helm releases in its state, by node name.
    :ivar recorded: what its outputs remember.
    :ivar found_again: whether its state was emptied, and nodes, gates and values are what the cluster has of them.
    :ivar cluster_id: the identity of the cluster that it last updated; None if an earlier version made it.
    :ivar rendered: the digest of what the chart rendered when that was last looked at and was well; else empty.
    """

    phase: Phase | None = None
    lost_region: int | None = None
    nodes: frozenset[str] = frozenset()
    region: int | None = None
    gates: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claim: str | None = None
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    chain_writes: int = 0
    cluster_id: str | None = None
    releases: Mapping[str, Release] = field(default_factory=dict)
    recorded: Recorded = Recorded()
    found_again: bool = False
    rendered: str = ""
    rounds: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        outputs: Mapping[str, Any],
        nodes: frozenset[str] = frozenset(),
        gates: Mapping[str, str] | None = None,
    ) -> "Stack":
        """Read a stack's outputs; an empty mapping is a stack that was never updated.

        :raises ConfigError: if they are not the outputs of this program.
        """
        if not outputs:
            return cls(nodes=nodes, gates=gates or {})
        try:
            lost, region = outputs.get("lostRegion"), outputs.get("region")
            return cls(
                Phase(outputs["phase"]),
                None if lost is None else int(lost),
                nodes,
                None if region is None else int(region),
                gates or {},
                outputs.get("history") or {},
                rendered=str(outputs.get("rendered") or ""),
            )
        except (KeyError, ValueError, TypeError):
            raise ConfigError([messages.outputs_of_another_program()]) from None

    @property
    def has_worked(self) -> bool:
        """Whether its region has worked together with the other one: phase normal was proved, or there was an incident."""
        return bool(self.nodes & STEP_IDS or self.history)

    def proved(self, incident: Incident | None) -> frozenset[str]:
        """Return the ids of the steps that this stack has proved in an incident, in its latest round."""
        latest = self.round_of(incident)
        return frozenset(each for each in self._of(incident) if self.rounds.get(each, 1) == latest)

    def round_of(self, incident: Incident | None) -> int:
        """Return the latest round of an incident, by what this stack has proved in it."""
        return max((self.rounds.get(each, 1) for each in self._of(incident)), default=1)

    def _of(self, incident: Incident | None) -> list[str]:
        return [step for step, name in self.gates.items() if incident and name == str(incident)]

    def counted(self, phase: Phase, incident: Incident | None) -> tuple[frozenset[str], int]:
        """Return the ids of the steps that count as proved in a phase, and the round in which others are proved.

        Gates of a failover and of its failback lie side by side as long as an update did not come to its end. A failback
        has undone what the failover had proved, so nothing of that counts where it is backed out of, and once that has
        begun, nothing of the failback does.
        """
        proved, latest = self.proved(incident), self.round_of(incident)
        if phase is Phase.FAILOVER and not proved.isdisjoint(FAILBACK_STEPS):
            return frozenset(), latest + 1
        return proved, latest

    def incidents(self) -> Iterable[Incident]:
        """Return every incident that this stack knows of."""
        named = (Incident.parse(name) for name in (*self.gates.values(), *self.history))
        return [each for each in named if each is not None]

    def has_taken_over(self, lost_region: int) -> bool:
        """Whether this stack has survived that region: all of its failover is proved."""
        return (
            self.phase is Phase.FAILOVER and self.lost_region == lost_region and F3.id in self.nodes
        )

    @property
    def last_failback(self) -> str | None:
        """The incident of the last failback that this stack has records of, or has ended; None without one."""
        named = (self.gates.get(each.id) for each in (B0, B1, N))
        return next((name for name in named if Incident.parse(name)), None)

    def has_ended(self, incident: Incident | None) -> bool:
        """Whether phase normal was proved after an incident: the record of N names the last one before it.

        The records of its failback are deleted then, those of its end first, and a run may be killed between two of them:
        what is left tells of a failback that was never done.
        """
        return incident is not None and self.gates.get(N.id) == str(incident)

    def serves_alone(self, procedure: Procedure) -> bool:
        """Whether this stack keeps the cluster at work without the other region's own brokers.

        Failover brokers take their place; or they are removed from the cluster, and not yet members again.
        """
        return self._serves_alone(procedure, (F2, F3, B0))

    def may_serve_alone(self, procedure: Procedure) -> bool:
        """Whether it may be so: brokers are removed behind F1, and a run that is killed then proves no F2."""
        return self._serves_alone(procedure, (F1, F2, F3, B0))

    def _serves_alone(self, procedure: Procedure, since: tuple[Step, ...]) -> bool:
        if procedure.has_failover_installation:
            return Kind.FAILOVER in self.nodes
        removed = {self.gates[each.id] for each in since if each.id in self.gates}
        return bool(removed - {self.gates.get(each) for each in (procedure.no_return.id, N.id)})


def current_incident(settings: Settings, own: Stack, peer: Stack) -> Incident | None:
    """Return the incident that this stack's phase is about; None in phase normal, or if it is unknown.

    The survivor's gates decide: a failover begins a new incident unless gates of an unfinished one of
    the same region are there (it continues, or its failback is backed out of). The lost and the recreated
    region follow the survivor.
    """
    if settings.role is Role.MEMBER or settings.lost_region is None:
        return None
    if settings.role is Role.SURVIVOR:
        return _survivors_incident(
            settings.procedure, settings.phase, settings.lost_region, own, peer
        )
    theirs = _latest(peer.gates.values(), settings.lost_region)
    return theirs or _latest(own.gates.values(), settings.lost_region)


def _survivors_incident(
    procedure: Procedure, phase: Phase, lost: int, own: Stack, peer: Stack
) -> Incident | None:
    if phase.is_failback:
        return _latest(own.gates.values(), lost)
    failing_over = [own.gates[each] for each in FAILOVER_STEPS if each in own.gates]
    failing_over += [own.claim] if own.claim else []
    found = (_latest(names, lost) for names in (failing_over, _failing_back(own)))
    unfinished = next((each for each in found if each and not _is_over(own, each, procedure)), None)
    known = [each.number for stack in (own, peer) for each in stack.incidents()]
    return unfinished or Incident(max(known, default=0) + 1, lost)


def _failing_back(own: Stack) -> list[str]:
    return [own.gates[each] for each in FAILBACK_STEPS if each in own.gates]


def _is_over(own: Stack, incident: Incident, procedure: Procedure) -> bool:
    """Return whether a failback has come so far that another loss of the region is another incident."""
    return procedure.no_return.id in own.proved(incident) or own.has_ended(incident)


def _latest(names: Iterable[str], lost_region: int) -> Incident | None:
    found = (Incident.parse(name) for name in names)
    matching = [each for each in found if each is not None and each.lost_region == lost_region]
    return max(matching, key=lambda each: each.number, default=None)


def merged_history(
    history: Mapping[str, Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return all incidents' records, with the present ones added.

    :param records: each gate's record by step id; phase normal's, which names the one before it, belongs to none.
    """
    merged = {incident: dict(steps) for incident, steps in history.items()}
    for step, record in records.items():
        if step != N.id and Incident.parse(record.get("incident")):
            merged.setdefault(str(record["incident"]), {})[step] = dict(record)
    return merged
