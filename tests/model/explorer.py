"""Every world that can be reached, breadth first, and whether a way leads back from each.

Worlds that are each other's mirror image are explored once.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.model.invariants import broken, is_restored
from tests.model.moves import moves
from tests.model.world import Region, World

_EVERY = 50_000


def silently(_: str) -> None:
    """Tell nothing."""


@dataclass
class Found:
    """What an exploration has found.

    :ivar worlds: how many there are.
    :ivar transitions: how many moves lead from one to another.
    :ivar restored: in how many worlds everything is as it was.
    :ivar broken: the shortest way to a world in which an invariant does not hold, by the invariant.
    :ivar dead_ends: from how many worlds no moves but faults and kills lead to a restored one.
    :ivar dead_end: the shortest way to such a world.
    """

    worlds: int = 0
    transitions: int = 0
    restored: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)
    dead_ends: int = 0
    dead_end: list[str] = field(default_factory=list)


class Explorer:
    """Explores everything from a world on."""

    def __init__(self, start: World, say: Callable[[str], None] = silently) -> None:
        self._by_api, self._say = start.by_api, say
        self._regions: dict[Region, int] = {}
        self._region_of: list[Region] = []
        self._known: dict[int, int] = {}
        self._keys: array[int] = array("Q")
        self._parents: array[int] = array("l")
        self._edges: tuple[array[int], array[int]] = (array("l"), array("l"))
        self._add(self._key(start), -1)

    def explore(self, most: int | None = None) -> Found:
        """Return what is found.

        :param most: of how many worlds at most the moves are tried; then nothing is said of dead ends.
        """
        found = Found()
        at = 0
        while at < len(self._keys):
            if at == most:
                found.worlds = at
                return found
            self._visit(at, found)
            at += 1
            if at % _EVERY == 0:
                self._say(
                    f"{at} of {len(self._keys)} worlds so far, {found.transitions} transitions, "
                    f"broken: {', '.join(found.broken) or 'nothing'}"
                )
        found.worlds = len(self._keys)
        self._look_for_dead_ends(found)
        return found

    def way_to(self, at: int) -> list[str]:
        """Return the moves that lead to a world, and the world."""
        path = [at]
        while self._parents[path[-1]] >= 0:
            path.append(self._parents[path[-1]])
        path.reverse()
        world, told = self._world(path[0]), []
        for each in path[1:]:
            name, world = next(
                (name, after)
                for name, after, _ in moves(world)
                if self._key(after) == self._keys[each]
            )
            told.append(name)
        return [*told, *map(str, world.regions)]

    def _visit(self, at: int, found: Found) -> None:
        world = self._world(at)
        for name in broken(world):
            if name not in found.broken:
                found.broken[name] = self.way_to(at)
                self._say(f"broken: {name}")
        sources, targets = self._edges
        for _, after, is_unwanted in moves(world):
            key = self._key(after)
            to = self._known.get(key)
            if to is None:
                to = self._add(key, at)
            found.transitions += 1
            if not is_unwanted:
                sources.append(at)
                targets.append(to)

    def _look_for_dead_ends(self, found: Found) -> None:
        """Go backwards from every restored world; what is not met then has no way to one."""
        count = len(self._keys)
        restored = [at for at in range(count) if is_restored(self._world(at))]
        found.restored = len(restored)
        has_a_way = _reached_backwards(restored, count, *self._edges)
        dead = [at for at in range(count) if not has_a_way[at]]
        found.dead_ends = len(dead)
        if dead:
            found.dead_end = self.way_to(dead[0])

    # --- A world as one number --------------------------------------------------------------------

    def _key(self, world: World) -> int:
        one, other = (self._id(each) for each in world.regions)
        low, high = min(one, other), max(one, other)
        return (low << 24 | high) << 8 | world.faults << 2 | world.cut << 1 | world.loses

    def _world(self, at: int) -> World:
        key = self._keys[at]
        regions = self._region_of[key >> 32], self._region_of[key >> 8 & 0xFFFFFF]
        return World(regions, self._by_api, key >> 2 & 0x3F, bool(key & 2), bool(key & 1))

    def _id(self, region: Region) -> int:
        found = self._regions.get(region)
        if found is None:
            found = self._regions[region] = len(self._region_of)
            self._region_of.append(region)
        return found

    def _add(self, key: int, parent: int) -> int:
        at = self._known[key] = len(self._keys)
        self._keys.append(key)
        self._parents.append(parent)
        return at


def _reached_backwards(
    ends: Iterable[int], count: int, sources: "array[int]", targets: "array[int]"
) -> bytearray:
    """Return which nodes of a graph have a path to one of these ends."""
    first = array("l", bytes(array("l").itemsize * (count + 1)))
    for each in targets:
        first[each + 1] += 1
    for at in range(count):
        first[at + 1] += first[at]
    place = array("l", first)
    into = array("l", bytes(array("l").itemsize * len(targets)))
    for source, target in zip(sources, targets, strict=True):
        into[place[target]] = source
        place[target] += 1
    reached, todo = bytearray(count), list(ends)
    for each in todo:
        reached[each] = 1
    while todo:
        at = todo.pop()
        for source in into[first[at] : first[at + 1]]:
            if not reached[source]:
                reached[source] = 1
                todo.append(source)
    return reached
