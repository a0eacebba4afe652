"""Phase `failover` on the real engine, as far as it goes without brokers: previews, the order of the gates,
and the stack of the lost region, whose cluster answers, does not answer, or comes back empty elsewhere.
"""

from dataclasses import replace

import pytest

from drill.checks import previews
from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.regions import REGIONS
from sandbox.regions import Sandbox
from tests.engine.project import Project

pytestmark = pytest.mark.engine


def test_the_preview_shows_gates_namespace_and_values_to_come(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    preview = project.preview("region0")
    assert preview.exit_status == 0, preview.output
    london = project.namespaces[0]
    engine = f"http://camunda-elasticsearch-master-hl.{london}-failover.svc.cluster.local:9200"
    for expected in (
        "Gate::F1",
        "Gate::F2",
        "Gate::F3",
        f"{london}-failover",
        "failOver",
        engine,
        "10.181.0.0/16",
    ):
        assert expected in preview.output, expected
    assert "failed" not in preview.output
    # The drill reads the same off the engine's events.
    survivor = replace(REGIONS[0], failover_namespace=f"{london}-failover")
    check = previews.preview_shows(preview.events, survivor, CAMUNDA_8_5.failover)
    assert check.ok, check.detail


@pytest.mark.usefixtures("modest")
def test_nothing_of_the_failover_starts_before_its_gate(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    before = _values(project)
    up = project.up("region0")
    assert up.exit_status != 0
    assert "F1: timed out" in up.output
    assert "Nothing was cut off" in up.output
    assert "Traceback" not in up.output
    london = project.namespaces[0]
    assert "No resources found" in project.kubectl(
        "london", "get", "statefulset,pods", "-n", f"{london}-failover"
    )
    policies = project.kubectl("london", "get", "networkpolicy", "-n", london)
    assert "isolate-lost-region" not in policies, "no gateway has shown that the region is lost"
    assert _values(project) == before
    assert project.outputs("region0")["phase"] == "normal"


def test_a_region_called_lost_by_a_slip_stays_as_it_is(project: Project) -> None:
    """Only a survivor that has proved its failover makes the other region's stack clean up."""
    _install_paris(project)
    extra = project.folder / "extra.yaml"
    extra.write_text("zeebe: {podAnnotations: {from: now}}\ntimeToLive: null\n")
    project.config("region1", **{"values[1]": "extra.yaml"})
    project.both(phase="failover", lostRegion=1)
    assert project.unchanged("region1")
    up = project.up("region1")
    assert up.exit_status == 0, up.output
    assert "stays as it is until region london has taken over" in up.output
    assert "updated" not in up.output
    assert "camunda-zeebe" in project.kubectl(
        "paris", "get", "statefulset", "-n", project.namespaces[1]
    )


@pytest.mark.usefixtures("modest")
def test_a_lost_region_that_still_answers_is_cleaned(project: Project) -> None:
    _install_paris(project)
    claim = '{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data-camunda-zeebe-0"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}'
    made = project.kubectl("paris", "apply", "-n", project.namespaces[1], "-f", "-", given=claim)
    assert "created" in made
    assert project.up("region0").exit_status in (0, 1)
    project.both(phase="failover", lostRegion=1)
    project.pretend_taken_over("region0", lost_region=1)
    up = project.up("region1")
    assert up.exit_status == 0, up.output
    assert "NotFound" in project.kubectl("paris", "get", "namespace", project.namespaces[1])
    assert project.outputs("region1")["role"] == "lost"
    assert not [urn for urn in project.state("region1") if "helm" in urn or "Namespace" in urn]
    assert project.unchanged("region1")


def test_a_lost_region_that_does_not_answer_is_no_dead_end(
    project: Project, sandbox: Sandbox
) -> None:
    """Lost, said so, said so again; recreated empty at another address: the next up starts from nothing."""
    _install_paris(project)
    held = project.state("region1")
    project.both(phase="failover", lostRegion=1)
    sandbox.lose(1)
    try:
        for _ in range(2):
            up = project.up("region1")
            assert up.exit_status == 0, up.output
            assert "does not answer" in up.output
            assert project.outputs("region1")["waiting"]["code"] == "reachable"
            assert set(held) <= set(project.state("region1"))
    finally:
        sandbox.recreate(1)
    up = project.up("region1")
    assert up.exit_status == 0, up.output
    assert not [urn for urn in project.state("region1") if "helm" in urn or "Namespace" in urn]
    assert "waitingFor" not in {k for k, v in project.outputs("region1").items() if v}
    project.both(phase="normal")
    reinstalled = project.up("region1")
    assert "Release normal created" in reinstalled.output, reinstalled.output
    assert "camunda-zeebe" in project.kubectl(
        "paris", "get", "statefulset", "-n", project.namespaces[1]
    )


def _install_paris(project: Project) -> None:
    """Install region 1 alone; it waits for region 0, which is never installed here."""
    up = project.up("region1")
    assert up.exit_status == 0, up.output


def _values(project: Project) -> str:
    return project.kubectl(
        "london",
        "get",
        "statefulset",
        "camunda-zeebe",
        "-n",
        project.namespaces[0],
        "-o",
        "jsonpath={.spec.template.spec.containers[0].env}",
    )
