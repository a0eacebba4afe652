"""The world that the model's moves change: two regions, their stacks' states, and the link between them.

Everything about a region is told from its own side, `MINE` for an incident in which it was lost itself, so that a world
and its mirror image are the same world.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

MINE, OTHERS = True, False
"""Whose region an incident lost, as a stack sees it."""


class Life(StrEnum):
    """What can be had of a region."""

    ON = "on"
    SILENT = "silent"
    """Its brokers run, its API server does not answer."""
    OFF = "off"


class Members(StrEnum):
    """Who belongs to the cluster, by the configuration that a region's brokers hold; by cluster API it changes."""

    BOTH = "both"
    ALONE = "alone"
    """The other region's brokers are removed."""
    NONE = "none"
    """The region's own are no members, and hold nothing."""


class Incident(NamedTuple):
    """One loss."""

    number: int
    lost: bool


class Runs(NamedTuple):
    """An installation of the region's own brokers.

    :ivar mode: the chart's installation type (`failBack`: half of the brokers sleep), or `outside`, if nothing of the cluster is theirs.
    :ivar both: whether they export to both regions' engines.
    :ivar web: whether Operate and Tasklist run.
    """

    mode: str
    both: bool
    web: bool


WHOLE = Runs("", both=True, web=True)
"""As in phase normal."""

Gates = tuple[tuple[str, Incident | None, int], ...]
"""What a stack has proved, in which incident, and in which round of it."""
Action = tuple[Any, ...]
"""One change that a run makes: its name in `moves.ACTIONS`, and what it is about."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run that is under way; of equal ones there is one, by `run_of`."""

    action: Action
    rest: "Run | None"


def run_of(actions: Sequence[Action]) -> Run | None:
    """Return the run that makes these changes."""
    found: Run | None = None
    for each in reversed(actions):
        found = _run(each, found)
    return found


@cache
def _run(action: Action, rest: Run | None) -> Run:
    return Run(action, rest)


def actions_of(run: Run | None) -> Iterator[Action]:
    """Yield what a run has still to do."""
    while run is not None:
        yield run.action
        run = run.rest


CONFIRMING: Action = ("gate", "F0")
"""How the change begins with which a claim is confirmed."""


def is_confirming(run: Run | None) -> bool:
    """Return whether a run has looked for another claim in F0, and is about to confirm its own."""
    return run is not None and run.action[: len(CONFIRMING)] == CONFIRMING


class Held(NamedTuple):
    """What a stack's state and outputs hold: all that the program reads of a stack.

    :ivar release: what its release says; None without one.
    :ivar failover: whether its failover installation's release exports to both regions; None without one.
    :ivar cut: whether it has network policies that cut off the other region.
    :ivar phase: of its outputs; so is `lost`, None if no region is.
    :ivar known: the highest number of an incident in its outputs.
    """

    release: Runs | None = None
    failover: bool | None = None
    cut: bool = False
    gates: Gates = ()
    claim: Incident | None = None
    phase: str = "normal"
    lost: bool | None = None
    known: int = 0

    def has(self, step: str) -> bool:
        """Return whether it holds a gate, of whatever incident."""
        return any(each[0] == step for each in self.gates)

    def incident_of(self, step: str) -> Incident | None:
        """Return the incident in which its stack has proved a step, or None."""
        return next((each[1] for each in self.gates if each[0] == step), None)

    def with_gate(self, step: str, incident: Incident | None, latest: int) -> "Held":
        """Return it with a step proved."""
        gates = [*(each for each in self.gates if each[0] != step), (step, incident, latest)]
        return self._replace(gates=tuple(sorted(gates, key=lambda at: at[0])))

    def without_gate(self, step: str) -> "Held":
        """Return it without the gate of a step."""
        return self._replace(gates=tuple(each for each in self.gates if each[0] != step))

    @property
    def emptied(self) -> "Held":
        """The same without anything of a cluster."""
        return Held(phase=self.phase, lost=self.lost, known=self.known)


class Region(NamedTuple):
    """A region, its brokers, and its stack.

    The stack's state and the cluster hold the same, but for `blank`.

    :ivar blank: whether its cluster was recreated, empty, since a run last refreshed the state.
    :ivar foreign: whether it is another cluster than the one that the stack knows by its identity.
    :ivar runs: what its brokers run, which differs from the release as long as an update is held.
    :ivar failover_runs: the same of the failover's brokers.
    :ivar paused: whether its brokers' exporters are paused.
    :ivar data: whether its brokers hold the partitions' data.
    :ivar stale: whether the other region has decided without its brokers since.
    :ivar engine: whether its search engine holds every record that was exported.
    :ivar members: who its brokers take for members.
    :ivar exports: whether the exporter to the other region is enabled, by its brokers' configuration.
    :ivar gone: whether it was given up, as `acceptLoss` demands it: with all its disks.
    :ivar run: what a run that is under way on its stack has still to do; None without one.
    """

    held: Held
    life: Life = Life.ON
    blank: bool = False
    foreign: bool = False
    runs: Runs | None = None
    failover_runs: bool | None = None
    paused: bool = False
    data: bool = False
    stale: bool = False
    engine: bool = False
    members: Members = Members.NONE
    exports: bool = True
    gone: bool = False
    run: Run | None = None

    @property
    def answers(self) -> bool:
        """Whether its API server answers."""
        return self.life is Life.ON

    @property
    def there(self) -> bool:
        """Whether what its stack's state holds is at work."""
        return self.life is not Life.OFF and not self.blank

    @property
    def is_clean(self) -> bool:
        """Whether its cluster holds nothing of Camunda."""
        return self.blank or (self.held.release is None and self.held.failover is None)

    def emptied(self) -> "Region":
        """Return it as a refresh finds it that meets an empty cluster."""
        return Region(
            self.held.emptied, self.life, foreign=self.foreign, gone=self.gone, run=self.run
        )

    def wiped(self) -> "Region":
        """Return it without the data of its brokers and its engine."""
        return self._replace(
            paused=False, data=False, stale=False, engine=False, members=Members.NONE, exports=True
        )


class World(NamedTuple):
    """Everything.

    :ivar by_api: whether the procedure is that of 8.6 and later, by the cluster management API.
    :ivar cut: whether the link between the regions is cut.
    :ivar faults: how many more there may be.
    :ivar loses: whether the loss of data was accepted.
    """

    regions: tuple[Region, Region]
    by_api: bool
    faults: int
    cut: bool = False
    loses: bool = False

    def put(self, index: int, region: Region) -> "World":
        """Return the world with another state of a region."""
        one, other = self.regions
        return self._replace(regions=(region, other) if index == 0 else (one, region))

    def change(self, index: int, **fields: Any) -> "World":
        """Return the world with some fields of a region changed."""
        return self.put(index, self.regions[index]._replace(**fields))


def installed(faults: int, *, by_api: bool) -> World:
    """Return the world of two regions at work in phase normal."""
    region = Region(
        Held(WHOLE, gates=(("N", None, 1),)),
        runs=WHOLE,
        data=True,
        engine=True,
        members=Members.BOTH,
    )
    return World((region, region), by_api, faults)


def connected(world: World) -> bool:
    """Return whether the regions' brokers can reach each other."""
    return not world.cut and not any(each.held.cut and each.there for each in world.regions)


def runs(world: World, index: int) -> bool:
    """Return whether a region's own brokers run."""
    region = world.regions[index]
    return region.there and region.runs is not None


def in_sight(world: World, index: int) -> bool:
    """Return whether a region's gateway has brokers of the other one in sight."""
    return connected(world) and runs(world, 1 - index)


def ids(world: World, index: int) -> frozenset[tuple[int, str]]:
    """Return the ids of the brokers at work in a region's cluster, each the other's failover brokers' or its own.

    A region has two, of which one sleeps beside a failover broker.
    """
    region = world.regions[index]
    if not region.there:
        return frozenset()
    found = set()
    if region.runs is not None and region.runs.mode != "outside":
        found.add((index, "awake"))
        if region.runs.mode != "failBack":
            found.add((index, "sleeper"))
    if region.failover_runs is not None:
        found.add((1 - index, "sleeper"))
    return frozenset(found)


QUORUM = 3
"""Of four replicas, each on a broker of its own."""


def serves(world: World, index: int) -> bool:
    """Return whether the partitions that a region's brokers take part in accept commands."""
    region, other = world.regions[index], world.regions[1 - index]
    if not runs(world, index):
        return False
    if world.by_api:
        if region.members is Members.BOTH:
            return in_sight(world, index) and other.members is Members.BOTH
        return region.members is Members.ALONE
    found = ids(world, index)
    if connected(world):
        found |= ids(world, 1 - index)
    return len(found) >= QUORUM


def exports(world: World, index: int) -> bool:
    """Return whether a region's brokers export records, wherever to."""
    region = world.regions[index]
    return not region.paused and serves(world, index)


def exports_to_both(region: Region) -> bool:
    """Return whether what a region's brokers export reaches the engines of both regions."""
    assert region.runs is not None
    return region.runs.both and region.failover_runs is not False and region.exports


def is_complete(world: World, index: int) -> bool:
    """Return whether every partition has all of its replicas, for a region's gateway."""
    if world.by_api:
        return serves(world, index) and all(
            each.members is Members.BOTH and each.data for each in world.regions
        )
    return connected(world) and len(ids(world, index) | ids(world, 1 - index)) > QUORUM
