"""What a drill reports while it runs, and how long it waits."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from drill.errors import DrillError
from drill.progress import Progress
from drill.waiting import ASK_SECONDS, wait_for


def test_progress_keeps_its_stages_and_its_log(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    progress = Progress(console, tmp_path / "drill.log")
    with progress.stage("Losing [red]region 1[/red]"):
        progress.write("  etcd is gone")
    with pytest.raises(DrillError), progress.stage("Failing over"):
        raise DrillError("no")
    assert [(stage.name, stage.ok) for stage in progress.stages] == [
        ("Losing [red]region 1[/red]", True),
        ("Failing over", False),
    ]
    log = (tmp_path / "drill.log").read_text()
    assert "Losing [red]region 1[/red]" in log
    assert "failed after" in log
    assert log == console.file.getvalue()  # type: ignore[attr-defined]


def test_waiting_tells_how_late_its_end_may_have_been_seen() -> None:
    assert wait_for("it is there", lambda: None, 0, print) == 0
    answers = iter(["not yet", None])
    assert wait_for("it is there", lambda: next(answers), 60, print) == ASK_SECONDS / 2


def test_waiting_ends_with_what_is_still_missing() -> None:
    with pytest.raises(DrillError, match="waited 0 s until it is there; still: two brokers"):
        wait_for("it is there", lambda: "two brokers", 0, print)
