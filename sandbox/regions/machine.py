"""What the sandbox needs of the machine, and the few traces that it must take away again."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from sandbox.errors import SandboxError
from sandbox.regions.host import commands, probes
from sandbox.regions.model import Region
from sandbox.regions.parts.node import private_mounts

FOLDER_RECORD = Path("/run/cdr-made-folders")
"""Names the machine's folders that sandboxes made as places for their mounts; the last sandbox removes them."""

GIB = 1024**3
FREE_BYTES = 6 * GIB
"""What two regions with eight brokers write at most, images and volumes together."""
FREE_SHARE = 0.03
"""Real brokers, in images of the user's own, stop accepting commands when the file system is 98 % full."""

_OVERLAY_TRIAL = """set -eu
mkdir -p "$1/lower" "$1/upper" "$1/work" "$1/merged"
mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" overlay "$1/merged"
"""


def check(root: Path) -> None:
    """Check that the sandbox can work on this machine, and in this folder, at all.

    :raises SandboxError: not root, or an unusable path.
    """
    if os.geteuid() != 0:
        raise SandboxError(
            "The sandbox makes network namespaces, mounts and control groups, so it needs root. "
            "Run the command with sudo."
        )
    if any(letter in str(root) for letter in " \t\n'\"\\:,"):
        raise SandboxError(
            f"The sandbox cannot live in {root}: blanks, quotes, commas and colons in the path are not "
            "understood by all of its parts. Move the checkout to a path without them."
        )


def check_space(root: Path) -> None:
    """Check that there is room for the regions, and that brokers will not find the disk full.

    :raises SandboxError: too little is free; nothing has been made.
    """
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    disk = shutil.disk_usage(place)
    needed = max(FREE_BYTES, FREE_SHARE * disk.total)
    if disk.free < needed:
        raise SandboxError(
            f"The file system of {root} has {disk.free / GIB:.1f} GiB free, the sandbox needs "
            f"{needed / GIB:.1f} GiB: brokers stop working on a full disk. Free some space "
            "(`go clean -cache` often finds much), or move the checkout to a larger disk."
        )


def check_overlay(root: Path) -> None:
    """Check that containers can run from `root`.

    :raises SandboxError: no overlay can be mounted there.
    """
    trial = root / "overlay-trial"
    try:
        trial.mkdir(parents=True, exist_ok=True)
        # the mount is made in a mount namespace that ends with the shell
        commands.run(
            ["unshare", "--mount", "sh", "-c", _OVERLAY_TRIAL, "sh", str(trial)],
            f"mount an overlay in {root}",
            remedy="Containers need overlayfs: load it (modprobe overlay), and put the checkout on a "
            "file system that can carry it (ext4, xfs or tmpfs, not itself an overlay).",
        )
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def lock_file(root: Path) -> Path:
    """Return the file that a command holds while it works on the sandbox in `root`; it is there only meanwhile."""
    return root.parent / f".{root.name}.lock"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the sandbox for one command; a killed command frees it by ending.

    :raises SandboxError: another command holds it.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    path = lock_file(root)
    with ExitStack() as stack:
        try:
            _hold(path, stack)
        except BlockingIOError as error:
            raise SandboxError(
                f"Another command is working on the sandbox in {root}. Wait until it has ended; "
                "if it hangs, interrupt it (Ctrl-C), then run `python -m sandbox down`."
            ) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _hold(path: Path, stack: ExitStack) -> None:
    """Lock the file until the stack closes; its last holder has removed it, so it may be another one by now."""
    while True:
        held = stack.enter_context(path.open("w"))
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held.fileno()), path.stat()):
                return


def make_mount_places(region: Region) -> None:
    """Make the folders on which the region's private mounts stand, and remember those that were missing."""
    with _shared_folders():
        missing = [
            folder
            for place in private_mounts(region)
            for folder in [*reversed(place.parents), place]
            if not folder.exists()
        ]
        if not probes.NETNS_FOLDER.exists():
            missing.append(probes.NETNS_FOLDER)
        if not missing:
            return
        with FOLDER_RECORD.open("a") as record:
            for folder in missing:
                record.write(f"{folder}\n")
                record.flush()
                folder.mkdir(exist_ok=True)


def remove_mount_places() -> None:
    """Remove what `make_mount_places` made, unless another sandbox still needs it or something is in it."""
    with _shared_folders():
        if (
            any(path.is_dir() for path in Path("/run").glob("cdr-*-*"))
            or not FOLDER_RECORD.exists()
        ):
            return
        for line in reversed(FOLDER_RECORD.read_text().splitlines()):
            folder = Path(line)
            if folder == probes.NETNS_FOLDER and folder.is_mount() and not any(folder.iterdir()):
                # `ip netns` mounts the folder upon itself with the first namespace and never takes it off
                commands.run(["umount", str(folder)], f"unmount {folder}")
            with suppress(OSError):  # it is in use by now
                folder.rmdir()
        FOLDER_RECORD.unlink()


@contextmanager
def _shared_folders() -> Iterator[None]:
    """Keep other sandboxes, which may start or end just now, from the folders that all of them share."""
    descriptor = os.open(FOLDER_RECORD.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def mounts_of(sandbox_id: str, root: Path) -> list[str]:
    """Return the machine's mounts that carry the sandbox's id or lie in its folder, innermost first."""
    places = {mount.mountpoint for mount in psutil.disk_partitions(all=True)}
    ours = (f"/run/{sandbox_id}-", f"/run/netns/{sandbox_id}-", f"{root}/")
    return sorted((place for place in places if place.startswith(ours)), reverse=True)


def netns_names(sandbox_id: str) -> list[str]:
    """Return the network namespaces of the sandbox that exist."""
    folder = probes.NETNS_FOLDER
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(f"{sandbox_id}-"))


def has_netns(name: str) -> bool:
    """Say whether the network namespace exists."""
    return (probes.NETNS_FOLDER / name).exists()


def ip_batch(region: Region, batch: str, why: str) -> None:
    """Run commands of `ip` inside the region's network namespace."""
    commands.run(["ip", "-n", region.netns, "-batch", "-"], f"{why} ({region.name})", batch)


def remove_netns(name: str) -> None:
    """Remove the network namespace, and with it its end of the link, if it exists."""
    if has_netns(name):
        commands.run(["ip", "netns", "delete", name], f"remove the network namespace {name}")


def remove_tree(folder: Path) -> None:
    """Remove a folder of the sandbox with all of its content, if it exists."""
    if folder.exists():
        commands.run(
            ["rm", "-rf", "--one-file-system", str(folder)],
            f"remove {folder}",
            remedy="Something may still be mounted there: see `findmnt`, then run the command again.",
        )


def free_port(taken: set[int]) -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now and that is not among `taken`."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port not in taken:
            return port
