"""What the search takes for one is one: a world and its canonical form, and what is remembered of other worlds."""

import random
from collections.abc import Iterator

import pytest

from tests.model import canonical, planned
from tests.model.invariants import broken
from tests.model.moves import moves
from tests.model.plays import stroll
from tests.model.remembered import Remembered
from tests.model.world import Incident, World, installed, run_of

STROLLS = pytest.mark.parametrize("seed", range(4))
PROCEDURES = pytest.mark.parametrize("by_api", [False, True], ids=["8.5", "by cluster API"])


@pytest.fixture(autouse=True)
def with_short_values() -> Iterator[None]:
    with planned.short_values():
        yield


def walked(seed: int, *, by_api: bool, length: int = 150) -> Iterator[World]:
    """Yield worlds as they come, with whatever numbers they have."""
    world = installed(4, by_api=by_api)
    return (after for _, after in stroll(world, random.Random(seed), length))


def forms_after(world: World) -> set[tuple[World, bool]]:
    """Return the canonical form of each world that a move leads to, and whether that is unwanted."""
    return {(canonical.canonical(after), is_unwanted) for _, after, is_unwanted in moves(world)}


@PROCEDURES
@STROLLS
def test_what_can_happen_in_a_world_can_happen_in_its_canonical_form(
    by_api: bool, seed: int
) -> None:
    changed = 0
    for world in walked(seed, by_api=by_api):
        form = canonical.canonical(world)
        changed += form != world
        assert forms_after(form) == forms_after(world)
    assert changed


@PROCEDURES
def test_a_form_that_leaves_out_what_counts_is_noticed(
    by_api: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canonical, "_as_read", lambda phase, lost: ("normal", None))
    different = [
        world
        for world in walked(0, by_api=by_api)
        if forms_after(canonical.canonical(world)) != forms_after(world)
    ]
    assert different


def test_numbers_of_incidents_become_the_least_of_the_same_order() -> None:
    world = installed(0, by_api=False)
    one, other = world.regions
    held = one.held.with_gate("F0", Incident(7, lost=False), 3)._replace(known=9)
    theirs = other.held._replace(claim=Incident(4, lost=True))
    found = canonical.canonical(
        world.put(0, one._replace(held=held)).put(1, other._replace(held=theirs))
    )
    first, second = found.regions
    assert first.held.incident_of("F0") == Incident(2, lost=False)
    assert second.held.claim == Incident(1, lost=True)
    assert (first.held.known, second.held.known) == (1, 0)


def test_a_number_that_is_given_while_the_other_run_names_it_is_noticed() -> None:
    """Such a world would be taken for one in which the numbers differ."""
    world = installed(0, by_api=False)
    one, other = world.regions
    joins = run_of([("gate", "B1", Incident(1, lost=True), 1, None)])
    fails_over = run_of([("claim", Incident(1, lost=False))])
    under_way = world.put(0, one._replace(run=joins)).put(1, other._replace(run=fails_over))
    assert broken(under_way) == ["no number twice"]
    held = other.held._replace(claim=Incident(1, lost=False))
    assert broken(under_way.put(1, under_way.regions[1]._replace(held=held))) == []


@PROCEDURES
@STROLLS
def test_a_decision_is_the_same_by_what_it_reads_of_both_stacks(by_api: bool, seed: int) -> None:
    seen = planned.Seen(blank=False, foreign=False, answers=True)
    for world in walked(seed, by_api=by_api):
        own, peer = (each.held for each in world.regions)
        for accepts in (False, True):
            read = planned.as_own(own), planned.as_peer(peer)
            found = planned.plans(by_api, 0, *read, seen, accepts)
            assert found == planned.plans(by_api, 0, own, peer, seen, accepts)


@PROCEDURES
@STROLLS
def test_what_is_remembered_of_other_worlds_is_so_in_this_one(by_api: bool, seed: int) -> None:
    remembered = Remembered(by_api=by_api)
    for each in walked(seed, by_api=by_api):
        number = remembered.number_of(each)
        world = remembered.world(number)
        found = {
            (remembered.number_of(after), is_unwanted) for _, after, is_unwanted in moves(world)
        }
        assert set(remembered.after(number)) == found
