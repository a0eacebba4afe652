"""Faults of names: what the survivor's DNS answers."""

from collections.abc import Callable, Mapping
from threading import Event

from drill.matrix.faults.site import Made, Site, at_last
from drill.operators.meddler import Break

_STALE_SECONDS = 20.0
_KNOWN_SECONDS = 1.0
"""How long after it is told DNS certainly answers so."""


def _stale(site: Site) -> Break:
    """DNS goes on giving the addresses that all brokers have now, and one of them gets another one."""

    def make(over: Event, _: Callable[[], None]) -> None:
        region = site.survivor.index
        try:
            site.sandbox.hold_names(region, at_last(lambda: _addresses(site)))
            if not over.wait(_KNOWN_SECONDS):
                at_last(lambda: site.view.kill_pod(site.survivor.namespace, site.broker()))
                over.wait(_STALE_SECONDS)
        finally:
            site.sandbox.hold_names(region, {})

    return make


def _addresses(site: Site) -> Mapping[str, str]:
    return {
        ".".join(
            (
                pod["spec"]["hostname"],
                pod["spec"]["subdomain"],
                pod["metadata"]["namespace"],
                "svc.cluster.local",
            )
        ): pod["status"]["podIP"]
        for pod in site.view.broker_pods([site.survivor.namespace])
        if pod["status"].get("podIP")
    }


MADE: dict[str, Made] = {"dns-stale": _stale}
