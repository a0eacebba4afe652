"""Short commands of the machine (`ip`, `cp`, `rm`), whose failure becomes one clear sentence."""

import os
import subprocess
from collections.abc import Sequence

from sandbox.errors import SandboxError
from sandbox.patience import allowed
from sandbox.regions.model import SYSTEM_PATH

LIMIT_SECONDS = 60.0  # the slowest, a copy of all images between file systems, stays well below


def run(argv: Sequence[str], why: str, text: str | None = None, remedy: str = "") -> str:
    """Run a command that ends by itself and return its output.

    :param argv: the command and its arguments.
    :param why: what it is for, to complete "Cannot ...".
    :param text: its standard input.
    :param remedy: what the user can do when it fails.
    :raises SandboxError: it failed, was not found, or did not end.
    """
    limit = allowed(LIMIT_SECONDS)
    try:
        done = subprocess.run(
            list(argv),
            check=False,
            input=text,
            capture_output=True,
            text=True,
            timeout=limit,
            env={**os.environ, "PATH": ":".join(SYSTEM_PATH), "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise SandboxError(f"Cannot {why}: {argv[0]} is not there. Run `make setup`.") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(
            f"Cannot {why}: {argv[0]} did not end within {limit:.0f} s. {remedy}".rstrip()
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().replace("\n", "; ")
        raise SandboxError(f"Cannot {why}: {argv[0]} said: {said}. {remedy}".rstrip())
    return done.stdout
