"""Kubernetes objects as resources of Pulumi, declared as the manifests that they are.

`pulumi_kubernetes` has a class for each kind; but a single one of `core.v1` loads all others, which takes each command a
fifth of a second. What reaches the engine and the state is the same.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pulumi


class ObjectKind(Enum):
    """A kind of objects: its API's group, the group's version, and its name."""

    CONFIG_MAP = ("core", "v1", "ConfigMap")
    NAMESPACE = ("core", "v1", "Namespace")
    NETWORK_POLICY = ("networking.k8s.io", "v1", "NetworkPolicy")
    ROLE_BINDING = ("rbac.authorization.k8s.io", "v1", "RoleBinding")
    SECRET = ("core", "v1", "Secret")
    SERVICE = ("core", "v1", "Service")

    @property
    def token(self) -> str:
        """The type that states and policies know it by."""
        group, version, kind = self.value
        return f"kubernetes:{group}/{version}:{kind}"

    @property
    def header(self) -> Mapping[str, str]:
        """`apiVersion` and `kind` of its manifests."""
        group, version, kind = self.value
        return {"apiVersion": version if group == "core" else f"{group}/{version}", "kind": kind}


FIELD_MANAGER = {"pulumi.com/patchFieldManager": "camunda-dual-region-pulumi"}
"""Not the one of the hooks (`clients.cluster.kubernetes`): server-side apply takes away what its own manager leaves out."""

_HIDDEN = {ObjectKind.SECRET: ("data", "stringData")}
"""Fields that are secret in every state and preview, also as they are read back."""


class Object(pulumi.CustomResource):
    """An object.

    :param name: the resource's name, which states know it by; the object's own is in its metadata.
    :param fields: of the manifest, all but `apiVersion` and `kind`, named as there: `metadata`, `spec`, `stringData`.
    """

    def __init__(
        self,
        kind: ObjectKind,
        name: str,
        fields: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
    ) -> None:
        hidden = _HIDDEN.get(kind, ())
        secret = {each: pulumi.Output.secret(fields[each]) for each in hidden if each in fields}
        hiding = pulumi.ResourceOptions(additional_secret_outputs=[*hidden])
        super().__init__(
            kind.token,
            name,
            {**kind.header, **fields, **secret},
            pulumi.ResourceOptions.merge(opts, hiding),
        )

    def field(self, name: str) -> pulumi.Output[Any]:
        """Return one of the declared fields as the cluster has it, once the object is made."""
        found: pulumi.Output[Any] = pulumi.get(self, name)
        return found


def owned(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's metadata with which the program is always the same field manager of it.

    The provider makes up a name for each object that it makes. A run that is killed between making one and saving that is
    repeated, under another name: every later change would be refused as a conflict of the two. With a fixed name it is
    not, and an object of another owner still is. Source: Kubernetes, Server-Side Apply; the Kubernetes provider's
    annotation `pulumi.com/patchFieldManager`.
    """
    return {**metadata, "annotations": {**metadata.get("annotations", {}), **FIELD_MANAGER}}
