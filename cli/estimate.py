"""How long a recovery would take: by the last one, or by reference figures, and by what is there now to copy. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dualregion import brokers

TURN_SECONDS = 10.0
"""What each `pulumi up` takes beside its steps: its start, its look at what is there, its end."""
RESTART_SECONDS = 45.0
"""How long a broker takes to be restarted and to work again, if no recovery has shown it."""
BYTES_PER_SECOND = 40_000_000
"""How fast a search engine writes and restores a snapshot, unless it is set otherwise: a node's default limit."""

_FAILOVER = ("F0", "F1", "F2", "F3", "R")
_UNTIL_COMMANDS = ("F0", "F1", "F2")
_FAILBACK = ("B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "N")
_PAUSED = ("B2", "B3", "B4", "B5")
_TURNS = {_UNTIL_COMMANDS: 1, _FAILOVER: 2, _PAUSED: 4, _FAILBACK: 8}
"""How many turns these steps take; of those that end within a turn its part is counted whole."""
_PER_BROKER = ("F3", "B4", "B7")
"""The steps that restart brokers one after the other: they grow with their number."""
_PER_BYTE = "B3"
"""The step that copies the search engine: it grows with what that holds."""


@dataclass(frozen=True)
class Held:
    """What there is to copy now.

    :ivar bytes: of the primary copies of all of the user's indices.
    """

    bytes: int
    documents: int


@dataclass(frozen=True)
class Past:
    """A recovery that was carried out, here or in a rehearsal.

    :ivar name: where its figures come from, for people.
    :ivar seconds: how long each step took, of both stacks together.
    :ivar cluster_size: the brokers of both regions; None if they are as many as here.
    :ivar documents: how many it has copied; None if that is not known.
    """

    name: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    cluster_size: int | None = None
    documents: int | None = None


@dataclass(frozen=True)
class Estimate:
    """How long a recovery would take, in seconds.

    :ivar commands: from the start of the failover until commands are accepted on every partition.
    :ivar failover: until it is complete.
    :ivar paused: for how long exporters would stand still in the failback; None if what is to be copied is unknown.
    :ivar failback: all of it; likewise.
    :ivar restarts: how many brokers a failback restarts one after the other.
    """

    commands: float
    failover: float
    paused: float | None
    failback: float | None
    restarts: int


def estimate(cluster_size: int, held: Held | None, past: Past | None) -> Estimate:
    """Return how long a recovery of a cluster would take.

    :param held: what there is to copy; None if that is not known.
    """
    steps = _seconds(cluster_size, held, past)

    def of(wanted: tuple[str, ...]) -> float:
        return sum(steps[each] for each in wanted) + TURN_SECONDS * _TURNS[wanted]

    is_known = _PER_BYTE in steps
    return Estimate(
        of(_UNTIL_COMMANDS),
        of(_FAILOVER),
        of(_PAUSED) if is_known else None,
        of(_FAILBACK) if is_known else None,
        _restarts(cluster_size),
    )


def _restarts(cluster_size: int) -> int:
    """Return how many brokers B4 restarts: all of the survivor's region, and the awake ones of the other one."""
    own, failover = brokers.broker_count(cluster_size), brokers.failover_broker_count(cluster_size)
    return own + failover + (own - failover)


def _seconds(cluster_size: int, held: Held | None, past: Past | None) -> dict[str, float]:
    """Return how long each step would take; B3 is missing if what is to be copied is not known."""
    found = _reference(cluster_size)
    if held is not None:
        found[_PER_BYTE] = 30.0 + 2 * held.bytes / BYTES_PER_SECOND
    if past is None:
        return found
    growth = cluster_size / (past.cluster_size or cluster_size)
    for step, seconds in past.seconds.items():
        if step == _PER_BYTE:
            continue
        found[step] = seconds * (growth if step in _PER_BROKER else 1.0)
    copied = past.seconds.get(_PER_BYTE)
    if held is not None and copied is not None and past.documents:
        # Less to copy than then is not counted: a part of it does not depend on that.
        found[_PER_BYTE] = copied * max(1.0, held.documents / past.documents)
    return found


def _reference(cluster_size: int) -> dict[str, float]:
    own = brokers.broker_count(cluster_size)
    return {
        "F0": 2.0,
        "F1": 20.0,
        "F2": 60.0,
        "F3": 10.0 * own,
        "R": 30.0,
        "B0": 5.0,
        "B1": 90.0,
        "B2": 60.0,
        "B4": RESTART_SECONDS * _restarts(cluster_size),
        "B5": 90.0,
        "B6": 60.0,
        "B7": RESTART_SECONDS * own,
        "N": 10.0,
    }
