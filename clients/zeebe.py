"""Asking Zeebe's gateway: for the topology, and whether commands are accepted."""

from clients.kubernetes import CallFailed, Cluster, Target, understood
from clients.pods import is_ready, trouble
from dualregion.observed.zeebe_answers import ClusterView

GATEWAY = "zeebe-gateway"
"""The gateway's component; its Deployment and Service are called `<release>-zeebe-gateway`."""
GATEWAY_SELECTOR = f"app.kubernetes.io/component={GATEWAY}"
MANAGEMENT_PORT = 9600
REST_PORT = 8080

_PARTITION_BITS = 51
"""Zeebe keys carry their partition above this bit (Protocol.KEY_BITS), so a key names its partition."""


def cluster_view(cluster: Cluster, namespace: str, release: str) -> ClusterView:
    """Return the Zeebe cluster as the gateway of this installation sees it.

    :raises CallFailed: if the gateway does not answer.
    """
    return _view(cluster, _gateway(namespace, release))


def cluster_views(cluster: Cluster, namespace: str, release: str) -> tuple[ClusterView, ...]:
    """Return the Zeebe cluster as each gateway of this installation sees it that is ready.

    What a Service answers is one gateway's word, and another one's the next time: that a broker is gone is proved only
    if none of them sees it.

    :raises CallFailed: if one of them does not answer, or none is ready.
    """
    selector = f"{GATEWAY_SELECTOR},app.kubernetes.io/instance={release}"
    found = cluster.pods(namespace, selector)
    if not found:
        return (cluster_view(cluster, namespace, release),)
    ready = [each.metadata.name for each in found if is_ready(each)]
    if not ready:
        raise CallFailed(f"no gateway of {namespace} is ready{trouble(found)}")
    return tuple(_view(cluster, Target(namespace, "pods", name, REST_PORT)) for name in ready)


def _view(cluster: Cluster, target: Target) -> ClusterView:
    answer = cluster.get(target, "/v1/topology")
    if answer.status != 200:
        what = f"{target} answered {answer.status} to /v1/topology: {answer.body[:120]}"
        raise CallFailed(what, answer.status)
    document = answer.json()
    return understood(f"{target}, asked for /v1/topology,", lambda: ClusterView.of(document))


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
    return f"{release}-{GATEWAY}"


def _gateway(namespace: str, release: str) -> Target:
    return Target(namespace, "services", gateway_name(release), REST_PORT)
