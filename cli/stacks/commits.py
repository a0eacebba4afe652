"""Which of the stacks' settings files are not committed: what another checkout does not know yet."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

_PATIENCE_SECONDS = 5.0
"""How long git may take: it is asked at the end of a run, and decides nothing."""


def uncommitted(files: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of those files that git would commit; none if they are in no repository, or git is not there."""
    paths = [each for each in files if each.exists()]
    if not paths:
        return ()
    try:
        listed = subprocess.run(
            ["git", "-C", str(paths[0].parent), "status", "--porcelain", "--", *map(str, paths)],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    changed = [line[3:].strip('"') for line in listed.splitlines()]
    return tuple(each.name for each in paths if any(name.endswith(each.name) for name in changed))
