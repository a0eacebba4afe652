"""Every check of the drill holds on answers shaped as the real ones, and fails when they are wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from drill.check import Check
from drill.checks import checks, previews
from drill.errors import ClusterCallFailed
from drill.observation.cluster import activated_instances, highest_positions, instances_query
from drill.regions import (
    REGIONS,
    brokers_after_failover,
    brokers_in_failback,
    brokers_in_normal,
    quorum,
)
from sandbox.regions.model import regions as sandbox_regions

LONDON, PARIS = REGIONS

Json = dict[str, Any]


def broker(id_: int, ordinal: int, namespace: str, leads: int) -> Json:
    """One broker as the gateway's /v1/topology of 8.5 lists it."""
    return {
        "nodeId": id_,
        "host": f"camunda-zeebe-{ordinal}.camunda-zeebe.{namespace}.svc",
        "port": 26501,
        "partitions": [
            {
                "partitionId": partition,
                "role": "leader" if partition == leads else "follower",
                "health": "healthy",
            }
            for partition in range(1, 5)
        ],
        "version": "8.5.8",
    }


def failover_topology() -> Json:
    """Region 1 lost at size 4: brokers 0 and 2 live, broker 1 is replaced, partition 4 led by broker 2."""
    listed = [
        broker(0, 0, "camunda-london", leads=1),
        broker(1, 0, "camunda-london-failover", leads=2),
        broker(2, 1, "camunda-london", leads=3),
    ]
    listed[2]["partitions"][3]["role"] = "leader"
    return {
        "brokers": listed,
        "clusterSize": 4,
        "partitionsCount": 4,
        "replicationFactor": 4,
        "gatewayVersion": "8.5.8",
    }


def test_names_are_those_of_the_sandbox(tmp_path: Any) -> None:
    for ours, real in zip(REGIONS, sandbox_regions(tmp_path), strict=True):
        assert (ours.index, ours.city, ours.context) == (real.index, real.name, real.context)
        assert (ours.namespace, ours.failover_namespace) == real.camunda_namespaces
        assert ours.pod_cidr == real.range


def test_expected_brokers_are_those_of_the_procedure() -> None:
    assert brokers_in_normal(4).namespace_of == {
        0: "camunda-london",
        1: "camunda-paris",
        2: "camunda-london",
        3: "camunda-paris",
    }
    # The example output of the procedure: size 8, region 1 lost.
    assert brokers_after_failover(8, 1).namespace_of == {
        0: "camunda-london",
        1: "camunda-london-failover",
        2: "camunda-london",
        4: "camunda-london",
        5: "camunda-london-failover",
        6: "camunda-london",
    }
    assert brokers_after_failover(4, 0).namespace_of == {
        0: "camunda-paris-failover",
        1: "camunda-paris",
        3: "camunda-paris",
    }
    # While the recreated region's even ordinals sleep, all ids are there.
    assert brokers_in_failback(8, 1).namespace_of == brokers_after_failover(8, 1).namespace_of | {
        3: "camunda-paris",
        7: "camunda-paris",
    }
    assert brokers_in_failback(4, 0).namespace_of == {
        0: "camunda-paris-failover",
        1: "camunda-paris",
        2: "camunda-london",
        3: "camunda-paris",
    }
    assert quorum(4) == 3


def test_topology_after_failover_holds() -> None:
    check = checks.topology_is(failover_topology(), brokers_after_failover(4, 1), 4)
    assert check.ok, check.detail


def remove_failover_broker(topology: Json) -> None:
    del topology["brokers"][1]


def add_lost_broker(topology: Json) -> None:
    topology["brokers"].append(broker(3, 1, "camunda-paris", leads=0))


def lost_host_again(topology: Json) -> None:
    topology["brokers"][1]["host"] = "camunda-zeebe-0.camunda-zeebe.camunda-paris.svc"


def survivor_instead_of_failover(topology: Json) -> None:
    topology["brokers"][1]["host"] = "camunda-zeebe-0.camunda-zeebe.camunda-london.svc"


def fewer_partitions(topology: Json) -> None:
    topology["partitionsCount"] = 3


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (remove_failover_broker, "broker 1 is missing"),
        (add_lost_broker, "broker 3 is unexpected"),
        (lost_host_again, "not in namespace camunda-london-failover"),
        (survivor_instead_of_failover, "not in namespace camunda-london-failover"),
        (fewer_partitions, "3 partitions instead of 4"),
    ],
)
def test_topology_check_fails(spoil: Callable[[Json], None], says: str) -> None:
    topology = failover_topology()
    spoil(topology)
    check = checks.topology_is(topology, brokers_after_failover(4, 1), 4)
    assert not check.ok
    assert says in check.detail


def test_quorum_holds_with_three_of_four_members() -> None:
    check = checks.partitions_are_led(failover_topology(), 4, quorum(4))
    assert check.ok, check.detail
    assert not checks.partitions_are_led(failover_topology(), 4, 4).ok


def no_leader(topology: Json) -> None:
    topology["brokers"][1]["partitions"][1]["role"] = "follower"


def two_leaders(topology: Json) -> None:
    topology["brokers"][0]["partitions"][1]["role"] = "leader"


def unhealthy_member(topology: Json) -> None:
    topology["brokers"][0]["partitions"][1]["health"] = "unhealthy"


def just_joined(topology: Json) -> None:
    """A broker that has only just joined is told of without its partitions."""
    del topology["brokers"][1]["partitions"]


def leaderless(topology: Json) -> None:
    topology["brokers"] = []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (no_leader, "partition 2 has no leader"),
        (two_leaders, "partition 2 has 2 leaders"),
        (unhealthy_member, "partition 2 has 2 healthy members"),
        (just_joined, "partition 2 has no leader"),
        (leaderless, "partition 4 has no leader"),
    ],
)
def test_quorum_check_fails(spoil: Callable[[Json], None], says: str) -> None:
    topology = failover_topology()
    spoil(topology)
    check = checks.partitions_are_led(topology, 4, quorum(4))
    assert not check.ok
    assert says in check.detail


@pytest.mark.parametrize(("seen", "ok"), [({1, 2, 3, 4}, True), ({1, 2, 4}, False), (set(), False)])
def test_commands_must_be_accepted_on_every_partition(seen: set[int], ok: bool) -> None:
    check = checks.commands_accepted(seen, 4, "after the failover")
    assert check.ok is ok
    assert ok or "partition 3 accepted none" in check.detail


@pytest.mark.parametrize(("moved", "ok"), [({1, 2, 3, 4}, True), ({1, 3, 4}, False)])
def test_positions_must_move_on_every_partition(moved: set[int], ok: bool) -> None:
    check = checks.positions_moving(moved, 4, "after the failover")
    assert check.ok is ok
    assert ok or check.detail == "partition 2 stands still"


@pytest.mark.parametrize(
    ("acknowledged", "found", "ok", "says"),
    [
        ({1, 2}, {1, 2, 3}, True, "2 acknowledged, all found"),
        ({1, 2, 3}, {1}, False, "2 of 3 are missing, e.g. 2, 3"),
        (set(), set(), False, "nothing is proved"),
        (set(range(9)), set(), False, "0, 1, 2, 3, 4 and 4 more"),
    ],
)
def test_instances_kept(acknowledged: set[int], found: set[int], ok: bool, says: str) -> None:
    check = checks.instances_kept(acknowledged, found, "the search engine of camunda-london")
    assert check.ok is ok
    assert says in check.detail


def broker_pod(namespace: str, region1: str = "camunda-london-failover", uid: str = "u") -> Json:
    url = "http://camunda-elasticsearch-master-hl.{}.svc.cluster.local:9200"
    name = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION{}_ARGS_URL"
    return {
        "metadata": {"name": "camunda-zeebe-0", "namespace": namespace, "uid": uid},
        "spec": {
            "containers": [
                {
                    "name": "zeebe",
                    "env": [
                        {
                            "name": "K8S_NAME",
                            "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
                        },
                        {"name": name.format(1), "value": url.format("camunda-paris")},
                        {"name": name.format(0), "value": url.format("camunda-london")},
                        {"name": name.format(1), "value": url.format(region1)},
                    ],
                }
            ]
        },
        "status": {"containerStatuses": [{"name": "zeebe", "restartCount": 0}]},
    }


ENGINES = {0: "camunda-london", 1: "camunda-london-failover"}


def test_exporters_point_at_both_engines_the_last_entry_counting() -> None:
    pods = [broker_pod("camunda-london"), broker_pod("camunda-london-failover")]
    check = checks.exporters_point_at(pods, ENGINES)
    assert check.ok, check.detail


def test_exporters_check_fails_for_an_old_address_or_no_pod() -> None:
    old = checks.exporters_point_at([broker_pod("camunda-london", "camunda-paris")], ENGINES)
    assert not old.ok
    assert "exports for region 1 to http" in old.detail
    # camunda-london must not pass for camunda-london-failover
    prefix = checks.exporters_point_at([broker_pod("camunda-london", "camunda-london")], ENGINES)
    assert not prefix.ok
    assert not checks.exporters_point_at([], ENGINES).ok


def survivor_outputs() -> Json:
    record = {"title": "t", "start": "s", "end": "e", "seconds": "7.1", "evidence": "{}"}
    return {
        "phase": "failover",
        "role": "survivor",
        "progress": ["F1", "F2", "F3"],
        "record": {step: {"step": step, **record} for step in ("F1", "F2", "F3")},
    }


def test_stack_outputs_hold() -> None:
    outputs = survivor_outputs()
    assert checks.stack_says(outputs, LONDON, "failover", "survivor").ok
    proved = checks.steps_are_proved(outputs, LONDON, ("F1", "F2", "F3"))
    assert proved.ok
    assert proved.detail == "F1 7.1 s, F2 7.1 s, F3 7.1 s"


def test_stack_outputs_fail_for_another_phase_role_or_missing_step() -> None:
    assert not checks.stack_says(survivor_outputs(), LONDON, "normal", "survivor").ok
    assert not checks.stack_says(survivor_outputs(), LONDON, "failover", "lost").ok
    assert not checks.stack_says({}, LONDON, "failover", "lost").ok


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"progress": ["F1", "F2"]}, "progress lacks F3"),
        ({"waitingFor": "region paris"}, "it still waits for: region paris"),
        ({"record": {}}, "the record of F1 lacks start"),
        ({"record": None, "progress": None}, "progress lacks F1"),
    ],
)
def test_unproved_steps_fail(change: Json, says: str) -> None:
    check = checks.steps_are_proved(survivor_outputs() | change, LONDON, ("F1", "F2", "F3"))
    assert not check.ok
    assert says in check.detail


WAITING = {"waitingFor": "region paris is left", "waiting": {"code": "reachable", "region": 1}}


@pytest.mark.parametrize(
    ("status", "outputs", "ok"),
    [
        (0, WAITING, True),
        (1, WAITING, False),
        (0, {}, False),
        (0, {"waitingFor": "region paris does not answer", "waiting": None}, False),
        (0, {"waiting": {"code": "taken-over", "region": 0}}, False),
    ],
)
def test_lost_stack_must_end_well_and_say_why(status: int, outputs: Json, ok: bool) -> None:
    assert checks.lost_stack_is_no_dead_end(status, outputs).ok is ok


@pytest.mark.parametrize(
    ("status", "output", "ok"),
    [
        pytest.param(
            255, "lostRegion is 1 (paris), but that region is not lost.", True, id="refused"
        ),
        pytest.param(0, "that region is not lost", False, id="said, but not refused"),
        pytest.param(255, "no kubeconfig", False, id="failed for another reason"),
    ],
)
def test_a_failover_of_a_living_region_must_be_refused(status: int, output: str, ok: bool) -> None:
    assert previews.healthy_region_is_refused(status, output).ok is ok


# The layout is that of `pulumi preview --diff --non-interactive` 3.259.0.
PREVIEW = """Previewing update (region0):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
            + kubernetes:core/v1:Namespace: (create)
                [urn=urn:pulumi:region0::p::dualregion:index:Camunda$kubernetes:core/v1:Namespace::failover]
                kind      : "Namespace"
                metadata  : {
                    name: "camunda-london-failover"
                }
            + kubernetes:core/v1:ConfigMap: (create)
                data      : {
                    step: "F1"
                }
                metadata  : {
                    name     : "dual-region-f1"
                }
            + kubernetes:helm.sh/v3:Release: (create)
                namespace: "camunda-london-failover"
                values: {
                    global: {
                        multiregion: {
                            installationType: "failOver"
            + kubernetes:core/v1:ConfigMap: (create)
                metadata  : {
                    name     : "dual-region-f2"
            ~ kubernetes:helm.sh/v3:Release: (update)
                [id=camunda-london/camunda]
              ~ values: {
                  ~ zeebe: {
                      ~ env: [
                          ~ [7]: {
                              ~ value: "http://e.camunda-paris.svc.cluster.local:9200" => "http://e.camunda-london-failover.svc.cluster.local:9200"
            + kubernetes:core/v1:ConfigMap: (create)
                metadata  : {
                    name     : "dual-region-f3"
Resources:
    + 6 to create
    ~ 1 to update
"""


def test_preview_shows_what_is_to_come() -> None:
    check = previews.preview_shows(PREVIEW, LONDON, ("F1", "F2", "F3"))
    assert check.ok, check.detail


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("core/v1:Namespace: (create)", "core/v1:Namespace: (same)", "namespace camunda-london"),
        ('"failOver"', '""', "installation type failOver"),
        ("dual-region-f2", "dual-region-x", "gate F2"),
        ('=> "http://e.camunda-london-failover', '=> "http://e.camunda-paris', "new address"),
    ],
)
def test_preview_check_fails(old: str, new: str, says: str) -> None:
    check = previews.preview_shows(PREVIEW.replace(old, new), LONDON, ("F1", "F2", "F3"))
    assert not check.ok
    assert says in check.detail


def test_no_change_needs_a_clean_exit() -> None:
    assert previews.no_change(0, 2.2).ok
    assert not previews.no_change(255, 2.2).ok


def test_nothing_restarted() -> None:
    pods = [broker_pod("camunda-london"), broker_pod("camunda-london-failover")]
    assert checks.nothing_restarted(0, pods, copy.deepcopy(pods)).ok


def restarted(pods: list[Json]) -> None:
    pods[0]["status"]["containerStatuses"][0]["restartCount"] = 1


def replaced(pods: list[Json]) -> None:
    pods[1]["metadata"]["uid"] = "another"


def gone(pods: list[Json]) -> None:
    del pods[0]


def added(pods: list[Json]) -> None:
    pods.append(broker_pod("elsewhere"))


@pytest.mark.parametrize("spoil", [restarted, replaced, gone, added])
def test_nothing_restarted_fails(spoil: Callable[[list[Json]], None]) -> None:
    before = [broker_pod("camunda-london"), broker_pod("camunda-london-failover")]
    after = copy.deepcopy(before)
    spoil(after)
    assert not checks.nothing_restarted(0, before, after).ok


def test_nothing_restarted_needs_a_clean_exit_and_pods() -> None:
    pods = [broker_pod("camunda-london")]
    assert not checks.nothing_restarted(1, pods, pods).ok
    assert not checks.nothing_restarted(0, [], []).ok


@pytest.mark.parametrize("spoil", [restarted, replaced, gone])
def test_a_broker_that_reopening_restarted_fails(spoil: Callable[[list[Json]], None]) -> None:
    before = [broker_pod("camunda-london"), broker_pod("camunda-london-failover")]
    after = copy.deepcopy(before)
    assert checks.brokers_kept(before, after).ok
    spoil(after)
    assert not checks.brokers_kept(before, after).ok
    assert not checks.brokers_kept([], after).ok


def test_leftovers_fail() -> None:
    assert checks.nothing_left([]).ok
    left = checks.nothing_left(["process 7: etcd"])
    assert left == Check(left.name, False, "process 7: etcd")


def search_answer() -> Json:
    """As a real engine answered for one process instance."""
    source = {"value": {"bpmnElementType": "PROCESS"}, "key": 2251799813685251}
    hits = [
        {"_source": {"intent": "ELEMENT_ACTIVATING", **source}},
        {"_source": {"intent": "ELEMENT_ACTIVATED", **source}},
    ]
    return {"timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": hits}}


def test_only_activated_processes_count_as_kept() -> None:
    assert activated_instances(search_answer()) == {2251799813685251}
    activating = search_answer()
    del activating["hits"]["hits"][1]
    assert activated_instances(activating) == set()
    task = search_answer()
    task["hits"]["hits"][1]["_source"]["value"]["bpmnElementType"] = "SERVICE_TASK"
    assert activated_instances(task) == set()
    assert activated_instances({"timed_out": False, "_shards": {"failed": 0}}) == set()


@pytest.mark.parametrize("wrong", [{"timed_out": True}, {"_shards": {"failed": 1}}])
def test_a_partial_search_answer_proves_nothing(wrong: Json) -> None:
    with pytest.raises(ClusterCallFailed):
        activated_instances(search_answer() | wrong)


def test_the_search_has_room_for_every_record_of_every_key() -> None:
    query = instances_query([1, 2, 3])
    assert query["size"] >= 3 * 2
    assert query["query"]["bool"]["filter"] == [{"terms": {"key": [1, 2, 3]}}]


def test_positions_are_the_highest_of_all_brokers() -> None:
    leader = {"role": "LEADER", "exporterPhase": "EXPORTING", "exportedPosition": 3000}
    follower = {"role": "FOLLOWER", "exporterPhase": "EXPORTING", "exportedPosition": 2900}
    silent = {"role": "INACTIVE", "exportedPosition": None}
    found = highest_positions(
        [{"1": leader, "2": follower}, {"1": follower, "2": leader, "3": silent}]
    )
    assert found == {1: 3000, 2: 3000}
