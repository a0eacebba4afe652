"""The records that Zeebe's exporter has written, by partition, and whether one engine lacks any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from messages import Message
from messages.observed import engines as messages
from messages.observed.brokers import all_of

RECORD_PREFIX = "zeebe-record"
"""What the names of the exporter's indices begin with, unless its `index.prefix` says otherwise."""


@dataclass(frozen=True)
class PartitionRecords:
    """A partition's exported records in one search engine.

    :ivar lowest: the first record's position.
    :ivar highest: the last record's position.
    """

    count: int
    lowest: int
    highest: int


Records = Mapping[int, PartitionRecords]
"""A search engine's records, by partition."""

_BEFORE = 10_000
"""How far a partition's last record may lie before what is acknowledged: commands are acknowledged, too, and no records."""
_END = (1 << 63) - 1
_MAX_BUCKETS = 10_000
"""How many groups an aggregation may return: above Zeebe's 8192 partitions, so that no group is ever left out."""


def last_ranges(exported: Mapping[int, int]) -> Records:
    """Return the ranges that hold the last records, and few others, however many an engine holds.

    :param exported: the position up to which all exporters of a partition have their records acknowledged; below 0 if
        that is not known, or there is none, and then neither is its range.
    """
    return {
        partition: PartitionRecords(count=0, lowest=position - _BEFORE, highest=_END)
        for partition, position in exported.items()
        if position >= 0
    }


def records_query(within: Records | None = None) -> dict[str, Any]:
    """Return the search for every partition's number of records, lowest and highest position.

    Its cost grows with the records that it counts: on an engine that may hold years of them, ask `within`. Of what lies
    outside, engines skip whole shards, and the rest by the index of positions.

    :param within: count only records inside these partitions' ranges of positions.
    """
    query: dict[str, Any] = {"match_all": {}}
    if within is not None:
        ranges = [
            {
                "bool": {
                    "filter": [
                        # A term would be looked up for all of the partition's records first.
                        {"range": {"partitionId": {"gte": partition, "lte": partition}}},
                        {"range": {"position": {"gte": each.lowest, "lte": each.highest}}},
                    ]
                }
            }
            for partition, each in sorted(within.items())
        ]
        query = {"bool": {"should": ranges, "minimum_should_match": 1}}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": query,
        "aggs": {
            "partitions": {
                "terms": {"field": "partitionId", "size": _MAX_BUCKETS},
                "aggs": {
                    "lowest": {"min": {"field": "position"}},
                    "highest": {"max": {"field": "position"}},
                },
            }
        },
    }


def records_of(answer: Mapping[str, Any]) -> dict[int, PartitionRecords]:
    """Read the answer to `records_query`; an engine without any record has none.

    Positions come as floating-point numbers, which are exact up to 2^53: a partition that processes a
    million records a second gets there in 285 years.
    """
    return {
        int(bucket["key"]): PartitionRecords(
            count=int(bucket["doc_count"]),
            lowest=int(bucket["lowest"]["value"]),
            highest=int(bucket["highest"]["value"]),
        )
        for bucket in _buckets(answer, "partitions")
    }


def missing_records(survivor: Records, failover: Records) -> Message | None:
    """Return which partition's records the survivor's engine lacks, or None; see `lacking_partitions`."""
    return all_of([*lacking_partitions(survivor, failover).values()])


def lacking_partitions(survivor: Records, failover: Records) -> dict[int, Message]:
    """Return of which partitions the survivor's engine lacks records, and what it lacks.

    An exporter exports a partition's records in order, so the survivor's engine holds all that the
    failover engine holds if it has got as far and has as many records in the same range.

    :param survivor: the survivor's records *within the failover engine's ranges*.
    :param failover: all records of the failover engine.
    """
    problems = {}
    for partition, wanted in sorted(failover.items()):
        seen = survivor.get(partition)
        if seen and seen.highest >= wanted.highest and seen.count >= wanted.count:
            continue
        found = (seen.count, seen.highest) if seen else (0, None)
        problems[partition] = messages.records_missing(
            partition, wanted.count, wanted.highest, *found
        )
    return problems


def records_text(records: Records) -> str:
    """Return the records' numbers and positions as evidence."""
    return ", ".join(
        f"{partition}: {each.count} records at {each.lowest} to {each.highest}"
        for partition, each in sorted(records.items())
    )


def _buckets(answer: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return the groups of one aggregation in a search's answer."""
    # A search that no index answers has no aggregations at all.
    aggregations = answer.get("aggregations")
    found: Sequence[Mapping[str, Any]] = (
        () if aggregations is None else aggregations[name]["buckets"]
    )
    return found
