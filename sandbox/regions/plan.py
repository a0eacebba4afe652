"""The whole plan of a region: what is started, in which order, with which files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.regions.model import File, Process, Region
from sandbox.regions.parts import access, control_plane, dns, node, storage

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools


@dataclass(frozen=True)
class Plan:
    """What makes a region.

    `waves` are started one after the other, each as soon as everything of the one before is ready; all of
    a wave starts at once. `manifests` are applied as soon as the API server answers, before the last wave. A
    region without node has no images and no manifests.
    """

    region: Region
    files: tuple[File, ...]
    waves: tuple[tuple[Process, ...], ...]
    manifests: tuple[dict[str, Any], ...]
    image_seed: Path | None

    @property
    def has_node(self) -> bool:
        """Say whether the region runs pods."""
        return self.image_seed is not None


def plan(region: Region, tools: "Tools", port: int, nodes: bool, dns_chain: bool = True) -> Plan:
    """Return the plan of `region`.

    :param region: whose plan it is.
    :param tools: the binaries to run.
    :param port: where its API server is to be reached on 127.0.0.1.
    :param nodes: False for API server, etcd and controller manager alone: nothing then runs a pod.
    :param dns_chain: whether the region resolves the other one's names from the start.
    """
    first = [control_plane.etcd(region, tools), access.haproxy(region, tools, port)]
    second = [control_plane.controller_manager(region, tools)]
    if nodes:
        first.append(node.containerd(region, tools))
        second += [
            control_plane.scheduler(region, tools),
            node.kubelet(region, tools),
            node.kube_proxy(region, tools),
            node.policy_engine(region, tools),
            dns.coredns(region, tools, dns_chain),
            dns.corefile_sync(region, tools),
            storage.local_path_provisioner(region, tools),
        ]
    # The API server retries until etcd answers, haproxy until the API server does: no wave between them.
    first.insert(1, control_plane.api_server(region, tools))
    return Plan(
        region=region,
        files=(access.own_kubeconfig(region),),
        waves=((node.anchor(region),), tuple(first), tuple(second)),
        manifests=storage.manifests(region) + dns.manifests(region, dns_chain) if nodes else (),
        image_seed=tools.image_seed if nodes else None,
    )
