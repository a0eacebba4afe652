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
from messages import Message
from messages.observed import brokers as messages
from tests.fakes.kubernetes import partition_states, topology
from tests.raising import assert_same

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
    ("hosts", "seen"),
    [
        pytest.param(NORMAL, [1, 3, 5, 7], id="all of them"),
        pytest.param(SURVIVORS | {7: PARIS}, [7], id="one of them"),
        pytest.param(SURVIVORS, None, id="gone"),
        pytest.param({}, None, id="nothing seen"),
        pytest.param({7: LONDON}, [7], id="known by its id, wherever its address seems to be"),
    ],
)
def test_whether_a_lost_region_is_still_visible(
    hosts: dict[int, str], seen: list[int] | None
) -> None:
    reason = still_visible(view(hosts), (1, 3, 5, 7))
    assert (None if reason is None else reason.facts["brokers"]) == seen


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
    hosts = [f"camunda-zeebe-{each}.eu-west-3.zeebe.example.com" for each in (0, 1)]
    assert_same(still_visible(advertised, (1, 3)), messages.still_visible([1, 3], hosts))
    assert not_joined(advertised, (1,)) is None


@pytest.mark.parametrize(
    ("hosts", "ready", "expected"),
    [
        pytest.param(SURVIVORS, (0, 2, 4, 6), None, id="sees all"),
        pytest.param(NORMAL, (0, 2), None, id="sees more"),
        pytest.param({0: LONDON}, (), None, id="sees one that is not ready"),
        pytest.param(
            {0: LONDON, 2: LONDON},
            (0, 4, 6),
            messages.ready_brokers_unseen([4, 6]),
            id="forgot some",
        ),
        pytest.param({}, (), messages.no_broker_seen(), id="sees none"),
        pytest.param({1: PARIS}, (), messages.no_broker_seen(), id="sees others only"),
    ],
)
def test_whether_it_proves_anything_that_a_gateway_does_not_see_a_broker(
    hosts: dict[int, str], ready: tuple[int, ...], expected: Message | None
) -> None:
    assert_same(blind(view(hosts), (0, 2, 4, 6), ready), expected)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        pytest.param(FAILED_OVER, None, id="joined"),
        pytest.param(
            SURVIVORS | {1: FAILOVER}, messages.brokers_not_joined([5]), id="one is missing"
        ),
        pytest.param(SURVIVORS, messages.brokers_not_joined([1, 5]), id="both are missing"),
    ],
)
def test_whether_failover_brokers_joined_under_the_lost_ids(
    hosts: dict[int, str], expected: Message | None
) -> None:
    assert_same(not_joined(view(hosts), (1, 5)), expected)


@pytest.mark.parametrize(
    ("hosts", "size", "expected"),
    [
        pytest.param(NORMAL, 8, None, id="everybody, each where it belongs"),
        pytest.param(NORMAL | {1: FAILOVER}, 8, None, id="everybody, wherever it runs"),
        pytest.param(NORMAL, 4, None, id="more than wanted"),
        pytest.param({}, 4, messages.brokers_not_joined([0, 1, 2, 3]), id="none"),
        pytest.param(FAILED_OVER, 8, messages.brokers_not_joined([3, 7]), id="half a region"),
    ],
)
def test_which_of_all_brokers_are_missing(
    hosts: dict[int, str], size: int, expected: Message | None
) -> None:
    assert_same(missing_brokers(view(hosts), size), expected)


ALL = [*range(1, 9)]


@pytest.mark.parametrize(
    ("found", "healthy", "expected"),
    [
        pytest.param(view(NORMAL), 4, None, id="complete"),
        pytest.param(view(FAILED_OVER), 3, None, id="quorum after failover"),
        pytest.param(
            view(FAILED_OVER),
            4,
            messages.too_few_healthy_replicas(ALL, [3] * 8, 4),
            id="not complete",
        ),
        pytest.param(
            view(SURVIVORS), 3, messages.too_few_healthy_replicas(ALL, [2] * 8, 3), id="no quorum"
        ),
        pytest.param(
            view(FAILED_OVER, leaderless=(3, 8)), 3, messages.no_leader([3, 8]), id="no leader"
        ),
        pytest.param(
            view(NORMAL, unhealthy=(7,)),
            4,
            messages.too_few_healthy_replicas([5, 6, 7, 8], [3] * 4, 4),
            id="an unhealthy replica",
        ),
        pytest.param(view({}), 3, messages.no_leader(ALL), id="nothing"),
    ],
)
def test_whether_every_partition_is_ready(
    found: ClusterView, healthy: int, expected: Message | None
) -> None:
    reason = partitions_not_ready(found, partition_count=8, healthy_replicas=healthy)
    assert_same(reason, expected)


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
    assert_same(changed, messages.leader_changed(3, "paris/zeebe-0", "london/zeebe-0"))


def leader(
    exported: int, processed: int, phase: str = "EXPORTING", partition: int = 1
) -> Exporting:
    return Exporting("camunda-london/camunda-zeebe-0", partition, True, phase, exported, processed)


def in_phase(phase: str | None, expected: str, ordinal: int = 0, partition: int = 1) -> Message:
    pod = f"camunda-london/camunda-zeebe-{ordinal}"
    return messages.exporter_in_other_phase(partition, pod, phase, expected)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param([leader(11, 20)], None, id="moved"),
        pytest.param([leader(10, 20)], messages.exporter_stands_still(1, 10), id="stays"),
        pytest.param([leader(10, 10)], None, id="nothing left to export"),
        pytest.param(
            [leader(5, 20)], messages.exporter_stands_still(1, 5), id="a new leader that is behind"
        ),
        pytest.param(
            [leader(-1, -1)], messages.exporter_stands_still(1, -1), id="nothing known yet"
        ),
        pytest.param([leader(11, 20, "PAUSED")], in_phase("PAUSED", "EXPORTING"), id="paused"),
        pytest.param([leader(11, 20, "")], in_phase(None, "EXPORTING"), id="being installed"),
        pytest.param([], messages.leader_not_among(1), id="no leader"),
        pytest.param(
            [Exporting("p", 1, False, "EXPORTING", 99, 99)],
            messages.leader_not_among(1),
            id="only a follower moves",
        ),
    ],
)
def test_whether_exporting_is_stuck(states: list[Exporting], expected: Message | None) -> None:
    assert_same(exporting_stuck({1: 10}, states, (1,)), expected)


def test_every_stuck_partition_is_named_with_its_own_reason() -> None:
    states = [leader(11, 20), leader(10, 20, partition=2), leader(11, 20, "PAUSED", partition=3)]
    assert_same(
        exporting_stuck({1: 10, 2: 10, 3: 10}, states, range(1, 5)),
        messages.several_reasons(
            [
                messages.exporter_stands_still(2, 10),
                in_phase("PAUSED", "EXPORTING", partition=3),
                messages.leader_not_among(4),
            ]
        ),
    )


def test_a_partition_unknown_before_has_not_moved_for_all_that_was_seen() -> None:
    assert_same(exporting_stuck({}, [leader(4, 5)], (1,)), messages.exporter_stands_still(1, 4))
    assert exporting_stuck({}, [leader(5, 5)], (1,)) is None


def replicas(*phases: str, partition: int = 1) -> list[Exporting]:
    """Return what the brokers that hold a partition say of it; the first one leads."""
    return [
        Exporting(f"camunda-london/camunda-zeebe-{each}", partition, each == 0, phase, 5, 9)
        for each, phase in enumerate(phases)
    ]


PAUSED = ["PAUSED"] * 4


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param(replicas(*PAUSED) + replicas(*PAUSED, partition=2), None, id="all"),
        pytest.param(
            replicas(*PAUSED) + replicas("PAUSED", "PAUSED", "EXPORTING", "PAUSED", partition=2),
            in_phase("EXPORTING", "PAUSED", ordinal=2, partition=2),
            id="a follower goes on: it may lead next",
        ),
        pytest.param(
            replicas("SOFT_PAUSED", *PAUSED[1:]) + replicas(*PAUSED, partition=2),
            in_phase("SOFT_PAUSED", "PAUSED"),
            id="paused in another way",
        ),
        pytest.param(
            replicas("", *PAUSED[1:]) + replicas(*PAUSED, partition=2),
            in_phase(None, "PAUSED"),
            id="being installed",
        ),
        pytest.param(
            replicas(*PAUSED[1:]) + replicas(*PAUSED, partition=2),
            messages.replicas_asked(1, 3, 4),
            id="a broker was not asked",
        ),
        pytest.param(
            replicas(*PAUSED),
            messages.replicas_asked(2, 0, 4),
            id="none was asked about a partition",
        ),
        pytest.param(
            replicas(*PAUSED, "PAUSED") + replicas(*PAUSED, partition=2),
            messages.replicas_asked(1, 5, 4),
            id="two brokers with one id",
        ),
        pytest.param(
            replicas("EXPORTING", *PAUSED[1:]) + replicas(*PAUSED[1:], partition=2),
            messages.several_reasons(
                [in_phase("EXPORTING", "PAUSED"), messages.replicas_asked(2, 3, 4)]
            ),
            id="every problem is told",
        ),
    ],
)
def test_whether_every_replica_is_in_a_phase(
    states: list[Exporting], expected: Message | None
) -> None:
    assert_same(not_all_in(states, "PAUSED", partition_count=2, replication_factor=4), expected)


def test_whether_every_replica_exports_again() -> None:
    states = replicas("EXPORTING", "PAUSED", "EXPORTING", "EXPORTING")
    assert_same(
        not_all_in(states, "EXPORTING", partition_count=1, replication_factor=4),
        in_phase("PAUSED", "EXPORTING", ordinal=1),
    )


@pytest.mark.parametrize(
    ("phases", "paused"),
    [
        (("EXPORTING", "EXPORTING"), None),
        (("", "EXPORTING"), None),
        ((), None),
        (("EXPORTING", "PAUSED"), (1, "PAUSED")),
        (("SOFT_PAUSED",), (0, "SOFT_PAUSED")),
    ],
    ids=["nowhere", "being installed", "none asked", "a follower", "soft"],
)
def test_whether_exporters_are_paused_anywhere(
    phases: tuple[str, ...], paused: tuple[int, str] | None
) -> None:
    expected = paused and messages.exporters_paused_on(
        f"camunda-london/camunda-zeebe-{paused[0]}", paused[1], [1]
    )
    assert_same(paused_anywhere(replicas(*phases)), expected)


def test_partitions_that_are_paused_on_one_broker_are_named_together() -> None:
    states = replicas("PAUSED", partition=2) + replicas("PAUSED", "SOFT_PAUSED")
    pods = [f"camunda-london/camunda-zeebe-{each}" for each in (0, 1)]
    assert_same(
        paused_anywhere(states),
        messages.several_reasons(
            [
                messages.exporters_paused_on(pods[0], "PAUSED", [1, 2]),
                messages.exporters_paused_on(pods[1], "SOFT_PAUSED", [1]),
            ]
        ),
    )
