"""What the operator is told to do about what was observed: the first minute after a loss above all."""

from dataclasses import replace

import pytest

from cli.stacks.read import Both
from cli.status.guidance.next_step import OPERATOR, Next
from cli.status.health import Health, judge
from cli.status.observed.observe import RegionStatuses
from tests.fakes import command as world
from tests.raising import assert_message

UNSEEN = (
    world.region(0, normal=world.unanswered(world.installation(0), "view")),
    world.unreachable(1),
)
"""The survivor's gateway does not answer, as it is unready without leaders."""


def next_of(stacks: Both, regions: RegionStatuses) -> Next:
    found = judge(stacks, regions).next
    assert found is not None
    assert found.who == OPERATOR
    return found


@pytest.mark.parametrize("here", [world.refusing(0), UNSEEN[0]])
def test_one_region_silent_and_no_leader_is_a_decision_with_its_answers(here: object) -> None:
    regions = (here, world.unreachable(1))
    found = next_of(world.normal(), regions)  # type: ignore[arg-type]
    assert_message(found.what, "decide-whether-lost", region=1, name="paris")
    wait, lost = found.answers
    assert (wait.what.code, lost.what.code) == ("answer-wait", "answer-lost")
    assert wait.commands == ("dualregion status --watch",)
    assert lost.commands == (
        "dualregion plan failover --lost 1",
        "dualregion failover --lost 1",
    )
    assert found.dualregion == "dualregion failover --lost 1"
    assert "pulumi config set --stack region1 lostRegion 1" in found.command


def test_the_other_region_is_named_if_that_one_is_silent() -> None:
    found = next_of(world.normal(), (world.unreachable(0), world.refusing(1)))
    assert_message(found.what, "decide-whether-lost", region=0, name="london")
    assert found.dualregion == "dualregion failover --lost 0"


def test_the_decision_names_stacks_of_other_names() -> None:
    first, second = world.normal()
    stacks = replace(first, name="london"), replace(second, name="paris")
    found = next_of(stacks, (world.refusing(0), world.unreachable(1)))
    assert found.answers[1].commands[1] == "dualregion --stacks london,paris failover --lost 1"


def test_with_leaders_there_is_no_failover_to_decide() -> None:
    found = next_of(world.normal(), (world.whole()[0], world.unreachable(1)))
    assert_message(found.what, "look-at-region", region="paris", survives=False)
    assert found.command == "kubectl --context cluster-paris get nodes --request-timeout=5s"
    assert found.dualregion is None


@pytest.mark.parametrize(
    "stacks",
    [
        world.normal(),
        world.failing_over(["F0"]),
        world.failing_back(["B0"], []),
    ],
)
def test_both_regions_silent_is_ones_own_network_first(stacks: Both) -> None:
    found = next_of(stacks, (world.unreachable(0), world.unreachable(1)))
    assert_message(found.what, "look-at-own-way")
    assert "--context cluster-london" in found.command
    assert "--context cluster-paris" in found.command


def test_a_survivor_that_is_silent_comes_before_any_step() -> None:
    regions = (world.unreachable(0), world.whole()[1])
    found = next_of(world.failing_over(["F0", "F1"]), regions)
    assert_message(found.what, "look-at-region", region="london", survives=True)


def test_two_brokers_of_one_id_are_kept_apart_before_any_step() -> None:
    regions = (world.taken_over()[0], world.whole()[1])
    stacks = world.failing_over(["F0", "F1", "F2", "F3"], "failover")
    found = next_of(stacks, regions)
    assert_message(found.what, "keep-regions-apart", region="paris")
    assert found.command == (
        "kubectl --context cluster-paris -n camunda-paris scale statefulset camunda-zeebe --replicas=0"
    )


def test_what_is_not_ready_is_looked_at_where_it_is() -> None:
    down = world.region(1, normal=world.installation(1, ready=0))
    found = next_of(world.normal(), (world.whole()[0], down))
    assert_message(found.what, "look-at-unready")
    assert found.command == "kubectl --context cluster-paris -n camunda-paris get pods"


def test_partitions_without_leader_though_both_regions_answer() -> None:
    regions = (world.refusing(0), world.refusing(1))
    found = next_of(world.normal(), regions)
    assert_message(found.what, "look-at-unready")
    assert found.command.count("get pods") == 2


def test_before_the_first_installation_a_silent_region_is_no_decision() -> None:
    stacks = (world.stack(0, nodes=()), world.stack(1, nodes=()))
    found = next_of(stacks, (world.region(0), world.unreachable(1)))
    assert_message(found.what, "look-at-region", region="paris", survives=False)


@pytest.mark.parametrize("stacks", [world.normal(), world.failing_over(["F0"])])
def test_a_region_that_refuses_the_login_is_not_lost(stacks: Both) -> None:
    regions = (world.logged_out(0), world.refusing(1))
    status = judge(stacks, regions)
    assert status.next is not None
    assert_message(status.next.what, "look-at-login", region="london")
    found = world.finding(status, "region-unreachable")
    assert found.health is Health.CANNOT_TELL


def test_a_lost_region_that_refuses_the_login_holds_nothing_up() -> None:
    regions = (world.taken_over()[0], world.logged_out(1))
    found = judge(world.failing_over(["F0", "F1"]), regions).next
    assert found is not None
    assert_message(found.what, "step-next", step="F2")
