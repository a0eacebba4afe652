"""Faults of what the operator works with: Pulumi's engine, and the backend of the stacks' states."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event

from drill.errors import DrillError
from drill.matrix.faults.site import Made, Site, lasting
from drill.operators.meddler import Break

_NAMESPACE_TYPE = "kubernetes:core/v1:Namespace"
_END_POLL_SECONDS = 0.005
"""When the backend has what an `up` has come to, Pulumi ends within a moment."""
_HELM_POLL_SECONDS = 0.02
"""An install's record is pending for a second or so."""


def _engine_killed(_: Site) -> Break:
    """`pulumi` and all that it started is killed."""
    return lambda _, kill: kill()


@contextmanager
def _unreachable(folder: Path) -> Iterator[None]:
    """Nothing can be read or written in a folder: a file has its place, as Pulumi would make a folder again."""
    away = folder.with_name(f"{folder.name}-away")
    os.rename(folder, away)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        os.rename(away, folder)


def _state_older(site: Site) -> Break:
    """The `up` is killed as it ends, and the backend is given the stack's state from before it, as out of a backup.

    :raises DrillError: when it is made: no `up` has ended.
    """

    def make(over: Event, kill: Callable[[], None]) -> None:
        stacks, stack = site.ctx.stacks, site.acting_region.stack
        before = stacks.former_state(stack)
        ended = _next_end(site, before, over)
        kill()
        _replace(stacks.state(stack), before.read_bytes())
        if _namespaces(before) - _namespaces(ended):
            # As docs/prepare/state-backend.md has it: the stack's rights in what was deleted are gone, too.
            with _as_administrator(site):
                _next_end(site, ended, over)

    return make


def _next_end(site: Site, last: Path, over: Event) -> Path:
    """Wait until an `up` of the stack has ended, and return the state that it left.

    :raises DrillError: none has.
    """
    while (found := site.ctx.stacks.former_state(site.acting_region.stack)) == last:
        if over.wait(_END_POLL_SECONDS):
            raise DrillError(f"no `up` of {site.acting_region.stack} has ended")
    return found


def _namespaces(state: Path) -> set[str]:
    """Return the namespaces that a state has."""
    latest = json.loads(state.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
    return {
        each["outputs"]["metadata"]["name"]
        for each in latest.get("resources") or ()
        if each["type"] == _NAMESPACE_TYPE
    }


@contextmanager
def _as_administrator(site: Site) -> Iterator[None]:
    """The stack works as the clusters' administrator."""
    if site.ctx.access is None:
        yield
        return
    used = site.ctx.access.kubeconfig(site.acting_region)
    own = used.read_bytes()
    _replace(used, site.ctx.clusters.kubeconfig.read_bytes())
    try:
        yield
    finally:
        _replace(used, own)


def _replace(file: Path, content: bytes) -> None:
    """Write a file at once, as who else reads it sees the old one or the new one."""
    new = file.with_suffix(".replacing")
    new.touch(mode=file.stat().st_mode)
    new.write_bytes(content)
    os.replace(new, file)


def _helm_pending(site: Site) -> Break:
    """The `up` is killed as soon as Helm has begun to work on a release.

    :raises DrillError: when it is made: no release was worked on.
    """

    def make(over: Event, kill: Callable[[], None]) -> None:
        view, region = site.ctx.view(site.acting_region), site.acting_region
        while not any(map(view.pending_releases, (region.namespace, region.failover_namespace))):
            if over.wait(_HELM_POLL_SECONDS):
                raise DrillError("no release was worked on")
        kill()

    return make


MADE: dict[str, Made] = {
    "engine-killed": _engine_killed,
    "helm-pending": _helm_pending,
    "state-older": _state_older,
    "backend-unreachable": lasting(
        5.0, lambda site: partial(_unreachable, site.ctx.stacks.backend)
    ),
}
