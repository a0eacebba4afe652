"""The heart: what is wanted, as a pure function of the settings and the progress of both stacks.

The invariant of every answer: each node that changes brokers stands behind the gate that makes the
change safe. Failover brokers take over the lost brokers' ids, so nothing of them exists before F1 has
proved that the lost ones are out of sight; exporters are repointed only towards an engine that exists.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dualregion import brokers, chaining, claims, failback, installations, procedure
from dualregion.errors import ConfigError
from dualregion.installations import Bases
from dualregion.procedure import Phase, Role
from dualregion.progress import Incident, Stack, current_incident
from dualregion.settings import Settings
from dualregion.topology import ISOLATION, AclRule, Gate, Installation, Kind, Topology


def desired(
    settings: Settings,
    base: Mapping[str, Any],
    peer: Stack,
    own: Stack | None = None,
    failover_values: Mapping[str, Any] | None = None,
) -> Topology:
    """Return what this stack declares.

    :param base: the user's merged Helm values.
    :param peer: the other stack's word; it may lag behind (a lost region cannot say anything).
    :param own: what this stack's own state holds.
    :param failover_values: the user's values for the failover installation, over the others.
    :raises ConfigError: if the two stacks contradict each other.
    """
    own = own or Stack()
    problem = disagreement(settings, peer, own) or unsafe_change(settings, own, peer)
    if problem:
        raise ConfigError([problem])
    bases = Bases.of(base, failover_values)
    topology = _topology(settings, bases, peer, own)
    return _complete(settings, topology, own)


def _complete(settings: Settings, topology: Topology, own: Stack) -> Topology:
    """Return the topology with what stands beside its nodes: DNS, and the isolation on AWS."""
    return replace(
        topology,
        names=chaining.names(settings, topology, own),
        acl_rules=_acl_rules(settings, topology, own),
    )


def _acl_rules(settings: Settings, topology: Topology, own: Stack) -> tuple[AclRule, ...]:
    """Return the rules of network ACLs: they are there exactly while the network policies are.

    A lost region only keeps those that it has: nothing is made in it.
    """
    acls = settings.own.network_acls
    if acls is None or not any(each.cut_cidrs for each in topology.installations):
        return ()
    rules = acls.rules(settings.peer.pod_cidrs)
    if topology.role is Role.LOST:
        return tuple(each for each in rules if each.name in own.nodes)
    return rules


def _topology(settings: Settings, bases: Bases, peer: Stack, own: Stack) -> Topology:
    base = bases.own
    incident = current_incident(settings, own, peer)
    if settings.role is Role.LOST:
        return _lost(settings, base, peer, own)
    if settings.role is Role.RECREATED:
        return failback.recreated(settings, base, peer, own, incident)
    if settings.phase.is_failback:
        return failback.survivor(settings, bases, peer, own, incident)
    if settings.role is Role.SURVIVOR:
        return _survivor(settings, bases, str(incident))
    return _member(settings, base, peer)


def disagreement(settings: Settings, peer: Stack, own: Stack | None = None) -> str | None:
    """Return why the two stacks contradict each other, or None.

    What counts is the other stack's state, which holds what a failed update has made; its outputs are those of the
    last one that succeeded. Lagging behind is no contradiction. Calling different regions lost in one incident is,
    and so is a lost region that would start brokers whose ids the survivor's failover brokers have.
    """
    if peer.region == settings.region:
        return (
            f"region is {settings.region} here and on stack {settings.peer_stack_name}: two stacks of one region "
            "would start the same brokers twice; check region in both Pulumi.<stack>.yaml, and peerStack"
        )
    if settings.phase is Phase.NORMAL:
        return claims.against_normal(settings, peer)
    if settings.phase is Phase.FAILOVER and settings.role is Role.SURVIVOR:
        problem = claims.against_failover(settings, own or Stack(), peer)
        if problem or settings.accept_loss is not None:
            return problem
    ongoing = peer.phase in (Phase.FAILOVER, Phase.FAILBACK_PENDING)
    if not ongoing or peer.lost_region == settings.lost_region:
        return None
    return (
        f"lostRegion is {settings.lost_region} here, but the last update of stack "
        f"{settings.peer_stack_name} was made with lostRegion {peer.lost_region}: "
        "one of the two is wrong; set the same lostRegion on both stacks"
    )


def unsafe_change(settings: Settings, own: Stack, peer: Stack) -> str | None:
    """Return why the phase wanted must not follow on what the stacks hold now, or None."""
    names = own.nodes
    if settings.phase is Phase.NORMAL and Kind.FAILOVER in names:
        return (
            "phase is 'normal', but this stack holds the failover brokers that the cluster needs for its "
            f"quorum: keep phase 'failover' with lostRegion {brokers.other(settings.region)} until the "
            "failback is done (phases failback-pending and restored)"
        )
    if (
        settings.region == settings.lost_region
        and Kind.FAILOVER in names
        and settings.phase is not Phase.NORMAL
        and not claims.is_given_up(settings, own)
    ):
        return (
            f"lostRegion is {settings.lost_region}, this region, but this stack holds the failover brokers "
            f"of a failover of region {brokers.other(settings.region)}: only their own region can be called "
            "lost while they run"
        )
    return failback.unsafe_change(settings, own, peer, current_incident(settings, own, peer))


def _member(settings: Settings, base: Mapping[str, Any], peer: Stack) -> Topology:
    """Phase `normal`: the region's own installation; proved as soon as both regions have one."""
    waiting_for = None
    gates: tuple[Gate, ...] = ()
    if Kind.NORMAL in peer.nodes:
        gates = (Gate(procedure.N, after=(Kind.NORMAL,)),)
    else:
        waiting_for = (
            f"region {settings.peer.name} is not installed yet: run `pulumi up` on stack "
            f"{settings.peer_stack_name}, then here again"
        )
    return Topology(
        Role.MEMBER,
        nodes=(installations.own(settings, base), *gates),
        waiting_for=waiting_for,
    )


def _lost(settings: Settings, base: Mapping[str, Any], peer: Stack, own: Stack) -> Topology:
    """Phase `failover`, step R: nothing, but only once the other region has proved that it took over.

    Before that the region may be healthy, and lostRegion a slip: it stays as it is. One that is only on its
    way back is expendable as long as the failover brokers stand in for it.
    """
    if peer.has_taken_over(settings.region) or failback.is_expendable(own, peer) or not own.nodes:
        return Topology(Role.LOST)
    waiting_for = (
        f"region {settings.own.name} is called lost but stays as it is until region "
        f"{settings.peer.name} has taken over: run `pulumi up` on stack "
        f"{settings.peer_stack_name} first (its phase must be failover), then here again"
    )
    kept = failback.as_it_is(settings, base, own)
    nodes = tuple(each for each in kept.nodes if not _withdrawn(each, settings))
    return replace(kept, nodes=nodes, role=Role.LOST, waiting_for=waiting_for)


def _withdrawn(node: Installation | Gate, settings: Settings) -> bool:
    """Whether a node is a gate of this stack's own failover, which it gives up by calling its own region lost.

    It has no failover brokers, else `unsafe_change` had refused. The other stack waits for that.
    """
    if not isinstance(node, Gate) or node.step not in procedure.FAILOVER_STEPS:
        return False
    incident = Incident.parse(node.incident)
    return incident is not None and incident.lost_region != settings.lost_region


def _survivor(settings: Settings, bases: Bases, incident: str) -> Topology:
    """Phase `failover`, steps F0 to F3; the isolation comes after F0 (`Topology.isolation_after`).

    The survivor's brokers are repointed together with the start of the failover brokers, while there is
    no quorum to lose: docs/adr/0001-order-of-f2-and-f3.md.
    """
    lost = brokers.other(settings.region)
    failover, repointed = (
        replace(each, cut_cidrs=settings.peer.pod_cidrs, after=(procedure.F1.id,))
        for each in (
            installations.failover(settings, bases.failover, replaced_region=lost),
            installations.own(settings, bases.own, replaced_region=lost),
        )
    )
    nodes = (
        Gate(procedure.F0, incident=incident),
        Gate(procedure.F1, after=(ISOLATION,), incident=incident),
        failover,
        repointed,
        Gate(procedure.F2, after=(Kind.FAILOVER, Kind.NORMAL), incident=incident),
        Gate(procedure.F3, after=(procedure.F2.id,), incident=incident),
    )
    return Topology(Role.SURVIVOR, nodes=nodes, isolation_after=(procedure.F0.id,))


def remembered(settings: Settings, own: Stack) -> Topology:
    """Return the topology of a lost region that does not answer: what its state holds, kept as it is.

    Dropping a resource that the provider cannot reach would fail. And the provider looks for itself: the cluster may
    answer it a second later. So each release is declared with the values of its last update, and nothing of it may
    change. Once the cluster answers again, empty or not, the stack declares nothing.
    """
    names = own.nodes
    namespaces = {Kind.NORMAL: settings.own.namespace, Kind.FAILOVER: settings.own.failover}
    kept = (
        Installation(kind, namespaces[kind], own.values.get(kind, {}))
        for kind in Kind
        if kind in names
    )
    topology = Topology(
        Role.LOST,
        nodes=(
            *(
                replace(each, cut_cidrs=settings.peer.pod_cidrs) if each.policy in names else each
                for each in kept
            ),
            *failback.gates_of(own),
        ),
        waiting_for=(
            f"region {settings.own.name} does not answer and is left as it is; once it answers again "
            "(it may be empty, and elsewhere), run `pulumi up` here and it is cleaned"
        ),
        unchanged=True,
    )
    return _complete(settings, topology, own)
