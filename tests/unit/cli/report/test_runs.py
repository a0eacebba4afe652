"""Which runs belong to an incident, and what the stack history tells of them."""

from dataclasses import replace

import pytest

from cli.report.record import IncidentRecord
from cli.report.runs import Run, answers_of, runs_of
from cli.stacks.run_message import Answer, RunMessage
from tests.inputs.incidents import (
    BEGUN,
    DELETED,
    FAILOVER,
    RECORD,
    RUNS,
    account,
    at,
    entry,
    run,
    typed,
)


def starts(runs: tuple[Run, ...]) -> list[float]:
    return [(each.update.start - at(0)).total_seconds() / 60 for each in runs]


def test_an_incident_has_the_runs_of_its_phases_failed_ones_too_and_those_that_close_it() -> None:
    found = runs_of(RECORD, (RECORD,), RUNS)
    assert starts(found) == [0.5, 2, 6.3, 2003, 2007, 2020]
    assert [each.has_failed for each in found] == [True, False, False, False, False, False]
    assert found[4].operator == ""
    assert found[4].command == "pulumi up"


def test_each_run_belongs_to_one_incident() -> None:
    again = IncidentRecord("2-region1-lost", (entry("F1", 3000, 3001),))
    other = IncidentRecord("3-region0-lost", (entry("F1", 4000, 4001, region=1),))
    later = run(3000, 3001, "failover", typed("failover --lost 1"))
    last = run(4002, 4003, "failover", typed("failover --lost 0"), lost=0)
    runs = {"region0": (later, last, *RUNS["region0"]), "region1": RUNS["region1"]}
    known = (RECORD, again, other)
    assert len(runs_of(RECORD, known, runs)) == 6
    assert starts(runs_of(again, known, runs)) == [3000]
    assert starts(runs_of(other, known, runs)) == [4002]


def test_a_run_after_an_incident_that_is_over_is_none_of_it() -> None:
    later = {"region0": (run(9000, 9001, "failover", result="failed"),)}
    assert runs_of(RECORD, (RECORD,), later) == ()
    still_open = IncidentRecord("1-region1-lost", FAILOVER)
    assert starts(runs_of(still_open, (still_open,), later)) == [9000]


def test_answers_are_told_once_in_their_order() -> None:
    assert answers_of(account().runs) == (BEGUN, DELETED)


@pytest.mark.parametrize(
    "message",
    [
        RunMessage("failback", "ada@desk"),
        RunMessage("failover --lost 1", "Ada Lovelace", "a: b", "INC-1", (BEGUN, DELETED)),
        RunMessage("failover --lost paris", "ada@desk", ticket="INC-1"),
    ],
)
def test_what_is_written_is_read_again(message: RunMessage) -> None:
    assert RunMessage.parse(str(message)) == message
    assert str(message).splitlines()[0] == message.title


def test_a_note_of_several_lines_cannot_pass_for_an_answer() -> None:
    message = RunMessage("failback", "ada", f"x\nAnswer: {BEGUN}", "T\nTicket: U")
    found = RunMessage.parse(str(message))
    assert found is not None
    assert (found.answers, found.ticket) == ((), "T Ticket: U")


@pytest.mark.parametrize("text", ["", "fix a typo", "dualregion is fine"])
def test_what_the_command_did_not_write_is_none(text: str) -> None:
    assert RunMessage.parse(text) is None


@pytest.mark.parametrize("text", ["", "x maybe at 2026-01-01T00:00:00", "x yes at three"])
def test_what_is_no_answer_is_none(text: str) -> None:
    assert Answer.parse(text) is None


def test_a_run_that_is_not_over_has_no_length() -> None:
    found = Run("region0", replace(run(0, None, "failover"), result="in-progress"))
    assert (found.seconds, found.has_failed) == (None, True)
