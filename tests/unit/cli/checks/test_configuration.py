"""The configuration checked by its files alone: every problem at once, each at its place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.checks import configuration
from cli.checks.configuration import Remark
from cli.errors import Exit
from cli.stacks.sources import key_of
from messages import CATALOGUE
from messages.explained import modules, sample
from tests.inputs.examples import region

STACKS = ("region0", "region1")
PROJECT = {
    "name": "camunda-dual-region",
    "runtime": "python",
    "config": {
        "regions": {"type": "array", "default": [region(0), region(1)]},
        "isolation": {"default": "own"},
        "backup": {"type": "object", "default": {"settings": {"bucket": "snapshots"}}},
        "chart": {"type": "object", "default": {"name": "./chart"}},
        "aws:profile": "mine",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with which nothing is wrong."""
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text("name: camunda-platform\nversion: 10.11.3\n")
    write(tmp_path, "Pulumi.yaml", PROJECT)
    for index in (0, 1):
        set_on(tmp_path, index)
    return tmp_path


def write(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    (folder / name).write_text(yaml.safe_dump(document, sort_keys=False))


def set_on(folder: Path, index: int, **values: Any) -> None:
    """Set these keys on the stack of a region, beside its id."""
    config = {f"camunda-dual-region:{key}": value for key, value in values.items()}
    document = {"config": {"camunda-dual-region:region": index, **config}}
    write(folder, f"Pulumi.region{index}.yaml", document)


def check(folder: Path, **environ: str) -> tuple[Remark, ...]:
    return configuration.check(folder, STACKS, environ)


def told(found: tuple[Remark, ...]) -> list[tuple[str, str]]:
    return [(str(each.place), each.message.code) for each in found]


def test_nothing_is_wrong_with_a_whole_one(folder: Path) -> None:
    assert check(folder) == ()


def test_everything_is_told_at_once_each_at_its_place(folder: Path) -> None:
    set_on(folder, 0, deadlineSeconds=0, lostregion=1)
    set_on(folder, 1, regions=[region(0), region(1, namespace="default", kubeContext="CHANGE-ME")])
    assert told(check(folder)) == [
        ("Pulumi.region0.yaml:3", "setting-refused"),
        ("Pulumi.region0.yaml:4", "unknown-setting"),
        ("Pulumi.region1.yaml:9", "placeholder-left"),
        ("Pulumi.region1.yaml:10", "setting-refused"),
    ]


def test_what_both_stacks_share_is_told_once(folder: Path) -> None:
    document = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    document["config"]["regions"]["default"][1]["namespace"] = "camunda-london"
    write(folder, "Pulumi.yaml", document)
    (remark,) = check(folder)
    assert (remark.message.code, remark.stacks) == ("value-twice", STACKS)
    line = (folder / "Pulumi.yaml").read_text().splitlines()[remark.place.line - 1]  # type: ignore[union-attr]
    assert line.strip() == "namespace: camunda-london"


def test_what_is_not_set_is_told_where_it_belongs(folder: Path) -> None:
    document = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    del document["config"]["isolation"]
    write(folder, "Pulumi.yaml", document)
    (remark,) = check(folder)
    assert remark.message.code == "isolation-missing"
    line = (folder / "Pulumi.yaml").read_text().splitlines()[remark.place.line - 1]  # type: ignore[union-attr]
    assert line.strip() == "- name: london"


def test_encrypted_values_are_neither_judged_nor_shown(folder: Path) -> None:
    secret = {"secure": "v1:hush"}
    usual = {
        "hooks": {"notify": {"url": secret}},
        "elasticsearchSecret": {"name": "keys", "data": {"S3_ACCESS_KEY": secret}},
    }
    for index in (0, 1):
        set_on(folder, index, **usual)
    assert check(folder) == ()
    for index in (0, 1):
        set_on(folder, index, **usual, deadlineSeconds=0, rights={"subject": secret})
    assert {each.message.code for each in check(folder)} == {"setting-refused"}
    assert "hush" not in str(check(folder))


def test_what_depends_on_an_encrypted_value_is_said_not_to_be_judged(folder: Path) -> None:
    for index in (0, 1):
        set_on(folder, index, rights={"subject": {"secure": "v1:hush"}})
    found = check(folder)
    assert {each.message.code for each in found} == {"encrypted-not-judged"}
    assert all(each.is_advice for each in found)


def test_a_whole_setting_may_be_encrypted(folder: Path) -> None:
    for index in (0, 1):
        set_on(folder, index, elasticsearchSecret={"secure": "v1:hush"})
    assert check(folder) == ()


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("Pulumi.yaml", None, "config-file-missing"),
        ("Pulumi.yaml", "name: x\n  regions: [", "config-file-not-yaml"),
        ("Pulumi.yaml", "- a list\n", "config-file-not-a-map"),
        ("Pulumi.yaml", "runtime: python\n", "project-without-name"),
        ("Pulumi.region1.yaml", None, "config-file-missing"),
        ("Pulumi.region1.yaml", "config: [region]\n", "config-block-not-a-map"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(
    folder: Path, name: str, text: str | None, code: str
) -> None:
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    (remark,) = check(folder)
    assert remark.message.code == code
    assert remark.place is not None
    assert remark.place.file == name


def test_the_stacks_files_may_lie_in_a_folder_that_several_machines_share(folder: Path) -> None:
    (folder / "shared").mkdir()
    write(folder, "Pulumi.yaml", PROJECT | {"stackConfigDir": "shared"})
    for index in (0, 1):
        (folder / f"Pulumi.region{index}.yaml").rename(folder / f"shared/Pulumi.region{index}.yaml")
    assert check(folder) == ()
    set_on(folder / "shared", 1, clusterSize=12)
    assert told(check(folder)) == [("shared/Pulumi.region1.yaml:1", "stacks-differ-in")]


LATER: dict[str, Any] = {
    "isolation": "own",
    "regions": [
        {"name": name, "kubeContext": f"cluster-{name}", "namespace": f"camunda-{name}"}
        for name in ("london", "paris")
    ],
}
"""Regions as versions after 8.5 have them: without a failover installation."""


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"chart": {"name": "./nowhere"}}, "no-chart"),
        ({"values": ["nowhere.yaml"]}, "values-unreadable"),
        ({"values": ["bad.yaml"]}, "values-not-yaml"),
        ({"values": ["sizes.yaml"]}, "size-contradicted"),
        (LATER | {"camundaVersion": "8.6"}, "chart-of-other-version"),
        (LATER | {"camundaVersion": "8.8", "searchEngine": {}}, "engine-of-chart"),
    ],
)
def test_the_files_that_settings_name_are_looked_into(
    folder: Path, values: dict[str, Any], code: str
) -> None:
    (folder / "bad.yaml").write_text("a: [")
    (folder / "sizes.yaml").write_text("zeebe: {clusterSize: 12}")
    for index in (0, 1):
        set_on(folder, index, **values)
    assert code in {each.message.code for each in check(folder)}


def test_a_file_of_the_failover_installation_is_told_at_its_own_setting(folder: Path) -> None:
    (folder / "list.yaml").write_text("- a")
    for index in (0, 1):
        set_on(folder, index, values=[], failoverValues=["list.yaml", "nowhere.yaml"])
    lines = (folder / "Pulumi.region0.yaml").read_text().splitlines()
    line = 1 + next(number for number, each in enumerate(lines) if ":failoverValues" in each)
    at = {place for place, code in told(check(folder)) if code.startswith("values-")}
    assert at == {f"Pulumi.region{index}.yaml:{line}" for index in (0, 1)}


def test_both_stacks_must_be_alike_and_of_two_regions(folder: Path) -> None:
    set_on(folder, 1, region=0, partitionCount=4)
    assert [each.message.code for each in check(folder)] == [
        "stacks-of-one-region",
        "stacks-differ-in",
    ]


def test_a_dangerous_environment_is_told(folder: Path) -> None:
    (remark,) = check(folder, PULUMI_SKIP_CHECKPOINTS="1")
    assert (remark.place, remark.message.code) == (None, "variable-refused")


def test_advice_is_no_problem(folder: Path) -> None:
    document = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    del document["config"]["chart"], document["config"]["backup"]
    write(folder, "Pulumi.yaml", document)
    (folder / "Pulumi.region0.yaml").write_text(
        "environment: [shared]\nconfig: {camunda-dual-region:region: 0}\n"
    )
    found = check(folder)
    assert all(each.is_advice for each in found)
    assert {each.message.code for each in found} == {
        "environment-not-read",
        "snapshot-place-not-set",
        "chart-of-repository",
    }
    assert run(folder).exit_code == Exit.HEALTHY


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["-C", str(folder), "config", "check", *options])


def test_the_command_ends_with_a_status_and_shows_places_first(folder: Path) -> None:
    done = run(folder)
    assert done.exit_code == Exit.HEALTHY, done.output
    set_on(folder, 0, deadlineSeconds=0)
    done = run(folder)
    assert done.exit_code == Exit.FAILED
    assert done.output.startswith("Pulumi.region0.yaml:3: ")
    assert "[setting-refused]\n" in done.output


def test_as_json(folder: Path) -> None:
    set_on(folder, 0, deadlineSeconds=0)
    done = run(folder, "--json")
    assert done.exit_code == Exit.FAILED
    found = json.loads(done.output)
    assert found["advice"] == []
    (problem,) = found["problems"]
    assert problem["problem"]
    del problem["problem"]
    assert problem == {
        "code": "setting-refused",
        "file": "Pulumi.region0.yaml",
        "line": 3,
        "stacks": ["region0"],
    }


def test_a_schema_is_printed_as_it_is() -> None:
    """Editors and git see the same bytes each time: it has no moment in it."""
    printed = [CliRunner().invoke(app, ["config", "schema", "project"]).stdout for _ in range(2)]
    assert printed[0] == printed[1]
    assert not {"observedAt", "schemaVersion"} & set(json.loads(printed[0]))


def test_every_refusal_of_settings_has_a_place() -> None:
    """Its key, by which its line is found; but for what is wrong with the whole."""
    modules()
    of_settings = [
        code for code, made in CATALOGUE.items() if made.__module__ == "messages.config.settings"
    ]
    without = {code for code in of_settings if not key_of(sample(code))}
    assert without == {"nested-too-deep"}
