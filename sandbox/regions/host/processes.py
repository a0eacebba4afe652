"""Starting a region's processes so that they outlive the command, and watching them while they start."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from sandbox.regions.host import cgroups, commands
from sandbox.regions.model import SYSTEM_PATH, Place, Process, Region

LOG_LINES = 15

# The shell enters the groups before anything runs, so no process is ever outside of them, and ends at once,
# so that the process belongs to the machine's init, which buries it. As many open files as the machine allows:
# search engines and brokers need more than a login shell's usual 1024.
_LAUNCHER = """set -eu
for entry in $ENTRIES; do echo $$ >"$entry"; done
unset ENTRIES
ulimit -n "$(ulimit -H -n)"
setsid "$@" </dev/null >>"$LOG" 2>&1 &
echo $! >"$PIDFILE"
"""


def start(region: Region, process: Process) -> None:
    """Start the process in its namespaces, its log in the region's `logs` folder.

    :raises SandboxError: it could not be started at all; one that ends soon after is found by `ended`.
    """
    environment = {
        "PATH": os.pathsep.join(SYSTEM_PATH),
        "HOME": str(region.folder),
        "LANG": "C",
        # Most of them are written in Go, and at their start mostly tidy up memory.
        "GOGC": "200",
        **process.env,
        "ENTRIES": " ".join(str(entry) for entry in cgroups.entry_files(region.cgroup)),
        "LOG": str(log_file(region, process.name)),
        "PIDFILE": str(_pid_file(region, process.name)),
    }
    exports = [f"{name}={value}" for name, value in environment.items()]
    clean = ["env", "-i", f"--chdir={region.folder}", *exports]
    launch = ["sh", "-c", _LAUNCHER, "sh"]
    commands.run(
        [*clean, *launch, *_entering(region, process), *process.argv],
        f"start {process.name} of {region.name}",
    )


def _entering(region: Region, process: Process) -> list[str]:
    """Return the command that enters the namespaces of the process's place."""
    if process.place is Place.MACHINE:
        return []
    enter = ["nsenter", f"--net=/run/netns/{region.netns}"]
    if process.place is Place.REGION:
        enter.append(f"--mount=/proc/{pid(region, 'anchor')}/ns/mnt")
    return [*enter, "--"]


def log_file(region: Region, name: str) -> Path:
    """Return where the named process of the region writes what it says."""
    return region.logs / f"{name}.log"


def _pid_file(region: Region, name: str) -> Path:
    return region.folder / "pids" / name


def pid(region: Region, name: str) -> int | None:
    """Return the id of the named process as it was started, or None; it may have ended since."""
    try:
        return int(_pid_file(region, name).read_text())
    except (OSError, ValueError):
        return None


def started(region: Region) -> list[str]:
    """Return the names of the processes that were started in the region."""
    folder = region.folder / "pids"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def end(region: Region, name: str) -> None:
    """End the named process at once, if it runs; nothing misses it then."""
    found = pid(region, name)
    if found in cgroups.processes(region.cgroup):
        with suppress(ProcessLookupError):  # it has ended by itself meanwhile
            os.kill(found, signal.SIGKILL)
    _pid_file(region, name).unlink(missing_ok=True)


def forget(region: Region) -> None:
    """Forget what was started in the region, of which nothing lives any more."""
    for name in started(region):
        _pid_file(region, name).unlink()


def ended(region: Region) -> list[str]:
    """Return the names of the region's processes that were started and live no more.

    The process that has the id now must be in the region's group: an id used again by another one misleads nothing.
    """
    living = cgroups.processes(region.cgroup)
    return [name for name in started(region) if pid(region, name) not in living]


def last_lines(region: Region, name: str) -> str:
    """Return the end of the process's log, indented, for an error message."""
    try:
        lines = log_file(region, name).read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    if not lines:
        return "  (its log is empty)"
    return "\n".join(f"  {line[:300]}" for line in lines[-LOG_LINES:])
