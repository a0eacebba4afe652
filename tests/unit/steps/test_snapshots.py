"""Moving a search engine's data: what must be seen before the next step, and what ends it.

A snapshot that is not whole or not this incident's, a restore that an engine has given up, engines that
differ in one document, a record that only the failover engine holds: each must be found, with a reason
and the next thing to do. The answers are those of a real engine, as `search_engines` words them.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from dualregion.errors import DeadlineExceeded, DualRegionError, Refused
from dualregion.observed.search_engine.records import PartitionRecords
from dualregion.observed.search_engine.repositories import Repository
from dualregion.observed.search_engine.snapshots import Snapshot
from messages import Message
from messages.clients import search_engine
from messages.observed import engines as messages
from messages.observed.brokers import leader_changed
from messages.steps import progress
from messages.steps.steps import back_out
from sandbox.patience import allowed
from steps.polling import Waiting
from steps.search_engine import snapshots
from steps.search_engine.snapshots import RecordsMissing
from tests.fakes.kubernetes import FakeKubernetes, Reply
from tests.fakes.search_engines import (
    ACKNOWLEDGED,
    NO_REPOSITORY,
    NO_SNAPSHOT,
    STARTED,
    FakeEngine,
    health,
    marks,
    records,
    refusal,
    snapshot,
)
from tests.raising import assert_message, assert_tells, fails_with, raises, tells

REPOSITORY = Repository("camunda_backup", "fs", {"location": "/backup"})
AT = "/_snapshot/camunda_backup"
TAKEN = Snapshot("f1", "uuid-of-f1", "SUCCESS", ("one", "two"), 2)
EMPTY = health({".own": "done"})
RESTORED = health({"one": "done", "two": "done", ".own": "done"}, "yellow")


@dataclass
class Engines:
    """Both regions' engines and the failover one, as they are when everything goes well."""

    survivor: FakeEngine
    recreated: FakeEngine
    failover: FakeEngine
    said: list[str] = field(default_factory=list)

    def waiting(self, deadline: float = 20) -> Waiting:
        return Waiting("B3", self.said.append, allowed(deadline), poll_seconds=0.01)

    def take(self, deadline: float = 20) -> Snapshot:
        return snapshots.take_snapshot(
            self.survivor.search, self.waiting(deadline), REPOSITORY, "f1", "region1-lost"
        )

    def restore(self, deadline: float = 20) -> dict[str, str]:
        return snapshots.restore_snapshot(
            self.recreated.search, self.waiting(deadline), REPOSITORY, TAKEN
        )

    def prove_equal(self, deadline: float = 20) -> dict[str, str]:
        return snapshots.prove_equal(
            self.survivor.search, self.recreated.search, self.waiting(deadline), back_out()
        )

    def missing_records(self, **how: Any) -> object:
        """Return why the records were not waited for any more."""
        with pytest.raises(RecordsMissing) as caught:
            self.wait_for_records(**how)
        return caught.value.message

    def wait_for_records(
        self, quiet: float = 0.0, deadline: float = 20, never: Message | None = None
    ) -> dict[int, PartitionRecords]:
        return snapshots.wait_for_equal_records(
            self.survivor.search,
            self.failover.search,
            self.waiting(deadline),
            quiet,
            lambda partitions: never if list(partitions) == [2] else None,
        )


@pytest.fixture
def engines(kubernetes: FakeKubernetes, cluster: Cluster) -> Engines:
    survivor, recreated, failover = (
        FakeEngine(kubernetes, cluster, namespace)
        for namespace in ("camunda-london", "camunda-paris", "camunda-london-failover")
    )
    for each in (survivor, recreated):
        each.says("GET", AT, NO_REPOSITORY)
        each.says("POST", AT, ACKNOWLEDGED)
    survivor.says("GET", "/_cluster/health", RESTORED)
    survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, snapshot("f1"))
    survivor.says("POST", f"{AT}/f1", STARTED)
    recreated.says("GET", f"{AT}/f1", snapshot("f1"))
    recreated.says("GET", "/_cluster/health", EMPTY, RESTORED)
    recreated.says("POST", f"{AT}/f1/_restore", STARTED)
    recreated.says("GET", "/_recovery", Reply(200, {}))
    recreated.says("DELETE", "/one,two", ACKNOWLEDGED)
    return Engines(survivor, recreated, failover)


# --- Taking a snapshot ---------------------------------------------------------------------------


def test_a_snapshot_is_taken_and_judged(engines: Engines) -> None:
    assert engines.take() == replace(TAKEN, incident="region1-lost")
    assert engines.survivor.asked("POST") == [f"POST {AT}", f"POST {AT}/f1"]
    assert engines.survivor.got(f"POST {AT}")["settings"] == {"location": "/backup"}


def test_a_running_snapshot_is_waited_for_with_its_progress(engines: Engines) -> None:
    running = snapshot("f1", "IN_PROGRESS")
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, running, running, snapshot("f1"))
    status = {
        "shards_stats": {"done": 1, "total": 2},
        "stats": {
            "incremental": {"size_in_bytes": 3_400_000},
            "processed": {"size_in_bytes": 1_200_000},
        },
    }
    engines.survivor.says("GET", f"{AT}/f1/_status", Reply(200, {"snapshots": [status]}))
    assert engines.take().state == "SUCCESS"
    assert tells(engines.said, messages.snapshot_so_far(1, 2, 1_200_000, 3_400_000))


def test_a_snapshot_that_an_engine_forgot_in_a_restart_is_begun_again(engines: Engines) -> None:
    running = snapshot("f1", "IN_PROGRESS")
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, running, NO_SNAPSHOT, snapshot("f1"))
    engines.survivor.says("GET", f"{AT}/f1/_status", Reply(200, {"snapshots": [{}]}))
    assert engines.take().state == "SUCCESS"
    assert engines.survivor.asked("POST").count(f"POST {AT}/f1") == 2


def test_a_snapshot_that_cannot_be_begun_again_yet_is_tried_again(engines: Engines) -> None:
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, NO_SNAPSHOT, NO_SNAPSHOT, snapshot("f1"))
    engines.survivor.says("POST", f"{AT}/f1", STARTED, Reply(503, {"error": {}}), STARTED)
    assert engines.take().state == "SUCCESS"
    assert engines.survivor.asked("POST").count(f"POST {AT}/f1") == 3


def test_the_same_attempt_is_gone_on_with_and_not_begun_twice(engines: Engines) -> None:
    engines.survivor.says("GET", f"{AT}/f1", snapshot("f1"))
    assert engines.take().uuid == "uuid-of-f1"
    assert f"POST {AT}/f1" not in engines.survivor.asked()


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        pytest.param({"incident": "region0-lost"}, "region0-lost", id="an earlier incident"),
        pytest.param(None, "", id="others"),
    ],
)
def test_a_snapshot_of_another_incident_is_never_taken_for_this_one(
    engines: Engines, metadata: dict[str, str] | None, told: str
) -> None:
    engines.survivor.says("GET", f"{AT}/f1", snapshot("f1", metadata=metadata))
    with raises("snapshot-of-another", purpose=told, incident="region1-lost"):
        engines.take()
    assert f"POST {AT}/f1" not in engines.survivor.asked()


def test_a_partial_snapshot_is_refused_with_its_failures(engines: Engines) -> None:
    partial = snapshot(
        "f1",
        "PARTIAL",
        failures=[{"index": "one", "shard_id": 0, "reason": "IOException[disk full]"}],
        shards={"total": 2, "failed": 1, "successful": 1},
    )
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, partial)
    problem = messages.snapshot_not_whole(
        "f1", "PARTIAL", 1, 2, ["shard 0 of one: IOException[disk full]"]
    )
    told = ("snapshot-unusable", problem, search_engine.look_at_engine("camunda-london"))
    with fails_with(*told):
        engines.take()


def test_no_snapshot_is_taken_of_an_engine_that_does_not_serve_an_index(engines: Engines) -> None:
    engines.survivor.says("GET", "/_cluster/health", health({"one": "done", "two": "failed"}))
    with fails_with(messages.shards_not_served(["two/0"]), kind=DeadlineExceeded):
        engines.take(deadline=0.1)
    assert engines.survivor.asked("POST") == []


def test_what_is_refused_for_good_is_said_at_once(engines: Engines) -> None:
    no = refusal(400, "invalid_snapshot_name_exception", "must be lowercase")
    engines.survivor.says("POST", f"{AT}/f1", no)
    with fails_with("engine-refused-for-good", "must be lowercase", kind=DualRegionError) as caught:
        engines.take()
    assert not isinstance(caught.value, DeadlineExceeded)
    assert engines.survivor.asked().count(f"POST {AT}/f1") == 1


def test_what_may_pass_is_tried_again(engines: Engines) -> None:
    busy = refusal(429, "es_rejected_execution_exception", "too busy")
    engines.survivor.says("GET", f"{AT}/f1", *[NO_SNAPSHOT] * 3, snapshot("f1"))
    engines.survivor.says(
        "POST", f"{AT}/f1", busy, refusal(500, "repository_exception", "in use"), STARTED
    )
    assert engines.take().state == "SUCCESS"
    assert engines.survivor.asked().count(f"POST {AT}/f1") == 3


def test_a_repository_that_does_not_work_ends_it_soon_with_the_engine_s_reason(
    engines: Engines,
) -> None:
    no = refusal(500, "repository_verification_exception", "Access Denied")
    engines.survivor.says("POST", AT, no)
    with fails_with("Access Denied", "look-at-backup", kind=DeadlineExceeded):
        engines.take(deadline=0.1)


def running(done: int) -> Reply:
    return Reply(200, {"snapshots": [{"shards_stats": {"done": done, "total": 99}}]})


def test_a_snapshot_that_moves_outlasts_any_deadline(engines: Engines) -> None:
    steps = 60
    engines.survivor.says(
        "GET", f"{AT}/f1", NO_SNAPSHOT, *[snapshot("f1", "IN_PROGRESS")] * steps, snapshot("f1")
    )
    engines.survivor.says("GET", f"{AT}/f1/_status", *map(running, range(steps)))
    assert engines.take(deadline=0.3).state == "SUCCESS"


def test_a_snapshot_that_does_not_move_ends_at_the_deadline(engines: Engines) -> None:
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, snapshot("f1", "IN_PROGRESS"))
    engines.survivor.says("GET", f"{AT}/f1/_status", running(7))
    with fails_with("has-not-moved", "snapshot-so-far", "7", "99", kind=DeadlineExceeded):
        engines.take(deadline=0.1)


def test_one_that_only_seems_to_move_ends_too(engines: Engines) -> None:
    """Two reasons that take turns, as of an engine that answers every other time, are no progress."""
    engines.survivor.says("GET", f"{AT}/f1", NO_SNAPSHOT, snapshot("f1", "IN_PROGRESS"))
    turns = [running(7), Reply(503, "no master")] * 500
    engines.survivor.says("GET", f"{AT}/f1/_status", *turns)
    with raises("has-not-moved", DeadlineExceeded):
        engines.take(deadline=0.1)


# --- Restoring -----------------------------------------------------------------------------------


def test_a_snapshot_is_restored_and_proved(engines: Engines) -> None:
    evidence = engines.restore()
    assert evidence["snapshot"].startswith("f1 (uuid-of-f1)")
    assert evidence["restored"] == str(messages.restored_so_far(2, 2, 0, 0))
    assert evidence["health"] == "yellow, 2 nodes"
    assert engines.recreated.got(f"POST {AT}")["settings"]["readonly"] is True
    assert engines.recreated.asked("DELETE") == []


def test_the_repository_is_registered_and_the_snapshot_seen_before_anything_is_deleted(
    engines: Engines,
) -> None:
    engines.recreated.says("GET", "/_cluster/health", RESTORED)
    engines.restore()
    asked = engines.recreated.asked()
    order = [f"POST {AT}", f"GET {AT}/f1", "DELETE /one,two", f"POST {AT}/f1/_restore"]
    assert [asked.index(each) for each in order] == sorted(asked.index(each) for each in order)


def test_what_a_half_done_restore_left_is_deleted_by_name(engines: Engines) -> None:
    engines.recreated.says(
        "GET",
        "/_cluster/health",
        health({"one": "failed", "two": "done", ".own": "done"}),
        RESTORED,
    )
    engines.restore()
    assert engines.recreated.asked("DELETE") == ["DELETE /one,two"]
    remains = progress.deleting_remains("B3", "camunda-paris", ("one", "two"))
    assert tells(engines.said, remains)


def test_a_restore_whose_answer_got_lost_is_cleaned_and_begun_again(engines: Engines) -> None:
    engines.recreated.says("GET", "/_cluster/health", EMPTY, RESTORED)
    engines.recreated.says("POST", f"{AT}/f1/_restore", Reply(504, "gateway timeout"), STARTED)
    engines.restore()
    assert engines.recreated.asked("DELETE") == ["DELETE /one,two"]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        pytest.param(NO_SNAPSHOT, "snapshot-not-visible", id="not there"),
        pytest.param(
            snapshot("f1", uuid="older"),
            search_engine.another_snapshot("older"),
            id="of the same name",
        ),
        pytest.param(snapshot("f1", "PARTIAL"), "PARTIAL", id="not whole"),
    ],
)
def test_only_the_very_snapshot_is_restored(engines: Engines, seen: Reply, told: str) -> None:
    engines.recreated.says("GET", f"{AT}/f1", seen)
    engines.recreated.says("GET", "/_cluster/health", RESTORED)
    with fails_with(told, kind=DeadlineExceeded):
        engines.restore(deadline=0.1)
    assert engines.recreated.asked("DELETE") == []
    assert f"POST {AT}/f1/_restore" not in engines.recreated.asked()


def test_a_restore_that_the_engine_has_given_up_ends_at_once(engines: Engines) -> None:
    engines.recreated.says(
        "GET", "/_cluster/health", EMPTY, health({"one": "failed", "two": "done"}, "red")
    )
    explained = {
        "index": "one",
        "shard": 0,
        "current_state": "unassigned",
        "unassigned_info": {"details": "failed; nested: NoSuchFileException[/backup/__94]; "},
        "node_allocation_decisions": [{"deciders": [{"decider": "max_retry", "decision": "NO"}]}],
    }
    engines.recreated.says("POST", "/_cluster/allocation/explain", Reply(200, explained))
    with raises("restore-failed", DualRegionError, done=1, total=2) as caught:
        engines.restore()
    assert not isinstance(caught.value, DeadlineExceeded)
    given_up = messages.shard_given_up("0", "one", "NoSuchFileException[/backup/__94]")
    assert_tells(caught.value.message, given_up, "look-at-engine-to-restore")
    assert engines.recreated.got("POST /_cluster/allocation/explain")["primary"] is True


def test_a_shard_that_the_engine_tries_again_is_waited_for(engines: Engines) -> None:
    engines.recreated.says(
        "GET",
        "/_cluster/health",
        EMPTY,
        health({"one": "failed", "two": "done"}),
        health({"one": "again", "two": "done"}),
        RESTORED,
    )
    engines.recreated.says(
        "POST", "/_cluster/allocation/explain", Reply(200, {"current_state": "unassigned"})
    )
    assert engines.restore()["restored"] == str(messages.restored_so_far(2, 2, 0, 0))


# --- Equal engines -------------------------------------------------------------------------------


def test_equal_engines_are_proved_equal(engines: Engines) -> None:
    for each in (engines.survivor, engines.recreated):
        each.holds_documents({"one": 3, "two": 0})
        each.holds_templates("zeebe-record_job_8.5.8")
    assert engines.prove_equal() == {
        "documents": "3 in 2 indices, the same in both regions",
        "templates": "index template zeebe-record_job_8.5.8",
    }


def test_one_document_less_is_found(engines: Engines) -> None:
    engines.survivor.holds_documents({"one": 3, "two": 0})
    engines.recreated.holds_documents({"one": 2, "two": 0})
    told = messages.documents_differ("one", 3, 2)
    with fails_with("copy-differs", told, kind=Refused):
        engines.prove_equal()


def test_a_missing_template_is_found(engines: Engines) -> None:
    for each in (engines.survivor, engines.recreated):
        each.holds_documents({"one": 3})
        each.holds_templates()
    engines.survivor.holds_templates("zeebe-record_job_8.5.8")
    with fails_with("copy-lacks-templates", "index template zeebe-record_job", kind=Refused):
        engines.prove_equal()


# --- Nothing lost --------------------------------------------------------------------------------

ALL = records({1: (5, 10, 20), 2: (3, 1, 9)})
LAGS = records({1: (5, 10, 20), 2: (2, 1, 8)})


def test_engines_that_hold_the_same_are_equal(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(ALL)
    assert engines.wait_for_records() == {
        1: PartitionRecords(5, 10, 20),
        2: PartitionRecords(3, 1, 9),
    }


def test_a_survivor_that_lags_is_waited_for(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(*[LAGS] * 6, ALL)
    engines.wait_for_records()
    assert tells(engines.said, messages.records_missing(2, 3, 9, 2, 8))


def test_a_survivor_that_never_gets_there_is_told_with_partition_and_positions(
    engines: Engines,
) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(LAGS)
    assert engines.missing_records(deadline=0.1) == messages.records_missing(2, 3, 9, 2, 8)


def test_what_never_comes_is_not_waited_for(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(LAGS)
    never = search_engine.buffered_until_resumed(leader_changed(2, "a", "b"))
    told = engines.missing_records(never=never)
    missing = messages.records_missing(2, 3, 9, 2, 8)
    assert told == search_engine.records_never_come(missing, never)
    assert not tells(engines.said, "records-missing")


def test_why_it_would_never_come_is_not_asked_when_nothing_is_missing(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(ALL)
    never = search_engine.buffered_until_resumed(leader_changed(2, "a", "b"))
    assert engines.wait_for_records(never=never)


def test_records_are_not_counted_again_while_nothing_is_written(engines: Engines) -> None:
    """To count them costs the more the more there are; to ask whether anything was written costs always the same."""
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(LAGS)
    counted = snapshots._Counted(engines.survivor.search, engines.failover.search)
    here, there = engines.failover.search, engines.survivor.search
    for _ in range(3):
        assert set(counted.lacks((here.record_marks(), there.record_marks()))) == {2}
    for engine in (engines.failover, engines.survivor):
        assert engine.asked().count("POST /zeebe-record*/_search") == 1
        assert engine.asked().count("GET /zeebe-record*/_stats/docs") == 3
    engines.survivor.says("GET", "/zeebe-record*/_stats/docs", marks({"zeebe-record": 2}))
    engines.survivor.says("POST", "/zeebe-record*/_search", ALL)
    assert counted.lacks((here.record_marks(), there.record_marks())) == {}


def test_the_survivor_s_records_are_counted_within_the_failover_engine_s_alone(
    engines: Engines,
) -> None:
    """Those from before the failover may be a hundred times as many."""
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(ALL)
    engines.wait_for_records()
    asked = engines.survivor.got("POST /zeebe-record*/_search")["query"]
    assert [each["bool"]["filter"][1] for each in asked["bool"]["should"]] == [
        {"range": {"position": {"gte": 10, "lte": 20}}},
        {"range": {"position": {"gte": 1, "lte": 9}}},
    ]
    assert engines.survivor.asked().count("POST /zeebe-record*/_search") == 1


def test_engines_that_cannot_be_asked_are_not_taken_for_equal(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.survivor.holds_records(Reply(503, "no shards"))
    assert_tells(engines.missing_records(deadline=0.1), "503")


def test_what_still_comes_holds_it_up_though_nothing_is_missing(engines: Engines) -> None:
    """The survivor's engine is ahead at each look, but the failover engine still gets what is buffered."""
    engines.failover.holds_records(*[ALL] * 40)
    engines.survivor.holds_records(ALL)
    told = engines.missing_records(quiet=5, deadline=0.15)
    assert told == search_engine.records_still_come(5)
    assert engines.survivor.asked("POST") == [], "nothing is counted while something comes"


def test_quiet_is_counted_from_the_last_write(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 4.0, 6.0, 9.0, 10.0])
    monkeypatch.setattr(snapshots, "monotonic", lambda: next(now))
    engines.failover.holds_records(ALL, ALL)
    engines.survivor.holds_records(ALL)
    # Written to at 0 and at 4; quiet for 5 s at 9.
    engines.wait_for_records(quiet=5)
    assert next(now) == 10.0


def test_what_another_engine_lacks_is_told_at_once(engines: Engines) -> None:
    engines.failover.holds_records(ALL)
    engines.recreated.holds_records(LAGS, ALL)
    look = (engines.recreated.search, engines.failover.search)
    told = snapshots.lacking(*look)
    assert_message(told, "records-missing", partition=2)
    assert snapshots.lacking(*look) is None
