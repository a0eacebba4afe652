"""Brokers that are removed by force and added again, from 8.6 on: a failover and a failback."""

from collections.abc import Iterable

from tests.contract.asking import (
    accepted,
    create_on_each,
    demand,
    deployed,
    incomplete,
    order,
    partition_ids,
    probe,
    probe_all,
    readiness,
    refused,
    refusing,
    replicas_of,
    topology,
)
from tests.contract.cluster_api import (
    add,
    cluster,
    distribution,
    done,
    fail_over,
    keep,
    lose,
    members,
    outside,
    pending,
    recreate,
)
from tests.contract.expectations import (
    BOOTSTRAP,
    BOOTSTRAP_RACE,
    CLUSTER_SCALING,
    COORDINATOR_CHOICE,
    DUAL_REGION,
    DUAL_REGION_8_9,
    EXPORTING_STATE,
    FORCED,
    FORCED_DESIGN,
    JOIN,
    OURS,
    PAUSING,
    READINESS,
    REASSIGN,
    SHUTDOWN,
    expected,
)
from tests.contract.target import Need, Target, ask, eventually

_USED_BY = ("tests",)
_ALL = ("8.7", "8.9", "8.10")


@expected(
    Need.KILL,
    relied_on=_USED_BY,
    sources=(DUAL_REGION, FORCED),
    versions=_ALL,
    changes_members=True,
)
def lost_brokers_are_removed_by_force(target: Target) -> None:
    """Half of the brokers lost and removed by force: the others lead all partitions where they are, and count for size and replication factor."""
    process, before = deployed(target), distribution(cluster(target)["brokers"])
    create_on_each(target, process)
    gone, kept, surviving = fail_over(target, 1)
    assert members(surviving) == kept
    after = distribution(cluster(surviving)["brokers"])
    for partition, priorities in before.items():
        assert after[partition] == {b: p for b, p in priorities.items() if b not in gone}
    seen = topology(surviving)
    assert seen["clusterSize"] == len(kept), seen
    assert seen["replicationFactor"] == len(kept), seen
    create_on_each(surviving, process)


@expected(
    Need.KILL,
    relied_on=_USED_BY,
    sources=(COORDINATOR_CHOICE, DUAL_REGION),
    versions=_ALL,
    changes_members=True,
)
def without_the_coordinator_only_a_forced_removal_is_answered(target: Target) -> None:
    """With broker 0 lost, the cluster's and the exporters' list answer 502 or 504; a forced removal is answered by the lowest that remains."""
    _, kept, surviving = lose(target, 0)
    for path in ("cluster", "exporters"):
        answer = ask("GET", f"{surviving.gateway.management}/actuator/{path}")
        assert answer.status in (502, 504), answer
    answer = keep(surviving, kept, dry_run=True)
    assert answer.status == 202, answer
    planned = answer.content["plannedChanges"]
    removals = [each for each in planned if each["operation"] == "BROKER_REMOVE"]
    assert {each["brokerId"] for each in removals} == {kept[0]}, planned
    done(surviving, keep(surviving, kept))
    assert members(surviving) == kept
    eventually(lambda: refusing(surviving), surviving.timing.patience)


@expected(
    Need.KILL,
    Need.RESTART,
    relied_on=_USED_BY,
    sources=(FORCED_DESIGN, DUAL_REGION),
    versions=("8.7", "8.10"),
    changes_members=True,
)
def after_a_removal_no_broker_may_fail(target: Target) -> None:
    """Two replicas that are left are a quorum of two: with one of them gone no partition accepts commands, until it is back."""
    _, kept, surviving = fail_over(target, 1)
    target.hands.stop(kept[1])
    answers = probe_all(surviving)
    assert not any(map(accepted, answers.values())), answers
    target.hands.start(kept[1])
    eventually(
        lambda: refusing(surviving),
        surviving.timing.patience + 3 * surviving.timing.dead_connection,
    )


@expected(
    Need.KILL,
    Need.WIPE,
    relied_on=_USED_BY,
    sources=(DUAL_REGION, READINESS),
    versions=_ALL,
    changes_members=True,
)
def a_recreated_broker_is_listed_and_no_member(target: Target) -> None:
    """An empty broker under a removed id is listed with no partitions; members, size and version stay; ready from 8.10 on only."""
    gone, kept, surviving = fail_over(target, 1)
    before = cluster(surviving)
    recreate(surviving, gone)
    after = cluster(surviving)
    assert after == before
    assert topology(surviving)["clusterSize"] == len(kept)
    wanted = 200 if target.version == "8.10" else 503
    for broker in gone:
        eventually(lambda b=broker: _unlike(readiness(target, b), wanted), 30)  # type: ignore[misc]
        assert replicas_of(target, broker) == []


@expected(
    Need.KILL,
    Need.WIPE,
    Need.OURS,
    relied_on=_USED_BY,
    sources=(DUAL_REGION, REASSIGN, JOIN),
    versions=_ALL,
    changes_members=True,
)
def added_brokers_get_back_what_they_had(target: Target) -> None:
    """Lost ids that are added with the old replication factor join their old partitions, with the old priorities, and get all data."""
    process, before = deployed(target), distribution(cluster(target)["brokers"])
    gone, _, surviving = fail_over(target, 1)
    create_on_each(surviving, process)
    recreate(surviving, gone)
    factor = len(next(iter(before.values())))
    planned = add(surviving, gone, factor, dry_run=True).content["plannedChanges"]
    assert {each["operation"] for each in planned} <= {
        "BROKER_ADD",
        "PARTITION_JOIN",
        "PARTITION_RECONFIGURE_PRIORITY",
    }, planned
    done(surviving, add(surviving, gone, factor))
    assert distribution(cluster(surviving)["brokers"]) == before
    eventually(lambda: incomplete(target), target.timing.patience)
    eventually(lambda: _unequal(target, target.brokers), target.timing.slack)


@expected(
    Need.KILL,
    Need.WIPE,
    relied_on=_USED_BY,
    sources=(DUAL_REGION, SHUTDOWN, COORDINATOR_CHOICE),
    versions=_ALL,
    changes_members=True,
)
def broker_0_comes_back_as_any_other(target: Target) -> None:
    """Broker 0 on an empty disk ends up outside of the cluster that removed it, whatever it began; once added it coordinates again."""
    gone, kept, surviving = fail_over(target, 0)
    before = cluster(surviving)
    recreate(surviving, gone)
    assert cluster(surviving) == before
    done(surviving, add(surviving, gone, len(target.brokers)))
    assert members(target) == sorted(target.brokers)
    eventually(lambda: incomplete(target), target.timing.patience)
    assert set(kept) < set(members(target))


@expected(
    Need.KILL,
    Need.OURS,
    relied_on=_USED_BY,
    sources=(SHUTDOWN, FORCED_DESIGN),
    versions=("8.7", "8.10"),
    changes_members=True,
)
def a_removed_broker_that_comes_back_ends_with_status_3(target: Target) -> None:
    """A removed broker that starts on its old disk learns that it is no member, ends with status 3, and starts again outside."""
    gone, _, surviving = fail_over(target, 1)
    before = cluster(surviving)
    target.hands.start(*gone)
    eventually(lambda: _have_not_ended(target, gone), 30)
    eventually(lambda: outside(surviving, gone), 30)
    assert cluster(surviving) == before
    assert refusing(surviving) is None
    done(surviving, add(surviving, gone, len(target.brokers)))
    eventually(lambda: incomplete(target), target.timing.patience)


@expected(
    Need.FREEZE,
    Need.OURS,
    relied_on=_USED_BY,
    sources=(SHUTDOWN, FORCED_DESIGN),
    versions=("8.7", "8.10"),
    changes_members=True,
)
def a_removed_broker_that_lives_ends_with_status_3(target: Target) -> None:
    """Brokers that were cut off and removed, and are in sight again, lead nothing, and end with status 3 as soon as they hear of it."""
    process = deployed(target)
    gone, kept, surviving = fail_over(target, 1, alive=True)
    create_on_each(surviving, process)
    before = cluster(surviving)
    target.hands.thaw(*gone)
    eventually(lambda: _have_not_ended(target, gone), 30)
    assert cluster(surviving) == before
    create_on_each(surviving, process)
    eventually(lambda: _unequal(target, kept), target.timing.slack)


@expected(
    Need.KILL,
    Need.OURS,
    relied_on=_USED_BY,
    sources=(OURS, JOIN, CLUSTER_SCALING),
    versions=("8.7", "8.10"),
    changes_members=True,
)
def a_join_takes_its_time_and_one_replica_joins_at_a_time(target: Target) -> None:
    """While a replica joins, it is `JOINING` in the configuration, one at a time, and commands are accepted."""
    gone, _, surviving = fail_over(target, 1)
    target.ours.configure(REHEARSAL_JOIN="1s")
    recreate(surviving, gone)
    answer = add(surviving, gone, len(target.brokers))
    assert answer.status == 202, answer
    seen_joining: set[int] = set()
    first = next(iter(partition_ids(surviving)))

    def joining() -> str | None:
        brokers = cluster(surviving)["brokers"]
        now = [p["id"] for b in brokers for p in b["partitions"] if p["state"] == "JOINING"]
        assert len(now) <= 1, now
        seen_joining.update(now)
        assert accepted(probe(surviving, first))
        return pending(surviving)

    eventually(joining, 60)
    assert len(seen_joining) > 1, seen_joining


@expected(
    Need.KILL,
    Need.OURS,
    relied_on=_USED_BY,
    sources=(PAUSING, JOIN),
    versions=("8.7", "8.9"),
    changes_members=True,
)
def a_pause_is_refused_in_the_midst_of_an_add(target: Target) -> None:
    """Up to 8.9 a pause is refused while some partitions have more replicas than others."""
    gone, _, surviving = fail_over(target, 1)
    target.ours.configure(REHEARSAL_JOIN="1s")
    recreate(surviving, gone)
    answer = add(surviving, gone, len(target.brokers))
    eventually(lambda: None if refused(order(surviving, "pause")) else "accepted", 30)
    done(surviving, answer)
    demand(surviving, "resume")


@expected(
    Need.KILL,
    Need.WIPE,
    Need.FAULTS,
    relied_on=_USED_BY,
    sources=(BOOTSTRAP, BOOTSTRAP_RACE),
    versions=("8.9",),
    changes_members=True,
)
def an_empty_broker_0_may_begin_a_second_cluster(target: Target) -> None:
    """Up to 8.9 a recreated broker 0 that meets an empty broker first begins a new cluster; both end with status 3 when they meet the old one."""
    gone, kept, surviving = fail_over(target, 0)
    before = cluster(surviving)
    for broker in kept:
        ask("PUT", f"{target.brokers[broker]}/rehearsal/faults", {"cut": gone})
    target.hands.wipe(*gone)
    target.hands.start(*gone)
    eventually(lambda: _unlike(len(members(target.through(0))), len(target.brokers)), 20)
    assert refusing(surviving) is None
    for broker in kept:
        ask("PUT", f"{target.brokers[broker]}/rehearsal/faults", {})
    eventually(lambda: _have_not_ended(target, gone), 30)
    eventually(lambda: outside(surviving, gone), 30)
    assert cluster(surviving) == before
    assert refusing(surviving) is None


@expected(
    Need.KILL,
    Need.WIPE,
    relied_on=_USED_BY,
    sources=(EXPORTING_STATE, JOIN),
    versions=("8.10",),
    changes_members=True,
)
def a_replica_that_joins_during_a_pause_is_paused(target: Target) -> None:
    """From 8.10 on a replica that joins takes over the partition's exporting state."""
    gone, _, surviving = fail_over(target, 1)
    recreate(surviving, gone)
    demand(surviving, "pause")
    done(surviving, add(surviving, gone, len(target.brokers)))
    for broker in gone:
        assert {each.phase for each in replicas_of(target, broker)} == {"PAUSED"}


@expected(relied_on=_USED_BY, sources=(DUAL_REGION_8_9,), versions=("8.9", "8.10"))
def every_broker_is_a_gateway(target: Target) -> None:
    """From 8.8 on a broker serves 26500, 8080 and the gateway's management endpoints itself."""
    for broker in target.gateways or {0: target.gateway}:
        here = target.through(broker)
        assert topology(here)["clusterSize"] == len(target.brokers)
        assert members(here) == sorted(target.brokers)
        assert accepted(probe(here, 1))


def _have_not_ended(target: Target, gone: list[int]) -> str | None:
    """Return that not all of these brokers have ended with status 3, as removed ones do; None if they have."""
    has_ended = all(target.ours.exit_status(each) == 3 for each in gone)
    return None if has_ended else "they have not ended"


def _unequal(target: Target, brokers: Iterable[int]) -> str | None:
    """Return what brokers hold if that is not the same instances."""
    held = [ask("GET", f"{target.brokers[each]}/rehearsal/instances").content for each in brokers]
    return None if all(each == held[0] for each in held) else f"instances: {held}"


def _unlike(number: int, wanted: int) -> str | None:
    return None if number == wanted else f"{number}, not {wanted}"
