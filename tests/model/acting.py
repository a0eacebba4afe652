"""What the gates' hooks see and do in the model's world: an abstract of `steps`, part by part.

A run may be killed between two parts. Each part waits, and is no move, until it sees what it waits for.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.model.world import (
    Members,
    Region,
    World,
    connected,
    in_sight,
    is_complete,
    runs,
    serves,
)

Part = Callable[[World, int], World | None]
"""Returns the world after a part of a step, or None if what it waits for is not so."""
Proof = Callable[[World, int], bool]


def always(_: World, __: int) -> bool:
    """Return that nothing more is to be seen."""
    return True


# --- Both procedures -------------------------------------------------------------------------------


def _is_normal(world: World, me: int) -> bool:
    return all(
        each.runs is not None and each.runs.mode == "" and each.runs.both for each in world.regions
    ) and _is_exporting(world, me)


def _is_exporting(world: World, me: int) -> bool:
    return (
        is_complete(world, me)
        and not any(each.paused for each in world.regions)
        and all(each.exports for each in world.regions)
    )


def _isolated(world: World, me: int) -> bool:
    return world.regions[me].held.cut and not in_sight(world, me)


def _other_is_clean(world: World, me: int) -> bool:
    other = world.regions[1 - me]
    return other.answers and other.is_clean


def _rolled(region: Region) -> Region:
    """Return a region whose brokers run what their releases say."""
    return region._replace(runs=region.held.release, failover_runs=region.held.failover)


def _roll(world: World, me: int) -> World | None:
    return world.put(me, _rolled(world.regions[me])) if runs(world, me) else None


# --- 8.5 -------------------------------------------------------------------------------------------


def _taken_over(world: World, me: int) -> bool:
    return world.regions[me].failover_runs is not None and serves(world, me)


def _repointed_to_failover(world: World, me: int) -> World | None:
    region = world.regions[me]
    if not (region.runs and not region.runs.both and region.failover_runs is False):
        return None
    return world.change(me, paused=False) if serves(world, me) else None


def _joined(world: World, me: int) -> World | None:
    """B1: the awake brokers have all data, as every partition is complete."""
    region = world.regions[me]
    if not (region.runs and region.runs.mode == "failBack" and is_complete(world, me)):
        return None
    return None if region.engine else world.change(me, data=True)


def _pause_all(world: World, me: int) -> World | None:
    """B2: pausing is proved of every broker of all three installations, by their API servers."""
    if not (world.regions[1 - me].answers and is_complete(world, me)):
        return None
    return _everywhere(world, paused=True)


def _everywhere(world: World, *, paused: bool) -> World:
    """Return the world with the exporters of every broker paused, or resumed."""
    return world.change(0, paused=paused).change(1, paused=paused)


def _all_seen(world: World, me: int) -> bool:
    return world.regions[1 - me].answers and runs(world, 1 - me) and connected(world)


def _all_paused(world: World) -> bool:
    return all(each.paused for each in world.regions)


def _copy(world: World, me: int) -> World | None:
    """B3: never into an engine that brokers export to."""
    one, other = world.regions[me], world.regions[1 - me]
    targets = [one.runs and one.runs.both, one.failover_runs, other.runs and other.runs.both]
    if not (_all_seen(world, me) and _all_paused(world)) or any(targets):
        return None
    return world.change(1 - me, engine=one.engine)


def _repoint(world: World, me: int) -> World | None:
    """B4: brokers restart one by one, and still are paused; what both engines hold is compared."""
    region, other = world.regions[me], world.regions[1 - me]
    if not (_all_seen(world, me) and _all_paused(world) and is_complete(world, me)):
        return None
    return world.put(me, _rolled(region)) if region.engine and other.engine else None


def _repointed_before(world: World, me: int) -> World | None:
    """B4 where the survivor has proved B5 already: no broker restarts, and each has its final addresses."""
    region = world.regions[me]
    return world.put(me, _rolled(region)) if region.runs and region.runs.both else None


def _resume_all(world: World, me: int) -> World | None:
    """B5 on the survivor: every broker has its final addresses, and the copy is whole."""
    one, other = world.regions[me], world.regions[1 - me]
    targets = [
        one.runs and one.runs.both,
        one.failover_runs is not False,
        other.runs and other.runs.both,
    ]
    if not (_all_seen(world, me) and all(targets) and is_complete(world, me)):
        return None
    if _all_paused(world) and not (one.engine and other.engine):
        return None
    resumed = _everywhere(world, paused=False)
    return resumed.put(me, _rolled(resumed.regions[me]))


def _failover_is_gone(world: World, me: int) -> bool:
    other = world.regions[1 - me]
    return other.answers and (other.blank or other.held.failover is None)


def _wake(world: World, me: int) -> World | None:
    if not (_failover_is_gone(world, me) and serves(world, me)):
        return None
    return _roll(world, me)


# --- By cluster API --------------------------------------------------------------------------------


def _remove(world: World, me: int) -> World | None:
    """F2: the lost brokers are removed by force, unless they are no members already."""
    region, other = world.regions[me], world.regions[1 - me]
    if not runs(world, me) or region.members is Members.NONE:
        return None
    if region.members is Members.BOTH and in_sight(world, me):
        return None
    found = _rolled(region)._replace(members=Members.ALONE)
    return world.put(me, found).change(1 - me, stale=other.data)


def _disable(world: World, me: int) -> World | None:
    return world.change(me, exports=False) if serves(world, me) else None


def _resume(world: World, me: int) -> World | None:
    return world.change(me, paused=False) if serves(world, me) else None


def _wait_outside(world: World, me: int) -> bool:
    region, other = world.regions[me], world.regions[1 - me]
    return (
        in_sight(world, 1 - me)
        and serves(world, 1 - me)
        and region.members is Members.NONE
        and other.members is Members.ALONE
        and not region.engine
    )


def _pause(world: World, me: int) -> World | None:
    """B2: web apps are down by a restart, one broker after the other, then exporting is paused."""
    if not serves(world, me):
        return None
    return world.put(me, _rolled(world.regions[me])._replace(paused=True))


def _copy_apart(world: World, me: int) -> World | None:
    one, other = world.regions[me], world.regions[1 - me]
    if not (_all_seen(world, me) and one.paused and serves(world, me)):
        return None
    if one.exports or one.members is not Members.ALONE or other.members is not Members.NONE:
        return None
    return world.change(1 - me, engine=one.engine)


def _enable(world: World, me: int) -> World | None:
    if not (serves(world, me) and world.regions[me].paused):
        return None
    return world.change(me, exports=True)


def _resume_enabled(world: World, me: int) -> World | None:
    return _resume(world, me) if world.regions[me].exports else None


def _add(world: World, me: int) -> World | None:
    """B6: the brokers outside are added, by a change that each of them carries out."""
    one, other = world.regions[me], world.regions[1 - me]
    if is_complete(world, me):
        return world
    outside = other.members is Members.NONE and one.members is Members.ALONE
    if not (outside and in_sight(world, me) and serves(world, me)):
        return None
    joined = world.change(1 - me, members=Members.BOTH, data=True, exports=one.exports)
    return joined.change(me, members=Members.BOTH)


def _members_at_work(world: World, me: int) -> World | None:
    """B6 ends once the members added are ready, and nothing is paused."""
    if not (is_complete(world, me) and runs(world, 1 - me)):
        return None
    return world.change(me, paused=False)


def _finish(world: World, me: int) -> World | None:
    return _roll(world, me) if is_complete(world, me) else None


class Work(NamedTuple):
    """What a gate's hook does.

    :ivar parts: what changes the world, in order.
    :ivar proof: what is seen in the end, at the moment in which the gate is made.
    """

    parts: tuple[Part, ...] = ()
    proof: Proof = always


_BY_8_5: Mapping[str, Work] = {
    "N": Work(proof=_is_normal),
    "F0": Work(),
    "F1": Work(proof=_isolated),
    "F2": Work((_roll,), _taken_over),
    "F3": Work((_repointed_to_failover,)),
    "B0": Work(proof=_other_is_clean),
    "B1": Work((_joined,)),
    "B2": Work((_pause_all,), _all_seen),
    "B3": Work((_copy,)),
    "B4": Work((_repoint,)),
    "B5": Work((_resume_all,)),
    "B6": Work(proof=_failover_is_gone),
    "B7": Work((_wake,), _is_exporting),
}
_BY_API: Mapping[str, Work] = {
    "N": Work(proof=_is_normal),
    "F0": Work(),
    "F1": Work(proof=_isolated),
    "F2": Work((_remove,), serves),
    "F3": Work((_disable, _resume)),
    "B0": Work(proof=_other_is_clean),
    "B1": Work(proof=_wait_outside),
    "B2": Work((_pause,), serves),
    "B3": Work((_copy_apart,)),
    "B4": Work((_enable,)),
    "B5": Work((_resume_enabled,)),
    "B6": Work((_add, _members_at_work)),
    "B7": Work((_finish,), _is_exporting),
}


def work_of(by_api: bool, step: str, *, recreated: bool, reopened: bool = False) -> Work:
    """Return what a step does.

    :param recreated: whether on the recreated region's stack, where a step of 8.5 is about its web apps alone.
    :param reopened: whether the survivor has proved B5, as the run has read.
    """
    if recreated and step == "B5" and not by_api:
        return Work((_roll,))
    if recreated and step == "B4" and reopened:
        return Work((_repointed_before,))
    return (_BY_API if by_api else _BY_8_5)[step]
