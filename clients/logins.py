"""Passwords that are in Secrets: read for each call that logs in, and in no message, record or state."""

import base64

from clients.cluster.kubernetes import CallFailed, Cluster

REFUSED = 401


class LoginRefused(CallFailed):
    """What is asked does not take the password of its Secret."""


class SecretMissing(CallFailed):
    """There is no such Secret, or nothing in it under that key."""


def secret_text(cluster: Cluster, namespace: str, name: str, key: str) -> str | None:
    """Return what a Secret holds under a key; None if there is no such Secret, or nothing under that key."""
    found = cluster.secret(namespace, name)
    encoded = ((found.data if found is not None else None) or {}).get(key)
    return base64.b64decode(encoded).decode() if encoded else None


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header that logs a user in."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
