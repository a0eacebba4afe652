"""The files of a new project: usable, with every setting in them, and as Helm reads them."""

import re
from typing import Any

import jsonschema
import pytest
import yaml

from cli.setup.files import dumped, files_of, still_to_fill_in
from cli.setup.planning import Plan, PlannedRegion
from dualregion.chart import helm_yaml
from dualregion.config.settings import ChartSettings, RegionSettings, Settings
from tests.checkout import CHECKOUT
from tests.unit.config.test_schema import PROJECT, STACK

REGIONS = (
    PlannedRegion("london", "cluster-london", pod_cidrs=("10.192.0.0/16",)),
    PlannedRegion(
        "paris", "arn:aws:eks:eu-west-3:1:cluster/c", "acme", ("10.202.0.0/16", "fd00::/56")
    ),
)
PLAN = Plan(REGIONS, bucket="snapshots")


def read(text: str) -> Any:
    return yaml.safe_load(text)


def uncommented(text: str) -> str:
    """Return a file in which every setting that is a comment is set."""
    return re.sub(r"^( *)#(?=\S|  )", r"\1", text, flags=re.MULTILINE)


def test_what_was_planned_is_what_the_program_reads() -> None:
    texts = files_of(PLAN, None)
    config = read(texts["Pulumi.yaml"])["config"]
    raw = {key: each["default"] for key, each in config.items()}
    settings = Settings.parse({**raw, "region": 1})
    assert settings.own.namespace == "acme"
    assert settings.own.pod_cidrs == ("10.202.0.0/16", "fd00::/56")
    assert settings.peer.namespace == "camunda-london"
    assert settings.backup.settings == {"bucket": "snapshots"}
    assert settings.values == ("camunda.yaml",)
    for region in (0, 1):
        own = read(texts[f"Pulumi.region{region}.yaml"])
        assert own == {"config": {"camunda-dual-region:region": region}}


@pytest.mark.parametrize("change", [lambda text: text, uncommented], ids=["as it is", "all set"])
def test_every_file_fits_its_schema_whatever_is_set(change: Any) -> None:
    texts = files_of(PLAN, ".venv")
    PROJECT.validate(read(change(texts["Pulumi.yaml"])))
    for region in (0, 1):
        text = texts[f"Pulumi.region{region}.yaml"].partition("config:")[2]
        STACK.validate(read("config:" + change(text)))


def test_every_setting_stands_in_the_files() -> None:
    """But those that are set in an incident, or of one."""
    texts = files_of(PLAN, None)
    config = read(uncommented(texts["Pulumi.yaml"]))["config"]
    own = uncommented(texts["Pulumi.region0.yaml"])
    keys = {str(each.alias) for each in Settings.model_fields.values()}
    in_incidents = {"lostRegion", "acceptLoss", "acceptCluster", "allowChanges", "retire"}
    assert {key for key in keys - in_incidents - set(config) if key not in own} == set()
    regions = {str(each.alias) for each in RegionSettings.model_fields.values()}
    assert regions - set(config["regions"]["default"][0]) == {"networkAcls"}


def test_a_placeholder_is_where_only_the_operator_knows() -> None:
    texts = files_of(Plan((PlannedRegion("a"), PlannedRegion("b"))), None)
    assert still_to_fill_in(texts) == 5
    assert still_to_fill_in(files_of(PLAN, None)) == 0


def test_the_environment_of_the_project_is_named() -> None:
    runtime = {"name": "python", "options": {"virtualenv": ".venv"}}
    assert read(files_of(PLAN, ".venv")["Pulumi.yaml"])["runtime"] == runtime
    assert read(files_of(PLAN, None)["Pulumi.yaml"])["runtime"] == "python"


def test_a_chart_that_is_an_archive_has_no_version() -> None:
    plan = Plan(REGIONS, chart=ChartSettings(name="./chart.tgz"), camunda_version="8.8")
    config = read(files_of(plan, None)["Pulumi.yaml"])["config"]
    assert config["chart"]["default"] == {"name": "./chart.tgz"}
    assert config["camundaVersion"]["default"] == "8.8"


def test_the_project_is_the_checkouts() -> None:
    own = read((CHECKOUT / "Pulumi.yaml").read_text())
    made = read(files_of(PLAN, None)["Pulumi.yaml"])
    for key in ("name", "options", "requiredPulumiVersion"):
        assert made[key] == own[key]


VALUES = {
    "texts": ["1e3", "y", "22:30", "08", "2026-01-02", "null", "", "0x1f", "a: b", "two\nlines"],
    "numbers": [1, 1.5, True, None],
    "nested": {"empty": {}, "list": []},
}


def test_values_are_written_as_helm_reads_them() -> None:
    assert helm_yaml.read(dumped(VALUES).encode()) == VALUES
    texts = files_of(Plan(REGIONS, values={"camunda.yaml": VALUES, "other.yaml": {}}), None)
    assert helm_yaml.read(texts["camunda.yaml"].encode()) == VALUES
    assert read(texts["Pulumi.yaml"])["config"]["values"]["default"] == ["camunda.yaml"]


def test_the_schemas_lie_beside_the_files_that_name_them() -> None:
    texts = files_of(PLAN, None)
    for name in ("Pulumi.yaml", "Pulumi.region0.yaml", "Pulumi.region1.yaml"):
        first = texts[name].splitlines()[0]
        named = first.removeprefix("# yaml-language-server: $schema=./")
        jsonschema.Draft7Validator.check_schema(yaml.safe_load(texts[named]))
