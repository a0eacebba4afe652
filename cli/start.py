"""Where the command begins: it looks whether what it needs is installed, before any of that is read."""

import sys
from typing import NoReturn

OLDEST_PYTHON = (3, 11)


def run() -> NoReturn:
    """Run the command; end with one sentence if this Python, or a module that it needs, is missing."""
    if sys.version_info < OLDEST_PYTHON:
        # Nothing of the program can be read by an older Python: its messages neither.
        needed, found = (".".join(map(str, each[:2])) for each in (OLDEST_PYTHON, sys.version_info))
        sys.exit(f"error: Python {needed} or newer is needed; this is {found}, {sys.executable}")
    try:
        from cli.__main__ import run as run_command
    except ModuleNotFoundError as error:
        from cli.errors import missing

        sys.exit(missing(error))
    run_command()
