"""Where every tool is that the sandbox runs: the user's own, the system's, or ours from the cache."""

import sys
from dataclasses import dataclass, fields
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup import installed
from sandbox.setup.debian import cni_dir, missing_packages
from sandbox.setup.parts.seed import ROOT
from sandbox.setup.plan import Plan, plan
from sandbox.setup.run import find


@dataclass(frozen=True)
class Tools:
    """Absolute paths of all tools.

    :ivar cni_dir: folder of CNI plugins.
    :ivar pulumi: the Pulumi command.
    :ivar pulumi_path: folders to put first on PATH, so that Pulumi, its Python language host and its
        Kubernetes provider are found.
    :ivar python: the interpreter that runs the sandbox.
    :ivar image_seed: containerd's root folder with all images; start a region with a copy of it.
    """

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_network_policies: Path
    kube_scheduler: Path
    kube_proxy: Path
    kubelet: Path
    kubectl: Path
    coredns: Path
    local_path_provisioner: Path
    containerd: Path
    ctr: Path
    haproxy: Path
    ip: Path
    nsenter: Path
    nft: Path
    cni_dir: Path
    pulumi: Path
    pulumi_path: tuple[Path, ...]
    helm: Path
    python: Path
    image_seed: Path


SYSTEM = ("containerd", "ctr", "haproxy", "ip", "nsenter", "nft")


def load() -> Tools:
    """Return the tools, building nothing.

    :raises SandboxError: something is missing; it names what, and the command that makes it.
    """
    own = installed.find()
    todo = plan(own)
    missing = [f"{p} (Debian package)" for p in missing_packages()]
    missing += [part.name for part in todo.parts if not part.made]
    if missing:
        raise SandboxError(
            f"the set-up is not complete, missing: {', '.join(missing)}. Run `make setup`."
        )
    return collect(todo, own)


def collect(todo: Plan, own: dict[str, Path]) -> Tools:
    """The tools of a plan whose parts are all made; own tools come first."""
    built = {binary: todo.binary(binary) for binary in todo.binaries}
    system = {name: find(name) for name in SYSTEM}
    paths = {**built, **system, **own}
    named = {
        f.name: paths[f.name.replace("_", "-")]
        for f in fields(Tools)
        if f.name.replace("_", "-") in paths
    }
    folders = (paths["pulumi"].parent, *(built[b].parent for b in todo.pulumi_plugins))
    return Tools(
        **named,
        cni_dir=cni_dir(),
        pulumi_path=tuple(dict.fromkeys(folders)),
        python=Path(sys.executable),
        image_seed=todo.seed.folder / ROOT,
    )
