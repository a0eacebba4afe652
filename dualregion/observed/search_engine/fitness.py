"""Whether an engine can be copied, and another one take the copy: looked for before anything is paused."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dualregion.observed.search_engine.health import EngineHealth
from dualregion.observed.search_engine.indices import user_indices
from messages import Message
from messages.observed import engines as messages

_CLOSED, _DISK_FULL = "4", "12"
"""The numbers of two blocks, the same in every version: of a closed index, and of one whose disk was full."""
_DATA_ROLES = "data"
"""What the roles of nodes that hold shards begin with."""
_OfIndices = Callable[[Sequence[str]], Message]


def blocked(answer: Mapping[str, Any]) -> list[Message]:
    """Return what keeps an engine from being counted, copied, deleted and restored, each with its remedy.

    A user index that only takes no writes is no problem: nothing is written to it in a failback.

    :param answer: that of `_cluster/state/blocks`.
    """
    blocks = answer["blocks"]
    problems = [
        messages.engine_blocked(str(block.get("description") or number))
        for number, block in (blocks.get("global") or {}).items()
    ]
    found = blocks.get("indices") or {}
    by_problem: dict[_OfIndices, list[str]] = {}
    for index in user_indices(found):
        for number, block in sorted(found[index].items()):
            problem = _problem(number, block["levels"])
            if problem:
                by_problem.setdefault(problem, []).append(index)
                break
    problems += [problem(indices) for problem, indices in by_problem.items()]
    return problems


def _problem(number: str, levels: Iterable[str]) -> _OfIndices | None:
    if number == _CLOSED:
        return messages.indices_closed
    if number == _DISK_FULL:
        return messages.indices_on_full_disks
    return None if set(levels) <= {"write"} else messages.indices_blocked


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
    limits = [
        settings[kind]["cluster"]["max_shards_per_node"]
        for kind in ("transient", "persistent", "defaults")
        if "max_shards_per_node" in (settings.get(kind) or {}).get("cluster", {})
    ]
    available = sum(int(node["fs"]["total"]["available_in_bytes"]) for node in holding)
    return Room(int(limits[0]), len(holding), available)


def too_small(
    room: Room, source: EngineHealth, target: EngineHealth, bytes_to_come: int
) -> list[Message]:
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
            messages.too_few_shards(limit, room.data_nodes, room.shards_per_node, shards)
        )
    if bytes_to_come > room.available:
        problems.append(messages.disks_too_small(room.available, bytes_to_come))
    return problems


def too_old(version: str, source: str) -> Message | None:
    """Return why an engine of a version cannot restore what one of another version has taken, or None.

    Source: Elasticsearch, 'Snapshot compatibility'. Only the first two numbers count.
    """
    own, theirs = (tuple(map(int, each.split(".")[:2])) for each in (version, source))
    return messages.engine_too_old(version, source) if own < theirs else None


def data_streams_of(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the names of the user's data streams: the answer of `_data_stream`."""
    return user_indices(each["name"] for each in answer["data_streams"])
