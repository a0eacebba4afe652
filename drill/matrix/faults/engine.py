"""Faults of the survivor's search engine and of the snapshot repository."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from drill.errors import DrillError
from drill.matrix.faults.site import Made, Site, lasting
from drill.operators.meddler import Break

T = TypeVar("T")

_READ_ONLY = "index.blocks.read_only_allow_delete"
"""What an engine sets itself when its disk is full."""
_REPOSITORY_SECONDS = 10.0
_LOOK_SECONDS = 0.002
"""A shard of a rehearsal is written within some milliseconds."""


@contextmanager
def _read_only(site: Site) -> Iterator[None]:
    _set_read_only(site, on=True)
    try:
        yield
    finally:
        _set_read_only(site, on=None)


def _set_read_only(site: Site, *, on: bool | None) -> None:
    site.view.ask_engine("PUT", site.survivor.namespace, "_all/_settings", {_READ_ONLY: on})


@contextmanager
def _closed(folder: Path) -> Iterator[None]:
    """A folder is closed to all users but root."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    try:
        yield
    finally:
        folder.chmod(mode)


def _shards(repository: Path) -> set[Path]:
    """Return the folders of all shards that a repository has something of."""
    return set(repository.glob("**/indices/*/[0-9]*"))


def _snapshots(repository: Path) -> set[Path]:
    """Return what says of each snapshot that has ended how it has."""
    # Of each shard there is one, too, further down.
    return {each for each in repository.glob("**/snap-*.dat") if "indices" not in each.parts}


def _awaited(look: Callable[[], T], over: Event, what: str) -> T:
    """Look until there is something.

    :raises DrillError: there is nothing until it is over.
    """
    while not (found := look()):
        if over.wait(_LOOK_SECONDS):
            raise DrillError(f"{what} did not come")
    return found


def _shard_unwritable(site: Site) -> Break:
    """A snapshot begins, and nothing more of one of its shards can be written, for a while."""
    repository = site.ctx.paths.backup

    def make(over: Event, _: Callable[[], None]) -> None:
        known = _shards(repository)
        with ExitStack() as stack:

            def close() -> bool:
                for shard in _shards(repository) - known:
                    known.add(shard)
                    with ExitStack() as tried:
                        tried.enter_context(_closed(shard))
                        # One that is whole already stays so.
                        if not any(shard.glob("snap-*")):
                            stack.push(tried.pop_all())
                            return True
                return False

            _awaited(close, over, "a snapshot")
            over.wait(_REPOSITORY_SECONDS)

    return make


def _shard_unreadable(site: Site) -> Break:
    """A snapshot has ended, and nothing of one of its shards can be read, for a while."""
    repository = site.ctx.paths.backup

    def make(over: Event, _: Callable[[], None]) -> None:
        known = _snapshots(repository)
        _awaited(lambda: _snapshots(repository) - known, over, "a snapshot")
        with _closed(site.chance.choice(sorted(_shards(repository)))):
            over.wait(_REPOSITORY_SECONDS)

    return make


MADE: dict[str, Made] = {
    "engine-read-only": lasting(10.0, lambda site: partial(_read_only, site)),
    "repository-unreachable": lasting(10.0, lambda site: partial(_closed, site.ctx.paths.backup)),
    "snapshot-partial": _shard_unwritable,
    "restore-shards-failed": _shard_unreadable,
}
