"""Brokers that are lost, restarted, or start on an empty disk under an old id."""

import time

from tests.contract.asking import (
    accepted,
    create_on_each,
    deployed,
    half,
    incomplete,
    leaders,
    partition_ids,
    probe_all,
    readiness,
    refusing,
    replicas_of,
    seen,
    topology,
    unready,
    watch,
    whole,
)
from tests.contract.expectations import (
    GATEWAY_SETTINGS,
    HEALTH,
    MEMBERSHIP,
    OURS,
    READINESS,
    SEEN,
    expected,
)
from tests.contract.target import Need, Target, ask, eventually

_ROLLOUT = ("clients/cluster/pods.py", "steps/releases/rollout.py")


@expected(
    Need.RESTART,
    relied_on=("clients/zeebe.py", "drill/observation/load/load.py"),
    sources=(SEEN,),
    quirk="dead-connection",
)
def the_first_command_after_a_restart_waits_on_a_dead_connection(target: Target) -> None:
    """The first command to a leader that has restarted waits some 10 s and fails; the connection is renewed then."""
    for _ in range(3):
        before = leaders(target)
        target.hands.stop(*target.brokers)
        target.hands.start(*target.brokers)
        eventually(lambda: incomplete(target), target.timing.patience)
        after = leaders(target)
        answers = probe_all(target)
        least = 0.8 * target.timing.dead_connection
        same = [each for each in before if before[each] == after.get(each)]
        waited = [
            each for each in same if not accepted(answers[each]) and answers[each].seconds >= least
        ]
        eventually(
            lambda: refusing(target), target.timing.patience + 3 * target.timing.dead_connection
        )
        if waited:
            return
        assert not same, f"no command waited: {answers}"
    raise AssertionError("every partition had another leader after each restart: try again")


@expected(
    Need.KILL,
    relied_on=("dualregion/observed/zeebe_answers.py", "steps/actions.py"),
    sources=(GATEWAY_SETTINGS, MEMBERSHIP, SEEN),
    quirk="member-timeout",
)
def a_lost_broker_leaves_the_topology_after_the_time_out(target: Target) -> None:
    """A broker that was killed stays in the topology until the membership's time-out, and is gone then."""
    lost, began = max(target.brokers), time.monotonic()
    target.hands.kill(lost)
    still = target.timing.member_timeout - (time.monotonic() - began)
    watch(still, lambda: None if lost in seen(target) else f"broker {lost} is gone already")
    within = target.timing.member_timeout_most - (time.monotonic() - began)
    eventually(lambda: f"broker {lost} is still seen" if lost in seen(target) else None, within)


@expected(
    Need.RESTART,
    relied_on=_ROLLOUT,
    sources=(HEALTH, READINESS),
    quirk="quorum-readiness",
)
def a_broker_is_not_ready_without_quorum(target: Target) -> None:
    """A broker that starts alone stays unready (503) until each of its partitions has a leader."""
    one, *others = sorted(target.brokers)
    target.hands.stop(*target.brokers)
    target.hands.start(one)
    eventually(lambda: None if readiness(target, one) else "no answer", target.timing.patience)
    watch(3.0, lambda: None if readiness(target, one) == 503 else "ready without quorum")
    target.hands.start(*others)
    eventually(lambda: incomplete(target), target.timing.patience)


@expected(Need.KILL, relied_on=_ROLLOUT, sources=(READINESS, SEEN))
def a_ready_broker_stays_ready_without_quorum(target: Target) -> None:
    """A broker that was ready stays so while there is no leader: else it would leave its service at each election."""
    one, *others = sorted(target.brokers)
    target.hands.kill(*others)
    watch(3.0, lambda: None if readiness(target, one) == 200 else "not ready any more")


@expected(
    Need.RESTART,
    relied_on=("clients/zeebe.py", "steps/actions.py"),
    sources=(HEALTH, SEEN),
    quirk="ready-before-commands",
    switch_off=("dead-connection",),
)
def ready_brokers_need_not_accept_commands_yet(target: Target) -> None:
    """When all brokers say that they are ready after a restart, some partition still refuses commands."""
    for _ in range(2):
        target.hands.stop(*target.brokers)
        target.hands.start(*target.brokers)
        eventually(lambda: unready(target), target.timing.patience, 0.02)
        refused = [each for each in probe_all(target).values() if not accepted(each)]
        if refused:
            return
        whole(target)
    raise AssertionError("commands were accepted as soon as all brokers were ready")


@expected(Need.OURS, relied_on=("steps/releases/rollout.py",), sources=(OURS,))
def a_broker_ends_soon_while_others_are_gone(target: Target) -> None:
    """A broker that is told to end does so within seconds, also while half of the brokers are gone: each restart waits for it."""
    gone = half(list(target.brokers))
    target.hands.kill(*gone)
    eventually(
        lambda: "they are in sight" if seen(target) & set(gone) else None,
        target.timing.member_timeout_most,
    )
    for broker in sorted(set(target.brokers) - set(gone)):
        began = time.monotonic()
        target.hands.stop(broker)
        assert time.monotonic() - began < 5, (
            f"broker {broker} took {time.monotonic() - began:.0f} s"
        )


@expected(relied_on=("clients/cluster/pods.py",), sources=(HEALTH, READINESS))
def health_is_up_on_a_whole_cluster(target: Target) -> None:
    """Startup, readiness and liveness are 200 with status `UP`, on each broker; readiness on the gateway, too."""
    for url in target.brokers.values():
        for name in ("startup", "readiness", "liveness"):
            answer = ask("GET", f"{url}/actuator/health/{name}")
            assert answer.status == 200, f"{url} {name}: {answer}"
            assert answer.content["status"] == "UP", f"{url} {name}: {answer}"
    answer = ask("GET", f"{target.gateway.management}/actuator/health/readiness")
    assert answer.status == 200, answer


@expected(Need.KILL, relied_on=("drill/checks/audit.py",), sources=(SEEN,))
def half_of_the_brokers_back_is_quorum_again(target: Target) -> None:
    """Without half of the brokers nothing is led; when they are back, every partition accepts commands."""
    gone = half(list(target.brokers))
    target.hands.kill(*gone)
    eventually(lambda: None if refusing(target) else "commands are accepted", 30)
    target.hands.start(*gone)
    whole(target)


@expected(Need.WIPE, relied_on=("dualregion/brokers.py", "steps/failback.py"), sources=(SEEN,))
def an_empty_broker_under_an_old_id_catches_up(target: Target) -> None:
    """A broker that starts on an empty disk under an old id joins and gets all that the others have."""
    process, emptied = deployed(target), max(target.brokers)
    target.hands.stop(emptied)
    create_on_each(target, process)
    target.hands.wipe(emptied)
    target.hands.start(emptied)
    _caught_up(target, emptied)


@expected(
    Need.MOVE,
    relied_on=("dualregion/brokers.py", "dualregion/observed/zeebe_answers.py"),
    sources=(OURS,),
)
def a_failover_broker_joins_at_another_address(target: Target) -> None:
    """Two lost brokers' ids join again from empty disks at other addresses, while no partition has quorum."""
    process, gone = deployed(target), half(list(target.brokers))
    create_on_each(target, process)
    target.hands.kill(*gone)
    target.hands.wipe(*gone)
    for broker in gone:
        target.ours.move(broker)
    target.hands.start(*gone)
    moved = target.ours.target()
    whole(moved)
    hosts = {broker["nodeId"]: broker["host"] for broker in topology(moved)["brokers"]}
    assert hosts == moved.hosts
    for broker in gone:
        _caught_up(moved, broker)
    create_on_each(moved, process)


def _caught_up(target: Target, broker: int) -> None:
    whole(target)
    held = {each.partition for each in replicas_of(target, broker)}
    assert held, f"broker {broker} holds no partition"
    others = {
        each.partition: each.processed
        for other in target.brokers
        if other != broker
        for each in replicas_of(target, other)
        if each.role == "LEADER"
    }

    def behind() -> str | None:
        late = [
            each
            for each in replicas_of(target, broker)
            if each.processed < others.get(each.partition, 0)
        ]
        return f"behind {others}: {late}" if late else None

    eventually(behind, 30)
    assert held <= set(partition_ids(target))
