"""The failover installation has values of its own: what a cluster can have once is not made a second time in it.

An ingress with the same host is refused by the controller's webhook in the incident, or leads users to the failover
gateway; Connectors look for an Operate that is not there, and the reference's own overlay switches them off.
"""

from typing import Any

import pytest

from dualregion.chart.demands import conflicts_of_failover
from dualregion.chart.installations import failover_base
from dualregion.chart.values import at, merge, merge_all
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError
from dualregion.procedure.topology import Kind
from dualregion.state.progress import Incident, Stack
from tests.inputs.examples import settings
from tests.raising import assert_message, raises
from tests.unit.chart.rendered.test_demands import ISOLATING, REFERENCE

GIVEN: dict[str, Any] = {
    "global": {"ingress": {"enabled": True, "host": "camunda.example.com"}},
    "connectors": {"enabled": True, "inbound": {"mode": "disabled"}},
    "console": {"enabled": True},
    "zeebeGateway": {
        "ingress": {
            "grpc": {"enabled": True, "host": "zeebe.example.com"},
            "rest": {"enabled": True, "host": "zeebe.example.com"},
        },
        "service": {
            "type": "LoadBalancer",
            "loadBalancerIP": "192.0.2.7",
            "annotations": {
                "external-dns.alpha.kubernetes.io/hostname": "zeebe.example.com",
                "kept": "yes",
            },
        },
    },
    "operate": {"enabled": True, "contextPath": "/operate", "ingress": {"enabled": True}},
    "tasklist": {"contextPath": "/tasklist"},
    "elasticsearch": {
        "ingress": {"enabled": True},
        "service": {"nodePorts": {"restAPI": 30920}},
    },
}
BASE = merge(REFERENCE, GIVEN)
BUCKET = {"settings": {"bucket": "b"}}
EXPOSED = (
    "global.ingress.enabled",
    "connectors.enabled",
    "console.enabled",
    "zeebeGateway.ingress.grpc.enabled",
    "zeebeGateway.ingress.rest.enabled",
    "operate.ingress.enabled",
    "elasticsearch.ingress.enabled",
)
GONE = (
    "zeebeGateway.service.loadBalancerIP",
    "elasticsearch.service.nodePorts",
)


def failed_over(**changes: Any) -> Settings:
    return settings(phase="failover", lostRegion=1, backup=BUCKET, **changes)


def made(found: Settings, kind: Kind, own: Stack | None = None, **values: Any) -> dict[str, Any]:
    topology = desired(found, BASE, Stack(), own, **values)
    (release,) = (each for each in topology.installations if each.kind is kind)
    return dict(release.values)


def test_what_a_cluster_has_once_is_not_made_a_second_time() -> None:
    found = made(failed_over(), Kind.FAILOVER)
    assert {path: at(found, *path.split(".")) for path in EXPOSED} == dict.fromkeys(EXPOSED, False)
    assert {path: at(found, *path.split(".")) for path in GONE} == dict.fromkeys(GONE)
    assert at(found, "zeebeGateway", "service", "annotations") == {"kept": "yes"}
    assert at(found, "zeebeGateway", "service", "type") == "LoadBalancer"


def test_the_survivors_own_stays_as_it_is() -> None:
    found = made(failed_over(), Kind.NORMAL)
    for path in ("connectors", "console", "zeebeGateway", "global.ingress"):
        assert at(found, *path.split(".")) == at(BASE, *path.split("."))


def test_connectors_are_off_even_where_nothing_is_said_of_them() -> None:
    """The chart's default is on."""
    assert at(failover_base({}, {}), "connectors", "enabled") is False
    assert failover_base({}, {}).keys() == {"connectors"}


def test_the_users_failover_values_stand_over_all_that_but_the_programs_own() -> None:
    given = {
        "connectors": {"enabled": True},
        "zeebe": {"resources": {"requests": {"cpu": 1}}, "clusterSize": 99, "env": []},
        "zeebeGateway": {"ingress": {"grpc": {"enabled": True, "host": "failover.example.com"}}},
    }
    found = made(failed_over(), Kind.FAILOVER, failover_values=given)
    assert at(found, "connectors", "enabled") is True
    assert at(found, "zeebe", "resources", "requests", "cpu") == 1
    assert at(found, "zeebeGateway", "ingress", "grpc", "host") == "failover.example.com"
    assert at(found, "zeebe", "clusterSize") == 8
    assert len(at(found, "zeebe", "env")) == 5, "what the program sets is there in any case"
    assert made(failed_over(), Kind.NORMAL, failover_values=given) == made(
        failed_over(), Kind.NORMAL
    )


def test_they_are_the_same_in_the_failback() -> None:
    gates = dict.fromkeys(("F1", "F2", "F3", "B0", "B2"), str(Incident(1, 1)))
    given = {"zeebe": {"pvcSize": "7Gi"}}
    for held in (("F1", "F2", "F3"), ("F1", "F2", "F3", "B0", "B2")):
        own = Stack(
            nodes=frozenset({"normal", "failover", *held}),
            gates={step: gates[step] for step in held},
        )
        found = settings(phase="failback-pending", lostRegion=1, backup=BUCKET)
        values = made(found, Kind.FAILOVER, own, failover_values=given)
        assert at(values, "zeebe", "pvcSize") == "7Gi"
        assert at(values, "connectors", "enabled") is False


def test_failover_values_are_held_against_the_same_demands() -> None:
    assert conflicts_of_failover(BASE, {}, ISOLATING) == []
    (problem,) = conflicts_of_failover(BASE, {"zeebe": {"persistenceType": "memory"}}, ISOLATING)
    assert_message(
        problem,
        "value-refused",
        setting="failoverValues",
        path="zeebe.persistenceType",
        given="'memory'",
        allowed="disk",
    )


def test_failover_values_of_another_shape_are_refused_by_their_name() -> None:
    with raises("environment-no-list", ConfigError, setting="failoverValues"):
        conflicts_of_failover(BASE, {"zeebe": {"env": "text"}}, ISOLATING)


def _in_b4(base: dict[str, Any]) -> dict[str, Any]:
    own = Stack(
        nodes=frozenset({"normal", "failover", "B0", "B2", "B3"}),
        gates=dict.fromkeys(("B0", "B2", "B3"), str(Incident(1, 1))),
    )
    found = settings(phase="failback-pending", lostRegion=1, backup=BUCKET)
    topology = desired(found, base, Stack(), own)
    return dict(next(each.values for each in topology.installations if each.kind is Kind.NORMAL))


def test_an_ingress_without_paths_is_not_made() -> None:
    """No API server takes it, so every `up` of B4 would fail, with the exporters paused."""
    found = _in_b4(BASE)
    assert at(found, "operate", "enabled") is False
    assert at(found, "global", "ingress", "enabled") is False
    assert at(found, "global", "ingress", "host") == "camunda.example.com"


@pytest.mark.parametrize(
    "other", [{"connectors": {"contextPath": "/connectors"}}, {"console": {"contextPath": "/c"}}]
)
def test_one_with_other_paths_stays(other: dict[str, Any]) -> None:
    assert at(_in_b4(merge_all([BASE, other])), "global", "ingress", "enabled") is True


def test_where_there_is_none_nothing_is_said_of_it() -> None:
    """Else a change of the values, and so an upgrade, would follow on no setting of the user's."""
    assert "ingress" not in _in_b4(REFERENCE)["global"]
