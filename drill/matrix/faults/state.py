"""Faults of what the operator works with: Pulumi's engine, and the backend of the stacks' states."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from drill.matrix.faults.site import Made, Site, lasting
from drill.operators.meddler import Break


def _engine_killed(_: Site) -> Break:
    """`pulumi` and all that it started is killed."""
    return lambda _, kill: kill()


@contextmanager
def _away(folder: Path) -> Iterator[None]:
    """A folder is not there."""
    away = folder.with_name(f"{folder.name}-away")
    os.rename(folder, away)
    try:
        yield
    finally:
        # What was made in its place meanwhile is of no use.
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(away, folder)


MADE: dict[str, Made] = {
    "engine-killed": _engine_killed,
    "backend-unreachable": lasting(5.0, lambda site: partial(_away, site.ctx.stacks.backend)),
}
