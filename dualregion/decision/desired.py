"""The heart: what is wanted, as a pure function of the settings and the progress of both stacks.

The invariant of every answer: each node that changes brokers stands behind the gate that makes the
change safe. Failover brokers take over the lost brokers' ids, so nothing of them exists before F1 has
proved that the lost ones are out of sight; exporters are repointed only towards an engine that exists.

What a stack declares in which turn is the table's word, `dualregion.procedure.camunda_8_5`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dualregion.chart.installations import Bases
from dualregion.config.settings import Settings
from dualregion.decision import dns_chain, lost_region, planning
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ConfigError
from dualregion.procedure import N, Role
from dualregion.procedure.topology import AclRule, Kind, Topology
from dualregion.procedure.waits import Awaited
from dualregion.state.progress import Stack, current_incident


def desired(
    settings: Settings,
    base: Mapping[str, Any],
    peer: Stack,
    own: Stack | None = None,
    failover_values: Mapping[str, Any] | None = None,
) -> Topology:
    """Return what this stack declares.

    :param base: the user's merged Helm values.
    :param peer: what the other stack holds; it may lag behind (a lost region cannot be updated).
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


def remembered(settings: Settings, own: Stack) -> Topology:
    """Return the topology of a lost region that does not answer; see `lost_region.remembered`."""
    return _complete(settings, lost_region.remembered(settings, own), own)


def _complete(settings: Settings, topology: Topology, own: Stack) -> Topology:
    """Return the topology with what stands beside its nodes: DNS, and the isolation on AWS."""
    return replace(
        topology,
        names=dns_chain.names(settings, topology, own),
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
    if settings.role is Role.MEMBER:
        return _member(settings, bases, peer, own)
    if settings.role is Role.LOST:
        return lost_region.lost(settings, bases, peer, own)
    incident = current_incident(settings, own, peer)
    if settings.role is Role.RECREATED:
        waiting = lost_region.not_yet(settings, bases, peer, own, incident)
        if waiting is not None:
            return waiting
    return planning.plan(settings, bases, own, peer, incident)


def _member(settings: Settings, bases: Bases, peer: Stack, own: Stack) -> Topology:
    """Phase `normal`: the region's own installation; proved as soon as both regions have one.

    The proof stays when the other region is gone: it keeps that one from coming back empty in phase `normal`.
    """
    topology = planning.plan(settings, bases, own, peer, None)
    if Kind.NORMAL in peer.nodes:
        return topology
    waiting = planning.wait(Awaited.OTHER_INSTALLED, settings)
    nodes = topology.nodes if N.id in own.nodes else topology.installations
    return replace(topology, nodes=nodes, waiting=waiting)
