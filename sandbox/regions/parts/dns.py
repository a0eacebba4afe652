"""CoreDNS of a region, with its Corefile in a ConfigMap as in any cluster, and chained to the other region's."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.regions.model import File, HttpOk, Process, Region
from sandbox.regions.parts import syncing

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

_CACHE = "cache 2 {\n        servfail 1s\n    }"
"""Answers are kept 2 s at most (failures 1 s), so that a pod's new address is known at once."""


def corefile(region: Region, chained: bool) -> str:
    """Return the Corefile that a new region has.

    It is looked at again every 2 s, as often as CoreDNS can. Nothing is bound to an address, so that server
    blocks of others can be added.

    :param region: whose it is.
    :param chained: whether the other region's DNS is asked for the names of its Camunda namespaces.
    """
    own = f""".:53 {{
    errors
    ready {region.address}:8181
    reload 2s 1s
    kubernetes cluster.local {{
        kubeconfig {region.kubeconfig} {region.context}
        ttl 2
    }}
    {_CACHE}
}}
"""
    if not chained:
        return own
    zones = " ".join(f"{name}.svc.cluster.local:53" for name in region.other.camunda_namespaces)
    return f"""{own}{zones} {{
    errors
    forward . {region.other.address}
    {_CACHE}
}}
"""


def manifests(region: Region, chained: bool) -> tuple[dict[str, Any], ...]:
    """Return the ConfigMap that holds the Corefile from then on."""
    place = {"name": syncing.CONFIG_MAP, "namespace": syncing.NAMESPACE}
    data = {syncing.KEY: corefile(region, chained)}
    return ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": data},)


def coredns(region: Region, tools: "Tools", chained: bool) -> Process:
    """Return CoreDNS, a plain process of the region."""
    path = _path(region)
    return Process(
        name="coredns",
        argv=(str(tools.coredns), "-conf", str(path)),
        ready=HttpOk(f"http://{region.address}:8181/ready"),
        files=(File(path, corefile(region, chained)),),
    )


def corefile_sync(region: Region, tools: "Tools") -> Process:
    """Return what brings each change of the ConfigMap to CoreDNS."""
    script = region.folder / "corefile-sync.py"
    pki = region.pki
    return Process(
        name="corefile-sync",
        argv=(
            str(tools.python),
            "-I",
            str(script),
            region.api_url,
            str(pki / "ca.crt"),
            str(pki / "admin.crt"),
            str(pki / "admin.key"),
            str(_path(region)),
        ),
        files=(File(script, Path(syncing.__file__).read_text()),),
    )


def _path(region: Region) -> Path:
    return region.folder / "Corefile"
