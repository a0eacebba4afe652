"""What the drill expects, worked out apart from the program, and how it reads what clusters answer."""

from types import SimpleNamespace
from typing import Any

import pytest

from drill.errors import ClusterCallFailed
from drill.observation.cluster import (
    ClusterView,
    activated_instances,
    exporters_paused,
    highest_positions,
    instances_query,
)
from drill.observation.pods import is_ready
from drill.observation.records import not_exported, record_ids, records_query
from drill.regions import (
    REGIONS,
    brokers_after_failover,
    brokers_in_failback,
    brokers_in_normal,
    quorum,
)
from drill.scenario.late_flush import LateFlush
from drill.settings import Incident
from sandbox.regions.model import regions as sandbox_regions

Json = dict[str, Any]


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


@pytest.mark.parametrize(("lost", "partition"), [(1, 4), (0, 3)])
def test_the_broker_is_the_first_replica_of_its_partition(lost: int, partition: int) -> None:
    """Broker b is the first that stands for partition b + 1, and even ordinals sleep."""
    failback: Any = SimpleNamespace(incident=Incident(1, REGIONS[lost]))
    assert LateFlush(failback)._partition == partition
    assert LateFlush(failback)._pod == "camunda-zeebe-1"


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


def test_a_sample_is_paused_when_any_broker_says_so() -> None:
    exporting, paused = {"1": {"exporterPhase": "EXPORTING"}}, {"1": {"exporterPhase": "PAUSED"}}
    assert exporters_paused([exporting, paused]) is True
    assert exporters_paused([exporting]) is False
    assert exporters_paused([]) is None
    assert exporters_paused([{}]) is None


def test_a_sleeping_pod_is_not_ready() -> None:
    assert is_ready({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert not is_ready({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    assert not is_ready({"status": {}})


class Engine(ClusterView):
    """Answers searches as an engine does: the next hits after `search_after`, in the order asked for."""

    def __init__(self, ids: list[str], batch: int, hidden: int = 0) -> None:
        self._ids = sorted(ids, key=self._sort)
        self._batch = batch
        self._hidden = hidden

    @staticmethod
    def _sort(record_id: str) -> list[int]:
        return [int(part) for part in record_id.split("-")]

    def document_count(self, namespace: str) -> int:
        return len(self._ids) + self._hidden

    def search(self, namespace: str, path: str, body: Any = None) -> Json:
        if "/_refresh" in path:
            return {}
        after = body.get("search_after")
        left = [each for each in self._ids if after is None or self._sort(each) > after]
        hits = [{"_id": each, "sort": self._sort(each)} for each in left[: self._batch]]
        # With filter_path an answer without hits is empty.
        return {"_shards": {"failed": 0}, "hits": {"hits": hits}} if hits else {}


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_all_records_are_read_whatever_the_batch(batch: int) -> None:
    ids = [f"{partition}-{position}" for partition in (2, 1) for position in (9, 10, 100, 1)]
    read = record_ids(Engine(ids, batch), "camunda-london", print)
    assert sorted(read) == sorted(ids)


def test_records_that_could_not_all_be_read_prove_nothing() -> None:
    with pytest.raises(ClusterCallFailed, match="counts 3 records, but 2 were read"):
        record_ids(Engine(["1-1", "1-2"], 10, hidden=1), "camunda-london", print)


def test_the_search_for_records_goes_on_where_the_last_ended() -> None:
    assert "search_after" not in records_query(None)
    assert records_query([1, 10])["search_after"] == [1, 10]
    assert [list(field) for field in records_query(None)["sort"]] == [["partitionId"], ["position"]]


def _led(exported: int, processed: int) -> Json:
    return {"role": "LEADER", "exportedPosition": exported, "processedPosition": processed}


def _follows(exported: int, processed: int) -> Json:
    return _led(exported, processed) | {"role": "FOLLOWER"}


@pytest.mark.parametrize(
    ("brokers", "lacking"),
    [
        ({}, "no broker leads partition 1"),
        ({"a": {"1": _led(9, 9), "2": _follows(9, 9)}}, "no broker leads partition 2"),
        ({"a": {"1": _led(9, 9)}, "b": {"1": _follows(3, 9), "2": _led(12, 11)}}, None),
        ({"a": {"1": _led(9, 9), "2": _led(7, 11)}}, "partition 2 is exported up to 7 of 11"),
        (
            {"a": {"1": {"role": "LEADER", "processedPosition": 4}, "2": _led(1, 1)}},
            "up to -1 of 4",
        ),
    ],
)
def test_all_is_exported_when_every_leader_says_so(brokers: Json, lacking: str | None) -> None:
    said = not_exported(brokers, (1, 2))
    assert said is None if lacking is None else lacking in (said or "")
