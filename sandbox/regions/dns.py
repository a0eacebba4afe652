"""CoreDNS of a region, chained to the other region's."""

from typing import TYPE_CHECKING

from sandbox.regions.model import Component, File, HttpOk, Process, Region

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools


def coredns(region: Region, tools: "Tools") -> Component:
    """Return CoreDNS: the region's own names, and those of the other region's Camunda namespaces.

    Answers are kept 2 s at most (failures 1 s), so that a pod's new address is known at once.
    """
    other = region.other
    zones = " ".join(f"{name}.svc.cluster.local:53" for name in other.camunda_namespaces)
    cache = "cache 2 {\n        servfail 1s\n    }"
    corefile = f""".:53 {{
    bind {region.address}
    errors
    ready {region.address}:8181
    kubernetes cluster.local {{
        kubeconfig {region.kubeconfig} {region.context}
        ttl 2
    }}
    {cache}
}}
{zones} {{
    bind {region.address}
    errors
    forward . {other.address}
    {cache}
}}
"""
    path = region.folder / "Corefile"
    return Component(
        Process(
            name="coredns",
            argv=(str(tools.coredns), "-conf", str(path)),
            cwd=region.folder,
            ready=HttpOk(f"http://{region.address}:8181/ready"),
        ),
        files=(File(path, corefile),),
    )
