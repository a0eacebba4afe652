"""What is not to change, on the real engine: values in an incident, the cluster, what the environment decides."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.regions import Sandbox
from tests.engine.project import CITIES, Project

pytestmark = pytest.mark.engine


def releases(project: Project, stack: str) -> list[str]:
    return [each for each in project.state(stack) if "helm.sh/v3:Release::" in each]


def brokers(project: Project) -> Any:
    """Return what would restart the survivor's brokers, were it another one."""
    return json.loads(
        project.kubectl(
            *("london", "get", "statefulset", "camunda-zeebe", "-n", project.namespaces[0]),
            *("-o", "json"),
        )
    )["spec"]["template"]


def let_contexts_lead(project: Project, kubeconfig: Path, *cities: str) -> None:
    """Write the kubeconfig of region 0's stack: the contexts keep their names, and lead to these regions' clusters."""
    document = yaml.safe_load(kubeconfig.read_text())
    led = {each["name"]: each["context"] for each in document["contexts"]}
    document["contexts"] = [
        {"name": f"cluster-{name}", "context": led[f"cluster-{city}"]}
        for name, city in zip(CITIES, cities, strict=True)
    ]
    path = project.folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    project.config("region0", kubeconfig=path)


@pytest.mark.usefixtures("modest")
def test_in_an_incident_nothing_else_changes_unless_it_is_allowed(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    before = brokers(project)
    (project.folder / "newer.yaml").write_text("zeebe: {image: {tag: 8.5.99}}\n")
    project.config("region0", phase="failover", lostRegion=1, **{"values[1]": "newer.yaml"})
    for run in (project.preview("region0"), project.up("region0")):
        assert run.exit_status != 0
        assert "zeebe.image" in run.output
        assert "allowChanges[0]' values" in run.output
        assert "nothing was changed" in run.output
        assert "Traceback" not in run.output
    assert brokers(project) == before
    project.config("region0", **{"allowChanges[0]": "values"})
    preview = project.preview("region0")
    assert "changes of values pass, as allowChanges says" in preview.output
    assert "8.5.99" in preview.output


def test_a_state_that_another_cluster_has_emptied_is_no_dead_end(
    project: Project, sandbox: Sandbox
) -> None:
    """Two contexts swapped in the kubeconfig: Pulumi refreshes everything away before the program can refuse.

    Not so with another `kubeContext`: the refresh asks where the state's own provider leads.
    """
    let_contexts_lead(project, sandbox.kubeconfig, *CITIES)
    assert project.up("region0").exit_status == 0
    outputs = project.outputs("region0")
    assert outputs["clusterId"]
    assert outputs["sizes"]["clusterSize"] == 4
    project.both(**{"backup.type": "fs", "backup.settings.location": "/backup"})
    project.both(phase="failback-pending", lostRegion=1)
    project.pretend_proved("region0", 1, "B0", "failback-pending", labelled=True)
    before = brokers(project)

    let_contexts_lead(project, sandbox.kubeconfig, *reversed(CITIES))
    swapped = project.up("region0")
    assert swapped.exit_status != 0
    assert "leads to another cluster than that of region london" in swapped.output
    assert "Traceback" not in swapped.output
    assert releases(project, "region0") == []
    assert project.namespaces[0] not in project.kubectl("paris", "get", "namespaces")

    let_contexts_lead(project, sandbox.kubeconfig, *CITIES)
    again = project.up("region0")
    assert again.exit_status == 0, again.output
    assert "the state of this stack holds nothing of region london any more" in again.output
    assert "B0: proved before" in again.output
    assert len(releases(project, "region0")) == 2
    after = brokers(project)
    for each in (before, after):
        each["spec"]["containers"][0].pop("env")
    assert after == before
    assert project.unchanged("region0")


def test_the_environment_decides_nothing(project: Project) -> None:
    """The provider's own message advises this variable in an outage; the refresh would then drop the whole region."""
    assert project.up("region0").exit_status == 0
    held = sorted(project.state("region0"))
    env = project.env | {
        "PULUMI_K8S_DELETE_UNREACHABLE": "true",
        "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY": "false",
        "PULUMI_K8S_HELM_DRIVER": "configmap",
    }
    kubeconfig = project.folder / "no-rights"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\n"
        "clusters: [{name: gone, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: gone, user: {token: x}}]\n"
        "contexts: [{name: cluster-london, context: {cluster: gone, user: gone}}]\n"
    )
    stacks = project.stacks
    project.stacks = project.with_environment(env)
    try:
        assert project.unchanged("region0")
        project.config("region0", kubeconfig=kubeconfig)
        assert project.up("region0").exit_status != 0
        project.config("region0", kubeconfig=env["KUBECONFIG"])
        assert sorted(project.state("region0")) == held
        project.stacks = project.with_environment(env | {"PULUMI_CONTINUE_ON_ERROR": "true"})
        refused = project.up("region0")
        assert refused.exit_status != 0
        assert "environment variable PULUMI_CONTINUE_ON_ERROR is 'true'" in refused.output
    finally:
        project.stacks = stacks
