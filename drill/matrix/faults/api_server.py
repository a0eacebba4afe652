"""Faults of the survivor's API server."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from drill.matrix.faults.site import Made, Site, flapping, lasting

_API_SERVER = "kube-apiserver"


@contextmanager
def _frozen(site: Site) -> Iterator[None]:
    site.sandbox.freeze(site.region.index, _API_SERVER, frozen=True)
    try:
        yield
    finally:
        site.sandbox.freeze(site.region.index, _API_SERVER, frozen=False)


MADE: dict[str, Made] = {
    "api-server-frozen": lasting(8.0, lambda site: partial(_frozen, site)),
    "api-server-flapping": flapping(12.0, 1.0, lambda site: partial(_frozen, site)),
}
