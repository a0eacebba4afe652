"""The policy engine of a region: kube-network-policies, a process in the region's network namespace.

Pod network and services are others' (`node`): it only judges the first packet of each connection of the pods that a
NetworkPolicy selects, and its rules end with the namespace.
"""

from typing import TYPE_CHECKING

from sandbox.regions.model import Component, HttpOk, Process, Region

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

HEALTH_ADDRESS = "127.0.0.1:20244"


def policy_engine(region: Region, tools: "Tools") -> Component:
    """Return kube-network-policies; ready when it knows pods and policies, and judges packets."""
    return Component(
        Process(
            name="kube-network-policies",
            argv=(
                str(tools.kube_network_policies),
                f"-kubeconfig={region.kubeconfig}",
                f"-node={region.node_name}",
                f"-health={HEALTH_ADDRESS}",
            ),
            cwd=region.folder,
            ready=HttpOk(f"http://{HEALTH_ADDRESS}/healthz"),
        )
    )
