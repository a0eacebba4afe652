"""A region is named by its number or by its name, wherever one is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands import plan
from cli.driver.previews import Preview
from tests.fakes import pulumi_command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Both stacks, never updated; how the command is told where they are."""
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    for index in (0, 1):
        pulumi.stack(f"region{index}", index, rights={"subject": "group:operators"})
    monkeypatch.setattr(plan, "preview", lambda _, stack, *__: Preview(stack))
    return ["-C", str(tmp_path)]


def test_rights_of_a_region_by_its_name_are_those_by_its_number(project: list[str]) -> None:
    by_name, by_number = (
        CliRunner().invoke(app, [*project, "rights", "--region", each]) for each in ("paris", "1")
    )
    assert by_name.exit_code == 0, by_name.output
    assert by_name.stdout == by_number.stdout
    assert "camunda-paris" in by_name.stdout


def test_a_plan_by_its_name_is_that_by_its_number(project: list[str]) -> None:
    by_name, by_number = (
        CliRunner().invoke(app, [*project, "plan", "failover", "--lost", each])
        for each in ("paris", "1")
    )
    assert by_name.exit_code == 0, by_name.output
    assert by_name.stdout == by_number.stdout
    assert "lostRegion 1" in by_name.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["rights", "--region", "berlin"], "region-unknown"),
        (["plan", "failover", "--lost", "2"], "region-unknown"),
        (["plan", "failover", "--lost", "0", "--lost", "1"], "region-named-twice"),
        (["rights", "--region", "0", "--region", "1"], "region-named-twice"),
    ],
)
def test_what_is_no_region_is_a_wrong_option(
    project: list[str], arguments: list[str], code: str
) -> None:
    result = CliRunner().invoke(app, [*project, *arguments])
    assert result.exit_code == 2
    assert result.stderr.endswith(f"[{code}]\n")
