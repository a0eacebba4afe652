"""Rights that a RoleBinding has just given: an API server acts on them only a little later."""

from clients.cluster.kubernetes import CallFailed, Cluster
from messages import Message
from messages.steps import steps as messages
from steps.polling import Say, Waiting

GRANT_SECONDS = 30.0
"""How long an API server may take to learn of a RoleBinding; usually it is well below a second."""
_FORBIDDEN = 403


def is_granted(cluster: Cluster, namespace: str) -> bool:
    """Return whether these credentials can work in a namespace.

    They cannot where a run was killed between making it and giving them their rights in it.

    :raises CallFailed: if that cannot be known.
    """
    try:
        _use_rights(cluster, namespace)
    except CallFailed as error:
        if error.status != _FORBIDDEN:
            raise
        return False
    return True


def wait_until_granted(cluster: Cluster, namespace: str, say: Say) -> None:
    """Wait until these credentials can work in a namespace.

    :raises DeadlineExceeded: if they still cannot, after a while that is far beyond an API server's delay.
    """

    def refused() -> Message | None:
        _use_rights(cluster, namespace)
        return None

    Waiting("rights", say, GRANT_SECONDS).until_none(
        messages.rights_effective(namespace),
        refused,
        messages.look_at_subject(cluster.context),
    )


def _use_rights(cluster: Cluster, namespace: str) -> None:
    """Look at what a release needs first in its namespace.

    :raises CallFailed: if that is refused, or cannot be known.
    """
    cluster.secrets(namespace, "owner=helm")
