"""Which moves are refused, and which phases follow."""

from dataclasses import replace
from typing import Any

import pytest

from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import ahead
from cli.stacks.step_actions import calls
from cli.status.guidance.moves import backs_out, failback_lost, failback_phases, failover_phases
from dualregion.errors import Refused
from dualregion.procedure import Phase, R
from messages import Message
from messages.command import driving as messages
from tests.fakes import command as world
from tests.raising import raises

TAKEN_OVER = world.failing_over(["F0", "F1", "F2", "F3"], "failover")
FROZEN = world.failing_back(["B0", "B2", "B3"], ["B1"])
REOPENED = world.failing_back(["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5"], "restored")
AWAKE = world.failing_back(
    ["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5", "B6", "B7"], "restored"
)
CLOSING = (world.stack(0, proved=["N"]), world.stack(1, proved=["B1", "B7"], reached="restored"))


@pytest.mark.parametrize("stacks", [world.normal(), TAKEN_OVER, FROZEN, AWAKE])
def test_a_failover_of_the_lost_region_is_allowed_and_may_be_repeated(stacks: Both) -> None:
    assert list(failover_phases(1, stacks)) == [Phase.FAILOVER]


@pytest.mark.parametrize(
    ("stacks", "way_on"),
    [
        (TAKEN_OVER, messages.continue_incident(1)),
        (FROZEN, messages.continue_incident(1)),
        (REOPENED, messages.finish_failback()),
    ],
)
def test_a_failover_of_the_other_region_is_refused(stacks: Both, way_on: Message) -> None:
    facts = {"lost": 1, "lost_name": "paris", "survivor": 0, "way_on": way_on}
    with raises("incident-under-way", Refused, **facts):
        failover_phases(0, stacks)


@pytest.mark.parametrize("proved", [["F0"], ["F0", "F1"], ["F0", "F1", "F2"]])
def test_a_failover_of_the_other_region_is_refused_while_the_first_is_under_way(
    proved: list[str],
) -> None:
    """Nothing of it is in the outputs yet, only in the state."""
    stacks = world.stack(0, "failover", 1, proved, reached="normal"), world.stack(1)
    with raises("incident-under-way", Refused, lost=1):
        failover_phases(0, stacks)


def test_the_loss_of_the_survivor_is_refused_unless_its_incident_is_given_up() -> None:
    for stacks in (FROZEN, REOPENED):
        with raises("incident-under-way", Refused):
            failover_phases(0, stacks)
        wrong, right = (_accepting(stacks, name) for name in ("2-region1-lost", "1-region1-lost"))
        with raises("failback-not-complete", Refused, incident="1-region1-lost"):
            failover_phases(0, wrong)
        assert list(failover_phases(0, right)) == [Phase.FAILOVER]


def _accepting(stacks: Both, incident: str) -> Both:
    first, second = (
        replace(each, settings=each.settings.model_copy(update={"accept_loss": incident}))
        for each in stacks
    )
    return first, second


def test_after_an_incident_either_region_may_be_lost() -> None:
    assert list(failover_phases(0, AWAKE)) == [Phase.FAILOVER]


def test_a_slip_in_the_configuration_alone_is_no_incident() -> None:
    stacks = world.stack(0, "failover", 0, reached="normal"), world.stack(1, reached="normal")
    assert list(failover_phases(1, stacks)) == [Phase.FAILOVER]


def test_a_failover_past_the_point_of_a_failback_is_refused() -> None:
    with raises("past-no-return", Refused, lost=1, name="paris", step="B5"):
        failover_phases(1, REOPENED)


def test_a_failover_before_that_backs_out() -> None:
    assert backs_out(1, FROZEN)
    assert not backs_out(1, TAKEN_OVER)
    assert not backs_out(1, REOPENED)


def test_a_failback_before_a_failover_is_refused() -> None:
    with raises("nothing-to-fail-back", Refused):
        failback_lost(world.normal())
    with raises("failover-not-complete", Refused, lost=1, name="paris", step="F3"):
        failback_lost(world.failing_over(["F1"]))


@pytest.mark.parametrize(
    ("stacks", "phases"),
    [
        (TAKEN_OVER, ["failback-pending", "restored", "normal"]),
        (world.failing_over(["F0", "F1", "F2", "F3"]), ["failback-pending", "restored", "normal"]),
        (FROZEN, ["failback-pending", "restored", "normal"]),
        (REOPENED, ["restored", "normal"]),
        (AWAKE, ["normal"]),
        (CLOSING, ["normal"]),
    ],
)
def test_a_failback_goes_on_where_it_was(stacks: Both, phases: list[str]) -> None:
    assert failback_lost(stacks) == 1
    assert list(failback_phases(1, stacks)) == phases


def test_a_failback_is_over_whatever_is_left_of_its_records() -> None:
    """An `up` into phase normal was killed while it deleted them: the record of N names the incident."""
    first, second = (
        _ended(each) for each in world.failing_back(["B0", "B2", "B3"], ["B1"], "restored")
    )
    assert ahead(Phase.RESTORED, 1, (first, second)) == ()
    assert list(failback_phases(1, (first, second))) == [Phase.NORMAL]


def _ended(stack: RegionStack) -> RegionStack:
    held = stack.state.held
    gates = {**held.gates, "N": "1-region1-lost"}
    proved = replace(held, gates=gates, nodes=held.nodes | {"N"})
    return replace(stack, state=replace(stack.state, held=proved))


def test_the_lost_regions_step_is_done_once_its_stack_has_acted() -> None:
    assert [
        each.step for each in ahead(Phase.FAILOVER, 1, world.failing_over(["F0", "F1", "F2", "F3"]))
    ] == [R]
    assert ahead(Phase.FAILOVER, 1, TAKEN_OVER) == ()
    survivor = TAKEN_OVER[0]
    left = world.stack(
        1,
        "failover",
        1,
        outputs={"waiting": {"code": "reachable", "turn": None, "region": 1}},
    )
    assert ahead(Phase.FAILOVER, 1, (survivor, left)) == ()


@pytest.mark.parametrize(
    "outputs",
    [
        {"waiting": {"code": "taken-over", "turn": None, "region": 0}},
        {"waiting": {"code": "of a later version"}},
        {"waiting": "does not answer"},
        # by an older version of the program: the sentence decides nothing, and the next `up` gives the code
        {"waitingFor": "region paris does not answer and is left as it is"},
        {},
    ],
)
def test_the_lost_regions_step_is_ahead_until_a_code_says_otherwise(outputs: Any) -> None:
    early = world.stack(1, "failover", 1, outputs=outputs)
    assert [each.step for each in ahead(Phase.FAILOVER, 1, (TAKEN_OVER[0], early))] == [R]


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("lost", [0, 1])
def test_every_step_of_every_phase_has_its_calls(phase: Phase, lost: int) -> None:
    stacks = world.normal()
    of = None if phase is Phase.NORMAL else lost
    for step in ahead(phase, of, stacks):
        assert all(calls(step, stacks[step.region].settings, of))


def test_the_calls_name_ids_namespaces_and_addresses() -> None:
    stacks = world.normal()
    lines = "\n".join(
        call
        for phase in (Phase.FAILOVER, Phase.RESTORED)
        for step in ahead(phase, 1, stacks)
        for call in calls(step, stacks[step.region].settings, 1)
    )
    for text in (
        "until broker 1, 3 of camunda-paris is gone",
        "helm install camunda -n camunda-london-failover: installationType failOver, regionId 1: broker 1,",
        "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL="
        "http://camunda-elasticsearch-master-hl.camunda-london-failover.svc.cluster.local:9200",
        "installationType failBack, no Operate, no Tasklist: broker 3 joins, broker 1 sleeps",
        "POST /actuator/exporting/pause to camunda-zeebe-gateway in camunda-london",
        "delete namespace camunda-london-failover",
    ):
        assert text in lines
