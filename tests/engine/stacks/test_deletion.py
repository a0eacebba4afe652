"""Deletion is guarded, on the real engine: `pulumi destroy` of what is needed deletes nothing, in any form of it."""

import json
from pathlib import Path

import pytest

from tests.engine.project import CITIES, Project

pytestmark = pytest.mark.engine

DESTROY = ("destroy", "--yes", "--skip-preview")
BY_PROGRAM = ("destroy", "--yes", "--run-program")
WITHOUT_PREVIEW = (*BY_PROGRAM, "--skip-preview")
FORCED = (*WITHOUT_PREVIEW, "--continue-on-error")


def destroyed(project: Project, stack: str, *how: str) -> tuple[int, str]:
    done = project.stacks.run("destroy", stack, *how)
    return done.exit_status, done.output


def refuses(
    project: Project, stack: str, *because: str, forms: tuple[tuple[str, ...], ...] = (FORCED,)
) -> None:
    """Check that `pulumi destroy` deletes nothing, with the program in these forms and without it, and says why."""
    before, live = held(project, stack), in_cluster(project, stack)
    assert live
    for how in forms:
        exit_status, text = destroyed(project, stack, *how)
        assert exit_status != 0, text
        for each in (*because, "pulumi config set retire", "Taking an installation down"):
            assert each in text, text
        assert "Traceback" not in text
        assert held(project, stack) == before, text
    exit_status, text = destroyed(project, stack, *DESTROY)
    assert exit_status != 0, text
    assert "--run-program" in text
    assert held(project, stack) == before, text
    assert in_cluster(project, stack) == live


def held(project: Project, stack: str) -> set[str]:
    """Return what a stack really holds: no components, and not the engine's own provider, which only answers a run."""
    of_nothing = ("dualregion:", "pulumi:providers:pulumi")
    urns = project.state(stack)
    return {each for each in urns if not each.split("::")[2].split("$")[-1].startswith(of_nothing)}


def in_cluster(project: Project, stack: str = "region0") -> set[str]:
    """Return what the namespaces of a stack's region hold, by their uids."""
    region = int(stack[-1])
    city, own = CITIES[region], project.namespaces[region]
    kinds = "statefulset,deployment,secret,configmap,networkpolicy,rolebinding"
    uids = ("-o", "jsonpath={.items[*].metadata.uid}")
    found = [
        project.kubectl(city, "get", kinds, "-n", namespace, *uids)
        for namespace in (own, f"{own}-failover")
    ]
    return set(" ".join(found).split())


@pytest.mark.usefixtures("modest")
def test_a_region_at_work_is_not_destroyed_unless_it_is_retired(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    reason = "half of the brokers run in region london"
    refuses(project, "region0", reason, forms=(BY_PROGRAM, WITHOUT_PREVIEW, FORCED))

    (release,) = [urn for urn in project.state("region0") if "Release" in urn]
    exit_status, text = destroyed(project, "region0", *BY_PROGRAM, "--target", release)
    assert exit_status != 0
    assert "half of the brokers run in region london" in text
    assert release in project.state("region0")

    project.config("region0", retire=project.namespaces[0])
    assert project.up("region0").exit_status == 0
    exit_status, text = destroyed(project, "region0", *BY_PROGRAM)
    assert exit_status == 0, text
    assert project.state("region0") == []
    assert "NotFound" in project.kubectl("london", "get", "namespace", project.namespaces[0])


def test_a_survivor_is_not_destroyed_before_its_failover_is_through_nor_after(
    project: Project,
) -> None:
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    assert "F1: timed out" in project.up("region0").output
    refuses(project, "region0", "region london is the survivor")


def test_neither_region_is_destroyed_in_a_failback(failed_over: Project) -> None:
    assert failed_over.up("region0").exit_status == 0
    refuses(failed_over, "region0", "region london is the survivor")
    assert "B1: timed out" in failed_over.up("region1").output
    refuses(failed_over, "region1", "the brokers of region paris are needed for the quorum")


def test_a_stack_of_before_the_guard_has_it_after_one_up(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    forget_hooks(project, "region0")
    assert project.up("region0").exit_status == 0
    refuses(project, "region0", "half of the brokers run in region london")


def test_another_namespace_does_not_delete_the_former_one(project: Project) -> None:
    """A replacement deletes, too."""
    assert project.up("region0").exit_status == 0
    before = in_cluster(project)
    project.config("region0", **{"regions[0].namespace": f"{project.namespaces[0]}-moved"})
    up = project.up_with_preview("region0")
    assert up.exit_status != 0
    assert "is not deleted" in up.output
    assert in_cluster(project) == before


def forget_hooks(project: Project, stack: str) -> None:
    """Give a stack the state that a program without hooks on deletions has left."""
    path: Path = project.held(stack)
    document = json.loads(path.read_text())
    held = document["deployment"]["resources"]
    assert any("guard-deletion" in str(each.pop("resourceHooks", "")) for each in held)
    path.write_text(json.dumps(document))
    project.hold_again(stack, path)
