"""Exported records: that none is missing must be provable, and every gap be found.

The answers are a real engine's; a search that no index answers has no aggregations at all.
"""

import pytest

from dualregion.observed.search_engine.records import (
    PartitionRecords,
    last_ranges,
    missing_records,
    records_of,
    records_query,
    records_text,
)
from messages import Message
from messages.observed import engines as messages
from messages.observed.brokers import several_reasons
from tests.raising import assert_same


def records(**answer: tuple[int, int, int]) -> dict[int, PartitionRecords]:
    """Return records by partition, e.g. `p1=(count, lowest, highest)`."""
    return {int(name[1:]): PartitionRecords(*each) for name, each in answer.items()}


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
    assert records_of(answer) == records(p1=(100, 100, 199))
    assert records_text(records_of(answer)) == "1: 100 records at 100 to 199"


def test_an_engine_without_records_answers_without_aggregations() -> None:
    assert records_of({"hits": {"total": {"value": 0, "relation": "eq"}, "hits": []}}) == {}


def test_the_search_asks_for_the_ranges_of_the_other_engine() -> None:
    query = records_query(records(p2=(5, 10, 20), p1=(4, 1, 9)))["query"]
    assert [each["bool"]["filter"] for each in query["bool"]["should"]] == [
        [
            {"range": {"partitionId": {"gte": partition, "lte": partition}}},
            {"range": {"position": {"gte": first, "lte": last}}},
        ]
        for partition, first, last in ((1, 1, 9), (2, 10, 20))
    ]
    assert query["bool"]["minimum_should_match"] == 1
    assert records_query()["query"] == {"match_all": {}}


def test_the_last_records_are_looked_for_near_what_is_acknowledged() -> None:
    """However many an engine holds; a partition of which nothing is known would be counted whole."""
    ranges = last_ranges({1: 5_000_000, 2: 0, 3: -1})
    assert ranges.keys() == {1, 2}
    assert (ranges[1].lowest, ranges[1].highest) == (4_990_000, 2**63 - 1)


@pytest.mark.parametrize(
    "survivor",
    [
        pytest.param(records(p1=(50, 10, 99), p2=(7, 3, 40)), id="the same"),
        pytest.param(records(p1=(60, 1, 120), p2=(7, 3, 40), p3=(1, 1, 1)), id="more"),
    ],
)
def test_nothing_is_missing(survivor: dict[int, PartitionRecords]) -> None:
    assert missing_records(survivor, records(p1=(50, 10, 99), p2=(7, 3, 40))) is None


def test_an_empty_failover_engine_holds_nothing_that_could_be_missing() -> None:
    assert missing_records({}, {}) is None


@pytest.mark.parametrize(
    ("survivor", "expected"),
    [
        pytest.param(
            records(p1=(50, 10, 99), p2=(6, 3, 39)),
            messages.records_missing(2, 7, 40, 6, 39),
            id="not as far",
        ),
        pytest.param(
            records(p1=(49, 10, 99), p2=(7, 3, 40)),
            messages.records_missing(1, 50, 99, 49, 99),
            id="as far, but with a gap",
        ),
        pytest.param(
            records(p1=(50, 10, 98), p2=(7, 3, 40)),
            messages.records_missing(1, 50, 99, 50, 98),
            id="as many, but not as far",
        ),
        pytest.param(
            records(p1=(50, 10, 99)),
            messages.records_missing(2, 7, 40, 0, None),
            id="nothing of a partition",
        ),
    ],
)
def test_what_is_missing_is_named_with_both_positions(
    survivor: dict[int, PartitionRecords], expected: Message
) -> None:
    assert_same(missing_records(survivor, records(p1=(50, 10, 99), p2=(7, 3, 40))), expected)


def test_every_partition_that_lacks_something_is_named() -> None:
    assert_same(
        missing_records({}, records(p1=(50, 10, 99), p2=(7, 3, 40))),
        several_reasons(
            [
                messages.records_missing(1, 50, 99, 0, None),
                messages.records_missing(2, 7, 40, 0, None),
            ]
        ),
    )
