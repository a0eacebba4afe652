"""Faults of the survivor's search engine and of the snapshot repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from drill.matrix.faults.site import Made, Site, lasting

_READ_ONLY = "index.blocks.read_only_allow_delete"
"""What an engine sets itself when its disk is full."""


@contextmanager
def _read_only(site: Site) -> Iterator[None]:
    _set_read_only(site, on=True)
    try:
        yield
    finally:
        _set_read_only(site, on=None)


def _set_read_only(site: Site, *, on: bool | None) -> None:
    site.view.ask_engine("PUT", site.region.namespace, "_all/_settings", {_READ_ONLY: on})


@contextmanager
def _closed(folder: Path) -> Iterator[None]:
    """A folder is closed to all users but root."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    try:
        yield
    finally:
        folder.chmod(mode)


MADE: dict[str, Made] = {
    "engine-read-only": lasting(10.0, lambda site: partial(_read_only, site)),
    "repository-unreachable": lasting(10.0, lambda site: partial(_closed, site.ctx.paths.backup)),
}
