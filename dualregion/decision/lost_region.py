"""What the stack of a region declares that is lost, or not to come back yet: nothing, or just what it holds. Pure.

A lost region is emptied in step R, but only once the other one has proved that it took over; before, it may be healthy,
and called lost by a slip. The same holds of a failback before B0.
"""

from dataclasses import replace

from dualregion.chart import installations
from dualregion.chart.installations import Bases
from dualregion.config.settings import Settings
from dualregion.decision.planning import are_proved, awaited, declare, wait
from dualregion.errors import ConfigError
from dualregion.procedure import B1, B2, FAILOVER_STEPS, Phase, Procedure, Role
from dualregion.procedure.topology import NO_INCIDENT, Gate, Installation, Kind, Topology
from dualregion.procedure.waits import Awaited
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.decision import guards as messages


def lost(settings: Settings, bases: Bases, peer: Stack, own: Stack) -> Topology:
    """Phase `failover`, step R: nothing, but only once the other region has proved that it took over.

    Before that the region may be healthy, and lostRegion a slip: it stays as it is. One that is only on its
    way back is expendable as long as the failover brokers replace its own.
    """
    is_expendable = _is_expendable(settings.procedure, own, peer)
    if peer.has_taken_over(settings.region) or is_expendable or not own.nodes:
        return Topology(Role.LOST)
    kept = _as_it_is(settings, bases, own)
    nodes = tuple(each for each in kept.nodes if not _withdrawn(each, settings))
    return replace(kept, nodes=nodes, role=Role.LOST, waiting=wait(Awaited.TAKEN_OVER, settings))


def remembered(settings: Settings, own: Stack) -> Topology:
    """Return the topology of a lost region that does not answer: what its state holds, kept as it is.

    Dropping a resource that the provider cannot reach would fail. And the provider looks for itself: the cluster may
    answer it a second later. So each release is declared with the values of its last update, and nothing of it may
    change. Once the cluster answers again, empty or not, the stack declares nothing.
    """
    names = own.nodes
    namespaces = settings.namespaces_of(settings.region)
    kept = (
        Installation(kind, namespaces[kind], own.values.get(kind, {}))
        for kind in namespaces
        if kind in names
    )
    return Topology(
        Role.LOST,
        nodes=(
            *(
                replace(each, cut_cidrs=settings.peer.pod_cidrs) if each.policy in names else each
                for each in kept
            ),
            *_gates_of(settings, own),
        ),
        waiting=wait(Awaited.REACHABLE, settings),
        unchanged=True,
    )


def not_yet(
    settings: Settings, bases: Bases, peer: Stack, own: Stack, incident: Incident | None
) -> Topology | None:
    """Return what a region declares that may not come back yet; None if it may.

    Before B0 it is to be empty: once the other one has taken over, what is here is cleaned. Without that the region may
    be healthy, and the phase a slip: it stays as it is.

    :raises ConfigError: if it came back and was lost again.
    """
    proved, theirs = own.proved(incident), peer.proved(incident)
    if B2.id in theirs and B1.id not in proved:
        raise ConfigError([_lost_again(settings, own)])
    turns = settings.procedure.turns_of(settings.role, settings.phase)
    if are_proved(turns[0].needs_other, theirs) or turns[-1].is_complete(proved):
        return None
    waiting = awaited(turns[0], settings)
    if peer.has_taken_over(settings.region) or not own.nodes:
        return Topology(Role.RECREATED, waiting=waiting)
    return replace(_as_it_is(settings, bases, own), waiting=waiting)


def _withdrawn(node: Installation | Gate, settings: Settings) -> bool:
    """Whether a node is a gate of this stack's own failover, which it gives up by calling its own region lost.

    It has no failover brokers, else `unsafe_change` had refused. The other stack waits for that.
    """
    if not isinstance(node, Gate) or node.step.id not in FAILOVER_STEPS:
        return False
    incident = Incident.parse(node.incident)
    return incident is not None and incident.lost_region != settings.lost_region


def _is_expendable(procedure: Procedure, own: Stack, peer: Stack) -> bool:
    """Return whether a recreated region can be given up: its failback is not past the point of no return."""
    incident = own.gates.get(B1.id)
    reopened = incident is not None and peer.gates.get(procedure.no_return.id) == incident
    return incident is not None and peer.serves_alone(procedure) and not reopened


def _as_it_is(settings: Settings, bases: Bases, own: Stack) -> Topology:
    """Return what a lost or recreated region's stack holds, without going on.

    Its releases keep the values of their last update, where these can be seen: what the values files hold by now is
    not taken over into a region that may be healthy, and called lost by a slip.
    """
    held = _held(settings, bases, own)
    nodes = (
        replace(node, values=own.values.get(node.name, node.values))
        if isinstance(node, Installation)
        else node
        for node in held.nodes
    )
    return replace(held, nodes=tuple(nodes), unchanged=True)


def _held(settings: Settings, bases: Bases, own: Stack) -> Topology:
    """Return the last turn of a failback that is complete here, or what there is outside of one."""
    turns = settings.procedure.turns_of(Role.RECREATED, Phase.RESTORED)
    if not turns[0].is_complete(own.gates) or turns[-1].is_complete(own.gates):
        return _whole(settings, bases, own)
    incident = own.gates[turns[0].steps[-1].id]
    if own.has_ended(Incident.parse(incident)):
        return _whole(settings, bases, own)
    last = next(turn for turn in reversed(turns) if turn.is_complete(own.gates))
    return declare(last, settings, bases, incident, own.gates)


def _whole(settings: Settings, bases: Bases, own: Stack) -> Topology:
    """Return the normal installation, if it is held, and the gates."""
    kept = (installations.own(settings, bases.own),) if Kind.NORMAL in own.nodes else ()
    return Topology(settings.role, nodes=(*kept, *_gates_of(settings, own)))


def _gates_of(settings: Settings, own: Stack) -> tuple[Gate, ...]:
    """Return the gates that a stack holds, each of its own incident."""
    return tuple(
        Gate(
            step,
            incident=own.gates.get(step.id, NO_INCIDENT),
            round=own.rounds.get(step.id, 1),
        )
        for step in settings.procedure.steps_by_id.values()
        if step.id in own.nodes
    )


def _lost_again(settings: Settings, own: Stack) -> Message:
    found = (
        messages.record_of_b1_missing if Kind.NORMAL in own.nodes else messages.region_lost_again
    )
    return found(settings.peer_stack_name)
