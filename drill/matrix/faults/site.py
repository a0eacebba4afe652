"""Where faults are made, and how they last: on the survivor of an incident, taken away again whatever happens meanwhile."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.observation.pods import is_ready
from drill.operators.meddler import Break
from drill.procedure.model import Part
from drill.regions import GATEWAY_SERVICE, Region
from drill.settings import Incident
from drill.testbed.context import DrillContext
from sandbox.regions import Delayed, Sandbox

_GATEWAYS = "app.kubernetes.io/component=zeebe-gateway"
_CHARTS_ENGINES = "app.kubernetes.io/name=elasticsearch"
_STARTING_SECONDS = 15.0
"""How long a pod that is restarted anyway is waited for."""
_AGAIN_SECONDS = 0.5

T = TypeVar("T")


@dataclass
class Site:
    """Where a fault is made: the survivor of an incident, on regions of the drill's own.

    :ivar chance: what its chances are drawn from.
    :ivar part: of the stack whose `up` it comes in.
    """

    ctx: DrillContext
    incident: Incident
    chance: random.Random
    part: Part = Part.SURVIVOR

    @property
    def survivor(self) -> Region:
        """The region that is not lost."""
        return self.incident.survivor

    @property
    def acting_region(self) -> Region:
        """The region of the stack whose `up` it comes in."""
        return self.survivor if self.part is Part.SURVIVOR else self.incident.lost

    @property
    def view(self) -> ClusterView:
        """A fresh view of the survivor's cluster."""
        return self.ctx.view(self.survivor)

    @property
    def sandbox(self) -> Sandbox:
        """The regions.

        :raises DrillError: they are no sandbox.
        """
        if not isinstance(self.ctx.clusters, Sandbox):
            raise DrillError("faults are made in the sandbox alone")
        return self.ctx.clusters

    def broker(self) -> str:
        """Return one of the survivor's brokers, by chance."""
        return self._one(self.view.broker_pods([self.survivor.namespace]), "broker")

    def gateway(self) -> str:
        """Return one of the survivor's gateways, by chance; from 8.8 on a broker is one."""
        if self.ctx.settings.version.is_unified:
            return self.broker()
        return self._one(self.view.pods(self.survivor.namespace, _GATEWAYS), GATEWAY_SERVICE)

    def engine(self) -> str:
        """Return a pod of the survivor's search engine."""
        own = self.ctx.settings.version.own_engine
        selector = own.selector if own else _CHARTS_ENGINES
        return self._one(self.view.pods(self.survivor.namespace, selector), "search engine")

    def _one(self, found: list[dict[str, object]], what: str) -> str:
        names = sorted(str(pod["metadata"]["name"]) for pod in found if is_ready(pod))  # type: ignore[index]
        if not names:
            raise DrillError(f"no {what} of {self.survivor.city} is ready")
        return self.chance.choice(names)


Made = Callable[[Site], Break]
Manager = Callable[[], AbstractContextManager[None]]


def at_last(work: Callable[[], T]) -> T:
    """Do something to a pod that may be starting: again and again, for a while.

    :raises ClusterCallFailed: it could not be done.
    :raises DrillError: there is no such pod.
    """
    end = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            return work()
        except (ClusterCallFailed, DrillError):
            if time.monotonic() > end:
                raise
        time.sleep(_AGAIN_SECONDS)


def lasting(seconds: float | None, state: Callable[[Site], Manager]) -> Made:
    """Something is otherwise for a while.

    :param seconds: how long; None: until the `up` and the drill's stretch are over.
    """

    def made(site: Site) -> Break:
        def make(over: Event, _: Callable[[], None]) -> None:
            with state(site)():
                over.wait(seconds)

        return make

    return made


def flapping(seconds: float, every: float, state: Callable[[Site], Manager]) -> Made:
    """Something is otherwise, and again as it was, in turn."""

    def made(site: Site) -> Break:
        def make(over: Event, _: Callable[[], None]) -> None:
            for _number in range(round(seconds / every / 2)):
                with state(site)():
                    over.wait(every)
                if over.wait(every):
                    return

        return make

    return made


@contextmanager
def delayed(site: Site, regions: Iterable[int], what: Delayed, milliseconds: int) -> Iterator[None]:
    """Something comes late in regions of the sandbox."""
    with ExitStack() as stack:
        for region in regions:
            # Also where it could be begun in one of them only.
            stack.callback(site.sandbox.delay, region, what, 0)
            site.sandbox.delay(region, what, milliseconds)
        yield
