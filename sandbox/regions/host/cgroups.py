"""Control groups of a sandbox: who belongs to a region, how much memory it uses, and its end.

Every process of a region, container or not, lives below the region's group (see `Region.cgroup`). So the group
says what to kill, whatever became of the command that started it, and nothing else is ever killed.
Works with cgroup v1 (one tree a controller) and v2 (one tree).
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.errors import SandboxError

MOUNT = Path("/sys/fs/cgroup")
V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")
SERVICES = "services"
"""Group of the region's own processes; v2 allows none beside the kubelet's group of pods."""
_CPU_PERIOD, _LEAST_QUOTA = 100_000, 1_000
"""Microseconds: what CPU quotas are counted in, and the smallest one that the kernel takes."""


@dataclass(frozen=True)
class Memory:
    """Memory of a group in bytes.

    `used` leaves out the page cache that the kernel can drop at once, `peak` includes it; None where the
    kernel does not tell.
    """

    used: int | None
    peak: int | None


def _is_v2() -> bool:
    return (MOUNT / "cgroup.controllers").exists()


def _trees() -> list[Path]:
    """Return the root of every cgroup tree mounted here."""
    if _is_v2():
        return [MOUNT]
    mounts = psutil.disk_partitions(all=True)
    return sorted({Path(m.mountpoint) for m in mounts if m.fstype in ("cgroup", "cgroup2")})


def _below(tree: Path, group: str) -> Path:
    return tree / group.lstrip("/")


def create(group: str) -> None:
    """Make the region's group, and the one of its services, in every tree.

    :raises SandboxError: the kernel refuses, for example in a container with a read-only cgroup file system.
    """
    trees = _trees()
    if not trees:
        raise SandboxError(
            f"No control groups are mounted below {MOUNT}. "
            "The sandbox needs them: run it on a machine, or in a privileged container, that has them."
        )
    try:
        for tree in trees:
            path = tree
            for part in [*group.strip("/").split("/"), SERVICES]:
                if _is_v2():
                    _delegate(path)
                path = path / part
                path.mkdir(exist_ok=True)
                _inherit_cpuset(path)
    except OSError as error:
        raise SandboxError(
            f"The control group {group} cannot be made ({error}). The sandbox needs root and a writable "
            f"{MOUNT}; in a container, run it privileged and with its own cgroup namespace."
        ) from error


def _delegate(path: Path) -> None:
    """Hand the controllers down from `path` to its children (v2)."""
    available = (path / "cgroup.controllers").read_text().split()
    wanted = " ".join(f"+{name}" for name in V2_CONTROLLERS if name in available)
    (path / "cgroup.subtree_control").write_text(wanted)


def _inherit_cpuset(path: Path) -> None:
    """Copy CPUs and memory nodes from the parent: a new v1 cpuset has none and takes no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = path / name
        if not _is_v2() and file.exists() and not file.read_text().strip():
            file.write_text((path.parent / name).read_text())


def entry_files(group: str) -> list[Path]:
    """Return the files to which a process writes its id to become one of the region's services."""
    return [_below(tree, group) / SERVICES / "cgroup.procs" for tree in _trees()]


def _groups(group: str) -> Iterator[Path]:
    """Yield every folder of the group in every tree, children first."""
    for tree in _trees():
        for folder, _, _ in os.walk(_below(tree, group), topdown=False):
            yield Path(folder)


def processes(group: str) -> set[int]:
    """Return the ids of all living processes below the group."""
    found: set[int] = set()
    for folder in _groups(group):
        with suppress(OSError):  # the group has just been removed
            found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
    return found - {0}  # 0: a process of another pid namespace, not ours to name


def kill(group: str) -> int:
    """End every process below the group at once, without warning; return how many there were."""
    first = processes(group)
    if not first:
        return 0
    if _is_v2():
        with suppress(OSError):  # before Linux 5.14: the processes are killed one by one
            (_below(MOUNT, group) / "cgroup.kill").write_text("1")
    for pid in first:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(first)


def empty(group: str, seconds: float) -> None:
    """Kill until no process is left below the group, also such as were being born meanwhile.

    :raises SandboxError: something still lives after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while kill(group):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"Processes {sorted(processes(group))} of the control group {group} did not end within "
                f"{seconds:.0f} s after being killed; they probably wait for a disk. Run the command again."
            )
        time.sleep(0.02)


def remove(group: str, seconds: float) -> None:
    """Remove the empty group from every tree.

    :raises SandboxError: the kernel still holds a part of it after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while left := [folder for folder in _groups(group) if not _removed(folder)]:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The control group {left[0]} could not be removed within {seconds:.0f} s: a process is "
                "still in it. Run the command again."
            )
        time.sleep(0.05)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def exists(group: str) -> bool:
    """Say whether any tree has the group."""
    return any(_below(tree, group).exists() for tree in _trees())


def memory(group: str) -> Memory:
    """Return the memory that the group uses and has used at most."""
    if _is_v2():
        folder = _below(MOUNT, group)
        names = ("memory.current", "memory.peak", "inactive_file")
    else:
        folder = _below(MOUNT / "memory", group)
        names = ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "total_inactive_file")
    used, peak = _read(folder / names[0]), _read(folder / names[1])
    statistics = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
    cached = int(statistics.get(names[2], 0))
    return Memory(max(0, int(used) - cached) if used else None, int(peak) if peak else None)


def limit_cpu(group: str, pod_uid: str, cores: float | None) -> int:
    """Limit the CPU time of a pod's containers from now on.

    The containers' own groups are limited: v1 refuses a pod less than any container of it may have.

    :param group: the region's.
    :param pod_uid: the pod's.
    :param cores: how many CPUs' worth of time all of it gets; None for as much as Kubernetes gave it.
    :returns: the number of containers that are limited now.
    """
    tree = MOUNT if _is_v2() else MOUNT / "cpu"
    pods = [Path(folder) for folder, _, _ in os.walk(_below(tree, group)) if pod_uid in folder]
    # The pod's own folder has those of its containers in it.
    containers = [folder for folder in pods if folder.parent in pods]
    for folder in containers:
        _limit(folder, cores)
    return len(containers)


def _limit(folder: Path, cores: float | None) -> None:
    quota = None if cores is None else max(_LEAST_QUOTA, round(cores * _CPU_PERIOD))
    if _is_v2():
        (folder / "cpu.max").write_text(f"{quota or 'max'} {_CPU_PERIOD}")
    else:
        (folder / "cpu.cfs_period_us").write_text(str(_CPU_PERIOD))
        (folder / "cpu.cfs_quota_us").write_text(str(quota or -1))


def _read(path: Path) -> str:
    """Return what the kernel says there; nothing if it does not, or if the group is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""
