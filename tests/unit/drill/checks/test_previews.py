"""The checks on previews hold on events shaped as the engine's, and fail when something is missing or more changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from drill.checks import previews
from drill.observation.events import Event, Moment
from drill.procedure.cluster_api import CLUSTER_API
from drill.regions import REGIONS

LONDON = REGIONS[0]
STEPS = ("F1", "F2")


def change(operation: str, type_: str, new: Any = None, old: Any = None) -> Event:
    """A change that a preview announces, with the resource's inputs."""
    return Event(
        Moment.BEGUN, operation, f"kubernetes:{type_}", "x", inputs=new or {}, former=old or {}
    )


def named(name: str) -> Any:
    return {"metadata": {"name": name}}


def exporting_to(namespace: str) -> Any:
    return {
        "values": {"zeebe": {"env": [{"value": f"http://e.{namespace}.svc.cluster.local:9200"}]}}
    }


def gate(step: str, operation: str = "create") -> Event:
    record = named(f"dual-region-{step.lower()}")
    return change(
        operation, "core/v1:ConfigMap", *((None, record) if operation == "delete" else (record,))
    )


NAMESPACE = change("create", "core/v1:Namespace", named("camunda-london-failover"))
FAILOVER_RELEASE = change(
    "create",
    "helm.sh/v3:Release",
    {"values": {"global": {"multiregion": {"installationType": "failOver"}}}},
)
OWN_RELEASE = change(
    "update",
    "helm.sh/v3:Release",
    exporting_to("camunda-london-failover"),
    exporting_to("camunda-paris"),
)
FAILOVER = (gate("F1"), NAMESPACE, FAILOVER_RELEASE, OWN_RELEASE, gate("F2"))


def test_a_preview_of_the_failover_holds() -> None:
    assert previews.preview_shows(FAILOVER, LONDON, STEPS).ok


@pytest.mark.parametrize("missing", FAILOVER)
def test_a_preview_of_the_failover_that_lacks_something_fails(missing: Event) -> None:
    rest = [each for each in FAILOVER if each is not missing]
    unchanged = [*rest, replace(missing, operation="same")]
    assert not previews.preview_shows(unchanged, LONDON, STEPS).ok


def test_exporters_whose_address_does_not_change_fail() -> None:
    same = replace(OWN_RELEASE, former=OWN_RELEASE.inputs)
    assert not previews.preview_shows([*FAILOVER[:3], same, FAILOVER[4]], LONDON, STEPS).ok


ISOLATION = change("create", "networking.k8s.io/v1:NetworkPolicy", named("isolation"))
BY_CLUSTER_API = (gate("F1"), ISOLATION, gate("F2"), replace(OWN_RELEASE, operation="same"))


def test_by_cluster_api_a_preview_of_the_failover_shows_gates_and_isolation_alone() -> None:
    assert previews.preview_shows(BY_CLUSTER_API, LONDON, STEPS, CLUSTER_API).ok
    assert previews.no_release_changes(BY_CLUSTER_API).ok
    for missing in BY_CLUSTER_API[:3]:
        rest = [each for each in BY_CLUSTER_API if each is not missing]
        assert not previews.preview_shows(rest, LONDON, STEPS, CLUSTER_API).ok
    for more in (OWN_RELEASE, FAILOVER_RELEASE, NAMESPACE):
        assert not previews.no_release_changes([*BY_CLUSTER_API, more]).ok


POLICY = change("delete", "networking.k8s.io/v1:NetworkPolicy", None, named("isolation"))


def test_a_preview_of_the_failback_shows_its_gate_and_the_end_of_the_isolation() -> None:
    assert previews.preview_shows_failback([gate("B0"), POLICY]).ok
    assert not previews.preview_shows_failback([gate("B1"), POLICY]).ok
    assert not previews.preview_shows_failback([gate("B0", "delete"), POLICY]).ok
    assert not previews.preview_shows_failback([gate("B0")]).ok


COMPONENT = Event(Moment.BEGUN, "create", "dualregion:index:Gate", "N")
NORMAL = (COMPONENT, gate("N"), gate("B5", "delete"), replace(OWN_RELEASE, operation="same"))


@pytest.mark.parametrize(
    ("status", "preview", "ok"),
    [
        pytest.param(0, NORMAL, True, id="gates alone"),
        pytest.param(255, NORMAL, False, id="it failed"),
        pytest.param(0, (), False, id="nothing changes at all"),
        pytest.param(0, (*NORMAL, OWN_RELEASE), False, id="a release changes"),
        pytest.param(
            0,
            (*NORMAL, change("delete", "core/v1:ConfigMap", None, named("another"))),
            False,
            id="a ConfigMap that is no gate",
        ),
    ],
)
def test_in_normal_again_only_gates_change(status: int, preview: Sequence[Event], ok: bool) -> None:
    assert previews.only_gates_change(status, preview, LONDON).ok is ok


@pytest.mark.parametrize(
    ("status", "output", "ok"),
    [
        pytest.param(
            255,
            "lostRegion is 1 (paris), but ... is still up. [region-not-lost]",
            True,
            id="refused",
        ),
        pytest.param(0, "[region-not-lost]", False, id="not refused"),
        pytest.param(255, "no kubeconfig", False, id="failed for another reason"),
    ],
)
def test_a_failover_of_a_living_region_must_be_refused(status: int, output: str, ok: bool) -> None:
    assert previews.healthy_region_is_refused(status, output).ok is ok


def test_no_change_needs_a_clean_exit() -> None:
    assert previews.no_change(0, 2.2).ok
    assert not previews.no_change(255, 2.2).ok


def test_where_others_isolate_the_lost_region_no_policy_is_demanded() -> None:
    gates = [gate("F1"), gate("F2")]
    assert previews.preview_shows(gates, LONDON, STEPS, CLUSTER_API, isolates=False).ok
    assert not previews.preview_shows(gates[1:], LONDON, STEPS, CLUSTER_API, isolates=False).ok
    assert previews.preview_shows_failback([gate("B0")], isolates=False).ok
    assert not previews.preview_shows_failback([POLICY], isolates=False).ok
