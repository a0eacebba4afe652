"""Faults of an API server: the survivor's, or the recreated region's."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event
from typing import Any

from drill.matrix.faults.site import Made, Site, at_last, delayed, flapping, lasting
from drill.observation.access import USERS
from drill.operators.meddler import Break
from drill.regions import Region
from sandbox.regions import Delayed

_API_SERVER = "kube-apiserver"
_FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1"
_THROTTLED = "drill-throttled"
"""What the level of priority is called, and what brings the stacks' users to it."""


@contextmanager
def _frozen(site: Site, region: Region) -> Iterator[None]:
    site.sandbox.freeze(region.index, _API_SERVER, frozen=True)
    try:
        yield
    finally:
        site.sandbox.freeze(region.index, _API_SERVER, frozen=False)


@contextmanager
def _slow(site: Site, region: Region) -> Iterator[None]:
    with delayed(site, [region.index], Delayed.API_SERVER, 2000):
        yield


@contextmanager
def _throttled(site: Site, region: Region) -> Iterator[None]:
    """The stacks' users are answered 429 and nothing else; the clusters' administrator is not concerned."""
    view = site.ctx.view(region)
    with ExitStack() as stack:
        for kind, spec in _flow_control().items():
            made = {
                "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": _THROTTLED},
                "spec": spec,
            }
            path = f"{_FLOWS}/{kind.lower()}s"
            view.call("POST", path, made)
            stack.callback(at_last, partial(view.call, "DELETE", f"{path}/{_THROTTLED}"))
        # A level without any seat still serves one request at a time: that one lasts.
        stack.enter_context(view.unfinished(next(iter(USERS))))
        yield


def _flow_control() -> Mapping[str, Mapping[str, Any]]:
    subjects = [{"kind": "User", "user": {"name": user}} for user in USERS]
    every = {
        "resourceRules": [
            {
                "verbs": ["*"],
                "apiGroups": ["*"],
                "resources": ["*"],
                "namespaces": ["*"],
                "clusterScope": True,
            }
        ],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    return {
        "PriorityLevelConfiguration": {
            "type": "Limited",
            "limited": {
                "nominalConcurrencyShares": 0,
                "lendablePercent": 0,
                "borrowingLimitPercent": 0,
                "limitResponse": {"type": "Reject"},
            },
        },
        "FlowSchema": {
            # Before all others but those that are exempt.
            "matchingPrecedence": 2,
            "priorityLevelConfiguration": {"name": _THROTTLED},
            "rules": [{"subjects": subjects, **every}],
        },
    }


def _faults(of: Callable[[Site], Region]) -> Mapping[str, Made]:
    """Return the faults of a region's API server, by the end of their names.

    :param of: which region's, of those of an incident.
    """

    def restarted(site: Site) -> Break:
        def make(_: Event, __: Callable[[], None]) -> None:
            site.sandbox.restart(of(site).index, _API_SERVER)

        return make

    return {
        "restarted": restarted,
        "frozen": lasting(8.0, lambda site: partial(_frozen, site, of(site))),
        "flapping": flapping(12.0, 1.0, lambda site: partial(_frozen, site, of(site))),
        "slow": lasting(20.0, lambda site: partial(_slow, site, of(site))),
        "throttles": lasting(10.0, lambda site: partial(_throttled, site, of(site))),
    }


_OF: Mapping[str, Callable[[Site], Region]] = {
    "api-server": lambda site: site.survivor,
    "recreated-api-server": lambda site: site.incident.lost,
}
MADE: dict[str, Made] = {
    f"{which}-{fault}": made for which, of in _OF.items() for fault, made in _faults(of).items()
}
