"""An upgrade of Camunda as its page has it: 8.5, 8.6, 8.7, 8.8, one after the other, and never in an incident."""

import re

import pytest
import yaml

from drill.operators.stacks import Run
from sandbox.versions import VERSIONS, shape_of
from tests.checkout import CHECKOUT
from tests.engine.project import CITIES, STACKS, Project
from tests.quick_start import blocks, run

pytestmark = pytest.mark.engine

PAGE = CHECKOUT / "docs" / "prepare" / "upgrading-camunda.md"
LATER = ("8.6", "8.7", "8.8")
REFERENCE = CHECKOUT / "dualregion" / "reference-values.yaml"


def written_down(project: Project, minor: str) -> None:
    """Type what the page says, of a version and of the stand-in that is its chart here; and give the version's values."""
    (script,) = blocks(PAGE)
    assert "camundaVersion 8.6" in script
    script = script.replace("camundaVersion 8.6", f"camundaVersion {minor}")
    script, charts = re.subn(r"chart\.version \S+", f"chart.name {shape_of(minor).chart}", script)
    assert charts == 2
    done = run(script, project.folder, project.env)
    assert done.returncode == 0, done.stdout
    give_values(project, minor)


def give_values(project: Project, minor: str) -> None:
    """Give both stacks the values of a rehearsal of this version, in the place of those that they have."""
    reference = () if VERSIONS[minor].is_unified else (REFERENCE,)
    for stack in STACKS:
        path = project.folder / f"Pulumi.{stack}.yaml"
        settings = yaml.safe_load(path.read_text())
        (key,) = [each for each in settings["config"] if each.endswith(":values")]
        settings["config"][key] = [str(each) for each in (*reference, *shape_of(minor).values)]
        path.write_text(yaml.safe_dump(settings))


def refused(done: Run, code: str) -> None:
    assert done.exit_status != 0, done.output
    assert f"[{code}]" in done.output, done.output


def image_of_brokers(project: Project) -> str:
    return project.kubectl(
        *(CITIES[0], "get", "statefulset", "camunda-zeebe", "-n", project.namespaces[0]),
        *("-o", "jsonpath={.spec.template.spec.containers[0].image}"),
    )


def test_one_version_after_the_other(project: Project) -> None:
    give_values(project, "8.5")
    first = project.up("region0")
    assert first.exit_status == 0, first.output
    project.both(camundaVersion=LATER[0])
    refused(project.preview("region0"), "chart-of-other-version")
    for minor in LATER:
        written_down(project, minor)
        preview = project.preview("region0")
        assert preview.exit_status == 0, preview.output
        changed = {(each.operation, each.name) for each in preview.events if each.is_change}
        assert changed == {("update", "normal")}
        up = project.up("region0")
        assert up.exit_status == 0, up.output
        assert image_of_brokers(project).endswith(f":{VERSIONS[minor].image}")
        outputs = project.outputs("region0")
        assert outputs["camundaVersion"] == minor
        assert outputs["chart"].endswith(VERSIONS[minor].chart)


def test_never_in_an_incident(failed_over: Project) -> None:
    up = failed_over.up("region0")
    assert up.exit_status == 0, up.output
    held = sorted(failed_over.state("region0"))
    written_down(failed_over, "8.6")
    failed_over.both(**{"allowChanges[0]": "chart", "allowChanges[1]": "values"})
    refused(failed_over.preview("region0"), "version-changed")
    refused(failed_over.up("region0"), "version-changed")
    assert sorted(failed_over.state("region0")) == held
