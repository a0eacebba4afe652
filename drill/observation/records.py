"""The exported records of a region's search engine, all of them, by their ids.

The exporter names each document by partition and position, so equal sets of ids in both engines mean that
none has a record which the other one lacks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from drill.errors import ClusterCallFailed
from drill.observation.cluster import ClusterView, require_all_shards

_BATCH = 10_000
"""The most that an engine gives at once without a change of its settings."""
_INDICES = "zeebe-record*"


def record_ids(view: ClusterView, namespace: str, write: Callable[[str], None]) -> list[str]:
    """Return the id of every exported record in a namespace's search engine, one entry for each document.

    The engine must be quiet: what is exported meanwhile may be left out.

    :raises ClusterCallFailed: the engine did not answer, or not with all that it counts.
    """
    view.search(namespace, f"{_INDICES}/_refresh")
    counted = view.document_count(namespace)
    path = f"{_INDICES}/_search?filter_path=timed_out,_shards.failed,hits.hits._id,hits.hits.sort"
    ids: list[str] = []
    last: list[Any] | None = None
    while hits := _hits(view.search(namespace, path, records_query(last))):
        ids += [hit["_id"] for hit in hits]
        last = hits[-1]["sort"]
        if len(ids) % (5 * _BATCH) == 0:
            write(f"  {len(ids)} of {counted} records read in {namespace}")
    if len(ids) != counted:
        raise ClusterCallFailed(
            f"the search engine of {namespace} counts {counted} records, but {len(ids)} were read"
        )
    return ids


def records_query(last: Sequence[Any] | None) -> dict[str, Any]:
    """Return the search for the next records, in the order of partition and position, after the last one read."""
    query: dict[str, Any] = {
        "size": _BATCH,
        "_source": False,
        "track_total_hits": False,
        # An index without a single record has no mapping of these fields.
        "sort": [
            {field: {"order": "asc", "unmapped_type": "long"}}
            for field in ("partitionId", "position")
        ],
    }
    return query if last is None else query | {"search_after": list(last)}


def partition_of(record_id: str) -> int:
    """Return the partition in a record's id, `<partition>-<position>`."""
    return int(record_id.partition("-")[0])


def not_exported(brokers: Mapping[str, Mapping[str, Any]], partitions: Iterable[int]) -> str | None:
    """Return which partition's exporters have not written all that was processed, or None.

    A leader's exported position is the lowest of all its exporters.

    :param brokers: what each broker answers of its partitions, by their ids.
    :param partitions: all that there are.
    """
    leaders = {
        int(partition): state
        for partitions in brokers.values()
        for partition, state in partitions.items()
        if state.get("role") == "LEADER"
    }
    for partition in partitions:
        if partition not in leaders:
            return f"no broker leads partition {partition}"
    for partition, state in sorted(leaders.items()):
        exported, processed = state.get("exportedPosition", -1), state["processedPosition"]
        if exported < processed:
            return f"partition {partition} is exported up to {exported} of {processed}"
    return None


def _hits(answer: dict[str, Any]) -> list[dict[str, Any]]:
    require_all_shards(answer)
    hits: list[dict[str, Any]] = answer.get("hits", {}).get("hits", [])
    return hits
