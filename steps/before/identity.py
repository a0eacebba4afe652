"""Which cluster a kube context leads to, held against the one that the state remembers."""

from contextlib import suppress

from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.config.settings import Settings
from dualregion.errors import ClusterUnreachable, Refused
from dualregion.procedure import Role
from dualregion.state.identity import depends_on_recreated, other_cluster, without_elsewhere
from dualregion.state.progress import Incident, Stack


def check(
    cluster: Cluster,
    settings: Settings,
    own: Stack,
    incident: Incident | None,
    peer: Stack | None = None,
) -> str | None:
    """Return the cluster's identity; of a lost region None, as it may be any.

    :param own: what the stack's state holds, before anything of it is taken for gone.
    :param peer: what the other stack holds, if it is known.
    :raises Refused: if it is another cluster than the region's.
    :raises CallFailed: if it does not answer.
    """
    if settings.role is Role.LOST:
        return None
    seen = cluster.identity()
    if problem := other_cluster(settings, own, incident, seen, peer):
        raise Refused(problem)
    return seen


def present(settings: Settings, own: Stack, peer: Stack, incident: Incident | None) -> Stack:
    """Return what the other stack holds, without what it proved in a cluster that is there no more.

    A survivor that is to build on it looks which cluster answers; one that does not answer is left to the step that asks it.
    """
    if not depends_on_recreated(settings, own, peer, incident):
        return peer
    with suppress(CallFailed, ClusterUnreachable):
        theirs = Cluster(settings.kubeconfig, settings.peer.kube_context)
        return without_elsewhere(peer, theirs.identity())
    return peer
