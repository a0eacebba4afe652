"""The whole drill, to the failback, once, judged by its own report and by what it leaves behind.

Every `pulumi up` of it is killed at every point and said again: whatever the procedure proves, it proves so.
"""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from drill.failback import ALL_STEPS, PENDING_STEPS
from drill.failover import STEPS as FAILOVER_STEPS
from drill.ownership import OwnProcesses, leftovers
from drill.settings import CHECKOUT, Places
from sandbox.regions.model import sandbox_id

pytestmark = [pytest.mark.drill]

PLACES = Places()


def drill(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "drill", *options],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Pass the drill's lines on as they come, so that a long test shows where it is."""
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    process.wait()
    return "".join(lines)


def report() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PLACES.folder / "report.json").read_text())
    return document


def everything_left() -> list[str]:
    id_ = sandbox_id(PLACES.sandbox)
    processes = [str(each) for each in OwnProcesses(str(PLACES.folder), id_).find()]
    return processes + leftovers(PLACES.sandbox, id_)


@pytest.fixture(scope="module")
def finished() -> tuple[int, str]:
    process = drill("--until", "restored", "--lost", "1", "--interrupt")
    output = finish(process)
    return process.returncode, output


def test_every_check_holds(finished: tuple[int, str]) -> None:
    status, output = finished
    document = report()
    assert [check for check in document["checks"] if not check["ok"]] == []
    assert document["result"] == "passed"
    assert status == 0, output[-3000:]


def test_the_report_tells_the_whole_procedure(finished: tuple[int, str]) -> None:
    document = report()
    phases = {phase["name"]: phase for phase in document["phases"]}
    assert list(phases) == ["normal", "failover", "failback-pending", "restored", "normal again"]
    steps = {
        name: [(step["stack"], step["id"]) for step in phase["steps"]]
        for name, phase in phases.items()
    }
    assert steps["failover"] == [("region0", step) for step in FAILOVER_STEPS]
    pending = PENDING_STEPS["survivor"] + PENDING_STEPS["recreated"]
    assert len(steps["failback-pending"]) == len(pending)
    told = {each for name in phases if not name.startswith("normal") for each in steps[name]}
    assert told == {
        (stack, step)
        for stack, part in (("region0", "survivor"), ("region1", "recreated"))
        for step in ALL_STEPS[part]
    }
    assert sorted(steps["normal again"]) == [("region0", "N"), ("region1", "N")]
    # The loss takes the quorum: a drill without an outage has not measured one.
    assert document["outageSeconds"] > 0
    assert document["unavailableSeconds"] > 0
    assert document["exportGapSeconds"] is not None
    assert document["peakMemoryGiB"] < 9
    assert (PLACES.folder / "report.md").read_text().startswith("# Drill: passed")


def test_every_gate_and_release_was_interrupted_in_its_work_and_just_after(
    finished: tuple[int, str],
) -> None:
    document = report()
    killed = {(each["stack"], each["point"]) for each in document["interruptions"]}
    passed = {(each["stack"], each["point"]) for each in document["notReachable"]}
    for stack, part in (("region0", "survivor"), ("region1", "recreated")):
        for step in ALL_STEPS[part]:
            points = {(stack, f"{when} gate {step}") for when in ("in the work of", "just after")}
            assert points <= killed | passed, step
            assert points & killed, step
    releases = [
        (each["phase"], each["stack"])
        for each in document["interruptions"]
        if each["point"].startswith("in the work of the") and "release" in each["point"]
    ]
    assert set(releases) == {
        ("failover", "region0"),
        ("failback-pending", "region0"),
        ("failback-pending", "region1"),
        ("restored", "region0"),
        ("restored", "region1"),
    }
    # Nothing is killed where there is nothing to go on with.
    assert not any(each["phase"] == "normal" for each in document["interruptions"])


def test_nothing_is_lost_through_failover_and_failback(finished: tuple[int, str]) -> None:
    document = report()
    load, records = document["load"], document["records"]
    assert load["acknowledged"] > load["acknowledgedAfterLoss"] > 0
    assert load["inRegion0"] == load["inRegion1"] == load["acknowledged"]
    assert load["lost"] == 0
    # Each instance is exported as several records.
    assert records["total"] > load["acknowledged"]
    assert records["missingInRegion0"] == records["missingInRegion1"] == 0


def test_the_report_tells_what_the_failback_cost(finished: tuple[int, str]) -> None:
    document = report()
    assert document["incidents"][0]["lostRegion"] == document["lostRegion"] == 1
    # Paused exporters and closed applications are part of the failback: none measured is a broken measure.
    assert 0 < document["pausedSeconds"] < document["failbackSeconds"]
    assert 0 < document["webAppsDownSeconds"] < document["failbackSeconds"]
    assert document["failbackUnavailableSeconds"] is not None
    assert len(document["failbackUnavailableSecondsByPartition"]) == document["clusterSize"]
    assert 0 < document["ownWaitingShare"] < 1
    assert document["seconds"] > document["failbackSeconds"]


def test_nothing_is_left(finished: tuple[int, str]) -> None:
    assert everything_left() == []


def test_the_users_stack_files_are_untouched(finished: tuple[int, str]) -> None:
    ours = {path.name for path in PLACES.project.glob("Pulumi.region*.yaml")}
    assert ours == {"Pulumi.region0.yaml", "Pulumi.region1.yaml"}
    for name in ours:
        assert "encryptionsalt" not in (CHECKOUT / name).read_text()


def test_an_interrupted_drill_reports_and_leaves_nothing(finished: tuple[int, str]) -> None:
    process = drill("--until", "normal")
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if "Phase normal: pulumi up" in line:
            os.kill(process.pid, signal.SIGTERM)
            break
    output = finish(process)
    assert process.returncode == 130, output[-3000:]
    assert report()["result"] == "failed"
    assert report()["reason"] == "interrupted by SIGTERM"
    assert everything_left() == []
