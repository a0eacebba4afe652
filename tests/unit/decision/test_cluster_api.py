"""The procedure by cluster API as the two stacks play it: what each `pulumi up` declares, and what is refused between."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.decision.guards import disagreement
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import Installation, Topology
from dualregion.procedure.versions import VERSIONS
from dualregion.state.progress import Stack, merged_history
from messages import Message
from tests.inputs import examples
from tests.raising import assert_message, raises

BACKUP = {"type": "fs", "settings": {"location": "/backup"}}
REGIONS = [
    {key: text for key, text in examples.region(each).items() if key != "failoverNamespace"}
    for each in (0, 1)
]
BY_CLUSTER_API = [each for each, version in VERSIONS.items() if each != "8.5"]
WAITED_FOR = {
    "failover": [("survivor", ["F0", "F1", "F2", "F3"]), ("lost", [])],
    "failback-pending": [
        ("survivor", ["B0"]),
        ("recreated", ["B1"]),
        ("survivor", ["B0", "B2", "B3", "B4"]),
    ],
    "restored": [
        ("survivor", ["B0", "B2", "B3", "B4", "B5", "B6", "B7"]),
        ("recreated", ["B1", "B7"]),
    ],
    "normal": [("survivor", ["N"]), ("recreated", ["N"])],
}
"""Whose `up` is next in each phase, and which gates the stack has then."""


def settings(**changes: Any) -> Settings:
    """Return usable settings of 8.8, with these keys set."""
    return examples.settings(**({"regions": REGIONS, "camundaVersion": "8.8"} | changes))


@dataclass
class Pair:
    """Two stacks, by what `desired` reads of them."""

    lost: int
    version: str = "8.8"
    size: int = 4
    phase: str = "normal"
    stacks: dict[int, Stack] = field(default_factory=lambda: {0: Stack(), 1: Stack()})
    values: dict[int, Any] = field(default_factory=dict)

    def settings(self, index: int, **other: Any) -> Settings:
        named = {} if self.phase == "normal" else {"lostRegion": self.lost}
        return settings(
            region=index,
            phase=self.phase,
            camundaVersion=self.version,
            clusterSize=self.size,
            backup=BACKUP,
            **named,
            **other,
        )

    def wanted(self, index: int) -> Topology:
        return desired(self.settings(index), {}, self.stacks[1 - index], self.stacks[index])

    def up(self, index: int) -> Topology:
        """Make all that is declared, and drop the rest."""
        topology = self.wanted(index)
        assert topology.contradiction() is None
        gates = {gate.name: gate.incident for gate in topology.gates}
        for each in topology.installations:
            self.values[index] = each.values
        self.stacks[index] = Stack(
            Phase(self.phase),
            None if self.phase == "normal" else self.lost,
            frozenset(node.name for node in topology.nodes),
            index,
            gates,
            merged_history(
                self.stacks[index].history,
                {step: {"incident": name} for step, name in gates.items()},
            ),
        )
        return topology

    def recreate(self) -> None:
        """The lost region's cluster is a new one: nothing is held there."""
        held = self.stacks[self.lost]
        self.stacks[self.lost] = replace(held, nodes=frozenset(), gates={})

    def region(self, role: str) -> int:
        return brokers.other(self.lost) if role == "survivor" else self.lost

    def play(self, *phases: str) -> Iterator[tuple[str, Topology]]:
        """Take the turns of these phases as `WAITED_FOR` has them."""
        for phase in phases:
            self.phase = phase
            for role, gates in WAITED_FOR[phase]:
                topology = self.up(self.region(role))
                assert [gate.name for gate in topology.gates] == gates, (phase, role)
                yield role, topology

    def whole(self) -> list[tuple[str, Topology]]:
        self.begin()
        return list(self.play("failover", "failback-pending", "restored", "normal"))

    def begin(self) -> None:
        for index in (0, 1, 0):
            self.up(index)


def env(installation: Installation, version: str) -> dict[str, str]:
    component = VERSIONS[version].brokers.component
    return {each["name"]: each.get("value", "") for each in installation.values[component]["env"]}


@pytest.mark.parametrize("version", BY_CLUSTER_API)
@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("size", [4, 6, 8, 12])
def test_an_incident_takes_its_turns_and_ends_where_it_began(
    version: str, lost: int, size: int
) -> None:
    pair = Pair(lost, version, size)
    pair.begin()
    before = dict(pair.values)
    taken = list(pair.play("failover", "failback-pending", "restored", "normal"))
    assert pair.values == before
    assert all(each.contradiction() is None for _, each in taken)
    assert [each.waiting for _, each in taken[-2:]] == [None, None]


@pytest.mark.parametrize("version", BY_CLUSTER_API)
def test_a_failover_changes_no_release(version: str) -> None:
    pair = Pair(1, version)
    pair.begin()
    before = pair.values[0]
    (_, topology), _ = pair.play("failover")
    (made,) = topology.installations
    assert made.values == before
    assert made.cut_cidrs == pair.settings(0).peer.pod_cidrs


@pytest.mark.parametrize("version", BY_CLUSTER_API)
def test_exporters_never_change_their_addresses(version: str) -> None:
    form = VERSIONS[version].exporter
    names = [form.variable(region, form.url) for region in (0, 1)]
    pair = Pair(0, version)
    addresses = {
        tuple(env(each, version)[name] for name in names)
        for _, topology in pair.whole()
        for each in topology.installations
    }
    assert len(addresses) == 1


@pytest.mark.parametrize("version", BY_CLUSTER_API)
def test_a_recreated_region_writes_nothing_before_the_copy(version: str) -> None:
    record = VERSIONS[version]
    pair = Pair(1, version)
    taken = pair.whole()
    empty = [
        each
        for role, topology in taken
        for each in topology.installations
        if role == "recreated" and [gate.name for gate in topology.gates] == ["B1"]
    ]
    assert len(empty) == 1
    assert empty[0].values["connectors"] == {"enabled": False}
    if record.schema_switch:
        assert env(empty[0], version)[record.schema_switch] == "false"
    later = taken[-1][1].installations[0]
    assert not record.schema_switch or record.schema_switch not in env(later, version)


@pytest.mark.parametrize("version", ["8.8", "8.9", "8.10"])
def test_nothing_moves_finished_instances_while_an_engine_is_copied(version: str) -> None:
    record = VERSIONS[version]
    assert record.archiver_argument
    name = record.exporter.variable(0, record.archiver_argument)
    pair = Pair(1, version)
    still = {
        tuple(gate.name for gate in topology.gates)
        for _, topology in pair.whole()
        for each in topology.installations
        if env(each, version).get(name) == "false"
    }
    assert still == {("B1",), ("B0", "B2", "B3", "B4")}


@pytest.mark.parametrize("lost", [0, 1])
def test_phase_normal_is_refused_as_long_as_the_lost_brokers_are_no_members(lost: int) -> None:
    pair = Pair(lost)
    pair.begin()
    for role, topology in pair.play("failover", "failback-pending"):
        if role != "survivor":
            continue
        asked = replace(pair, phase="normal")
        with raises("normal-with-removed-brokers"):
            asked.wanted(pair.region("survivor"))
        assert topology.role is Role.SURVIVOR


def test_a_survivor_that_holds_the_cluster_alone_is_not_called_lost() -> None:
    pair = Pair(1)
    pair.begin()
    next(pair.play("failover"))
    with raises("only-survivor-called-lost"):
        replace(pair, lost=0).wanted(0)


@pytest.mark.parametrize("upto", range(1, 4))
def test_a_failback_is_backed_out_of_until_brokers_are_added(upto: int) -> None:
    pair = Pair(1)
    pair.begin()
    list(pair.play("failover"))
    turns = pair.play("failback-pending")
    for _ in range(upto):
        next(turns)
    pair.phase = "failover"
    topology = pair.up(0)
    assert [gate.name for gate in topology.gates] == ["F0", "F1", "F2", "F3"]
    assert {gate.incident for gate in topology.gates} == {"1-region1-lost"}
    assert pair.up(1).nodes == ()


def test_a_region_that_is_lost_again_begins_a_new_incident_once_it_was_a_member() -> None:
    pair = Pair(1)
    pair.begin()
    list(pair.play("failover", "failback-pending", "restored"))
    pair.phase = "failover"
    assert {gate.incident for gate in pair.up(0).gates} == {"2-region1-lost"}


def test_both_regions_after_each_other() -> None:
    pair = Pair(1)
    pair.whole()
    pair.lost = 0
    list(pair.play("failover", "failback-pending", "restored", "normal"))
    assert set(pair.stacks[1].history) == {"1-region1-lost", "2-region0-lost"}


@pytest.mark.parametrize(("size", "factor"), [(6, 6), (4, 3), (8, 3)])
def test_a_factor_with_which_what_was_acknowledged_could_be_forgotten_is_refused(
    size: int, factor: int
) -> None:
    with raises("removal-could-lose-commands"):
        settings(camundaVersion="8.8", clusterSize=size, replicationFactor=factor)


def test_an_odd_number_of_brokers_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        settings(camundaVersion="8.8", clusterSize=5)
    (problem,) = refused.value.problems
    assert problem.facts["rule"].code == "even-cluster-size-needed"


@pytest.mark.parametrize("given", ["8.4", "8.1", 8.1, "9", "eight", 8, True, ["8.8"]])
def test_a_version_that_is_not_known_is_refused(given: object) -> None:
    with raises("setting-refused"):
        settings(camundaVersion=given)


@pytest.mark.parametrize("given", ["8.8", 8.8])
def test_a_version_may_be_a_number_if_no_digit_is_lost(given: object) -> None:
    assert settings(camundaVersion=given).camunda_version == "8.8"


@pytest.mark.parametrize(
    "other",
    [
        {"failoverValues": ["mine.yaml"]},
        {"regions": [examples.region(0), REGIONS[1]]},
    ],
)
def test_settings_of_a_failover_installation_are_refused(other: dict[str, Any]) -> None:
    with raises("no-failover-installation"):
        settings(camundaVersion="8.6", **other)


@pytest.mark.parametrize("proved", ["F0", "F0 F1", "F0 F1 F2", "F0 F1 F2 F3"])
@pytest.mark.parametrize("region", [0, 1])
def test_brokers_are_never_removed_on_both_sides(region: int, proved: str) -> None:
    """Each side would be a cluster of its own, and take commands."""
    name, steps = f"1-region{region}-lost", proved.split()
    other = Stack(
        Phase.NORMAL,
        None,
        frozenset(steps),
        brokers.other(region),
        dict.fromkeys(steps, name),
        claim=name,
    )
    asked = settings(
        region=region, phase="failover", lostRegion=brokers.other(region), backup=BACKUP
    )
    with raises("other-region-fails-over", ConfigError, region=region, incident=name):
        desired(asked, {}, other, Stack(nodes=frozenset({"normal", "N"})))


# --- A loss on top of a loss: what may be accepted follows from what the recreated brokers hold


def _survivor_is_lost(proved: str, by_recreated: str, **other: Any) -> Message | None:
    """Return what speaks against a failover to the recreated region 1, by what both have proved of its failback."""
    name = "1-region1-lost"
    survivor, recreated = (
        Stack(Phase.FAILBACK_PENDING, 1, frozenset(steps), region, dict.fromkeys(steps, name))
        for region, steps in ((0, proved.split()), (1, by_recreated.split()))
    )
    asked = settings(region=1, phase="failover", lostRegion=0, backup=BACKUP, **other)
    return disagreement(asked, survivor, recreated)


@pytest.mark.parametrize(
    ("proved", "by_recreated"),
    [("B0", ""), ("B0", "B1"), ("B0 B2", "B1"), ("B0 B2 B3", "B1"), ("B0 B2 B3 B4", "B1")],
)
def test_before_brokers_are_added_there_is_no_loss_to_accept(
    proved: str, by_recreated: str
) -> None:
    """It was offered from B1 on: the recreated brokers are no members, and what came up would be an empty cluster."""
    for other in ({}, {"acceptLoss": "1-region1-lost"}):
        reason = _survivor_is_lost(proved, by_recreated, **other)
        assert_message(reason, "nothing-to-fail-over-to", incident="1-region1-lost", step="B6")


def test_while_brokers_may_be_being_added_only_they_know_what_they_hold() -> None:
    reason = _survivor_is_lost("B0 B2 B3 B4 B5", "B1")
    assert_message(reason, "failback-adds-brokers", incident="1-region1-lost", step="B6")
    assert _survivor_is_lost("B0 B2 B3 B4 B5", "B1", acceptLoss="1-region1-lost") is None


def test_once_brokers_are_added_nothing_is_lost_with_the_survivor() -> None:
    """It said that only some brokers hold data."""
    for proved in ("B0 B2 B3 B4 B5 B6", "B0 B2 B3 B4 B5 B6 B7"):
        reason = _survivor_is_lost(proved, "B1")
        assert_message(reason, "failback-not-ended", incident="1-region1-lost", step="B6")
        assert _survivor_is_lost(proved, "B1", acceptLoss="1-region1-lost") is None
        other = _survivor_is_lost(proved, "B1", acceptLoss="7-region1-lost")
        assert_message(other, "failback-not-ended")
