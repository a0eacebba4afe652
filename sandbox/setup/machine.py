"""What the machine itself must offer: root, kernel features, disk space."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.setup.run import ADMIN_PATH

GIB = 1024**3
# All parts with what their making needs for a while, measured: 3 GiB stay.
PARTS_BYTES = 6 * GIB
# What Go's build and module caches grow to by building every tool, measured: 11 GiB.
GO_CACHES_BYTES = 12 * GIB


def check_root() -> None:
    """Raise SandboxError unless the process is root."""
    if os.geteuid() != 0:
        raise SandboxError(
            "the set-up needs root: it makes file systems of containers, and the sandbox makes network "
            "namespaces and mounts. Run it as root, for example in a virtual machine: sudo -E make setup"
        )


def check_space(needed: int = PARTS_BYTES) -> None:
    """Raise SandboxError unless the cache's file system has the needed bytes free."""
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise SandboxError(
            f"{root} has {free / GIB:.1f} GiB free, the set-up needs {needed / GIB:.0f} GiB. "
            "Free some space, or set XDG_CACHE_HOME to a folder on a larger disk."
        )


@dataclass(frozen=True)
class Feature:
    """A kernel feature, tried rather than looked up: a container may have it listed and yet forbid it."""

    name: str
    script: str
    remedy: str


FEATURES = (
    Feature(
        "network namespaces",
        "true",
        "The kernel must have CONFIG_NET_NS and the process the capability CAP_SYS_ADMIN: "
        "use a virtual machine, or a privileged container.",
    ),
    Feature(
        "veth pairs",
        "ip link add probe0 type veth peer name probe1",
        "Load the kernel module: modprobe veth",
    ),
    Feature(
        "overlayfs",
        "mount -t tmpfs probe . && mkdir l u w m && "
        "mount -t overlay probe -o lowerdir=l,upperdir=u,workdir=w m",
        "Load the kernel module (modprobe overlay); within a container, run it privileged.",
    ),
    Feature(
        "nftables",
        "nft add table inet probe && nft add chain inet probe c '{ type nat hook output priority -100; }'",
        "Load the kernel modules: modprobe nf_tables nft_chain_nat",
    ),
    Feature(
        "packet queues",
        "test -e /proc/self/net/netfilter/nfnetlink_queue",
        "Load the kernel modules: modprobe -a nfnetlink_queue xt_NFQUEUE nft_compat",
    ),
    Feature(
        "bridges",
        "ip link add probe2 type bridge",
        "Load the kernel module: modprobe bridge",
    ),
)


def works(feature: Feature) -> str | None:
    """Try a feature in namespaces of its own, which vanish with the trial; None, or why it failed."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-ec", f"cd '{folder}'; {feature.script}"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{ADMIN_PATH}"},
        )
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"exit status {done.returncode}"


def check_features(trial: Callable[[Feature], str | None] = works) -> None:
    """Raise SandboxError naming every kernel feature that does not work, why, and its remedy."""
    failures = [(f, why) for f in FEATURES if (why := trial(f)) is not None]
    if failures:
        lines = [f"{f.name} do not work here ({why}). {f.remedy}" for f, why in failures]
        raise SandboxError("the machine lacks what the sandbox needs: " + "\n".join(lines))


def os_codename() -> str:
    """The release's code name ("bookworm"); raises SandboxError where there is none."""
    with suppress(OSError):
        if name := platform.freedesktop_os_release().get("VERSION_CODENAME"):
            return name
    raise SandboxError(
        "/etc/os-release names no VERSION_CODENAME: the images are made from Debian packages, so the sandbox runs on "
        "Debian and its relatives only."
    )
