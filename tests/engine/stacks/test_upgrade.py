"""What the version before has left in the states of both stacks, this one takes up: at rest, and in the midst of an incident."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from drill.operators.stacks import PROGRAM_FOLDERS
from tests.checkout import CHECKOUT
from tests.engine.project import DEADLINE, Project

pytestmark = pytest.mark.engine

BEFORE = "13acd75"
"""Version 0.1.0, before its modules were moved."""
FOLDERS_BEFORE = ("dualregion", "components", "hooks")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of before, out of this checkout's history."""
    folder = tmp_path_factory.mktemp("before")
    done = subprocess.run(
        ["git", "archive", BEFORE, "__main__.py", *FOLDERS_BEFORE],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"this checkout's history does not reach back to {BEFORE}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def run_from_now_on(project: Project, program: Path, folders: tuple[str, ...]) -> None:
    """Put a program in the place of the one that the project has."""
    for name in {*PROGRAM_FOLDERS, *FOLDERS_BEFORE}:
        shutil.rmtree(project.folder / name, ignore_errors=True)
    for name in folders:
        shutil.copytree(program / name, project.folder / name)
    shutil.copy(program / "__main__.py", project.folder)


@pytest.fixture
def older(project: Project, before: Path) -> Project:
    """A project that the version before runs."""
    run_from_now_on(project, before, FOLDERS_BEFORE)
    return project


def upgrade(project: Project) -> None:
    run_from_now_on(project, CHECKOUT, PROGRAM_FOLDERS)


def begin_failover(project: Project) -> None:
    """Let the survivor's stack be isolated; nothing can prove it in clusters without nodes."""
    assert project.up("region0").exit_status == 0
    project.both(phase="failover", lostRegion=1)
    project.pretend_proved("region0", 1, "F1", "normal")
    assert "F1: waited" in project.up("region0").output


def test_in_phase_normal(older: Project) -> None:
    first = older.up("region0")
    assert first.exit_status == 0, first.output
    held = older.state("region0")
    assert "waiting" not in older.outputs("region0")
    upgrade(older)
    assert older.unchanged("region0")
    up = older.up("region0")
    assert up.exit_status == 0, up.output
    assert sorted(older.state("region0")) == sorted(held)
    assert older.outputs("region0")["waiting"] == {
        "code": "other-installed",
        "turn": None,
        "region": 1,
    }


def test_in_the_midst_of_a_failover(older: Project) -> None:
    begin_failover(older)
    held = older.state("region0")
    upgrade(older)
    goes_on = older.up("region0").output
    assert f"F1: timed out after {DEADLINE} s waiting until the brokers of paris" in goes_on
    assert sorted(older.state("region0")) == sorted(held)


def test_in_the_midst_of_a_failback(older: Project) -> None:
    begin_failover(older)
    older.pretend_taken_over("region0", lost_region=1)
    older.both(
        phase="failback-pending",
        **{"backup.type": "fs", "backup.settings.location": "/backup"},
    )
    assert older.up("region0").exit_status == 0
    assert older.outputs("region0")["progress"] == ["B0"]
    held = older.state("region0")
    upgrade(older)
    assert older.unchanged("region0")
    assert older.up("region0").exit_status == 0
    assert sorted(older.state("region0")) == sorted(held)
    assert (
        f"B1: timed out after {DEADLINE} s waiting until the odd brokers"
        in older.up("region1").output
    )
