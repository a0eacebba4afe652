"""How much has been written to each shard: what two engines hold is compared by it, and whether anything still comes.

An engine numbers the operations on each shard. That number moves with every write, also one that replaces a document, and a
snapshot and its restore keep it. To ask for it costs the same however many documents there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dualregion.observed.search_engine.health import EngineHealth
from dualregion.observed.search_engine.indices import user_indices
from messages import Message
from messages.observed import engines as messages


@dataclass(frozen=True)
class Mark:
    """What a shard's primary copy holds.

    :ivar documents: how many documents, nested ones counted, deleted ones not.
    :ivar last: the number of the last operation on it; -1 if there was none.
    """

    documents: int
    last: int


Marks = Mapping[tuple[str, int], Mark]
"""The shards of an engine, by index and number; without those whose primary copy did not answer."""


def marks_of(answer: Mapping[str, Any]) -> dict[tuple[str, int], Mark]:
    """Read the answer of `_stats/docs?level=shards`."""
    return {
        (str(index), int(number)): Mark(
            documents=int(copy["docs"]["count"]), last=int(copy["seq_no"]["max_seq_no"])
        )
        # What is asked for by paths is left out where there is none.
        for index, state in answer.get("indices", {}).items()
        for number, copies in state["shards"].items()
        for copy in copies
        if copy["routing"]["primary"]
    }


def unseen(health: EngineHealth, marks: Marks) -> Message | None:
    """Return which shards of user indices did not answer, or None: one that did not may hold documents."""
    kept = set(user_indices(health.indices))
    silent = [
        each.name
        for each in health.shards
        if each.index in kept and (each.index, each.number) not in marks
    ]
    return messages.shards_unknown(silent) if silent else None


def documents_of(marks: Marks) -> dict[str, int]:
    """Return how many documents each user index holds."""
    counts: dict[str, int] = {}
    for (index, _), mark in sorted(marks.items()):
        counts[index] = counts.get(index, 0) + mark.documents
    return {index: counts[index] for index in user_indices(counts)}


def of_users(marks: Marks) -> dict[tuple[str, int], Mark]:
    """Return the marks of the user indices' shards alone."""
    kept = set(user_indices(index for index, _ in marks))
    return {shard: mark for shard, mark in marks.items() if shard[0] in kept}
