"""What is left of Camunda where nothing may be: before a region is recreated, and after the failover is retired.

Old data may contradict what the surviving region decided meanwhile, so leftovers are never built upon:
they are named, for an operator to look at and to delete.
"""

from dataclasses import replace

from clients.cluster.kubernetes import CallFailed, Cluster
from clients.installation import LiveInstallation
from dualregion.errors import CredentialsDemanded
from dualregion.procedure.topology import STEP_LABEL
from dualregion.state.progress import Stack
from messages import Message
from messages.steps import releases as messages
from messages.steps import steps as waits
from steps.polling import Waiting


def leftovers(at: LiveInstallation, *, is_own: bool = True) -> list[str]:
    """Return what a namespace holds that a new installation must not meet, each by kind and name.

    Volumes are looked for even if the namespace is gone: they may outlive their claims.

    :param is_own: whether it is the stack's own region. Helm's records are looked for there only: they are Secrets, which
        the other region's stack has no business with; the own one looks again before it installs.
    """
    cluster, namespace = at.cluster, at.namespace
    volumes = [f"volume/{name}" for name in cluster.volumes_of(namespace)]
    if not cluster.has_namespace(namespace):
        return volumes
    return [
        *(_contents if is_own else _workloads_and_claims)(cluster, namespace),
        *volumes,
        *(f"index/{name}" for name in _indices(at)),
    ]


def still_held(own: Stack, cluster: Cluster, namespace: str) -> Stack:
    """Return what a stack holds, which is nothing if its region was recreated.

    One that holds nothing anyway is not looked for: a run that was stopped when the namespace was made, and the
    rights in it were not, may not look into it before they are.
    """
    if own.nodes and is_recreated(cluster, namespace):
        return replace(own, nodes=frozenset(), gates={}, chain_writes=0)
    return own


def is_recreated(cluster: Cluster, namespace: str) -> bool:
    """Return whether nothing that a stack remembers of a namespace is there any more: no release and no gate.

    The namespace itself may be there: in a recreated cluster the program gets its rights in it.
    """
    return not (
        cluster.has_namespace(namespace)
        and (_contents(cluster, namespace) or cluster.config_maps(namespace, STEP_LABEL))
    )


def nothing_left(cluster: Cluster, namespace: str) -> Message | None:
    """Return what is left of a namespace that should be gone with its claims and volumes, or None."""
    if cluster.has_namespace(namespace):
        held = _workloads_and_claims(cluster, namespace)
        return messages.namespace_exists(namespace, held)
    volumes = cluster.volumes_of(namespace)
    if volumes:
        return messages.volumes_left(namespace, volumes)
    return None


def wait_until_ended(cluster: Cluster, namespace: str, waiting: Waiting) -> None:
    """Wait until a namespace that is being deleted is gone, before it is made again: it would take nothing in.

    :raises DeadlineExceeded: naming what it still holds.
    """

    def ending() -> Message | None:
        return nothing_left(cluster, namespace) if cluster.is_ending(namespace) else None

    waiting.until_none(
        waits.namespace_free(namespace),
        ending,
        waits.look_at_namespace(cluster.context, namespace),
    )


def _contents(cluster: Cluster, namespace: str) -> list[str]:
    return [
        *(f"release/{name}" for name in _releases(cluster, namespace)),
        *_workloads_and_claims(cluster, namespace),
    ]


def _workloads_and_claims(cluster: Cluster, namespace: str) -> list[str]:
    return [
        *cluster.workloads(namespace),
        *(f"claim/{name}" for name in cluster.claims(namespace)),
    ]


def _releases(cluster: Cluster, namespace: str) -> list[str]:
    """Return the names of all Helm releases; each has a Secret for each of its revisions."""
    records = cluster.secrets(namespace, "owner=helm")
    return sorted({record.metadata.labels.get("name", record.metadata.name) for record in records})


def _indices(at: LiveInstallation) -> tuple[str, ...]:
    """Return the indices of an installation's own search engine, without those the engine makes for itself.

    None if it does not answer: its StatefulSet is named anyway.
    """
    if at.search_engine_nodes() is None:
        return ()
    try:
        return at.search_engine().indices()
    except (CallFailed, CredentialsDemanded):
        return ()
