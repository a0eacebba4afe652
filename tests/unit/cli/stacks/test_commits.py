"""What of the settings files another checkout does not know yet, as git tells it."""

import subprocess
from pathlib import Path

import pytest

from cli.stacks.commits import uncommitted
from messages.command import driving as messages


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Both stacks' files, committed, in a folder below the repository."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    made = [folder / f"Pulumi.region{each}.yaml" for each in (0, 1)]
    for each in made:
        each.write_text("config: {}\n")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x")
    return made


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def test_what_is_committed_is_not_named(files: list[Path]) -> None:
    assert uncommitted(files) == ()


def test_what_is_changed_or_new_is_named(files: list[Path]) -> None:
    files[1].write_text("config: {phase: failover}\n")
    assert uncommitted(files) == (files[1],)
    new = files[0].with_name("Pulumi.größer.yaml")
    new.write_text("")
    assert uncommitted([new, *files]) == (new, files[1])


def test_what_is_to_be_typed_commits_them_from_anywhere(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files[1].write_text("config: {phase: failover}\n")
    new = files[0].with_name("Pulumi.it's new.yaml")
    new.write_text("")
    monkeypatch.chdir(tmp_path.parent)
    for key, value in {"user.name": "a", "user.email": "a@b"}.items():
        _git(tmp_path, "config", key, value)
    told = str(
        messages.phase_to_commit(
            "failover", [each.name for each in (new, files[1])], str(files[0].parent)
        )
    )
    typed = told.partition("nightly jobs: ")[2].rpartition(" && ")[0]
    subprocess.run(typed, shell=True, check=True)
    assert uncommitted([new, *files]) == ()


def test_without_a_repository_or_git_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Pulumi.region0.yaml"
    assert uncommitted([file]) == ()
    file.write_text("")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert uncommitted([file]) == ()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert uncommitted([file]) == ()
