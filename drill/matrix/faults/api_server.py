"""Faults of the survivor's API server."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from drill.matrix.faults.site import Made, Site, at_last, delayed, flapping, lasting
from drill.observation.access import USERS
from sandbox.regions import Delayed

_API_SERVER = "kube-apiserver"
_FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1"
_THROTTLED = "drill-throttled"
"""What the level of priority is called, and what brings the stacks' users to it."""


@contextmanager
def _frozen(site: Site) -> Iterator[None]:
    site.sandbox.freeze(site.region.index, _API_SERVER, frozen=True)
    try:
        yield
    finally:
        site.sandbox.freeze(site.region.index, _API_SERVER, frozen=False)


@contextmanager
def _slow(site: Site) -> Iterator[None]:
    with delayed(site, [site.region.index], Delayed.API_SERVER, 2000):
        yield


@contextmanager
def _throttled(site: Site) -> Iterator[None]:
    """The stacks' users are answered 429 and nothing else; the clusters' administrator is not concerned."""
    view = site.view
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


MADE: dict[str, Made] = {
    "api-server-frozen": lasting(8.0, lambda site: partial(_frozen, site)),
    "api-server-flapping": flapping(12.0, 1.0, lambda site: partial(_frozen, site)),
    "api-server-slow": lasting(20.0, lambda site: partial(_slow, site)),
    "api-server-throttles": lasting(10.0, lambda site: partial(_throttled, site)),
}
