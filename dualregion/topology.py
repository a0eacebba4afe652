"""The heart: what is wanted, as a pure function of the settings and the peer's progress.

The invariant of every answer: each node that changes brokers stands behind the gate that makes the
change safe. Failover brokers take over the lost brokers' ids, so nothing of them exists before F1 has
proved that the lost ones are out of sight; exporters are repointed only towards an engine that exists.

A topology is a graph of named nodes: the isolation, the installations and the gates. `after` names
what must be there (and, for gates, be proved) first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dualregion import brokers, procedure, values
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role, Step
from dualregion.settings import Settings


class Kind(StrEnum):
    """The two installations that a region can hold; also their node names."""

    NORMAL = "normal"
    FAILOVER = "failover"


ISOLATION = "isolation"
"""The node name of the network isolation: a network policy in the namespace of every installation."""


@dataclass(frozen=True)
class Installation:
    """A namespace with one Helm release of Camunda in it.

    :ivar cut_cidrs: address ranges that a network policy in the namespace cuts, both ways.
    :ivar after: the nodes that come before the release; the namespace and its policy wait for nothing.
    """

    kind: Kind
    namespace: str
    values: Mapping[str, Any]
    cut_cidrs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its node name."""
        return self.kind.value

    @property
    def policy(self) -> str:
        """The node name of its network policy."""
        return f"{self.kind}-{ISOLATION}"


@dataclass(frozen=True)
class Gate:
    """A step that is proved before what stands after it happens."""

    step: Step
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its node name."""
        return self.step.id


@dataclass(frozen=True)
class Topology:
    """What one region's stack declares.

    :ivar nodes: installations and gates, each after everything that it stands behind.
    :ivar waiting_for: what the stack cannot do before the other one has moved, and what to type; None
        if it has gone as far as its phase goes.
    """

    role: Role
    nodes: tuple[Installation | Gate, ...] = ()
    waiting_for: str | None = None

    @property
    def installations(self) -> tuple[Installation, ...]:
        """The installations among the nodes."""
        return tuple(node for node in self.nodes if isinstance(node, Installation))

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates among the nodes, in the order of the procedure."""
        return tuple(node for node in self.nodes if isinstance(node, Gate))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of all installations."""
        return tuple(installation.namespace for installation in self.installations)


@dataclass(frozen=True)
class Peer:
    """What the other region's stack holds: its last outputs, and the resources in its state.

    A failed `pulumi up` saves no outputs, but every resource it made: progress is read from these.

    :ivar phase: None if it has never been updated.
    :ivar region: which region it says it is.
    :ivar nodes: the names of the releases, gates and policies in its state.
    """

    phase: Phase | None = None
    lost_region: int | None = None
    nodes: frozenset[str] = frozenset()
    region: int | None = None

    @classmethod
    def of(cls, outputs: Mapping[str, Any], nodes: frozenset[str] = frozenset()) -> "Peer":
        """Read the other stack's outputs; an empty mapping is a stack that was never updated.

        :raises ConfigError: if they are not the outputs of this program.
        """
        if not outputs:
            return cls(nodes=nodes)
        try:
            lost, region = outputs.get("lostRegion"), outputs.get("region")
            return cls(
                Phase(outputs["phase"]),
                None if lost is None else int(lost),
                nodes,
                None if region is None else int(region),
            )
        except (KeyError, ValueError, TypeError):
            raise ConfigError(
                ["the outputs of the other region's stack are not this program's: check peerStack"]
            ) from None

    @property
    def installed(self) -> bool:
        """Whether the other region has its normal installation."""
        return Kind.NORMAL in self.nodes

    def has_taken_over(self, lost_region: int) -> bool:
        """Whether the other region has survived this one: all of its failover is proved."""
        return (
            self.phase is Phase.FAILOVER
            and self.lost_region == lost_region
            and procedure.F3.id in self.nodes
        )


def desired(
    settings: Settings, base: Mapping[str, Any], peer: Peer, names: frozenset[str] = frozenset()
) -> Topology:
    """Return what this stack declares.

    :param base: the user's merged Helm values.
    :param peer: the other stack's word; it may lag behind (a lost region cannot say anything).
    :param names: the node names that this stack's own state holds.
    :raises ConfigError: if the two stacks contradict each other.
    """
    contradiction = disagreement(settings, peer)
    if contradiction:
        raise ConfigError([contradiction])
    if settings.role is Role.LOST:
        return _lost(settings, base, peer, names)
    if settings.role is Role.SURVIVOR:
        return _survivor(settings, base)
    return _member(settings, base, peer)


def disagreement(settings: Settings, peer: Peer) -> str | None:
    """Return why the two stacks contradict each other, or None.

    Lagging behind is no contradiction. Calling different regions lost in one incident is, and so is
    a lost region that would start brokers whose ids the survivor's failover brokers have.
    """
    if peer.region == settings.region:
        return (
            f"region is {settings.region} here and on stack {settings.peer_stack_name}: two stacks of one region "
            "would start the same brokers twice; check region in both Pulumi.<stack>.yaml, and peerStack"
        )
    if settings.phase is Phase.NORMAL:
        stands_in = peer.phase is Phase.FAILOVER and peer.lost_region == settings.region
        if stands_in or Kind.FAILOVER in peer.nodes:
            return (
                f"phase is 'normal' here, but stack {settings.peer_stack_name} stands in for this region with "
                f"failover brokers of the same ids: set phase failover and lostRegion {settings.region} here too"
            )
        return None
    if peer.phase in (None, Phase.NORMAL) or peer.lost_region == settings.lost_region:
        return None
    return (
        f"lostRegion is {settings.lost_region} here, but the last update of stack "
        f"{settings.peer_stack_name} was made with lostRegion {peer.lost_region}: "
        "one of the two is wrong; set the same lostRegion on both stacks"
    )


def unsafe_change(settings: Settings, names: frozenset[str]) -> str | None:
    """Return why the phase wanted must not follow on what the stack holds now, or None.

    :param names: the node names that the stack's state holds.
    """
    if settings.phase is Phase.NORMAL and Kind.FAILOVER in names:
        return (
            "phase is 'normal', but this stack holds the failover brokers that the cluster needs for its "
            f"quorum: keep phase 'failover' with lostRegion {brokers.other(settings.region)} until the "
            "failback is done"
        )
    if settings.role is Role.LOST and Kind.FAILOVER in names:
        return (
            f"lostRegion is {settings.lost_region}, this region, but this stack holds the failover brokers "
            f"of a failover of region {brokers.other(settings.region)}: only their own region can be called "
            "lost while they run"
        )
    return None


def _member(settings: Settings, base: Mapping[str, Any], peer: Peer) -> Topology:
    """Phase `normal`: the region's own installation; proved as soon as both regions have one."""
    waiting_for = None
    gates: tuple[Gate, ...] = ()
    if peer.installed:
        gates = (Gate(procedure.N, after=(Kind.NORMAL,)),)
    else:
        waiting_for = (
            f"region {settings.peer.name} is not installed yet: run `pulumi up` on stack "
            f"{settings.peer_stack_name}, then here again"
        )
    installation = Installation(
        Kind.NORMAL,
        settings.own.namespace,
        values.installation_values(
            base,
            settings,
            region_id=settings.region,
            installation_type="",
            exporters=values.exporter_urls(settings, replaced_region=None),
        ),
    )
    return Topology(Role.MEMBER, nodes=(installation, *gates), waiting_for=waiting_for)


def _lost(
    settings: Settings, base: Mapping[str, Any], peer: Peer, names: frozenset[str]
) -> Topology:
    """Phase `failover`, step R: nothing, but only once the other region has proved that it took over.

    Before that the region may be healthy, and lostRegion a slip: it stays as it is.
    """
    if peer.has_taken_over(settings.region) or not names:
        return Topology(Role.LOST)
    kept = _member(settings, base, Peer()).installations if Kind.NORMAL in names else ()
    return Topology(
        Role.LOST,
        nodes=(*kept, *_gates_in(names)),
        waiting_for=(
            f"region {settings.own.name} is called lost but stays as it is until region "
            f"{settings.peer.name} has taken over: run `pulumi up` on stack "
            f"{settings.peer_stack_name} first, then here again"
        ),
    )


def _gates_in(names: frozenset[str]) -> tuple[Gate, ...]:
    return tuple(Gate(step) for step in procedure.STEPS.values() if step.id in names)


def _survivor(settings: Settings, base: Mapping[str, Any]) -> Topology:
    """Phase `failover`, steps F1 to F3.

    The survivor's brokers are repointed together with the start of the failover brokers, while there is
    no quorum to lose: docs/adr/0001-order-of-f2-and-f3.md.
    """
    lost = brokers.other(settings.region)
    exporters = values.exporter_urls(settings, replaced_region=lost)
    failover = Installation(
        Kind.FAILOVER,
        settings.own.failover,
        values.installation_values(
            base,
            settings,
            region_id=lost,
            installation_type="failOver",
            exporters=exporters,
            web_apps=False,
        ),
        cut_cidrs=settings.peer.pod_cidrs,
        after=(procedure.F1.id,),
    )
    repointed = Installation(
        Kind.NORMAL,
        settings.own.namespace,
        values.installation_values(
            base,
            settings,
            region_id=settings.region,
            installation_type="",
            exporters=exporters,
        ),
        cut_cidrs=settings.peer.pod_cidrs,
        after=(procedure.F1.id,),
    )
    nodes = (
        Gate(procedure.F1, after=(ISOLATION,)),
        failover,
        repointed,
        Gate(procedure.F2, after=(Kind.FAILOVER, Kind.NORMAL)),
        Gate(procedure.F3, after=(procedure.F2.id,)),
    )
    return Topology(Role.SURVIVOR, nodes=nodes)


def remembered(settings: Settings, names: frozenset[str]) -> Topology:
    """Return the topology of a lost region that does not answer: what its state holds, kept as it is.

    The provider skips every change while the cluster is unreachable, so values do not matter here;
    dropping a resource it cannot reach would fail. Once the cluster answers again, empty or not, the
    stack declares nothing.

    :param names: the node names that the stack's state holds.
    """
    namespaces = {Kind.NORMAL: settings.own.namespace, Kind.FAILOVER: settings.own.failover}
    installations = (Installation(kind, namespaces[kind], {}) for kind in Kind if kind in names)
    return Topology(
        Role.LOST,
        nodes=(
            *(
                replace(each, cut_cidrs=settings.peer.pod_cidrs) if each.policy in names else each
                for each in installations
            ),
            *_gates_in(names),
        ),
        waiting_for=(
            f"region {settings.own.name} does not answer and is left as it is; once it answers again "
            "(it may be empty, and elsewhere), run `pulumi up` here and it is cleaned"
        ),
    )
