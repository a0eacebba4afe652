"""What was written to each shard: read of the primary copies alone, and a shard that tells nothing is no empty one."""

from typing import Any

import pytest

from dualregion.observed.search_engine.health import health_of
from dualregion.observed.search_engine.marks import Mark, documents_of, marks_of, of_users, unseen
from tests.raising import assert_message


def copy(documents: int, last: int, *, primary: bool) -> dict[str, Any]:
    return {
        "routing": {"primary": primary},
        "docs": {"count": documents},
        "seq_no": {"max_seq_no": last},
    }


ANSWER = {
    "indices": {
        "one": {
            "shards": {
                "0": [copy(2, 7, primary=False), copy(3, 8, primary=True)],
                "1": [copy(0, -1, primary=True)],
            }
        },
        ".own": {"shards": {"0": [copy(5, 5, primary=True)]}},
        "away": {"shards": {"0": [copy(1, 1, primary=False)]}},
    }
}


def test_the_primary_copies_count() -> None:
    assert marks_of(ANSWER) == {
        ("one", 0): Mark(3, 8),
        ("one", 1): Mark(0, -1),
        (".own", 0): Mark(5, 5),
    }


def test_documents_are_added_up_by_index_without_the_engine_s_own() -> None:
    marks = marks_of(ANSWER)
    assert documents_of(marks) == {"one": 3}
    assert set(of_users(marks)) == {("one", 0), ("one", 1)}


def test_an_engine_without_indices_tells_of_none() -> None:
    assert marks_of({"_shards": {"failed": 0}}) == {}


@pytest.mark.parametrize("indices", [{"one": None}, {"one": {}}, {"one": {"shards": {"0": [{}]}}}])
def test_what_is_out_of_form_is_not_read(indices: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        marks_of({"indices": indices})


def test_a_shard_that_tells_nothing_is_named() -> None:
    shards = {"0": {"status": "green", "primary_active": True}}
    indices = {name: {"shards": shards} for name in ("one", "away", ".own")}
    health = health_of({"status": "red", "indices": indices})
    assert_message(unseen(health, marks_of(ANSWER)), "shards-unknown", shards=["away/0"])
    assert unseen(health, {("one", 0): Mark(1, 1), ("away", 0): Mark(1, 1)}) is None
