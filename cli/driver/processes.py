"""The processes below this one: Pulumi runs the program, which runs the gates.

At Ctrl-C Pulumi waits for the gate that runs, which may wait for minutes itself. The program ends at once by a signal;
the gate then leaves no record, and Pulumi saves, unlocks and ends.
"""

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress

PROGRAM = "pulumi-language-python-exec"
"""What the command line of a Pulumi program in Python holds."""


def stop_program() -> None:
    """End the program that runs below this process, if there is one."""
    # Wide: where COLUMNS is exported, ps cuts its lines there, and no process would be known by them.
    listed = subprocess.run(
        ["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=False
    ).stdout
    for pid in programs(listed.splitlines(), os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def programs(listed: Iterable[str], root: int) -> list[int]:
    """Return the processes below `root` that run a program.

    :param listed: lines of process, parent and command.
    """
    rows = [line.split(maxsplit=2) for line in listed]
    known = [(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]
    below, found = {root}, []
    # A child may be listed before its parent, as numbers of processes are given again.
    while grown := [each for each in known if each[1] in below and each[0] not in below]:
        below |= {pid for pid, _, _ in grown}
        found += [pid for pid, _, command in grown if PROGRAM in command]
    return found
