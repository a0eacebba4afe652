"""Worlds that cannot be told apart in them are one: the form that stands for all of them.

What makes two worlds alike is how the program reads a stack (`dualregion.state`), and it is a test that it does:
whatever can happen in a world can happen in its canonical form, and leads to the same forms.

Incidents: the program compares them for being the same one, takes the latest one of those that lost the same region,
and numbers a new one above all that either stack holds or remembers. So the order of those that lost the same region
counts, and of what is remembered only whether there is anything. What runs under way still name counts as well; a
number that no stack holds any more may be given once more, but never while a run of either stack names it
(`invariants.no_number_twice`). Otherwise numbers would grow without end, and the worlds with them.

Rounds: a gate is of its stack's latest round of an incident, or not; what comes next is one above the latest, and the
other stack asks whether that is the first. So the order counts, and whether the first is among them.

Outputs: the other stack asks for a failover or a failback that has not been completed, and, if it is its region that is
called lost, which of the two. A stack's own runs do not read in which phase it was.

A region that was recreated empty runs nothing, whatever its state says.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from dualregion.procedure import Phase
from tests.model.world import (
    MINE,
    OTHERS,
    Action,
    Held,
    Incident,
    Region,
    Run,
    World,
    actions_of,
    run_of,
)

Numbers = tuple[frozenset[int], frozenset[int]]
"""Those of the incidents that lost a stack's own region, and those of the incidents that lost the other one."""
Ranks = tuple[tuple[int, int], ...]
"""Numbers of incidents, and what takes their place."""
Rounds = Mapping[Incident | None, Mapping[int, int]]


def canonical(world: World) -> World:
    """Return the world that stands for all that are like this one, but for its mirror image."""
    one, other = (by_itself(each) for each in world.regions)
    (mine, others), (theirs, ours) = numbers_of(one), numbers_of(other)
    first, second = ranks(mine | ours), ranks(others | theirs)
    one, other = with_ranks(one, first, second), with_ranks(other, second, first)
    return world._replace(regions=(one, other))


# --- Incidents, of both regions together -------------------------------------------------------------


def numbers_of(region: Region) -> Numbers:
    """Return the numbers of all incidents that a stack holds or its run names."""
    return numbers(region.held, region.run)


@cache
def numbers(held: Held, run: Run | None) -> Numbers:
    """Return the numbers of all incidents that a stack holds, or its run names.

    0 is that of a failover whose records are missing, and no incident's.
    """
    found = [each for each in (*incidents_of(held), *incidents_in(run)) if each.number]
    mine = frozenset(each.number for each in found if each.lost is MINE)
    return mine, frozenset(each.number for each in found if each.lost is OTHERS)


def incidents_of(held: Held) -> Iterator[Incident]:
    """Yield the incidents that a stack holds."""
    yield from (each for _, each, _ in held.gates if each is not None)
    if held.claim is not None:
        yield held.claim


def incidents_in(run: Run | None) -> Iterator[Incident]:
    """Yield the incidents that a run names."""
    for action in actions_of(run):
        yield from (each for each in action if isinstance(each, Incident))


@cache
def ranks(found: frozenset[int]) -> Ranks:
    """Return which numbers change if they are counted from 1 on."""
    counted = enumerate(sorted(found), start=1)
    return tuple((number, rank) for rank, number in counted if number != rank)


def with_ranks(region: Region, mine: Ranks, others: Ranks) -> Region:
    """Return a region with other numbers of incidents."""
    if not (mine or others):
        return region
    by_lost = {MINE: dict(mine), OTHERS: dict(others)}

    def ranked(found: Incident) -> Incident:
        return found._replace(number=by_lost[found.lost].get(found.number, found.number))

    gates = tuple((step, each and ranked(each), latest) for step, each, latest in region.held.gates)
    actions = [
        tuple(ranked(each) if isinstance(each, Incident) else each for each in action)
        for action in actions_of(region.run)
    ]
    claim = region.held.claim and ranked(region.held.claim)
    held = region.held._replace(gates=gates, claim=claim)
    return region._replace(held=held, run=run_of(actions))


# --- What is the region's own matter ------------------------------------------------------------------


def by_itself(region: Region) -> Region:
    """Return a region's canonical form, but for the numbers of incidents."""
    found = _rounds(region.held, region.run)
    held = region.held
    phase, lost = _as_read(held.phase, held.lost)
    held = held._replace(
        gates=tuple((step, each, found[each][latest]) for step, each, latest in held.gates),
        phase=phase,
        lost=lost,
        known=min(held.known, 1),
    )
    run = run_of([_own_form(action, found) for action in actions_of(region.run)])
    if region.blank:
        region = region._replace(runs=None, failover_runs=None)
    return region._replace(held=held, run=run)


def _own_form(action: Action, rounds: Rounds) -> Action:
    if action[0] == "gate":
        name, step, each, latest, proof = action
        return name, step, each, rounds[each][latest], proof
    if action[0] == "end":
        name, phase, lost, known, forgets = action
        return name, *_as_read(phase, lost), min(known, 1), forgets
    return action


def _as_read(phase: str, lost: bool | None) -> tuple[str, bool | None]:
    """Return the first of all outputs that the other stack takes for the same."""
    if phase == Phase.RESTORED:
        return phase, OTHERS
    if phase == Phase.FAILBACK_PENDING and lost is MINE:
        return Phase.FAILOVER.value, MINE
    return phase, lost


def _rounds(held: Held, run: Run | None) -> Rounds:
    """Return what takes the place of each incident's rounds."""
    found: dict[Incident | None, set[int]] = {}
    for _, each, latest in held.gates:
        found.setdefault(each, set()).add(latest)
    for action in actions_of(run):
        if action[0] == "gate":
            found.setdefault(action[2], set()).add(action[3])
    return {each: _in_order(latest) for each, latest in found.items()}


def _in_order(rounds: Iterable[int]) -> Mapping[int, int]:
    ordered = sorted(rounds)
    return {each: rank for rank, each in enumerate(ordered, start=min(ordered[0], 2))}
