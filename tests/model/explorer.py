"""Every world that can be reached, breadth first, and whether a way leads back from each.

Worlds that cannot be told apart in them are explored once, and so is a world and its mirror image.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.model.moves import moves
from tests.model.remembered import Remembered
from tests.model.world import World

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
        self._say = say
        self._moves = Remembered(by_api=start.by_api)
        self._at: dict[int, int] = {}
        self._worlds: array[int] = array("Q")
        self._parents: array[int] = array("i")
        self._first_edge: array[int] = array("Q")
        self._targets: array[int] = array("I")
        self._add(self._moves.number_of(start), -1)

    def explore(self, most: int | None = None) -> Found:
        """Return what is found.

        :param most: of how many worlds at most the moves are tried; then nothing is said of dead ends.
        """
        found = Found()
        while (at := len(self._first_edge)) < len(self._worlds):
            if at == most:
                found.worlds = at
                return found
            self._visit(at, found)
            if (at + 1) % _EVERY == 0:
                self._say(
                    f"{at + 1} of {len(self._worlds)} worlds so far, {found.transitions} transitions, "
                    f"broken: {', '.join(found.broken) or 'nothing'}"
                )
        found.worlds = len(self._worlds)
        self._look_for_dead_ends(found)
        return found

    def way_to(self, at: int) -> list[str]:
        """Return the moves that lead to a world, and the world."""
        path = [at]
        while self._parents[path[-1]] >= 0:
            path.append(self._parents[path[-1]])
        path.reverse()
        world, told = self._moves.world(self._worlds[path[0]]), []
        for each in path[1:]:
            name, world = next(
                (name, after)
                for name, after, _ in moves(world)
                if self._moves.number_of(after) == self._worlds[each]
            )
            told.append(name)
        return [*told, *map(str, world.regions)]

    def _visit(self, at: int, found: Found) -> None:
        for name in self._moves.broken(self._worlds[at]):
            if name not in found.broken:
                found.broken[name] = self.way_to(at)
                self._say("\n  ".join((f"broken: {name}", *found.broken[name])))
        self._first_edge.append(len(self._targets))
        for world, is_unwanted in self._moves.after(self._worlds[at]):
            to = self._at.get(world)
            if to is None:
                to = self._add(world, at)
            found.transitions += 1
            if not is_unwanted:
                self._targets.append(to)

    def _look_for_dead_ends(self, found: Found) -> None:
        """Go backwards from every restored world; what is not met then has no way to one."""
        restored = [at for at, each in enumerate(self._worlds) if self._moves.is_restored(each)]
        found.restored = len(restored)
        has_a_way = _reached_backwards(restored, self._first_edge, self._targets)
        found.dead_ends = has_a_way.count(0)
        if found.dead_ends:
            found.dead_end = self.way_to(has_a_way.index(0))

    def _add(self, world: int, parent: int) -> int:
        at = self._at[world] = len(self._worlds)
        self._worlds.append(world)
        self._parents.append(parent)
        return at


def _reached_backwards(
    ends: Iterable[int], first_edge: "array[int]", targets: "array[int]"
) -> bytearray:
    """Return which nodes of a graph have a path to one of these ends.

    :param first_edge: where in `targets` those of each node begin.
    """
    count = len(first_edge)
    first, into = _turned(first_edge, targets)
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


def _turned(first_edge: "array[int]", targets: "array[int]") -> "tuple[array[int], array[int]]":
    """Return a graph with its edges turned round: where those of each node begin, and one more; and their targets."""
    count = len(first_edge)
    first = array("Q", bytes(8 * (count + 1)))
    for each in targets:
        first[each + 1] += 1
    for at in range(count):
        first[at + 1] += first[at]
    place, into = array("Q", first), array("I", bytes(4 * len(targets)))
    ends = [*first_edge[1:], len(targets)]
    for source, (begin, end) in enumerate(zip(first_edge, ends, strict=True)):
        for target in targets[begin:end]:
            into[place[target]] = source
            place[target] += 1
    return first, into
