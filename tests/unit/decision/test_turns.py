"""The failback as the two stacks play it: every `pulumi up` is a turn, and none knows whose it is.

Two stacks are modelled by what `desired` reads of them: outputs, nodes and gates. A turn makes what is
declared, all of it or, when it is interrupted, a part; then it drops what is no longer declared. After
each turn the invariants are checked that keep data safe: no broker id runs twice, no resume before every
release is repointed, no sleeping broker awake beside a failover broker.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import Gate, Installation, Topology
from dualregion.procedure.versions import VERSIONS
from dualregion.state.progress import Stack, merged_history
from tests.inputs.examples import settings
from tests.raising import raises

BACKUP = {"type": "fs", "settings": {"location": "/backup"}}
ALL_STEPS = {
    Role.SURVIVOR: ("B0", "B2", "B3", "B4", "B5"),
    Role.RECREATED: ("B1", "B4", "B5", "B6", "B7"),
}


@dataclass
class Region:
    """One stack and its cluster."""

    index: int
    size: int
    phase: str = "normal"
    lost: int | None = None
    state: Stack = field(default_factory=Stack)
    installations: dict[str, Installation] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        changes: dict[str, Any] = {} if self.lost is None else {"lostRegion": self.lost}
        return settings(
            region=self.index, phase=self.phase, clusterSize=self.size, backup=BACKUP, **changes
        )

    def wiped(self) -> None:
        """The cluster is recreated: its state still remembers everything."""
        self.installations = {}

    @property
    def known(self) -> Stack:
        """What the program takes for held: nothing in a recreated cluster."""
        gone = not self.installations and self.settings.role in (Role.LOST, Role.RECREATED)
        return replace(self.state, nodes=frozenset(), gates={}) if gone else self.state


@dataclass
class World:
    """Both regions, and what happens to them."""

    size: int = 4
    regions: tuple[Region, Region] = field(init=False)

    def __post_init__(self) -> None:
        self.regions = (Region(0, self.size), Region(1, self.size))

    def set(self, phase: str, lost: int | None = None) -> None:
        for region in self.regions:
            region.phase, region.lost = phase, lost

    def wanted(self, index: int) -> Topology:
        region, peer = self.regions[index], self.regions[1 - index]
        return desired(region.settings, {}, peer.state, region.known)

    def up(self, index: int, until: int | None = None) -> Topology:
        """Say `pulumi up`; `until` nodes are made before it is interrupted, all of them without it."""
        region = self.regions[index]
        topology = self.wanted(index)
        known = region.known
        nodes, gates = set(known.nodes), dict(known.gates)
        for node in topology.nodes[:until]:
            nodes.add(node.name)
            if isinstance(node, Gate):
                gates[node.name] = node.incident
            else:
                region.installations[node.name] = node
            region.state = replace(region.state, nodes=frozenset(nodes), gates=dict(gates))
            self.check()
        if until is not None and until < len(topology.nodes):
            return topology
        names = {node.name for node in topology.nodes}
        for name in set(region.installations) - names:
            del region.installations[name]
        gates = {name: text for name, text in gates.items() if name in names}
        records = {name: {"incident": text} for name, text in gates.items()}
        region.state = Stack(
            Phase(region.phase),
            region.lost,
            frozenset(names),
            region.index,
            gates,
            merged_history(region.state.history, records),
        )
        self.check()
        return topology

    def lose(self, index: int) -> None:
        self.regions[index].wiped()

    def converge(self, *order: int) -> None:
        """Say `pulumi up` on the stacks in turn until neither waits for the other."""
        for _ in range(8):
            if not [self.up(index).waiting_for for index in order if self.up(index).waiting_for]:
                return
        raise AssertionError(f"the stacks wait for each other: {[r.state for r in self.regions]}")

    def check(self) -> None:
        ids = [each for region in self.regions for each in running(region)]
        assert len(ids) == len(set(ids)), f"broker ids run twice: {sorted(ids)}"


def broker_type(installation: Installation) -> str:
    return str(installation.values["global"]["multiregion"]["installationType"])


def running(region: Region) -> list[int]:
    """Return the broker ids that run for real in a region, by the chart's formulae."""
    found: list[int] = []
    for installation in region.installations.values():
        size, kind = installation.values["zeebe"]["clusterSize"], broker_type(installation)
        if kind == "failOver":
            found += brokers.failover_broker_ids(size, 1 - region.index)
        else:
            ids = brokers.region_broker_ids(size, region.index)
            found += [i for o, i in enumerate(ids) if kind != "failBack" or not brokers.sleeps(o)]
    return found


def exporters(installation: Installation) -> tuple[str, str]:
    env: Mapping[str, str] = {e["name"]: e["value"] for e in installation.values["zeebe"]["env"]}
    first, second = (env[VERSIONS["8.5"].exporter.variable(each, "ARGS_URL")] for each in (0, 1))
    return first, second


def failed_over(lost: int, size: int = 4) -> World:
    """Return a world in which a region was lost, its cluster is recreated, and the other took over."""
    world = World(size)
    world.converge(0, 1)
    fail_over(world, lost)
    return world


def fail_over(world: World, lost: int) -> None:
    world.lose(lost)
    world.set("failover", lost)
    world.up(1 - lost)
    world.up(lost)


def fail_back(world: World, lost: int, *order: int) -> None:
    for phase in ("failback-pending", "restored"):
        world.set(phase, lost)
        world.converge(*(order or (1 - lost, lost)))


@pytest.mark.parametrize(("lost", "size"), [*itertools.product((0, 1), (4, 8, 12))])
@pytest.mark.parametrize("survivor_first", [True, False])
def test_the_stacks_reach_restored_whichever_begins(
    lost: int, size: int, survivor_first: bool
) -> None:
    world = failed_over(lost, size)
    fail_back(world, lost, *((1 - lost, lost) if survivor_first else (lost, 1 - lost)))
    for region in world.regions:
        steps = ALL_STEPS[region.settings.role]
        assert region.state.gates == dict.fromkeys(steps, f"1-region{lost}-lost")
        assert world.wanted(region.index).waiting_for is None
    assert sorted([*running(world.regions[0]), *running(world.regions[1])]) == list(range(size))


@pytest.mark.parametrize("lost", [0, 1])
def test_restored_may_be_said_at_once(lost: int) -> None:
    world = failed_over(lost)
    world.set("restored", lost)
    world.converge(1 - lost, lost)
    assert "B7" in world.regions[lost].state.gates


@pytest.mark.parametrize("lost", [0, 1])
def test_restored_differs_from_normal_by_its_gates_only(lost: int) -> None:
    before = World()
    before.converge(0, 1)
    world = failed_over(lost)
    fail_back(world, lost)
    restored = [dict(region.installations) for region in world.regions]
    world.set("normal")
    world.converge(0, 1)
    for index in (0, 1):
        values = {name: part.values for name, part in restored[index].items()}
        assert values == {n: p.values for n, p in before.regions[index].installations.items()}
        assert set(world.regions[index].state.gates) == {"N"}


@pytest.mark.parametrize("lost", [0, 1])
def test_the_turns_of_the_procedure(lost: int) -> None:
    """Who proves what, in which order: the procedure's table."""
    world, turns = failed_over(lost), []
    for phase, stacks in (("failback-pending", "SRSR"), ("restored", "SRSR")):
        world.set(phase, lost)
        for stack in stacks:
            index = 1 - lost if stack == "S" else lost
            before = set(world.regions[index].state.gates) - {"F0", "F1", "F2", "F3", "N"}
            world.up(index)
            new = sorted(set(world.regions[index].state.gates) - before)
            turns.append((stack, " ".join(new)))
    assert turns == [
        ("S", "B0"),
        ("R", "B1"),
        ("S", "B2 B3 B4"),
        ("R", "B4"),
        ("S", ""),
        ("R", "B5"),
        ("S", "B5"),
        ("R", "B6 B7"),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_turns_whole_or_interrupted_reaches_restored_safely(seed: int) -> None:
    """`World.check` looks at every single step of it."""
    chance = random.Random(seed)
    lost = chance.randrange(2)
    world = failed_over(lost, chance.choice((4, 8)))
    for phase in ("failback-pending", "restored"):
        for index in (0, 1) if chance.random() < 0.5 else (1, 0):
            world.regions[index].phase, world.regions[index].lost = phase, lost
            for _ in range(chance.randrange(4)):
                said = chance.randrange(2)
                world.up(said, until=chance.choice((None, 0, 1, 2, 3)))
        world.converge(lost, 1 - lost)
    assert "B7" in world.regions[lost].state.gates
    assert "B5" in world.regions[1 - lost].state.gates


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("lost", [0, 1])
def test_a_stack_never_goes_back_by_itself(lost: int, turns: int) -> None:
    """Running the same command again drops no gate and changes no release."""
    world = failed_over(lost)
    for turn in range(turns):
        world.set("failback-pending" if turn < 4 else "restored", lost)
        world.up(1 - lost if turn % 2 == 0 else lost)
    for index in (0, 1):
        before = dict(world.regions[index].state.gates), dict(world.regions[index].installations)
        again = world.wanted(index)
        if {node.name for node in again.nodes} == world.regions[index].state.nodes:
            world.up(index)
            assert set(before[0]) <= set(world.regions[index].state.gates)


def test_exporters_point_to_both_regions_before_anything_resumes() -> None:
    world = failed_over(1)
    world.set("restored", 1)
    for turn in range(12):
        world.up(turn % 2)
        if "B5" in world.regions[0].state.gates:
            break
    urls = {exporters(part) for region in world.regions for part in region.installations.values()}
    assert len(urls) == 1
    assert "failover" not in str(urls)


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("again", ["same", "other"])
def test_a_second_incident_proves_everything_again(lost: int, again: str) -> None:
    world = failed_over(lost)
    fail_back(world, lost)
    second = lost if again == "same" else 1 - lost
    fail_over(world, second)
    survivor = world.regions[1 - second]
    name = f"2-region{second}-lost"
    assert survivor.state.gates == dict.fromkeys(("F0", "F1", "F2", "F3"), name)
    fail_back(world, second)
    for region in world.regions:
        steps = ALL_STEPS[region.settings.role]
        assert region.state.gates == dict.fromkeys(steps, name)
    told = {incident: set(steps) for incident, steps in world.regions[0].state.history.items()}
    assert set(told) == {f"1-region{lost}-lost", name}


@pytest.mark.parametrize("lost", [0, 1])
def test_the_history_keeps_every_step_of_the_survivor(lost: int) -> None:
    world = failed_over(lost)
    fail_back(world, lost)
    told = world.regions[1 - lost].state.history[f"1-region{lost}-lost"]
    assert set(told) == {"F0", "F1", "F2", "F3", "B0", "B2", "B3", "B4", "B5"}


@pytest.mark.parametrize("turns", [1, 2, 3, 4])
@pytest.mark.parametrize("lost", [0, 1])
def test_a_failback_can_be_backed_out_of_before_b5_and_begun_again(lost: int, turns: int) -> None:
    world = failed_over(lost)
    world.set("failback-pending", lost)
    for turn in range(turns):
        world.up(1 - lost if turn % 2 == 0 else lost)
    world.set("failover", lost)
    kept = world.wanted(lost)
    assert kept.waiting_for or not kept.nodes, "the recreated region waits for the survivor"
    world.up(lost)
    world.up(1 - lost)
    assert {"F0", "F1", "F2", "F3"} == set(world.regions[1 - lost].state.gates)
    assert set(world.regions[1 - lost].state.gates.values()) == {f"1-region{lost}-lost"}
    world.up(lost)
    assert not world.regions[lost].installations
    fail_back(world, lost)
    assert "B7" in world.regions[lost].state.gates


@pytest.mark.parametrize("turns", range(7))
@pytest.mark.parametrize("lost", [0, 1])
def test_a_region_lost_again_in_the_middle_is_failed_over_again(lost: int, turns: int) -> None:
    world = failed_over(lost)
    for turn in range(turns):
        world.set("failback-pending" if turn < 4 else "restored", lost)
        world.up(1 - lost if turn % 2 == 0 else lost)
    fail_over(world, lost)
    assert set(world.regions[1 - lost].state.gates) == {"F0", "F1", "F2", "F3"}
    fail_back(world, lost)
    assert "B7" in world.regions[lost].state.gates


def test_nothing_is_installed_in_a_region_whose_finished_failback_is_gone() -> None:
    """Lost again after `restored`: empty brokers must not come back without a failover."""
    world = failed_over(1)
    fail_back(world, 1)
    world.lose(1)
    with raises("region-lost-again", ConfigError):
        world.wanted(1)


def test_a_record_of_b1_that_was_deleted_by_hand_is_not_taken_for_another_loss() -> None:
    world = failed_over(1)
    world.set("failback-pending", 1)
    for region in (0, 1, 0):
        world.up(region)
    state = world.regions[1].state
    gates = {step: incident for step, incident in state.gates.items() if step != "B1"}
    world.regions[1].state = replace(state, nodes=state.nodes - {"B1"}, gates=gates)
    with raises("record-of-b1-missing", ConfigError):
        world.wanted(1)


@pytest.mark.parametrize("lost", [0, 1])
def test_failback_before_failover_is_refused(lost: int) -> None:
    world = World()
    world.converge(0, 1)
    for phase in ("failback-pending", "restored"):
        world.set(phase, lost)
        with raises("failback-without-failover", ConfigError, phase=phase, lost_region=lost):
            world.wanted(1 - lost)
        assert world.wanted(lost).nodes, "a region that lives must stay as it is"


@pytest.mark.parametrize("lost", [0, 1])
def test_there_is_no_way_back_behind_b5(lost: int) -> None:
    world = failed_over(lost)
    fail_back(world, lost)
    world.set("failback-pending", lost)
    for index in (0, 1):
        with raises("failback-cannot-be-undone", ConfigError, step="B5"):
            world.wanted(index)


@pytest.mark.parametrize("lost", [0, 1])
def test_phase_normal_before_the_sleeping_brokers_are_awake_is_refused(lost: int) -> None:
    world = failed_over(lost)
    world.set("restored", lost)
    while "B5" not in world.regions[1 - lost].state.gates:
        world.up(1 - lost)
        if "B5" not in world.regions[1 - lost].state.gates:
            world.up(lost)
    world.set("normal")
    for index in (0, 1):
        with raises("normal-before-failback-is-done", ConfigError):
            world.wanted(index)
    world.set("restored", lost)
    world.converge(lost, 1 - lost)
    world.set("normal")
    world.converge(lost, 1 - lost)
