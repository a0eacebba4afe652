"""Snapshots: what they hold, whether they are whole, and how far a running one is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messages import Message
from messages.observed import engines as messages

NAME_PREFIX = "failback-"
"""What the names of the failback's snapshots begin with."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot in a repository.

    :ivar uuid: the engine's own identity of it; a name can be given again, this cannot.
    :ivar failures: one sentence for each shard that failed.
    :ivar incident: the incident that the program took it for; empty if something else took it.
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


def is_taking(answer: Mapping[str, Any]) -> bool:
    """Return whether a repository's `_status` shows a snapshot of the failback that is being taken."""
    return any(
        str(each["snapshot"]).startswith(NAME_PREFIX) and each["state"] in ("INIT", "STARTED")
        for each in answer["snapshots"]
    )


def snapshot_bad(snapshot: Snapshot) -> Message | None:
    """Return why a finished snapshot is not to be restored from, or None."""
    if snapshot.state == "SUCCESS" and not snapshot.shards_failed and not snapshot.failures:
        return None
    return messages.snapshot_not_whole(
        snapshot.name,
        snapshot.state,
        snapshot.shards_failed,
        snapshot.shards_total,
        snapshot.failures,
    )


def snapshot_progress(answer: Mapping[str, Any]) -> Message:
    """Return how far a running snapshot is: its `_status`."""
    found: Mapping[str, Any] = (answer.get("snapshots") or ({},))[0]
    shards, stats = found.get("shards_stats") or {}, found.get("stats") or {}
    # Files that an earlier snapshot holds already are not copied again: `incremental` is what is to do.
    to_do = int((stats.get("incremental") or {}).get("size_in_bytes") or 0)
    # Engines leave `processed` out where there is nothing more to process.
    done = int((stats.get("processed") or {"size_in_bytes": to_do}).get("size_in_bytes") or 0)
    finished, total = int(shards.get("done") or 0), int(shards.get("total") or 0)
    return messages.snapshot_so_far(finished, total, done, to_do)
