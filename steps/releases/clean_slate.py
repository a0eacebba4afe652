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

    Volumes are looked for even if the namespace is gone: they may outlive their claims. A search engine that is not the
    chart's is there before the installation, and is none of it; what it holds of users is.

    :param is_own: whether it is the stack's own region. Helm's records are looked for there only: they are Secrets, which
        the other region's stack has no business with; the own one looks again before it installs.
    :raises CallFailed: if it cannot be told.
    :raises CredentialsDemanded: if a search engine that is not the chart's does not let the program look.
    """
    cluster, namespace = at.cluster, at.namespace
    kept = _claims_of_engine(at)
    volumes = [f"volume/{name}" for name in cluster.volumes_of(namespace, but_of=kept)]
    if not cluster.has_namespace(namespace):
        return volumes
    others = at.engine_address.others
    return [
        *(_contents(at) if is_own else _workloads_and_claims(cluster, namespace, others)),
        *volumes,
        *(f"index/{name}" for name in _indices(at)),
    ]


def await_leftovers(at: LiveInstallation, waiting: Waiting, *, is_own: bool = True) -> list[str]:
    """Return what `leftovers` does, once a search engine that is not the chart's says what it holds: no answer is not empty.

    :raises DeadlineExceeded: if it does not answer.
    :raises CredentialsDemanded: if it does not let the program look.
    """
    if at.engine_address.login is None:
        return leftovers(at, is_own=is_own)
    return waiting.answer(
        waits.leftovers_known(at.namespace),
        lambda: leftovers(at, is_own=is_own),
        waits.look_at_pods(at.kubectl),
    )


def still_held(own: Stack, at: LiveInstallation) -> Stack:
    """Return what a stack holds, which is nothing if its region was recreated.

    One that holds nothing anyway is not looked for: a run that was stopped when the namespace was made, and the
    rights in it were not, may not look into it before they are.
    """
    if own.nodes and is_recreated(at):
        return replace(own, nodes=frozenset(), gates={}, chain_writes=0)
    return own


def is_recreated(at: LiveInstallation) -> bool:
    """Return whether nothing that a stack remembers of a namespace is there any more: no release and no gate.

    The namespace itself may be there: in a recreated cluster the program gets its rights in it, and its owner installs a
    search engine that is not the chart's.
    """
    cluster, namespace = at.cluster, at.namespace
    return not (
        cluster.has_namespace(namespace)
        and (_contents(at) or cluster.config_maps(namespace, STEP_LABEL))
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


def _contents(at: LiveInstallation) -> list[str]:
    return [
        *(f"release/{name}" for name in _releases(at)),
        *_workloads_and_claims(at.cluster, at.namespace, at.engine_address.others),
    ]


def _workloads_and_claims(cluster: Cluster, namespace: str, selector: str = "") -> list[str]:
    return [
        *cluster.workloads(namespace, selector),
        *(f"claim/{name}" for name in cluster.claims(namespace, selector)),
    ]


def _claims_of_engine(at: LiveInstallation) -> list[str]:
    """Return the claims of a search engine that is not the chart's."""
    address = at.engine_address
    return [] if address.login is None else at.cluster.claims(at.namespace, address.selector)


def _releases(at: LiveInstallation) -> list[str]:
    """Return the names of all Helm releases; each has a Secret for each of its revisions.

    A search engine that is not the chart's may be a release of its own: beside such a one only Camunda's counts.
    """
    records = at.cluster.secrets(at.namespace, "owner=helm")
    found = {record.metadata.labels.get("name", record.metadata.name) for record in records}
    is_alone = at.engine_address.login is None
    return sorted(each for each in found if is_alone or each == at.release)


def _indices(at: LiveInstallation) -> tuple[str, ...]:
    """Return the indices of an installation's own search engine, without those the engine makes for itself.

    None if the chart's does not answer: its StatefulSet is named anyway. One beside the chart is none of what is left, and
    nothing else tells what it holds.

    :raises CallFailed: if an engine beside the chart does not answer.
    :raises CredentialsDemanded: if it wants others than those of its Secret.
    """
    if at.search_engine_nodes() is None:
        return ()
    try:
        return at.search_engine().indices()
    except (CallFailed, CredentialsDemanded):
        if at.engine_address.login is not None:
            raise
        return ()
