"""The Pulumi program of which the event logs beside it were recorded, with `RENDERED` an empty folder.

    pulumi up --yes --skip-preview --event-log up.jsonl
    pulumi up --yes --skip-preview --event-log nothing.jsonl
    NAMESPACE=camunda-london-failover pulumi preview --event-log preview.jsonl

With `PULUMI_DEBUG_COMMANDS=true`; events of severity `debug` are left out. Resources are named as the real program names
them; the provider writes them into a folder, as it needs no cluster for that, and a component stands for the release.
"""

import asyncio
import os

import pulumi
import pulumi_kubernetes as k8s


class Release(pulumi.ComponentResource):
    """Has the type of a release, and what an update of one changes."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        values = {"url": os.environ.get("NAMESPACE", "camunda-paris")}
        super().__init__("kubernetes:helm.sh/v3:Release", name, {"values": values}, opts)
        self.register_outputs({})


async def _prove(_: pulumi.ResourceHookArgs) -> None:
    pulumi.log.info("F1: waiting until it is so: 0 s; no")
    await asyncio.sleep(0.5)
    pulumi.log.info("F1: done: it is so (0.5 s)")


async def _granted(_: pulumi.ResourceHookArgs) -> None:
    pulumi.log.info("rights: done: the rights are effective (0.0 s)")


def main() -> None:
    """Declare a namespace, the binding in it, a gate and a release, one after the other."""
    cluster = k8s.Provider("cluster", render_yaml_to_directory=os.environ["RENDERED"])
    namespace = k8s.core.v1.Namespace(
        "failover-namespace",
        metadata={"name": "camunda-london-failover"},
        opts=pulumi.ResourceOptions(provider=cluster),
    )
    granted = pulumi.ResourceHookBinding(after_create=[pulumi.ResourceHook("granted", _granted)])
    binding = k8s.rbac.v1.RoleBinding(
        "failover-namespace-camunda-dual-region",
        metadata={"name": "camunda-dual-region", "namespace": "camunda-london-failover"},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"},
        opts=pulumi.ResourceOptions(provider=cluster, depends_on=[namespace], hooks=granted),
    )
    proved = pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("prove-F1", _prove)])
    gate = k8s.core.v1.ConfigMap(
        "F1",
        metadata={"name": "dual-region-f1", "namespace": "camunda-london"},
        opts=pulumi.ResourceOptions(provider=cluster, depends_on=[binding], hooks=proved),
    )
    Release("failover", pulumi.ResourceOptions(depends_on=[gate]))


if __name__ == "__main__":
    main()
