"""The policy engine of a region: kube-router, of which the firewall alone runs.

Pod network and services are others' (`node`): it only turns NetworkPolicies into rules of the region's network
namespace, which ends with them.
"""

from typing import TYPE_CHECKING

from sandbox.regions.model import Component, HttpOk, Process, Region
from sandbox.regions.node import search_path

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

HEALTH_PORT = 20244
NODE_SECONDS = 120
"""How long it waits for its node: it ends at once where there is none yet."""


def kube_router(region: Region, tools: "Tools") -> Component:
    """Return kube-router; ready when it knows the region's pods and policies."""
    router = " ".join(
        [
            str(tools.kube_router),
            f"--kubeconfig={region.kubeconfig}",
            "--run-firewall=true",
            "--run-router=false",
            "--run-service-proxy=false",
            "--enable-cni=false",
            f"--service-cluster-ip-range={region.service_range}",
            f"--health-port={HEALTH_PORT}",
        ]
    )
    node = (
        f"{tools.kubectl} --kubeconfig={region.kubeconfig} wait --for=create "
        f"--timeout={NODE_SECONDS}s node/{region.node_name}"
    )
    return Component(
        Process(
            name="kube-router",
            argv=("sh", "-c", f"{node} && exec {router}"),
            cwd=region.folder,
            env={
                **search_path(tools.iptables, tools.ipset),
                "NODE_NAME": region.node_name,
                # where the machine's iptables is the older one, its lock would be the machine's
                "XTABLES_LOCKFILE": str(region.run_folder / "xtables.lock"),
            },
            ready=HttpOk(f"http://127.0.0.1:{HEALTH_PORT}/healthz"),
        )
    )
