"""Runs the commands of the set-up: output into a log file, failures as one clear sentence."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from sandbox.cache import cache_root
from sandbox.errors import SandboxError

LAST_LINES = 4
# Debian keeps administrators' commands where an ordinary user's PATH does not look.
ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
# Even when the set-up is killed outright, what it started ends with it.
DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL")


def which(command: str) -> Path | None:
    """Find a command on PATH or among the administrators' commands."""
    found = shutil.which(command, path=f"{os.environ.get('PATH', '')}:{ADMIN_PATH}")
    return Path(found).absolute() if found else None


def find(command: str) -> Path:
    """Like `which`, for a command that must be there; raises SandboxError."""
    found = which(command)
    if found is None:
        raise SandboxError(f"the command {command} is missing. Run `make setup`.")
    return found


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    remedy: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    feed: Callable[[IO[bytes]], None] | None = None,
) -> None:
    """Run a command to its end.

    :param argv: command and arguments.
    :param cwd: where it runs.
    :param what: what it does, as the beginning of an error ("building etcd").
    :param remedy: what the user can do when it fails.
    :param env: variables set in addition to the process's own.
    :param feed: writes what the command reads.
    :raises SandboxError: it failed or is not there; with its last lines, its log file and the remedy.
    """
    if which(str(argv[0])) is None:
        raise SandboxError(f"{what}: the command {argv[0]} is not there. {remedy}")
    log = log_file(what)
    environment = {
        **os.environ,
        "PATH": f"{os.environ.get('PATH', '')}:{ADMIN_PATH}",
        **(env or {}),
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*DIE_WITH_US, *map(str, argv)],
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            if feed:
                # When the command gives up, its exit status and output say why.
                with suppress(BrokenPipeError), cast(IO[bytes], process.stdin) as stream:
                    feed(stream)
            process.wait()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise SandboxError(
            f"{what} failed (exit status {process.returncode}): {last_lines(log)}\n"
            f"Whole output: {log}. {remedy}"
        )


def log_file(what: str) -> Path:
    """The log file of one piece of work; its folder is made."""
    folder = cache_root() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    words = "".join(c if c.isalnum() else "-" for c in what)
    return folder / f"{words}.log"


def last_lines(log: Path) -> str:
    """The last lines of a log that say something, as one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-LAST_LINES:]) or "it printed nothing"
