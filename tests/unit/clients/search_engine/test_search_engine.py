"""The search engine's client: what it asks, and that nothing half answered passes for an answer.

By default an engine counts what some shards hold when others do not answer, makes new documents
visible when it likes, and words its refusals in layers; none of that may reach a gate.
"""

from dataclasses import replace
from typing import Any

import pytest

from clients.cluster.kubernetes import Answer, CallFailed, Cluster, Target
from dualregion.observed.search_engine.records import PartitionRecords
from dualregion.observed.search_engine.repositories import Repository
from messages.clients.clusters import service_failed, service_unanswered
from messages.clients.search_engine import engine_refused
from messages.observed import engines as messages
from tests.fakes.kubernetes import FakeKubernetes, Reply, failure
from tests.fakes.search_engines import (
    ACKNOWLEDGED,
    NO_REPOSITORY,
    NO_SNAPSHOT,
    SHARDS,
    STARTED,
    FakeEngine,
    health,
    marks,
    records,
    refusal,
    snapshot,
)
from tests.raising import assert_tells, fails_with, raises

S3 = Repository("camunda_backup", "s3", {"bucket": "b"})
REPOSITORY = "/_snapshot/camunda_backup"
CALL = "POST /_snapshot/camunda_backup/f1"


@pytest.fixture
def fake(kubernetes: FakeKubernetes, cluster: Cluster) -> FakeEngine:
    return FakeEngine(kubernetes, cluster, "camunda-london")


def test_user_indices_are_listed_and_its_own_are_not(fake: FakeEngine) -> None:
    fake.says("GET", "/_cluster/health", health({"two": "done", ".own": "done", "one": "waits"}))
    assert fake.search.indices() == ("one", "two")
    assert fake.search.health().nodes == 2


def test_documents_are_counted_after_a_refresh_and_empty_indices_too(fake: FakeEngine) -> None:
    fake.holds_documents({"one": 3, "empty": 0})
    assert fake.search.document_counts() == {"one": 3, "empty": 0}
    assert fake.asked() == [
        "POST /*,-.*/_refresh",
        "GET /*,-.*/_stats/docs",
        "GET /_cluster/health",
    ]


def test_more_indices_than_an_aggregation_has_groups_are_counted_each(fake: FakeEngine) -> None:
    many = {f"index-{number}": number for number in range(10_001)}
    fake.holds_documents(many)
    assert fake.search.document_counts() == many


@pytest.mark.parametrize("asked", ["refresh", "stats"])
def test_a_count_of_which_some_shard_knows_nothing_is_no_count(
    fake: FakeEngine, asked: str
) -> None:
    fake.holds_documents({"one": 3})
    silent = Reply(200, {"_shards": SHARDS | {"failed": 1}})
    if asked == "refresh":
        fake.says("POST", "/*,-.*/_refresh", silent)
    else:
        fake.says("GET", "/*,-.*/_stats/docs", silent)
    with raises("shards-silent", CallFailed, shards=1):
        fake.search.document_counts()


def test_a_shard_that_tells_nothing_does_not_hold_nothing(fake: FakeEngine) -> None:
    """Its primary copy is nowhere: engines leave it out without a word."""
    fake.holds_documents({"one": 3, "two": 5})
    fake.says("GET", "/*,-.*/_stats/docs", marks({"one": 3}))
    with fails_with("engine-incomplete", messages.shards_unknown(["two/0"]), kind=CallFailed):
        fake.search.document_counts()


def test_a_search_that_ran_out_of_time_is_no_answer(fake: FakeEngine) -> None:
    fake.holds_records(Reply(200, {"_shards": SHARDS, "timed_out": True}))
    with raises("shards-silent", CallFailed):
        fake.search.records()
    assert fake.got("POST /zeebe-record*/_search")["timeout"] == "30000ms"


BUCKET = {
    "key": 1,
    "doc_count": 1,
    "lowest": {"value": 1.0},
    "highest": {"value": 1.0},
}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(200, "<html>log in</html>"), id="no JSON"),
        pytest.param(Reply(200, "[]"), id="no map"),
        pytest.param(
            Reply(
                200,
                {
                    "_shards": SHARDS,
                    "aggregations": {"partitions": {"buckets": [BUCKET | {"key": None}]}},
                },
            ),
            id="null",
        ),
        pytest.param(
            Reply(
                200, {"_shards": SHARDS, "aggregations": {"partitions": {"buckets": [{"key": 1}]}}}
            ),
            id="missing keys",
        ),
        pytest.param(
            Reply(200, {"_shards": SHARDS, "aggregations": {"partitions": {"buckets": 7}}}),
            id="another type",
        ),
        pytest.param(Reply(200, {"_shards": SHARDS, "aggregations": []}), id="a list for a map"),
        pytest.param(Reply(200, {"_shards": {"failed": "many"}}), id="no number"),
        pytest.param(Reply(200, {}), id="nothing, which is not an engine that holds nothing"),
    ],
)
def test_an_answer_out_of_form_is_no_answer(fake: FakeEngine, answer: Reply) -> None:
    fake.holds_records(answer)
    with pytest.raises(CallFailed):
        fake.search.records()


@pytest.mark.parametrize(
    "body",
    [
        {"indices": None, "status": None},
        {"indices": {"one": None}},
        {"indices": {"one": {"shards": {"zero": {}}}}},
        {"indices": {"one": {"shards": {"0": 7}}}},
        {"indices": []},
        {},
    ],
)
def test_a_health_out_of_form_is_no_answer(fake: FakeEngine, body: dict[str, object]) -> None:
    """Least of all that of an engine which holds nothing."""
    fake.says("GET", "/_cluster/health", Reply(200, {"status": "green"} | body))
    with raises("unexpected-form", CallFailed):
        fake.search.health()


def test_records_are_read_within_the_ranges_asked_for(fake: FakeEngine) -> None:
    fake.holds_records(records({1: (5, 10, 20)}))
    within = {1: PartitionRecords(5, 10, 20)}
    assert fake.search.records(within) == within
    asked = fake.got("POST /zeebe-record*/_search")
    assert asked["query"]["bool"]["should"][0]["bool"]["filter"][1] == {
        "range": {"position": {"gte": 10, "lte": 20}}
    }


def test_no_ranges_hold_no_records(fake: FakeEngine) -> None:
    assert fake.search.records({}) == {}
    assert fake.asked() == []


def test_a_repository_that_is_not_known_is_registered(fake: FakeEngine) -> None:
    fake.says("GET", REPOSITORY, NO_REPOSITORY)
    fake.says("POST", REPOSITORY, ACKNOWLEDGED)
    fake.search.register_repository(S3, readonly=True)
    assert fake.got(f"POST {REPOSITORY}") == {
        "type": "s3",
        "settings": {"bucket": "b", "readonly": True},
    }


def test_a_repository_that_was_readonly_is_registered_for_writing(fake: FakeEngine) -> None:
    before = {"type": "s3", "settings": {"bucket": "b", "readonly": "true"}}
    fake.says("GET", REPOSITORY, Reply(200, {"camunda_backup": before}))
    fake.says("POST", REPOSITORY, ACKNOWLEDGED)
    fake.search.register_repository(S3, readonly=False)
    assert fake.got(f"POST {REPOSITORY}")["settings"] == {"bucket": "b"}


def registered(fake: FakeEngine, verified: Reply) -> None:
    before = {"type": "s3", "settings": {"bucket": "b"}}
    fake.says("GET", REPOSITORY, Reply(200, {"camunda_backup": before}))
    fake.says("POST", f"{REPOSITORY}/_verify", verified)


def test_a_repository_registered_alike_is_only_verified(fake: FakeEngine) -> None:
    registered(fake, Reply(200, {"nodes": {}}))
    fake.search.register_repository(S3, readonly=False)
    assert fake.asked("POST") == [f"POST {REPOSITORY}/_verify"]


def test_a_repository_registered_alike_that_does_not_work_is_no_repository(
    fake: FakeEngine,
) -> None:
    registered(fake, refusal(500, "repository_verification_exception", "path is not accessible"))
    with raises("engine-refused", CallFailed, status=500, reason="path is not accessible"):
        fake.search.register_repository(S3, readonly=False)


@pytest.mark.parametrize(
    ("running", "works"),
    [
        pytest.param([{"snapshot": "failback-1-x", "state": "STARTED"}], True, id="ours at work"),
        pytest.param([{"snapshot": "failback-1-x", "state": "SUCCESS"}], False, id="ours, ended"),
        pytest.param([{"snapshot": "nightly", "state": "STARTED"}], False, id="another's"),
        pytest.param([], False, id="none"),
    ],
)
def test_a_verification_that_hangs_is_one_at_work_only_while_a_snapshot_of_ours_is_taken(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, running: list[object], works: bool
) -> None:
    """A bucket that went with its region is a black hole: it neither works nor says so."""
    registered(fake, Reply(200, {}))
    fake.says("GET", f"{REPOSITORY}/_status", Reply(200, {"snapshots": running}))
    ask = fake.cluster.ask

    def hanging(method: str, target: Target, path: str, *more: Any) -> Answer:
        if path.endswith("/_verify"):
            raise CallFailed(service_unanswered("POST _verify", "timed out"))
        return ask(method, target, path, *more)

    monkeypatch.setattr(fake.cluster, "ask", hanging)
    if works:
        fake.search.register_repository(S3, readonly=False)
        return
    with raises("service-unanswered", CallFailed):
        fake.search.register_repository(S3, readonly=False)


def test_a_snapshot_holds_all_user_indices_and_the_templates(fake: FakeEngine) -> None:
    fake.says("POST", f"{REPOSITORY}/f1", STARTED)
    fake.search.start_snapshot("camunda_backup", "f1", "region1-lost")
    body = fake.got(f"POST {REPOSITORY}/f1")
    assert body["indices"] == "*,-.*"
    assert body["include_global_state"] is True
    assert body["partial"] is False
    assert body["metadata"]["incident"] == "region1-lost"
    assert body["expand_wildcards"] == "open,hidden"


def test_a_restore_takes_all_of_it_and_nothing_in_part(fake: FakeEngine) -> None:
    fake.says("POST", f"{REPOSITORY}/f1/_restore", STARTED)
    fake.search.restore("camunda_backup", "f1")
    body = fake.got(f"POST {REPOSITORY}/f1/_restore")
    assert (body["indices"], body["include_global_state"], body["partial"]) == (
        "*,-.*",
        True,
        False,
    )


def test_a_restore_leaves_out_that_the_other_engines_disk_was_full(fake: FakeEngine) -> None:
    fake.says("POST", f"{REPOSITORY}/f1/_restore", STARTED)
    fake.search.restore("camunda_backup", "f1")
    body = fake.got(f"POST {REPOSITORY}/f1/_restore")
    assert body["ignore_index_settings"] == ["index.blocks.read_only_allow_delete"]


def test_a_snapshot_is_read_or_is_none(fake: FakeEngine) -> None:
    fake.says("GET", f"{REPOSITORY}/f1", NO_SNAPSHOT, snapshot("f1"))
    assert fake.search.snapshot("camunda_backup", "f1") is None
    found = fake.search.snapshot("camunda_backup", "f1")
    assert found is not None
    assert found.uuid == "uuid-of-f1"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(NO_REPOSITORY, id="no such repository"),
        pytest.param(failure(404, "NotFound", 'services "x" not found'), id="no such service"),
    ],
)
def test_only_a_missing_snapshot_is_none(fake: FakeEngine, reply: Reply) -> None:
    fake.says("GET", f"{REPOSITORY}/f1", reply)
    with pytest.raises(CallFailed) as caught:
        fake.search.snapshot("camunda_backup", "f1")
    assert caught.value.status == 404


def test_many_indices_are_deleted_by_name_in_paths_that_engines_take(fake: FakeEngine) -> None:
    names = [f"zeebe-record_process-instance_8.5.8_2026-01-{day:02}-{day:080}" for day in range(60)]
    half = sorted(names)
    sizes = [23, 23, 14]
    for number, size in enumerate(sizes):
        start = sum(sizes[:number])
        fake.says("DELETE", "/" + ",".join(half[start : start + size]), ACKNOWLEDGED)
    fake.search.delete_indices(names)
    asked = fake.asked("DELETE")
    assert [name for each in asked for name in each.removeprefix("DELETE /").split(",")] == half
    assert max(map(len, asked)) < 3100


def test_deleting_no_index_asks_nothing(fake: FakeEngine) -> None:
    """An empty list of names would be a path that means all indices."""
    fake.search.delete_indices([])
    assert fake.asked() == []


def test_templates_of_all_three_kinds_are_asked_for(fake: FakeEngine) -> None:
    fake.holds_templates("zeebe-record_job_8.5.8")
    fake.says("GET", "/_template", Reply(200, {"old-style": {}}))
    assert fake.search.templates() == (
        "index template zeebe-record_job_8.5.8",
        "legacy template old-style",
    )


def test_a_refusal_does_not_repeat_a_long_path(fake: FakeEngine) -> None:
    name = "x" * 900
    fake.says("DELETE", f"/{name}", refusal(400, "x", "no"))
    with pytest.raises(CallFailed) as caught:
        fake.search.delete_indices([name])
    assert_tells(caught.value.message, "x...", "no")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            refusal(400, "invalid_snapshot_name_exception", "must not contain whitespace"),
            engine_refused("camunda-london", CALL, 400, "must not contain whitespace"),
            id="refused",
        ),
        pytest.param(
            refusal(500, "snapshot_exception", "no primary shards"),
            engine_refused("camunda-london", CALL, 500, "no primary shards"),
            id="failed",
        ),
        pytest.param(
            failure(503, "ServiceUnavailable", "no endpoints available for service"),
            service_failed(
                f"{CALL}?wait_for_completion=false of camunda-elasticsearch-master-hl:9200 in camunda-london",
                503,
                "no endpoints available for service",
            ),
            id="not there",
        ),
        pytest.param(
            failure(403, "Forbidden", 'services is forbidden: User "x" cannot create'),
            engine_refused(
                "camunda-london", CALL, 403, 'services is forbidden: User "x" cannot create'
            ),
            id="the API server forbids it",
        ),
    ],
)
def test_a_refusal_says_who_refused_what_and_why(fake: FakeEngine, reply: Reply, told: str) -> None:
    fake.says("POST", f"{REPOSITORY}/f1", reply)
    with pytest.raises(CallFailed) as caught:
        fake.search.start_snapshot("camunda_backup", "f1", "region1-lost")
    assert caught.value.message == told
    assert caught.value.status == reply.status


def test_what_is_more_work_the_more_there_is_has_a_time_limit_of_its_own(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, float] = {}

    def ask(method: str, _: Target, path: str, body: Any, seconds: float) -> Answer:
        given[f"{method} {path.split('?', maxsplit=1)[0]}"] = seconds
        return Answer(200, '{"_shards": {"failed": 0}, "status": "green", "indices": {}}')

    monkeypatch.setattr(fake.cluster, "ask", ask)
    patient = replace(fake.search, seconds=600)
    patient.records()
    patient.delete_indices(["one"])
    patient.restore("r", "s")
    patient.record_marks()
    assert given == {
        "POST /zeebe-record*/_refresh": 600,
        "POST /zeebe-record*/_search": 600,
        "DELETE /one": 600,
        "POST /_snapshot/r/s/_restore": 600,
        "GET /zeebe-record*/_stats/docs": 30,
    }


def test_how_far_writing_has_come_is_asked_without_making_anything_visible(
    fake: FakeEngine,
) -> None:
    fake.says("GET", "/*,-.*/_stats/docs", marks({"operate-list-view": 3, ".own": 1}))
    assert list(fake.search.write_marks()) == [("operate-list-view", 0)]
    assert fake.asked("POST") == []


def test_lifecycle_policies_are_asked_for(fake: FakeEngine) -> None:
    fake.says("GET", "/", Reply(200, {"version": {"number": "8.18.0"}}))
    phases = {"delete": {"min_age": "30d"}}
    fake.says("GET", "/_ilm/policy", Reply(200, {"retention": {"policy": {"phases": phases}}}))
    assert fake.search.lifecycles() == {"retention": '{"delete": {"min_age": "30d"}}'}


def test_opensearch_is_not_asked_for_lifecycle_policies_which_it_does_not_know(
    fake: FakeEngine,
) -> None:
    version = {"number": "2.19.6", "distribution": "opensearch"}
    fake.says("GET", "/", Reply(200, {"version": version}))
    assert fake.search.lifecycles() == {}
