"""What is raced: heats, each one drill by one operator on regions made for it, in an order that favours none. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from drill.errors import DrillError
from drill.procedure.model import Until
from drill.settings import DrillSettings


class Racer(StrEnum):
    """Who takes the steps: the procedure's commands by a script, plain `pulumi`, or the command `dualregion`."""

    SCRIPT = "script"
    PULUMI = "pulumi"
    COMMAND = "command"


@dataclass(frozen=True)
class Heat:
    """One drill of the race.

    :ivar delay: how much longer each broker takes to start, in seconds.
    """

    racer: Racer
    lost: int
    delay: float

    def settings(self, size: int, until: Until, rate: float) -> DrillSettings:
        """Return the drill that it is."""
        return DrillSettings(
            lost=(self.lost,),
            cluster_size=size,
            until=until,
            rate=rate,
            by_pulumi=self.racer is Racer.PULUMI,
            by_script=self.racer is Racer.SCRIPT,
            start_delay=self.delay,
        )

    def __str__(self) -> str:
        late = f", brokers {self.delay:g} s late" if self.delay else ""
        return f"{self.racer}, region {self.lost} lost{late}"


def heats(
    racers: Sequence[Racer], lost: Sequence[int], delays: Sequence[float], rounds: int
) -> tuple[Heat, ...]:
    """Return all heats in their order: racers one after the other on the same course, who begins in turn.

    :raises DrillError: there is nothing to race.
    """
    if not (racers and lost and delays) or rounds < 1:
        raise DrillError("a race has a racer, a region that is lost, a delay and a round at least")
    return tuple(_heats(racers, lost, delays, rounds))


def _heats(
    racers: Sequence[Racer], lost: Sequence[int], delays: Sequence[float], rounds: int
) -> Iterator[Heat]:
    courses = [(delay, region) for _ in range(rounds) for delay in delays for region in lost]
    for number, (delay, region) in enumerate(courses):
        first = number % len(racers)
        for racer in (*racers[first:], *racers[:first]):
            yield Heat(racer, region, delay)


def listed(text: str, kind: str) -> tuple[str, ...]:
    """Return the words of an option that holds several, such as `0,10`.

    :param kind: the option, for the error.
    :raises DrillError: there is none.
    """
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise DrillError(f"{kind} {text!r}: give one at least, several with commas between")
    return words
