"""Which cluster a kube context leads to, held against the one that the state remembers."""

from clients.cluster.kubernetes import Cluster
from dualregion.config.settings import Settings
from dualregion.errors import Refused
from dualregion.procedure import Role
from dualregion.state.identity import other_cluster
from dualregion.state.progress import Incident, Stack


def check(
    cluster: Cluster, settings: Settings, own: Stack, incident: Incident | None
) -> str | None:
    """Return the cluster's identity; of a lost region None, as it may be any.

    :param own: what the stack's state holds, before anything of it is taken for gone.
    :raises Refused: if it is another cluster than the region's.
    :raises CallFailed: if it does not answer.
    """
    if settings.role is Role.LOST:
        return None
    seen = cluster.identity()
    if problem := other_cluster(settings, own, incident, seen):
        raise Refused(problem)
    return seen
