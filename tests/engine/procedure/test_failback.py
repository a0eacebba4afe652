"""The failback's turns with the real engine, as far as clusters without nodes allow: B0 and what follows on it."""

from collections.abc import Callable

import pytest

from drill.checks import previews
from sandbox.patience import allowed
from tests.engine.project import DEADLINE, Project

pytestmark = pytest.mark.engine

CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-camunda-zeebe-0}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
POLICIES = ("get", "networkpolicies", "-o", "name", "-n")


def occupy(project: Project) -> None:
    """Leave a claim of an earlier installation in the recreated region."""
    paris = project.namespaces[1]
    project.kubectl("paris", "create", "namespace", paris)
    assert "created" in project.kubectl("paris", "apply", "-n", paris, "-f", "-", given=CLAIM)


def clean(project: Project) -> None:
    project.kubectl(
        "paris", "delete", "namespace", project.namespaces[1], f"--timeout={allowed(60):.0f}s"
    )


@pytest.mark.usefixtures("modest")
def test_the_isolation_stays_until_the_recreated_region_is_proved_clean(
    failed_over: Project,
) -> None:
    london = failed_over.namespaces[0]
    occupy(failed_over)
    refused = failed_over.up("region0")
    assert refused.exit_status != 0
    assert "B0: region paris is not clean" in refused.output
    assert "claim/data-camunda-zeebe-0" in refused.output
    assert "Traceback" not in refused.output
    assert "isolate-lost-region" in failed_over.kubectl("london", *POLICIES, london)

    clean(failed_over)
    check = previews.preview_shows_failback(failed_over.preview("region0").events)
    assert check.ok, check.detail
    up = failed_over.up("region0")
    assert up.exit_status == 0, up.output
    assert "isolate-lost-region" not in failed_over.kubectl("london", *POLICIES, london)
    told = failed_over.outputs("region0")
    assert (told["role"], told["incident"], told["progress"]) == (
        "survivor",
        "1-region1-lost",
        ["B0"],
    )
    assert "run `pulumi up` on stack region1" in told["waitingFor"]
    assert failed_over.unchanged("region0")


def test_the_recreated_region_waits_for_its_turn_and_refuses_leftovers(
    failed_over: Project,
) -> None:
    paris = failed_over.namespaces[1]
    for _ in range(2):
        early = failed_over.up("region1")
        assert early.exit_status == 0, early.output
        assert "proves that this region is clean (B0)" in early.output
        assert "NotFound" in failed_over.kubectl("paris", "get", "namespace", paris)
    assert failed_over.up("region0").exit_status == 0

    occupy(failed_over)
    refused = failed_over.up("region1")
    assert refused.exit_status != 0
    assert "a recreated region starts from nothing" in refused.output
    assert "No resources found" in failed_over.kubectl("paris", "get", "statefulset", "-n", paris)

    clean(failed_over)
    up = failed_over.up("region1")
    assert f"B1: timed out after {DEADLINE} s waiting until the odd brokers" in up.output
    values = failed_over.kubectl("paris", "get", "configmap", "-n", paris, "-o", "yaml")
    assert "sleep infinity" in values
    assert failed_over.up("region0").exit_status == 0, "the survivor waits, and is not disturbed"


@pytest.mark.usefixtures("modest")
def test_an_install_killed_in_the_recreated_region_is_said_again(failed_over: Project) -> None:
    """What it has made is its own, and no leftover."""
    assert failed_over.up("region0").exit_status == 0
    failed_over.killed_up("region1", at="ConfigMap B1 creating")
    failed_over.stacks.cancel("region1")
    again = failed_over.up("region1")
    assert f"B1: timed out after {DEADLINE} s waiting until the odd brokers" in again.output
    assert "starts from nothing" not in again.output


def _untold(project: Project) -> None:
    project.both(phase="failback-pending", lostRegion=1)


def _at_once(project: Project) -> None:
    project.both(phase="restored", lostRegion=1)


@pytest.mark.parametrize("said", [_untold, _at_once])
def test_a_failback_without_a_failover_is_refused_and_a_living_region_stays(
    project: Project, said: Callable[[Project], None]
) -> None:
    for stack in ("region0", "region1"):
        project.config(stack, **{"backup.type": "fs", "backup.settings.location": "/backup"})
    assert project.up("region1").exit_status == 0
    said(project)
    refused = project.up("region0")
    assert refused.exit_status != 0
    assert "a failback follows on a failover" in refused.output
    kept = project.up("region1")
    assert kept.exit_status == 0, kept.output
    assert "camunda-zeebe" in project.kubectl(
        "paris", "get", "statefulset", "-n", project.namespaces[1]
    )


def test_a_failback_without_a_repository_is_refused(project: Project) -> None:
    project.both(phase="failback-pending", lostRegion=1)
    refused = project.preview("region0")
    assert refused.exit_status != 0
    assert "backup.settings.bucket is not set" in refused.output
