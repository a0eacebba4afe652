"""What the search engines' answers mean: the answers are a real engine's (OpenSearch 2.11.1), shortened.

Each judgement must be able to say yes and no. The traps that a real engine showed stand here too: a
restore of which nothing has arrived yet leaves the health yellow; settings come back as text; a search
that no index answers has no aggregations; an error repeats itself, and arrives cut short.
"""

import dataclasses
from typing import Any

import pytest

from dualregion import engine
from dualregion.engine import PartitionRecords, Repository, Snapshot

Document = dict[str, Any]


def records(**answer: tuple[int, int, int]) -> dict[int, PartitionRecords]:
    """Return records by partition, e.g. `p1=(count, lowest, highest)`."""
    return {int(name[1:]): PartitionRecords(*each) for name, each in answer.items()}


def finished(state: str = "SUCCESS", **changes: Any) -> Document:
    """Return a real engine's answer about a finished snapshot."""
    snapshot = {
        "snapshot": "failback-1",
        "uuid": "LF36jkPvSCiP_XhzBknI5g",
        "version": "2.11.1",
        "indices": ["tasklist-empty", "operate-nested"],
        "data_streams": [],
        "include_global_state": True,
        "metadata": {"incident": "region1-lost"},
        "state": state,
        "failures": [],
        "shards": {"total": 3, "failed": 0, "successful": 3},
    }
    return {"snapshots": [snapshot | changes]}


PARTIAL = finished(
    "PARTIAL",
    failures=[
        {
            "index": "big",
            "index_uuid": "big",
            "shard_id": 0,
            "reason": "OpenSearchException[failed to create blob container]",
            "node_id": "3ka7E6CRT8unr-NiwbIAXQ",
            "status": "INTERNAL_SERVER_ERROR",
        }
    ],
    shards={"total": 3, "failed": 1, "successful": 2},
)


def snapshot(answer: Document | None = None) -> Snapshot:
    found = engine.snapshot_of(answer or finished())
    assert found is not None
    return found


# --- Repositories --------------------------------------------------------------------------------

S3 = Repository("camunda_backup", "s3", {"bucket": "b", "path_style_access": True, "retries": 3})


def test_a_repository_is_readonly_where_its_type_allows_it() -> None:
    assert S3.definition(readonly=True)["settings"]["readonly"] is True
    assert "readonly" not in S3.definition(readonly=False)["settings"]
    other = Repository("r", "url", {"url": "https://backup"})
    assert other.definition(readonly=True) == {"type": "url", "settings": {"url": "https://backup"}}


@pytest.mark.parametrize(
    ("found", "same"),
    [
        pytest.param(
            {"bucket": "b", "path_style_access": "true", "retries": "3"}, True, id="as text"
        ),
        pytest.param(
            {"bucket": "b", "path_style_access": "true", "retries": "3", "readonly": "true"},
            False,
            id="read-only since an earlier incident",
        ),
        pytest.param(
            {"bucket": "c", "path_style_access": "true", "retries": "3"}, False, id="other bucket"
        ),
    ],
)
def test_a_registered_repository_is_compared_as_the_engine_words_it(
    found: Document, same: bool
) -> None:
    wanted = S3.definition(readonly=False)
    assert engine.same_definition(wanted, {"type": "s3", "settings": found}) is same
    assert not engine.same_definition(wanted, {"type": "fs", "settings": found})
    assert not engine.same_definition(wanted, None)


# --- Records -------------------------------------------------------------------------------------


def test_records_are_read_from_an_engine_s_answer() -> None:
    answer = {
        "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0},
        "hits": {"max_score": None, "hits": []},
        "aggregations": {
            "partitions": {
                "doc_count_error_upper_bound": 0,
                "sum_other_doc_count": 0,
                "buckets": [
                    {
                        "key": 1,
                        "doc_count": 100,
                        "highest": {"value": 199.0},
                        "lowest": {"value": 100.0},
                    }
                ],
            }
        },
    }
    assert engine.records_of(answer) == records(p1=(100, 100, 199))
    assert engine.records_text(engine.records_of(answer)) == "1: 100 records at 100 to 199"


def test_an_engine_without_records_answers_without_aggregations() -> None:
    assert engine.records_of({"hits": {"total": {"value": 0, "relation": "eq"}, "hits": []}}) == {}


def test_the_search_asks_for_the_ranges_of_the_other_engine() -> None:
    query = engine.records_query(records(p2=(5, 10, 20), p1=(4, 1, 9)))["query"]
    assert [each["bool"]["filter"] for each in query["bool"]["should"]] == [
        [{"term": {"partitionId": 1}}, {"range": {"position": {"gte": 1, "lte": 9}}}],
        [{"term": {"partitionId": 2}}, {"range": {"position": {"gte": 10, "lte": 20}}}],
    ]
    assert query["bool"]["minimum_should_match"] == 1
    assert engine.records_query()["query"] == {"match_all": {}}


@pytest.mark.parametrize(
    "survivor",
    [
        pytest.param(records(p1=(50, 10, 99), p2=(7, 3, 40)), id="the same"),
        pytest.param(records(p1=(60, 1, 120), p2=(7, 3, 40), p3=(1, 1, 1)), id="more"),
    ],
)
def test_nothing_is_missing(survivor: dict[int, PartitionRecords]) -> None:
    assert engine.missing_records(survivor, records(p1=(50, 10, 99), p2=(7, 3, 40))) is None


def test_an_empty_failover_engine_holds_nothing_that_could_be_missing() -> None:
    assert engine.missing_records({}, {}) is None


@pytest.mark.parametrize(
    ("survivor", "told"),
    [
        pytest.param(
            records(p1=(50, 10, 99), p2=(6, 3, 39)),
            "partition 2: the failover engine holds 7 records up to position 40, "
            "the other engine 6 of them, up to position 39",
            id="not as far",
        ),
        pytest.param(
            records(p1=(49, 10, 99), p2=(7, 3, 40)),
            "partition 1: the failover engine holds 50 records up to position 99, "
            "the other engine 49 of them, up to position 99",
            id="as far, but with a gap",
        ),
        pytest.param(
            records(p1=(50, 10, 98), p2=(7, 3, 40)),
            "partition 1: the failover engine holds 50 records up to position 99, "
            "the other engine 50 of them, up to position 98",
            id="as many, but not as far",
        ),
        pytest.param(
            records(p1=(50, 10, 99)),
            "partition 2: the failover engine holds 7 records up to position 40, "
            "the other engine none of them",
            id="nothing of a partition",
        ),
    ],
)
def test_what_is_missing_is_named_with_both_positions(
    survivor: dict[int, PartitionRecords], told: str
) -> None:
    assert engine.missing_records(survivor, records(p1=(50, 10, 99), p2=(7, 3, 40))) == told


def test_every_partition_that_lacks_something_is_named() -> None:
    told = engine.missing_records({}, records(p1=(50, 10, 99), p2=(7, 3, 40)))
    assert told is not None
    assert told.count("none of them") == 2


# --- Snapshots -----------------------------------------------------------------------------------


def test_a_finished_snapshot_is_read() -> None:
    found = snapshot()
    assert found == Snapshot(
        "failback-1",
        "LF36jkPvSCiP_XhzBknI5g",
        "SUCCESS",
        indices=("operate-nested", "tasklist-empty"),
        shards_total=3,
        incident="region1-lost",
    )
    assert not found.running
    assert engine.snapshot_bad(found) is None
    assert str(found) == "failback-1 (LF36jkPvSCiP_XhzBknI5g): SUCCESS, 3 of 3 shards, 2 indices"


def test_a_snapshot_of_somebody_else_has_no_incident() -> None:
    answer = finished()
    del answer["snapshots"][0]["metadata"]
    assert snapshot(answer).incident == ""


def test_no_snapshot_is_none() -> None:
    assert engine.snapshot_of({"snapshots": []}) is None


@pytest.mark.parametrize("state", ["IN_PROGRESS", "STARTED"])
def test_a_running_snapshot_is_not_good_yet(state: str) -> None:
    found = snapshot(finished(state, shards={"total": 0, "failed": 0, "successful": 0}))
    assert found.running
    assert engine.snapshot_bad(found) is not None


def test_a_partial_snapshot_is_named_with_its_failures() -> None:
    assert engine.snapshot_bad(snapshot(PARTIAL)) == (
        "snapshot failback-1 is PARTIAL, 1 of 3 shards failed: shard 0 of big: "
        "OpenSearchException[failed to create blob container]"
    )


def test_a_failed_snapshot_says_its_own_reason() -> None:
    answer = finished("FAILED", reason="Indices don't have primary shards [big]")
    told = engine.snapshot_bad(snapshot(answer))
    assert told is not None
    assert "is FAILED" in told
    assert told.endswith("Indices don't have primary shards [big]")


def test_success_with_a_failed_shard_is_no_success() -> None:
    told = engine.snapshot_bad(dataclasses.replace(snapshot(), shards_failed=1))
    assert told is not None
    assert "1 of 3 shards failed" in told


@pytest.mark.parametrize(
    ("stats", "text"),
    [
        pytest.param(
            {"incremental": {"size_in_bytes": 3400000}, "processed": {"size_in_bytes": 1230000}},
            "12 of 43 shards, 1.2 of 3.4 MB",
            id="under way",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 0}, "total": {"size_in_bytes": 0}},
            "12 of 43 shards, 0 of 0 bytes",
            id="nothing known yet",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 2500}, "total": {"size_in_bytes": 9_000_000_000}},
            "12 of 43 shards, 2.5 of 2.5 kB",
            id="only what is new is copied",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 4 * 10**9}, "processed": {"size_in_bytes": 10**9}},
            "12 of 43 shards, 1.0 of 4.0 GB",
            id="large",
        ),
    ],
)
def test_the_progress_of_a_snapshot(stats: Document, text: str) -> None:
    shards = {"initializing": 1, "started": 2, "finalizing": 0, "done": 12, "failed": 0}
    status = {"state": "STARTED", "shards_stats": shards | {"total": 43}, "stats": stats}
    assert engine.snapshot_progress({"snapshots": [status]}) == text


# --- Restore -------------------------------------------------------------------------------------


def shard(status: str, active: bool, *, initializing: int = 0, unassigned: int = 0) -> Document:
    return {
        "status": status,
        "primary_active": active,
        "active_shards": int(active),
        "relocating_shards": 0,
        "initializing_shards": initializing,
        "unassigned_shards": unassigned,
    }


DONE = shard("green", True)
WAITS = shard("yellow", False, unassigned=1)
COMES = shard("yellow", False, initializing=1)
FAILED = shard("red", False, unassigned=1)
AGAIN = shard("red", False, initializing=1)
WITHOUT_REPLICA = shard("yellow", True, unassigned=1)


def health(nested: Document, empty: tuple[Document, Document] = (DONE, DONE)) -> Document:
    """Return a health answer of an engine whose own index is of no concern."""
    indices = {
        "operate-nested": {"shards": {"0": nested}},
        "tasklist-empty": {"shards": {str(n): each for n, each in enumerate(empty)}},
        ".own": {"shards": {"0": FAILED}},
    }
    return {"status": "yellow", "number_of_nodes": 1, "indices": indices}


def recovery(kind: str = "SNAPSHOT", *, name: str = "failback-1", done: int = 1000) -> Document:
    size = {"total_in_bytes": 4000, "reused_in_bytes": 0, "recovered_in_bytes": done}
    source = {"repository": "camunda_backup", "snapshot": name, "restoreUUID": "x"}
    return {"type": kind, "source": source, "index": {"size": size}}


def progress(answer: Document, recoveries: Document | None = None) -> engine.RestoreProgress:
    return engine.restore_progress(
        snapshot(), "camunda_backup", engine.health_of(answer), recoveries or {}
    )


def test_a_restore_of_which_nothing_has_come_is_pending_though_the_health_is_yellow() -> None:
    found = progress(health(WAITS, (WAITS, WAITS)))
    assert engine.restore_pending(found) == "0 of 3 shards, 0 of 0 bytes of those begun"
    assert found.failing is None


def test_a_restore_under_way_counts_only_what_comes_out_of_this_snapshot() -> None:
    copies = [recovery(), recovery("PEER"), recovery(name="another"), recovery("EMPTY_STORE")]
    found = progress(
        health(COMES), {"operate-nested": {"shards": copies}, ".own": {"shards": [recovery()]}}
    )
    assert engine.restore_pending(found) == "2 of 3 shards, 1.0 of 4.0 kB of those begun"


def test_a_restore_is_done_when_every_primary_serves() -> None:
    assert engine.restore_pending(progress(health(DONE))) is None


def test_replicas_that_have_no_node_to_go_to_do_not_hold_a_restore_up() -> None:
    assert engine.restore_pending(progress(health(WITHOUT_REPLICA))) is None


def test_replicas_on_their_way_are_waited_for() -> None:
    copying = shard("yellow", True, initializing=1)
    told = engine.restore_pending(progress(health(copying)))
    assert told == "3 of 3 shards, 0 of 0 bytes; 1 copies on their way"


def test_an_index_of_the_snapshot_that_is_not_there_is_named() -> None:
    answer = health(DONE)
    del answer["indices"]["tasklist-empty"]
    told = engine.restore_pending(progress(answer))
    assert told == "1 indices are not there: tasklist-empty"


@pytest.mark.parametrize(
    ("state", "failing"),
    [
        pytest.param(FAILED, True, id="failed, nothing works on it"),
        pytest.param(AGAIN, False, id="failed, tried again"),
        pytest.param(WAITS, False, id="waits for its turn"),
        pytest.param(DONE, False, id="done"),
    ],
)
def test_which_shard_is_looked_at_more_closely(state: Document, failing: bool) -> None:
    found = progress(health(state)).failing
    assert (found is not None) is failing
    if found is not None:
        assert (found.index, found.number) == ("operate-nested", 0)


DETAILS = (
    "failed shard on node [3ka7E6CRT8unr-NiwbIAXQ]: failed recovery, failure RecoveryFailedException["
    "[operate-nested][0]: Recovery failed on {Node 1}]; nested: IndexShardRecoveryException[failed "
    "recovery]; nested: IndexShardRestoreFailedException[restore failed]; nested: "
    "NoSuchFileException[/backup/indices/WnMZ/0/__94sg]; "
)


def explanation(*deciders: str, current: str = "unassigned") -> Document:
    """Return a real engine's explanation why a shard has no node."""
    decisions = [{"decider": each, "decision": "NO", "explanation": "..."} for each in deciders]
    return {
        "index": "operate-nested",
        "shard": 0,
        "primary": True,
        "current_state": current,
        "unassigned_info": {"reason": "ALLOCATION_FAILED", "details": DETAILS},
        "can_allocate": "no",
        "node_allocation_decisions": [{"node_name": "Node 1", "deciders": decisions}],
    }


@pytest.mark.parametrize("decider", ["max_retry", "restore_in_progress"])
def test_a_shard_given_up_is_named_with_the_innermost_reason(decider: str) -> None:
    assert engine.given_up(explanation("same_shard", decider)) == (
        "shard 0 of index operate-nested: NoSuchFileException[/backup/indices/WnMZ/0/__94sg]"
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(explanation("disk_threshold"), id="a full disk can be mended"),
        pytest.param(explanation(), id="nothing against it"),
        pytest.param({"current_state": "started"}, id="it has come meanwhile"),
        pytest.param(explanation("max_retry", current="initializing"), id="tried again"),
    ],
)
def test_a_passing_reason_is_not_giving_up(answer: Document) -> None:
    assert engine.given_up(answer) is None


def test_indices_that_are_not_served_are_named() -> None:
    assert engine.not_served(engine.health_of(health(DONE))) is None
    told = engine.not_served(engine.health_of(health(FAILED)))
    assert told == "not served: shard 0 of operate-nested"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param({"status": "green", "indices": {".own": {}}}, None, id="green and empty"),
        pytest.param({"status": "yellow", "indices": {}}, "its health is yellow", id="yellow"),
        pytest.param(
            {"status": "green", "indices": {"b": {}, ".own": {}, "a": {}}},
            "it holds 2 indices: a, b",
            id="not empty",
        ),
    ],
)
def test_an_engine_that_brokers_must_not_have_exported_to(
    answer: Document, told: str | None
) -> None:
    assert engine.not_green_and_empty(engine.health_of(answer)) == told


# --- Comparing -----------------------------------------------------------------------------------


def test_an_engine_s_own_indices_begin_with_a_dot() -> None:
    names = ["zeebe-record_job_8.5.8_2026-01-01", ".tasks", ".ds-ilm-history-5", "operate-user_"]
    assert engine.user_indices(names) == ("operate-user_", "zeebe-record_job_8.5.8_2026-01-01")


def test_counts_are_read_and_nothing_searched_counts_nothing() -> None:
    buckets = [{"key": "operate-nested", "doc_count": 1}]
    assert engine.counts_of({"aggregations": {"indices": {"buckets": buckets}}}) == {
        "operate-nested": 1
    }
    assert engine.counts_of({"hits": {"hits": []}}) == {}


@pytest.mark.parametrize(
    ("survivor", "recreated", "told"),
    [
        pytest.param({"a": 3, "b": 0}, {"a": 3, "b": 0}, None, id="equal"),
        pytest.param({}, {}, None, id="both empty"),
        pytest.param(
            {"a": 3, "b": 0},
            {"a": 2, "b": 0},
            "index a: 3 documents in the survivor, 2 documents in the recreated region",
            id="one less",
        ),
        pytest.param(
            {"a": 3, "b": 0},
            {"a": 3},
            "index b: 0 documents in the survivor, no such index in the recreated region",
            id="an empty index is an index",
        ),
        pytest.param(
            {"a": 3},
            {"a": 3, "c": 1},
            "index c: no such index in the survivor, 1 documents in the recreated region",
            id="too much",
        ),
    ],
)
def test_document_counts(
    survivor: dict[str, int], recreated: dict[str, int], told: str | None
) -> None:
    assert engine.counts_differ(survivor, recreated) == told


def test_many_differences_are_counted() -> None:
    ours = {f"index-{number}": 1 for number in range(9)}
    told = engine.counts_differ(ours, {})
    assert told is not None
    assert "index-4" in told
    assert told.endswith("; and 4 more")


TEMPLATES: tuple[Document, Document, Document] = (
    {
        "index_templates": [
            {"name": "logs", "index_template": {"_meta": {"managed": True}}},
            {"name": ".watches", "index_template": {}},
            {"name": "zeebe-record_job_8.5.8", "index_template": {"composed_of": ["zeebe-record"]}},
        ]
    },
    {
        "component_templates": [
            {"name": "zeebe-record", "component_template": {"template": {}}},
            {"name": "logs-mappings", "component_template": {"_meta": {"managed": True}}},
        ]
    },
    {"old-style": {"order": 0, "index_patterns": ["old-*"]}, ".monitoring": {}},
)


def test_templates_that_the_engine_brought_itself_do_not_count() -> None:
    assert engine.templates_of(*TEMPLATES) == (
        "component template zeebe-record",
        "index template zeebe-record_job_8.5.8",
        "legacy template old-style",
    )


def test_missing_templates_are_named_and_more_do_no_harm() -> None:
    assert engine.missing_templates(["a", "b"], ["b", "a", "c"]) is None
    assert engine.missing_templates(["a", "b"], ["b"]) == "missing: a"


# --- Errors --------------------------------------------------------------------------------------

NO_ACCESS = (
    '{"error":{"root_cause":[{"type":"repository_verification_exception","reason":"[camunda_backup] path '
    '[backups] is not accessible on master node"}],"type":"repository_verification_exception","reason":'
    '"[camunda_backup] path [backups] is not accessible on master node","caused_by":{"type":"i_o_exception",'
    '"reason":"Unable to upload object [backups/x]","caused_by":{"type":"amazon_s3_exception","reason":'
    '"Access Denied (\\"s3\\")"}}},"status":500}'
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            NO_ACCESS,
            "[camunda_backup] path [backups] is not accessible on master node: "
            'Unable to upload object [backups/x]: Access Denied ("s3")',
            id="the whole chain, each reason once",
        ),
        pytest.param(
            NO_ACCESS[:250],
            "[camunda_backup] path [backups] is not accessible on master node",
            id="cut short in the repetition",
        ),
        pytest.param(
            '{"error":{"root_cause":[],"reason":"","caused_by":{"reason":"Search rejected due to missing',
            "Search rejected due to missing",
            id="no root cause, cut short",
        ),
        pytest.param("Bad gateway", "Bad gateway", id="no document"),
    ],
)
def test_an_engine_s_own_reason_is_said(body: str, told: str) -> None:
    assert engine.error_reason(body) == told
