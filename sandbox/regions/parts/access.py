"""The ways in: the kubeconfig of a region's own processes, its listener on loopback, and the kubeconfig that names both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.regions.model import File, HttpOk, Place, Process, Region

if TYPE_CHECKING:
    from sandbox.setup.tools import Tools


def haproxy(region: Region, tools: "Tools", port: int) -> Process:
    """Return haproxy in the machine's own network: 127.0.0.1:`port` leads to the region's API server.

    It only passes the bytes on (TCP mode): TLS is between the caller and the API server. Ready when the
    API server answers through it.
    """
    config = f"""global
    maxconn 500
defaults
    mode tcp
    timeout connect 5s
    # watches, exec and port-forward may be silent for long
    timeout client 24h
    timeout server 24h
frontend api
    bind 127.0.0.1:{port}
    default_backend api
backend api
    server {region.name} {region.address}:6443 namespace {region.netns}
"""
    path = region.folder / "haproxy.cfg"
    return Process(
        name="haproxy",
        argv=(str(tools.haproxy), "-db", "-f", str(path)),
        place=Place.MACHINE,
        ready=HttpOk(f"https://127.0.0.1:{port}/readyz", region.pki / "ca.crt"),
        files=(File(path, config),),
    )


@dataclass(frozen=True)
class Credentials:
    """What a user's kubeconfig holds of a region: certificates and key, each as base64 of PEM."""

    ca: str
    certificate: str
    key: str


def own_kubeconfig(region: Region) -> File:
    """Return the kubeconfig of the region's own processes.

    All of them act as administrator: a rehearsal proves nothing by keeping them from each other.
    """
    pki = region.pki
    cluster = {"server": region.api_url, "certificate-authority": str(pki / "ca.crt")}
    user = {"client-certificate": str(pki / "admin.crt"), "client-key": str(pki / "admin.key")}
    config = _with({}, region.context, cluster, user)
    return File(region.kubeconfig, yaml.safe_dump(config, sort_keys=False), 0o600)


def kubeconfig_with(
    config: dict[str, Any], region: Region, port: int, credentials: Credentials
) -> dict[str, Any]:
    """Return the user's kubeconfig with the region's cluster, user and context put in, or replaced.

    :param config: the kubeconfig so far; `{}` for none.
    :param region: whose entries they are.
    :param port: where the region's haproxy listens on 127.0.0.1.
    :param credentials: the region's authority, and its administrator's certificate and key.
    """
    server = f"https://127.0.0.1:{port}"
    cluster = {"server": server, "certificate-authority-data": credentials.ca}
    user = {
        "client-certificate-data": credentials.certificate,
        "client-key-data": credentials.key,
    }
    return _with(config, region.context, cluster, user)


def _with(
    config: dict[str, Any], name: str, cluster: dict[str, str], user: dict[str, str]
) -> dict[str, Any]:
    context = {"cluster": name, "user": name}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": _replaced(config.get("clusters", []), {"name": name, "cluster": cluster}),
        "users": _replaced(config.get("users", []), {"name": name, "user": user}),
        "contexts": _replaced(config.get("contexts", []), {"name": name, "context": context}),
        "current-context": config.get("current-context", name),
    }


def _replaced(entries: list[dict[str, Any]], entry: dict[str, Any]) -> list[dict[str, Any]]:
    kept = [each for each in entries if each["name"] != entry["name"]]
    return sorted([*kept, entry], key=lambda each: str(each["name"]))


def port_in(config: dict[str, Any], region: Region) -> int | None:
    """Return the port that the kubeconfig names for the region, or None."""
    for entry in config.get("clusters", []):
        if entry["name"] == region.context:
            return int(str(entry["cluster"]["server"]).rsplit(":", 1)[1])
    return None
