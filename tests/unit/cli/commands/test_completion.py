"""What a shell offers for the values of options: played as bash asks for it."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli.__main__ import app
from tests.inputs.examples import region

REGIONS = [region(0), region(1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two stacks, whose regions stand in the project's file."""
    config = {"regions": {"type": "array", "default": REGIONS}}
    document = {"name": "camunda-dual-region", "runtime": "python", "config": config}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(document))
    for name in ("east", "west"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    return tmp_path


def offered(folder: Path, *typed: str) -> list[str]:
    """Return what is offered for the last word."""
    words = ["dualregion", "-C", str(folder), *typed]
    env = {
        "_DUALREGION_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    return CliRunner().invoke(app, prog_name="dualregion", env=env).stdout.split()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (("failover", "--lost", ""), ["london", "paris", "0", "1"]),
        (("failover", "--lost", "p"), ["paris"]),
        (("plan", "failover", "--lost", "l"), ["london"]),
        (("rights", "--region", "1"), ["1"]),
        (("failover", "--until", ""), ["F3", "R"]),
        (("failback", "--until", "B1"), ["B1"]),
        (("failback", "--until", "F"), []),
        (("explain", "F"), ["F0", "F1", "F2", "F3"]),
        (("explain", "no-surv"), ["no-survivor"]),
        (("--stacks", "w"), ["west,east"]),
        (("preflight", "failo"), ["failover"]),
        (("stat",), ["status"]),
    ],
    ids=" ".join,
)
def test_values_are_offered(folder: Path, typed: tuple[str, ...], found: list[str]) -> None:
    assert offered(folder, *typed) == found


def test_a_stack_has_regions_and_a_version_of_its_own(folder: Path) -> None:
    config = {
        "camunda-dual-region:camundaVersion": "8.8",
        "camunda-dual-region:regions": [region(0, name="rome"), region(1)],
    }
    (folder / "Pulumi.west.yaml").write_text(yaml.safe_dump({"config": config}))
    typed = ("--stacks", "west,east")
    assert offered(folder, *typed, "failover", "--lost", "r") == ["rome"]
    of_version = offered(folder, *typed, "failback", "--until", "B")
    assert of_version == ["B0", "B1", "B4", "B7"]


@pytest.mark.parametrize(
    "project",
    ["name: [", "name: x\nconfig: {regions: {secure: v1}}\n", "name: x\nconfig: {regions: [1]}\n"],
)
def test_where_nothing_can_be_read_the_numbers_are_left(folder: Path, project: str) -> None:
    (folder / "Pulumi.yaml").write_text(project)
    assert offered(folder, "failover", "--lost", "") == ["0", "1"]
    (folder / "Pulumi.yaml").unlink()
    assert offered(folder, "--stacks", "w") == []
