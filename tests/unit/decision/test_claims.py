"""Split brain is impossible: whatever the moment at which two operators call the opposite regions lost.

Both stacks are played with the program's own decisions, over a state backend that both can read: first in every order of
their reads and writes, then with the hooks at work in threads.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from clients.cluster.kubernetes import CallFailed
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ConfigError, Refused
from dualregion.procedure import CAMUNDA_8_5, F0, FAILOVER_STEPS, Phase, Step
from dualregion.procedure.topology import Gate, Kind
from dualregion.state import claims
from dualregion.state.progress import Incident, Stack
from messages.steps.steps import rival_claim
from sandbox.patience import allowed
from steps import claiming
from steps.context import StepContext
from steps.polling import Waiting
from tests.inputs.examples import failover, settings
from tests.raising import any_message, assert_message, fails_with, raises, tells
from tests.unit.decision.test_turns import BACKUP, World, failed_over

INCIDENT = ("1-region0-lost", "1-region1-lost")


def survivor(region: int, **changes: Any) -> Settings:
    return failover(region, lost=1 - region, **changes)


def holding(region: int, *steps: str, release: bool = False) -> Stack:
    """Return the state of a region's stack in the midst of its failover for the other one."""
    name = INCIDENT[1 - region]
    nodes = {"normal", *steps, *(["failover"] if release else [])}
    return Stack(
        Phase.NORMAL,
        None,
        frozenset(nodes),
        region,
        dict.fromkeys(steps, name),
        claim=name,
    )


# --- What the other stack's state says -----------------------------------------------------------

POINTS = {
    "in F0, confirmed": ({"F0"}, False),
    "isolated": ({"F0", "F1"}, False),
    "in F2, its brokers installed": ({"F0", "F1"}, True),
    "failed in F3": ({"F0", "F1", "F2"}, True),
    "complete": ({"F0", "F1", "F2", "F3"}, True),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("region", [0, 1])
def test_the_second_failover_is_refused_at_every_point_of_the_first(
    region: int, point: tuple[set[str], bool]
) -> None:
    """The outputs say `normal` all the time: the first `up` has not ended, or has failed."""
    steps, release = point
    peer = holding(1 - region, *steps, release=release)
    with raises(
        "other-region-fails-over",
        ConfigError,
        region=region,
        peer_stack=f"region{1 - region}",
        incident=INCIDENT[region],
    ):
        desired(survivor(region), {}, peer, Stack(nodes=frozenset({"normal", "N"})))


@pytest.mark.parametrize("region", [0, 1])
def test_a_claim_that_is_not_confirmed_blocks_no_stack_for_ever(region: int) -> None:
    """Its run may have been killed: gate F0 waits for it a while, and goes on."""
    peer = holding(1 - region)
    assert claims.claimed(peer, region) == Incident(1, region)
    assert claims.standing_in(CAMUNDA_8_5, peer, region) is None
    assert disagreement(survivor(region), peer, Stack()) is None


@pytest.mark.parametrize("steps", [{"F0"}, {"F0", "F1"}])
@pytest.mark.parametrize("region", [0, 1])
def test_phase_normal_is_refused_before_the_failover_brokers_are_there(
    region: int, steps: set[str]
) -> None:
    reason = disagreement(settings(region=region), holding(1 - region, *steps), Stack())
    assert_message(reason, "other-region-failed-over", region=region)


@pytest.mark.parametrize("region", [0, 1])
def test_the_loser_withdraws_by_calling_its_own_region_lost(region: int) -> None:
    """Else two confirmed claims would block each other for ever."""
    own, peer = holding(region, "F0", "F1"), holding(1 - region, "F0")
    topology = desired(failover(region, lost=region), {}, peer, own)
    assert {node.name for node in topology.nodes} == {"normal"}
    after = replace(own, nodes=frozenset({"normal"}), gates={}, claim=None)
    assert disagreement(survivor(1 - region), after, peer) is None


@pytest.mark.parametrize("region", [0, 1])
def test_it_withdraws_though_the_outputs_of_the_other_stack_still_call_that_one_lost(
    region: int,
) -> None:
    """The other operator has called it lost before, by a slip; that update has succeeded, and none has since."""
    peer = holding(1 - region, "F0", "F1", release=True)
    peer = replace(peer, phase=Phase.FAILOVER, lost_region=1 - region)
    own, withdrawing = holding(region, "F0"), failover(region, lost=region)
    assert disagreement(withdrawing, peer, own) is None
    assert {node.name for node in desired(withdrawing, {}, peer, own).nodes} == {"normal"}
    given_up = failover(region, lost=region, acceptLoss=INCIDENT[region])
    for asked, held in ((withdrawing, Stack()), (given_up, own)):
        assert_message(disagreement(asked, peer, held), "lost-regions-differ")


@pytest.mark.parametrize("region", [0, 1])
def test_an_incident_that_is_over_blocks_no_later_one(region: int) -> None:
    """The former survivor keeps the gates of its failback until phase normal."""
    name = INCIDENT[region]
    peer = Stack(Phase.RESTORED, region, frozenset({"normal", "B0", "B5"}), 1 - region)
    peer = replace(peer, gates={"B0": name, "B5": name})
    own = Stack(Phase.RESTORED, region, frozenset({"normal"}), region, {"B1": name, "B7": name})
    assert disagreement(survivor(region), peer, own) is None
    assert disagreement(settings(region=region), peer, own) is None


# --- A loss on top of a loss ---------------------------------------------------------------------


def turns(lost: int) -> Iterator[tuple[int, World]]:
    """Yield both regions after each turn of a failback, before it is complete."""
    for count in range(1, 8):
        world = failed_over(lost)
        for turn in range(count):
            world.set("failback-pending" if turn < 4 else "restored", lost)
            world.up(1 - lost if turn % 2 == 0 else lost)
        if "B7" not in world.regions[lost].state.gates:
            yield count, world


@pytest.mark.parametrize("lost", [0, 1])
def test_the_loss_of_the_survivor_is_refused_in_each_turn_of_the_failback(lost: int) -> None:
    """In every phase: it was refused in `failback-pending` alone, by the other stack's outputs."""
    seen = []
    for _, world in turns(lost):
        own, peer = world.regions[lost].state, world.regions[1 - lost].state
        reason = disagreement(survivor(lost, backup=BACKUP), peer, own)
        joined, is_copied = "B1" in own.gates, "B3" in peer.gates
        if joined:
            assert_message(
                reason,
                "failback-not-complete",
                incident=INCIDENT[lost],
                engine_is_copied=is_copied,
            )
        else:
            assert_message(reason, "nothing-to-fail-over-to", incident=INCIDENT[lost])
        seen.append((joined, is_copied))
    assert {(False, False), (True, False), (True, True)} <= set(seen)


@pytest.mark.parametrize("lost", [0, 1])
def test_who_accepts_the_loss_by_its_name_may_fail_over(lost: int) -> None:
    for _, world in turns(lost):
        own, peer = world.regions[lost].state, world.regions[1 - lost].state
        accepted = survivor(lost, backup=BACKUP, acceptLoss=INCIDENT[lost])
        if "B1" not in own.gates:
            # Nothing of the data is there: an empty cluster would come up.
            assert_message(disagreement(accepted, peer, own), "nothing-to-fail-over-to", step="B1")
            continue
        assert disagreement(accepted, peer, own) is None
        assert unsafe_change(accepted, own, peer) is None
        topology = desired(accepted, {}, peer, own)
        assert {gate.incident for gate in topology.gates} == {f"2-region{1 - lost}-lost"}
        other = survivor(lost, backup=BACKUP, acceptLoss="7-region0-lost")
        assert disagreement(other, peer, own) is not None, "another incident's name is no consent"


@pytest.mark.parametrize("lost", [0, 1])
def test_the_given_up_survivor_can_be_cleaned(lost: int) -> None:
    """Its stack holds failover brokers, which else forbid to call its region lost."""
    own = holding(1 - lost, "F0", "F1", "F2", "F3", release=True)
    found = failover(1 - lost, lost=1 - lost)
    assert unsafe_change(found, own, Stack()) is not None
    accepted = failover(1 - lost, lost=1 - lost, acceptLoss=INCIDENT[lost])
    assert unsafe_change(accepted, own, Stack()) is None


def test_only_the_name_of_an_incident_accepts_a_loss() -> None:
    for wrong in ("true", "1", "region0", "1-region2-lost", "0-region0-lost"):
        with raises("setting-refused", ConfigError, key="acceptLoss"):
            settings(acceptLoss=wrong)


# --- Two at the same moment: every order of reads and writes -------------------------------------

ACTIONS = ("claim", "look", "confirm", "look again")
"""What a run of `pulumi up` does with the state backend, in this order."""


def test_in_no_order_of_reads_and_writes_do_both_go_on() -> None:
    """Whatever is waited for may time out, so patience is no part of this."""
    orders = list(itertools.permutations([0] * 4 + [1] * 4))
    outcomes = {_played(order) for order in set(orders)}
    assert outcomes == {(True, False), (False, True), (False, False)}


def _played(order: tuple[int, ...]) -> tuple[bool, bool]:
    """Return who goes on, if both runs act in this order: which region's turn it is."""
    backend = [Stack(nodes=frozenset({"normal", "N"}), region=region) for region in (0, 1)]
    done, alive = [0, 0], [True, True]
    for region in order:
        action = ACTIONS[done[region]]
        done[region] += 1
        if not alive[region]:
            continue
        if action == "claim":
            backend[region] = replace(backend[region], claim=INCIDENT[1 - region])
        elif action == "confirm":
            backend[region] = holding(region, "F0")
        else:
            own, peer = backend[region], backend[1 - region]
            alive[region] = claims.against_failover(survivor(region), own, peer) is None
    return alive[0], alive[1]


# --- The same with the hooks, in threads ---------------------------------------------------------


@dataclass
class Backend:
    """A state backend that both runs read and write."""

    stacks: list[Stack] = field(
        default_factory=lambda: [Stack(nodes=frozenset({"normal"}), region=each) for each in (0, 1)]
    )
    delay: float = 0.0

    def saves(self, region: int, stack: Stack) -> None:
        time.sleep(self.delay)
        self.stacks[region] = stack

    def reads(self, region: int) -> tuple[Stack, Stack]:
        return self.stacks[region], self.stacks[1 - region]


@dataclass(frozen=True)
class QuickSite(StepContext):
    """A site that looks often."""

    def waiting(self, step: Step) -> Waiting:
        return Waiting(step.id, self.say, allowed(5.0), poll_seconds=0.005)


def site_at(backend: Backend, region: int, **changes: Any) -> QuickSite:
    found = survivor(region, **changes)
    return QuickSite(
        cluster=None,  # type: ignore[arg-type]
        settings=found,
        topology=desired(found, {}, Stack()),
        say=lambda _: None,
        incident=Incident(1, 1 - region),
        read_stacks=lambda: backend.reads(region),
    )


def fail_over(backend: Backend, region: int) -> None:
    """Do what a run does until it makes failover brokers."""
    backend.saves(region, holding(region))
    claiming.claim(site_at(backend, region))
    backend.saves(region, holding(region, "F0"))
    claiming.refuse_unless_confirmed(site_at(backend, region))
    backend.saves(region, holding(region, "F0", "F1"))
    claiming.refuse_rival(site_at(backend, region))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("offset", [0.0, 0.01, 0.03, 0.06, 0.1, 0.15])
def test_of_two_at_the_same_moment_exactly_one_goes_on(
    first: int, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "PATIENCE_SECONDS", (0.3, 2.0))
    backend, refused = Backend(delay=0.02), []

    def run(region: int) -> None:
        time.sleep(0 if region == first else offset)
        try:
            fail_over(backend, region)
        except Refused as error:
            refused.append((region, error.message))

    runs = [threading.Thread(target=run, args=(region,)) for region in (0, 1)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    ((loser, reason),) = refused
    assert_message(reason, "other-region-fails-over", incident=INCIDENT[loser])


def test_a_claim_whose_run_was_killed_is_waited_for_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claiming, "PATIENCE_SECONDS", (0.05, 0.1))
    for region in (0, 1):
        backend = Backend()
        backend.stacks = [holding(0), holding(1)]
        evidence = claiming.claim(site_at(backend, region))
        assert evidence == {
            "claim": INCIDENT[1 - region],
            "rival": str(rival_claim(f"region{1 - region}", INCIDENT[region])),
        }


def test_a_claim_that_others_cannot_see_is_no_claim() -> None:
    backend = Backend()
    ctx = site_at(backend, 0)
    shown = replace(ctx, settings=ctx.settings)
    object.__setattr__(shown, "waiting", lambda step: Waiting(step.id, lambda _: None, 0.02, 0.005))
    with fails_with("claim-not-visible"):
        claiming.claim(shown)


def test_what_stands_behind_a_claim_is_asked_again_at_f1_f2_and_the_install() -> None:
    """A rival confirmed in the meantime is found before anything is made."""
    backend = Backend()
    backend.stacks = [holding(0, "F0"), holding(1, "F0")]
    for check in (claiming.refuse_unless_confirmed, claiming.refuse_rival, claiming.claim):
        for region in (0, 1):
            with raises("other-region-fails-over", Refused, incident=INCIDENT[region]):
                check(site_at(backend, region))


class Living:
    """Stands for the pods of the region that is given up."""

    def __init__(self, *ready: bool, silent: bool = False) -> None:
        self._ready, self._silent = ready, silent

    def pods(self, namespace: str, selector: str) -> list[Any]:
        if self._silent:
            raise CallFailed(any_message("no answer in time"))
        conditions = [SimpleNamespace(type="Ready", status=str(each)) for each in self._ready]
        return [
            SimpleNamespace(
                metadata=SimpleNamespace(
                    name=f"camunda-zeebe-{index}",
                    namespace=namespace,
                    deletion_timestamp=None,
                    owner_references=[
                        SimpleNamespace(kind="StatefulSet", name="camunda-zeebe", controller=True)
                    ],
                ),
                status=SimpleNamespace(conditions=[each]),
            )
            for index, each in enumerate(conditions)
        ]


def given_up(peer_cluster: Living, accept: str | None = INCIDENT[0]) -> StepContext:
    backend = Backend()
    backend.stacks = [holding(0), holding(1, "F0", "F1", "F2", "F3", release=True)]
    ctx = site_at(backend, 0, acceptLoss=accept)
    ctx.__dict__["peer_cluster"] = peer_cluster
    return ctx


def test_a_region_whose_brokers_are_ready_is_not_given_up() -> None:
    """Its name may be accepted by who only cannot reach it from where its clients are."""
    told = ("given-up-region-lives", "camunda-paris/camunda-zeebe-1")
    with fails_with(*told, kind=Refused) as caught:
        claiming.claim(given_up(Living(False, True)))
    assert not tells(caught.value.message, "camunda-zeebe-0")


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        (Living(False), "1-region0-lost; region paris has no ready broker"),
        (Living(silent=True), "1-region0-lost; region paris: no answer in time"),
    ],
)
def test_what_was_seen_of_a_region_that_is_given_up_is_in_the_record(
    peer: Living, seen: str
) -> None:
    assert claiming.claim(given_up(peer))["acceptedLoss"] == seen


def test_other_phases_and_roles_are_not_asked() -> None:
    backend = Backend()
    backend.stacks = [Stack(), holding(1, "F0")]
    found = failover(0, lost=0)
    ctx = replace(site_at(backend, 0), settings=found, topology=desired(found, {}, Stack()))
    claiming.refuse_rival(ctx)


def test_every_step_of_a_failover_stands_behind_the_claim() -> None:
    topology = desired(survivor(0), {}, Stack())
    assert [gate.step.id for gate in topology.gates] == [*FAILOVER_STEPS]
    assert topology.nodes[0] == Gate(F0, incident=INCIDENT[1])
    assert Kind.FAILOVER in {node.name for node in topology.nodes}
