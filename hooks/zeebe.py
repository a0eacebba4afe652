"""Asking Zeebe's gateway: for the topology, and whether commands are accepted."""

from dualregion.observed import ClusterView
from hooks.cluster import CallFailed, Cluster, Target, understood

MANAGEMENT_PORT = 9600
REST_PORT = 8080

_PARTITION_BITS = 51
"""Zeebe keys carry their partition above this bit (Protocol.KEY_BITS), so a key names its partition."""


def cluster_view(cluster: Cluster, namespace: str, release: str) -> ClusterView:
    """Return the Zeebe cluster as the gateway of this installation sees it.

    :raises CallFailed: if the gateway does not answer.
    """
    answer = cluster.get(_gateway(namespace, release), "/v1/topology")
    if answer.status != 200:
        raise CallFailed(f"the gateway answered {answer.status} to /v1/topology", answer.status)
    document = answer.json()
    return understood(
        f"the gateway of {namespace}, asked for /v1/topology,", lambda: ClusterView.of(document)
    )


def refuses_commands(cluster: Cluster, namespace: str, release: str, partition: int) -> str | None:
    """Return why a partition does not process commands, or None.

    It completes a user task that cannot exist (the first key of the partition): a partition at work
    answers that there is none, which proves that the command was written, replicated and processed,
    and leaves nothing behind.
    """
    key = partition << _PARTITION_BITS
    path = f"/v1/user-tasks/{key}/completion"
    try:
        answer = cluster.post(_gateway(namespace, release), path, {"action": "probe"})
    except CallFailed as error:
        return f"partition {partition}: {error}"
    if answer.status == 404 and "NOT_FOUND" in answer.body:
        return None
    return f"partition {partition} answered {answer.status} {answer.body[:120]}"


def gateway_name(release: str) -> str:
    """Return what the chart calls the gateway's Deployment and Service."""
    return f"{release}-zeebe-gateway"


def _gateway(namespace: str, release: str) -> Target:
    return Target(namespace, "services", gateway_name(release), REST_PORT)
