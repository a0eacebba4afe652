"""Faults of what the operator works with: Pulumi's engine, and the backend of the stacks' states."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event

from drill.errors import DrillError
from drill.matrix.faults.site import Made, Site, lasting
from drill.operators.meddler import Break

_END_POLL_SECONDS = 0.005
"""When the backend has what an `up` has come to, Pulumi ends within a moment."""
_HELM_POLL_SECONDS = 0.02
"""An install's record is pending for a second or so."""


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


def _state_older(site: Site) -> Break:
    """The `up` is killed as it ends, and the backend is given the stack's state from before it, as out of a backup.

    :raises DrillError: when it is made: the `up` did not end.
    """

    def make(over: Event, kill: Callable[[], None]) -> None:
        stacks, stack = site.ctx.stacks, site.stack.stack
        before = stacks.former_state(stack)
        while stacks.former_state(stack) == before:
            if over.wait(_END_POLL_SECONDS):
                raise DrillError(f"no `up` of {stack} has ended")
        kill()
        state = stacks.state(stack)
        restored = state.with_suffix(".restored")
        shutil.copy2(before, restored)
        os.replace(restored, state)

    return make


def _helm_pending(site: Site) -> Break:
    """The `up` is killed as soon as Helm has begun to work on a release.

    :raises DrillError: when it is made: no release was worked on.
    """

    def make(over: Event, kill: Callable[[], None]) -> None:
        view, region = site.ctx.view(site.stack), site.stack
        while not any(map(view.pending_releases, (region.namespace, region.failover_namespace))):
            if over.wait(_HELM_POLL_SECONDS):
                raise DrillError("no release was worked on")
        kill()

    return make


MADE: dict[str, Made] = {
    "engine-killed": _engine_killed,
    "helm-pending": _helm_pending,
    "state-older": _state_older,
    "backend-unreachable": lasting(5.0, lambda site: partial(_away, site.ctx.stacks.backend)),
}
