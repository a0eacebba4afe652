"""Whether an engine takes a copy: shards and disks, by the settings that count, and nothing guessed."""

from typing import Any

import pytest

from dualregion.observed.search_engine.fitness import (
    Room,
    blocked,
    data_streams_of,
    room_of,
    too_small,
)
from dualregion.observed.search_engine.health import EngineHealth, health_of
from messages import Message
from messages.observed import engines as messages
from tests.raising import assert_same

NODES = {
    "nodes": {
        "a": {"roles": ["data", "ingest"], "fs": {"total": {"available_in_bytes": 600}}},
        "b": {"roles": ["data_hot"], "fs": {"total": {"available_in_bytes": 400}}},
        "c": {"roles": ["master"], "fs": {"total": {"available_in_bytes": 9000}}},
    }
}


def limit(value: str) -> dict[str, Any]:
    return {"cluster": {"max_shards_per_node": value}}


def health(**copies: tuple[int, int]) -> EngineHealth:
    """Return the health of indices with so many shards and replicas of each."""
    indices = {
        name.replace("_", "."): {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "shards": {str(number): {"status": "green"} for number in range(shards)},
        }
        for name, (shards, replicas) in copies.items()
    }
    return health_of({"status": "green", "number_of_nodes": 1, "indices": indices})


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        pytest.param({"defaults": limit("1000")}, 1000, id="the default"),
        pytest.param({"persistent": limit("7"), "transient": {}}, 7, id="set"),
        pytest.param({"persistent": limit("7"), "transient": limit("9")}, 9, id="set for a while"),
    ],
)
def test_only_nodes_that_hold_shards_are_room(settings: dict[str, Any], counts: int) -> None:
    assert room_of(settings, NODES) == Room(counts, 2, 1000)


def test_a_limit_that_is_not_told_is_none_at_all() -> None:
    with pytest.raises(IndexError):
        room_of({"defaults": {}}, NODES)


def test_every_copy_of_a_shard_counts_and_what_the_engine_holds_itself() -> None:
    source, target = health(a=(3, 1), b=(1, 0), _own=(50, 1)), health(_own=(2, 0), old=(30, 0))
    assert too_small(Room(9, 1, 10), source, target, 10) == []
    (problem,) = too_small(Room(8, 1, 10), source, target, 10)
    assert_same(problem, messages.too_few_shards(8, 1, 8, 9))


def test_a_copy_that_the_disks_do_not_take() -> None:
    (problem,) = too_small(Room(9, 1, 10), health(), health(), 11)
    assert_same(problem, messages.disks_too_small(10, 11))


def test_an_engine_without_blocks_is_fit_and_one_that_tells_none_is_no_answer() -> None:
    assert blocked({"blocks": {}}) == []
    with pytest.raises(KeyError):
        blocked({})


def test_indices_of_one_trouble_are_named_together() -> None:
    closed = {"4": {"levels": ["read", "write"]}}
    (problem,) = blocked({"blocks": {"indices": {"b": closed, "a": closed, ".own": closed}}})
    assert_same(problem, messages.indices_closed(["a", "b"]))


@pytest.mark.parametrize(
    ("number", "levels", "expected"),
    [
        pytest.param("4", ["write"], messages.indices_closed(["a"]), id="closed"),
        pytest.param("12", ["write"], messages.indices_on_full_disks(["a"]), id="a full disk"),
        pytest.param("8", ["read"], messages.indices_blocked(["a"]), id="for reading"),
        pytest.param("8", ["write"], None, id="for writing only"),
    ],
)
def test_a_block_has_its_remedy(number: str, levels: list[str], expected: Message | None) -> None:
    found = blocked({"blocks": {"indices": {"a": {number: {"levels": levels}}}}})
    assert len(found) == (expected is not None)
    assert_same(found[0] if found else None, expected)


def test_data_streams_of_the_engine_s_own_are_not_the_user_s() -> None:
    answer = {"data_streams": [{"name": "logs"}, {"name": ".watches"}]}
    assert data_streams_of(answer) == ("logs",)
    assert data_streams_of({"data_streams": []}) == ()
