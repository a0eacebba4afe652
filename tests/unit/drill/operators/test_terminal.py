"""The operator's terminal: a real pseudo terminal, at which a small command asks, works, and is stopped."""

import sys
from pathlib import Path

import pexpect
import pytest

from drill.errors import DrillError
from drill.operators.stacks import Stacks
from drill.operators.terminal import Terminal
from drill.operators.terminal_operator import Operator
from drill.report.results import Answer
from drill.testbed.command import Command

SCRIPT = """#!{python}
import os, sys, time

what = sys.argv[1]
size = os.get_terminal_size(1) if os.isatty(1) else None
print("said", *sys.argv[1:], "in", os.environ["DUALREGION_PROJECT"], flush=True)
if what == "failover":
    print("Installations")
    print("a sentence that is wrapped: " + "word " * 30)
    answer = input("set phase failover and begin? [y/N]: ")
    if answer != "yes":
        sys.exit("error: refused")
    print("Region 1 (paris) is declared LOST")
    if input("Type the name of the lost region to go on: ") != "paris":
        sys.exit("error: another name")
    try:
        for second in range(600):
            print(f"\\r\\x1b[2K\\x1b[33mrunning\\x1b[0m  F2    {{second}}   brokers", end="", flush=True)
            time.sleep(0.1)
            if os.path.exists("done"):
                break
    except KeyboardInterrupt:
        print("\\nstopped; saved")
        sys.exit(130)
elif what == "failback":
    sys.exit(1)
elif what == "status":
    print("patience", sys.argv[-1], flush=True)
    print("trouble", file=sys.stderr)
    sys.exit(10 if sys.argv[-1] == "18" else 13)
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A command that says what it was called with, at a terminal and without one."""
    executable = tmp_path / "dualregion"
    executable.write_text(SCRIPT.format(python=sys.executable))
    executable.chmod(0o755)
    env = {"DUALREGION_PROJECT": "the-copy", "PATH": "/usr/bin:/bin", "COLUMNS": "40"}
    stacks = Stacks(Path("pulumi"), tmp_path, env, tmp_path, lambda _: None)
    return Command(stacks, executable, lambda _: None, {})


@pytest.mark.parametrize(
    ("screens", "carried_out"),
    [
        (["ahead  F2", "running  F2    0   brokers"], {"F2"}),
        (["ahead  F2\nahead  F3", "done  F2\nahead  F3"], {"F2"}),
        (["done  F0    0   it was proved before", "ahead  F2"], set()),
        (["F2 is done, running is F3"], set()),
    ],
)
def test_which_steps_a_command_has_carried_out(
    tmp_path: Path, screens: list[str], carried_out: set[str]
) -> None:
    """One that was running between two looks, too: it was ahead, and then it was done."""
    script = (
        "import sys, time; [(print(each, flush=True), time.sleep(0.2)) for each in sys.argv[1:]]"
    )
    operator = Operator(lambda _: None)
    with Terminal(
        (sys.executable, "-c", script, *screens), tmp_path, {}, tmp_path / "log", "MARK"
    ) as terminal:
        while terminal.read():
            operator.look(terminal)
        operator.look(terminal)
    assert set(operator.carried_out) == carried_out


def test_ctrl_c_is_hit_in_the_midst_of_a_step(command: Command) -> None:
    session = command.drive("failover", "--lost", "1", stop_in="F2", log="stopped", name="paris")
    assert session.run.exit_status == 130
    assert "said failover --lost 1 in the-copy" in session.unwrapped
    assert "a sentence that is wrapped: word word" in session.unwrapped
    assert "word word" in session.run.output.splitlines()[3]
    assert session.unwrapped.endswith("stopped; saved")
    assert list(session.operator.running) == ["F2"]
    assert session.operator.stopped is not None
    question, naming = session.operator.asked
    assert "is declared LOST" in naming.text
    assert question.text.endswith("set phase failover and begin? [y/N]:")
    assert "Installations" in question.above
    assert session.run.log.name == "01-dualregion-stopped.log"


def test_it_goes_through_when_it_is_not_stopped(command: Command, tmp_path: Path) -> None:
    (tmp_path / "done").touch()
    session = command.must_drive("failover", "--lost", "1", name="paris")
    assert session.run.exit_status == 0
    assert session.operator.stopped is None


def test_a_no_ends_it_and_a_failure_is_told(command: Command) -> None:
    session = command.drive("failover", answer="no")
    assert session.run.exit_status == 1
    assert "error: refused" in session.unwrapped
    with pytest.raises(DrillError, match="`dualregion failback` ended with exit status 1"):
        command.must_drive("failback")


def test_a_status_is_asked_again_with_more_patience_and_timed(
    command: Command, tmp_path: Path
) -> None:
    says, shows = command.status("with one region lost", 10)
    answer = command.answers["with one region lost"]
    assert isinstance(answer, Answer)
    assert answer.asked == 3
    assert not says.ok
    assert "trouble" not in says.detail
    assert not shows.ok
    logs = [path.read_text() for path in tmp_path.glob("*-dualregion-status.log")]
    assert sorted(log.splitlines()[1] for log in logs) == [
        "patience --full",
        "patience --json",
        *["patience 18"] * 2,
        *["patience 9"] * 2,
    ]


def test_a_command_is_ended_when_the_drill_is(command: Command) -> None:
    def interrupted(_: object) -> None:
        raise DrillError("interrupted")

    with pytest.raises(DrillError, match="interrupted"):
        command.stacks.at_terminal("x", (str(command.executable), "failover"), interrupted)


def test_what_a_command_says_at_its_very_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pexpect looks for output, then whether the command lives: what it says in between is left unread."""
    argv = (sys.executable, "-c", "print('the last words')")

    def too_late(process: pexpect.spawn, size: int, timeout: float) -> str:
        process.wait()
        raise pexpect.EOF("ended")

    monkeypatch.setattr(pexpect.spawn, "read_nonblocking", too_late)
    with Terminal(argv, tmp_path, {}, tmp_path / "log", "MARK") as terminal:
        assert not terminal.read()
        assert terminal.text == "the last words\n"
        assert terminal.exit_status(10) == 0
    assert "the last words" in (tmp_path / "log").read_text()


def test_each_line_is_told_once(command: Command) -> None:
    said: list[str] = []
    operator = Operator(said.append, stop_in="F2", stop_after=2.0, name="paris")
    command.stacks.at_terminal("x", (str(command.executable), "failover"), operator.look)
    counting = [line for line in said if line.startswith("  running") and "^C" not in line]
    assert len(counting) == 1
    assert "  answering: yes" in said
