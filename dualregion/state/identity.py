"""Whether a kube context still leads to the cluster that it led to before.

A cluster is known by the UID of its namespace kube-system, which it has as long as it lives. Every gate's record and
the stack's outputs keep it: a context that leads elsewhere would have everything of the state refreshed away, and
then recreated in a cluster that belongs to others.
"""

from dataclasses import replace

from dualregion.config.settings import Settings
from dualregion.procedure import B1, B2, Role
from dualregion.state.held import CLUSTER_KEY
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.decision import guards as messages


def is_fixed(
    settings: Settings, own: Stack, incident: Incident | None, peer: Stack | None = None
) -> bool:
    """Return whether the region cannot be another cluster than before.

    A lost one may come back as another, and a recreated one is another until its brokers have joined (B1). If that was
    before the failback was backed out of, the region may have been lost meanwhile: until the survivor builds on it once
    more (B2) it may be another again.

    :param incident: the present one, see `progress.current_incident`.
    :param peer: what the other stack holds, if it is known.
    """
    if settings.role is Role.LOST:
        return False
    if settings.role is not Role.RECREATED:
        return True
    begun_again = peer is not None and peer.round_of(incident) > 1
    is_built_on = peer is None or B2.id in peer.proved(incident)
    return B1.id in own.proved(incident) and (is_built_on or not begun_again)


def depends_on_recreated(
    settings: Settings, own: Stack, peer: Stack, incident: Incident | None
) -> bool:
    """Return whether a survivor is to begin with what the recreated region's stack has proved, and has not begun."""
    return (
        settings.role is Role.SURVIVOR
        and settings.phase.is_failback
        and B1.id in peer.proved(incident)
        and B2.id not in own.proved(incident)
    )


def without_elsewhere(stack: Stack, cluster_id: str) -> Stack:
    """Return what a stack holds, but for the gates that it proved in another cluster than this one.

    A recreated region may be lost again, and recreated once more, before its stack is updated: until then its state holds
    what was proved in the former cluster. A gate of an earlier version, which names none, counts.
    """
    gone = {
        step
        for step, record in stack.records.items()
        if record.get(CLUSTER_KEY) not in (None, cluster_id)
    }
    if not gone:
        return stack
    return replace(
        stack,
        nodes=stack.nodes - gone,
        gates={step: name for step, name in stack.gates.items() if step not in gone},
        records={step: each for step, each in stack.records.items() if step not in gone},
        rounds={step: number for step, number in stack.rounds.items() if step not in gone},
    )


def other_cluster(
    settings: Settings,
    own: Stack,
    incident: Incident | None,
    seen: str,
    peer: Stack | None = None,
) -> Message | None:
    """Return why the cluster that answers is not the region's, or None.

    :param own: what the stack's state holds; one of an earlier version does not know its cluster.
    :param seen: the cluster's identity.
    :param peer: what the other stack holds, if it is known.
    """
    known = own.cluster_id
    if known is None or known == seen or not is_fixed(settings, own, incident, peer):
        return None
    if settings.accept_cluster == seen:
        return None
    return messages.another_cluster(
        settings.own.kube_context, settings.region, settings.own.name, seen, known
    )


def remembered_cluster(
    settings: Settings,
    own: Stack,
    incident: Incident | None,
    seen: str | None,
    peer: Stack | None = None,
) -> str | None:
    """Return the identity that the stack's outputs are to keep; see `other_cluster`.

    :param seen: the cluster's identity; None if it does not answer.
    :param peer: what the other stack holds, if it is known.
    """
    if settings.role is Role.LOST and not own.nodes:
        # Nothing is left that would be in another cluster: the region may be recreated in whatever answers then.
        return None
    return seen if seen and is_fixed(settings, own, incident, peer) else own.cluster_id
