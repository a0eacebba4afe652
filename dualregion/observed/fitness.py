"""Whether an engine can be copied, and another one take the copy: looked for before anything is paused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dualregion.observed.health import EngineHealth
from dualregion.observed.indices import user_indices
from dualregion.observed.words import amount, some_of

_CLOSED, _DISK_FULL = "4", "12"
"""The numbers of two blocks, the same in every version: of a closed index, and of one whose disk was full."""
_DATA_ROLES = "data"
"""What the roles of nodes that hold shards begin with."""


def blocked(answer: Mapping[str, Any]) -> list[str]:
    """Return what keeps an engine from being counted, copied, deleted and restored, each with its remedy.

    A user index that only takes no writes is no problem: nothing is written to it in a failback.

    :param answer: that of `_cluster/state/blocks`.
    """
    blocks = answer["blocks"]
    problems = [
        f"the whole engine is blocked ({block.get('description') or number}): take the setting cluster.blocks.* away, or "
        "wait until it has a master again"
        for number, block in (blocks.get("global") or {}).items()
    ]
    found = blocks.get("indices") or {}
    by_remedy: dict[str, list[str]] = {}
    for index in user_indices(found):
        for number, block in sorted(found[index].items()):
            remedy = _remedy(number, block["levels"])
            if remedy:
                by_remedy.setdefault(remedy, []).append(index)
                break
    problems += [f"index {some_of(names)} {remedy}" for remedy, names in by_remedy.items()]
    return problems


def _remedy(number: str, levels: Iterable[str]) -> str | None:
    if number == _CLOSED:
        return (
            "is closed, so that nothing of it is copied: open it (POST /NAME/_open), or delete it"
        )
    if number == _DISK_FULL:
        return (
            "takes no writes, as a disk was full (flood stage): make room; the engine ends that by itself, or set "
            "index.blocks.read_only_allow_delete to null"
        )
    if set(levels) <= {"write"}:
        return None
    return "is blocked (index.blocks.*), also for what is no write: set that to null"


@dataclass(frozen=True)
class Room:
    """How much an engine takes.

    :ivar shards_per_node: `cluster.max_shards_per_node`.
    :ivar data_nodes: how many nodes hold shards.
    :ivar available: bytes that their disks have left.
    """

    shards_per_node: int
    data_nodes: int
    available: int


def room_of(settings: Mapping[str, Any], nodes: Mapping[str, Any]) -> Room:
    """Read an engine's room.

    :param settings: the answer of `_cluster/settings`, with its defaults.
    :param nodes: the answer of `_nodes/stats/fs`.
    """
    holding = [
        node
        for node in nodes["nodes"].values()
        if any(str(role).startswith(_DATA_ROLES) for role in node["roles"])
    ]
    # In their order of precedence.
    said = [
        settings[kind]["cluster"]["max_shards_per_node"]
        for kind in ("transient", "persistent", "defaults")
        if "max_shards_per_node" in (settings.get(kind) or {}).get("cluster", {})
    ]
    available = sum(int(node["fs"]["total"]["available_in_bytes"]) for node in holding)
    return Room(int(said[0]), len(holding), available)


def too_small(
    room: Room, source: EngineHealth, target: EngineHealth, bytes_to_come: int
) -> list[str]:
    """Return why an engine cannot take a copy of another one; what it holds of users is deleted before.

    :param bytes_to_come: how much more it will hold than now.
    """
    problems = []
    kept = set(target.indices) - set(user_indices(target.indices))
    wanted = sum(source.copies[index] for index in user_indices(source.indices))
    shards = wanted + sum(target.copies[index] for index in kept)
    limit = room.shards_per_node * room.data_nodes
    if shards > limit:
        problems.append(
            f"it takes {limit} shards ({room.data_nodes} data nodes, cluster.max_shards_per_node "
            f"{room.shards_per_node}), and {shards} are needed: more nodes, a higher limit, or fewer indices or replicas"
        )
    if bytes_to_come > room.available:
        problems.append(
            f"its disks have {amount(room.available, room.available)} left, and the copy takes "
            f"{amount(bytes_to_come, bytes_to_come)}: larger disks, or more nodes"
        )
    return problems


def data_streams_of(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the names of the user's data streams: the answer of `_data_stream`."""
    return user_indices(each["name"] for each in answer["data_streams"])
