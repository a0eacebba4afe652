"""What the state backend knows: the other stack's outputs, and what this stack's own state holds."""

from collections.abc import Mapping
from typing import Any

import pulumi

from dualregion.errors import ConfigError
from dualregion.topology import Peer

TYPE_PREFIX = "dualregion:"
"""The Pulumi types of this project's components begin so."""


def read_peer(stack: str) -> Peer:
    """Return what the other region's stack last said of itself.

    It is read from the state backend, which outlasts the region.

    :raises ConfigError: if there is no such stack.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    try:
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value
    except Exception as error:
        raise ConfigError(
            [
                f"stack {stack} of the other region cannot be read ({_first_line(error)}): create it with "
                f"`pulumi stack init {stack}`, or name it with `pulumi config set peerStack NAME`"
            ]
        ) from None
    outputs: Mapping[str, Any] = (answer or {}).get("outputs") or {}
    return Peer.of(outputs)


def own_nodes() -> frozenset[str]:
    """Return the names of this project's components and policies that this stack's state holds."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke(
        "pulumi:pulumi:readStackResourceOutputs", {"stackName": name}
    ).value
    outputs: Mapping[str, Any] = (answer or {}).get("outputs") or {}
    return frozenset(_node(urn) for urn in outputs if TYPE_PREFIX in urn)


def _node(urn: str) -> str:
    """Return a resource's own name: what follows the last `::` of its URN."""
    return urn.rsplit("::", 1)[1]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
