"""Objects reach the engine exactly as those that the provider's own classes declare."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.objects import Object, ObjectKind
from tests.fakes.pulumi_engine import Registered, run

METADATA = {"name": "it", "namespace": "camunda-london", "labels": {"some/label": "a"}}
PEERS = [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}]
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
SUBJECTS = [{"kind": "User", "name": "me", "apiGroup": "rbac.authorization.k8s.io"}]
PORTS = [{"name": "dns-tcp", "protocol": "TCP", "port": 53, "targetPort": 53}]

CASES: Mapping[
    ObjectKind, tuple[Callable[..., pulumi.CustomResource], Mapping[str, str], dict[str, Any]]
] = {
    ObjectKind.CONFIG_MAP: (k8s.core.v1.ConfigMap, {"data": "data"}, {"data": {"step": "F1"}}),
    ObjectKind.NAMESPACE: (k8s.core.v1.Namespace, {}, {}),
    ObjectKind.NETWORK_POLICY: (
        k8s.networking.v1.NetworkPolicy,
        {"spec": "spec"},
        {"spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": PEERS}},
    ),
    ObjectKind.ROLE_BINDING: (
        k8s.rbac.v1.RoleBinding,
        {"roleRef": "role_ref", "subjects": "subjects"},
        {"roleRef": ROLE, "subjects": SUBJECTS},
    ),
    ObjectKind.SECRET: (
        k8s.core.v1.Secret,
        {"stringData": "string_data"},
        {"stringData": {"password": "hidden"}},
    ),
    ObjectKind.SERVICE: (
        k8s.core.v1.Service,
        {"spec": "spec"},
        {"spec": {"type": "LoadBalancer", "selector": {"a": "b"}, "ports": PORTS}},
    ),
}


def asked(declare: Callable[[], object]) -> Registered:
    (found,) = run(declare)[1].found.values()
    return found


@pytest.mark.parametrize("kind", ObjectKind, ids=lambda kind: kind.name)
def test_the_engine_is_asked_for_the_same(kind: ObjectKind) -> None:
    typed, names, fields = CASES[kind]
    known = {names[field]: value for field, value in fields.items()}
    wanted = asked(lambda: typed("node", metadata=METADATA, **known))
    opts = pulumi.ResourceOptions(delete_before_replace=True)
    found = asked(lambda: Object(kind, "node", {"metadata": METADATA, **fields}, opts))
    assert found.deleted_first
    for each in ("type", "name", "inputs", "secret_outputs"):
        assert getattr(found, each) == getattr(wanted, each), each


def test_what_is_secret_leaves_the_program_as_such() -> None:
    found = asked(
        lambda: Object(
            ObjectKind.SECRET,
            "node",
            {"metadata": METADATA, "stringData": {"password": "hidden"}},
            pulumi.ResourceOptions(),
        )
    )
    assert found.inputs["stringData"] == {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "value": {"password": "hidden"},
    }


def test_a_field_is_what_the_cluster_has() -> None:
    seen: list[Any] = []

    def declare() -> None:
        made = Object(
            ObjectKind.CONFIG_MAP,
            "node",
            {"metadata": METADATA, "data": {"step": "F1"}},
            pulumi.ResourceOptions(),
        )
        made.field("data").apply(seen.append)

    run(declare)
    assert seen == [{"step": "F1"}]


def test_the_program_loads_none_of_the_classes_of_core_v1() -> None:
    asked_for = "import components.program, sys; print('pulumi_kubernetes.core.v1' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked_for], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
