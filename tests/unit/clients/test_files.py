"""The user's files: read as they are meant, refused with the file's name and what is wrong with it."""

import hashlib
from pathlib import Path

import pytest
import yaml

from clients.files import REFERENCE_VALUES, check_chart, read_failover_values, read_values
from dualregion.config.settings import ChartSettings
from dualregion.errors import ConfigError
from tests.raising import assert_message, assert_tells, raises, tells


def test_files_are_merged_in_order_and_start_at_the_project(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("a: 1\nb: {x: 1}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "two.yaml").write_text("a: 2\nb: {z: 2}\n")
    absolute = tmp_path / "three.yaml"
    absolute.write_text("c: 3\n")
    found = read_values(["one.yaml", "more/two.yaml", str(absolute)], tmp_path)
    assert found == {"a": 2, "b": {"x": 1, "z": 2}, "c": 3}


def test_without_files_the_reference_values_count_wherever_the_project_lies(tmp_path: Path) -> None:
    assert read_values([], tmp_path) == yaml.safe_load(REFERENCE_VALUES.read_text())


def test_the_reference_values_are_those_of_the_reference_set_up() -> None:
    found = yaml.safe_load(REFERENCE_VALUES.read_text())
    assert found["global"]["identity"]["auth"]["enabled"] is False
    assert found["global"]["elasticsearch"]["disableExporter"] is True
    assert not any(found[each]["enabled"] for each in ("identity", "optimize", "connectors"))
    environment = {entry["name"]: entry["value"] for entry in found["zeebe"]["env"]}
    assert environment["ZEEBE_BROKER_DATA_SNAPSHOTPERIOD"] == "5m"
    assert environment["ZEEBE_BROKER_DATA_DISKUSAGECOMMANDWATERMARK"] == "0.85"
    assert environment["ZEEBE_BROKER_DATA_DISKUSAGEREPLICATIONWATERMARK"] == "0.87"
    assert environment["ZEEBE_BROKER_CLUSTER_MESSAGECOMPRESSION"] == "GZIP"
    assert found["elasticsearch"]["master"]["replicaCount"] == 2
    assert found["elasticsearch"]["extraEnvVarsSecret"] == "elasticsearch-env-secret"
    assert all(isinstance(value, str) for value in environment.values()), "Kubernetes wants texts"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("a: 1\n")
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert read_values(["one.yaml", "empty.yaml"], tmp_path) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(None, "values-unreadable", id="missing"),
        pytest.param(b"a: [1\nb: 2\n", "values-not-yaml", id="malformed"),
        pytest.param(b"- a\n", "a list", id="a list"),
        pytest.param(b"words", "a text", id="a text"),
        pytest.param(b"12", "a number", id="a number"),
        pytest.param(b"\xff\xfe\x00", "values-not-yaml", id="no text"),
        pytest.param(b"a: !!int x\n", "yaml-tag-contradicted", id="a tag that lies"),
        pytest.param(b"\na: \x07\n", "yaml-character-not-allowed", id="a control character"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_values(["mine.yaml"], tmp_path)
    (problem,) = caught.value.problems
    assert_tells(problem, str(path), told)
    assert len(problem.splitlines()) == 1


def test_what_is_refused_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("password: hunter2\n  other: hunter2 [\n - ]hunter2\n")
    with pytest.raises(ConfigError) as caught:
        read_values(["mine.yaml"], tmp_path)
    assert_message(caught.value.message, "values-not-yaml", line=2)
    assert not tells(caught.value.message, "hunter2")


def test_a_folder_is_no_values_file(tmp_path: Path) -> None:
    with raises("values-unreadable", ConfigError, reason="Is a directory"):
        read_values(["."], tmp_path)


def test_all_unusable_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError) as caught:
        read_values(["missing.yaml", "list.yaml"], tmp_path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "content", [None, b"- a\n", b"5\n", b"a: [1\n"], ids=["missing", "list", "number", "malformed"]
)
def test_the_setting_that_names_an_unusable_file_is_told(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "mine.yaml").write_bytes(content)
    for read, setting in ((read_values, "values"), (read_failover_values, "failoverValues")):
        with pytest.raises(ConfigError) as caught:
            read(["mine.yaml"], tmp_path)
        (problem,) = caught.value.problems
        assert problem.facts["setting"] == setting
        assert problem.startswith(f"{setting}: file ")


def test_a_failover_installation_without_files_of_its_own_has_no_values_of_its_own(
    tmp_path: Path,
) -> None:
    assert read_failover_values([], tmp_path) == {}


def test_a_malformed_file_is_told_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("a: 1\nb: [\n")
    with raises("values-not-yaml", ConfigError, line=3):
        read_values(["mine.yaml"], tmp_path)


@pytest.mark.parametrize("name", ["./chart", "{0}/chart", "./chart.tgz", "{0}/chart.tgz"])
def test_a_chart_that_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("name: c\n")
    (tmp_path / "chart.tgz").write_bytes(b"")
    check_chart(ChartSettings(name=name.format(tmp_path)), tmp_path)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "./empty"])
def test_a_chart_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with raises("no-chart", ConfigError, name=name):
        check_chart(ChartSettings(name=name), tmp_path)


@pytest.mark.parametrize("name", ["camunda-platform", "oci://registry.example/camunda-platform"])
def test_charts_from_elsewhere_are_left_to_the_provider(tmp_path: Path, name: str) -> None:
    check_chart(ChartSettings(name=name), tmp_path)


def test_a_pinned_archive_is_taken_and_another_one_refused(tmp_path: Path) -> None:
    archive = tmp_path / "c.tgz"
    archive.write_bytes(b"one")
    digest = hashlib.sha256(b"one").hexdigest()
    for written in (digest, f"sha256:{digest}"):
        check_chart(ChartSettings(name="./c.tgz", digest=written), tmp_path)
    archive.write_bytes(b"other")
    with raises("another-digest", ConfigError, digest=digest, path=str(archive)):
        check_chart(ChartSettings(name="./c.tgz", digest=digest), tmp_path)


@pytest.mark.parametrize("name", [".", "camunda-platform", "oci://registry.example/c"])
def test_a_digest_of_what_is_no_archive_is_refused(tmp_path: Path, name: str) -> None:
    """What a repository gives cannot be seen before Helm installs it."""
    (tmp_path / "Chart.yaml").write_text("name: c\nversion: 1\n")
    with raises("digest-of-no-archive", ConfigError, name=name):
        check_chart(ChartSettings(name=name, digest="0" * 64), tmp_path)
