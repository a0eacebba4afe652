"""An engine's health, and how far a restore is, in a real engine's answers.

The traps that a real engine showed stand here: a restore of which nothing has arrived yet leaves the
health yellow, and a shard that waits for its turn looks almost like one that is given up.
"""

import pytest

from dualregion.observed.search_engine.health import health_of, not_green_and_empty, not_served
from dualregion.observed.search_engine.restores import (
    RestoreProgress,
    given_up,
    restore_pending,
    restore_progress,
)
from messages import Message
from messages.observed import engines as messages
from tests.fakes.engine_answers import snapshot
from tests.fakes.kubernetes import Document
from tests.raising import assert_same


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


def progress(answer: Document, recoveries: Document | None = None) -> RestoreProgress:
    return restore_progress(snapshot(), "camunda_backup", health_of(answer), recoveries or {})


def test_a_restore_of_which_nothing_has_come_is_pending_though_the_health_is_yellow() -> None:
    found = progress(health(WAITS, (WAITS, WAITS)))
    assert_same(restore_pending(found), messages.restored_so_far(0, 3, 0, 0))
    assert found.failing is None


def test_a_restore_under_way_counts_only_what_comes_out_of_this_snapshot() -> None:
    copies = [recovery(), recovery("PEER"), recovery(name="another"), recovery("EMPTY_STORE")]
    found = progress(
        health(COMES), {"operate-nested": {"shards": copies}, ".own": {"shards": [recovery()]}}
    )
    assert_same(restore_pending(found), messages.restored_so_far(2, 3, 1000, 4000))


def test_a_restore_is_done_when_every_primary_serves() -> None:
    assert restore_pending(progress(health(DONE))) is None


def test_replicas_that_have_no_node_to_go_to_do_not_hold_a_restore_up() -> None:
    assert restore_pending(progress(health(WITHOUT_REPLICA))) is None


def test_replicas_on_their_way_are_waited_for() -> None:
    copying = shard("yellow", True, initializing=1)
    restored = messages.restored_so_far(3, 3, 0, 0)
    assert_same(
        restore_pending(progress(health(copying))), messages.replicas_under_way(restored, 1)
    )


def test_an_index_of_the_snapshot_that_is_not_there_is_named() -> None:
    answer = health(DONE)
    del answer["indices"]["tasklist-empty"]
    expected = messages.indices_not_restored(["tasklist-empty"])
    assert_same(restore_pending(progress(answer)), expected)


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
    reason = "NoSuchFileException[/backup/indices/WnMZ/0/__94sg]"
    assert_same(
        given_up(explanation("same_shard", decider)),
        messages.shard_given_up("0", "operate-nested", reason),
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(explanation("disk_threshold"), id="a full disk can be helped"),
        pytest.param(explanation(), id="nothing against it"),
        pytest.param({"current_state": "started"}, id="it has come meanwhile"),
        pytest.param(explanation("max_retry", current="initializing"), id="tried again"),
    ],
)
def test_a_passing_reason_is_not_giving_up(answer: Document) -> None:
    assert given_up(answer) is None


def test_indices_that_are_not_served_are_named() -> None:
    assert not_served(health_of(health(DONE))) is None
    expected = messages.shards_not_served(["operate-nested/0"])
    assert_same(not_served(health_of(health(FAILED))), expected)


SHARDS: Document = {"shards": {"0": {"status": "green", "primary_active": True}}}


@pytest.mark.parametrize("state", [{}, {"shards": {}}, {"shards": None}, {"number_of_shards": 1}])
def test_an_index_of_which_no_shard_is_told_is_no_answer(state: Document) -> None:
    """None of its shards would lack anything: it would be served, seen and restored."""
    with pytest.raises(ValueError, match="without shards"):
        health_of({"status": "green", "indices": {"a": SHARDS, "b": state}})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"status": "green", "indices": {".own": SHARDS}}, None, id="green and empty"),
        pytest.param(
            {"status": "yellow", "indices": {}}, messages.engine_not_green("yellow"), id="yellow"
        ),
        pytest.param(
            {"status": "green", "indices": {"b": SHARDS, ".own": SHARDS, "a": SHARDS}},
            messages.engine_not_empty(["a", "b"]),
            id="not empty",
        ),
    ],
)
def test_an_engine_that_brokers_must_not_have_exported_to(
    answer: Document, expected: Message | None
) -> None:
    assert_same(not_green_and_empty(health_of(answer)), expected)
