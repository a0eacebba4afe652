"""`dualregion init`: a new project's folder, by options, by answers, from what is found; nothing is overwritten."""

import os
import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.commands import init
from cli.errors import Exit
from clients.survey import Survey
from messages.clients.reasons import no_api_server
from tests.fakes.kubernetes import kubeconfig
from tests.unit.cli.setup.test_planning import found

CONTEXTS = ("cluster-london", "cluster-paris")
CIDRS = (("10.192.0.0/16",), ("10.202.0.0/16",))
FILES = {
    *("Pulumi.yaml", "Pulumi.region0.yaml", "Pulumi.region1.yaml", "__main__.py", "camunda.yaml"),
    *("Pulumi.schema.json", "Pulumi.stack.schema.json", ".gitignore"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def run(folder: Path, *options: str, given: str = "") -> Result:
    return CliRunner().invoke(app, ["init", str(folder), *options], input=given)


def both(option: str, *values: str) -> list[str]:
    return [part for value in values for part in (option, value)]


def settings_in(folder: Path) -> dict[str, object]:
    config = yaml.safe_load((folder / "Pulumi.yaml").read_text())["config"]
    return {key: each["default"] for key, each in config.items()}


def checked(folder: Path) -> Result:
    return CliRunner().invoke(app, ["-C", str(folder), "config", "check"])


def test_offline_it_leaves_places_that_config_check_names(folder: Path) -> None:
    done = run(folder, "--offline", "--yes")
    assert done.exit_code == Exit.HEALTHY, done.output
    assert {each.name for each in folder.iterdir()} == FILES
    assert "5 places are still CHANGE-ME" in done.output
    wrong = checked(folder)
    assert wrong.exit_code == Exit.FAILED
    assert wrong.output.count("[placeholder-left]") == 5
    assert "5 problems" in wrong.output


def test_with_everything_typed_nothing_is_left_to_fill_in(folder: Path) -> None:
    options = [
        *both("--context", *CONTEXTS),
        *both("--pod-cidrs", "10.192.0.0/16,fd00:192::/56", "10.202.0.0/16"),
        *("--bucket", "snapshots", "--offline"),
    ]
    done = run(folder, *options)
    assert done.exit_code == Exit.HEALTHY, done.output
    assert "CHANGE-ME" not in done.output
    assert checked(folder).exit_code == Exit.HEALTHY
    assert "next" in done.output
    assert "dualregion" in done.output


def test_nothing_is_overwritten(folder: Path) -> None:
    assert run(folder, "--offline").exit_code == Exit.HEALTHY
    (folder / "Pulumi.yaml").write_text("mine")
    before = {each: each.read_bytes() for each in folder.iterdir()}
    done = run(folder, "--offline")
    assert done.exit_code == Exit.FAILED
    assert "[folder-occupied]" in done.output
    assert {each: each.read_bytes() for each in folder.iterdir()} == before


def test_beside_other_files_it_is_written_all_the_same(folder: Path) -> None:
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    assert run(folder, "--offline").exit_code == Exit.HEALTHY


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file" / "mine", "--offline")
    assert done.exit_code == Exit.FAILED
    assert "[folder-not-writable]" in done.output


def test_an_option_of_both_regions_is_needed_twice(folder: Path) -> None:
    done = run(folder, "--context", "cluster-london")
    assert done.exit_code == Exit.FAILED
    assert "[twice-needed]" in done.output
    assert not folder.exists()


def look(monkeypatch: pytest.MonkeyPatch, first: Survey, second: Survey) -> None:
    """Let these be found in the two clusters."""
    surveys = dict(zip(CONTEXTS, (first, second), strict=True))
    monkeypatch.setattr(init, "survey", lambda _, context: surveys[context])


def test_what_is_found_in_both_clusters_is_adopted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(monkeypatch, *(Survey((found(each),), CIDRS[each]) for each in (0, 1)))
    done = run(folder, *both("--context", *CONTEXTS), "--bucket", "snapshots")
    assert done.exit_code == Exit.HEALTHY, done.output
    settings = settings_in(folder)
    assert settings["adopt"] is True
    assert [each["namespace"] for each in settings["regions"]] == ["in-london", "in-paris"]  # type: ignore[attr-defined]
    assert [tuple(each["podCidrs"]) for each in settings["regions"]] == list(CIDRS)  # type: ignore[attr-defined]
    # Passwords may be among what Helm was given.
    assert stat.S_IMODE(os.stat(folder / "camunda.yaml").st_mode) == 0o600


def test_a_cluster_that_does_not_answer_leaves_its_places_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(monkeypatch, Survey(pod_cidrs=CIDRS[0]), Survey(problems=(no_api_server(),)))
    done = run(folder, *both("--context", *CONTEXTS))
    assert done.exit_code == Exit.HEALTHY, done.output
    assert no_api_server() in done.output
    assert "2 places are still CHANGE-ME" in done.output


def test_at_a_terminal_it_asks(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path, "http://127.0.0.1:9", *CONTEXTS))
    look(monkeypatch, *(Survey((found(each),), CIDRS[each]) for each in (0, 1)))
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    answers = "\n\n\n\nn\n\n10.9.0.0/16\nsnapshots\n"
    done = run(folder, given=answers)
    assert done.exit_code == Exit.HEALTHY, done.output
    settings = settings_in(folder)
    assert [each["kubeContext"] for each in settings["regions"]] == list(CONTEXTS)  # type: ignore[attr-defined]
    assert [each["name"] for each in settings["regions"]] == ["london", "paris"]  # type: ignore[attr-defined]
    assert settings["adopt"] is False
    assert settings["regions"][1]["podCidrs"] == ["10.9.0.0/16"]  # type: ignore[index]
    assert settings["backup"]["settings"] == {"bucket": "snapshots"}  # type: ignore[index]


def test_without_a_kubeconfig_it_asks_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(folder / "nowhere"))
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    done = run(folder, given="\n" * 10)
    assert done.exit_code == Exit.HEALTHY, done.output
    assert "[no-" not in done.output
    assert "no cluster is looked at" in done.output
