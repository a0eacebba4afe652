"""The race's reckoning: where a failover's time without service went, and how two racers compare. Pure.

All moments are seconds on the clock that never jumps, as in `drill.observation.measure`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

from drill.model import Model
from drill.observation import measure
from drill.report.report import Gap

BETWEEN = "between the steps"
BROKERS = ("F2", "F3")
"""The steps in which brokers start, elect leaders and export: the rest of the time is the racer's own."""
Cut = tuple[float, str]
"""When a stretch of the failover begins, and what it is called; it lasts until the next one begins."""
Activity = tuple[float, float, str]
"""From when to when something was done, and what; several may be done at once."""


class Stretch(Model):
    """A stretch of a failover, or of a pause, in seconds after its beginning; and how long of it no command was accepted."""

    name: str
    start: float
    seconds: float
    silent: float


class HeatFigures(Model):
    """What one heat has shown; None is what was not measured, or not over when the heat ended.

    :ivar bare: from the failover installation being there to the next accepted command: brokers start and elect leaders.
    :ivar own: of the seconds without commands those in which no broker was waited for.
    :ivar parts: the stretches of the failover.
    :ivar pause: the stretches of the failback in which exporters were paused.
    """

    racer: str
    lost_region: int
    delay: float
    result: str
    reason: str = ""
    outage: float | None = None
    unavailable: float | None = None
    gaps: tuple[Gap, ...] = ()
    worst_partition: float | None = None
    exporting: float | None = None
    failover: float | None = None
    bare: float | None = None
    own: float | None = None
    paused: float | None = None
    web_apps_down: float | None = None
    failback: float | None = None
    failback_unavailable: float | None = None
    instances_lost: int | None = None
    records_missing: int | None = None
    own_waiting_share: float | None = None
    parts: tuple[Stretch, ...] = ()
    pause: tuple[Stretch, ...] = ()


def stretches_of(
    cuts: Iterable[Cut], acks: Iterable[float], loss: float, end: float
) -> tuple[Stretch, ...]:
    """Return the stretches of a failover, one after the other, from the loss to its end.

    :param cuts: when each stretch begins, in any order; what begins before the loss counts from it, what begins after the
        end is left out.
    :param acks: when commands were accepted.
    """
    ordered = sorted(
        ((max(loss, at), name) for at, name in cuts if at < end), key=lambda cut: cut[0]
    )
    silence = measure.gaps_between(acks, loss, end)
    found = [
        Stretch(
            name=name,
            start=start - loss,
            seconds=until - start,
            silent=_within(silence, start, until),
        )
        for (start, name), (until, _) in pairwise([*ordered, (end, "")])
    ]
    return tuple(each for each in found if each.seconds > 0)


def done_meanwhile(
    steps: Iterable[Activity],
    runs: Iterable[Activity],
    acks: Iterable[float],
    start: float,
    end: float,
) -> tuple[Stretch, ...]:
    """Return the stretches of some time by what was done in it.

    :param steps: which a stretch is named after, all that were under way at once.
    :param runs: which it is named after where no step was under way.
    :param acks: when commands were accepted.
    """
    first, then = list(steps), list(runs)
    limits = {
        at for since, until, _ in (*first, *then) for at in (since, until) if start < at < end
    }
    cuts: list[Cut] = []
    for at in sorted({start, *limits}):
        name = _under_way(first, at) or _under_way(then, at) or BETWEEN
        if not cuts or cuts[-1][1] != name:
            cuts.append((at, name))
    return stretches_of(cuts, acks, start, end)


def _under_way(activities: Iterable[Activity], at: float) -> str:
    return ", ".join(
        dict.fromkeys(name for since, until, name in activities if since <= at < until)
    )


def _within(gaps: Iterable[measure.Gap], start: float, end: float) -> float:
    """Return how much of the gaps lies from `start` to `end`."""
    return sum(max(0.0, min(gap.end, end) - max(gap.start, start)) for gap in gaps)


def own_seconds(stretches: Iterable[Stretch]) -> float:
    """Return the seconds without commands in which the racer did something else than wait for brokers."""
    return sum(each.silent for each in stretches if each.name not in BROKERS)


def bare_seconds(acks: Iterable[float], installed: float | None, end: float) -> float | None:
    """Return the seconds from the failover installation being there to the next accepted command.

    None if it was not seen made, or no command was accepted until the end.
    """
    if installed is None:
        return None
    after = [moment for moment in acks if installed < moment <= end]
    return min(after) - installed if after else None


# --- comparing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """A figure that racers are compared by.

    :ivar at_most: the part of the script's that the program is to need at most; None: it is only shown.
    """

    title: str
    of: Callable[[HeatFigures], float | None]
    at_most: float | None = None


MEASURES = (
    Measure(
        "without any accepted command until the end of the failover", lambda h: h.unavailable, 0.6
    ),
    Measure("from the loss to the next accepted command", lambda h: h.outage),
    Measure("the partition that stood still longest", lambda h: h.worst_partition),
    Measure("from the loss until exporting moves on every partition", lambda h: h.exporting),
    Measure("from the loss to the end of the failover", lambda h: h.failover),
    Measure("brokers' start and election alone", lambda h: h.bare),
    Measure("without commands, and no broker was waited for", lambda h: h.own),
    Measure("exporters paused in the failback", lambda h: h.paused, 0.5),
    Measure("Operate or Tasklist down in the failback", lambda h: h.web_apps_down),
    Measure("without any accepted command in the failback", lambda h: h.failback_unavailable),
    Measure("the failback", lambda h: h.failback),
)
TO_BARE = 1.2
"""How many times the bare critical path the seconds without commands may be at most."""


@dataclass(frozen=True)
class Compared:
    """One measure on one course: the mean of each racer; None where a racer has no figure."""

    measure: Measure
    script: float | None
    program: float | None

    @property
    def ratio(self) -> float | None:
        """The program's as a part of the script's; None if one is missing, or the script's is zero."""
        if self.script is None or self.program is None or not self.script:
            return None
        return self.program / self.script

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None if there is none, or it cannot be told."""
        if self.measure.at_most is None or self.ratio is None:
            return None
        return self.ratio <= self.measure.at_most


def compared(
    heats: Sequence[HeatFigures], program: str, script: str, delay: float
) -> tuple[Compared, ...]:
    """Return how the program and the script compare with brokers of one delay, over all heats that reached the end.

    A heat that failed in the midst is no time to compare with: it is left out, and shown as failed.
    """
    on = [heat for heat in heats if heat.delay == delay and heat.failover is not None]
    return tuple(
        Compared(each, _mean(on, script, each), _mean(on, program, each)) for each in MEASURES
    )


def _mean(heats: Iterable[HeatFigures], racer: str, of: Measure) -> float | None:
    found = [of.of(heat) for heat in heats if heat.racer == racer]
    known = [value for value in found if value is not None]
    return mean(known) if known else None


def beyond_bare(heats: Iterable[HeatFigures], racer: str, delay: float) -> float | None:
    """Return how many times their bare critical path a racer's heats were without commands, on average; None if unknown."""
    ratios = [
        heat.unavailable / heat.bare
        for heat in heats
        if heat.racer == racer
        and heat.delay == delay
        and heat.bare
        and heat.unavailable is not None
    ]
    return mean(ratios) if ratios else None
