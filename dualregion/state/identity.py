"""Whether a kube context still leads to the cluster that it led to before.

A cluster is known by the UID of its namespace kube-system, which it has as long as it lives. Every gate's record and
the stack's outputs keep it: a context that leads elsewhere would have everything of the state refreshed away, and
then recreated in a cluster that belongs to others.
"""

from dualregion.config.settings import Settings
from dualregion.procedure import B1, Role
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.decision import guards as messages


def is_fixed(settings: Settings, own: Stack, incident: Incident | None) -> bool:
    """Return whether the region cannot be another cluster than before.

    A lost one may come back as another, and a recreated one is another until its brokers have joined (B1).

    :param incident: the present one, see `progress.current_incident`.
    """
    if settings.role is Role.LOST:
        return False
    return settings.role is not Role.RECREATED or B1.id in own.proved(incident)


def other_cluster(
    settings: Settings, own: Stack, incident: Incident | None, seen: str
) -> Message | None:
    """Return why the cluster that answers is not the region's, or None.

    :param own: what the stack's state holds; one of an earlier version does not know its cluster.
    :param seen: the cluster's identity.
    """
    known = own.cluster_id
    if known is None or known == seen or not is_fixed(settings, own, incident):
        return None
    if settings.accept_cluster == seen:
        return None
    return messages.another_cluster(
        settings.own.kube_context, settings.region, settings.own.name, seen, known
    )


def remembered_cluster(
    settings: Settings, own: Stack, incident: Incident | None, seen: str | None
) -> str | None:
    """Return the identity that the stack's outputs are to keep; see `other_cluster`.

    :param seen: the cluster's identity; None if it does not answer.
    """
    if settings.role is Role.LOST and not own.nodes:
        # Nothing is left that would be in another cluster: the region may be recreated in whatever answers then.
        return None
    return seen if seen and is_fixed(settings, own, incident) else own.cluster_id
