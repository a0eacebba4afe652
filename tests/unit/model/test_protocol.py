"""The protocol of the two stacks holds in every world that the model reaches; and each invariant can fail.

`make model` explores much more. What it has found once is played here.
"""

import random
from collections.abc import Callable, Iterator

import pytest

from dualregion.config.settings import Settings
from dualregion.decision import desired, guards
from dualregion.procedure import Phase, Role
from dualregion.state import claims
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.decision import guards as messages
from tests.model import planned
from tests.model.explorer import Explorer
from tests.model.invariants import broken, is_restored
from tests.model.moves import moves
from tests.model.plays import play, stroll
from tests.model.world import Members, World, installed

Judge = Callable[..., Message | None]
PROCEDURES = pytest.mark.parametrize("by_api", [False, True], ids=["8.5", "by cluster API"])

FAILOVER = ("up 1 failover, lost there", "1*")
JOINED = (
    "0 is recreated",
    "up 1 failback-pending, lost there",
    "1*",
    "up 0 failback-pending, lost here",
    "0*",
)
COPIED = (*JOINED, "up 1 failback-pending, lost there", "1*")
NORMAL = ("up 1 normal", "1*", "up 0 normal", "0*", "up 1 normal", "1*")


@pytest.fixture(autouse=True)
def with_short_values() -> Iterator[None]:
    with planned.short_values():
        yield


def lost(faults: int = 1, *, by_api: bool) -> World:
    """Return the world in which region 0 has just been lost, and more may be."""
    return play(installed(faults, by_api=by_api), "0 is lost")


def repointed(world: World) -> World:
    """Return the world after the recreated region's turn, which 8.5 alone has."""
    turn = ("up 0 failback-pending, lost here", "0*")
    opened = ("up 0 restored, lost here", "0*")
    return world if world.by_api else play(world, *turn, *opened)


@PROCEDURES
def test_the_procedure_ends_where_it_began(by_api: bool) -> None:
    world = play(failed_back(by_api=by_api), *NORMAL)
    assert is_restored(world)
    assert not broken(world)


def failed_back(*, by_api: bool) -> World:
    """Return the world after a failback, before phase normal."""
    return ended_from(play(lost(by_api=by_api), *FAILOVER, *COPIED))


def ended_from(copied: World) -> World:
    """Return the world after a failback of which the engine has been copied."""
    world = repointed(copied)
    return play(world, "up 1 restored, lost there", "1*", "up 0 restored, lost here", "0*")


def killed_at_any_point(world: World, index: int) -> Iterator[World]:
    """Yield the worlds in which a run has been killed, before and after each of its changes."""
    for name, after, is_unwanted in moves(world):
        if name.startswith(f"run {index}"):
            yield from (after,) if is_unwanted else killed_at_any_point(after, index)


def then_anything(world: World, index: int) -> Iterator[World]:
    """Yield the worlds after each run that a stack lets begin, as far as it goes."""
    for name, after, _ in moves(world):
        if name.startswith(f"up {index}"):
            yield play(after, f"{index}*") if after.regions[index].run else after


def killed_in_phase_normal(index: int, *, by_api: bool) -> list[World]:
    """Return the worlds in which a stack's run into phase normal was killed; region 0's stack comes first."""
    world = failed_back(by_api=by_api)
    if index == 1:
        world = play(world, "up 0 normal", "0*")
    return list(killed_at_any_point(play(world, f"up {index} normal"), index))


@PROCEDURES
@pytest.mark.parametrize("index", [0, 1])
def test_phase_normal_is_reached_though_a_run_into_it_was_killed_anywhere(
    by_api: bool, index: int
) -> None:
    """What is left of the failback's records looks like a failback that was never done."""
    killed = killed_in_phase_normal(index, by_api=by_api)
    assert len(killed) > 3
    assert all(is_restored(play(each, *normal_from(index))) for each in killed)
    assert not any(broken(after) for each in killed for after in then_anything(each, index))


@PROCEDURES
def test_it_is_not_where_the_proof_of_phase_normal_names_no_incident(
    by_api: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "last_failback", None)
    killed = killed_in_phase_normal(0, by_api=by_api)
    assert not all(can(each, "up 0 normal") for each in killed)


def normal_from(first: int) -> tuple[str, ...]:
    order = (first, 1 - first, first)
    return tuple(move for each in order for move in (f"up {each} normal", f"{each}*"))


def test_a_region_called_lost_as_the_survivor_reopens_has_a_way_on() -> None:
    """The survivor has read that the web apps are open there, and lets exporting go on; the records of that are gone."""
    world = repointed(play(lost(by_api=False), *FAILOVER, *COPIED))
    world = play(world, "up 0 failover, lost here", "up 1 restored, lost there")
    world = play(world, "run 0: delete B5; delete B4, and is killed", "1*")
    world = play(world, "up 0 failback-pending, lost here", "0*")
    for _ in ("its web apps", "awake"):
        world = play(world, "up 0 restored, lost here", "0*")
    world = play(world, *normal_from(0))
    assert is_restored(world)
    assert not broken(world)


def backed_out_at(world: World, last: str) -> World:
    """Return the world in which a failback is backed out of, by a run that is killed behind a gate."""
    world = play(world, "up 1 failover, lost there")
    while (killed := at_a_kill(world, last)) is None:
        world = play(world, "run 1: ")
    return killed


def at_a_kill(world: World, last: str) -> World | None:
    ends = ("and is killed",)
    found = [after for name, after, _ in moves(world) if last in name and name.endswith(ends)]
    return found[0] if found else None


def counting_every_round(
    stack: Stack, _: Phase, incident: Incident | None
) -> tuple[frozenset[str], int]:
    """Judge as the program did before rounds were counted."""
    return frozenset(step for step, name in stack.gates.items() if name == str(incident)), 1


@PROCEDURES
@pytest.mark.parametrize("is_mutated", [False, True], ids=["as it is", "rounds not counted"])
def test_a_failback_begins_anew_after_a_back_out_that_was_killed(
    by_api: bool, is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gates of both lie side by side; those of the first copy say nothing of the engine that got nothing since."""
    if is_mutated:
        monkeypatch.setattr(Stack, "counted", counting_every_round)
    world = backed_out_at(play(lost(by_api=by_api), *FAILOVER, *COPIED), "gate F3")
    world = play(world, "up 1 failback-pending, lost there", "1*")
    is_taken_for_copied = world.regions[1].run is None
    assert is_taken_for_copied is is_mutated
    assert broken(world) == (["no record is lost"] if is_mutated and not by_api else [])


@pytest.mark.parametrize("is_mutated", [False, True], ids=["as it is", "rounds not counted"])
def test_a_back_out_lets_exporting_go_on_whatever_is_proved_already(
    is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gates of the failover are still there, as the run of the failback was killed before it deleted them.

    It had read of a B1 that was withdrawn then, and so went from B0 to B2 at once.
    """
    if is_mutated:
        monkeypatch.setattr(Stack, "counted", counting_every_round)
    world = play(lost(by_api=True), *FAILOVER, *JOINED, *FAILOVER)
    world = play(world, "up 1 failback-pending, lost there", "up 0 failover, lost here", "0*")
    while not world.regions[1].paused:
        world = play(world, "run 1: ")
    world = play(world, "run 1 is killed", "up 1 failover, lost there", "1*")
    assert broken(world) == (["no silent pause"] if is_mutated else [])
    assert world.regions[1].paused is is_mutated
    assert world.regions[1].run is None


@pytest.mark.parametrize("is_mutated", [False, True], ids=["as it is", "F1 says nothing"])
def test_who_may_have_removed_brokers_does_not_withdraw(
    is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed in F2 has removed them, and left no record of it."""
    if is_mutated:
        monkeypatch.setattr(Stack, "may_serve_alone", Stack.serves_alone)
    world = play(installed(1, by_api=True), "the link is cut", "up 1 failover, lost there")
    while world.regions[1].members is Members.BOTH:
        world = play(world, "run 1: ")
    world = play(world, "run 1 is killed")
    assert can(world, "up 1 failover, lost here") is is_mutated
    assert can(world, "up 1 normal") is is_mutated
    if is_mutated:
        withdrawn = play(world, "up 1 failover, lost here", "1*", "up 0 failover, lost there", "0*")
        assert "no id twice" in broken(withdrawn)
        normal = play(world, "up 1 normal", "1*", "the link heals")
        assert "nothing stale comes back" in broken(normal)


def can(world: World, told: str) -> bool:
    """Return whether a move is possible."""
    return any(name == told for name, _, _ in moves(world))


@PROCEDURES
@pytest.mark.parametrize(
    "is_mutated", [False, True], ids=["as it is", "what has worked is forgotten"]
)
def test_a_region_that_worked_never_comes_back_empty_in_phase_normal(
    by_api: bool, is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the other region's stack was updated in phase normal after the loss."""
    if is_mutated:
        monkeypatch.setattr(Stack, "has_worked", False)
    world = play(installed(1, by_api=by_api), "0 is lost", "0 is recreated")
    world = play(world, "up 0 failover, lost here")
    assert can(world, "up 0 normal") is is_mutated
    if is_mutated:
        assert "nothing empty votes" in broken(play(world, "up 0 normal", "run 0: install"))


@PROCEDURES
@pytest.mark.parametrize("is_mutated", [False, True], ids=["as it is", "no rival"])
def test_two_operators_never_fail_over_both(
    by_api: bool, is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_mutated:
        monkeypatch.setattr(claims, "against_failover", lambda *_: None)
        monkeypatch.setattr(guards, "disagreement", lambda *_: None)
    world = play(installed(1, by_api=by_api), "the link is cut")
    world = play(world, "up 0 failover, lost there", "up 1 failover, lost there", "0*", "1*")
    assert broken(world) == (["no id twice", "one failover"] if is_mutated else [])


def claimed_by_both(world: World) -> World:
    """Return the world in which both stacks claim a failover; that of region 0 has seen no other claim."""
    world = play(world, "up 0 failover, lost there", "up 1 failover, lost there")
    return play(world, "run 0: claim", "run 0: look", "run 1: claim")


@PROCEDURES
def test_a_claim_waits_for_the_record_of_the_other_one(by_api: bool) -> None:
    """Unless that cannot be made: the API server of the other region does not answer."""
    world = claimed_by_both(play(installed(2, by_api=by_api), "the link is cut"))
    looked = "run 1: look None"
    assert can(world, f"{looked}, as run 0 stands still")
    assert not can(world, looked)
    silent = play(world, "0 falls silent")
    assert can(silent, looked)
    ended = play(world, "run 0: gate F0", looked)
    assert ended.regions[1].run is None
    assert ended.regions[1].held.incident_of("F0") is None


@PROCEDURES
@pytest.mark.parametrize("is_mutated", [False, True], ids=["as it is", "outputs count"])
def test_of_two_failovers_that_refuse_each_other_one_can_be_withdrawn(
    by_api: bool, is_mutated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run stood still in F0; and the other one's region was called lost before, by a slip, so its stack's outputs are wrong."""
    if is_mutated:
        monkeypatch.setattr(guards, "_withdraws", lambda *_: False)
    world = play(installed(1, by_api=by_api), "the link is cut", "up 1 failover, lost here")
    world = play(claimed_by_both(world), "run 1: look")
    world = play(world, "run 1: gate F0", "run 0: gate F0", "1*", "0*", "the link heals")
    assert not broken(world)
    assert not any(can(world, f"up {index} failover, lost there") for index in (0, 1))
    assert can(world, "up 0 failover, lost here") is not is_mutated
    if not is_mutated:
        world = play(world, "up 0 failover, lost here", "0*", *FAILOVER)
        world = play(world, "up 0 failover, lost here", "0*", *COPIED[1:])
        assert is_restored(play(ended_from(world), *NORMAL))


@PROCEDURES
def test_a_lost_region_that_lives_is_kept_out(by_api: bool) -> None:
    world = play(lost(by_api=by_api), *FAILOVER, "0 comes back")
    assert not broken(world)
    assert not can(world, "up 0 normal")


@PROCEDURES
def test_nothing_is_broken_near_by(by_api: bool) -> None:
    """`make model` goes on to the end."""
    assert Explorer(installed(1, by_api=by_api)).explore(most=3000).broken == {}


@PROCEDURES
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_broken_further_out(by_api: bool, seed: int) -> None:
    told, world = ["0 is lost"], lost(3, by_api=by_api)
    for name, after in stroll(world, random.Random(seed), 200):
        told.append(name)
        assert not broken(after), told


@PROCEDURES
def test_no_way_back_is_a_dead_end(by_api: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every failover is refused, a region that is recreated empty cannot come back."""
    monkeypatch.setattr(guards, "disagreement", refusing_failovers(guards.disagreement))
    monkeypatch.setattr(planned, "disagreement", guards.disagreement)
    monkeypatch.setattr(desired, "disagreement", guards.disagreement)
    found = Explorer(play(lost(by_api=by_api), "0 is recreated")).explore()
    assert (found.dead_ends, found.restored) == (found.worlds, 0)


def refusing_failovers(judge: Judge) -> Judge:
    def refused(settings: Settings, peer: Stack, own: Stack | None = None) -> Message | None:
        if settings.phase is Phase.FAILOVER and settings.role is Role.SURVIVOR:
            return messages.failback_without_failover("failover", 0)
        return judge(settings, peer, own)

    return refused


@PROCEDURES
def test_a_way_back_is_none(by_api: bool) -> None:
    found = Explorer(installed(0, by_api=by_api)).explore()
    assert (found.dead_ends, found.broken) == (0, {})
    assert found.restored


@PROCEDURES
def test_both_regions_are_answered_alike(by_api: bool) -> None:
    """So a world and its mirror image are one."""
    for _, world in stroll(lost(by_api=by_api), random.Random(1), 60):
        for index in (0, 1):
            assert plans_of(world, index) == plans_of(mirrored(world), 1 - index)


def mirrored(world: World) -> World:
    return world._replace(regions=world.regions[::-1])


def plans_of(world: World, index: int) -> tuple[tuple[planned.Asked, planned.Plan], ...]:
    own, peer = world.regions[index], world.regions[1 - index]
    seen = planned.Seen(own.blank, own.foreign, own.answers, peer.blank and peer.answers)
    return planned.plans(world.by_api, index, own.held, peer.held, seen, accepts=False)
