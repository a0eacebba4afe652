"""The drill's figures, computed from moments alone: no clock, no file, no cluster.

All moments are seconds on the machine's monotonic clock, which every process of one machine shares, so
the load client's acknowledgements and the drill's own marks (the loss, the end of the failover) can be
compared without trusting the wall clock.

A *gap* is a stretch longer than `GAP_SECONDS` in which no command was accepted. The client sends at least
ten requests a second, so a gap is a missing service and not a pause between two requests.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_SECONDS = 1.0
"""Shorter stretches without an acknowledgement are jitter of a loaded machine."""
PARTITION_GAP_SECONDS = 3.0
"""The same for one partition, which gets only its share of the load: 2 commands a second of 20 to 8."""

EXPORT_STALL_SECONDS = 10.0
"""Exporters flush every five seconds at the latest; twice that without growth is a stall."""

_PARTITION_BITS = 51
"""Zeebe's keys: the partition's id stands above the lower 51 bits, a counter of that partition."""


@dataclass(frozen=True)
class Ack:
    """One acknowledged command: the instance's key, when it was sent, when the answer came."""

    key: int
    sent: float
    at: float

    @property
    def partition(self) -> int:
        """The partition that accepted the command."""
        return partition_of(self.key)


@dataclass(frozen=True)
class Gap:
    """A stretch in which no command was accepted."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True)
class ExportSample:
    """What the search engine and the brokers answered about exporting at one moment.

    `documents` is None when the engine did not answer; `positions` holds, for each partition that any
    broker spoke for, the highest exported position. `paused` is whether any broker had paused an
    exporter, `web_apps_down` whether one of the survivor's web applications was not ready; None when
    none answered.
    """

    at: float
    documents: int | None
    positions: Mapping[int, int]
    paused: bool | None = None
    web_apps_down: bool | None = None


def partition_of(key: int) -> int:
    """Return the partition that made a key."""
    return key >> _PARTITION_BITS


def gaps_between(
    moments: Iterable[float], start: float, end: float, longer_than: float = GAP_SECONDS
) -> list[Gap]:
    """Return every gap from `start` to `end`, cut at both; a gap that still lasts at `end` is one too."""
    inside = sorted(moment for moment in moments if start < moment < end)
    points = [start, *inside, end]
    return [Gap(a, b) for a, b in pairwise(points) if b - a > longer_than]


def outage_seconds(moments: Sequence[float], loss: float, watched_until: float) -> float | None:
    """Return the seconds from the loss to the end of the first gap after it.

    Commands on their way at the loss may still be accepted; so it is the end of the first gap that counts.
    0.0 when there was no gap at all, None when the first gap never ended while the client watched.
    """
    first = next(iter(gaps_between(moments, loss, watched_until)), None)
    if first is None:
        return 0.0
    if first.end >= watched_until:
        return None
    return first.end - loss


def unavailable_seconds(moments: Iterable[float], start: float, end: float) -> float:
    """Return the sum of all gaps in a stretch: from the loss to the end of the failover, or the failback."""
    return sum(gap.seconds for gap in gaps_between(moments, start, end))


def seconds_outside(gaps: Iterable[Gap], covered: Iterable[Gap]) -> float:
    """Return how much of the gaps lies in none of the stretches that cover them, which may overlap."""
    stretches = sorted((each.start, each.end) for each in covered)
    outside = 0.0
    for gap in gaps:
        reached = gap.start
        for start, end in stretches:
            outside += max(0.0, min(start, gap.end) - reached)
            reached = max(reached, min(end, gap.end))
        outside += gap.end - reached
    return outside


def unavailable_by_partition(acks: Iterable[Ack], start: float, end: float) -> dict[int, float]:
    """Return, for each partition seen, the sum of its stretches without an accepted command.

    The gateway offers a command to the next partition when one refuses it, so the cluster's own gaps hide
    a partition that is still without a leader; this does not.
    """
    moments: dict[int, list[float]] = {}
    for ack in acks:
        moments.setdefault(ack.partition, []).append(ack.at)
    return {
        partition: sum(
            gap.seconds for gap in gaps_between(times, start, end, PARTITION_GAP_SECONDS)
        )
        for partition, times in sorted(moments.items())
    }


def acks_per_second(
    moments: Iterable[float], origin: float, start: float, end: float
) -> dict[int, int]:
    """Return how many commands were accepted in each whole second, counted from `origin`, zeros included."""
    first, last = int((start - origin) // 1), int((end - origin) // 1)
    counts = dict.fromkeys(range(first, last + 1), 0)
    for moment in moments:
        second = int((moment - origin) // 1)
        if second in counts:
            counts[second] += 1
    return counts


def growth_moments(series: Iterable[tuple[float, int]]) -> list[float]:
    """Return the moments at which a value exceeded everything seen before.

    Positions fall when a leader is lost and a follower, which lags behind, is asked instead: catching up
    with what was known already is no progress.
    """
    highest: int | None = None
    moments = []
    for at, value in series:
        if highest is not None and value > highest:
            moments.append(at)
        highest = value if highest is None else max(highest, value)
    return moments


def resumed_after(series: Sequence[tuple[float, int]], loss: float) -> float | None:
    """Return the seconds from the loss to the end of the longest stall of a growing value after it.

    What was buffered at the loss is still flushed, so the first growth after it proves nothing; the end of
    the longest stall does. None when the value did not grow again, or stalls still.
    """
    grown = [moment for moment in growth_moments(series) if moment > loss]
    if not grown:
        return None
    last_seen = max(at for at, _ in series)
    stalls = list(pairwise([loss, *grown]))
    longest_start, longest_end = max(stalls, key=lambda stall: stall[1] - stall[0])
    still_stalled = last_seen - grown[-1]
    if still_stalled > EXPORT_STALL_SECONDS and still_stalled > longest_end - longest_start:
        return None
    return longest_end - loss


def export_gap_seconds(
    samples: Sequence[ExportSample], loss: float, partitions: Iterable[int]
) -> float | None:
    """Return the seconds from the loss until documents grow and positions move on every partition again.

    None when any of them had not moved again when the samples end, or was never seen.
    """
    documents = [(s.at, s.documents) for s in samples if s.documents is not None]
    found = [resumed_after(documents, loss)]
    for partition in partitions:
        found.append(resumed_after(positions_of(samples, partition), loss))
    known = [seconds for seconds in found if seconds is not None]
    return max(known) if len(known) == len(found) else None


def positions_of(samples: Iterable[ExportSample], partition: int) -> list[tuple[float, int]]:
    """Return the exported positions of one partition over time."""
    return [(s.at, s.positions[partition]) for s in samples if partition in s.positions]


def partitions_moved(
    samples: Iterable[ExportSample], since: float, partitions: Iterable[int]
) -> set[int]:
    """Return the partitions whose exported position exceeded, after `since`, all that was seen before."""
    kept = list(samples)
    return {
        partition
        for partition in partitions
        if any(moment > since for moment in growth_moments(positions_of(kept, partition)))
    }


def seconds_in_state(
    states: Iterable[tuple[float, bool | None]], start: float, end: float
) -> float | None:
    """Return for how long a sampled state lasted from `start` to `end`.

    Each sample holds until the next one that knows; so a state is seen to within one sampling interval. None
    when no sample up to `end` knows.
    """
    found = _stretches_in_state(states, start, end)
    return None if found is None else sum(until - since for since, until in found)


def span_in_state(
    states: Iterable[tuple[float, bool | None]], start: float, end: float
) -> tuple[float, float] | None:
    """Return from when to when a sampled state was there, from first to last; None if it was not seen."""
    found = _stretches_in_state(states, start, end)
    return (found[0][0], found[-1][1]) if found else None


def _stretches_in_state(
    states: Iterable[tuple[float, bool | None]], start: float, end: float
) -> list[tuple[float, float]] | None:
    known = sorted((at, state) for at, state in states if state is not None and at < end)
    if not known:
        return None
    between = pairwise([*known, (end, False)])
    return [
        (max(since, start), until)
        for (since, state), (until, _) in between
        if state and until > start
    ]
