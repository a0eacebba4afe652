"""What search engines answer that is not as it is to be."""

from collections.abc import Sequence

from messages.catalogue import Message, message
from messages.words import amount, bytes_of, some_of


@message
def documents_differ(index: str, survivor: int | None, recreated: int | None) -> str:
    """An index does not hold the same number of documents in both engines, or one has no such index."""
    return f"index {index}: {_documents(survivor)} in the survivor, {_documents(recreated)} in the recreated region"


def _documents(count: int | None) -> str:
    return "no such index" if count is None else f"{count} documents"


@message
def indices_differ(differences: Sequence[str]) -> str:
    """Several indices differ; the sentence names the first few."""
    return some_of(differences, "; ")


@message
def lifecycles_differ(policies: Sequence[str]) -> str:
    """The recreated region's engine lacks lifecycle policies of the survivor's, or has others under their names."""
    return f"lifecycle policies {some_of(policies)} are not the same"


@message
def templates_missing(templates: Sequence[str]) -> str:
    """Templates of the surviving region's engine are not in the recreated region's."""
    return f"missing: {some_of(templates)}"


@message
def engine_blocked(reason: str) -> str:
    """A block of the whole engine is set."""
    return f"the whole engine is blocked ({reason}): remove the setting cluster.blocks.*, or wait until it has a master again"


@message
def indices_closed(indices: Sequence[str]) -> str:
    """Indices are closed."""
    return f"index {some_of(indices)} is closed, so that nothing of it is copied: open it (POST /NAME/_open), or delete it"


@message
def indices_on_full_disks(indices: Sequence[str]) -> str:
    """Indices take no writes since a disk was full."""
    return (
        f"index {some_of(indices)} takes no writes, as a disk was full (flood stage): make room; the engine ends that by "
        "itself, or set index.blocks.read_only_allow_delete to null"
    )


@message
def indices_blocked(indices: Sequence[str]) -> str:
    """Indices are blocked for more than writes."""
    return f"index {some_of(indices)} is blocked (index.blocks.*), also for what is no write: set that to null"


@message
def too_few_shards(limit: int, data_nodes: int, shards_per_node: int, needed: int) -> str:
    """An engine's limit of shards is too low for the copy."""
    return (
        f"it takes {limit} shards ({data_nodes} data nodes, cluster.max_shards_per_node {shards_per_node}), and {needed} "
        "are needed: more nodes, a higher limit, or fewer indices or replicas"
    )


@message
def disks_too_small(available: int, needed: int) -> str:
    """An engine's disks have less space left than the copy takes, in bytes."""
    return f"its disks have {bytes_of(available)} left, and the copy takes {bytes_of(needed)}: larger disks, or more nodes"


@message
def engine_too_old(version: str, source: str) -> str:
    """The recreated region's engine is of an older version than the survivor's, and restores no snapshot of it."""
    return (
        f"its version is {version}, and it is to restore a snapshot that {source} takes, which an older one refuses: install "
        f"{source} or a newer one"
    )


@message
def shards_not_served(shards: Sequence[str]) -> str:
    """The primary copies of shards are not active."""
    return f"not served: shard {some_of(shards)}"


@message
def shards_unknown(shards: Sequence[str]) -> str:
    """Shards did not answer, so it is unknown what they hold."""
    return f"shard {some_of(shards)} did not answer"


@message
def engine_not_empty(indices: Sequence[str]) -> str:
    """An engine that is to be empty holds indices."""
    return f"it holds {len(indices)} indices: {some_of(indices)}"


@message
def engine_not_green(health: str) -> str:
    """An engine's health is not green."""
    return f"its health is {health}"


@message
def records_missing(
    partition: int, records: int, position: int, found: int, found_position: int | None
) -> str:
    """The surviving region's engine does not hold all records of a partition that the failover engine holds."""
    has = (
        "none of them"
        if found_position is None
        else f"{found} of them, up to position {found_position}"
    )
    return (
        f"partition {partition}: the failover engine holds {records} records up to position {position}, the other engine "
        f"{has}"
    )


@message
def indices_not_restored(indices: Sequence[str]) -> str:
    """Indices of the snapshot are not in the engine yet."""
    return f"{len(indices)} indices are not there: {some_of(indices)}"


@message
def restored_so_far(shards: int, total: int, bytes_done: int, bytes_total: int) -> str:
    """How far a restore is; how large a shard is, the engine knows only once it has begun with it."""
    begun = "" if shards == total else " of those begun"
    return f"{shards} of {total} shards, {amount(bytes_done, bytes_total)}{begun}"


@message
def replicas_under_way(restored: Message, copies: int) -> str:
    """All shards are restored, and further copies of them are being made."""
    return f"{restored}; {copies} copies on their way"


@message
def shard_given_up(shard: str, index: str, reason: str) -> str:
    """An engine does not try any more to restore a shard; the reason is its own."""
    return f"shard {shard} of index {index}: {reason}"


@message
def snapshot_not_whole(
    snapshot: str, state: str, failed: int, total: int, failures: Sequence[str]
) -> str:
    """A snapshot has ended without all of its shards, or is not finished; its failures are the engine's own."""
    reasons = f": {some_of(failures, '; ')}" if failures else ""
    return f"snapshot {snapshot} is {state}, {failed} of {total} shards failed{reasons}"


@message
def snapshot_so_far(shards: int, total: int, bytes_done: int, bytes_total: int) -> str:
    """How far a running snapshot is."""
    return f"{shards} of {total} shards, {amount(bytes_done, bytes_total)}"
