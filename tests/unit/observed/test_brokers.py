"""Broker ids, partitions and quorum: pinned against the procedure's own example and by brute force.

Everything else trusts this arithmetic: a wrong id means two brokers with one identity, a wrong
quorum a failover that ends without service. So it is checked against what `zbctl status` prints in
the operational procedure (size 8, region 1 lost), against the chart's formulae as they stand in its
start script, and as invariants over all sizes that a user may reasonably set.
"""

import itertools

import pytest

from dualregion import brokers
from messages.observed import brokers as messages
from tests.raising import assert_same

SIZES = range(4, 25, 2)
LOST = (0, 1)

PROCEDURE_TOPOLOGY = {
    0: {1, 6, 7, 8},
    1: {1, 2, 7, 8},
    2: {1, 2, 3, 8},
    4: {2, 3, 4, 5},
    5: {3, 4, 5, 6},
    6: {4, 5, 6, 7},
}
"""Partitions by broker id, as the procedure's verification of step 2 lists them."""


def held_by(broker: int, size: int, partitions: int, factor: int) -> set[int]:
    return {
        partition
        for partition in range(1, partitions + 1)
        if broker in brokers.replicas(partition, size, factor)
    }


def test_the_failover_of_the_procedures_example_runs_the_brokers_it_lists() -> None:
    assert set(brokers.alive_after_failover(8, lost_region=1)) == set(PROCEDURE_TOPOLOGY)
    assert brokers.failover_broker_ids(8, lost_region=1) == (1, 5)


@pytest.mark.parametrize("broker", PROCEDURE_TOPOLOGY)
def test_partitions_lie_where_the_procedures_example_shows_them(broker: int) -> None:
    assert held_by(broker, 8, 8, 4) == PROCEDURE_TOPOLOGY[broker]


@pytest.mark.parametrize(
    ("size", "lost", "survivors", "taken_over"),
    [
        pytest.param(4, 1, (0, 2), (1,), id="size 4, region 1 lost"),
        pytest.param(4, 0, (1, 3), (0,), id="size 4, region 0 lost"),
        pytest.param(8, 1, (0, 2, 4, 6), (1, 5), id="size 8, region 1 lost"),
        pytest.param(8, 0, (1, 3, 5, 7), (0, 4), id="size 8, region 0 lost"),
        pytest.param(12, 0, (1, 3, 5, 7, 9, 11), (0, 4, 8), id="size 12, region 0 lost"),
    ],
)
def test_ids_in_order_of_the_pods(
    size: int, lost: int, survivors: tuple[int, ...], taken_over: tuple[int, ...]
) -> None:
    assert brokers.region_broker_ids(size, brokers.other(lost)) == survivors
    assert brokers.failover_broker_ids(size, lost) == taken_over


@pytest.mark.parametrize(
    ("factor", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (8, 5)]
)
def test_quorum_is_more_than_half(factor: int, needed: int) -> None:
    assert brokers.quorum(factor) == needed


def test_replicas_wrap_around_the_end_of_the_cluster() -> None:
    assert brokers.replicas(1, 8, 4) == (0, 1, 2, 3)
    assert brokers.replicas(6, 8, 4) == (5, 6, 7, 0)
    assert brokers.replicas(9, 8, 4) == (0, 1, 2, 3)


@pytest.mark.parametrize("lost", LOST)
def test_six_brokers_with_four_replicas_are_the_trap_that_the_reference_script_misses(
    lost: int,
) -> None:
    alive = brokers.alive_after_failover(6, lost)
    stuck = brokers.partitions_without_quorum(
        alive, cluster_size=6, partition_count=6, replication_factor=4
    )
    assert stuck == ((3, 4) if lost == 1 else (2, 3))
    assert brokers.replicas(4, 6, 4) == (3, 4, 5, 0)


@pytest.mark.parametrize("size", SIZES)
def test_both_regions_share_all_ids_and_failover_brokers_use_only_lost_ones(size: int) -> None:
    first, second = (brokers.region_broker_ids(size, region) for region in (0, 1))
    assert sorted(first + second) == list(range(size))
    for lost in LOST:
        taken_over = brokers.failover_broker_ids(size, lost)
        assert set(taken_over) <= set(brokers.region_broker_ids(size, lost))
        assert len(taken_over) == brokers.failover_broker_count(size)
        alive = brokers.alive_after_failover(size, lost)
        assert len(set(alive)) == len(alive), "a broker id would run twice"
        assert list(alive) == sorted(alive)


@pytest.mark.parametrize("size", SIZES)
def test_sleeping_brokers_of_a_failback_are_those_that_failover_brokers_stand_in_for(
    size: int,
) -> None:
    """The chart lets even ordinals sleep in failBack: theirs are the ids that run in failover."""
    for lost in LOST:
        asleep = brokers.region_broker_ids(size, lost)[::2]
        assert set(brokers.failover_broker_ids(size, lost)) <= set(asleep)
        if size % 4 == 0:
            assert brokers.failover_broker_ids(size, lost) == asleep


@pytest.mark.parametrize("size", SIZES)
def test_partitions_are_spread_evenly_and_each_broker_is_counted_once(size: int) -> None:
    for factor in range(1, size + 1):
        for partition in (1, 2, size - 1, size, size + 1, 3 * size):
            held = brokers.replicas(partition, size, factor)
            assert len(set(held)) == factor
            assert set(held) <= set(range(size))
        held_counts = {len(held_by(broker, size, size, factor)) for broker in range(size)}
        assert held_counts == {factor}


@pytest.mark.parametrize("size", SIZES)
def test_quorum_judgement_agrees_with_counting_live_replicas(size: int) -> None:
    for lost, factor in itertools.product(LOST, range(1, size + 1)):
        for alive in (
            brokers.region_broker_ids(size, brokers.other(lost)),
            brokers.alive_after_failover(size, lost),
            tuple(range(size)),
        ):
            count = size + 3
            stuck = brokers.partitions_without_quorum(
                alive, cluster_size=size, partition_count=count, replication_factor=factor
            )
            for partition in range(1, count + 1):
                live = sum((partition - 1 + offset) % size in alive for offset in range(factor))
                assert (partition in stuck) == (2 * live <= factor)


@pytest.mark.parametrize("size", SIZES)
def test_four_replicas_lose_quorum_with_a_region_and_regain_it_only_if_four_divides_the_size(
    size: int,
) -> None:
    for lost in LOST:
        alone = brokers.region_broker_ids(size, brokers.other(lost))
        together = brokers.alive_after_failover(size, lost)
        stuck_alone, stuck_together = (
            brokers.partitions_without_quorum(
                alive, cluster_size=size, partition_count=size, replication_factor=4
            )
            for alive in (alone, together)
        )
        assert stuck_alone == tuple(range(1, size + 1))
        assert bool(stuck_together) == (size % 4 != 0)


@pytest.mark.parametrize("size", [4, 8, 12, 16])
@pytest.mark.parametrize("lost", LOST)
def test_the_procedures_four_replicas_forget_no_acknowledged_command(size: int, lost: int) -> None:
    """Two of four replicas survive, one at least knows the command, and two of three must agree."""
    assert not brokers.partitions_at_risk(
        lost, cluster_size=size, partition_count=2 * size, replication_factor=4
    )


def test_one_replica_is_forgotten_with_its_broker() -> None:
    assert brokers.partitions_at_risk(
        1, cluster_size=4, partition_count=4, replication_factor=1
    ) == (2, 4)


@pytest.mark.parametrize("size", SIZES)
def test_more_brokers_never_cost_a_partition_its_quorum(size: int) -> None:
    for lost, factor in itertools.product(LOST, range(1, size + 1)):
        alive: set[int] = set()
        stuck_before = set(range(1, size + 1))
        for broker in brokers.alive_after_failover(size, lost):
            alive.add(broker)
            stuck = set(
                brokers.partitions_without_quorum(
                    alive, cluster_size=size, partition_count=size, replication_factor=factor
                )
            )
            assert stuck <= stuck_before
            stuck_before = stuck


def test_a_distribution_that_was_sorted_as_texts_is_held_against_both_losses() -> None:
    """Zeebe did so until 8.4, and a cluster keeps the distribution that it began with."""
    order = sorted(range(12), key=str)
    holders = {
        partition: [order[(partition - 1 + offset) % 12] for offset in range(4)]
        for partition in range(1, 13)
    }
    for lost, held in (
        (0, {2: [1, 2, 10, 11], 3: [2, 3, 10, 11]}),
        (1, {3: [2, 3, 10, 11], 4: [2, 3, 4, 11]}),
    ):
        expected = messages.no_quorum_after_failover(
            lost, [*held], [messages.held_by(*each) for each in held.items()]
        )
        assert_same(brokers.failover_problem(lost, 12, holders), expected)


@pytest.mark.parametrize("size", [4, 8, 12, 16])
def test_a_new_clusters_distribution_is_fit_for_both_losses(size: int) -> None:
    holders = brokers.computed_holders(size, size, 4)
    assert [brokers.failover_problem(lost, size, holders) for lost in (0, 1)] == [None, None]


def test_copies_that_may_forget_what_was_acknowledged_are_named() -> None:
    found = brokers.failover_problem(1, 8, {1: [0, 1, 3, 5], 2: [0, 2]})
    expected = messages.acknowledged_may_be_lost(1, [1], [messages.held_by(1, [0, 1, 3, 5])])
    assert_same(found, expected)


@pytest.mark.parametrize("size", [4, 6, 8, 10, 12])
@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize(("factor", "is_safe"), [(2, True), (4, True), (3, False), (6, False)])
def test_who_is_left_after_a_removal_knows_what_was_acknowledged(
    size: int, lost: int, factor: int, is_safe: bool
) -> None:
    """By trial of every way in which a command can have been acknowledged, and every majority that elects a leader."""
    if factor > size:
        return
    holders = brokers.computed_holders(size, size, factor)
    left = set(brokers.staying(size, lost))
    forgets = set()
    for partition, held_by in holders.items():
        group = left & set(held_by)
        majorities = list(itertools.combinations(group, len(group) // 2 + 1))
        for acknowledged in itertools.combinations(held_by, brokers.quorum(factor)):
            if not group or any(set(each).isdisjoint(acknowledged) for each in majorities):
                forgets.add(partition)
    assert set(brokers.partitions_at_risk_of_removal(lost, size, holders)) == forgets
    assert (not forgets) == is_safe
