"""What the drill makes of the runbook command's answers, and how it runs it."""

import json
from pathlib import Path

import pytest

from drill.command import Command, plan_shows, report_is_whole, status_says
from drill.errors import DrillError
from drill.stacks import Stacks

PLAN = """phase failover, lostRegion 1, on both stacks; then

 1. F1 on stack region0 (london): isolated
 2. R on stack region1 (paris): nothing is declared
"""
PAGE = "<html><svg></svg>B7</html>"


def answer(health: str, following: object = None) -> str:
    return json.dumps({"health": health, "next": following, "findings": [{"sentence": "why"}]})


def test_a_status_is_judged_by_its_exit_status_and_what_is_next() -> None:
    assert status_says(0, answer("healthy"), "now", 0).ok
    assert status_says(10, answer("mid-procedure", {"who": "region1"}), "now", 10).ok
    without_next = status_says(10, answer("mid-procedure"), "now", 10)
    assert (without_next.ok, without_next.detail) == (False, "it does not say what is next")
    wrong = status_says(12, answer("unsafe"), "now", 0)
    assert (wrong.ok, wrong.detail) == (False, "exit status 12, expected was 0: why")
    assert not status_says(1, "Traceback", "now", 0).ok


def test_a_plan_names_every_step() -> None:
    assert plan_shows(0, PLAN, ("F1", "R"), "failover").ok
    assert plan_shows(0, PLAN, ("F1", "F2", "R"), "failover").detail == "F2 is not in it"
    assert not plan_shows(1, PLAN, ("F1",), "failover").ok


@pytest.mark.parametrize(
    ("exit_status", "page", "problem"),
    [
        (1, PAGE, "exit status 1"),
        (0, "", "there is no <svg"),
        (0, PAGE.replace("B7", "B6"), "there is no B7"),
        (0, PAGE.replace("<svg>", '<svg><img src="https://x">'), "it loads"),
    ],
)
def test_a_page_that_is_not_whole_fails(exit_status: int, page: str, problem: str) -> None:
    assert report_is_whole(0, PAGE).ok
    check = report_is_whole(exit_status, page)
    assert not check.ok
    assert problem in check.detail


SCRIPT = """#!/bin/sh
echo "$@" in "$DUALREGION_PROJECT"
case "$1" in failback) exit 1;; status) echo trouble >&2;; esac
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A command that says what it was called with; a failback fails."""
    executable = tmp_path / "dualregion"
    executable.write_text(SCRIPT)
    executable.chmod(0o755)
    env = {"DUALREGION_PROJECT": "the-copy", "PATH": "/usr/bin:/bin"}
    stacks = Stacks(Path("pulumi"), tmp_path, env, tmp_path, lambda _: None)
    return Command(stacks, executable, lambda _: None)


def test_it_is_run_on_the_copy_without_questions(command: Command) -> None:
    run = command.failover(1)
    assert run.output == "failover --lost 1 --yes --message drill in the-copy\n"
    assert run.log.name == "01-dualregion-failover.log"
    with pytest.raises(DrillError, match="`dualregion failback` ended with exit status 1"):
        command.failback("failback-pending")


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ("failback-pending", "failback --until B4 --yes"),
        ("restored", "failback --until B7 --yes"),
        ("normal", "failback --yes"),
    ],
)
def test_it_goes_as_far_as_the_phase(command: Command, phase: str, said: str) -> None:
    with pytest.raises(DrillError, match=said):
        command.failback(phase)


def test_each_answer_of_the_status_is_timed(command: Command) -> None:
    check = command.status("with one region lost", 10)
    assert not check.ok
    assert list(command.answers) == ["with one region lost"]
    assert "trouble" not in check.detail


def test_rights_are_asked_for_one_region(command: Command) -> None:
    assert command.rights(1) == "rights --region 1 in the-copy\n"
