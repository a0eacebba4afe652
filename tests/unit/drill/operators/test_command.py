"""What the drill makes of the runbook command's answers."""

import json

import pytest

from drill.operators.command_checks import (
    history_tells,
    is_refused,
    is_too_busy,
    plan_shows,
    questions_were_asked,
    report_is_whole,
    status_says,
    status_shows,
    stopped_in_order,
    went_on,
)
from drill.operators.operating import Question

PLAN = """phase failover, lostRegion 1, on both stacks; then

 1. F1 on stack region0 (london): isolated
 2. R on stack region1 (paris): nothing is declared
"""
PAGE = "<html>No service<svg></svg>B7</html>"
SCREEN = (
    "HEALTHY  phase normal\nStacks\nInstallations\nBrokers and partitions\npartition exporters\n"
)
STOPPED = (
    "stopping: Pulumi saves what is done; give it a few seconds stopped; Pulumi has saved what is done on stack "
    "region0, and the same command goes on stack region0: phase failover, proved: F1 next, region0: F2: quorum "
    "dualregion failover --lost 1 or: pulumi up --stack region0"
)
HISTORY = "Incident 1-region1-lost\nF1   london\nB7   paris\nRuns of Pulumi\nF2  nothing\n"


def answer(health: str, following: object = None) -> str:
    return json.dumps({"health": health, "next": following, "findings": [{"sentence": "why"}]})


def test_a_status_is_judged_by_its_exit_status_and_what_is_next() -> None:
    assert status_says(0, answer("healthy"), "now", 0).ok
    following = {"who": "region1", "dualregion": "dualregion failback"}
    assert status_says(10, answer("mid-procedure", following), "now", 10).ok
    without_next = status_says(10, answer("mid-procedure"), "now", 10)
    assert (without_next.ok, without_next.detail) == (False, "it does not say what is next")
    without_command = status_says(10, answer("mid-procedure", {"who": "region1"}), "now", 10)
    assert without_command.detail == "it does not name the command that does what is next"
    wrong = status_says(12, answer("unsafe"), "now", 0)
    assert (wrong.ok, wrong.detail) == (False, "exit status 12, expected was 0: why")
    assert not status_says(1, "Traceback", "now", 0).ok


def test_how_often_a_busy_machine_was_asked_is_told() -> None:
    assert status_says(0, answer("healthy"), "now", 0, 3).detail == (
        "healthy, asked 3 times as the machine was too busy"
    )


@pytest.mark.parametrize(
    ("exit_status", "output", "again"),
    [
        (13, "", True),
        (11, "region paris cannot be seen: no answer in time", True),
        (10, "region paris cannot be seen: no answer in time", False),
        (12, "exporters are paused", False),
        (1, "error", False),
    ],
)
def test_only_what_a_busy_machine_left_unsaid_is_asked_again(
    exit_status: int, output: str, again: bool
) -> None:
    assert is_too_busy(exit_status, output, 10) is again


def test_a_status_at_a_terminal_has_its_tables() -> None:
    assert status_shows(0, SCREEN, "now", 0).ok
    assert status_shows(11, SCREEN, "now", 0).detail.startswith("exit status 11")
    assert "there is no 'Stacks'" in status_shows(0, "HEALTHY  phase normal", "now", 0).detail


def test_a_plan_names_every_step() -> None:
    assert plan_shows(0, PLAN, ("F1", "R"), "failover").ok
    assert plan_shows(0, PLAN, ("F1", "F2", "R"), "failover").detail == "F2 is not in it"
    assert not plan_shows(1, PLAN, ("F1",), "failover").ok


@pytest.mark.parametrize(
    ("exit_status", "text", "changed", "problem"),
    [
        (0, "error: that region is not lost", (), "exit status 0"),
        (1, "Traceback", (), "does not say 'not lost'"),
        (1, "error: not lost", ("Pulumi.region0.yaml",), "Pulumi.region0.yaml was changed"),
    ],
)
def test_a_wrong_move_that_is_not_refused_fails(
    exit_status: int, text: str, changed: tuple[str, ...], problem: str
) -> None:
    assert is_refused(1, "error: paris is not lost", "failover", "not lost", ()).ok
    check = is_refused(exit_status, text, "failover", "not lost", changed)
    assert not check.ok
    assert problem in check.detail


def test_a_question_must_be_asked_below_the_topology() -> None:
    above = "Installations 0 1 and begin? [y/N]:"
    assert questions_were_asked([Question("and begin? [y/N]:", above)], ("begin?",), "x").ok
    assert questions_were_asked([], (), "x").ok
    assert "did not ask" in questions_were_asked([], ("begin?",), "x").detail
    bare = questions_were_asked([Question("and begin? [y/N]:", "and begin?")], ("begin?",), "x")
    assert "no topology above" in bare.detail


@pytest.mark.parametrize(
    ("exit_status", "text", "hit", "problem"),
    [
        (0, STOPPED, True, "exit status 0"),
        (130, STOPPED, False, "F2 was never seen at work"),
        (130, STOPPED.partition(" next,")[0], True, "does not say what is next"),
        (130, STOPPED.partition("dualregion failover")[0], True, "by which command"),
        (130, STOPPED.replace("proved: F1", ""), True, "how far it is"),
    ],
)
def test_a_stop_that_leaves_the_operator_alone_fails(
    exit_status: int, text: str, hit: bool, problem: str
) -> None:
    assert stopped_in_order(130, STOPPED, "F2", "region0", was_hit=True).ok
    check = stopped_in_order(exit_status, text, "F2", "region0", was_hit=hit)
    assert not check.ok
    assert problem in check.detail


def test_going_on_takes_the_step_up_again() -> None:
    assert went_on(0, ("F2", "F3"), "F2").ok
    assert "F2 was not carried out again, but F3" in went_on(0, ("F3",), "F2").detail
    assert not went_on(1, ("F2",), "F2").ok


def test_a_history_has_every_step() -> None:
    assert history_tells(0, HISTORY, "1-region1-lost", ("F1", "B7")).ok
    assert history_tells(0, HISTORY, "1-region1-lost", ("F2",)).detail == "F2 is not in it"
    assert "no incident 2" in history_tells(0, HISTORY, "2-region0-lost", ()).detail
    assert not history_tells(1, HISTORY, "1-region1-lost", ("F1",)).ok


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
