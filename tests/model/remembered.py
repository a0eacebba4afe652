"""The moves of `moves`, asked once for all worlds in which they look at the same; worlds and regions are numbers here.

A change of a run looks at what is at work in the other region, an operator's decision also at what the other stack
holds, and of what the other run has still to do F0 alone sees one thing: whether it confirms its claim next. So what a
move does in one of these worlds it does in all: its own region becomes another one, and some fields of the other region
change.
"""

from collections.abc import Hashable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from tests.model.canonical import (
    by_itself,
    incidents_in,
    incidents_of,
    numbers_of,
    ranks,
    with_ranks,
)
from tests.model.invariants import broken, is_restored
from tests.model.moves import moves_of, moves_of_link
from tests.model.world import (
    CONFIRMING,
    Held,
    Region,
    World,
    actions_of,
    is_confirming,
    run_of,
)

T = TypeVar("T", bound=Hashable)


class _Numbered(Generic[T]):
    """Things by their numbers, from 0 on."""

    def __init__(self) -> None:
        self.all: list[T] = []
        self._numbers: dict[T, int] = {}

    def number_of(self, each: T) -> int:
        found = self._numbers.get(each)
        if found is None:
            found = self._numbers[each] = len(self.all)
            self.all.append(each)
        return found


Changes = tuple[tuple[str, Any], ...]
"""Fields of a region, and what they become."""
Effect = tuple[int, int, int, bool]
"""What a move does: what becomes of its own region, the other one's changes, the link, and whether it is unwanted.

Of a move of the link it is the changes of both.
"""
LINK_BITS, REGION_BITS = 8, 24


class _Known(NamedTuple):
    """What is worked out once of a region.

    :ivar at_work: the number of what a run of the other stack sees of it.
    :ivar decided_on: of what an operator of the other stack decides on.
    :ivar judged: of what invariants look at.
    :ivar asks_stack: whether its run is to look at what the other stack holds.
    :ivar mine: the incidents named in it that lost it, a bit for each number.
    :ivar others: those that lost the other region.
    """

    at_work: int
    decided_on: int
    judged: int
    asks_stack: bool
    mine: int
    others: int


class Remembered:
    """Worlds as numbers, and all that is possible in them."""

    def __init__(self, *, by_api: bool) -> None:
        self._by_api = by_api
        self._regions: _Numbered[Region] = _Numbered()
        self._forms: dict[Region, int] = {}
        self._views: _Numbered[Region] = _Numbered()
        self._changes: _Numbered[Changes] = _Numbered()
        self._unchanged = self._changes.number_of(())
        self._known: list[_Known] = []
        self._effects: dict[int, tuple[Effect, ...]] = {}
        self._effects_on_link: dict[int, tuple[Effect, ...]] = {}
        self._changed: dict[tuple[int, int], int] = {}
        self._ranked: dict[tuple[int, int, int], int] = {}
        self._broken: dict[int, list[str]] = {}

    def number_of(self, world: World) -> int:
        """Return the number of the canonical form of a world, or of its mirror image."""
        one, other = (self._region(each) for each in world.regions)
        return self._world(one, other, _link_of(world))

    def world(self, number: int) -> World:
        """Return a world by its number."""
        one, other, link = _parts(number)
        return self._between(self._regions.all[one], self._regions.all[other], link)

    def after(self, number: int) -> Iterator[tuple[int, bool]]:
        """Yield the worlds after each move, and whether it is unwanted."""
        one, other, link = _parts(number)
        for first, second, after, is_unwanted in self._of_link(one, other, link):
            yield self._world(self._with(one, first), self._with(other, second), after), is_unwanted
        for me, peer in ((one, other), (other, one)):
            for mine, changes, after, is_unwanted in self._of(me, peer, link):
                yield self._world(mine, self._with(peer, changes), after), is_unwanted

    def broken(self, number: int) -> list[str]:
        """Return the invariants that do not hold in a world."""
        one, other, link = _parts(number)
        key = _number(self._known[one].judged, self._known[other].judged, link)
        found = self._broken.get(key)
        if found is None:
            first, second = (self._views.all[self._known[each].judged] for each in (one, other))
            found = self._broken[key] = broken(self._between(first, second, link))
        return found

    def is_restored(self, number: int) -> bool:
        """Return whether all is as it was in a world."""
        return is_restored(self.world(number))

    # --- Moves -----------------------------------------------------------------------------------

    def _of(self, me: int, peer: int, link: int) -> tuple[Effect, ...]:
        known, seen = self._known[me], self._known[peer]
        view = seen.decided_on if known.asks_stack else seen.at_work
        key = _number(me, view, link)
        found = self._effects.get(key)
        if found is None:
            before = self._between(self._regions.all[me], self._views.all[view], link)
            found = tuple(
                self._effect(before, after, is_unwanted)
                for _, after, is_unwanted in moves_of(before, 0)
            )
            self._effects[key] = found
        return found

    def _of_link(self, one: int, other: int, link: int) -> tuple[Effect, ...]:
        views = self._known[one].at_work, self._known[other].at_work
        key = _number(*views, link)
        found = self._effects_on_link.get(key)
        if found is None:
            first, second = (self._views.all[each] for each in views)
            before = self._between(first, second, link)
            found = tuple(
                (*self._changes_of(before, after), _link_of(after), is_unwanted)
                for _, after, is_unwanted in moves_of_link(before)
            )
            self._effects_on_link[key] = found
        return found

    def _effect(self, before: World, after: World, is_unwanted: bool) -> Effect:
        changes = self._changes.number_of(_changes(before.regions[1], after.regions[1]))
        return self._region(after.regions[0]), changes, _link_of(after), is_unwanted

    def _changes_of(self, before: World, after: World) -> tuple[int, int]:
        pairs = zip(before.regions, after.regions, strict=True)
        one, other = (self._changes.number_of(_changes(*each)) for each in pairs)
        return one, other

    def _with(self, region: int, changes: int) -> int:
        if changes == self._unchanged:
            return region
        found = self._changed.get((region, changes))
        if found is None:
            changed = self._regions.all[region]._replace(**dict(self._changes.all[changes]))
            found = self._changed[region, changes] = self._region(changed)
        return found

    # --- Numbers ---------------------------------------------------------------------------------

    def _between(self, one: Region, other: Region, link: int) -> World:
        return World((one, other), self._by_api, link >> 2, bool(link & 2), bool(link & 1))

    def _world(self, one: int, other: int, link: int) -> int:
        first = self._known[one].mine | self._known[other].others
        second = self._known[one].others | self._known[other].mine
        if first & (first + 1) or second & (second + 1):
            one, other = self._counted(one, first, second), self._counted(other, second, first)
        return _number(one, other, link) if one < other else _number(other, one, link)

    def _counted(self, region: int, mine: int, others: int) -> int:
        """Return a region with the numbers of incidents counted from 1 on."""
        found = self._ranked.get((region, mine, others))
        if found is None:
            new = ranks(_numbers_in(mine)), ranks(_numbers_in(others))
            found = self._region(with_ranks(self._regions.all[region], *new))
            self._ranked[region, mine, others] = found
        return found

    def _region(self, region: Region) -> int:
        found = self._forms.get(region)
        if found is None:
            form = by_itself(region)
            found = self._forms[region] = self._regions.number_of(form)
            if found == len(self._known):
                self._known.append(self._known_of(form))
        return found

    def _known_of(self, region: Region) -> _Known:
        mine, others = (_bits(each) for each in numbers_of(region))
        return _Known(
            at_work=self._views.number_of(_at_work(region)),
            decided_on=self._views.number_of(_decided_on(region)),
            judged=self._views.number_of(_judged(region)),
            asks_stack=_asks_stack(region),
            mine=mine,
            others=others,
        )


def _at_work(region: Region) -> Region:
    """Return what a run of the other stack sees of a region."""
    held = Held(region.held.release, region.held.failover, region.held.cut)
    return region._replace(held=held, foreign=False, gone=False, run=None)


def _decided_on(region: Region) -> Region:
    """Return what an operator of the other stack decides on, and a run of it that looks at this stack."""
    return region._replace(run=run_of([CONFIRMING]) if is_confirming(region.run) else None)


def _judged(region: Region) -> Region:
    """Return what the invariants look at."""
    held = region.held._replace(phase="normal", lost=None, known=0)
    named = set(incidents_in(region.run)) - set(incidents_of(held))
    run = None if region.run is None else run_of([("names", *sorted(named))])
    return region._replace(held=held, foreign=False, gone=False, run=run)


def _asks_stack(region: Region) -> bool:
    asks = ("look", "rival")
    return region.run is None or any(each[0] in asks for each in actions_of(region.run))


def _changes(before: Region, after: Region) -> Changes:
    fields = zip(Region._fields, before, after, strict=True)
    return tuple((name, new) for name, old, new in fields if new != old)


def _link_of(world: World) -> int:
    return world.faults << 2 | world.cut << 1 | world.loses


def _number(one: int, other: int, link: int) -> int:
    return (one << REGION_BITS | other) << LINK_BITS | link


def _parts(number: int) -> tuple[int, int, int]:
    one, rest = number >> REGION_BITS + LINK_BITS, number >> LINK_BITS
    return one, rest & (1 << REGION_BITS) - 1, number & (1 << LINK_BITS) - 1


def _bits(numbers: frozenset[int]) -> int:
    return sum(1 << each - 1 for each in numbers)


def _numbers_in(bits: int) -> frozenset[int]:
    return frozenset(each for each in range(1, bits.bit_length() + 1) if bits >> each - 1 & 1)
