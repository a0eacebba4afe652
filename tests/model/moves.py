"""Every move that is possible in a world: what befalls the regions, what operators do, what runs under way do next."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dualregion.procedure import B0, B1, B5, F0, F1, FAIL_BACK, Phase, Role
from tests.model import planned
from tests.model.acting import always
from tests.model.world import (
    MINE,
    OTHERS,
    QUORUM,
    Action,
    Held,
    Life,
    Members,
    Region,
    Run,
    World,
    connected,
    exports,
    exports_to_both,
    ids,
    in_sight,
    is_confirming,
    run_of,
)

Move = tuple[str, World, bool]
"""What happens, the world after it, and whether it is a fault or a kill, which no way back may rely on."""


def moves(world: World) -> Iterator[Move]:
    """Yield every move."""
    yield from moves_of_link(world)
    for index in (0, 1):
        yield from moves_of(world, index)


def moves_of_link(world: World) -> Iterator[Move]:
    """Yield what befalls the link."""
    yield from _then_exported(_of_link(world))


def moves_of(world: World, index: int) -> Iterator[Move]:
    """Yield what befalls a region, and what is done with its stack."""
    yield from _then_exported(_of_region(world, index))
    is_busy = world.regions[index].run is not None
    yield from _then_exported(_of_run(world, index) if is_busy else _begun(world, index))


def _then_exported(found: Iterator[Move]) -> Iterator[Move]:
    return ((told, _exported(after), unwanted) for told, after, unwanted in found)


def _exported(world: World) -> World:
    """Return the world once exporting has gone on, where it does: an engine that gets nothing lacks records."""
    for index, region in enumerate(world.regions):
        if exports(world, index) and not exports_to_both(region):
            # That of the region that is lost, or that comes back.
            left_out = index if region.runs and region.runs.mode == FAIL_BACK else 1 - index
            world = world.change(left_out, engine=False)
    return world


# --- What befalls ----------------------------------------------------------------------------------


def _of_link(world: World) -> Iterator[Move]:
    if world.cut:
        yield "the link heals", world._replace(cut=False), False
    elif world.faults:
        yield "the link is cut", _hurt(world)._replace(cut=True), True


def _hurt(world: World) -> World:
    return world._replace(faults=world.faults - 1)


def _of_region(world: World, index: int) -> Iterator[Move]:
    region, other = world.regions[index], world.regions[1 - index]

    if world.faults and region.life is Life.ON:
        yield f"{index} falls silent", _hurt(world).change(index, life=Life.SILENT), True
    if world.faults and region.life is not Life.OFF:
        yield f"{index} is lost", _hurt(world).change(index, life=Life.OFF, run=None), True
    if region.life is Life.SILENT:
        yield f"{index} answers again", world.change(index, life=Life.ON), False
    if region.life is Life.OFF:
        yield f"{index} comes back", world.change(index, life=Life.ON), False
        if other.data and not other.blank and not other.stale:
            yield f"{index} is recreated", _recreated(world, index), False


def _recreated(world: World, index: int) -> World:
    """A new and empty cluster in a region's place; not if the last data go with it, as nothing is left to save then."""
    region = world.regions[index]
    new = region.wiped()._replace(life=Life.ON, blank=True, foreign=True, run=None)
    return world.put(index, new)


# --- What operators do -----------------------------------------------------------------------------


def _begun(world: World, index: int) -> Iterator[Move]:
    if world.regions[index].blank and world.regions[index].answers:
        # A refresh comes first, whatever the run ends with.
        refreshed = world.put(index, world.regions[index].emptied())
        yield f"up {index} is refused, and has refreshed", refreshed, False
    for asked, plan in _plans(world, index, accepts=False):
        if (found := _begin(world, index, asked, plan)) is not None:
            yield f"up {index} {_named(asked)}", found, False
    yield from _accepting(world, index)


def _accepting(world: World, index: int) -> Iterator[Move]:
    """Yield the runs that accept a loss: the other region is gone for good, with all its disks; or this one was given up."""
    region, other = world.regions[index], world.regions[1 - index]
    others_is_gone = other.life is Life.OFF or other.is_clean
    if not others_is_gone and not region.gone:
        return
    for asked, plan in _plans(world, index, accepts=True):
        ready = world._replace(loses=True)
        if asked.lost is OTHERS and others_is_gone:
            left = other.wiped()._replace(gone=True)
            if other.life is Life.OFF:
                left = left._replace(blank=True, foreign=True)
            ready = ready.put(1 - index, left)
        elif asked.lost is OTHERS or not region.gone:
            continue
        if (found := _begin(ready, index, asked, plan)) is not None:
            yield f"up {index} {_named(asked)}, loss accepted", found, False


def _plans(
    world: World, index: int, *, accepts: bool
) -> tuple[tuple[planned.Asked, planned.Plan], ...]:
    own, peer = world.regions[index], world.regions[1 - index]
    seen = planned.Seen(own.blank, own.foreign, own.answers, peer.blank and peer.answers)
    read = planned.as_own(own.held), planned.as_peer(peer.held)
    return planned.plans(world.by_api, index, *read, seen, accepts)


def _named(asked: planned.Asked) -> str:
    if asked.lost is None:
        return asked.phase
    return f"{asked.phase}, lost {'here' if asked.lost is MINE else 'there'}"


def _begin(world: World, index: int, asked: planned.Asked, plan: planned.Plan) -> World | None:
    """Return the world in which a run has begun, or has ended, as there was nothing to do; None if it is refused."""
    region = world.regions[index]
    if region.blank and region.answers:
        region = region.emptied()
    if plan.refused or _is_refused(world, index, region, asked, plan):
        return None
    world = world.put(index, region._replace(run=run_of(plan.actions)))
    return _done(world, index) if len(plan.actions) == 1 else world


def _is_refused(
    world: World, index: int, region: Region, asked: planned.Asked, plan: planned.Plan
) -> bool:
    """Return whether the live clusters speak against a run: `steps.preflight`."""
    if plan.role is Role.MEMBER:
        peer = world.regions[1 - index].held
        return planned.has_worked(world.by_api, 1 - index, peer) and region.held.release is None
    if plan.role is not Role.SURVIVOR:
        return False
    if region.held.release is None:
        return True
    is_new = asked.phase == Phase.FAILOVER and not plan.stands_in
    return is_new and in_sight(world, index)


# --- What a run does next --------------------------------------------------------------------------


def _of_run(world: World, index: int) -> Iterator[Move]:
    region = world.regions[index]
    assert region.run is not None
    found = _done(world, index)
    if found is None:
        yield from _waited(world, index)
        return
    yield f"run {index} is killed", _killed(world, index), True
    before, told = region.run.action, _told(region.run.action)
    while (run := found.regions[index].run) is not None and _is_quiet(before, run):
        yield f"run {index}: {told}, and is killed", _killed(found, index), True
        further = _done(found, index)
        if further is None:
            break
        before, told, found = run.action, f"{told}; {_told(run.action)}", further
    yield f"run {index}: {told}", found, False


def _waited(world: World, index: int) -> Iterator[Move]:
    """Yield how a wait ends that what is awaited does not end: none is without an end.

    F0 goes on then. But the other run's record takes it a second, unless it stands still between this and its last look.
    """
    run, region = world.regions[index].run, world.regions[index]
    if run is None or run.action[0] != "look" or not region.answers:
        yield f"run {index} gives up", _killed(world, index), False
        return
    yield f"run {index} is killed", _killed(world, index), True
    passed = world.change(index, run=run.rest)
    yield f"run {index}: {_told(run.action)}, as run {1 - index} stands still", passed, True


def _killed(world: World, index: int) -> World:
    return world.change(index, run=None)


def _is_quiet(before: Action, run: Run) -> bool:
    """Return whether a change is taken together with the one before, if the run is not killed between them.

    No run looks at what lies between, or it might as well have looked before, or after a run that was killed:
    a stack's decisions are made by gates and outputs, the work of hooks depends on what runs.
    """
    match run.action:
        case ("end", *_) | ("unclaim",):
            return True
        case ("delete", step):
            return bool(step not in (F0.id, F1.id))
        case ("gate", _, _, _, proof):
            return bool(before[0] == "do" and proof is always)
    return False


def _told(action: Action) -> str:
    return " ".join(str(each) for each in action if not callable(each))


def _done(world: World, index: int) -> World | None:
    """Return the world after the next change of a run; None as long as it waits."""
    region = world.regions[index]
    if region.run is None or (not region.answers and region.run.action[0] != "end"):
        return None
    found = ACTIONS[region.run.action[0]](world, index, region.run.action)
    if found is None:
        return None
    run = found.regions[index].run
    return found.change(index, run=run and run.rest)


def _hold(world: World, index: int, held: Held, **changes: Any) -> World:
    return world.change(index, held=held, **changes)


def _claim(world: World, index: int, action: Action) -> World:
    return _hold(world, index, world.regions[index].held._replace(claim=action[1]))


def _rival(world: World, index: int, action: Action) -> World:
    """A rival ends the run, and changes nothing."""
    own, peer = world.regions[index].held, world.regions[1 - index].held
    if planned.is_rival(world.by_api, index, own, peer, action[1]):
        return world.change(index, run=None)
    return world


def _look(world: World, index: int, action: Action) -> World | None:
    """F0 looks until the other claim is confirmed, or for as long as a run needs to confirm it; then it goes on.

    Of two that wait for each other either goes on first: that it is region 0's is no matter of safety.
    """
    found, peer = _rival(world, index, action), world.regions[1 - index]
    is_over = found.regions[index].run is None or not (peer.answers and is_confirming(peer.run))
    is_free = is_over or not planned.is_claimed(world.by_api, index, peer.held, action[1])
    return found if is_free else None


def _refuse(world: World, index: int, _: Action) -> World:
    return world.change(index, run=None)


def _cut(world: World, index: int, action: Action) -> World | None:
    if action[1] and in_sight(world, index):
        return None
    return _hold(world, index, world.regions[index].held._replace(cut=True))


def _do(world: World, index: int, action: Action) -> World | None:
    found: World | None = action[2](world, index)
    return found


def _gate(world: World, index: int, action: Action) -> World | None:
    _, step, incident, latest, proof = action
    if not proof(world, index):
        return None
    region = world.regions[index]
    # The record of B1 names the cluster, which is the region's from then on.
    foreign, gone = region.foreign and step != B1.id, region.gone and step != B1.id
    held = region.held.with_gate(step, incident, latest)
    return _hold(world, index, held, foreign=foreign, gone=gone)


def _delete(world: World, index: int, action: Action) -> World:
    return _hold(world, index, world.regions[index].held.without_gate(action[1]))


def _install(world: World, index: int, action: Action) -> World:
    wanted = action[1]
    members = Members.NONE if wanted.mode == "outside" else Members.BOTH
    held = world.regions[index].held._replace(release=wanted)
    return _hold(world, index, held, runs=wanted, members=members)


def _update(world: World, index: int, action: Action) -> World:
    _, wanted, held = action
    found = world.regions[index].held._replace(release=wanted)
    return _hold(world, index, found, **({} if held else {"runs": wanted}))


def _install_failover(world: World, index: int, action: Action) -> World:
    """Brokers that come to a quorum without the other region's decide without them from then on."""
    held = world.regions[index].held._replace(failover=action[1])
    found = _hold(world, index, held, failover_runs=action[1])
    other = found.regions[1 - index]
    return found.change(1 - index, stale=other.data)


def _update_failover(world: World, index: int, action: Action) -> World:
    _, both, held = action
    found = world.regions[index].held._replace(failover=both)
    return _hold(world, index, found, **({} if held else {"failover_runs": both}))


def _delete_failover(world: World, index: int, action: Action) -> World | None:
    """The guard of its deletion: B5 is proved, and every partition is complete without."""
    held = world.regions[index].held
    if action[1]:
        b5, b0 = held.incident_of(B5.id), held.incident_of(B0.id)
        if b5 is None or b5 != b0:
            return None
        found = ids(world, 0) | ids(world, 1) if connected(world) else ids(world, index)
        if len(found - {(1 - index, "sleeper")}) < QUORUM:
            return None
    return _hold(world, index, held._replace(failover=None), failover_runs=None)


def _uncut(world: World, index: int, _: Action) -> World:
    return _hold(world, index, world.regions[index].held._replace(cut=False))


def _unclaim(world: World, index: int, _: Action) -> World:
    return _hold(world, index, world.regions[index].held._replace(claim=None))


def _uninstall(world: World, index: int, _: Action) -> World:
    region = world.regions[index].wiped()
    return world.put(index, region._replace(held=region.held._replace(release=None), runs=None))


def _end(world: World, index: int, action: Action) -> World:
    _, phase, lost, known, forgets = action
    region = world.regions[index]
    held = region.held._replace(phase=phase, lost=lost, known=known)
    return _hold(world, index, held, foreign=region.foreign and not forgets)


ACTIONS: Mapping[str, Callable[[World, int, Action], World | None]] = {
    "claim": _claim,
    "rival": _rival,
    "look": _look,
    "refuse": _refuse,
    "cut": _cut,
    "do": _do,
    "gate": _gate,
    "delete": _delete,
    "install": _install,
    "update": _update,
    "install-failover": _install_failover,
    "update-failover": _update_failover,
    "delete-failover": _delete_failover,
    "uncut": _uncut,
    "unclaim": _unclaim,
    "uninstall": _uninstall,
    "end": _end,
}
"""What a run changes, by the name of the change."""
