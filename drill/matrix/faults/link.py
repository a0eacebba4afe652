"""Faults of the link between the regions."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from drill.matrix.faults.site import Made, Site, delayed, flapping, lasting
from sandbox.regions import Delayed


@contextmanager
def _impaired(site: Site, verdict: str) -> Iterator[None]:
    site.sandbox.impair_link(site.survivor.index, verdict)
    try:
        yield
    finally:
        site.sandbox.impair_link(site.survivor.index, "")


@contextmanager
def _cut(site: Site) -> Iterator[None]:
    site.sandbox.cut_link()
    try:
        yield
    finally:
        site.sandbox.restore_link()


@contextmanager
def _late(site: Site, milliseconds: int) -> Iterator[None]:
    """A round trip between the regions takes so much longer, half of it each way."""
    with delayed(site, (0, 1), Delayed.LINK, milliseconds // 2):
        yield


MADE: dict[str, Made] = {
    "link-lossy": lasting(
        None, lambda site: partial(_impaired, site, "numgen random mod 100 < 20 drop")
    ),
    "link-one-way": lasting(8.0, lambda site: partial(_impaired, site, "drop")),
    "link-slow": lasting(None, lambda site: partial(_late, site, 100)),
    "link-flapping": flapping(10.0, 1.0, lambda site: partial(_cut, site)),
}
