"""The whole drill to the failover, once, judged by its own report and by what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from drill.ownership import OwnProcesses, leftovers
from drill.scenario import FAILOVER_STEPS
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
    process = drill("--until", "failover", "--lost", "1")
    output = finish(process)
    return process.returncode, output


def test_every_check_holds(finished: tuple[int, str]) -> None:
    status, output = finished
    document = report()
    assert [check for check in document["checks"] if not check["ok"]] == []
    assert document["result"] == "passed"
    assert status == 0, output[-3000:]


def test_the_report_tells_the_whole_failover(finished: tuple[int, str]) -> None:
    document = report()
    assert [phase["name"] for phase in document["phases"]] == ["normal", "failover"]
    assert [step["id"] for step in document["phases"][1]["steps"]] == list(FAILOVER_STEPS)
    assert document["load"]["acknowledged"] > 0
    assert document["load"]["acknowledgedAfterLoss"] > 0
    assert document["load"]["lost"] == 0
    # The loss takes the quorum: a drill without an outage has not measured one.
    assert document["outageSeconds"] > 0
    assert document["unavailableSeconds"] > 0
    assert document["exportGapSeconds"] is not None
    assert document["peakMemoryGiB"] < 9
    assert (PLACES.folder / "report.md").read_text().startswith("# Drill: passed")


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
