"""An engine's health, shard by shard: whether it serves, and whether it is still empty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dualregion.observed.search_engine.indices import user_indices
from messages import Message
from messages.observed import engines as messages


@dataclass(frozen=True)
class Shard:
    """A shard of an index with all its copies, as `_cluster/health?level=shards` shows it."""

    index: str
    number: int
    status: str
    primary_active: bool
    initializing: int

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"{self.index}/{self.number}"


@dataclass(frozen=True)
class EngineHealth:
    """A search engine's health, shard by shard.

    :ivar copies: how many shards each index is to have, with all their copies.
    """

    status: str
    nodes: int
    shards: tuple[Shard, ...] = ()
    indices: tuple[str, ...] = ()
    copies: Mapping[str, int] = field(default_factory=dict)


def health_of(answer: Mapping[str, Any]) -> EngineHealth:
    """Read the answer of `_cluster/health?level=shards`; one that lists no indices, not even none, is no answer.

    :raises ValueError: if it lists an index without a shard, as none is: nothing would be missing of it.
    """
    indices = answer["indices"]
    if not all(state.get("shards") for state in indices.values()):
        raise ValueError("an index without shards")
    shards = [
        Shard(
            index=index,
            number=int(number),
            status=str(shard.get("status")),
            primary_active=bool(shard.get("primary_active")),
            initializing=int(shard.get("initializing_shards") or 0),
        )
        for index, state in sorted(indices.items())
        for number, shard in sorted(state["shards"].items())
    ]
    return EngineHealth(
        status=str(answer["status"]),
        nodes=int(answer.get("number_of_nodes") or 0),
        shards=tuple(shards),
        indices=tuple(sorted(indices)),
        copies={index: _copies(state) for index, state in indices.items()},
    )


def _copies(state: Mapping[str, Any]) -> int:
    shards = int(state.get("number_of_shards") or len(state["shards"]))
    return shards * (1 + int(state.get("number_of_replicas") or 0))


def not_served(health: EngineHealth) -> Message | None:
    """Return which user indices have a shard whose primary copy does not serve, or None."""
    kept = set(user_indices(health.indices))
    dead = [
        shard.name for shard in health.shards if shard.index in kept and not shard.primary_active
    ]
    return messages.shards_not_served(dead) if dead else None


def not_green_and_empty(health: EngineHealth) -> Message | None:
    """Return why a search engine is not green or holds user indices, or None."""
    indices = user_indices(health.indices)
    if indices:
        return messages.engine_not_empty(indices)
    return None if health.status == "green" else messages.engine_not_green(health.status)
