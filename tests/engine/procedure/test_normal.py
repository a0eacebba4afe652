"""Phase `normal` on the real engine: preview, up, nothing to do, a changed value, and interrupted runs."""

import subprocess

import pytest

from drill.operators.stacks import CUT_SHORT
from tests.checkout import CHECKOUT
from tests.engine.project import DEADLINE, Project, dualregion

pytestmark = pytest.mark.engine


@pytest.mark.usefixtures("modest")
def test_up_installs_and_then_waits_for_the_other_region(project: Project) -> None:
    preview = project.preview("region0")
    assert preview.exit_status == 0, preview.output
    assert "kubernetes:helm.sh/v3:Release" in preview.output
    assert "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS" in preview.output
    assert project.state("region0") == []

    up = project.up("region0")
    assert up.exit_status == 0, up.output
    assert "run `pulumi up` on stack region1" in up.output
    outputs = project.outputs("region0")
    assert outputs["phase"] == "normal"
    assert outputs["role"] == "member"
    assert outputs["progress"] == []
    assert "region1" in outputs["waitingFor"]
    london, paris = project.namespaces
    assert outputs["gatewayAddress"] == f"camunda-zeebe-gateway.{london}.svc.cluster.local:26500"
    assert (
        f"camunda-zeebe-1.camunda-zeebe.{paris}.svc.cluster.local:26502" in outputs["contactPoints"]
    )
    assert project.kubectl("london", "get", "statefulset", "-n", london, "-o", "name").split() == [
        "statefulset.apps/camunda-elasticsearch-master",
        "statefulset.apps/camunda-zeebe",
    ]

    generation = _generation(project)
    assert project.unchanged("region0")
    again = project.up("region0")
    assert again.exit_status == 0, again.output
    assert "created" not in again.output
    assert _generation(project) == generation


@pytest.mark.usefixtures("modest")
def test_a_gate_that_cannot_pass_fails_clearly_and_is_tried_again(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    for _ in range(2):
        up = project.up("region1")
        assert up.exit_status != 0
        assert "timed out after" in up.output
        assert "0 of 2 brokers" in up.output
        assert "Run again to continue" in up.output
        assert "Traceback" not in up.output
        record = project.kubectl(
            "paris", "get", "configmap", "dual-region-n", "-n", project.namespaces[1]
        )
        assert "NotFound" in record
    assert project.outputs("region1") == {}


def test_a_changed_value_is_previewed_by_key_and_applied(project: Project) -> None:
    assert project.up("region0").exit_status == 0
    extra = project.folder / "extra.yaml"
    extra.write_text("zeebe: {podAnnotations: {rehearsed: 'yes'}}\n")
    project.config("region0", **{"values[1]": "extra.yaml"})
    preview = project.preview("region0")
    assert "rehearsed" in preview.output
    assert not project.unchanged("region0")
    assert project.up("region0").exit_status == 0
    assert project.unchanged("region0")


EMPTY_VALUES = """
zeebe:
  tolerations: []
  extraVolumes: []
  podAnnotations: {mine: null}
elasticsearch: {master: {extraEnvVars: []}}
"""


def test_empty_lists_reach_helm_and_nothing_changes_again(project: Project) -> None:
    """An empty list takes the chart's own away; a null of what the chart has not says nothing."""
    (project.folder / "extra.yaml").write_text(EMPTY_VALUES)
    project.config("region0", **{"values[1]": "extra.yaml"})
    up = project.up("region0")
    assert up.exit_status == 0, up.output
    names = project.kubectl(
        *("london", "get", "statefulset", "camunda-elasticsearch-master"),
        *("-n", project.namespaces[0], "-o", "jsonpath={..env[*].name}"),
    )
    assert "ELASTICSEARCH_CLUSTER_NAME" in names
    assert "ELASTICSEARCH_ENABLE_REST_TLS" not in names
    assert project.unchanged("region0")


def test_an_install_with_empty_values_that_was_killed_is_taken_over(project: Project) -> None:
    """What of the values Helm's record does not hold makes the release no one else's."""
    (project.folder / "extra.yaml").write_text(EMPTY_VALUES)
    project.config("region0", **{"values[1]": "extra.yaml"})
    before = project.held("region0")
    assert project.up("region0").exit_status == 0
    project.hold_again("region0", before)
    again = project.up("region0")
    assert again.exit_status == 0, again.output
    assert "was installed by an interrupted run: taking it over" in again.output
    assert project.unchanged("region0")


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("Namespace normal-namespace creating", id="namespace-begun"),
        pytest.param("Release normal creating", id="release-begun"),
        pytest.param("Release normal created", id="release-done"),
    ],
)
def test_a_killed_up_is_said_again(project: Project, moment: str) -> None:
    seen = project.killed_up("region0", at=moment)
    assert moment in seen, seen
    locked = project.up("region0")
    if locked.exit_status != 0:
        # the second if it was killed while it wrote its state
        assert "pulumi cancel" in locked.output or CUT_SHORT in locked.output
        project.stacks.cancel("region0")
        again = project.up("region0")
        assert again.exit_status == 0, again.output
    assert project.unchanged("region0")
    assert "camunda-zeebe" in project.kubectl(
        "london", "get", "statefulset", "-n", project.namespaces[0]
    )


def test_a_state_whose_attributes_were_cut_short_is_read_again(project: Project) -> None:
    """A run that is killed in writing them leaves them empty, once in a while; the state itself is whole."""
    (attributes,) = project.stacks.backend.glob(".pulumi/stacks/*/region0.json.attrs")
    attributes.write_text("")
    assert CUT_SHORT in project.preview("region0").output
    exit_status, told = dualregion(project, "status")
    assert exit_status != 0
    assert "find .pulumi -name '*.attrs' -empty -delete" in " ".join(told.split())
    project.stacks.cancel("region0")
    assert project.outputs("region0") == {}


@pytest.mark.usefixtures("modest")
def test_an_up_killed_while_a_gate_waits_is_said_again(project: Project) -> None:
    """The gate leaves no record, and the next up waits for it again, without installing again."""
    assert project.up("region0").exit_status == 0
    project.config("region1", deadlineSeconds=60)
    seen = project.killed_up("region1", at="0 of 2 brokers")
    assert "0 of 2 brokers" in seen, seen
    project.stacks.cancel("region1")
    assert "NotFound" in project.kubectl(
        "paris", "get", "configmap", "dual-region-n", "-n", project.namespaces[1]
    )
    project.config("region1", deadlineSeconds=DEADLINE)
    again = project.up("region1")
    assert again.exit_status != 0
    assert "0 of 2 brokers" in again.output
    assert "Release normal created" not in again.output


def test_an_upgrade_that_pulumi_has_not_recorded_leaves_nothing_behind(project: Project) -> None:
    """What a kill just after an upgrade leaves: what the upgrade added goes when it is no longer wanted."""
    london = project.namespaces[0]
    extra = project.folder / "extra.yaml"
    extra.write_text("{}\n")
    project.config("region0", **{"values[1]": "extra.yaml"})
    assert project.up("region0").exit_status == 0
    deployments = ("get", "deployment", "-n", london, "-o", "name")
    assert "camunda-operate" in project.kubectl("london", *deployments)

    for is_run_again in (True, False):
        before = project.held("region0")
        extra.write_text("operate: {enabled: false}\n")
        assert project.up("region0").exit_status == 0
        assert "camunda-operate" not in project.kubectl("london", *deployments)
        project.hold_again("region0", before)
        if is_run_again:
            assert project.up("region0").exit_status == 0
            assert project.unchanged("region0")

        extra.write_text("{}\n")
        assert not project.unchanged("region0")
        assert project.up("region0").exit_status == 0
        assert "camunda-operate" in project.kubectl("london", *deployments)
        assert project.unchanged("region0")


REFUSED = {
    "a-change-that-cannot-be": (
        "zeebe: {pvcSize: 7Gi}",
        "[refused] StatefulSet camunda-zeebe: the API server would refuse it",
    ),
    "a-right-that-is-lacking": (
        "global: {ingress: {enabled: true}}\nzeebeGateway: {contextPath: /, ingress: {rest: {path: /}}}",
        "[refused] Ingress camunda-camunda-platform: the API server would refuse it",
    ),
}


@pytest.mark.usefixtures("modest")
def test_what_the_api_server_would_refuse_is_refused_in_the_preview(project: Project) -> None:
    """It is tried on the API server without being made, for every release that the procedure will need."""
    extra = project.folder / "extra.yaml"
    extra.write_text("{}\n")
    project.config("region0", **{"values[1]": "extra.yaml"})
    assert project.up("region0").exit_status == 0
    # Only now is the namespace there, and all is tried.
    assert project.up("region0").exit_status == 0
    assert len(project.outputs("region0")["rendered"]) == 64
    before = _generation(project)
    for values, told in REFUSED.values():
        extra.write_text(values)
        for refused in (project.preview("region0"), project.up("region0")):
            assert refused.exit_status != 0
            assert told in refused.output, refused.output
            assert "nothing was changed" in refused.output
            assert "Traceback" not in refused.output
    assert _generation(project) == before
    assert "Ingress" not in project.kubectl("london", "get", "ingress", "-A", "-o", "name")


def test_a_release_that_others_installed_is_not_taken_over(project: Project) -> None:
    london = project.namespaces[0]
    helm = (str(project.tools.helm), "--kube-context", "cluster-london", "--namespace", london)
    values = ("--values", str(CHECKOUT / "dualregion" / "reference-values.yaml"))
    install = ("install", "camunda", str(project.chart), "--create-namespace")
    subprocess.run(
        [*helm, *install, *values, "--set", "zeebe.clusterSize=2"],
        env=project.env,
        check=True,
        capture_output=True,
    )
    up = project.up("region0")
    assert up.exit_status != 0
    assert "that this stack did not install" in up.output
    assert "Traceback" not in up.output
    listed = subprocess.run(
        [*helm, "list"], env=project.env, check=True, capture_output=True, text=True
    )
    assert "deployed" in listed.stdout


def _generation(project: Project) -> str:
    return project.kubectl(
        "london",
        "get",
        "statefulset",
        "-n",
        project.namespaces[0],
        "-o",
        "jsonpath={.items[*].metadata.generation}",
    )
