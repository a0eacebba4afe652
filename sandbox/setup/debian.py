"""The Debian packages that the sandbox takes from the system."""

import os
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.run import run, which

CNI_DIRS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


@dataclass(frozen=True)
class Need:
    """A command, and the Debian package that has it."""

    command: str
    package: str


CNI_PACKAGE = "containernetworking-plugins"
NEEDS = (
    Need("containerd", "containerd"),
    Need("ctr", "containerd"),
    Need("runc", "runc"),
    Need("haproxy", "haproxy"),
    Need("ip", "iproute2"),
    Need("nft", "nftables"),
    Need("conntrack", "conntrack"),
    Need("nsenter", "util-linux"),
    Need("unshare", "util-linux"),
    Need("setpriv", "util-linux"),
    Need("mmdebstrap", "mmdebstrap"),
    Need("mvn", "maven"),
)


PACKAGES = tuple(dict.fromkeys([*(need.package for need in NEEDS), CNI_PACKAGE]))


def cni_dir() -> Path:
    """The folder of CNI plugins; where none has any, the one in which Debian puts them."""
    return next((d for d in CNI_DIRS if (d / "bridge").is_file()), CNI_DIRS[0])


def missing_packages() -> tuple[str, ...]:
    """The packages to install: what the user has, from whatever source, is used as it is."""
    wanted = [need.package for need in NEEDS if which(need.command) is None]
    if not (cni_dir() / "bridge").is_file():
        wanted.append(CNI_PACKAGE)
    return tuple(dict.fromkeys(wanted))


def install_command(packages: tuple[str, ...]) -> str:
    """The command a user would type."""
    return f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"


def install(packages: tuple[str, ...]) -> None:
    """Install packages by apt-get, never removing another one.

    :raises SandboxError: not root, no apt-get, or apt-get failed; each with the command to use.
    """
    by_hand = f"Install them yourself and run it again: sudo sh -c '{install_command(packages)}'"
    if which("apt-get") is None:
        raise SandboxError(
            f"packages are missing ({', '.join(packages)}) and this system has no apt-get. "
            "Install them with its own package manager, then run it again."
        )
    if os.geteuid() != 0:
        raise SandboxError(f"Debian packages are missing and only root may install them. {by_hand}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-q", "update"], what="apt-get update", remedy=by_hand, env=quiet)
    run(
        ["apt-get", "-q", "install", "-y", "--no-install-recommends", "--no-remove", *packages],
        what="apt-get install",
        remedy=by_hand,
        env=quiet,
    )
    if left := missing_packages():
        raise SandboxError(
            f"apt-get installed what was asked, yet {', '.join(left)} is missing. {by_hand}"
        )
