"""What there is of a sandbox now, as data; asked of the kernel and of the API servers, never remembered."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from sandbox.regions import machine
from sandbox.regions.cluster import CLUSTER_ERRORS, Cluster
from sandbox.regions.host import cgroups, commands, probes, processes
from sandbox.regions.model import HttpOk, Region
from sandbox.regions.parts import access

LinkState = Literal["up", "cut", "none"]
RegionState = Literal["up", "starting", "lost"]


@dataclass(frozen=True)
class RegionStatus:
    """One region; bytes of memory are None where the kernel does not tell."""

    index: int
    name: str
    context: str
    state: RegionState
    server: str | None
    api_answers: bool
    node_ready: bool | None
    """None for a sandbox without nodes, or an API server that does not answer."""
    pods: int | None
    ended: tuple[str, ...]
    """Processes that were started and live no more."""
    memory_bytes: int | None
    memory_peak_bytes: int | None


@dataclass(frozen=True)
class SandboxStatus:
    """The whole sandbox. `memory_peak_bytes` covers all regions that it ever had, page cache included."""

    id: str
    up: bool
    nodes: bool
    link: LinkState
    kubeconfig: str
    memory_bytes: int | None
    memory_peak_bytes: int | None
    regions: tuple[RegionStatus, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def observe(both: tuple[Region, Region], kubeconfig: Path) -> SandboxStatus:
    """Look at both regions."""
    sandbox_id, root = both[0].sandbox_id, both[0].root
    memory = cgroups.memory(f"/{sandbox_id}")
    marker = root / "sandbox.json"
    return SandboxStatus(
        id=sandbox_id,
        up=marker.exists(),
        nodes=marker.exists() and bool(yaml.safe_load(marker.read_text())["nodes"]),
        link=link_state(both),
        kubeconfig=str(kubeconfig),
        memory_bytes=memory.used,
        memory_peak_bytes=memory.peak,
        regions=tuple(_observe_region(region, kubeconfig) for region in both),
    )


def link_state(both: tuple[Region, Region]) -> LinkState:
    """Say whether the link is up, cut, or not there because a region is lost."""
    states = [_device_up(region) for region in both]
    if None in states:
        return "none"
    return "up" if all(states) else "cut"


def has_link_end(region: Region) -> bool:
    """Say whether the region has an end of the link; the kernel takes it away a moment after the other region."""
    return _device_up(region) is not None


def _device_up(region: Region) -> bool | None:
    """Say whether the region's end of the link has been taken up; None when it is not there."""
    if not machine.has_netns(region.netns):
        return None
    listed = commands.run(["ip", "-json", "-n", region.netns, "link"], "look at the link")
    flags = {device["ifname"]: device["flags"] for device in json.loads(listed)}
    return "UP" in flags[region.link_device] if region.link_device in flags else None


def _observe_region(region: Region, kubeconfig: Path) -> RegionStatus:
    living = bool(cgroups.processes(region.cgroup))
    complete = (region.folder / "complete").exists()
    server = _server(region, kubeconfig)
    answers = living and server is not None and _answers(server, region)
    ready, pods = _cluster(region, kubeconfig) if answers else (None, None)
    memory = cgroups.memory(region.cgroup)
    return RegionStatus(
        index=region.index,
        name=region.name,
        context=region.context,
        state="lost" if not living else "up" if complete else "starting",
        server=server,
        api_answers=answers,
        node_ready=ready,
        pods=pods,
        ended=tuple(processes.ended(region)),
        memory_bytes=memory.used,
        memory_peak_bytes=memory.peak,
    )


def _server(region: Region, kubeconfig: Path) -> str | None:
    try:
        port = access.port_in(yaml.safe_load(kubeconfig.read_text()), region)
    except FileNotFoundError:
        return None
    return f"https://127.0.0.1:{port}" if port else None


def _answers(server: str, region: Region) -> bool:
    return probes.unready(HttpOk(f"{server}/readyz", region.pki / "ca.crt")) is None


def _cluster(region: Region, kubeconfig: Path) -> tuple[bool | None, int | None]:
    try:
        cluster = Cluster(kubeconfig, region)
        node = (region.folder / "kubelet.yaml").exists()
        return (cluster.node_unready() is None if node else None), cluster.pods()
    except CLUSTER_ERRORS:
        return None, None
