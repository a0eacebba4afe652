"""The failback from its first gate to its last in one world, and the way back out of it.

What each gate proves, and what makes it fail, stands in a file for each step (`test_failback_*`).
"""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from dualregion.procedure import FAILBACK_STEPS
from steps import failover
from steps.context import Evidence
from tests.fakes.gates.failback import REFUSED_IN_BODY, ROLLS_BY_ITSELF, Gate
from tests.fakes.kubernetes import Document, Reply
from tests.fakes.regions import AWAKE, BOTH, RECREATED, SURVIVOR, WEB_APPS, World
from tests.raising import fails_with

Prove = Callable[[str, str], None]
"""Lets the gate of a step on one of the two stacks do its work and prove it."""


def whole_failback(here: World, prove: Prove) -> None:
    """Prove every step in turn, and do between them what Pulumi, Helm and the nodes do."""
    survivor, failover_namespace, recreated = here.namespaces
    prove("B0", SURVIVOR)
    here.joins()
    prove("B1", RECREATED)
    prove("B2", SURVIVOR)
    prove("B3", SURVIVOR)
    here.near.objects.pop(f"/apis/apps/v1/namespaces/{survivor}/deployments")
    for namespace in (survivor, failover_namespace):
        here.updates(namespace, BOTH)
    prove("B4", SURVIVOR)
    here.updates(recreated, BOTH, failing_back=True)
    prove("B4", RECREATED)
    assert set(here.phases.values()) == {"PAUSED"}
    here.has_web_apps(recreated)
    prove("B5", RECREATED)
    assert here.orders() == ["pause"]
    here.has_web_apps(survivor)
    prove("B5", SURVIVOR)
    here.drop_failover()
    prove("B6", RECREATED)
    for living in here.brokers.values():
        living.restarts.clear()
    here.updates(recreated, AWAKE)
    prove("B7", RECREATED)


def test_every_step_of_the_failback_is_exercised_from_its_first_to_its_last(here: World) -> None:
    """The world is one and the same throughout: what a step leaves is what the next one finds."""
    done: list[tuple[str, Evidence]] = []
    whole_failback(here, lambda step, role: done.append((step, Gate(step, role).prove(here))))
    recreated = here.namespaces[2]
    assert {step for step, _ in done} == set(FAILBACK_STEPS)
    assert all(evidence and json.dumps(evidence) for _, evidence in done)
    assert here.orders() == ["pause", "resume"]
    assert here.empty.held == here.own.held
    assert here.all_faults() == []
    assert here.restarts() == {recreated: [0, 1]}


class TestBackingOut:
    """Phase failover again: exporting goes on and the web apps are back, whatever the failback had done."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        here.far.objects.clear()
        del here.brokers[here.recreated.namespace]
        here.phases = {
            place: phase
            for place, phase in here.phases.items()
            if place[0] != here.recreated.namespace
        }
        return here

    def test_each_broker_is_asked_by_itself_as_the_gateway_would_refuse(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        evidence = failover.repoint(here.failing_over("B0 B2 B3"))
        assert set(here.phases.values()) == {"EXPORTING"}
        assert here.orders() == []
        assert set(evidence) == {"brokers", "exportedPositions"}

    def test_the_web_apps_are_back_with_as_many_pods_as_they_had(self, here: World) -> None:
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)
        failover.repoint(here.failing_over("B0 B2 B3"))
        assert here.web_app_counts() == WEB_APPS

    def test_the_incident_stays_the_same(self, here: World) -> None:
        assert str(here.failing_over("B0 B2 B3").incident) == here.incident

    def test_a_broker_that_does_not_resume_holds_it(self, here: World) -> None:
        namespace = here.survivor.failover
        here.near.behind(
            f"{namespace}/pods/camunda-zeebe-0:9600",
            "/actuator/partitions/resumeExporting",
            Reply(404, "nothing here"),
            method="POST",
        )
        told = ("resumption-refused", "camunda-zeebe-0", namespace, "404", "look-at-brokers")
        with fails_with("deadline-exceeded", "F3", *told):
            failover.repoint(replace(here.failing_over("B0 B2"), gives_up_on="no-exporter-paused"))
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)

    @pytest.mark.parametrize(
        "strategy",
        [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}],
        ids=["by hand", "held"],
    )
    def test_the_hold_on_the_brokers_is_let_go(self, here: World, strategy: Document) -> None:
        """Else the repointing of F3 would never reach them."""
        for name in here.namespaces[:2]:
            here.brokers[name].stateful_set["spec"]["updateStrategy"] = strategy
        failover.take_over(here.failing_over("B0 B2 B3"))
        for name in here.namespaces[:2]:
            assert here.brokers[name].strategy == ROLLS_BY_ITSELF
