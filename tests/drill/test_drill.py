"""The whole drill, to the failback, once: an operator's walk at a terminal with `dualregion`, judged by the drill's
own report and by what it leaves behind.
"""

import os
import signal
from pathlib import Path

import pytest

from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.procedure.model import Part, Until
from drill.settings import CHECKOUT
from tests.drill.runs import PATHS, drill, everything_left, finish, report
from tools.screens import own_names, publish

pytestmark = [pytest.mark.drill]


@pytest.fixture(scope="module")
def finished() -> tuple[int, str]:
    process = drill("--until", "restored", "--lost", "1")
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
    assert steps["failover"] == [("region0", step) for step in CAMUNDA_8_5.failover]
    pending = [each for part in Part for each in CAMUNDA_8_5.proved(Until.FAILBACK_PENDING, part)]
    assert len(steps["failback-pending"]) == len(pending)
    told = {each for name in phases if not name.startswith("normal") for each in steps[name]}
    assert told == {
        (stack, step)
        for stack, part in (("region0", Part.SURVIVOR), ("region1", Part.RECREATED))
        for step in CAMUNDA_8_5.whole(part)
    }
    assert sorted(steps["normal again"]) == [("region0", "N"), ("region1", "N")]
    # The loss takes the quorum: a drill without an outage has not measured one.
    assert document["outageSeconds"] > 0
    assert document["unavailableSeconds"] > 0
    assert document["exportGapSeconds"] is not None
    assert document["peakMemoryGiB"] < 9
    assert (PATHS.folder / "report.md").read_text().startswith("# Drill: passed")


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


def test_it_was_a_walk_at_a_terminal(finished: tuple[int, str]) -> None:
    document = report()
    assert document["byCommand"]
    assert document["ctrlC"]["step"] == CAMUNDA_8_5.stopped_in
    assert document["ctrlC"]["againSeconds"] > document["ctrlC"]["endedSeconds"] > 0
    assert list(document["statusSeconds"]) == [
        "in phase normal",
        "with one region lost",
        "with the exporters paused",
        "after the failback",
    ]
    held = {check["name"].partition(": ")[2] for check in document["checks"]}
    for said in (
        "`dualregion failback` is refused",
        "`dualregion failover --lost 1` is refused",
        "`dualregion failover --lost 0` is refused",
        "`dualregion plan failover` shows every step",
        "Ctrl-C in the midst of F2 stops",
        "The same `dualregion failover`, run again, goes on",
        "`dualregion failover` asks before",
        "`dualregion failback --until B4` asks before",
        "The hooks were told every point of incident 1-region1-lost",
        "`dualregion history` shows every step",
        "`dualregion report` writes a page",
    ):
        assert any(name.startswith(said) for name in held), said


def test_what_the_documents_show_is_kept(finished: tuple[int, str], tmp_path: Path) -> None:
    kept = {path.name for path in publish(PATHS, tmp_path, own_names(PATHS))}
    shown = {path.name for path in (CHECKOUT / "docs" / "screens").iterdir()}
    assert kept == shown


def test_nothing_is_left(finished: tuple[int, str]) -> None:
    assert everything_left() == []


def test_the_users_stack_files_are_untouched(finished: tuple[int, str]) -> None:
    ours = {path.name for path in PATHS.project.glob("Pulumi.region*.yaml")}
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
