"""What the search engines say, read into plain values at the edge, and judged by pure functions.

As in `observed`, each judgement returns the reason why something is *not* so (yet), or None. Only what
Elasticsearch 8 and OpenSearch 2 both answer, with the same meaning, is read here.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RECORD_PREFIX = "zeebe-record"
"""What the names of the exporter's indices begin with, unless its `index.prefix` says otherwise."""
MAX_BUCKETS = 10_000
"""How many groups an aggregation may return: above Zeebe's 8192 partitions, and any sensible number of
indices, so that no group is ever left out."""
READONLY_TYPES = frozenset({"azure", "fs", "gcs", "hdfs", "s3"})
"""The repository types that know the setting `readonly`; `url` can only be read anyway."""
USER_INDICES = "*,-.*"
"""The index expression for all that `user_indices` keeps."""
_NAMED = 5
"""How many names a sentence holds before the rest is only counted."""


@dataclass(frozen=True)
class Repository:
    """A snapshot repository, as it is registered in a search engine.

    :ivar type: e.g. `s3` or `fs`.
    :ivar settings: the type's own settings, e.g. bucket, client and base path.
    """

    name: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def definition(self, *, readonly: bool) -> dict[str, Any]:
        """Return the body that registers it, for reading only where the type allows that."""
        settings = dict(self.settings)
        if readonly and self.type in READONLY_TYPES:
            settings["readonly"] = True
        return {"type": self.type, "settings": settings}


def same_definition(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Return whether a repository is registered as wanted; engines answer every setting as text."""
    if found is None or found.get("type") != wanted["type"]:
        return False
    return _texts(found.get("settings") or {}) == _texts(wanted["settings"])


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in settings.items()
    }


# --- Records -------------------------------------------------------------------------------------


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


def records_query(within: Records | None = None) -> dict[str, Any]:
    """Return the search for every partition's number of records, lowest and highest position.

    :param within: count only records inside these partitions' ranges of positions.
    """
    query: dict[str, Any] = {"match_all": {}}
    if within is not None:
        ranges = [
            {
                "bool": {
                    "filter": [
                        {"term": {"partitionId": partition}},
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
                "terms": {"field": "partitionId", "size": MAX_BUCKETS},
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


def missing_records(survivor: Records, failover: Records) -> str | None:
    """Return which partition's records the survivor's engine lacks, or None.

    An exporter exports a partition's records in order, so the survivor's engine holds all that the
    failover engine holds if it has got as far and has as many records in the same range.

    :param survivor: the survivor's records *within the failover engine's ranges*.
    :param failover: all records of the failover engine.
    """
    problems = []
    for partition, wanted in sorted(failover.items()):
        seen = survivor.get(partition)
        if seen is None:
            has = "none of them"
        elif seen.highest < wanted.highest or seen.count < wanted.count:
            has = f"{seen.count} of them, up to position {seen.highest}"
        else:
            continue
        problems.append(
            f"partition {partition}: the failover engine holds {wanted.count} records up to position "
            f"{wanted.highest}, the other engine {has}"
        )
    return "; ".join(problems) or None


def records_text(records: Records) -> str:
    """Return the records' numbers and positions as evidence."""
    return ", ".join(
        f"{partition}: {each.count} records at {each.lowest} to {each.highest}"
        for partition, each in sorted(records.items())
    )


# --- Snapshots -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """A snapshot in a repository.

    :ivar uuid: the engine's own identity of it; a name can be given again, this cannot.
    :ivar failures: one sentence for each shard that failed.
    :ivar incident: the incident that the program took it for; empty if somebody else did.
    """

    name: str
    uuid: str
    state: str
    indices: tuple[str, ...] = ()
    shards_total: int = 0
    shards_failed: int = 0
    failures: tuple[str, ...] = ()
    incident: str = ""

    @property
    def running(self) -> bool:
        """Whether it is still being taken."""
        return self.state in ("IN_PROGRESS", "STARTED")

    def __str__(self) -> str:
        done = self.shards_total - self.shards_failed
        return (
            f"{self.name} ({self.uuid}): {self.state}, {done} of {self.shards_total} shards, "
            f"{len(self.indices)} indices"
        )


def snapshot_of(answer: Mapping[str, Any]) -> Snapshot | None:
    """Read the answer to a question for one snapshot; None if it holds none."""
    found = (answer.get("snapshots") or (None,))[0]
    if found is None:
        return None
    shards = found.get("shards") or {}
    failures = [
        f"shard {each.get('shard_id')} of {each.get('index')}: {each.get('reason')}"
        for each in found.get("failures") or ()
    ]
    if found.get("reason"):
        failures.insert(0, str(found["reason"]))
    return Snapshot(
        name=str(found["snapshot"]),
        uuid=str(found["uuid"]),
        state=str(found.get("state") or "unknown"),
        indices=tuple(sorted(found.get("indices") or ())),
        shards_total=int(shards.get("total") or 0),
        shards_failed=int(shards.get("failed") or 0),
        failures=tuple(failures),
        incident=str((found.get("metadata") or {}).get("incident") or ""),
    )


def snapshot_bad(snapshot: Snapshot) -> str | None:
    """Return why a finished snapshot is not to be restored from, or None."""
    if snapshot.state == "SUCCESS" and not snapshot.shards_failed and not snapshot.failures:
        return None
    reason = (
        f"snapshot {snapshot.name} is {snapshot.state}, "
        f"{snapshot.shards_failed} of {snapshot.shards_total} shards failed"
    )
    return f"{reason}: {_some(snapshot.failures, '; ')}" if snapshot.failures else reason


def snapshot_progress(answer: Mapping[str, Any]) -> str:
    """Return how far a running snapshot is: its `_status`."""
    found: Mapping[str, Any] = (answer.get("snapshots") or ({},))[0]
    shards, stats = found.get("shards_stats") or {}, found.get("stats") or {}
    # Files that an earlier snapshot holds already are not copied again: `incremental` is what is to do.
    to_do = int((stats.get("incremental") or {}).get("size_in_bytes") or 0)
    # Engines leave `processed` out where there is nothing more to process.
    done = int((stats.get("processed") or {"size_in_bytes": to_do}).get("size_in_bytes") or 0)
    return (
        f"{int(shards.get('done') or 0)} of {int(shards.get('total') or 0)} shards, "
        f"{_bytes(done, to_do)}"
    )


# --- Restore -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shard:
    """A shard of an index with all its copies, as `_cluster/health?level=shards` shows it."""

    index: str
    number: int
    status: str
    primary_active: bool
    initializing: int


@dataclass(frozen=True)
class EngineHealth:
    """A search engine's health, shard by shard."""

    status: str
    nodes: int
    shards: tuple[Shard, ...] = ()
    indices: tuple[str, ...] = ()


def health_of(answer: Mapping[str, Any]) -> EngineHealth:
    """Read the answer of `_cluster/health?level=shards`."""
    indices = answer.get("indices") or {}
    shards = [
        Shard(
            index=index,
            number=int(number),
            status=str(shard.get("status")),
            primary_active=bool(shard.get("primary_active")),
            initializing=int(shard.get("initializing_shards") or 0),
        )
        for index, state in sorted(indices.items())
        for number, shard in sorted((state.get("shards") or {}).items())
    ]
    return EngineHealth(
        status=str(answer.get("status")),
        nodes=int(answer.get("number_of_nodes") or 0),
        shards=tuple(shards),
        indices=tuple(sorted(indices)),
    )


def not_served(health: EngineHealth) -> str | None:
    """Return which user indices have a shard whose primary copy does not serve, or None."""
    kept = set(user_indices(health.indices))
    dead = [
        f"shard {shard.number} of {shard.index}"
        for shard in health.shards
        if shard.index in kept and not shard.primary_active
    ]
    return f"not served: {_some(dead)}" if dead else None


def not_green_and_empty(health: EngineHealth) -> str | None:
    """Return why a search engine is not green or holds user indices, or None."""
    indices = user_indices(health.indices)
    if indices:
        return f"it holds {len(indices)} indices: {_some(indices)}"
    return None if health.status == "green" else f"its health is {health.status}"


@dataclass(frozen=True)
class RestoreProgress:
    """How far a restore is.

    :ivar done: shards whose primary copy serves.
    :ivar total: shards of the indices that are there.
    :ivar absent: indices of the snapshot that are not there.
    :ivar initializing: copies on their way.
    :ivar bytes_done: bytes that have come out of the snapshot.
    :ivar failing: the first shard that nothing works on although its primary copy does not serve.
    """

    done: int
    total: int
    absent: tuple[str, ...]
    initializing: int
    bytes_done: int
    bytes_total: int
    failing: Shard | None

    def __str__(self) -> str:
        text = f"{self.done} of {self.total} shards, {_bytes(self.bytes_done, self.bytes_total)}"
        # How large a shard is the engine knows only once it has begun with it.
        return text if self.done == self.total else f"{text} of those begun"


def restore_progress(
    snapshot: Snapshot,
    repository: str,
    health: EngineHealth,
    recoveries: Mapping[str, Any],
) -> RestoreProgress:
    """Put a restore's progress together.

    :param recoveries: the answer of `_recovery`, of which only those out of this snapshot count.
    """
    wanted = set(user_indices(snapshot.indices))
    shards = [shard for shard in health.shards if shard.index in wanted]
    # A restore that waits for its turn is yellow; red says that an attempt has failed.
    failing = [
        shard
        for shard in shards
        if shard.status == "red" and not shard.primary_active and not shard.initializing
    ]
    sizes = [
        copy.get("index", {}).get("size") or {}
        for index, state in recoveries.items()
        if index in wanted
        for copy in state.get("shards") or ()
        if _comes_from(copy, snapshot.name, repository)
    ]
    return RestoreProgress(
        done=sum(shard.primary_active for shard in shards),
        total=len(shards),
        absent=tuple(sorted(wanted - set(health.indices))),
        initializing=sum(shard.initializing for shard in shards),
        bytes_done=sum(int(size.get("recovered_in_bytes") or 0) for size in sizes),
        bytes_total=sum(int(size.get("total_in_bytes") or 0) for size in sizes),
        failing=failing[0] if failing else None,
    )


def _comes_from(copy: Mapping[str, Any], snapshot: str, repository: str) -> bool:
    source = copy.get("source") or {}
    return (
        copy.get("type") == "SNAPSHOT"
        and source.get("snapshot") == snapshot
        and source.get("repository") == repository
    )


def restore_pending(progress: RestoreProgress) -> str | None:
    """Return what a restore still lacks, or None once every shard serves.

    The engine's health as a whole says nothing of it: it is yellow before the first byte has come.
    """
    if progress.absent:
        return f"{len(progress.absent)} indices are not there: {_some(progress.absent)}"
    if progress.done < progress.total:
        return str(progress)
    if progress.initializing:
        return f"{progress}; {progress.initializing} copies on their way"
    return None


GIVEN_UP = frozenset({"max_retry", "restore_in_progress"})
"""The allocation deciders by which an engine says that it does not try to restore a shard again; the
others (a full disk, a node that is away) are passing reasons."""


def given_up(explanation: Mapping[str, Any]) -> str | None:
    """Return why the engine has given a shard up: its `_cluster/allocation/explain`; None if it has not."""
    deciders = {
        str(decider.get("decider"))
        for node in explanation.get("node_allocation_decisions") or ()
        for decider in node.get("deciders") or ()
        if decider.get("decision") == "NO"
    }
    if explanation.get("current_state") != "unassigned" or not deciders & GIVEN_UP:
        return None
    details = str((explanation.get("unassigned_info") or {}).get("details") or "no details")
    # The innermost exception names the file or the service; those around it only say "failed".
    innermost = details.rstrip("; ").split("nested: ")[-1].rstrip("; ")
    return (
        f"shard {explanation.get('shard')} of index {explanation.get('index')}: {innermost[:300]}"
    )


# --- Comparing two engines -----------------------------------------------------------------------


def user_indices(names: Iterable[str]) -> tuple[str, ...]:
    """Return the indices that are Camunda's or the user's: an engine's own begin with a dot."""
    return tuple(sorted(name for name in names if not name.startswith(".")))


def counts_query() -> dict[str, Any]:
    """Return the search for the number of documents in each index, nested ones not counted."""
    return {
        "size": 0,
        "track_total_hits": False,
        "aggs": {"indices": {"terms": {"field": "_index", "size": MAX_BUCKETS}}},
    }


def counts_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """Read the answer to `counts_query`; an empty index is not in it."""
    return {str(bucket["key"]): int(bucket["doc_count"]) for bucket in _buckets(answer, "indices")}


def counts_differ(survivor: Mapping[str, int], recreated: Mapping[str, int]) -> str | None:
    """Return which indices do not hold the same number of documents, or None."""
    differing = [
        f"index {index}: {_documents(survivor, index)} in the survivor, "
        f"{_documents(recreated, index)} in the recreated region"
        for index in sorted({*survivor, *recreated})
        if survivor.get(index) != recreated.get(index)
    ]
    return _some(differing, "; ") if differing else None


def _documents(counts: Mapping[str, int], index: str) -> str:
    return f"{counts[index]} documents" if index in counts else "no such index"


def templates_of(
    composable: Mapping[str, Any], components: Mapping[str, Any], legacy: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names of all templates that the engine did not bring itself.

    :param composable: the answer of `_index_template`.
    :param components: the answer of `_component_template`.
    :param legacy: the answer of `_template`.
    """
    named = [
        ("index template", each["name"], each.get("index_template") or {})
        for each in composable.get("index_templates") or ()
    ]
    named += [
        ("component template", each["name"], each.get("component_template") or {})
        for each in components.get("component_templates") or ()
    ]
    named += [("legacy template", name, body) for name, body in legacy.items()]
    return tuple(
        sorted(
            f"{kind} {name}"
            for kind, name, body in named
            if not name.startswith(".") and not (body.get("_meta") or {}).get("managed")
        )
    )


def missing_templates(survivor: Iterable[str], recreated: Iterable[str]) -> str | None:
    """Return which of the survivor's templates the recreated region lacks, or None."""
    missing = sorted(set(survivor) - set(recreated))
    return f"missing: {_some(missing)}" if missing else None


# --- Words ---------------------------------------------------------------------------------------


def error_reason(body: str) -> str:
    """Return an engine's own reasons out of an error document, outermost first, even if it is cut short.

    An engine repeats itself (root cause, error, chain of causes); each reason is said once.
    """
    reasons: list[str] = []
    for found in re.findall(r'"reason"\s*:\s*"((?:[^"\\]|\\.)+)', body):
        reason = _unescaped(found)
        if not any(reason in known for known in reasons):
            reasons.append(reason)
    return ": ".join(reasons[:4]) or body


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _buckets(answer: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    # A search that no index answers has no aggregations at all.
    found: Sequence[Mapping[str, Any]] = (
        (answer.get("aggregations") or {}).get(name, {}).get("buckets", ())
    )
    return found


def _some(names: Sequence[str], separator: str = ", ") -> str:
    more = len(names) - _NAMED
    return separator.join([*names[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _bytes(done: int, total: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if total >= size:
            return f"{done / size:.1f} of {total / size:.1f} {unit}"
    return f"{done} of {total} bytes"
