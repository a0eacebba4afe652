"""Operate and Tasklist: down to nothing while their search engine is copied, and up again.

Nothing may write to the engine meanwhile but the exporters, which are paused. They are scaled as the
procedure does it, by hand, and the Deployment itself remembers how many pods it had.
"""

from collections.abc import Collection
from typing import Any

from clients.cluster import pods
from clients.installation import LiveInstallation, unobserved
from dualregion.chart.values import WEB_APPS
from messages import Message
from messages.clients import installations as messages
from messages.steps import progress
from steps.polling import Say

REPLICAS_ANNOTATION = "camunda-dual-region/replicas"
"""How many pods a Deployment had before it was scaled down here."""


def scale_down(at: LiveInstallation, say: Say) -> None:
    """Scale Operate and Tasklist to nothing; one that is not installed, or has no pods anyway, stays so."""
    for app in WEB_APPS:
        name, found = at.names.component(app), at.deployment(app)
        if found is None or not found.spec.replicas:
            continue
        count = found.spec.replicas
        say(progress.scaling_down(name, at.namespace, count))
        at.cluster.scale_deployment(at.namespace, name, 0, {REPLICAS_ANNOTATION: str(count)})


def scale_back(at: LiveInstallation, say: Say) -> None:
    """Scale Operate and Tasklist to what they had; nothing for one that was not scaled down here."""
    for app in WEB_APPS:
        name, found = at.names.component(app), at.deployment(app)
        count = None if found is None else _remembered(found)
        if count is None:
            continue
        say(progress.scaling_back(name, at.namespace, count))
        at.cluster.scale_deployment(at.namespace, name, count, {REPLICAS_ANNOTATION: None})


def down_pending(at: LiveInstallation) -> Message | None:
    """Return why Operate or Tasklist is not gone yet, down to the last pod, or None."""
    for app in WEB_APPS:
        name, found = at.names.component(app), at.deployment(app)
        if found is not None and found.spec.replicas:
            return messages.app_still_wanted(name, at.namespace, found.spec.replicas)
        left = [each for each in at.pods_of(app) if _may_write(each)]
        if left:
            return _left(left, at.namespace)
    return None


def up_pending(at: LiveInstallation, apps: Collection[str]) -> Message | None:
    """Return why one of these components is not there or not ready, or None."""
    for app in apps:
        name, found = at.names.component(app), at.deployment(app)
        if found is None:
            return messages.no_deployment(name, at.namespace)
        if _remembered(found) is not None:
            return messages.app_not_scaled_back(name, at.namespace)
        if reason := unobserved("Deployment", found):
            return reason
        status, wanted = found.status, found.spec.replicas
        ready = min(status.ready_replicas or 0, status.updated_replicas or 0)
        if ready < wanted:
            trouble = pods.trouble(at.pods_of(app))
            return messages.app_not_ready(ready, wanted, name, at.namespace, trouble)
    return None


def _may_write(pod: Any) -> bool:
    """Whether a pod's containers have not all ended for good: one that was evicted is kept, and does nothing."""
    return pod.status.phase not in ("Succeeded", "Failed")


def _left(found: Collection[Any], namespace: str) -> Message:
    """Return that these pods are left; scaling does not end one that nothing owns."""
    names = [pod.metadata.name for pod in found]
    ownerless = [pod.metadata.name for pod in found if not pod.metadata.owner_references]
    return messages.app_pods_left(names, ownerless, namespace)


def _remembered(found: Any) -> int | None:
    text = (found.metadata.annotations or {}).get(REPLICAS_ANNOTATION)
    return int(text) if text is not None and text.isdigit() else None
