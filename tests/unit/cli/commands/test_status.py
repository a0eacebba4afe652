"""What users and scripts see of the command: exit statuses, JSON, plain output, errors."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands import status as command
from cli.status.document import document
from cli.status.health import Status, judge
from cli.status.table import ago
from dualregion.errors import ConfigError
from messages import Message
from messages.command import driving as messages
from messages.command.status import not_ready
from tests.checkout import CHECKOUT
from tests.fakes import command as world


def shows(monkeypatch: pytest.MonkeyPatch, status: Status) -> None:
    monkeypatch.setattr(command, "look", lambda *_: status)
    monkeypatch.setattr("cli.commands.common.Project", lambda folder: folder)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "140"})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("status", "exit_status"),
    [
        (judge(world.normal(), world.whole()), 0),
        (judge(world.failing_over([]), world.taken_over()), 10),
        (judge(world.normal(), (world.whole()[0], world.unreachable(1))), 11),
        (judge(world.normal(), world.returned("PAUSED")), 12),
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
        "MID-PROCEDURE  phase failback-pending, region 1 (paris) lost, incident 1-region1-lost",
        f"\n- {found}\n",
        f"next, region0: {status.next.what}",
        "\n    dualregion failback\n    or: pulumi up --stack region0\n",
        "camunda-london-failover",
        "(1) 3",
        "PAUSED",
    ):
        assert text in shown
    assert "\x1b" not in shown


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
    def refuse(*_: object) -> Status:
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


def test_two_names_of_stacks_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.common.Project", lambda folder: folder)
    exit_status, output = run("--stacks", "region0", "status")
    assert exit_status == 13
    assert output.endswith("[two-stacks-needed]\n")


def test_watching_and_json_exclude_each_other() -> None:
    assert run("status", "--watch", "--json")[0] == 2


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
