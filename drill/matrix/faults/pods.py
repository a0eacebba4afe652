"""Faults of pods: killed, slow, led by others, or wrong on purpose."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event
from typing import Any

from drill.errors import ClusterCallFailed, DrillError
from drill.matrix.faults.site import Made, Site, at_last, lasting
from drill.operators.meddler import Break

_BROKER_CORES, _ENGINE_CORES = 0.05, 0.1
"""What is left to one that is slow."""
_FULL_SECONDS = 15
"""How long a disk is full."""
_LEADERS_TIMES, _LED_SECONDS = 3, 3.0
"""How often leaders change, and how long each leads at the most."""


def _killed(which: Callable[[Site], str]) -> Made:
    """A pod is killed, and comes back by itself."""

    def made(site: Site) -> Break:
        def make(_: Event, __: Callable[[], None]) -> None:
            at_last(lambda: site.view.kill_pod(site.survivor.namespace, which(site)))

        return make

    return made


def _faulty(
    which: Callable[[Site], str], faults: Callable[[Site], Mapping[str, object]], seconds: float
) -> Made:
    """A rehearsal broker or gateway does something wrong on purpose.

    :param faults: what a rehearsal is told to do wrong, by its version.
    """

    def made(site: Site) -> Break:
        def make(over: Event, _: Callable[[], None]) -> None:
            where = site.survivor.namespace

            def begin() -> str:
                pod = which(site)
                site.view.set_faults(where, pod, faults(site))
                return pod

            pod = at_last(begin)
            try:
                over.wait(seconds)
            finally:
                at_last(lambda: site.view.set_faults(where, pod, {}))

        return make

    return made


def _disk_full(site: Site) -> Break:
    """A broker's disk is full for a while: of whatever broker has it, as a restart empties no disk."""

    def make(over: Event, _: Callable[[], None]) -> None:
        where = site.survivor.namespace
        pod = at_last(site.broker)
        at_last(lambda: site.view.set_faults(where, pod, {"diskFull": True}))
        try:
            for _second in range(_FULL_SECONDS):
                if over.wait(1.0):
                    break
                with suppress(ClusterCallFailed, DrillError):  # it starts again just now
                    site.view.set_faults(where, pod, {"diskFull": True})
        finally:
            at_last(lambda: site.view.set_faults(where, pod, {}))

    return make


def _leaders_change(site: Site) -> Break:
    """Each partition that a broker of the survivor leads is given to another one, several times in turn."""

    def make(over: Event, _: Callable[[], None]) -> None:
        for _number in range(_LEADERS_TIMES):
            at_last(lambda: _give_away(site))
            if over.wait(_LED_SECONDS):
                return

    return make


def _give_away(site: Site) -> None:
    """Let the survivor's leaders give their partitions to others.

    :raises ClusterCallFailed: the gateway does not tell who follows.
    :raises DrillError: no leader has given one.
    """
    view, given = site.view, 0
    followers = _followers(view.topology(site.survivor.namespace))
    for led in view.led([site.survivor.namespace, site.survivor.failover_namespace]):
        if others := followers.get(led.partition):
            # Else another one has been elected meanwhile, or that one is too far behind.
            with suppress(ClusterCallFailed):
                view.give_leadership(led, site.chance.choice(others))
                given += 1
    if not given:
        raise DrillError(f"no broker of {site.survivor.city} has given a partition to another one")


def _followers(topology: Mapping[str, Any]) -> Mapping[int, list[int]]:
    """Return which brokers follow in each partition."""
    found: dict[int, list[int]] = {}
    for broker in topology["brokers"]:
        for partition in broker["partitions"]:
            if str(partition["role"]).lower() == "follower":
                found.setdefault(partition["partitionId"], []).append(broker["nodeId"])
    return found


@contextmanager
def _slow(site: Site, which: Callable[[Site], str], cores: float) -> Iterator[None]:
    pod, where = which(site), site.survivor.namespace
    site.sandbox.slow(site.survivor.index, where, pod, cores)
    try:
        yield
    finally:
        # One that was replaced meanwhile is as quick as ever.
        if any(each["metadata"]["name"] == pod for each in site.view.pods(where)):
            site.sandbox.slow(site.survivor.index, where, pod, None)


def _stale(_: Site) -> Mapping[str, object]:
    return {"staleGateway": True}


def _stuck(site: Site) -> Mapping[str, object]:
    ids = (site.ctx.settings.version.exporter_to(region) for region in (0, 1))
    return {"stuckExporter": dict.fromkeys(ids, True)}


MADE: dict[str, Made] = {
    "gateway-restarted": _killed(Site.gateway),
    "gateway-stale": _faulty(Site.gateway, _stale, 10.0),
    "second-gateway-stale": _faulty(Site.gateway, _stale, 10.0),
    "broker-killed": _killed(Site.broker),
    "leaders-change": _leaders_change,
    "broker-slow": lasting(15.0, lambda site: partial(_slow, site, Site.broker, _BROKER_CORES)),
    "engine-slow": lasting(15.0, lambda site: partial(_slow, site, Site.engine, _ENGINE_CORES)),
    "management-hangs": _faulty(Site.broker, lambda _: {"hangManagement": True}, 10.0),
    "exporter-stuck": _faulty(Site.broker, _stuck, 10.0),
    "engine-restarted": _killed(Site.engine),
    "engine-node-lost": _killed(Site.engine),
    "disk-full": _disk_full,
}
