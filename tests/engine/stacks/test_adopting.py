"""Adopting releases that plain Helm installed, with values of the reference set-up's shape.

docs/prepare/adopting.md is gone through here on the real engine and API servers: the preview says what is adopted,
the update changes nothing that runs, and what would is refused.
"""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.scenario.adopting import helm_install, plain_values
from tests.checkout import CHECKOUT
from tests.engine.project import CITIES, Project, dualregion
from tests.quick_start import installed, run

pytestmark = pytest.mark.engine

REFERENCE = CHECKOUT / "dualregion" / "reference-values.yaml"
WATCHED = "statefulsets,deployments,pods,services,configmaps"


@pytest.fixture
def running(project: Project) -> Project:
    """Both regions, installed by plain Helm; the stacks' values are those files."""
    plain = project.folder / "plain.yaml"
    base = yaml.safe_load(REFERENCE.read_text())
    plain.write_text(yaml.safe_dump(plain_values(base, project.namespaces, 4)))
    for region, city in enumerate(CITIES):
        install(project, region, city, plain)
    project.both(**{"values[1]": "plain.yaml", "adopt": "true"})
    return project


def install(project: Project, region: int, city: str, plain: Path) -> None:
    helm_install(
        project.tools.helm,
        (str(project.chart),),
        (REFERENCE, plain),
        region=region,
        context=f"cluster-{city}",
        namespace=project.namespaces[region],
        env=project.env,
    )


def alive(project: Project, region: int) -> dict[str, Any]:
    """Return what runs, as far as a change of it would be seen: uids, specs and data."""
    found = json.loads(
        project.kubectl(
            CITIES[region], "get", WATCHED, "-n", project.namespaces[region], "-o", "json"
        )
    )
    return {
        f"{each['kind']}/{each['metadata']['name']}": (
            each["metadata"]["uid"],
            each.get("spec", {}).get("template"),
            each.get("data"),
            each.get("status", {}).get("updateRevision"),
        )
        for each in found["items"]
        if not each["metadata"]["name"].startswith(("kube-root-ca", "dual-region-"))
    }


def pods(project: Project, region: int) -> dict[str, str]:
    """Return the pods by their uid: one that was restarted has another.

    Before N has settled the brokers, Helm may have rewritten their environment; they are held.
    """
    found = alive(project, region).items()
    return {name: each[0] for name, each in found if name.startswith("Pod/")}


def strategy(project: Project, region: int) -> Any:
    return json.loads(
        project.kubectl(
            *(CITIES[region], "get", "statefulset", "camunda-zeebe"),
            *("-n", project.namespaces[region], "-o", "jsonpath={.spec.updateStrategy}"),
        )
    )


def helm(project: Project, region: int, *arguments: str) -> str:
    return subprocess.run(
        [
            str(project.tools.helm),
            *arguments,
            *("--kube-context", f"cluster-{CITIES[region]}", "-n", project.namespaces[region]),
        ],
        env=project.env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_running_releases_are_adopted_and_nothing_of_them_changes(running: Project) -> None:
    before = [alive(running, region) for region in (0, 1)]
    assert "StatefulSet/camunda-zeebe" in before[0]
    assert "Pod/camunda-zeebe-0" in before[0]

    preview = running.preview("region0")
    assert preview.exit_status == 0, preview.output
    assert f"adopt: release camunda in {running.namespaces[0]} (revision 1," in preview.output
    assert alive(running, 0) == before[0]

    first = running.up("region0")
    assert first.exit_status == 0, first.output
    assert "run `pulumi up` on stack region1" in first.output
    # The second one has both to prove N for, which cannot be without nodes.
    for stack in ("region1", "region0"):
        up = running.up(stack)
        assert up.exit_status != 0
        assert "0 of 2 brokers" in up.output, up.output
        assert "Release normal updat" not in up.output
    assert [alive(running, region) for region in (0, 1)] == before
    for region in (0, 1):
        assert strategy(running, region)["rollingUpdate"]["partition"] == 0
        (listed,) = json.loads(helm(running, region, "list", "-o", "json"))
        assert (listed["name"], listed["status"]) == ("camunda", "deployed")
        kept = running.kubectl(
            *(CITIES[region], "get", "secrets", "-n", running.namespaces[region], "-o", "name"),
            *("-l", "camunda-dual-region/set-aside=camunda"),
        )
        assert "set-aside.sh.helm.release.v1.camunda.v1" in kept
    urns = running.state("region0")
    assert any(urn.endswith("kubernetes:core/v1:Namespace::normal-namespace") for urn in urns)
    assert any(urn.endswith("kubernetes:helm.sh/v3:Release::normal") for urn in urns)


def test_init_finds_what_runs_and_writes_the_project_that_adopts_it(running: Project) -> None:
    made = running.folder / "made"
    options = {
        "--context": [f"cluster-{city}" for city in CITIES],
        # Other tests have releases in these clusters, too.
        "--namespace": running.namespaces,
        "--pod-cidrs": ["10.180.0.0/16", "10.181.0.0/16"],
    }
    typed = [part for option in options for each in options[option] for part in (option, each)]
    exit_status, said = dualregion(
        running, "init", str(made), *typed, "--bucket=b", f"--chart={running.chart}", "--yes"
    )
    assert exit_status == 0, said
    config = yaml.safe_load((made / "Pulumi.yaml").read_text())["config"]
    assert config["adopt"]["default"] is True
    assert config["clusterSize"]["default"] == 4
    exit_status, said = dualregion(running, "config", "check", folder=made)
    assert exit_status == 0, said
    preview = "pulumi preview --non-interactive --stack region0"
    done = run(preview, made, running.env, installed(running.folder / "environment"))
    assert done.returncode == 0, done.stdout
    assert f"adopt: release camunda in {running.namespaces[0]} (revision 1," in done.stdout


def test_a_release_that_helm_upgraded_often_is_adopted_and_can_be_updated(running: Project) -> None:
    for number in (1, 2):
        files = [
            part for path in (REFERENCE, running.folder / "plain.yaml") for part in ("-f", path)
        ]
        helm(running, 0, "upgrade", "camunda", str(running.chart), *map(str, files),
             "--set", "global.multiregion.regionId=0", "--description", f"by hand {number}")  # fmt: skip
    before = pods(running, 0)
    up = running.up("region0")
    assert up.exit_status == 0, up.output
    assert "(revision 3," in up.output
    assert pods(running, 0) == before

    (running.folder / "extra.yaml").write_text("zeebe: {podAnnotations: {mine: 'yes'}}\n")
    running.config("region0", **{"values[2]": "extra.yaml"})
    assert not running.unchanged("region0")
    later = running.up("region0")
    assert later.exit_status == 0, later.output
    annotations = alive(running, 0)["StatefulSet/camunda-zeebe"][1]["metadata"]["annotations"]
    assert annotations["mine"] == "yes"


def test_what_would_change_is_refused_and_shown(running: Project) -> None:
    (running.folder / "extra.yaml").write_text("zeebe: {pvcSize: 7Gi}\n")
    running.config("region0", **{"values[2]": "extra.yaml"})
    before, records = alive(running, 0), helm(running, 0, "history", "camunda", "-o", "json")
    for said in (running.preview("region0"), running.up("region0")):
        assert said.exit_status != 0
        assert "zeebe.pvcSize: '1Gi' runs, the program would set '7Gi'" in said.output
        assert "nothing was changed" in said.output
        assert "Traceback" not in said.output
    assert alive(running, 0) == before
    assert helm(running, 0, "history", "camunda", "-o", "json") == records
    assert not any("kubernetes:" in urn for urn in running.state("region0"))


@pytest.mark.parametrize(
    "moment", ["Release normal creating", "are set aside", "Release normal created"]
)
def test_an_adoption_that_was_killed_is_said_again(running: Project, moment: str) -> None:
    before = pods(running, 0)
    seen = running.killed_up("region0", at=moment)
    assert moment in seen, seen
    again = running.up("region0")
    if again.exit_status != 0:
        running.stacks.cancel("region0")
        again = running.up("region0")
    assert again.exit_status == 0, again.output
    assert pods(running, 0) == before
    (listed,) = json.loads(helm(running, 0, "list", "-o", "json"))
    assert listed["status"] == "deployed"
    assert running.unchanged("region0")


SECRET = "elasticsearch-env-secret"


def secret(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        project.kubectl(
            "london", "get", "secret", SECRET, "-n", project.namespaces[0], "-o", "json"
        )
    )
    return found


def test_a_secret_made_by_hand_is_left_alone_or_taken_over(running: Project) -> None:
    running.kubectl(
        *("london", "create", "secret", "generic", SECRET, "-n", running.namespaces[0]),
        *("--from-literal=S3_ACCESS_KEY=mine", "--from-literal=OTHER=stays"),
    )
    before = secret(running)
    assert running.up("region0").exit_status == 0
    assert secret(running) == before

    running.config(
        "region0",
        **{"elasticsearchSecret.name": SECRET, "elasticsearchSecret.data.S3_ACCESS_KEY": "mine"},
    )
    taken = running.up("region0")
    assert taken.exit_status == 0, taken.output
    assert secret(running)["metadata"]["uid"] == before["metadata"]["uid"]
    assert secret(running)["data"] == before["data"]
    running.config("region0", **{"elasticsearchSecret.data.S3_ACCESS_KEY": "rotated"})
    rotated = running.up("region0")
    assert rotated.exit_status == 0, rotated.output
    assert base64.b64decode(secret(running)["data"]["S3_ACCESS_KEY"]) == b"rotated"


def test_a_stack_can_be_given_up_and_the_release_adopted_again(running: Project) -> None:
    assert running.up("region0").exit_status == 0
    before = pods(running, 0)
    given_up = running.stacks.run(
        "rm", "region0", "stack", "rm", "--force", "--preserve-config", "--yes"
    )
    assert given_up.exit_status == 0, given_up.output
    assert pods(running, 0) == before
    made = running.stacks.run("init", "region0", "stack", "init", "region0", "--no-select")
    assert made.exit_status == 0, made.output
    again = running.up("region0")
    assert again.exit_status == 0, again.output
    assert "adopt: release camunda" in again.output
    assert pods(running, 0) == before
