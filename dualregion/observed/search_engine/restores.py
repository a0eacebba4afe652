"""Restores: how far one is, when it is done, and whether the engine has given it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dualregion.observed.search_engine.health import EngineHealth, Shard
from dualregion.observed.search_engine.indices import user_indices
from dualregion.observed.search_engine.snapshots import Snapshot
from messages import Message
from messages.observed import engines as messages


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

    @property
    def message(self) -> Message:
        """What is restored."""
        return messages.restored_so_far(self.done, self.total, self.bytes_done, self.bytes_total)


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
    # A restore that waits for its turn is yellow; red means that an attempt has failed.
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


def restore_pending(progress: RestoreProgress) -> Message | None:
    """Return what a restore still lacks, or None once every shard serves.

    The engine's health as a whole does not show it: it is yellow before the first byte has come.
    """
    if progress.absent:
        return messages.indices_not_restored(progress.absent)
    if progress.done < progress.total:
        return progress.message
    if progress.initializing:
        return messages.replicas_under_way(progress.message, progress.initializing)
    return None


GIVEN_UP = frozenset({"max_retry", "restore_in_progress"})
"""The allocation deciders by which an engine says that it does not try to restore a shard again; the
others (a full disk, a node that is away) are passing reasons."""


def given_up(explanation: Mapping[str, Any]) -> Message | None:
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
    # The innermost exception names the file or the service; those around it only read "failed".
    innermost = details.rstrip("; ").split("nested: ")[-1].rstrip("; ")
    shard, index = explanation.get("shard"), explanation.get("index")
    return messages.shard_given_up(str(shard), str(index), innermost[:300])
