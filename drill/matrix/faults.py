"""How each fault is made at a moment, and taken away again: on the sandbox's regions, its link, and the pods in them."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.observation.pods import is_ready
from drill.operators.meddler import Break
from drill.regions import GATEWAY_SERVICE, Region
from drill.settings import Incident
from drill.testbed.context import DrillContext
from sandbox.regions import Sandbox

_API_SERVER = "kube-apiserver"
_GATEWAYS = "app.kubernetes.io/component=zeebe-gateway"
_ENGINES = "app.kubernetes.io/name=elasticsearch"
_READ_ONLY = "index.blocks.read_only_allow_delete"
"""What an engine sets itself when its disk is full."""
_SLOW_CORES = 0.05
_STARTING_SECONDS = 15.0
"""How long a pod that is restarted anyway is waited for."""
_AGAIN_SECONDS = 0.5


T = TypeVar("T")


@dataclass
class Site:
    """Where a fault is made: the survivor of an incident, on regions of the drill's own.

    :ivar chance: what its chances are drawn from.
    """

    ctx: DrillContext
    incident: Incident
    chance: random.Random

    @property
    def region(self) -> Region:
        """The survivor."""
        return self.incident.survivor

    @property
    def view(self) -> ClusterView:
        """A fresh view of its cluster."""
        return self.ctx.view(self.region)

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
        return self._one(self.view.broker_pods([self.region.namespace]), "broker")

    def gateway(self) -> str:
        """Return one of the survivor's gateways, by chance; from 8.8 on a broker is one."""
        if self.ctx.settings.version.is_unified:
            return self.broker()
        return self._one(self.view.pods(self.region.namespace, _GATEWAYS), GATEWAY_SERVICE)

    def engine(self) -> str:
        """Return a pod of the survivor's search engine."""
        return self._one(self.view.pods(self.region.namespace, _ENGINES), "search engine")

    def _one(self, found: list[dict[str, object]], what: str) -> str:
        names = sorted(str(pod["metadata"]["name"]) for pod in found if is_ready(pod))  # type: ignore[index]
        if not names:
            raise DrillError(f"no {what} of {self.region.city} is ready")
        return self.chance.choice(names)


Made = Callable[[Site], Break]
Manager = Callable[[], AbstractContextManager[None]]


def _killed(which: Callable[[Site], str]) -> Made:
    """A pod is killed, and comes back by itself."""

    def made(site: Site) -> Break:
        def make(_: Event, __: Callable[[], None]) -> None:
            _at_last(lambda: site.view.kill_pod(site.region.namespace, which(site)))

        return make

    return made


def _faulty(which: Callable[[Site], str], faults: dict[str, object], seconds: float) -> Made:
    """A rehearsal broker or gateway does something wrong on purpose."""

    def made(site: Site) -> Break:
        def make(over: Event, _: Callable[[], None]) -> None:
            where = site.region.namespace

            def begin() -> str:
                pod = which(site)
                site.view.set_faults(where, pod, faults)
                return pod

            pod = _at_last(begin)
            try:
                over.wait(seconds)
            finally:
                _at_last(lambda: site.view.set_faults(where, pod, {}))

        return make

    return made


def _at_last(work: Callable[[], T]) -> T:
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


def _lasting(seconds: float, state: Callable[[Site], Manager]) -> Made:
    """Something is otherwise for a while, or, with 0, until the `up` and the drill's stretch are over."""

    def made(site: Site) -> Break:
        def make(over: Event, _: Callable[[], None]) -> None:
            with state(site)():
                over.wait(seconds or None)

        return make

    return made


def _flapping(seconds: float, every: float, state: Callable[[Site], Manager]) -> Made:
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


def engine_killed(_: Site) -> Break:
    """`pulumi` and all that it started is killed."""
    return lambda _, kill: kill()


@contextmanager
def _frozen(site: Site) -> Iterator[None]:
    site.sandbox.freeze(site.region.index, _API_SERVER, frozen=True)
    try:
        yield
    finally:
        site.sandbox.freeze(site.region.index, _API_SERVER, frozen=False)


@contextmanager
def _impaired(site: Site, verdict: str) -> Iterator[None]:
    site.sandbox.impair_link(site.region.index, verdict)
    try:
        yield
    finally:
        site.sandbox.impair_link(site.region.index, "")


@contextmanager
def _cut(site: Site) -> Iterator[None]:
    site.sandbox.cut_link()
    try:
        yield
    finally:
        site.sandbox.restore_link()


@contextmanager
def _slow(site: Site) -> Iterator[None]:
    pod, where = site.broker(), site.region.namespace
    site.sandbox.slow(site.region.index, where, pod, _SLOW_CORES)
    try:
        yield
    finally:
        # One that was replaced meanwhile is as quick as ever.
        if any(each["metadata"]["name"] == pod for each in site.view.broker_pods([where])):
            site.sandbox.slow(site.region.index, where, pod, None)


@contextmanager
def _read_only(site: Site) -> Iterator[None]:
    _set_read_only(site, on=True)
    try:
        yield
    finally:
        _set_read_only(site, on=None)


def _set_read_only(site: Site, *, on: bool | None) -> None:
    service = f"{site.ctx.settings.version.search_service}:9200"
    path = f"/api/v1/namespaces/{site.region.namespace}/services/{service}/proxy/_all/_settings"
    site.view.call("PUT", path, {_READ_ONLY: on})


@contextmanager
def _closed(folder: Path) -> Iterator[None]:
    """A folder is closed to all users but root."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    try:
        yield
    finally:
        folder.chmod(mode)


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
    "engine-killed": engine_killed,
    "gateway-restarted": _killed(Site.gateway),
    "gateway-stale": _faulty(Site.gateway, {"staleGateway": True}, 10.0),
    "broker-killed": _killed(Site.broker),
    "broker-slow": _lasting(15.0, lambda site: partial(_slow, site)),
    "management-hangs": _faulty(Site.broker, {"hangManagement": True}, 10.0),
    "exporter-stuck": lambda site: _faulty(Site.broker, _stuck(site), 10.0)(site),
    "engine-restarted": _killed(Site.engine),
    "engine-read-only": _lasting(10.0, lambda site: partial(_read_only, site)),
    "api-server-frozen": _lasting(8.0, lambda site: partial(_frozen, site)),
    "api-server-flapping": _flapping(12.0, 1.0, lambda site: partial(_frozen, site)),
    "repository-unreachable": _lasting(10.0, lambda site: partial(_closed, site.ctx.paths.backup)),
    "backend-unreachable": _lasting(5.0, lambda site: partial(_away, site.ctx.stacks.backend)),
    "link-lossy": _lasting(
        0.0, lambda site: partial(_impaired, site, "numgen random mod 100 < 20 drop")
    ),
    "link-one-way": _lasting(8.0, lambda site: partial(_impaired, site, "drop")),
    "link-flapping": _flapping(10.0, 1.0, lambda site: partial(_cut, site)),
}
"""How each fault that comes at a moment is made, by its name in the table."""


def _stuck(site: Site) -> dict[str, object]:
    ids = (site.ctx.settings.version.exporter_to(region) for region in (0, 1))
    return {"stuckExporter": dict.fromkeys(ids, True)}
