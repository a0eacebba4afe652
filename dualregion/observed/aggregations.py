"""Searches that count in groups: how many groups, and where they stand in an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

MAX_BUCKETS = 10_000
"""How many groups an aggregation may return: above Zeebe's 8192 partitions, so that no group is ever left out."""


def buckets(answer: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return the groups of one aggregation in a search's answer."""
    # A search that no index answers has no aggregations at all.
    aggregations = answer.get("aggregations")
    found: Sequence[Mapping[str, Any]] = (
        () if aggregations is None else aggregations[name]["buckets"]
    )
    return found
