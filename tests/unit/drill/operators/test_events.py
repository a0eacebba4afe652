"""The engine's event log: what it means, that it is followed while it is written, and that a run can be killed by it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from drill.observation.events import Event, Moment, event_of, followed
from drill.operators.points import PointReader, already_there
from drill.operators.stacks import RUN_MARK, Stacks

RECORDED = Path(__file__).parent / "recorded"
"""Event logs of Pulumi 3.259.0, made by `recorded/__main__.py`, without debug messages."""


def recorded(name: str) -> list[Event]:
    lines = (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for line in lines if (event := event_of(line))]


def test_points_are_read_off_a_recorded_run() -> None:
    reader = PointReader()
    points = [str(point) for event in recorded("up") if (point := reader.point_of(event))]
    assert list(dict.fromkeys(points)) == [
        "in the work of binding failover",
        "just after binding failover",
        "in the work of gate F1",
        "just after gate F1",
        "in the work of the install of release failover",
        "just after the install of release failover",
    ]
    assert not any(already_there(event) for event in recorded("up"))


def test_a_recorded_run_with_nothing_to_do_has_no_point_and_finds_all_done() -> None:
    events = recorded("nothing")
    reader = PointReader()
    assert [point for event in events if (point := reader.point_of(event))] == []
    there = {each for event in events if (each := already_there(event))}
    assert there == {"binding failover", "gate F1", "release failover"}


def test_a_recorded_preview_has_what_is_to_come() -> None:
    made = {each.name: each for each in recorded("preview") if each.moment is Moment.BEGUN}
    assert made["failover"].operation == "update"
    assert made["failover"].inputs["values"] != made["failover"].former["values"]


def test_people_read_messages_and_changes() -> None:
    shown = [event.progress for event in recorded("up") if event.progress]
    assert "F1: waiting until it is so: 0 s; no" in shown
    assert "create kubernetes:core/v1:ConfigMap F1" in shown
    assert not [text for text in shown if "using pulumi-" in text]


def line(text: str) -> str:
    message = {"message": f"{text}\n", "severity": "info"}
    return json.dumps({"sequence": 1, "diagnosticEvent": message}) + "\n"


def test_a_log_is_followed_and_what_was_cut_off_is_left_out(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "events"
    with followed(log, lambda event: seen.append(event.text)), log.open("w") as file:
        file.write(line("first")[:20])
        file.flush()
        file.write(line("first")[20:] + line("second") + line("third")[:20])
    assert seen == ["first", "second"]


def test_each_event_has_the_moment_at_which_it_was_read(tmp_path: Path) -> None:
    moments: list[float] = []
    log = tmp_path / "events"
    before = time.monotonic()
    with followed(log, lambda event: moments.append(event.at)), log.open("w") as file:
        file.write(line("first") + line("second"))
    found = [before, *moments, time.monotonic()]
    assert found == sorted(found)
    assert len(moments) == 2


PULUMI = """#!/bin/sh
# What stands last is the event log.
for log; do :; done
setsid sleep 300 > /dev/null 2>&1 &
cat recorded >> "$log"
exec {then}
"""


def stacks(folder: Path, then: str, said: Callable[[str], None] = print) -> Stacks:
    """A stand-in for pulumi that leaves a process of its own session behind, as the real one does its plugins."""
    (folder / "recorded").write_text(line("F2: waiting") + line("F2: done"))
    pulumi = folder / "pulumi"
    pulumi.write_text(PULUMI.format(then=then))
    pulumi.chmod(0o755)
    return Stacks(pulumi, folder, dict(os.environ), folder, said)


def left_of(log: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_MARK) == str(log):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_run_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    def kill_at_once(_: Event, kill: Callable[[], None]) -> None:
        kill()

    run = stacks(tmp_path, "sleep 60").up("region0", "try", kill_at_once)
    assert run.was_killed
    assert left_of(run.log) == []


def test_a_run_that_ends_has_its_events_and_reports_them(tmp_path: Path) -> None:
    said: list[str] = []
    run = stacks(tmp_path, "true", said.append).up("region0", "try")
    for process in left_of(run.log):
        process.kill()
    assert run.exit_status == 0
    assert [event.text for event in run.events] == ["F2: waiting", "F2: done"]
    assert said == ["  region0: F2: waiting", "  region0: F2: done"]


def test_events_of_an_earlier_run_are_no_news(tmp_path: Path) -> None:
    """Stacks of another environment number their logs from one again."""
    for _ in range(2):
        run = stacks(tmp_path, "true").up("region0", "try")
        for process in left_of(run.log):
            process.kill()
        assert [event.text for event in run.events] == ["F2: waiting", "F2: done"]
