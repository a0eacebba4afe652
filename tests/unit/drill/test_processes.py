"""What a drill calls its own among the machine's processes, and how these end."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from drill.processes import MARK, OwnProcesses


@contextmanager
def running(folder: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the drill in this folder, which ends by itself after so long."""
    with subprocess.Popen(
        ["sleep", str(seconds)], env={**os.environ, MARK: str(folder)}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_process_that_goes_on_is_ended_and_named(tmp_path: Path) -> None:
    with running(tmp_path, 600) as process:
        assert OwnProcesses(str(tmp_path), "no-sandbox").end_all(0.1) == [
            f"process {process.pid}: sleep 600"
        ]
        assert not psutil.pid_exists(process.pid)


def test_a_process_that_ends_by_itself_in_time_is_not_left_over(tmp_path: Path) -> None:
    with running(tmp_path, 0.5):
        assert OwnProcesses(str(tmp_path), "no-sandbox").end_all(60) == []


def test_a_process_of_another_drill_is_let_alone(tmp_path: Path) -> None:
    with running(tmp_path / "other", 600) as process:
        assert OwnProcesses(str(tmp_path), "no-sandbox").end_all() == []
        assert psutil.pid_exists(process.pid)
