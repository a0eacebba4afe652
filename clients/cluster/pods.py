"""Pods: whether one is ready, runs or has ended, and what keeps it from starting."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from dualregion.procedure.versions import VERSIONS
from messages import Message
from messages.clients import installations as messages

BROKER_SELECTOR = "app.kubernetes.io/component=zeebe-broker"
BROKER_CONTAINERS = frozenset(each.brokers.container for each in VERSIONS.values())
REVISION_LABEL = "controller-revision-hash"

Sleeping = Callable[[int], bool]
"""Whether the broker of an ordinal sleeps: runs without ever becoming ready, under an id that another holds."""


def none_sleep(ordinal: int) -> bool:
    """Return that no broker sleeps."""
    del ordinal
    return False


def label(selector: str) -> tuple[str, str]:
    """Return the label, with its value, that a selector of one names."""
    key, _, value = selector.partition("=")
    return key, value


def broker_container(spec: Any) -> Any:
    """Return the broker's container; a service mesh may have put its own before it."""
    named = [each for each in spec.containers if each.name in BROKER_CONTAINERS]
    return (named or spec.containers)[0]


def ordinal_of(pod: Any) -> int:
    """Return the ordinal of a StatefulSet's pod."""
    return int(pod.metadata.name.rsplit("-", 1)[1])


def revision_of(pod: Any) -> str | None:
    """Return the revision of its StatefulSet that a pod was made of."""
    found: str | None = pod.metadata.labels.get(REVISION_LABEL)
    return found


def is_older(pod: Any, than: datetime | None) -> bool:
    """Return whether a pod was made before a moment, by the API server's clock."""
    made: datetime | None = pod.metadata.creation_timestamp
    return made is not None and than is not None and made < than


def is_ending(pod: Any) -> bool:
    """Return whether a pod is being deleted."""
    return pod.metadata.deletion_timestamp is not None


def is_ready(pod: Any) -> bool:
    """Return whether a pod is ready and stays."""
    conditions = pod.status.conditions or ()
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return ready and not is_ending(pod)


def has_ended(pod: Any) -> bool:
    """Return whether a broker's container is known not to run: it has ended, and may be started again later."""
    return any(
        each.state.running is None and (each.restart_count or each.state.terminated)
        for each in _broker_statuses(pod)
    )


def runs(pod: Any) -> bool:
    """Return whether the broker's container runs, ready or not."""
    return any(each.state.running is not None for each in _broker_statuses(pod))


def restarts_of(pod: Any) -> int:
    """Return how often the broker's container has been started again."""
    return sum(each.restart_count or 0 for each in _broker_statuses(pod))


def _broker_statuses(pod: Any) -> list[Any]:
    statuses = pod.status.container_statuses or ()
    return [each for each in statuses if each.name in BROKER_CONTAINERS] or list(statuses[:1])


def trouble(found: Iterable[Any]) -> Message | None:
    """Return what keeps one of these pods from starting, for the operator to see without kubectl."""
    for pod in found:
        for status in pod.status.container_statuses or ():
            waiting = status.state.waiting
            if waiting is not None and waiting.reason not in (
                "ContainerCreating",
                "PodInitializing",
            ):
                return messages.container_waits(
                    pod.metadata.name, str(waiting.reason), waiting.message or ""
                )
        for condition in pod.status.conditions or ():
            if condition.type == "PodScheduled" and condition.status == "False":
                return messages.pod_not_scheduled(pod.metadata.name, str(condition.message))
    return None
