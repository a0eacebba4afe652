"""CoreDNS of a region, with its Corefile in a ConfigMap as in any cluster, and chained to the other region's."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.regions.model import File, HttpOk, Process, Region
from sandbox.regions.parts import syncing

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools

COREDNS = "coredns"
_OWN_BLOCK = ".:53 {\n"
_CACHE = "cache 2 {\n        servfail 1s\n    }"
"""Answers are kept 2 s at most (failures 1 s), so that a pod's new address is known at once."""


def corefile(region: Region, chained: bool) -> str:
    """Return the Corefile that a new region has.

    It is looked at again every 2 s, as often as CoreDNS can. Nothing is bound to an address, so that server
    blocks of others can be added.

    :param region: whose it is.
    :param chained: whether the other region's DNS is asked for the names of its Camunda namespaces.
    """
    own = f"""{_OWN_BLOCK}    errors
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


_HELD = re.compile(r"    hosts \{ # held\n.*?\n    \}\n", re.DOTALL)


def holding(text: str, names: Mapping[str, str]) -> str:
    """Return a Corefile by which names have certain addresses, whatever the cluster says of them.

    :param text: a Corefile, which may hold others already: these are left to the cluster again.
    :param names: name -> address; none for a Corefile that holds nothing.
    """
    own = _HELD.sub("", text)
    if not names:
        return own
    entries = "".join(f"        {address} {name}\n" for name, address in names.items())
    held = f"    hosts {{ # held\n        ttl 2\n{entries}        fallthrough\n    }}\n"
    return own.replace(_OWN_BLOCK, f"{_OWN_BLOCK}{held}", 1)


def manifests(region: Region, chained: bool) -> tuple[dict[str, Any], ...]:
    """Return the ConfigMap that holds the Corefile from then on."""
    place = {"name": syncing.CONFIG_MAP, "namespace": syncing.NAMESPACE}
    data = {syncing.KEY: corefile(region, chained)}
    return ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": data},)


def coredns(region: Region, tools: "Tools", chained: bool) -> Process:
    """Return CoreDNS, a plain process of the region."""
    path = corefile_path(region)
    return Process(
        name=COREDNS,
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
            str(corefile_path(region)),
        ),
        files=(File(script, Path(syncing.__file__).read_text()),),
    )


def corefile_path(region: Region) -> Path:
    """Return where the region's CoreDNS reads its Corefile."""
    return region.folder / "Corefile"
