"""Which of the stacks' settings files are not committed: what another checkout does not know yet."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

_PATIENCE_SECONDS = 5.0
"""How long git may take: it is asked at the end of a run, and decides nothing."""


def uncommitted(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return those files that are changed or new to git; none if they are in no repository, or git is not there."""
    paths = [each for each in files if each.exists()]
    if not paths:
        return ()
    folder, names = str(paths[0].parent), [each.name for each in paths]
    try:
        listed = subprocess.run(
            ["git", "-C", folder, "status", "--porcelain", "-z", "--", *names],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    changed = {Path(entry[3:]).name for entry in listed.split("\0")}
    return tuple(each for each in paths if each.name in changed)
