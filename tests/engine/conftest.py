"""Engine tests: the real `pulumi`, its real provider and real API servers, without nodes.

Each test gets stacks and namespaces of its own on two API servers that all tests of a process share: they may
run in several processes at once. Nothing runs in these clusters, so gates cannot pass here; what needs them is
proved by the drill.
"""

import compileall
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.observation.access import SUBJECTS, Access
from drill.operators.stacks import Stacks, copy_program, environment
from drill.processes import MARK, end_marked
from drill.regions import REGIONS
from sandbox.regions import Sandbox
from sandbox.setup.tools import Tools
from tests.checkout import CHECKOUT
from tests.engine.project import CITIES, DEADLINE, STACKS, Project, admit
from tests.parts import set_up

FOLDERS = "test-engine"
FOLDER = CHECKOUT / "out" / f"{FOLDERS}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
STAND_IN = CHECKOUT / "sandbox" / "charts" / "camunda-platform"
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


@pytest.fixture
def failed_over(project: Project) -> Project:
    """Let region 0 take over from region 1, whose cluster is empty; both stacks are told to fail back."""
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    # Only what was proved to be out of sight is cut off.
    project.pretend_proved("region0", 1, "F1", "normal")
    assert "F1: timed out" in project.up("region0").output
    project.pretend_taken_over("region0", lost_region=1)
    project.both(
        phase="failback-pending",
        **{"backup.type": "fs", "backup.settings.location": "/backup"},
    )
    return project


def _config(region: int, namespaces: tuple[str, str], chart: Path) -> dict[str, str]:
    config = {
        "region": str(region),
        "clusterSize": "4",
        "partitionCount": "4",
        "chart.name": str(chart),
        "values[0]": str(CHECKOUT / "dualregion" / "reference-values.yaml"),
        "deadlineSeconds": str(DEADLINE),
    }
    for index, city in enumerate(CITIES):
        config |= {
            f"regions[{index}].name": city,
            f"regions[{index}].kubeContext": f"cluster-{city}",
            f"regions[{index}].namespace": namespaces[index],
            f"regions[{index}].podCidrs[0]": f"10.18{index}.0.0/16",
        }
    return config
