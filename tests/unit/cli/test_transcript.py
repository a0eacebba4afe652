"""The transcript: every run of every command, a JSON document a line, without secrets, and never in the way."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from cli import transcript
from cli.__main__ import app
from cli.commands import preflight
from cli.commands.status import answering as command
from cli.driver import noted
from cli.driver.confirm import Consent, Question
from cli.driver.events import Change, Line
from cli.driver.operations import PulumiOperations
from cli.errors import Stopped
from cli.stacks.project import Project
from cli.stacks.region_steps import RegionStep
from cli.stacks.run_message import RunMessage
from cli.status.health import judge
from cli.transcript import KEYS, Event
from dualregion.errors import ConfigError
from dualregion.procedure import F1, F2
from messages.command import driving as messages
from tests.checkout import CHECKOUT
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.raising import raises
from tests.unit.cli.commands.test_preflight import context

SECRET = "hunter2-XyZ"
DOCUMENT = CHECKOUT / "docs" / "reference" / "transcript.md"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs.jsonl"
    transcript.end(0)


def lines(file: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in file.read_text().splitlines()]
    for each in found:
        assert tuple(each)[: len(KEYS)] == KEYS
        assert Event(each["event"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", each["time"])
    return found


def events(file: Path, *wanted: Event) -> list[dict[str, Any]]:
    return [each for each in lines(file) if each["event"] in wanted]


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_has_a_beginning_an_error_with_its_code_and_facts_and_an_end(file: Path) -> None:
    done = ran("--log-file", str(file), "explain", "nosurvivor")
    begin, error, end = lines(file)
    assert begin["arguments"] == ["--log-file", str(file), "explain", "nosurvivor"]
    assert begin["who"]
    assert (error["code"], error["facts"]["name"]) == ("nothing-to-explain", "nosurvivor")
    assert error["sentence"] in done.stderr.replace("\n", " ")
    assert (end["event"], end["exitStatus"]) == ("end", done.returncode) == ("end", 1)
    assert {each["run"] for each in (begin, error, end)} == {begin["run"]}
    assert {each["command"] for each in (begin, error, end)} == {"explain"}


def test_runs_are_added_and_the_environment_names_the_file_too(file: Path) -> None:
    ran("explain", "F2", DUALREGION_LOG_FILE=str(file))
    ran("explain", "F2", "--wrong", DUALREGION_LOG_FILE=str(file))
    ends = events(file, Event.END)
    assert [each["exitStatus"] for each in ends] == [0, 2]
    assert len({each["run"] for each in ends}) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["explain", "F2"]).exit_code == 0
    transcript.note(Event.LINE, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    done = ran("--log-file", str(tmp_path / "nowhere" / "x"), "explain", "F2")
    assert done.returncode == 2
    assert "transcript-not-written" in done.stderr
    assert done.stdout == ""


def test_a_disk_that_fills_stops_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript.begin(file, "failover", ["failover"])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    transcript.note(Event.LINE, "one")
    transcript.note(Event.LINE, "two")
    assert capsys.readouterr().err.count("[transcript-broken]") == 1


def test_no_secret_gets_into_it(file: Path) -> None:
    transcript.begin(file, "failover", ["--message", f"password={SECRET}"])
    text = f"Bearer {SECRET}-0123456789"
    transcript.note(Event.LINE, f"https://ada:{SECRET}@host", name=text, more={"a": [text]})
    transcript.note(Event.ERROR, messages.stack_problem(f"token={SECRET}"))
    assert len(lines(file)) == 3
    assert SECRET not in file.read_text()


def test_a_status_tells_health_findings_and_what_is_next(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED"))
    monkeypatch.setattr(command, "look", lambda *_, **__: status)
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    CliRunner().invoke(app, ["--log-file", str(file), "status"])
    (health,) = events(file, Event.HEALTH)
    assert (health["health"], health["incident"]) == ("mid-procedure", "1-region1-lost")
    found = events(file, Event.FINDING)
    assert [each["code"] for each in found] == world.codes(status)
    (following,) = events(file, Event.NEXT)
    assert (following["turn"], following["type"]) == ("region0", "dualregion failback")


def test_a_preflight_tells_every_check(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    monkeypatch.setattr(preflight, "_context", lambda *_: context())
    monkeypatch.setattr(preflight, "of_region", lambda *_, **__: iter(()))
    CliRunner().invoke(app, ["--log-file", str(file), "preflight"])
    isolation = [each for each in events(file, Event.CHECK) if each["code"] == "check-isolation"]
    assert [each["facts"] for each in isolation] == [{"region": "london"}, {"region": "paris"}]
    assert {each["foundCode"] for each in isolation} == {"pod-cidrs-missing"}
    assert {each["outcome"] for each in isolation} == {"failed"}


def operations(folder: Path, *consents: Consent) -> PulumiOperations:
    pulumi_command.make_project(folder)
    console = Console(file=open(os.devnull, "w"))  # noqa: SIM115
    project, names = Project(folder), ("region0", "region1")
    return PulumiOperations(
        project, names, console, frozenset(consents), RunMessage("failover", "ada")
    )


def test_questions_answers_and_lines_of_a_drive(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_command.install(tmp_path, monkeypatch)
    transcript.begin(file, "failover", [])
    driven = operations(tmp_path, Consent.YES)
    begin = messages.ask_to_begin_failback("failback-pending", 1, "paris", "london")
    assert driven.ask(Question(begin))
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert not driven.ask(Question(messages.ask_to_unlock("region0", ()), Consent.UNLOCK))
    driven.show(messages.reached_until("F3"))
    asked = events(file, Event.QUESTION)
    assert [each["code"] for each in asked] == ["ask-to-begin-failback", "ask-to-unlock"]
    assert [each["option"] for each in asked] == ["--yes", "--yes-unlock"]
    answers = events(file, Event.ANSWER)
    assert [(each["yes"], each["by"]) for each in answers] == [(True, "--yes"), (False, "terminal")]
    assert events(file, Event.LINE)[-1]["code"] == "reached-until"


def test_an_up_tells_its_steps_progress_changes_and_end(file: Path) -> None:
    transcript.begin(file, "failover", [])
    shown: list[Any] = []
    with noted.up("region0", (RegionStep(0, F1), RegionStep(0, F2))):
        noted.lines("region0", shown.append)(Line("F1", "waiting until it is so"))
        noted.lines("region0", shown.append)(Line("", "it failed [up-failed]", "error"))
        noted.changes("region0", shown.append)(Change("create", "Release", "failover"))
    with raises("aborted", Stopped), noted.up("region1", ()):
        raise Stopped(messages.aborted())
    began, first, second, changed, ended, _, stopped = lines(file)[1:]
    assert (began["stack"], began["steps"]) == ("region0", ["F1", "F2"])
    assert (first["step"], first["sentence"]) == ("F1", "waiting until it is so")
    assert (second["code"], second["severity"]) == ("up-failed", "error")
    assert (changed["operation"], changed["kind"], changed["name"]) == (
        *("create", "Release", "failover"),
    )
    assert (ended["result"], stopped["result"]) == ("succeeded", "stopped")
    assert len(shown) == 3


def test_each_problem_of_a_configuration_is_a_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = [messages.two_stacks_needed("x"), messages.stacks_of_one_region(("a", "b"), 1)]

    def fails(*_: Any, **__: Any) -> None:
        raise ConfigError(problems)

    monkeypatch.setattr(command, "look", fails)
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    CliRunner().invoke(app, ["--log-file", str(file), "status"])
    codes = [each["code"] for each in events(file, Event.ERROR)]
    assert codes == ["two-stacks-needed", "stacks-of-one-region"]


def test_the_document_has_every_key_and_event() -> None:
    text = DOCUMENT.read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", text, re.MULTILINE))
    assert set(rows) == {*KEYS, *Event}
    assert {each: rows[each] for each in Event} == {each: each.meaning for each in Event}


def test_every_command_has_it() -> None:
    (option,) = (each for each in get_command(app).params if "--log-file" in each.opts)
    assert option.envvar == "DUALREGION_LOG_FILE"
