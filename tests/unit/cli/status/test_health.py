"""What the command makes of what it observes: health above all, as programs and nightly jobs act on it.

Pinned is that nothing unsafe is ever called anything less, and that what could not be observed is not called healthy.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cli.stacks.locks import Lock
from cli.stacks.read import Both
from cli.status.health import Health, judge
from cli.status.observed.partitions import namespaces_of_brokers
from cli.status.observed.results import Result
from dualregion.procedure import Phase
from dualregion.procedure.topology import Kind
from messages.command import status as messages
from messages.command.status import not_in_time
from tests.fakes import command as world
from tests.raising import assert_message

BEGUN = (
    world.stack(0, "failback-pending", 1, ["F0", "F1", "F2", "F3"], reached="failover"),
    world.stack(1, "failback-pending", 1, reached="failover", nodes=()),
)
"""Both stacks set to the failback, and neither has taken a step of it."""


def test_two_whole_regions_in_phase_normal_are_healthy() -> None:
    status = judge(world.normal(), world.whole())
    assert (status.health, status.findings, status.next) == (Health.HEALTHY, (), None)
    assert [each.leader for each in status.partitions] == [0, 0, 0, 0]
    assert [each.lag for each in status.partitions] == [0, 0, 0, 0]


def test_an_unreachable_region_in_phase_normal_is_a_degradation() -> None:
    here = world.region(0, normal=world.installation(0, view=world.view_of((0, 2))))
    status = judge(world.normal(), (here, world.unreachable(1)))
    assert status.health is Health.DEGRADED
    unreachable, incomplete = (
        world.finding(status, code).message
        for code in ("region-unreachable", "partitions-incomplete")
    )
    assert_message(unreachable, "region-unreachable", region="paris", reason=not_in_time())
    missing = {"partitions": (1, 2, 3, 4), "missing": ("1, 3",) * 4}
    assert_message(incomplete, "partitions-incomplete", **missing)


def test_partitions_without_leader_are_named_also_amid_the_procedure() -> None:
    view = world.view_of((0, 2), leaderless=(2, 3))
    here = world.region(0, normal=world.installation(0, view=view))
    status = judge(world.failing_over([]), (here, world.unreachable(1)))
    assert status.health is Health.DEGRADED
    leaderless = world.finding(status, "partitions-without-leader").message
    assert_message(leaderless, "partitions-without-leader", partitions=(2, 3))


@pytest.mark.parametrize(
    ("stacks", "who", "step", "move"),
    [
        (world.failing_over([]), "region0", "F0", "failover --lost 1"),
        (world.failing_over(["F0", "F1"]), "region0", "F2", "failover --lost 1"),
        (world.failing_over(["F0", "F1", "F2", "F3"]), "region1", "R", "failover --lost 1"),
        (
            world.failing_over(["F0", "F1", "F2", "F3"], "failover"),
            "operator",
            "failback-next",
            "failback",
        ),
        (BEGUN, "region0", "B0", "failback"),
        (world.failing_back(["B0"], []), "region1", "B1", "failback"),
        (world.failing_back(["B0"], ["B1"]), "region0", "B2", "failback"),
        (world.failing_back(["B0", "B2", "B3", "B4"], ["B1"]), "region1", "B4", "failback"),
        (
            world.failing_back(["B0", "B2", "B3", "B4"], ["B1", "B4"]),
            "operator",
            "restored-next",
            "failback",
        ),
        (
            world.failing_back(["B0", "B2", "B3", "B4"], ["B1", "B4", "B5"], "restored"),
            "region0",
            "B5",
            "failback",
        ),
        (
            world.failing_back(["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5"], "restored"),
            "region1",
            "B6",
            "failback",
        ),
    ],
)
def test_the_next_step_and_whose_turn_it_is(stacks: Both, who: str, step: str, move: str) -> None:
    """By the step's id, or by the message's code where the operator has to set the next phase."""
    following = judge(stacks, world.taken_over()).next
    assert following is not None
    assert following.who == who
    assert step in (following.what.code, following.what.facts.get("step"))
    assert following.dualregion == f"dualregion {move}"


def test_a_stack_that_is_not_set_to_the_phase_comes_first() -> None:
    first, other = world.failing_over([])[0], world.normal()[1]
    following = judge((first, other), world.taken_over()).next
    assert following is not None
    assert following.who == "operator"
    assert_message(following.what, "phase-not-set", stack="region1", phase="failover")
    assert following.command == (
        "pulumi config set --stack region1 phase failover && pulumi config set --stack region1 lostRegion 1"
    )
    assert following.dualregion == "dualregion failover --lost 1"


def test_the_end_of_a_failback_is_the_commands_too() -> None:
    """Phase normal is set, and proved by neither stack, or by one."""
    here, there = ["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5", "B6", "B7"]
    recreated = world.stack(1, proved=there, reached="restored")
    for survivor in (
        world.stack(0, proved=here, reached="restored", outputs={"lostRegion": 1}),
        world.stack(0, proved=["N"]),
    ):
        following = judge((survivor, recreated), world.whole()).next
        assert following is not None
        assert_message(following.what, "step-next", step="N")
        assert following.dualregion == "dualregion failback"


def test_before_anything_is_installed_the_command_is_install() -> None:
    following = judge((world.stack(0), world.stack(1)), world.whole()).next
    assert following is not None
    assert (following.who, following.dualregion) == ("region0", "dualregion install")


@pytest.mark.parametrize(
    "stacks",
    [
        pytest.param(
            world.failing_back(["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5"], "failover"),
            id="a failover that would be refused",
        ),
    ],
)
def test_no_command_is_named_that_would_do_something_else(stacks: Both) -> None:
    following = judge(stacks, world.whole()).next
    assert following is not None
    assert following.dualregion is None
    assert str(following) == f"next, {following.who}: {following.what}\n    {following.command}"


def test_other_stacks_are_named_in_the_command() -> None:
    london, paris = world.failing_over(["F0", "F1"])
    stacks = replace(london, name="london"), replace(paris, name="paris")
    following = judge(stacks, world.taken_over()).next
    assert str(following).splitlines()[1:] == [
        "    dualregion --stacks london,paris failover --lost 1",
        "    or: pulumi up --stack london",
    ]


def test_a_failover_that_is_complete_is_mid_procedure() -> None:
    status = judge(world.failing_over(["F0", "F1", "F2", "F3"], "failover"), world.taken_over())
    assert status.health is Health.MID_PROCEDURE
    assert status.engines == ("camunda-london", "camunda-london-failover")
    assert [each.missing for each in status.partitions] == [(), (), (), ()]


def test_a_web_app_that_is_down_is_a_degradation() -> None:
    here = world.region(0, normal=world.installation(0, ready=0))
    status = judge(world.normal(), (here, world.whole()[1]))
    assert status.health is Health.DEGRADED
    facts = {"ready": 0, "wanted": 1, "workload": "camunda-operate", "namespace": "camunda-london"}
    assert_message(world.finding(status, "pods-not-ready").message, "pods-not-ready", **facts)


def test_one_broker_id_that_runs_in_two_namespaces_is_unsafe() -> None:
    here = world.taken_over()[0]
    there = world.region(1, normal=world.installation(1))
    status = judge(world.failing_over(["F0", "F1", "F2", "F3"], "failover"), (here, there))
    assert status.health is Health.UNSAFE
    twice = [each.message for each in status.findings if each.health is Health.UNSAFE]
    namespaces = ("camunda-london-failover", "camunda-paris")
    assert_message(twice[0], "broker-id-twice", broker=1, namespaces=namespaces)


def test_a_sleeping_broker_is_no_duplicate() -> None:
    status = judge(world.failing_back(["B0"], ["B1"]), world.returned())
    assert status.health is Health.MID_PROCEDURE


@pytest.mark.parametrize(
    ("unready", "health"),
    [([1], Health.MID_PROCEDURE), ([1, 3], Health.DEGRADED)],
)
def test_brokers_that_sleep_are_not_missed_when_the_phase_is_complete(
    unready: list[int], health: Health
) -> None:
    here = world.returned()[0]
    there = world.region(1, normal=world.installation(1, asleep=unready))
    complete = world.failing_back(["B0", "B2", "B3", "B4"], ["B1", "B4"])
    status = judge(complete, (here, there))
    assert status.health is health
    assert ("pods-not-ready" in world.codes(status)) is (3 in unready)


@pytest.mark.parametrize(
    ("stacks", "health"),
    [
        (world.failing_over(["F0", "F1", "F2", "F3"], "failover"), Health.UNSAFE),
        (world.failing_back(["B0"], []), Health.UNSAFE),
        (world.failing_back(["B0"], ["B1"]), Health.MID_PROCEDURE),
        (world.failing_back(["B0", "B2", "B3", "B4"], ["B1", "B4"]), Health.MID_PROCEDURE),
        (
            world.failing_back(["B0", "B2", "B3", "B4", "B5"], ["B1", "B4", "B5"], "restored"),
            Health.UNSAFE,
        ),
    ],
)
def test_paused_exporters_are_unsafe_outside_b2_to_b5(stacks: Both, health: Health) -> None:
    status = judge(stacks, world.returned("PAUSED"))
    assert status.health is health
    assert world.finding(status, "exporters-paused").health is health


@pytest.mark.parametrize(
    ("stacks", "phase", "softly"),
    [
        (world.normal(), "PAUSED", False),
        (world.normal(), "SOFT_PAUSED", True),
        (world.failing_over(["F0", "F1", "F2", "F3"], "failover"), "SOFT_PAUSED", True),
    ],
)
def test_a_pause_that_no_failback_has_made_is_that_of_a_backup(
    stacks: Both, phase: str, softly: bool
) -> None:
    status = judge(stacks, world.returned(phase))
    assert status.paused_in_backup is not None
    facts = {"softly": softly, "where": messages.paused_on(4, 4)}
    found = world.finding(status, "exporters-paused-in-backup")
    assert found.health is Health.DEGRADED
    assert_message(found.message, "exporters-paused-in-backup", **facts)
    assert status.next is not None
    assert_message(status.next.what, "resume-exporting")
    assert "/camunda-zeebe-gateway:9600/proxy/actuator/exporting/resume" in status.next.command


def test_a_soft_pause_in_a_failback_is_unsafe() -> None:
    """Soft and then hard leaves a flag with which a partition does not start any more."""
    status = judge(world.failing_back(["B0"], []), world.returned("SOFT_PAUSED"))
    assert world.finding(status, "exporters-paused").health is Health.UNSAFE


def test_the_gravest_finding_comes_first() -> None:
    status = judge(world.normal(), (world.unreachable(0), world.unreachable(1)))
    assert [each.health for each in status.findings] == [
        Health.CANNOT_TELL,
        *[Health.DEGRADED] * 2,
    ]


def test_stacks_that_contradict_each_other_are_unsafe() -> None:
    stacks = (world.stack(0, "failover", 1), world.stack(1, "failover", 0))
    status = judge(stacks, world.whole())
    assert status.health is Health.UNSAFE
    unsafe = [each.message for each in status.findings if each.health is Health.UNSAFE]
    for stack, message in zip(("region0", "region1"), unsafe, strict=True):
        assert_message(message, "lost-regions-differ", of_stack=stack)


def test_nothing_is_called_healthy_that_could_not_be_observed() -> None:
    status = judge(world.normal(), (world.unreachable(0), world.unreachable(1)))
    assert status.health is Health.CANNOT_TELL
    here = world.region(0, normal=Result(error=not_in_time()))
    assert judge(world.normal(), (here, world.whole()[1])).health is Health.CANNOT_TELL


def test_locks_and_pending_operations_are_found() -> None:
    lock = Lock("ada", "desk", 7, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    first, second = world.normal()
    first = replace(
        first, locks=(lock,), state=replace(first.state, pending=("creating failover",))
    )
    status = judge((first, second), world.whole())
    assert status.health is Health.MID_PROCEDURE
    locked = world.finding(status, "run-under-way").message
    assert_message(locked, "run-under-way", stack="region0", lock=str(lock))
    pending = world.finding(status, "operations-pending").message
    assert_message(pending, "operations-pending", operations=("creating failover",))


def test_lag_is_what_one_search_engine_is_behind_the_other() -> None:
    region_statuses = (
        world.region(0, normal=world.installation(0, highest=100)),
        world.region(1, normal=world.installation(1, highest=75)),
    )
    status = judge(world.normal(), region_statuses)
    assert [each.lag for each in status.partitions] == [25, 25, 25, 25]
    unknown = judge(world.normal(), (region_statuses[0], world.unreachable(1)))
    assert [each.lag for each in unknown.partitions] == [None] * 4


def test_the_phase_is_the_one_further_on() -> None:
    stacks = world.failing_over([])[0], world.normal()[1]
    assert judge(stacks, world.whole()).phase is Phase.FAILOVER
    assert (
        judge(stacks, world.whole()).region_statuses[0].installations[Kind.NORMAL].value is not None
    )


UNKNOWN = {
    "view": "gateway-unknown",
    "records": "records-unknown",
    "exporting": "exporting-unknown",
}


@pytest.mark.parametrize(("part", "code"), UNKNOWN.items())
def test_nothing_is_called_healthy_of_which_a_part_is_unknown(part: str, code: str) -> None:
    there = world.region(1, normal=world.unanswered(world.installation(1), part))
    status = judge(world.normal(), (world.whole()[0], there))
    assert status.health is Health.CANNOT_TELL
    first = next(each.message for each in status.findings)
    assert_message(first, code, namespace="camunda-paris", reason=not_in_time())


def test_amid_the_procedure_a_part_that_is_unknown_is_found_too() -> None:
    here = world.returned()[0]
    there = world.region(1, normal=world.unanswered(world.installation(1, asleep=[1]), "records"))
    status = judge(world.failing_back(["B0"], ["B1"]), (here, there))
    assert status.health is Health.MID_PROCEDURE
    assert UNKNOWN["records"] in world.codes(status)


def test_an_installation_that_is_gone_is_a_degradation() -> None:
    there = world.region(1, normal=Result(None), failover=Result(None))
    status = judge(world.normal(), (world.whole()[0], there))
    assert status.health is Health.DEGRADED
    gone = world.finding(status, "installation-gone").message
    assert_message(gone, "installation-gone", region="paris", kind="normal")


def test_where_a_broker_runs_is_known_by_its_pod_and_not_by_its_advertised_address() -> None:
    assert namespaces_of_brokers(world.whole()) == {
        0: "camunda-london",
        1: "camunda-paris",
        2: "camunda-london",
        3: "camunda-paris",
    }
    assert namespaces_of_brokers(world.taken_over())[1] == "camunda-london-failover"


def by_cluster_api(stacks: Both) -> Both:
    """Return the same stacks of a Camunda whose gateways are in the brokers, and which adds brokers again."""
    first, second = (
        replace(each, settings=each.settings.model_copy(update={"camunda_version": "8.8"}))
        for each in stacks
    )
    return first, second


@pytest.mark.parametrize(
    ("proved", "is_told"),
    [(("B0", "B2", "B3", "B4"), False), (("B0", "B2", "B3", "B4", "B6"), True)],
)
def test_a_gateway_that_can_have_no_ready_broker_yet_is_nothing_unknown(
    proved: tuple[str, ...], is_told: bool
) -> None:
    """By cluster API the recreated brokers are outside until they are added, and with them their gateway."""
    here = world.region(0, normal=world.installation(0, view=world.view_of((0, 2))))
    outside = world.unanswered(world.installation(1, asleep=(1, 3)), "view")
    stacks = by_cluster_api(world.failing_back(proved, ["B1"]))
    status = judge(stacks, (here, world.region(1, normal=outside)))
    told = [each.message.code for each in status.findings]
    assert ("gateway-unknown" in told) == is_told
    assert "pods-not-ready" not in told or is_told
