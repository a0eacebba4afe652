"""Plays: moves picked by how they are told, from a world on."""

import random
from collections.abc import Iterable, Iterator

from tests.model.moves import moves
from tests.model.world import World


def play(world: World, *picked: str) -> World:
    """Return the world after these moves.

    :param picked: how each move begins; `0*` and `1*` carry a stack's run on as far as it goes.
    """
    for each in picked:
        world = _carried_on(world, int(each[0])) if each.endswith("*") else _after(world, each)
    return world


def _after(world: World, picked: str) -> World:
    told = {name: after for name, after, _ in moves(world)}
    found = [
        after
        for name, after in told.items()
        if name.startswith(picked) and ("killed" in picked or "killed" not in name)
    ]
    assert found, f"not possible: {picked}; but {sorted(told)}"
    return found[0]


def _carried_on(world: World, index: int) -> World:
    def ahead(at: World) -> Iterable[World]:
        return (
            after
            for name, after, unwanted in moves(at)
            if name.startswith(f"run {index}:") and not unwanted
        )

    while (found := next(iter(ahead(world)), None)) is not None:
        world = found
    return world


def stroll(world: World, source: random.Random, length: int) -> Iterator[tuple[str, World]]:
    """Yield so many moves by chance, mostly such as bring the procedure on: what lies deep is found sooner so."""
    phase = ""
    for step in range(length):
        if step % 20 == 0:
            phase = source.choice(_PHASES)
        found = [*moves(world)]
        if not found:
            return
        weights = [_weight(name, phase, is_unwanted=unwanted) for name, _, unwanted in found]
        name, world, _ = source.choices(found, weights)[0]
        yield name, world


_PHASES = ("failover", "failback-pending", "failback-pending", "restored", "restored", "normal")


def _weight(name: str, phase: str, *, is_unwanted: bool) -> float:
    if is_unwanted:
        return 0.25 if "killed" in name else 0.1
    if name.startswith("run"):
        return 0.3 if "gives up" in name else 6
    if name.startswith("up"):
        return 3 if phase in name else 0.2
    return 3 if "recreated" in name else 0.5
