"""The walk at a terminal: what is typed, measured and judged, with a small command in place of `dualregion`."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from drill.operators.stacks import Stacks
from drill.progress import Progress
from drill.regions import REGIONS
from drill.report.findings import Episode, Findings
from drill.report.screens import Screens
from drill.scenario import walk
from drill.settings import DrillSettings, Incident, Places, Until
from drill.testbed.command import Command
from drill.testbed.rig import Rig
from drill.together import together

INCIDENT = Incident(1, REGIONS[1])

SCRIPT = """#!{python}
import os, sys, time

what, options = sys.argv[1], sys.argv[2:]

def ask(text):
    print("Installations")
    if input(f"{{text}} [y/N]: ") != "yes":
        sys.exit(1)

if what == "failover" and options == ["--lost", "0"]:
    sys.exit("error: region 1 is the lost one of the incident that is under way")
elif what == "failover":
    if not os.path.exists("Pulumi.set"):
        ask("set phase failover on both stacks, and begin?")
        open("Pulumi.set", "w").close()
    again = os.path.exists("stopped")
    try:
        for second in range(3 if again else 600):
            print(f"\\r\\x1b[2Kat work  F2    {{second}}   brokers", end="", flush=True)
            time.sleep(0.1)
    except KeyboardInterrupt:
        open("stopped", "w").close()
        print("\\nstopping: Pulumi saves what is done; give it a few seconds")
        print("stopped; Pulumi has saved what is done on stack region0, and the same command goes on")
        print("stack region0: phase failover, proved: F1")
        print("next, region0: F2: quorum")
        print("    dualregion failover --lost 1")
        print("    or: pulumi up --stack region0")
        sys.exit(130)
elif what == "failback" and options == ["--until", "B4"]:
    ask("set phase failback-pending on both stacks, and begin?")
    ask("stop Operate and Tasklist, pause all exporters, and restore a snapshot into the search engine?")
elif what == "plan":
    print(" 1. F1 on stack region0 (london): isolated")
elif what == "failback" and not os.path.exists("Pulumi.set"):
    sys.exit("error: a failback follows on a failover")
"""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """What the walk uses of a rig."""
    places = Places(tmp_path)
    places.project.mkdir(parents=True)
    executable = tmp_path / "dualregion"
    executable.write_text(SCRIPT.format(python=sys.executable))
    executable.chmod(0o755)
    progress = Progress(Console(quiet=True), tmp_path / "drill.log")
    stacks = Stacks(
        Path("pulumi"), places.project, {"PATH": "/usr/bin:/bin"}, tmp_path, progress.say
    )
    found = Findings()
    command = Command(stacks, executable, progress.say, found.answers, Screens(places.screens))
    settings = DrillSettings(until=Until.FAILOVER)
    made = SimpleNamespace(
        settings=settings,
        places=places,
        progress=progress,
        found=found,
        command=command,
        together=together,
    )
    return cast(Rig, made)


def outcomes(rig: Rig) -> dict[str, bool]:
    return {check.name.partition("`")[2]: check.ok for check in rig.found.checks}


def test_the_failover_is_stopped_once_and_goes_on(rig: Rig) -> None:
    episode = Episode(1)
    rig.found.episodes.append(episode)
    walk.fail_over(rig, INCIDENT, episode, "failover")
    assert [check for check in rig.found.checks if not check.ok] == []
    assert len(rig.found.checks) == 3
    assert episode.ctrl_c is not None
    assert episode.ctrl_c.step == "F2"
    assert episode.ctrl_c.again_seconds is not None
    assert episode.ctrl_c.again_seconds > episode.ctrl_c.ended_seconds > 0
    walk.check_hooks(rig, INCIDENT, "hooks")
    assert not rig.found.checks[-1].ok


def test_a_later_incident_is_not_stopped(rig: Rig) -> None:
    episode = Episode(1)
    (rig.places.project / "stopped").touch()
    walk.fail_over(rig, Incident(2, REGIONS[1]), episode, "failover")
    assert episode.ctrl_c is None
    assert list(outcomes(rig).values()) == [True]


def test_wrong_moves_are_judged(rig: Rig) -> None:
    walk.refuse_other_region(rig, INCIDENT, "failover")
    assert all(outcomes(rig).values())
    walk.refuse_early_failover(rig, INCIDENT)
    failed = [check for check in rig.found.checks if not check.ok]
    # This command would fail over a healthy region.
    assert len(failed) == 1
    assert "`dualregion failover --lost 1` is refused" in failed[0].name


def test_a_failback_must_ask_what_its_part_has_to(rig: Rig) -> None:
    walk.go_to(rig, INCIDENT, "failback-pending", "failback-pending")
    assert list(outcomes(rig).values()) == [True]
    assert (rig.places.screens / "failback-pending-question.svg").exists()
    (rig.places.project / "Pulumi.set").touch()
    walk.go_to(rig, INCIDENT, "restored", "restored")
    assert not rig.found.checks[-1].ok
    assert "did not ask about" in rig.found.checks[-1].detail


def test_a_plan_is_kept_and_judged(rig: Rig) -> None:
    walk.plan_failover(rig, INCIDENT, ("F1",), "failover")
    assert list(outcomes(rig).values()) == [True, True]
    assert any("`dualregion failback` is refused" in each.name for each in rig.found.checks)
    walk.plan_failback(rig, ("B1",), "failback-pending")
    assert [check.ok for check in rig.found.checks] == [True, True, False]
    assert (rig.places.screens / "plan-failover.svg").exists()
