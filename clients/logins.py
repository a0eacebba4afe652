"""Passwords that are in Secrets: read for each call that logs in, and in no message, record or state."""

import base64

from clients.cluster.basic import basic_header
from clients.cluster.kubernetes import CallFailed, Cluster
from messages.clients import clusters as messages

REFUSED = 401


class LoginRefused(CallFailed):
    """What is asked does not take the password of its Secret."""


class SecretMissing(CallFailed):
    """There is no such Secret, or nothing in it under that key."""


class SecretUnreadable(CallFailed):
    """What a Secret holds under a key is no text."""


def secret_text(cluster: Cluster, namespace: str, name: str, key: str) -> str | None:
    """Return what a Secret holds under a key; None if there is no such Secret, or nothing under that key.

    :raises SecretUnreadable: if that is no text.
    """
    found = cluster.secret(namespace, name)
    encoded = ((found.data if found is not None else None) or {}).get(key)
    if not encoded:
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise SecretUnreadable(messages.secret_not_a_text(namespace, name, key)) from None


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header that logs a user in."""
    return {"Authorization": basic_header(user, password)}
