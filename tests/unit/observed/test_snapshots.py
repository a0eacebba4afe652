"""Repositories and snapshots, as a real engine words them: settings come back as text.

Only a snapshot that is whole may be restored from, and whatever is wrong with one is named.
"""

import dataclasses

import pytest

from dualregion.observed.search_engine.repositories import Repository, same_definition
from dualregion.observed.search_engine.snapshots import (
    Snapshot,
    snapshot_bad,
    snapshot_of,
    snapshot_progress,
)
from messages.observed import engines as messages
from tests.fakes.engine_answers import finished, snapshot
from tests.fakes.kubernetes import Document
from tests.raising import assert_message, assert_same

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
    assert same_definition(wanted, {"type": "s3", "settings": found}) is same
    assert not same_definition(wanted, {"type": "fs", "settings": found})
    assert not same_definition(wanted, None)


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
    assert snapshot_bad(found) is None
    assert str(found) == "failback-1 (LF36jkPvSCiP_XhzBknI5g): SUCCESS, 3 of 3 shards, 2 indices"


def test_a_snapshot_of_others_has_no_incident() -> None:
    answer = finished()
    del answer["snapshots"][0]["metadata"]
    assert snapshot(answer).incident == ""


def test_no_snapshot_is_none() -> None:
    assert snapshot_of({"snapshots": []}) is None


@pytest.mark.parametrize("state", ["IN_PROGRESS", "STARTED"])
def test_a_running_snapshot_is_not_good_yet(state: str) -> None:
    found = snapshot(finished(state, shards={"total": 0, "failed": 0, "successful": 0}))
    assert found.running
    assert snapshot_bad(found) is not None


def test_a_partial_snapshot_is_named_with_its_failures() -> None:
    failure = "shard 0 of big: OpenSearchException[failed to create blob container]"
    assert_same(
        snapshot_bad(snapshot(PARTIAL)),
        messages.snapshot_not_whole("failback-1", "PARTIAL", 1, 3, [failure]),
    )


def test_a_failed_snapshot_says_its_own_reason() -> None:
    answer = finished("FAILED", reason="Indices don't have primary shards [big]")
    reason = "Indices don't have primary shards [big]"
    assert_message(
        snapshot_bad(snapshot(answer)), "snapshot-not-whole", state="FAILED", failures=(reason,)
    )


def test_success_with_a_failed_shard_is_no_success() -> None:
    bad = snapshot_bad(dataclasses.replace(snapshot(), shards_failed=1))
    assert_message(bad, "snapshot-not-whole", failed=1, total=3)


@pytest.mark.parametrize(
    ("stats", "done", "to_do"),
    [
        pytest.param(
            {"incremental": {"size_in_bytes": 3400000}, "processed": {"size_in_bytes": 1230000}},
            1230000,
            3400000,
            id="under way",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 0}, "total": {"size_in_bytes": 0}},
            0,
            0,
            id="nothing known yet",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 2500}, "total": {"size_in_bytes": 9_000_000_000}},
            2500,
            2500,
            id="only what is new is copied",
        ),
        pytest.param(
            {"incremental": {"size_in_bytes": 4 * 10**9}, "processed": {"size_in_bytes": 10**9}},
            10**9,
            4 * 10**9,
            id="large",
        ),
    ],
)
def test_the_progress_of_a_snapshot(stats: Document, done: int, to_do: int) -> None:
    shards = {"initializing": 1, "started": 2, "finalizing": 0, "done": 12, "failed": 0}
    status = {"state": "STARTED", "shards_stats": shards | {"total": 43}, "stats": stats}
    expected = messages.snapshot_so_far(12, 43, done, to_do)
    assert_same(snapshot_progress({"snapshots": [status]}), expected)
