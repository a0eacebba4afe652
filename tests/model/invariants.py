"""What must hold in every world that can be reached."""

from collections.abc import Callable, Mapping

from dualregion.procedure import N
from tests.model.canonical import numbers, numbers_of
from tests.model.world import (
    QUORUM,
    WHOLE,
    Held,
    Life,
    Members,
    World,
    connected,
    exports,
    exports_to_both,
    ids,
    runs,
    serves,
)


def no_id_twice(world: World) -> bool:
    """No two brokers of one id meet, nor serve apart: nor do two clusters accept commands."""
    if world.by_api:
        return not (serves(world, 0) and serves(world, 1) and not _together(world))
    one, other = ids(world, 0), ids(world, 1)
    if connected(world):
        return not one & other
    return not (len(one) >= QUORUM and len(other) >= QUORUM)


def _together(world: World) -> bool:
    return connected(world) and all(each.members is Members.BOTH for each in world.regions)


def nothing_stale_comes_back(world: World) -> bool:
    """Brokers that others have decided without meet these only without their data."""
    return not connected(world) or not any(
        world.regions[index].stale and runs(world, index) and runs(world, 1 - index)
        for index in (0, 1)
    )


def nothing_empty_votes(world: World) -> bool:
    """Brokers without data never take the place of such as have them."""
    if not connected(world):
        return True
    return not any(
        region.data is False
        and runs(world, index)
        and region.runs is not None
        and region.runs.mode == ""
        and region.members is Members.BOTH
        and runs(world, 1 - index)
        for index, region in enumerate(world.regions)
    )


def one_failover(world: World) -> bool:
    """No two failovers are under way behind the isolation, each of the other one's region."""
    return not all(
        not each.blank and (found := each.held.incident_of("F1")) is not None and not found.lost
        for each in world.regions
    )


def no_record_is_lost(world: World) -> bool:
    """Exporting goes on to an engine only if nothing is missing there."""
    if world.loses:
        return True
    return not any(_exports_past(world, index) for index in (0, 1))


def _exports_past(world: World, index: int) -> bool:
    region, other = world.regions[index], world.regions[1 - index]
    if other.engine or not (runs(world, 1 - index) and exports(world, index)):
        return False
    return exports_to_both(region)


def no_silent_pause(world: World) -> bool:
    """Where exporters are paused, and no run is under way, a stack's records tell of a failback that has paused them."""
    if any(each.run is not None for each in world.regions):
        return True
    return not any(
        region.paused and serves(world, index) and not _is_told(world)
        for index, region in enumerate(world.regions)
    )


def _is_told(world: World) -> bool:
    return any(
        _is_begun(each.held, begin, end)
        for each in world.regions
        for begin, end in (("B0", "B5"), ("B1", "B7"), ("F0", "F3"))
    )


def _is_begun(held: Held, begin: str, end: str) -> bool:
    """Return whether a stack holds the gate with which something begins, and not the one of its end, or of a round before."""
    gates = {step: (incident, latest) for step, incident, latest in held.gates}
    incident, latest = gates.get(begin, (None, 0))
    if incident is None:
        return False
    last, of_round = gates.get(end, (None, 0))
    return last != incident or of_round < latest


def no_number_twice(world: World) -> bool:
    """A new incident has a number that the other run does not name for another one, held by no stack any more."""
    one, other = (_held_by_none(world, index) for index in (0, 1))
    return not one & other


def _held_by_none(world: World, index: int) -> frozenset[tuple[int, int]]:
    """Return the region and the number of each incident that a run names and no stack holds."""
    region, other = world.regions[index], world.regions[1 - index]
    named, held, theirs = numbers_of(region), numbers(region.held, None), numbers(other.held, None)
    mine = {(index, each) for each in named[0] - held[0] - theirs[1]}
    return frozenset(mine | {(1 - index, each) for each in named[1] - held[1] - theirs[0]})


INVARIANTS: Mapping[str, Callable[[World], bool]] = {
    "no id twice": no_id_twice,
    "nothing stale comes back": nothing_stale_comes_back,
    "nothing empty votes": nothing_empty_votes,
    "one failover": one_failover,
    "no record is lost": no_record_is_lost,
    "no silent pause": no_silent_pause,
    "no number twice": no_number_twice,
}


_NORMAL = Held(WHOLE)


def is_restored(world: World) -> bool:
    """Return whether all is as it was: phase normal, proved, and nothing is left of any incident."""
    return not world.cut and all(
        each.run is None
        and each.life is Life.ON
        and not each.blank
        and each.held._replace(gates=(), known=0) == _NORMAL
        and [step for step, _, _ in each.held.gates] == [N.id]
        and each.runs == WHOLE
        and not each.paused
        and each.data
        and not each.stale
        and (each.engine or world.loses)
        and each.members is Members.BOTH
        and each.exports
        for each in world.regions
    )


def broken(world: World) -> list[str]:
    """Return the invariants that do not hold in a world."""
    return [name for name, holds in INVARIANTS.items() if not holds(world)]
