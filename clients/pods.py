"""Broker pods: whether a rollout is done, and restarting what still runs the old configuration."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clients.kubernetes import Cluster

BROKER_SELECTOR = "app.kubernetes.io/component=zeebe-broker"
ENGINE_SELECTOR = "app.kubernetes.io/name=elasticsearch"
REVISION_LABEL = "controller-revision-hash"

Sleeping = Callable[[int], bool]
"""Whether the broker of an ordinal sleeps: runs without ever becoming ready, under an id that another holds."""


def none_sleep(ordinal: int) -> bool:
    """Say that no broker sleeps."""
    del ordinal
    return False


def label(selector: str) -> tuple[str, str]:
    """Return the label, with its value, that a selector of one names."""
    key, _, value = selector.partition("=")
    return key, value


def rollout_pending(cluster: Cluster, namespace: str, release: str) -> str | None:
    """Return why the brokers' StatefulSet is not rolled out, or None."""
    name = f"{release}-zeebe"
    stateful_set = cluster.stateful_set(namespace, name)
    if stateful_set is None:
        return f"StatefulSet {name} does not exist in {namespace}"
    wanted, status = stateful_set.spec.replicas, stateful_set.status
    if (status.observed_generation or 0) < stateful_set.metadata.generation:
        return f"StatefulSet {name} has not been looked at by its controller yet"
    if not wanted:
        return f"StatefulSet {name} in {namespace} is scaled to nothing"
    updated = len(_current(cluster, namespace, release, status.update_revision))
    if updated < wanted:
        return f"{updated} of {wanted} brokers in {namespace} run the new configuration"
    ready = status.ready_replicas or 0
    if ready < wanted:
        return f"{ready} of {wanted} brokers in {namespace} ready{trouble(broker_pods(cluster, namespace, release))}"
    return None


def search_engine_pending(cluster: Cluster, namespace: str, release: str) -> str | None:
    """Return why an installation's search engine is not ready, or None.

    All of its nodes are looked at, whatever kinds of them the values want: each kind has a StatefulSet of its own.
    """
    master = f"{release}-elasticsearch-master"
    selector = f"{ENGINE_SELECTOR},app.kubernetes.io/instance={release}"
    found = cluster.stateful_sets(namespace, selector)
    if master not in (each.metadata.name for each in found):
        return f"StatefulSet {master} does not exist in {namespace}"
    if any(each.metadata.name == master and not each.spec.replicas for each in found):
        return f"StatefulSet {master} in {namespace} is scaled to nothing"
    wanted = sum(each.spec.replicas for each in found)
    ready = sum(min(each.status.ready_replicas or 0, each.spec.replicas) for each in found)
    if ready >= wanted:
        return None
    nodes = cluster.pods(namespace, selector)
    return f"{ready} of {wanted} search engine nodes in {namespace} ready{trouble(nodes)}"


def wrong_environment(
    cluster: Cluster, namespace: str, release: str, wanted: Mapping[str, str]
) -> str | None:
    """Return where the brokers' environment differs from what is wanted, or None.

    Looks at the StatefulSet and at every running pod; of a name that stands twice the last one counts.
    """
    stateful_set = cluster.stateful_set(namespace, f"{release}-zeebe")
    if stateful_set is None:
        return f"StatefulSet {release}-zeebe does not exist in {namespace}"
    specs = [(f"StatefulSet {release}-zeebe", stateful_set.spec.template.spec)]
    specs += [(pod.metadata.name, pod.spec) for pod in broker_pods(cluster, namespace, release)]
    for owner, spec in specs:
        actual = {entry.name: entry.value for entry in _broker_container(spec).env or ()}
        for name, value in wanted.items():
            if actual.get(name) != value:
                return f"{owner} has {name}={actual.get(name)!r}, wanted is {value!r}"
    return None


def exporter_environment(stateful_set: Any) -> list[dict[str, Any]]:
    """Return the brokers' environment as Helm has rendered it, in the form of `zeebe.env`."""
    env = _broker_container(stateful_set.spec.template.spec).env or ()
    return [
        {"name": each.name, "value": each.value, "valueFrom": each.value_from is not None}
        for each in env
    ]


def _broker_container(spec: Any) -> Any:
    """Return the broker's container; a service mesh may have put its own before it."""
    named = [each for each in spec.containers if each.name == "zeebe"]
    return (named or spec.containers)[0]


def broker_pods(cluster: Cluster, namespace: str, release: str) -> list[Any]:
    """Return the broker pods of an installation: those that its StatefulSet made.

    Labels alone do not tell: a debug pod may bear them.
    """
    name = f"{release}-zeebe"
    found = cluster.pods(namespace, f"{BROKER_SELECTOR},app.kubernetes.io/instance={release}")
    return [pod for pod in found if _is_member(pod, name)]


def ordinal_of(pod: Any) -> int:
    """Return the ordinal of a StatefulSet's pod."""
    return int(pod.metadata.name.rsplit("-", 1)[1])


def _is_member(pod: Any, stateful_set: str) -> bool:
    owners = pod.metadata.owner_references or ()
    owned = any((each.kind, each.name) == ("StatefulSet", stateful_set) for each in owners)
    return owned and re.fullmatch(rf"{re.escape(stateful_set)}-\d+", pod.metadata.name) is not None


def restart_stale(
    cluster: Cluster, namespace: str, release: str, *, leaderless: bool, say: Callable[[str], None]
) -> None:
    """Delete the broker pods that run an old configuration, all at once, while that costs nothing.

    As long as some partition has no leader, no command of it is accepted anyway, and a rolling update
    would stop at the first pod that cannot become ready without quorum. As soon as every partition has
    a leader, the StatefulSet's own rolling update goes on, one broker at a time. A broker that does not run
    is no replica that could be taken away.

    :param leaderless: whether it was seen that no quorum is to be lost; else only what does not run is deleted.
    """
    stateful_set = cluster.stateful_set(namespace, f"{release}-zeebe")
    if stateful_set is None:
        return
    status = stateful_set.status
    if (status.observed_generation or 0) < stateful_set.metadata.generation:
        return
    for pod in broker_pods(cluster, namespace, release):
        stale = pod.metadata.labels.get(REVISION_LABEL) != status.update_revision
        if not stale or pod.metadata.deletion_timestamp is not None:
            continue
        if leaderless or has_ended(pod):
            why = "there is no quorum to lose" if leaderless else "it does not run"
            say(f"restarting {pod.metadata.name} in {namespace}: {why}")
            cluster.delete_pod(namespace, pod.metadata.name, pod.metadata.uid)


def is_ready(pod: Any) -> bool:
    """Return whether a pod is ready and stays."""
    conditions = pod.status.conditions or ()
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return ready and pod.metadata.deletion_timestamp is None


def has_ended(pod: Any) -> bool:
    """Return whether a broker's container is known not to run: it has ended, and may be started again later."""
    statuses = pod.status.container_statuses or ()
    named = [each for each in statuses if each.name == "zeebe"] or list(statuses[:1])
    return any(
        each.state.running is None and (each.restart_count or each.state.terminated)
        for each in named
    )


def _current(cluster: Cluster, namespace: str, release: str, revision: str) -> list[Any]:
    return [
        pod
        for pod in broker_pods(cluster, namespace, release)
        if pod.metadata.labels.get(REVISION_LABEL) == revision
        and pod.metadata.deletion_timestamp is None
    ]


def trouble(found: Iterable[Any]) -> str:
    """Return what keeps one of these pods from starting, for the operator to see without kubectl."""
    for pod in found:
        for status in pod.status.container_statuses or ():
            waiting = status.state.waiting
            if waiting is not None and waiting.reason not in (
                "ContainerCreating",
                "PodInitializing",
            ):
                return f"; {pod.metadata.name}: {waiting.reason} {waiting.message or ''}".rstrip()
        for condition in pod.status.conditions or ():
            if condition.type == "PodScheduled" and condition.status == "False":
                return f"; {pod.metadata.name}: {condition.message}"
    return ""
