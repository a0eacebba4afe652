"""What the clusters say, and how it is judged: the proofs of the gates, on answers of real shape.

Each judgement is a reason or None, and both must be reachable: a proof that cannot fail proves
nothing. Answers are as Zeebe 8.5's gateway and brokers give them.
"""

from typing import Any

import pytest

from dualregion.observed.zeebe_answers import (
    ClusterView,
    Exporting,
    blind,
    deposed,
    exported_positions,
    exporting_of,
    exporting_stuck,
    has_quorum,
    missing_brokers,
    not_all_in,
    not_joined,
    partitions_not_ready,
    paused_anywhere,
    still_visible,
)
from tests.fakes.kubernetes import partition_states, topology

LONDON, PARIS, FAILOVER = "camunda-london", "camunda-paris", "camunda-london-failover"
SURVIVORS = {0: LONDON, 2: LONDON, 4: LONDON, 6: LONDON}
FAILED_OVER = SURVIVORS | {1: FAILOVER, 5: FAILOVER}
NORMAL = SURVIVORS | {1: PARIS, 3: PARIS, 5: PARIS, 7: PARIS}


def view(hosts: dict[int, str], **changes: Any) -> ClusterView:
    return ClusterView.of(topology(hosts, **changes))


def test_the_gateways_answer_is_read() -> None:
    answer = {
        "brokers": [
            {
                "nodeId": 0,
                "host": "camunda-zeebe-0.camunda-zeebe.camunda-london.svc",
                "port": 26501,
                "partitions": [
                    {"partitionId": 1, "role": "leader", "health": "healthy"},
                    {"partitionId": 2, "role": "FOLLOWER", "health": "UNHEALTHY"},
                    {"partitionId": 3, "role": "inactive", "health": "dead"},
                ],
                "version": "8.5.8",
            }
        ],
        "clusterSize": 4,
        "partitionsCount": 4,
        "replicationFactor": 4,
        "gatewayVersion": "8.5.8",
    }
    (broker,) = ClusterView.of(answer).brokers
    assert (broker.id, broker.host) == (0, "camunda-zeebe-0.camunda-zeebe.camunda-london.svc")
    assert [(copy.partition, copy.is_leader, copy.healthy) for copy in broker.replicas] == [
        (1, True, True),
        (2, False, False),
        (3, False, False),
    ]


@pytest.mark.parametrize("answer", [{}, {"brokers": None}, {"brokers": []}])
def test_a_gateway_that_sees_no_broker_is_an_empty_view(answer: dict[str, Any]) -> None:
    assert ClusterView.of(answer) == ClusterView()


def test_a_broker_that_has_only_just_joined_has_no_partitions() -> None:
    found = ClusterView.of({"brokers": [{"nodeId": 3, "host": "h", "partitions": None}]})
    assert found.ids == {3}
    assert found.brokers[0].replicas == ()


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        pytest.param(NORMAL, "the gateway still sees broker 1 (camunda-zeebe-0.", id="all of them"),
        pytest.param(SURVIVORS | {7: PARIS}, "broker 7 (camunda-zeebe-0.", id="one of them"),
        pytest.param(SURVIVORS, None, id="gone"),
        pytest.param({}, None, id="nothing seen"),
        pytest.param(
            {7: LONDON}, "broker 7 ", id="known by its id, wherever its address seems to be"
        ),
    ],
)
def test_whether_a_lost_region_is_still_visible(hosts: dict[int, str], told: str | None) -> None:
    reason = still_visible(view(hosts), (1, 3, 5, 7))
    assert reason is None if told is None else reason is not None and told in reason


def test_all_brokers_still_visible_are_named() -> None:
    reason = still_visible(view(NORMAL), (1, 3, 5, 7))
    assert reason is not None
    assert all(f"{broker} (camunda-zeebe-" in reason for broker in (1, 3, 5, 7))


def test_brokers_are_known_by_their_ids_whatever_their_advertised_names() -> None:
    """A real report's names: no label of them is a namespace. Region 1 of it is not lost."""
    brokers = [
        {
            "nodeId": number,
            "host": f"camunda-zeebe-{number // 2}.eu-west-{2 + number % 2}.zeebe.example.com",
            "port": 26501,
            "partitions": [{"partitionId": 1, "role": "follower", "health": "healthy"}],
        }
        for number in range(4)
    ]
    advertised = ClusterView.of({"brokers": brokers, "clusterSize": 4})
    assert still_visible(advertised, (1, 3)) == (
        "the gateway still sees broker 1 (camunda-zeebe-0.eu-west-3.zeebe.example.com), "
        "3 (camunda-zeebe-1.eu-west-3.zeebe.example.com)"
    )
    assert not_joined(advertised, (1,)) is None


@pytest.mark.parametrize(
    ("hosts", "ready", "told"),
    [
        pytest.param(SURVIVORS, (0, 2, 4, 6), None, id="sees all"),
        pytest.param(NORMAL, (0, 2), None, id="sees more"),
        pytest.param({0: LONDON}, (), None, id="sees one that is not ready"),
        pytest.param({0: LONDON, 2: LONDON}, (0, 4, 6), "broker 4, 6 of its own", id="forgot some"),
        pytest.param({}, (), "sees no broker of its own region", id="sees none"),
        pytest.param({1: PARIS}, (), "sees no broker of its own region", id="sees others only"),
    ],
)
def test_whether_it_proves_anything_that_a_gateway_does_not_see_a_broker(
    hosts: dict[int, str], ready: tuple[int, ...], told: str | None
) -> None:
    reason = blind(view(hosts), (0, 2, 4, 6), ready)
    assert reason is None if told is None else reason is not None and told in reason


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        pytest.param(FAILED_OVER, None, id="joined"),
        pytest.param(SURVIVORS | {1: FAILOVER}, "broker 5 not in", id="one is missing"),
        pytest.param(SURVIVORS, "broker 1, 5 not in", id="both are missing"),
    ],
)
def test_whether_failover_brokers_joined_under_the_lost_ids(
    hosts: dict[int, str], told: str | None
) -> None:
    reason = not_joined(view(hosts), (1, 5))
    assert reason is None if told is None else reason is not None and told in reason


@pytest.mark.parametrize(
    ("hosts", "size", "told"),
    [
        pytest.param(NORMAL, 8, None, id="everybody, each where it belongs"),
        pytest.param(NORMAL | {1: FAILOVER}, 8, None, id="everybody, wherever it runs"),
        pytest.param(NORMAL, 4, None, id="more than wanted"),
        pytest.param({}, 4, "broker 0, 1, 2, 3 not in the topology yet", id="none"),
        pytest.param(FAILED_OVER, 8, "broker 3, 7 not in the topology yet", id="half a region"),
    ],
)
def test_which_of_all_brokers_are_missing(
    hosts: dict[int, str], size: int, told: str | None
) -> None:
    assert missing_brokers(view(hosts), size) == told


@pytest.mark.parametrize(
    ("found", "healthy", "told"),
    [
        pytest.param(view(NORMAL), 4, None, id="complete"),
        pytest.param(view(FAILED_OVER), 3, None, id="quorum after failover"),
        pytest.param(
            view(FAILED_OVER), 4, "healthy replicas of partition 1: 3 of 4", id="not complete"
        ),
        pytest.param(view(SURVIVORS), 3, "healthy replicas of partition 1: 2 of 3", id="no quorum"),
        pytest.param(
            view(FAILED_OVER, leaderless=(3, 8)), 3, "partition 3, 8 has no leader", id="no leader"
        ),
        pytest.param(
            view(NORMAL, unhealthy=(7,)), 4, "partition 5: 3 of 4", id="an unhealthy replica"
        ),
        pytest.param(view({}), 3, "partition 1, 2, 3, 4, 5, 6, 7, 8 has no leader", id="nothing"),
    ],
)
def test_whether_every_partition_is_ready(
    found: ClusterView, healthy: int, told: str | None
) -> None:
    reason = partitions_not_ready(found, partition_count=8, healthy_replicas=healthy)
    if told is None:
        assert reason is None
    else:
        assert reason is not None
        assert told in reason


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (view(NORMAL), True),
        (view(FAILED_OVER), True),
        (view(FAILED_OVER, leaderless=(8,)), False),
        (view({}), False),
    ],
    ids=["normal", "failed over", "one leader missing", "nothing seen"],
)
def test_whether_there_is_a_quorum_to_lose(found: ClusterView, expected: bool) -> None:
    assert has_quorum(found, partition_count=8) is expected


def test_a_brokers_answer_is_read() -> None:
    answer = partition_states({1: "LEADER", 4: "FOLLOWER"}, exported=10, processed=12)
    assert exporting_of("camunda-zeebe-0", answer) == (
        Exporting("camunda-zeebe-0", 1, True, "EXPORTING", 10, 12),
        Exporting("camunda-zeebe-0", 4, False, "EXPORTING", 10, 12),
    )


def test_a_partition_that_is_being_installed_has_neither_phase_nor_positions() -> None:
    answer = {"2": {"role": None, "exporterPhase": None, "exportedPosition": None}}
    assert exporting_of("p", answer) == (Exporting("p", 2, False, "", -1, -1),)


def test_a_partition_has_exported_as_far_as_any_replica_knows() -> None:
    states = exporting_of("a", partition_states({1: "LEADER"}, exported=10)) + exporting_of(
        "b", partition_states({1: "FOLLOWER", 2: "FOLLOWER"}, exported=7)
    )
    assert exported_positions(states) == {1: 10, 2: 7}


def test_a_partition_that_another_broker_leads_is_told_and_one_without_leader_is_not() -> None:
    before = {1: "london/zeebe-0", 2: "london/zeebe-1", 3: "paris/zeebe-0"}
    assert deposed(before, before) is None
    assert deposed(before, {1: "london/zeebe-0", 3: "paris/zeebe-0"}) is None
    changed = deposed(before, before | {3: "london/zeebe-0"})
    assert changed == "partition 3 is led by london/zeebe-0 now, and was by paris/zeebe-0"


def leader(
    exported: int, processed: int, phase: str = "EXPORTING", partition: int = 1
) -> Exporting:
    return Exporting("camunda-zeebe-0", partition, True, phase, exported, processed)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        pytest.param([leader(11, 20)], None, id="moved"),
        pytest.param([leader(10, 20)], "partition 1: exported position stays at 10", id="stays"),
        pytest.param([leader(10, 10)], None, id="nothing left to export"),
        pytest.param([leader(5, 20)], "stays at 5", id="a new leader that is behind"),
        pytest.param([leader(-1, -1)], "stays at -1", id="nothing known yet"),
        pytest.param([leader(11, 20, "PAUSED")], "exporter is PAUSED", id="paused"),
        pytest.param([leader(11, 20, "")], "exporter is unknown", id="being installed"),
        pytest.param([], "partition 1: no leader among the brokers asked", id="no leader"),
        pytest.param(
            [Exporting("p", 1, False, "EXPORTING", 99, 99)], "no leader", id="only a follower moves"
        ),
    ],
)
def test_whether_exporting_is_stuck(states: list[Exporting], told: str | None) -> None:
    reason = exporting_stuck({1: 10}, states, (1,))
    if told is None:
        assert reason is None
    else:
        assert reason is not None
        assert told in reason


def test_every_stuck_partition_is_named_with_its_own_reason() -> None:
    states = [leader(11, 20), leader(10, 20, partition=2), leader(11, 20, "PAUSED", partition=3)]
    reason = exporting_stuck({1: 10, 2: 10, 3: 10}, states, range(1, 5))
    assert reason == (
        "partition 2: exported position stays at 10; partition 3: exporter is PAUSED; "
        "partition 4: no leader among the brokers asked"
    )


def test_a_partition_unknown_before_has_not_moved_for_all_that_was_seen() -> None:
    told = "partition 1: exported position stays at 4"
    assert exporting_stuck({}, [leader(4, 5)], (1,)) == told
    assert exporting_stuck({}, [leader(5, 5)], (1,)) is None


def replicas(*phases: str, partition: int = 1) -> list[Exporting]:
    """Return what the brokers that hold a partition say of it; the first one leads."""
    return [
        Exporting(f"camunda-london/camunda-zeebe-{each}", partition, each == 0, phase, 5, 9)
        for each, phase in enumerate(phases)
    ]


PAUSED = ["PAUSED"] * 4


@pytest.mark.parametrize(
    ("states", "told"),
    [
        pytest.param(replicas(*PAUSED) + replicas(*PAUSED, partition=2), None, id="all"),
        pytest.param(
            replicas(*PAUSED) + replicas("PAUSED", "PAUSED", "EXPORTING", "PAUSED", partition=2),
            "partition 2: camunda-london/camunda-zeebe-2 says EXPORTING, not PAUSED",
            id="a follower goes on: it may lead next",
        ),
        pytest.param(
            replicas("SOFT_PAUSED", *PAUSED[1:]) + replicas(*PAUSED, partition=2),
            "partition 1: camunda-london/camunda-zeebe-0 says SOFT_PAUSED, not PAUSED",
            id="paused in another way",
        ),
        pytest.param(
            replicas("", *PAUSED[1:]) + replicas(*PAUSED, partition=2),
            "partition 1: camunda-london/camunda-zeebe-0 says nothing yet, not PAUSED",
            id="being installed",
        ),
        pytest.param(
            replicas(*PAUSED[1:]) + replicas(*PAUSED, partition=2),
            "partition 1: 3 of 4 replicas were asked",
            id="a broker was not asked",
        ),
        pytest.param(
            replicas(*PAUSED),
            "partition 2: 0 of 4 replicas were asked",
            id="none was asked about a partition",
        ),
        pytest.param(
            replicas(*PAUSED, "PAUSED") + replicas(*PAUSED, partition=2),
            "partition 1: 5 of 4 replicas were asked",
            id="two brokers with one id",
        ),
        pytest.param(
            replicas("EXPORTING", *PAUSED[1:]) + replicas(*PAUSED[1:], partition=2),
            "partition 1: camunda-london/camunda-zeebe-0 says EXPORTING, not PAUSED; "
            "partition 2: 3 of 4 replicas were asked",
            id="every problem is told",
        ),
    ],
)
def test_whether_every_replica_is_in_a_phase(states: list[Exporting], told: str | None) -> None:
    assert not_all_in(states, "PAUSED", partition_count=2, replication_factor=4) == told


def test_whether_every_replica_exports_again() -> None:
    states = replicas("EXPORTING", "PAUSED", "EXPORTING", "EXPORTING")
    assert not_all_in(states, "EXPORTING", partition_count=1, replication_factor=4) == (
        "partition 1: camunda-london/camunda-zeebe-1 says PAUSED, not EXPORTING"
    )


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        (("EXPORTING", "EXPORTING"), None),
        (("", "EXPORTING"), None),
        ((), None),
        (("EXPORTING", "PAUSED"), "camunda-london/camunda-zeebe-1 says PAUSED of partition 1"),
        (("SOFT_PAUSED",), "camunda-london/camunda-zeebe-0 says SOFT_PAUSED of partition 1"),
    ],
    ids=["nowhere", "being installed", "none asked", "a follower", "soft"],
)
def test_whether_exporters_are_paused_anywhere(phases: tuple[str, ...], told: str | None) -> None:
    assert paused_anywhere(replicas(*phases)) == told
