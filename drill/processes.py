"""Which processes, mounts, network namespaces and control groups of the machine are the drill's own.

A machine may run much else. What is ours carries a mark: an environment variable that everything the
drill itself starts inherits, or the sandbox's id, which stands in the control group of all that runs in
a region. Only what is marked so is counted, reported as left over, or ended.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from drill.errors import DrillError

MARK = "CAMUNDA_DRILL_FOLDER"
"""The environment variable that everything the drill starts inherits: the drill's folder."""

_YOUNG_SECONDS = 5.0
"""A process younger than this may still turn into another program, so it is looked at again."""

_END_SECONDS = 5.0
_LOOK_SECONDS = 0.02


@dataclass
class OwnProcesses:
    """Finds the processes of one drill.

    `folder` is the value of the environment mark, `sandbox_id` what stands in the control groups.
    """

    folder: str
    sandbox_id: str
    _known: dict[tuple[int, float], bool] = field(default_factory=dict)

    def find(self) -> list[psutil.Process]:
        """Return all processes of the drill but the caller itself."""
        mine = os.getpid()
        return [each for each in psutil.process_iter() if each.pid != mine and self._is_own(each)]

    def resident_bytes(self) -> int:
        """Return the resident memory of all of them, the caller included."""
        total = 0
        for process in [psutil.Process(), *self.find()]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def end_all(self, grace_seconds: float = 0.0) -> list[str]:
        """End what is still there, and return its command lines; before, it may take a while to end by itself."""
        psutil.wait_procs(self.find(), timeout=grace_seconds)
        left = self.find()
        names = []
        for process in left:
            with contextlib.suppress(psutil.Error):
                names.append(f"process {process.pid}: {' '.join(process.cmdline())[:120]}")
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(left, timeout=_END_SECONDS)
        return names

    def _is_own(self, process: psutil.Process) -> bool:
        try:
            identity = (process.pid, process.create_time())
            if identity not in self._known:
                own = self._is_marked(process)
                if not own and time.time() - identity[1] < _YOUNG_SECONDS:
                    return False
                self._known[identity] = own
            return self._known[identity]
        except (psutil.Error, OSError):
            return False

    def _is_marked(self, process: psutil.Process) -> bool:
        if self.sandbox_id in Path(f"/proc/{process.pid}/cgroup").read_text():
            return True
        return process.environ().get(MARK) == self.folder


def end_marked(name: str, value: str) -> list[str]:
    """Kill every process whose environment has this variable, and what these start meanwhile.

    :returns: their command lines.
    :raises DrillError: some of them resist.
    """
    ended: dict[int, str] = {}
    deadline = time.monotonic() + _END_SECONDS
    while left := [each for each in psutil.process_iter() if _carries(each, name, value)]:
        for process in left:
            with contextlib.suppress(psutil.Error):
                ended[process.pid] = " ".join(process.cmdline())
                process.send_signal(signal.SIGKILL)
        # Not `wait_procs`: it would take the exit status of a child from what waits for it.
        time.sleep(_LOOK_SECONDS)
        if time.monotonic() > deadline:
            raise DrillError(f"these processes resist SIGKILL: {', '.join(map(str, left))}")
    return list(ended.values())


def _carries(process: psutil.Process, name: str, value: str) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(name) == value
    except (psutil.Error, OSError):
        return False


def leftovers(root: Path, sandbox_id: str) -> list[str]:
    """Return what is left of a sandbox: its state folder, mounts, network namespaces, control groups.

    :param root: the sandbox's state folder, which is gone after it has been taken down.
    :param sandbox_id: stands in the name of everything else that it makes.
    """
    found = [
        f"mount {place}"
        for place in _mount_points()
        if place.startswith(f"{root}/") or sandbox_id in place
    ]
    if root.exists():
        found.append(f"folder {root}")
    for kind, where in (("network namespace", "/run/netns"), ("folder", "/run")):
        found += [f"{kind} {each}" for each in _entries(where) if sandbox_id in each.name]
    for controller in [Path("/sys/fs/cgroup"), *_entries("/sys/fs/cgroup")]:
        found += [
            f"control group {each}" for each in _entries(controller) if sandbox_id in each.name
        ]
    return found


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines]


def _entries(folder: str | Path) -> list[Path]:
    path = Path(folder)
    return sorted(path.iterdir()) if path.is_dir() else []
