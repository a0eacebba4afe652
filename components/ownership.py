"""Objects that the program may change after it has made them."""

from collections.abc import Mapping
from typing import Any

FIELD_MANAGER = {"pulumi.com/patchFieldManager": "camunda-dual-region-pulumi"}
"""Not the one of the hooks (`clients.cluster.kubernetes`): server-side apply takes away what its own manager leaves out."""


def owned(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's metadata with which the program is always the same field manager of it.

    The provider makes up a name for each object that it makes. A run that is killed between making one and saving that is
    repeated, under another name: every later change would be refused as a conflict of the two. With a fixed name it is
    not, and an object of another owner still is. Source: Kubernetes, Server-Side Apply; the Kubernetes provider's
    annotation `pulumi.com/patchFieldManager`.
    """
    return {**metadata, "annotations": {**metadata.get("annotations", {}), **FIELD_MANAGER}}
