"""What users and scripts see of the command: exit statuses, JSON, plain output, errors."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from rich.console import Console
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands.status import answering as command
from cli.stacks.locks import Lock
from cli.stacks.read import Update
from cli.stacks.run_message import RunMessage
from cli.status.health import Status, judge
from cli.status.observed.results import Result
from cli.status.shown.document import document
from cli.status.shown.table import ago, screen
from dualregion.errors import ConfigError
from messages import Message
from messages.command import driving as messages
from messages.command.status import not_in_time, not_ready
from tests.checkout import CHECKOUT
from tests.fakes import command as world
from tools import status_schema

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PUBLISHED = Draft202012Validator(json.loads(status_schema.DOCUMENT.read_text()))


def shows(monkeypatch: pytest.MonkeyPatch, status: Status) -> None:
    monkeypatch.setattr(command, "look", lambda *_, **__: status)
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "140"})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("status", "exit_status"),
    [
        (judge(world.normal(), world.whole()), 0),
        (judge(world.failing_over([]), world.taken_over()), 10),
        (judge(world.normal(), (world.whole()[0], world.unreachable(1))), 11),
        (judge(world.failing_back(["B0"], []), world.returned("PAUSED")), 12),
        (judge(world.normal(), (world.unreachable(0), world.unreachable(1))), 13),
    ],
)
def test_the_exit_status_is_that_of_the_health(
    monkeypatch: pytest.MonkeyPatch, status: Status, exit_status: int
) -> None:
    shows(monkeypatch, status)
    assert run("status")[0] == exit_status
    assert run("status", "--json")[0] == exit_status


def test_the_screen_shows_what_an_operator_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    status = judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED"))
    shows(monkeypatch, status)
    shown = run("status")[1]
    assert status.next is not None
    found = world.finding(status, "steps-ahead").message
    for text in (
        "MID-PROCEDURE  phase failback-pending, region 1 (paris) lost, incident 1",
        f"\n- {found}\n",
        f"next, region0: {status.next.what}",
        "\n    dualregion failback\n    or: pulumi up --stack region0\n",
        "camunda-london-failover",
        "(1) 3",
        "PAUSED",
    ):
        assert text in shown
    assert "\x1b" not in shown


USUAL = {
    "both up": judge(world.normal(), world.whole()),
    "one silent": judge(world.normal(), (world.refusing(0), world.unreachable(1))),
    "both silent": judge(world.normal(), (world.unreachable(0), world.unreachable(1))),
    "a backup": judge(world.normal(), world.paused("SOFT_PAUSED")),
    "failing over": judge(world.failing_over(["F0"]), (world.refusing(0), world.unreachable(1))),
    "failed over": judge(
        world.failing_over(["F0", "F1", "F2", "F3"], "failover"), world.taken_over()
    ),
    "exporters paused": judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED")),
    "a web app down": judge(
        world.normal(),
        (world.region(0, normal=world.installation(0, ready=0)), world.whole()[1]),
    ),
}


def at_terminal(status: Status, *, full: bool = False, columns: int = 80) -> list[str]:
    """Return the lines of a status in a window of 24 rows."""
    written = io.StringIO()
    Console(file=written, force_terminal=True, width=columns, height=24, color_system=None).print(
        screen(_updated(status), NOW, full=full), crop=False
    )
    return [line.rstrip() for line in written.getvalue().splitlines()]


def _updated(status: Status) -> Status:
    """Return a status whose stacks were updated by the command a while ago."""
    said = RunMessage("failback", "ada")
    last = Update("update", "succeeded", said.title, NOW - timedelta(hours=2), said=said)
    first, second = (replace(each, last=last) for each in status.stacks)
    return replace(status, stacks=(first, second))


@pytest.mark.parametrize("state", USUAL)
def test_the_usual_states_fit_a_small_window(state: str) -> None:
    """What counts stands first, what is next last, and the prompt below it."""
    status = USUAL[state]
    lines = at_terminal(status)
    rows = sum(max(1, -(-len(line) // 80)) for line in lines)
    assert rows <= 23, "\n".join(lines)
    assert lines[0].startswith(str(status.health).upper())
    assert [line.split("  ")[0] for line in lines[1:4]] == ["commands", "exporting", "web apps"]
    assert str(status.findings[0].message)[:60] in lines[4] if status.findings else True
    if status.next is not None:
        assert lines[-1].strip() == list(status.next.lines())[-1][1]


def test_a_window_that_is_too_small_leaves_tables_out_and_tells_how_to_see_them() -> None:
    status = USUAL["one silent"]
    assert any(line.startswith("more: ") for line in at_terminal(status))
    whole = at_terminal(status, full=True)
    assert not any(line.startswith("more: ") for line in whole)
    assert any(line.startswith("Brokers and partitions") for line in whole)


def test_what_is_to_be_typed_is_never_broken() -> None:
    status = USUAL["a backup"]
    assert status.next is not None
    assert f"    {status.next.command}" in at_terminal(status, columns=40)


def test_nothing_is_wrapped_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    status = judge(world.normal(), (world.refusing(0), world.unreachable(1)))
    shows(monkeypatch, status)
    printed = CliRunner().invoke(app, ["status"], env={"COLUMNS": "40"}).stdout.splitlines()
    assert {f"- {each.message}" for each in status.findings} <= set(printed)


def test_the_short_form_is_the_verdict_and_what_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, USUAL["failing over"])
    lines = run("status", "--short")[1].splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("DEGRADED  phase failover")
    assert lines[4].startswith("next, region0: ")
    assert run("status", "--short", "--full")[0] == 2


def test_what_a_stack_waited_for_before_a_failed_update_is_not_shown() -> None:
    waits = world.stack(0, outputs={"waitingFor": "run `pulumi up` on stack region1"})
    for result, shown in (("succeeded", True), ("failed", False)):
        stack = replace(waits, last=Update("update", result, "", NOW))
        assert (stack.waiting_for is not None) is shown


def test_a_commit_title_is_no_message_of_an_update() -> None:
    """Pulumi takes that of the folder's last commit if no message is given."""
    assert Update("update", "succeeded", "Fix a typo", NOW).by_command == ""
    said = RunMessage("failover --lost 1", "ada")
    assert Update("update", "succeeded", said.title, NOW, said=said).by_command == said.title


PROBLEMS = (messages.two_stacks_needed("x"), messages.stacks_of_one_region(("a", "b"), 1))


@pytest.mark.parametrize(
    ("problems", "shown"),
    [
        (PROBLEMS[:1], f"error: {PROBLEMS[0]} [two-stacks-needed]\n"),
        pytest.param(
            PROBLEMS,
            f"error: several problems:\n- {PROBLEMS[0]} [two-stacks-needed]\n"
            f"- {PROBLEMS[1]} [stacks-of-one-region]\n",
            marks=pytest.mark.golden,
        ),
    ],
)
def test_an_error_ends_with_its_code_and_has_an_exit_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, problems: Sequence[Message], shown: str
) -> None:
    def refuse(*_: object, **__: object) -> Status:
        raise ConfigError(problems)

    shows(monkeypatch, judge(world.normal(), world.whole()))
    monkeypatch.setattr(command, "look", refuse)
    assert run("status") == (13, shown)


def test_the_json_document_holds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED")))
    found = json.loads(run("status", "--json")[1])
    assert found["health"] == "mid-procedure"
    assert found["next"] == {
        "who": "region0",
        "code": "step-next",
        "what": found["next"]["what"],
        "command": "pulumi up --stack region0",
        "dualregion": "dualregion failback",
        "answers": [],
    }
    assert [each["step"] for each in found["ahead"]] == ["B2", "B3", "B4", "B4"]
    assert found["stacks"][1]["progress"] == ["B1"]
    assert found["regions"][1]["installations"]["normal"]["brokers"][0] == {
        "id": 1,
        "pod": "camunda-zeebe-0",
        "ready": False,
        "silence": not_ready(),
        "code": "not-ready",
    }
    assert {each["code"] for each in found["findings"]} >= {"exporters-paused", "steps-ahead"}
    assert found["partitions"][0]["exporters"] == ["PAUSED"]


def test_every_key_of_the_json_document_is_in_the_documents() -> None:
    text = (CHECKOUT / "docs" / "reference" / "status.md").read_text()
    found = document(judge(world.normal(), world.whole()))
    assert {key for key in found if f"`{key}`" not in text} == set()


def test_the_published_schema_is_made_of_the_form() -> None:
    assert status_schema.DOCUMENT.read_text() == status_schema.schema(), (
        "run `python -m tools.status_schema`; a key that is gone or changed needs another schemaVersion"
    )


def _states() -> Iterator[Status]:
    update = Update("update", "failed", "", NOW, NOW)
    lock = Lock("ada", "desk", 7, NOW)
    first, second = (replace(each, last=update, locks=(lock,)) for each in world.normal())
    silent = world.region(1, normal=Result(error=not_in_time()), failover=Result(None))
    waiting = world.stack(1, outputs={"waiting": {"code": "reachable", "turn": None, "region": 1}})
    yield judge((first, second), world.whole())
    yield judge((first, waiting), (world.whole()[0], silent))
    yield judge(world.failing_over([]), world.taken_over())
    yield judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED"))
    yield judge(world.normal(), (world.unreachable(0), world.unreachable(1)))
    yield judge(world.normal(), (world.refusing(0), world.unreachable(1)))


@pytest.mark.parametrize("status", list(_states()))
def test_what_is_printed_is_of_the_published_form(
    monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    shows(monkeypatch, status)
    printed = run("status", "--json")[1]
    status_schema.FORM.validate_json(printed)
    PUBLISHED.validate(json.loads(printed))


def test_a_document_with_another_key_or_without_one_is_not_of_the_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shows(monkeypatch, judge(world.normal(), world.whole()))
    printed = json.loads(run("status", "--json")[1])
    for wrong in ({**printed, "more": 1}, {**printed, "health": "well"}, {"schemaVersion": 1}):
        with pytest.raises(ValidationError):
            status_schema.FORM.validate_python(wrong)
    # A later version may add keys.
    assert PUBLISHED.is_valid({**printed, "more": 1})
    assert not PUBLISHED.is_valid({**printed, "health": "well"})
    assert not PUBLISHED.is_valid({key: printed[key] for key in printed.keys() - {"service"}})


@pytest.mark.parametrize("verb", [("status",), ("preflight",), ("history",), ("dns",)])
def test_an_error_is_a_document_too(monkeypatch: pytest.MonkeyPatch, verb: tuple[str]) -> None:
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    result = CliRunner().invoke(app, ["--stacks", "region0", *verb, "--json"])
    assert result.exit_code
    status_schema.FORM.validate_json(result.stdout)
    PUBLISHED.validate(json.loads(result.stdout))
    (problem,) = json.loads(result.stdout)["error"]["problems"]
    assert problem["code"] == "two-stacks-needed"
    assert "[two-stacks-needed]" in result.stderr


def test_two_names_of_stacks_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    exit_status, output = run("--stacks", "region0", "status")
    assert exit_status == 13
    assert output.endswith("[two-stacks-needed]\n")


@pytest.mark.parametrize(
    "options", [("--watch", "--json"), ("--interval", "9"), ("--watch", "--interval", "0")]
)
def test_options_that_do_not_fit_each_other_are_refused(options: tuple[str, ...]) -> None:
    assert run("status", *options)[0] == 2


@pytest.mark.parametrize(("options", "seconds"), [((), 5), (("--interval", "60"), 60)])
def test_watching_looks_again_after_an_interval(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], seconds: float
) -> None:
    """A look that fails is shown, and is not the last one."""
    waited: list[float] = []

    def look(*_: object, **__: object) -> Status:
        if not waited:
            raise ConfigError(PROBLEMS[:1])
        return judge(world.normal(), world.whole())

    def sleep(given: float) -> None:
        waited.append(given)
        if len(waited) == 2:
            raise KeyboardInterrupt

    shows(monkeypatch, judge(world.normal(), world.whole()))
    monkeypatch.setattr(command, "look", look)
    monkeypatch.setattr(command, "sleep", sleep)
    exit_status, shown = run("status", "--watch", *options)
    assert (exit_status, waited) == (0, [seconds, seconds])
    assert "HEALTHY" in shown


@pytest.mark.parametrize(
    ("options", "is_asked"),
    [((), True), (("--short",), False), (("--short", "--json"), True), (("--full",), True)],
)
def test_the_last_update_is_asked_for_only_where_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], is_asked: bool
) -> None:
    asked: list[object] = []

    def look(*_: object, with_last: bool, **__: object) -> Status:
        asked.append(with_last)
        return judge(world.normal(), world.whole())

    shows(monkeypatch, judge(world.normal(), world.whole()))
    monkeypatch.setattr(command, "look", look)
    run("status", *options)
    assert asked == [is_asked]


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (90000, "1 d")]
)
def test_ages_are_shown_in_their_largest_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_the_executable_runs_from_anywhere_and_passes_the_exit_status_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(CHECKOUT / "bin" / "dualregion"), "-C", str(tmp_path), "status"],
        cwd=tmp_path,
        # The python first on PATH is the user's, with the requirements.
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 13, done.stderr
    assert done.stderr.endswith("[project-missing]\n")
