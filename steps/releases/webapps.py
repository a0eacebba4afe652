"""Operate and Tasklist: down to nothing while their search engine is copied, and up again.

Nothing may write to the engine meanwhile but the exporters, which are paused. They are scaled as the
procedure does it, by hand, and the Deployment itself remembers how many pods it had.
"""

from collections.abc import Collection
from typing import Any

from clients import pods
from clients.installation import LiveInstallation
from dualregion.chart.values import WEB_APPS
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
        say(f"scaling {name} in {at.namespace} from {count} to 0")
        at.cluster.scale_deployment(at.namespace, name, 0, {REPLICAS_ANNOTATION: str(count)})


def scale_back(at: LiveInstallation, say: Say) -> None:
    """Scale Operate and Tasklist to what they had; nothing for one that was not scaled down here."""
    for app in WEB_APPS:
        name, found = at.names.component(app), at.deployment(app)
        count = None if found is None else _remembered(found)
        if count is None:
            continue
        say(f"scaling {name} in {at.namespace} back to {count}")
        at.cluster.scale_deployment(at.namespace, name, count, {REPLICAS_ANNOTATION: None})


def down_pending(at: LiveInstallation) -> str | None:
    """Return why Operate or Tasklist is not gone yet, down to the last pod, or None."""
    for app in WEB_APPS:
        name, found = at.names.component(app), at.deployment(app)
        if found is not None and found.spec.replicas:
            return f"{name} in {at.namespace} is still wanted with {found.spec.replicas} replicas"
        left = [each for each in at.pods_of(app) if _may_write(each)]
        if left:
            return f"{', '.join(map(_named, left))} in {at.namespace} not gone yet"
    return None


def up_pending(at: LiveInstallation, apps: Collection[str]) -> str | None:
    """Return why one of these components is not there or not ready, or None."""
    for app in apps:
        name, found = at.names.component(app), at.deployment(app)
        if found is None:
            return f"there is no Deployment {name} in {at.namespace}, though the values enable it"
        if _remembered(found) is not None:
            return f"{name} in {at.namespace} is not scaled back yet"
        status, wanted = found.status, found.spec.replicas
        if (status.observed_generation or 0) < found.metadata.generation:
            return f"Deployment {name} has not been looked at by its controller yet"
        ready = min(status.ready_replicas or 0, status.updated_replicas or 0)
        if ready < wanted:
            trouble = pods.trouble(at.pods_of(app))
            return f"{ready} of {wanted} pods of {name} in {at.namespace} ready{trouble}"
    return None


def _may_write(pod: Any) -> bool:
    """Whether a pod's containers have not all ended for good: one that was evicted is kept, and does nothing."""
    return pod.status.phase not in ("Succeeded", "Failed")


def _named(pod: Any) -> str:
    """Return the pod's name, and that scaling does not end it where nothing owns it."""
    strange = "" if pod.metadata.owner_references else " (of no Deployment: delete it by hand)"
    return f"{pod.metadata.name}{strange}"


def _remembered(found: Any) -> int | None:
    text = (found.metadata.annotations or {}).get(REPLICAS_ANNOTATION)
    return int(text) if text is not None and text.isdigit() else None
