"""Faults of a region as a whole: its power, and its coming back."""

from collections.abc import Callable
from threading import Event

from drill.matrix.faults.site import Made, Site
from drill.operators.meddler import Break

_PATIENCE_SECONDS = 60.0
"""How long an operator who knows that a region is lost looks on as an `up` waits for it."""


def _survivor_power(site: Site) -> Break:
    """All of the survivor is killed at once, and starts again on the disks that it had."""

    def make(_: Event, __: Callable[[], None]) -> None:
        site.sandbox.power_cycle(site.survivor.index)

    return make


def _zombie_back(site: Site) -> Break:
    """The link is restored to a region that was cut off and called lost, while it lived on."""

    def make(_: Event, __: Callable[[], None]) -> None:
        site.sandbox.restore_link()

    return make


def _lost_again(site: Site) -> Break:
    """The recreated region is lost once more; an `up` that hangs by it is killed after a while."""
    lost = site.incident.lost

    def make(over: Event, kill: Callable[[], None]) -> None:
        site.ctx.read_audit(lost)
        site.sandbox.lose(lost.index)
        if not over.wait(_PATIENCE_SECONDS):
            kill()

    return make


MADE: dict[str, Made] = {
    "survivor-power": _survivor_power,
    "zombie-each-step": _zombie_back,
    "recreated-lost-midway": _lost_again,
}
