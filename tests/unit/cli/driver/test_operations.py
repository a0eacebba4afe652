"""The driver's real operations: locks, failures, Ctrl-C, questions without a terminal, and what is shown."""

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandResult, ConcurrentUpdateError
from rich.console import Console

from cli.driver import operations
from cli.driver.confirm import Consent, Question, following, to_begin
from cli.driver.events import Change, EventCollector, Line
from cli.driver.live import Running, running
from cli.driver.operations import PulumiOperations
from cli.driver.processes import PROGRAM, programs, stop_program
from cli.errors import PulumiFailed, Stopped
from cli.signature import signature
from cli.stacks.locks import locks_in
from cli.stacks.project import Project
from cli.stacks.region_steps import RegionStep
from cli.stacks.run_message import Answer, RunMessage
from cli.status.health import Status, judge
from dualregion.errors import Refused
from dualregion.procedure import B2, F0, F1, F2, F3, Phase, R
from messages.command import driving as messages
from sandbox.patience import allowed
from steps.preflight import SPARE_LIVING
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.raising import assert_message, raises

REFUSED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete "
    "the lock file with `pulumi cancel`.\n  file:///s/1.json: created by {who} at 2026-01-02T03:04:05Z"
)
STEPS = (RegionStep(0, F1), RegionStep(0, F2))


def locked(who: str) -> ConcurrentUpdateError:
    return ConcurrentUpdateError(CommandResult("", REFUSED.format(who=who), 255))


def dead_process() -> int:
    """Return the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


class Played(PulumiOperations):
    """Operations whose `pulumi up` is played: each answer is an error to raise, or None."""

    answers: list[Callable[[EventCollector], None] | Exception | None]

    def _run(self, stack: str, collector: EventCollector) -> None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            answer(collector)


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    for what in ("cancel --yes", "cancel"):
        pulumi.answers(what, {})
    console = Console(file=io.StringIO(), width=100)
    made = Played(
        Project(tmp_path),
        ("region0", "region1"),
        console,
        frozenset({Consent.YES}),
        RunMessage("failover --lost 1", "ada"),
    )
    object.__setattr__(made, "answers", [None])
    return made


def shown(played: Played) -> str:
    """Return all that was printed, in one line."""
    file = played.console.file
    assert isinstance(file, io.StringIO)
    return " ".join(file.getvalue().split())


def test_a_second_operator_is_refused_with_who_and_since_when(played: Played) -> None:
    played.answers[:] = [locked("ada@elsewhere (pid 7)")]
    lock = "ada@elsewhere (process 7) since 2026-01-02 03:04:05 UTC"
    with raises("stack-locked", Refused, stack="region0", locks=(lock,)):
        played.up("region0", STEPS)


def test_a_lock_of_this_machine_whose_process_lives_is_respected(played: Played) -> None:
    played.answers[:] = [locked(f"ada@{socket.gethostname()} (pid {os.getpid()})")]
    with raises("stack-locked", Refused, stack="region0"):
        played.up("region0", STEPS)


def test_a_lock_whose_process_is_not_here_is_removed_only_by_its_own_option(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in another container of this name lives, and `--yes` was given for other questions."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    lock = locked(f"ada@{socket.gethostname()} (pid {dead_process()})")
    played.answers[:] = [lock]
    with raises("question-not-answered", Refused, option="--yes-unlock"):
        played.up("region0", STEPS)
    assert not any("cancel" in each for each in (tmp_path / "answers/asked").read_text().split())

    object.__setattr__(played, "consents", frozenset({Consent.UNLOCK}))
    played.answers[:] = [lock, lock, None]
    played.up("region0", STEPS)
    locks = tuple(str(each) for each in locks_in(str(lock)))
    assert f"{messages.ask_to_unlock('region0', locks)} yes, by --yes-unlock" in shown(played)
    assert any("cancel" in line for line in (tmp_path / "answers/asked").read_text().splitlines())
    assert played.answers == []


@pytest.mark.parametrize("is_at_work", [True, False])
def test_a_lock_of_another_run_that_came_while_it_was_asked_is_respected(
    played: Played, tmp_path: Path, *, is_at_work: bool
) -> None:
    object.__setattr__(played, "consents", frozenset({Consent.UNLOCK}))
    left = locked(f"ada@{socket.gethostname()} (pid {dead_process()})")
    if is_at_work:
        played.answers[:] = [left, locked("eve@elsewhere (pid 8)")]
        with raises("stack-locked", Refused, stack="region0"):
            played.up("region0", STEPS)
    else:
        played.answers[:] = [left, None]
        played.up("region0", STEPS)
    assert played.answers == []
    asked = tmp_path / "answers/asked"
    assert not asked.exists() or "cancel" not in asked.read_text()


def test_settings_files_that_git_does_not_know_are_to_be_committed(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert played.to_commit(Phase.FAILOVER) is None
    subprocess.run(["git", "-C", str(tmp_path), "init", "--quiet"], check=True)
    with (tmp_path / "Pulumi.yaml").open("a") as file:
        file.write("stackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.region0.yaml").write_text("config: {}\n")
    changed = replace(played, project=Project(tmp_path))
    facts: dict[str, Any] = {"phase": "failover", "files": ["stacks/Pulumi.region0.yaml"]}
    assert_message(
        changed.to_commit(Phase.FAILOVER), "phase-to-commit", folder=str(tmp_path), **facts
    )
    monkeypatch.chdir(tmp_path)
    assert_message(changed.to_commit(Phase.FAILOVER), "phase-to-commit", folder="", **facts)


def test_a_backend_that_does_not_show_who_refuses_all_the_same(played: Played) -> None:
    conflict = "[409] Conflict: Another update is currently in progress."
    played.answers[:] = [ConcurrentUpdateError(CommandResult("", conflict, 255))]
    with raises("stack-locked", Refused, locks=()):
        played.up("region0", STEPS)


@pytest.mark.parametrize(("spare", "given"), [(True, "1"), (False, None)])
def test_the_program_spares_a_region_that_was_not_asked_about(
    played: Played, *, spare: bool, given: str | None
) -> None:
    played.answers[:] = [None, None]
    played.up("region1", STEPS, spare=True)
    played.up("region1", STEPS, spare=spare)
    assert played.project.workspace.env_vars.get(SPARE_LIVING) == given


def test_a_failure_is_what_the_program_reported(played: Played) -> None:
    def fail(collector: EventCollector) -> None:
        collector.errors.append("F1: waited 900 s")
        raise PulumiFailed(messages.pulumi_failed("code: 255"))

    played.answers[:] = [fail]
    with raises("up-failed", PulumiFailed, stack="region0", reason="F1: waited 900 s"):
        played.up("region0", STEPS)

    def refuse(collector: EventCollector) -> None:
        collector.errors.append("nothing was changed: it is up [lost-region-alive]")
        raise PulumiFailed(messages.pulumi_failed("code: 255"))

    played.answers[:] = [refuse]
    with raises("lost-region-alive", PulumiFailed, of_stack="region0"):
        played.up("region0", STEPS)
    played.answers[:] = [PulumiFailed(messages.pulumi_failed("the bucket is gone"))]
    with raises("pulumi-failed", PulumiFailed, reason="the bucket is gone"):
        played.up("region0", STEPS)


class Interrupting(Future[None]):
    """Runs until Ctrl-C was hit twice; then Pulumi has ended, by an error or well."""

    hits = 0

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if self.done():
            return super().exception(timeout)
        self.hits += 1
        if self.hits == 3:
            if self.error:
                self.set_exception(self.error)
            else:
                self.set_result(None)
            return None
        if self.hits == 1:
            raise TimeoutError
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PulumiFailed(messages.pulumi_failed("cancelled")), "interrupted"),
        (None, "interrupted-at-end"),
    ],
)
def test_ctrl_c_lets_pulumi_end_and_stops_even_if_it_ended_well(
    played: Played, monkeypatch: pytest.MonkeyPatch, error: Exception | None, code: str
) -> None:
    stopped: list[None] = []
    monkeypatch.setattr(operations, "begin", lambda _: Interrupting(error))
    monkeypatch.setattr(operations, "stop_program", lambda: stopped.append(None))
    with raises(code, Stopped, stack="region0"):
        played.up("region0", STEPS)
    assert shown(played).count("stopping") == 1
    assert stopped


def test_the_program_is_ended_however_narrow_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    script = (
        f"import time\nprint('up', flush=True)\ntime.sleep(600)  # {'a long path' * 20} {PROGRAM}"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            stop_program()
            assert child.wait(allowed(60)) == -signal.SIGINT
        finally:
            child.kill()


def test_who_the_operator_is_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUALREGION_OPERATOR", raising=False)
    assert signature().endswith(f"@{socket.gethostname()}")
    monkeypatch.setenv("DUALREGION_OPERATOR", "ada@desk")
    assert signature() == "ada@desk"


def test_the_program_is_found_below_the_command_and_nowhere_else() -> None:
    listed = [
        "  9 8 python pulumi-language-python-exec --monitor x",
        "  7 5 pulumi up",
        "  8 7 pulumi-language-python 127.0.0.1:1",
        " 12 11 python pulumi-language-python-exec --monitor other",
        " 11 1 pulumi up",
        " 13 7 pulumi-resource-kubernetes",
        "",
    ]
    assert programs(listed, 5) == [9]
    assert programs(listed, 99) == []


def test_without_a_terminal_and_without_yes_nothing_is_assumed(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    text = messages.ask_to_back_out("paris")
    assert played.ask(Question(text))
    for option in (Consent.DELETE_REGION, Consent.UNLOCK):
        with raises("question-not-answered", Refused, question=text, option=option):
            played.ask(Question(text, option))
    object.__setattr__(played, "consents", frozenset())
    with raises("question-not-answered", Refused, option=Consent.YES):
        played.ask(Question(text))


@pytest.mark.parametrize(
    ("name", "typed", "agreed"),
    [
        (None, "y", True),
        (None, "n", False),
        (None, "", False),
        ("paris", "paris", True),
        ("paris", " paris ", True),
        ("paris", "yes", False),
        ("paris", "london", False),
        ("paris", "", False),
        ("東京 Süd", "東京 Süd", True),
    ],
)
def test_a_region_that_is_lost_is_named_and_nothing_else_is_a_yes(
    played: Played,
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    typed: str,
    agreed: bool,
) -> None:
    object.__setattr__(played, "consents", frozenset())
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    text = messages.ask_to_delete_region("paris", "camunda-paris")
    assert played.ask(Question(text, name=name)) is agreed
    assert str(text) in shown(played)
    wrong = name is not None and not agreed
    assert (str(messages.name_not_typed(typed, name or "")) in shown(played)) is wrong


def test_locks_are_read_from_pulumis_words() -> None:
    (lock,) = locks_in(REFUSED.format(who="ada@desk (pid 7)"))
    assert (lock.user, lock.host, lock.pid) == ("ada", "desk", 7)
    assert locks_in("something else") == ()


def test_without_a_terminal_each_event_is_a_line() -> None:
    console = Console(file=io.StringIO(), width=100)
    with running("region0", STEPS, console) as live:
        live.line(Line("F1", "waiting until the brokers of paris are gone: 3 s; still broker 1"))
        live.line(Line("", "restarting camunda-zeebe-0"))
        live.change(Change("create", "ConfigMap", "F1"))
    file = console.file
    assert isinstance(file, io.StringIO)
    lines = [line[10:] for line in file.getvalue().splitlines()]
    assert lines == [
        "region0: F1: waiting until the brokers of paris are gone: 3 s; still broker 1",
        "region0: restarting camunda-zeebe-0",
        "region0: create ConfigMap F1",
    ]


def test_a_step_that_fails_is_told_once() -> None:
    """The error itself stands at the end of the run."""
    console = Console(file=io.StringIO(), width=100)
    with running("region0", STEPS, console) as live:
        live.line(Line("F1", "waiting until the brokers of paris are gone: 3 s; still broker 1"))
        live.line(Line("F1", "timed out after 900 s", "error"))
        live.fail()
    file = console.file
    assert isinstance(file, io.StringIO)
    assert [line[10:] for line in file.getvalue().splitlines()] == [
        "region0: F1: waiting until the brokers of paris are gone: 3 s; still broker 1",
        "region0: F1: failed",
    ]


def test_at_a_terminal_a_step_that_failed_does_not_run_any_more() -> None:
    now = [0.0]
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    shown = Running("region0", STEPS, console, clock=lambda: now[0])
    shown.line(Line("F1", "still broker 1"))
    now[0] = 5.0
    shown.line(Line("F1", "timed out after 900 s", "error"))
    shown.fail()
    now[0] = 9.0
    console.print(shown)
    file = console.file
    assert isinstance(file, io.StringIO)
    assert "failed  F1    5        still broker 1" in file.getvalue()
    assert "timed out" not in file.getvalue()


def test_at_a_terminal_a_table_shows_steps_time_and_what_is_awaited() -> None:
    now = [0.0]
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    shown = Running("region0", (*STEPS, RegionStep(0, B2)), console, clock=lambda: now[0])
    shown.line(Line("F1", "gone from the topology: 3 s"))
    now[0] = 5.0
    shown.change(Change("create", "ConfigMap", "F1"))
    shown.line(Line("F2", "1 of 2 brokers ready"))
    now[0] = 12.0
    console.print(shown)
    file = console.file
    assert isinstance(file, io.StringIO)
    rows = [line.split(maxsplit=3) for line in file.getvalue().splitlines()]
    assert ["done", "F1", "5", F1.title] in [[cell.strip() for cell in each] for each in rows]
    assert "running  F2    7        1 of 2 brokers ready" in file.getvalue()
    assert "ahead    B2    -" in file.getvalue()
    assert "stack region0, 12 s" in file.getvalue()


def test_each_answer_stands_in_the_message_of_the_runs_after_it(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = messages.ask_to_begin_failback("failback-pending", 1, "paris", "london")
    delete = messages.ask_to_delete_region("p", "n")
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert played.ask(Question(begin))
    assert not played.ask(Question(delete, Consent.DELETE_REGION))
    written = RunMessage.parse(played._written())
    assert written is not None
    assert [(each.question, each.is_yes, each.option) for each in written.answers] == [
        ("ask-to-begin-failback", True, "--yes"),
        ("ask-to-delete-region", False, ""),
    ]
    assert all(isinstance(each, Answer) for each in played.given)


def _questions() -> Iterator[tuple[Question, Status]]:
    """Yield every question that is asked below a look at both regions, with what is seen then, and what is next."""
    begun, pausing = world.failing_over([]), world.failing_back(["B0"], ["B1"])
    silent, back = (world.refusing(0), world.unreachable(1)), world.returned()
    left = tuple(RegionStep(0, step) for step in (F0, F1, F2, F3))
    failing = judge(begun, silent)
    for phase in (Phase.FAILOVER, Phase.FAILBACK_PENDING):
        question = to_begin(phase, 1, failing)
        yield replace(question, following=following(left, begun)), failing
    behind = judge(pausing, back)
    for text in (
        messages.ask_to_back_out("paris"),
        messages.ask_to_delete_region("paris", "camunda-paris"),
        messages.ask_to_pause("camunda-paris"),
        messages.ask_to_retire_failover("camunda-london-failover"),
        messages.ask_to_add_brokers("paris"),
    ):
        yield Question(text, following=following(left, pausing)), behind


@pytest.mark.parametrize(("question", "status"), list(_questions()))
def test_verdict_next_step_and_question_are_in_one_small_window(
    played: Played, monkeypatch: pytest.MonkeyPatch, question: Question, status: Status
) -> None:
    """A window of 80 by 24, in which the answer is typed below them."""
    written = io.StringIO()
    object.__setattr__(played, "consents", frozenset())
    object.__setattr__(played, "console", Console(file=written, width=80))
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    played.ask(question, status)
    lines = written.getvalue().splitlines()
    verdict = next(number for number, line in enumerate(lines) if "  phase " in line)
    window = lines[verdict:]
    assert len(window) < 24
    assert any(line.startswith("next, region0: F0: ") for line in window)
    assert str(question.text) in " ".join(" ".join(window).split())


def test_nothing_is_next_where_no_step_is_ahead() -> None:
    assert following((), world.normal()) is None
    cleaning = following([RegionStep(1, R), RegionStep(0, B2)], world.normal())
    assert_message(cleaning, "next-if-yes", stack="region1", step="R", then=())
