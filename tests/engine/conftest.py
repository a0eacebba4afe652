"""Engine tests: the real `pulumi`, its real provider and real API servers, without nodes.

Each test gets stacks and namespaces of its own on two API servers that all tests of a process share: they may
run in several processes at once. Nothing runs in these clusters, so gates cannot pass here; what needs them is
proved by the drill.
"""

import compileall
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.observation.access import SUBJECTS, Access
from drill.operators.stacks import Run, Stacks, copy_program, environment
from drill.processes import MARK, end_marked
from drill.regions import REGIONS
from dualregion.procedure.topology import INCIDENT_LABEL, STEP_LABEL
from sandbox.regions import Sandbox
from sandbox.setup.tools import Tools
from tests.checkout import CHECKOUT
from tests.parts import set_up

FOLDERS = "test-engine"
FOLDER = CHECKOUT / "out" / f"{FOLDERS}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
STAND_IN = CHECKOUT / "sandbox" / "charts" / "camunda-platform"
CITIES = ("london", "paris")
STACKS = ("region0", "region1")
IN_TEMPLATE = "camunda-template"
"""How the template's namespaces begin."""
_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take a chart of the user's own, a folder or archive, in the place of the stand-in."""
    parser.addoption("--chart", type=Path, default=STAND_IN)


@pytest.fixture(scope="session")
def chart(request: pytest.FixtureRequest) -> Path:
    """The chart that is installed."""
    named: Path = request.config.getoption("--chart", STAND_IN)
    return named.absolute()


@pytest.fixture(scope="session")
def tools() -> Tools:
    return set_up()


@pytest.fixture(scope="session")
def sandbox(tools: Tools) -> Iterator[Sandbox]:
    """Two API servers; taken down also when a test fails or is interrupted."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    regions = Sandbox(tools, FOLDER / "sandbox")
    try:
        regions.up(nodes=False)
        yield regions
    finally:
        regions.down()
        shutil.rmtree(FOLDER)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take down what a process has left that was not given the time to do it itself."""
    if not hasattr(config, "workerinput"):
        for folder in (CHECKOUT / "out").glob(f"{FOLDERS}*"):
            for project in folder.glob("project*"):
                end_marked(MARK, str(project))
            Sandbox(None, folder / "sandbox").down()
            shutil.rmtree(folder)


@dataclass
class Project:
    """A copy of the program with two stacks of its own."""

    folder: Path
    stacks: Stacks
    env: dict[str, str]
    tools: Tools
    namespaces: tuple[str, str]
    chart: Path

    def config(self, stack: str, **values: Any) -> None:
        """Set configuration keys of a stack."""
        self.stacks.configure(stack, {key: str(value) for key, value in values.items()})

    def both(self, **values: Any) -> None:
        """Set configuration keys of both stacks."""
        for stack in STACKS:
            self.config(stack, **values)

    def up(self, stack: str) -> Run:
        """Run `pulumi up`."""
        return self.stacks.up(stack, "engine test")

    def with_environment(self, env: Mapping[str, str]) -> Stacks:
        """Return the same stacks, run with another environment."""
        return Stacks(self.tools.pulumi, self.folder, env, self.folder / "logs", lambda _: None)

    def up_with_preview(self, stack: str) -> Run:
        """Run `pulumi up` as a user does: its preview first, and the update only if that is well."""
        return self.stacks.run("up", stack, "up", "--yes")

    def preview(self, stack: str) -> Run:
        """Run `pulumi preview --diff`."""
        return self.stacks.preview(stack)

    def unchanged(self, stack: str) -> bool:
        """Return whether a preview finds nothing to change."""
        return self.stacks.preview_expecting_no_change(stack).exit_status == 0

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the stack's outputs."""
        return self.stacks.outputs(stack)

    def state(self, stack: str) -> list[str]:
        """Return the URNs that the stack's state holds."""
        document = self.stacks.run("export", stack, "stack", "export", quiet=True).output
        deployment = yaml.safe_load(document)["deployment"]
        return [resource["urn"] for resource in deployment.get("resources") or ()]

    def held(self, stack: str) -> Path:
        """Export the stack's state."""
        path = self.folder / f"{stack}-held.json"
        done = self.stacks.run("export", stack, "stack", "export", "--file", str(path))
        assert done.exit_status == 0, done.output
        return path

    def hold_again(self, stack: str, held: Path) -> None:
        """Give a stack a former state back, as a run leaves it that is killed before it saves what it has done."""
        done = self.stacks.run("import", stack, "stack", "import", "--file", str(held))
        assert done.exit_status == 0, done.output

    def pretend_taken_over(self, stack: str, lost_region: int) -> None:
        """Give region 0's stack what a whole failover leaves, the record too: only a drill can make it for real."""
        self.pretend_proved(stack, lost_region, "F3", "failover")

    def pretend_proved(
        self, stack: str, lost_region: int, step: str, phase: str, *, labelled: bool = False
    ) -> None:
        """Give region 0's stack the gate of a step, its record in the cluster, and the outputs of a phase.

        With its labels the record is the program's own; without them the next `up` makes it again, and proves the step.
        """
        data = {"step": step, "incident": f"1-region{lost_region}-lost"}
        name = f"dual-region-{step.lower()}"
        record = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": self.namespaces[0],
                "labels": {STEP_LABEL: step, INCIDENT_LABEL: data["incident"]} if labelled else {},
            },
            "data": data,
        }
        made = self.kubectl("london", "apply", "-f", "-", given=json.dumps(record))
        assert "created" in made, made
        path = self.held(stack)
        document = json.loads(path.read_text())
        resources = document["deployment"]["resources"]
        root = next(each for each in resources if each["type"] == "pulumi:pulumi:Stack")
        root["outputs"] = root.get("outputs", {}) | {"phase": phase, "lostRegion": lost_region}
        namespace = next(
            each for each in resources if each["type"] == "kubernetes:core/v1:Namespace"
        )
        head = "::".join(namespace["urn"].split("::")[:2])
        chain = "dualregion:index:Region$dualregion:index:Gate$kubernetes:core/v1:ConfigMap"
        gate = {key: namespace[key] for key in ("custom", "provider") if key in namespace} | {
            "urn": f"{head}::{chain}::{step}",
            "type": "kubernetes:core/v1:ConfigMap",
            "id": f"{self.namespaces[0]}/{name}",
            "parent": root["urn"],
            "outputs": {"data": data},
        }
        resources.append(gate)
        path.write_text(json.dumps(document))
        self.hold_again(stack, path)

    def killed_up(self, stack: str, at: str) -> str:
        """Run `pulumi up` and kill it (SIGKILL, all of it) when a line with this text appears."""
        pulumi = [str(self.tools.pulumi), "up", "--yes", "--skip-preview", "--stack", stack]
        process = subprocess.Popen(
            [*pulumi, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        seen = []
        assert process.stdout
        for line in process.stdout:
            seen.append(line)
            if at in line:
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        # Pulumi's plugins are in sessions of their own and outlive it.
        end_marked(MARK, self.env[MARK])
        return "".join(seen)

    def kubectl(self, city: str, *arguments: str, given: str = "") -> str:
        """Run kubectl in a region and return what it prints."""
        argv = [str(self.tools.kubectl), "--context", f"cluster-{city}", *arguments]
        done = subprocess.run(
            argv, env=self.env, input=given, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def template(sandbox: Sandbox, tools: Tools, chart: Path) -> Project:
    """What each test's project is a copy of: the program, compiled, and two stacks that were never up.

    Making it takes Pulumi several seconds.
    """
    folder = FOLDER / "template"
    copy_program(CHECKOUT, folder)
    compileall.compile_dir(folder, quiet=1)
    namespaces = (f"{IN_TEMPLATE}-london", f"{IN_TEMPLATE}-paris")
    made = _project(folder, sandbox, tools, namespaces, chart)
    made.stacks.create(STACKS)
    for region, stack in enumerate(STACKS):
        made.stacks.configure(stack, _config(region, namespaces, chart))
    return made


@pytest.fixture
def project(template: Project, sandbox: Sandbox, tools: Tools, chart: Path) -> Project:
    """A fresh project: stacks region0 and region1 in phase normal, gates that give up after seconds."""
    prefix = f"camunda-{next(_numbers)}"
    folder = FOLDER / f"project-{prefix}"
    shutil.copytree(template.folder, folder, ignore=shutil.ignore_patterns("pulumi", "logs"))
    made = _project(folder, sandbox, tools, (f"{prefix}-london", f"{prefix}-paris"), chart)
    shutil.copytree(template.stacks.backend, made.stacks.backend, dirs_exist_ok=True)
    for stack in STACKS:
        settings = folder / f"Pulumi.{stack}.yaml"
        settings.write_text(settings.read_text().replace(IN_TEMPLATE, prefix))
    return made


def _project(
    folder: Path, sandbox: Sandbox, tools: Tools, namespaces: tuple[str, str], chart: Path
) -> Project:
    env = environment(
        folder / "pulumi", sandbox.kubeconfig, tools.pulumi_path, own_build=True, helm=tools.helm
    )
    env[MARK] = str(folder)
    (folder / "logs").mkdir()
    stacks = Stacks(tools.pulumi, folder, env, folder / "logs", lambda _: None)
    return Project(folder, stacks, env, tools, namespaces, chart)


def dualregion(project: Project, *arguments: str, given: str = "") -> tuple[int, str]:
    """Run the command; return its exit status and all that it printed."""
    done = subprocess.run(
        [str(CHECKOUT / "bin" / "dualregion"), "-C", str(project.folder), *arguments],
        env=project.env | {"COLUMNS": "200"},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def access(sandbox: Sandbox, tools: Tools, project: Project) -> Access:
    logs = [each.audit for each in sandbox.regions]
    return Access(tools.kubectl, sandbox.kubeconfig, project.folder, logs)


@pytest.fixture
def modest(project: Project, access: Access, tools: Tools) -> Project:
    """The project, whose stacks may do what they must: the administrator has given them the least rights.

    Tests of what the program does to the clusters are marked with it, so that its rights are proved to be enough.
    """
    project.both(**SUBJECTS)
    for region in REGIONS:
        project.config(region.stack, kubeconfig=access.kubeconfig(region))
    for region in REGIONS:
        admit(project, access, region.index)
    # What does not go by the stack's own kubeconfig finds none.
    env = project.env | {"KUBECONFIG": str(project.folder / "nowhere")}
    logs = project.folder / "logs-modest"
    logs.mkdir()
    project.stacks = Stacks(tools.pulumi, project.folder, env, logs, lambda _: None)
    return project


def admit(project: Project, access: Access, region: int) -> None:
    exit_status, manifests = dualregion(project, "rights", "--region", str(region))
    assert exit_status == 0, manifests
    access.admit(REGIONS[region], manifests)


def _config(region: int, namespaces: tuple[str, str], chart: Path) -> dict[str, str]:
    config = {
        "region": str(region),
        "clusterSize": "4",
        "partitionCount": "4",
        "chart.name": str(chart),
        "values[0]": str(CHECKOUT / "dualregion" / "reference-values.yaml"),
        "deadlineSeconds": "3",
    }
    for index, city in enumerate(CITIES):
        config |= {
            f"regions[{index}].name": city,
            f"regions[{index}].kubeContext": f"cluster-{city}",
            f"regions[{index}].namespace": namespaces[index],
            f"regions[{index}].podCidrs[0]": f"10.18{index}.0.0/16",
        }
    return config
