"""A checkout that is behind: another one has set the phase, and the states are further on.

Pinned is that it is judged as the operator's own, wherever the procedure is, and never offered a `pulumi up`.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cli.driver.driver import Driver
from cli.errors import Stopped
from cli.stacks.read import Both, Update
from cli.stacks.run_message import RunMessage
from cli.status.guidance.checkout import in_effect, refusals
from cli.status.guidance.moves import failback_lost, failback_phases, failover_phases
from cli.status.guidance.next_step import next_of
from cli.status.health import Health, judge
from cli.status.observed.observe import RegionStatuses
from dualregion.procedure import Phase
from tests.fakes import command as world
from tests.raising import assert_message
from tests.unit.cli.driver.test_driver import WAY, Played

ORDER = [Phase.NORMAL, Phase.FAILOVER, Phase.FAILBACK_PENDING, Phase.RESTORED]
PHASES = [*[ORDER[1]] * 2, *[ORDER[2]] * 4, *[ORDER[3]] * 3, *[ORDER[0]] * 2]
"""The phase in which each `up` of the way is made."""


def set_to(stacks: Both, phase: Phase) -> Both:
    """Return both stacks with this phase in the checkout."""
    lost = None if phase is Phase.NORMAL else 1
    first, second = (
        replace(
            each, settings=each.settings.model_copy(update={"phase": phase, "lost_region": lost})
        )
        for each in stacks
    )
    return first, second


def moments() -> Iterator[tuple[str, Both]]:
    """Yield both stacks after each `up` of a failover and a failback, as the operator's own checkout has them then."""
    played = Played()
    for number, (up, phase) in enumerate(zip(WAY, PHASES, strict=True)):
        played.stop_at = number + 1
        with suppress(Stopped):
            if number < 2:
                Driver(played).failover(1)
            if number >= 1:
                Driver(played).failback()
        yield up, set_to(played.stacks(), phase)


MOMENTS = list(moments())


def seen(stacks: Both) -> RegionStatuses:
    """Return what the regions show: region 1 is away until its failback has begun."""
    if any(each.settings.phase is Phase.FAILOVER for each in stacks):
        return world.taken_over()
    return world.returned() if stacks[0].settings.phase is not Phase.NORMAL else world.whole()


def older(stacks: Both) -> list[Phase]:
    """Return the phases that an older checkout may have."""
    wanted = stacks[0].settings.phase
    return ORDER[1:] if wanted is Phase.NORMAL else ORDER[: ORDER.index(wanted)]


STALE = [(moment, stacks, phase) for moment, stacks in MOMENTS for phase in older(stacks)]


@pytest.mark.parametrize(
    ("stacks", "phase"),
    [pytest.param(stacks, phase, id=f"{moment}, {phase}") for moment, stacks, phase in STALE],
)
def test_an_older_checkout_is_judged_by_the_states(stacks: Both, phase: Phase) -> None:
    regions = seen(stacks)
    own, here = judge(stacks, regions), judge(set_to(stacks, phase), regions)
    if here.behind is None:
        # All of the failback is proved: phase normal is what follows.
        assert phase is Phase.NORMAL
        assert {each.id for each in own.ahead} <= {"N"}
        return
    assert (here.phase, here.lost, here.incident) == (own.phase, own.lost, own.incident)
    assert here.health is not Health.UNSAFE
    assert {each.message for each in own.findings} <= {each.message for each in here.findings}
    assert here.next is not None
    assert_message(here.next.what, "update-checkout")
    assert "pulumi up" not in str(here.next)
    assert here.next.answers[0].commands == ("git pull",)
    set_here = f"pulumi config set --stack region0 phase {own.phase}"
    assert here.next.answers[1].commands[0] == set_here


@pytest.mark.parametrize(("moment", "stacks"), MOMENTS, ids=[each for each, _ in MOMENTS])
def test_the_operators_own_checkout_is_never_behind(moment: str, stacks: Both) -> None:
    assert in_effect(stacks) == (stacks, None)
    assert in_effect(stacks, is_whole=stacks[0].settings.phase is Phase.NORMAL)[1] is None


@pytest.mark.parametrize(
    ("stacks", "phase"),
    [pytest.param(stacks, phase, id=f"{moment}, {phase}") for moment, stacks, phase in STALE],
)
def test_the_command_goes_on_from_an_older_checkout(stacks: Both, phase: Phase) -> None:
    """It reads the states: the phases that it passes through are those that it would from the operator's own."""
    following = next_of(stacks)
    if following is None or following.dualregion is None:
        return
    here = set_to(stacks, phase)
    if "failback" not in following.dualregion:
        assert list(failover_phases(1, here)) == [Phase.FAILOVER]
        return
    assert failback_lost(here) == failback_lost(stacks) == 1
    own, found = failback_phases(1, stacks), failback_phases(1, here)
    # A phase of which nothing is left may be set again on the way.
    assert list(found)[-len(own) :] == list(own)
    if "B5" in stacks[0].state.held.gates:
        assert Phase.FAILBACK_PENDING not in found


def test_records_of_a_failed_update_count() -> None:
    """The outputs still have phase normal, and F0 is proved."""
    stacks = (world.stack(0, proved=["N", "F0"]), world.stack(1, proved=["N"]))
    status = judge(stacks, (world.refusing(0), world.unreachable(1)))
    assert (status.phase, status.lost) == (Phase.FAILOVER, 1)
    assert status.behind is not None


def test_failover_set_during_a_failback_may_be_meant() -> None:
    stacks = set_to(world.failing_back(["B0"], ["B1"]), Phase.FAILOVER)
    status = judge(stacks, world.returned())
    assert status.phase is Phase.FAILBACK_PENDING
    assert status.next is not None
    back_out = status.next.answers[-1]
    assert_message(back_out.what, "answer-meant", region="paris")
    assert back_out.commands == ("dualregion failover --lost 1",)


def test_a_backing_out_that_has_begun_is_no_older_checkout() -> None:
    first, second = set_to(world.failing_back(["B0"], ["B1"]), Phase.FAILOVER)
    begun = world.stack(0, "failover", 1, ["B0", "F0"], reached="failback-pending")
    assert in_effect((replace(begun, settings=first.settings), second))[1] is None


@pytest.mark.parametrize(
    ("regions", "behind"),
    [(world.whole(), True), ((world.refusing(0), world.unreachable(1)), False)],
)
def test_a_failover_that_is_set_while_nothing_is_lost_may_be_an_older_checkout(
    regions: RegionStatuses, behind: bool
) -> None:
    status = judge(set_to(world.normal(), Phase.FAILOVER), regions)
    assert (status.behind is not None) is behind
    assert status.phase is (Phase.NORMAL if behind else Phase.FAILOVER)


def test_another_region_called_lost_is_a_contradiction() -> None:
    stacks = world.failing_over(["F0", "F1", "F2", "F3"], "failover")
    first, second = (
        replace(each, settings=each.settings.model_copy(update={"lost_region": 0}))
        for each in stacks
    )
    status = judge((first, second), world.taken_over())
    assert status.behind is None
    assert status.health is Health.UNSAFE


def test_what_a_stack_has_proved_itself_counts_as_in_the_program() -> None:
    """B7 ends a failback, and is a record of the recreated region's own stack: its survivor may be lost from then on."""
    proved = ["B0", "B2", "B3", "B4", "B5", "B6"], ["B1", "B4", "B5", "B6", "B7"]
    first, second = (
        replace(each, settings=each.settings.model_copy(update=LOSS_OF_LONDON))
        for each in world.failing_back(*proved, "restored")
    )
    assert [*refusals((first, second))] == []


LOSS_OF_LONDON = {"phase": Phase.FAILOVER, "lost_region": 0}


def test_one_stack_alone_may_be_behind() -> None:
    first, second = world.failing_over(["F0", "F1", "F2", "F3"], "failover")
    stacks = first, set_to((first, second), Phase.NORMAL)[1]
    status = judge(stacks, world.taken_over())
    assert status.behind is not None
    assert status.behind.stacks == ("region1",)
    assert status.next is not None
    assert status.next.command == (
        "pulumi config set --stack region1 phase failover && "
        "pulumi config set --stack region1 lostRegion 1"
    )


def test_the_last_run_of_the_command_is_named() -> None:
    said = RunMessage("failover --lost 1", "root@vm")
    moment = datetime(2026, 1, 2, 20, 2, tzinfo=UTC)
    last = Update("update", "succeeded", said.title, moment, said=said)
    first, second = set_to(world.failing_over(["F0", "F1", "F2", "F3"], "failover"), Phase.NORMAL)
    status = judge((replace(first, last=last), second), world.taken_over())
    found = world.finding(status, "checkout-behind")
    facts = {
        "stacks": ("region0", "region1"),
        "phase": Phase.NORMAL,
        "reached": Phase.FAILOVER,
        "region": "paris",
        "last": "2026-01-02 20:02 UTC, dualregion failover --lost 1 by root@vm",
    }
    assert_message(found.message, "checkout-behind", **facts)
