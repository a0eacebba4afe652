"""The driver: turns, questions, refusals, and continuing wherever it was interrupted.

The stacks are played: an `up` proves the steps whose turn it is, as the program does.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands import transitions
from cli.driver.confirm import Consent, Question
from cli.driver.driver import Driver
from cli.driver.events import Change
from cli.driver.previews import Preview
from cli.errors import PulumiFailed, Stopped
from cli.stacks.locks import Lock
from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import RegionStep
from cli.status.guidance.next_step import next_of
from cli.status.health import Status, judge
from cli.status.observed.observe import InstallationStatus, RegionStatuses
from cli.status.observed.results import Result
from dualregion.errors import Refused
from dualregion.procedure import Phase, R
from messages import Message
from messages.command import driving as messages
from messages.command.status import not_in_time
from tests.fakes import command as world
from tests.raising import assert_message, raises

ALIVE = (world.taken_over()[0], world.whole()[1])
"""The survivor has taken over, and the lost region answers all the same."""


@dataclass
class Played:
    """Two stacks that move as the program's do, and an operator who answers yes, or no to the question of code `no`.

    :ivar refuses: the stack whose preview is refused; each one unless given.
    :ivar is_recreated: whether the lost region answers again once it is cleaned.
    :ivar stop_at: the number of the `up` that is interrupted before it proves anything.
    """

    region_statuses: RegionStatuses = field(default_factory=world.taken_over)
    phase: list[Phase] = field(default_factory=lambda: [Phase.NORMAL, Phase.NORMAL])
    reached: list[Phase] = field(default_factory=lambda: [Phase.NORMAL, Phase.NORMAL])
    gates: list[set[str]] = field(default_factory=lambda: [{"N"}, {"N"}])
    failover: bool = False
    refusal: str | None = None
    refuses: str | None = None
    no: str | None = None
    is_recreated: bool = True
    stop_at: int | None = None
    stuck: bool = False
    pending: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    locks: tuple[Lock, ...] = ()
    ups: list[str] = field(default_factory=list)
    asked: list[Message] = field(default_factory=list)
    options: list[Consent] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    spared: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    previews: int = 0
    looks: list[bool] = field(default_factory=list)
    looked_for: list[int] = field(default_factory=list)
    """Which region's cluster was looked for before each `up`."""

    def stacks(self) -> Both:
        first, second = (self._stack(region) for region in (0, 1))
        return first, second

    def _stack(self, region: int) -> RegionStack:
        nodes = ["normal"] if region == 0 or self.reached[1] is not Phase.FAILOVER else []
        if region == 0 and self.failover:
            nodes.append("failover")
        stack = world.stack(
            region,
            self.phase[region],
            None if self.phase[region] is Phase.NORMAL else 1,
            sorted(self.gates[region]),
            nodes=nodes,
            reached=self.reached[region],
            outputs={"lostRegion": None if self.reached[region] is Phase.NORMAL else 1},
        )
        held = self.locks if region == 1 else ()
        return replace(stack, state=replace(stack.state, pending=self.pending), locks=held)

    def status(self, *, thorough: bool = False) -> Status:
        self.looks.append(thorough)
        seen = self.region_statuses
        if self.reached[1] is not Phase.NORMAL and self.is_recreated and seen[1].error is not None:
            seen = (seen[0], world.region(1))
        return judge(self.stacks(), seen)

    def preview(self, stack: str, phase: Phase, lost: int | None) -> Preview:
        self.previews += 1
        refusal = self.refusal if self.refuses in (None, stack) else None
        return Preview(stack, (Change("create", "Release", "failover"),), refusal)

    def set_phase(self, stack: str, phase: Phase, lost: int | None) -> None:
        self.phase[int(stack[-1])] = phase

    def up(self, stack: str, steps: Sequence[RegionStep], *, spare: bool = False) -> None:
        self.spared += [stack] if spare else []
        if self.stop_at == len(self.ups):
            self.stop_at = None
            raise Stopped(messages.interrupted(stack))
        region = int(stack[-1])
        self.ups.append(f"{stack}: {' '.join(step.id for step in steps)}")
        self.reached[region] = self.phase[region]
        if self.stuck:
            return
        proved = {step.id for step in steps} - {R.id}
        kept = (
            set() if proved & {"N", "F0", "B0", "B1"} or steps[0].step == R else self.gates[region]
        )
        self.gates[region] = kept | proved
        self.failover = (self.failover or "F2" in proved) and not (region == 0 and "B5" in proved)

    def ask(self, question: Question, status: Status | None = None) -> bool:
        self.asked.append(question.text)
        self.options.append(question.option)
        self.names.append(question.name)
        return question.text.code != self.no

    def check_cluster(self, stacks: Both, region: int) -> None:
        self.looked_for.append(region)

    def check_machine(self) -> None:
        self.shown.append("machine")

    def drop_pending(self, stack: str) -> None:
        self.pending = ()

    def to_commit(self, phase: Phase) -> Message | None:
        return messages.phase_to_commit(phase, self.changed, "") if self.changed else None

    def show(self, text: str) -> None:
        self.shown.append(text)


WAY = [
    "region0: F0 F1 F2 F3",
    "region1: R",
    "region0: B0",
    "region1: B1",
    "region0: B2 B3 B4",
    "region1: B4",
    "region1: B5",
    "region0: B5",
    "region1: B6 B7",
    "region0: N",
    "region1: N",
]


def test_a_failover_and_a_failback_take_their_turns() -> None:
    played = Played()
    Driver(played).failover(1)
    assert played.ups == WAY[:2]
    assert played.phase == [Phase.FAILOVER, Phase.FAILOVER]
    Driver(played).failback()
    assert played.ups == WAY
    assert [f"region{each}" for each in played.looked_for] == [each.split(":")[0] for each in WAY]
    assert played.phase == [Phase.NORMAL, Phase.NORMAL]
    assert judge(played.stacks(), world.whole()).next is None


@pytest.mark.parametrize("number", range(len(WAY)))
def test_interrupted_anywhere_the_same_command_goes_on(number: int) -> None:
    played = Played(stop_at=number)
    with suppress(Stopped):
        _whole_way(played)
    _whole_way(played)
    assert played.ups == WAY


def test_typing_what_is_named_next_goes_all_the_way() -> None:
    """Interrupted after every single `up`."""
    played, typed = Played(stop_at=0), []
    with suppress(Stopped):
        Driver(played).failover(1)
    while following := next_of(played.stacks()):
        typed.append(following.dualregion)
        played.stop_at = len(played.ups) + 1
        driver = Driver(played)
        with suppress(Stopped):
            if following.dualregion == "dualregion failover --lost 1":
                driver.failover(1)
            else:
                assert following.dualregion == "dualregion failback"
                driver.failback()
    assert played.ups == WAY
    assert typed == ["dualregion failover --lost 1"] * 2 + ["dualregion failback"] * 9


@pytest.mark.parametrize(
    ("stop_at", "options", "exit_status", "stack"),
    [(None, ["--until", "F3"], 0, "region1"), (0, [], 130, "region0")],
)
def test_the_last_lines_name_the_command_that_continues(
    monkeypatch: pytest.MonkeyPatch,
    stop_at: int | None,
    options: list[str],
    exit_status: int,
    stack: str,
) -> None:
    played = Played(stop_at=stop_at)
    monkeypatch.setattr(transitions, "PulumiOperations", lambda *_: played)
    monkeypatch.setattr("cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder))
    result = CliRunner().invoke(app, ["failover", "--lost", "1", *options])
    assert result.exit_code == exit_status, result.output
    first, *commands = played.shown[-1].split("\n    ")
    assert first.startswith(f"next, {stack}: ")
    assert commands == ["dualregion failover --lost 1", f"or: pulumi up --stack {stack}"]


@pytest.mark.parametrize("changed", [(), ("Pulumi.region0.yaml", "Pulumi.region1.yaml")])
def test_the_end_of_a_run_names_what_is_to_be_committed(
    monkeypatch: pytest.MonkeyPatch, changed: tuple[str, ...]
) -> None:
    played = Played(changed=changed)
    monkeypatch.setattr(transitions, "PulumiOperations", lambda *_: played)
    monkeypatch.setattr("cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder))
    CliRunner().invoke(app, ["failover", "--lost", "1"])
    told = [each for each in played.shown if isinstance(each, Message)]
    expected = [messages.phase_to_commit("failover", changed, "")] if changed else []
    assert [each for each in told if each.code == "phase-to-commit"] == expected


def test_what_cannot_be_undone_is_asked_before() -> None:
    played = Played(region_statuses=ALIVE)
    Driver(played).failover(1)
    Driver(played).failback()
    assert played.asked == [
        messages.ask_to_begin(
            phase="failover",
            lost=1,
            name="paris",
            survivor=0,
            survivor_name="london",
            failover_brokers=1,
            answers=True,
        ),
        messages.ask_to_delete_region("paris", "camunda-paris"),
        messages.ask_to_begin_failback("failback-pending", 1, "paris", "london"),
        messages.ask_to_pause("camunda-paris"),
        messages.ask_to_retire_failover("camunda-london-failover"),
    ]
    # `--yes` was given for other questions than the deletion.
    assert played.options == ["--yes", "--yes-delete-region", "--yes", "--yes", "--yes"]
    # A region that is declared lost, or deleted, is named by who does it.
    assert played.names == ["paris", "paris", None, None, None]


@pytest.mark.parametrize("seen", ["slow", "nothing there", "not asked"])
def test_a_region_that_answers_is_asked_about_whatever_of_it_was_seen(seen: str) -> None:
    """Its API server answers, and its installations do not in time."""
    installations: Mapping[str, Result[InstallationStatus | None]] = {
        "slow": {"normal": Result(error=not_in_time())},
        "nothing there": {"normal": Result()},
        "not asked": {},
    }[seen]
    played = Played(region_statuses=(world.taken_over()[0], world.region(1, **installations)))
    Driver(played).failover(1)
    assert_message(played.asked[-1], "ask-to-delete-region", name="paris")
    assert played.options[-1] == Consent.DELETE_REGION


def test_a_region_that_does_not_answer_is_not_asked_about() -> None:
    played = Played()
    Driver(played).failover(1)
    assert len(played.asked) == 1
    # Nothing of F0 to F3 waits for a look; before R it is a thorough one, as a slow region is not gone.
    assert played.looks == [False, True]
    # It may answer a moment later.
    assert played.spared == ["region1"]


def test_a_region_whose_deletion_was_agreed_to_is_not_spared() -> None:
    played = Played(region_statuses=ALIVE)
    Driver(played).failover(1)
    assert played.spared == []


@pytest.mark.parametrize(
    ("no", "ups"),
    [
        ("ask-to-begin", []),
        ("ask-to-delete-region", WAY[:1]),
        ("ask-to-pause", WAY[:4]),
        ("ask-to-retire-failover", WAY[:7]),
    ],
)
def test_a_no_stops_before_it_and_a_yes_continues(no: str, ups: list[str]) -> None:
    played = Played(region_statuses=ALIVE, no=no)
    with raises("aborted", Stopped):
        _whole_way(played)
    assert played.ups == ups
    played.no = None
    _whole_way(played)
    assert played.ups == WAY


def _whole_way(played: Played) -> None:
    if len(played.ups) < 2:
        Driver(played).failover(1)
    Driver(played).failback()


def test_a_refused_preview_sets_nothing_and_shows_its_message() -> None:
    played = Played(refusal="that region is not lost")
    facts = {"of_stack": "region0", "problem": "that region is not lost"}
    with raises("stack-problem", Refused, **facts):
        Driver(played).failover(1)
    assert (played.phase, played.ups) == ([Phase.NORMAL, Phase.NORMAL], [])


def test_a_failback_is_refused_before_it_begins_if_the_recreated_region_refuses() -> None:
    """As `plan failback` is: it needs both regions."""
    played = Played()
    Driver(played).failover(1)
    played.refusal, played.refuses = "the cluster does not answer", "region1"
    with raises("stack-problem", Refused, of_stack="region1"):
        Driver(played).failback()
    assert played.phase == [Phase.FAILOVER, Phase.FAILOVER]


@pytest.mark.parametrize(
    ("regions", "code"),
    [
        ((world.unreachable(0), world.whole()[1]), "other-region-is-silent"),
        ((world.unreachable(0), world.logged_out(1)), "other-region-is-silent"),
        ((world.logged_out(0), world.whole()[1]), "stack-problem"),
        (world.whole(), "stack-problem"),
        ((world.unreachable(0), world.unreachable(1)), "stack-problem"),
    ],
)
def test_the_survivor_called_lost_is_told_as_such(regions: RegionStatuses, code: str) -> None:
    played = Played(region_statuses=regions, refusal="the cluster does not answer")
    with raises(code, Refused):
        Driver(played).failover(1)
    assert (played.phase, played.asked) == ([Phase.NORMAL, Phase.NORMAL], [])


@pytest.mark.parametrize(
    ("regions", "answers"),
    [
        (ALIVE, True),
        ((ALIVE[0], world.logged_out(1)), True),
        (world.taken_over(), False),
    ],
    ids=["alive", "logged out", "silent"],
)
def test_the_question_says_whether_the_region_called_lost_answers(
    regions: RegionStatuses, answers: bool
) -> None:
    played = Played(region_statuses=regions)
    Driver(played).failover(1)
    assert_message(played.asked[0], "ask-to-begin", name="paris", answers=answers)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["--lost", "paris"], None),
        (["--lost", "1"], None),
        (["--lost", "7"], "region-unknown"),
        (["--lost", "Paris"], "region-unknown"),
        (["--lost", "1", "--lost", "0"], "region-named-twice"),
    ],
)
def test_a_region_is_named_by_number_or_name(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], code: str | None
) -> None:
    played = Played()
    monkeypatch.setattr(transitions, "PulumiOperations", lambda *_: played)
    monkeypatch.setattr(transitions, "names_of", lambda *_: ("london", "paris"))
    monkeypatch.setattr("cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder))
    result = CliRunner().invoke(app, ["failover", *typed])
    if code is None:
        assert played.ups == WAY[:2]
    else:
        assert (result.exit_code, played.ups) == (2, [])
        assert f"[{code}]" in result.output


def test_what_failed_stands_first_and_what_is_next_last(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(stuck=True)
    monkeypatch.setattr(transitions, "PulumiOperations", lambda *_: played)
    monkeypatch.setattr("cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder))
    result = CliRunner().invoke(app, ["failover", "--lost", "1"])
    assert result.exit_code == 1
    assert result.stderr.count("[step-not-proved]") == 1
    assert played.shown[-1].startswith("next, region0: ")
    assert "dualregion failover --lost 1" in played.shown[-1]


def test_a_command_that_continues_previews_and_asks_nothing_again() -> None:
    played = Played(stop_at=1)
    with raises("interrupted", Stopped):
        Driver(played).failover(1)
    Driver(played).failover(1)
    assert played.previews == 1
    assert len(played.asked) == 1


@pytest.mark.parametrize(("until", "ups"), [("F3", 1), ("R", 2)])
def test_a_failover_stops_after_a_step(until: str, ups: int) -> None:
    played = Played()
    Driver(played, until).failover(1)
    assert played.ups == WAY[:ups]


@pytest.mark.parametrize(("until", "ups"), [("B0", 3), ("B1", 4), ("B4", 6), ("B5", 8), ("B7", 9)])
def test_a_failback_stops_after_a_step(until: str, ups: int) -> None:
    played = Played()
    Driver(played).failover(1)
    Driver(played, until).failback()
    assert played.ups == WAY[:ups]
    Driver(played).failback()
    assert played.ups == WAY


def test_it_cannot_stop_within_an_up() -> None:
    with raises("step-within-turn", Refused, step="F2", allowed=("F3", "R")):
        Driver(Played(), "F2").failover(1)


def test_an_up_that_proves_nothing_is_not_repeated_for_ever() -> None:
    played = Played(stuck=True)
    with raises("step-not-proved", PulumiFailed, stack="region0", step="F0"):
        Driver(played).failover(1)
    assert len(played.ups) == 1


def test_backing_out_of_a_failback_is_asked_and_goes_back() -> None:
    played = Played()
    Driver(played).failover(1)
    Driver(played, "B1").failback()
    played.ups.clear()
    Driver(played).failover(1)
    assert messages.ask_to_back_out("paris") in played.asked
    assert played.ups == ["region0: F0 F1 F2 F3", "region1: R"]


@pytest.mark.parametrize(("no", "left"), [(None, ()), ("ask-to-drop-pending", ("creating x",))])
def test_what_stays_pending_is_dropped_after_asking(no: str | None, left: tuple[str, ...]) -> None:
    played = Played(pending=("creating x",), no=no)
    Driver(played, "F3").failover(1)
    assert messages.ask_to_drop_pending("region0", ("creating x",)) in played.asked
    assert played.pending == left


def test_the_wrong_move_changes_nothing() -> None:
    played = Played()
    with raises("nothing-to-fail-back"):
        Driver(played).failback()
    Driver(played).failover(1)
    before = list(played.ups)
    with raises("incident-under-way"):
        Driver(played).failover(0)
    assert played.ups == before


def held_by(pid: int) -> Lock:
    """Return a lock of a process of this machine."""
    return Lock("ada", socket.gethostname(), pid, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize("move", [lambda driver: driver.failover(1), Driver.failback])
def test_a_second_operator_is_refused_before_anything_is_asked_or_set(
    move: Callable[[Driver], None],
) -> None:
    """Whichever stack the first one has locked."""
    played = Played(locks=(held_by(os.getpid()),))
    with raises("stack-locked", Refused, stack="region1", locks=(str(played.locks[0]),)):
        move(Driver(played))
    assert (played.phase[0], played.asked, played.ups) == (Phase.NORMAL, [], [])


def test_a_lock_of_a_process_that_is_gone_is_left_to_the_up() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    played = Played(locks=(held_by(ended.pid),))
    Driver(played).failover(1)
    assert played.ups == WAY[:2]


class Installed(Played):
    """Two stacks that were never up: an `up` installs, and proves N once both are installed."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(gates=[set(), set()], **changes)
        self.installed: set[int] = set()

    def _stack(self, region: int) -> RegionStack:
        nodes = ["normal"] if region in self.installed else []
        waits = {"waitingFor": "the other region"}
        return world.stack(region, proved=sorted(self.gates[region]), nodes=nodes, outputs=waits)

    def up(self, stack: str, steps: Sequence[RegionStep], *, spare: bool = False) -> None:
        if self.stop_at == len(self.ups):
            self.stop_at = None
            raise Stopped(messages.interrupted(stack))
        region = int(stack[-1])
        self.ups.append(f"{stack}: {' '.join(step.id for step in steps)}")
        if self.stuck:
            return
        self.installed.add(region)
        if self.installed == {0, 1}:
            self.gates[region] = {"N"}


INSTALLATION = ["region0: N", "region1: N", "region0: N"]


def test_a_first_installation_takes_its_turns_until_both_work_together() -> None:
    played = Installed()
    stacks = Driver(played).install()
    assert played.ups == INSTALLATION
    assert played.previews == 2
    places = ("camunda-london of cluster-london", "camunda-paris of cluster-paris")
    assert played.asked == [messages.ask_to_install(places, adopts=False)]
    assert [sorted(each.state.held.gates) for each in stacks] == [["N"], ["N"]]
    assert played.looked_for == [0, 1, 0]
    assert next_of(stacks) is None


@pytest.mark.parametrize("number", range(len(INSTALLATION)))
def test_an_interrupted_installation_goes_on(number: int) -> None:
    played = Installed(stop_at=number)
    with raises("interrupted", Stopped):
        Driver(played).install()
    following = next_of(played.stacks())
    assert following is not None
    assert following.dualregion == "dualregion install"
    Driver(played).install()
    assert sorted(played.ups) == sorted(INSTALLATION)
    # Once something is installed, the operator has agreed.
    assert len(played.asked) == (2 if number == 0 else 1)


def test_an_installation_that_is_complete_does_nothing() -> None:
    played = Played()
    Driver(played).install()
    assert (played.ups, played.asked) == ([], [])
    assert played.shown == [messages.installed_already()]


def test_a_no_installs_nothing() -> None:
    played = Installed(no="ask-to-install")
    with raises("aborted", Stopped):
        Driver(played).install()
    assert played.ups == []


def test_a_preview_that_is_refused_installs_nothing() -> None:
    played = Installed(refusal="there is no such context")
    with raises("stack-problem", Refused, of_stack="region0"):
        Driver(played).install()
    assert (played.ups, played.asked) == ([], [])


def test_an_installation_that_does_not_move_is_not_repeated_for_ever() -> None:
    played = Installed(stuck=True)
    with raises("step-not-proved", PulumiFailed, step="N", waiting="the other region"):
        Driver(played).install()
    assert played.ups == INSTALLATION[:2]


def test_nothing_is_installed_in_an_incident() -> None:
    played = Played()
    Driver(played, "F3").failover(1)
    before = list(played.ups)
    with raises("not-in-phase-normal", Refused, stack="region0", phase="failover"):
        Driver(played).install()
    assert played.ups == before
