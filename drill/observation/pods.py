"""Pods, as the API server describes them: who they are, and whether they live on and are ready."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Pod = Mapping[str, Any]


def pod_name(pod: Pod) -> str:
    """Return a pod's namespace and name."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def pod_lives(pods: Iterable[Pod]) -> dict[str, tuple[str, int]]:
    """Return for each pod what changes when it is restarted or replaced: uid and restart count."""
    return {
        pod_name(pod): (
            pod["metadata"]["uid"],
            sum(each["restartCount"] for each in pod["status"].get("containerStatuses", [])),
        )
        for pod in pods
    }


def is_ready(pod: Pod) -> bool:
    """Return whether a pod is ready; a sleeping broker never is."""
    return _ready_condition(pod) is not None


def ready_since(pod: Pod) -> datetime | None:
    """Return since when a pod is ready; None if it is not."""
    condition = _ready_condition(pod)
    return None if condition is None else datetime.fromisoformat(condition["lastTransitionTime"])


def created_at(pod: Pod) -> datetime:
    """Return when a pod was made."""
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _ready_condition(pod: Pod) -> Mapping[str, Any] | None:
    conditions = pod["status"].get("conditions") or []
    ready = (each for each in conditions if each["type"] == "Ready" and each["status"] == "True")
    return next(ready, None)
