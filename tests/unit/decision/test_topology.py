"""`desired` up to the failover, exhaustively: every region, lost region, peer, cluster size, isolation.

One wrong topology can start two brokers with one identity, or make brokers export to an engine that
is not there. So what must hold of *every* answer is stated as an invariant and tried over all
combinations that settings accept; the order itself, the stacks' contradictions and the refused
changes are truth tables.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from dualregion import brokers, procedure
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ConfigError
from dualregion.procedure import CAMUNDA_8_5, Phase, Role
from dualregion.procedure.topology import ISOLATION, Gate, Installation, Kind, Topology
from dualregion.procedure.versions import VERSIONS
from dualregion.procedure.waits import Awaited
from dualregion.state.progress import Stack
from tests.inputs.examples import POD_CIDRS, failover, settings, with_cidrs
from tests.raising import assert_message, raises

SIZES = (4, 8, 12)
BASE: Mapping[str, Any] = {
    "global": {"mine": 1},
    "operate": {"enabled": True},
    "zeebe": {"env": [{"name": "MINE", "value": "kept"}]},
}
PHASES = (Phase.NORMAL, Phase.FAILOVER)
"""The phases that this file is about; the failback's turns are in test_failback_turns.py."""
INSTALLED = frozenset({"normal", "N"})
TAKEN_OVER = frozenset({"normal", "failover", "F1", "F2", "F3"})
HELD: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"normal"}),
    INSTALLED,
    frozenset({"normal", "failover", "F1"}),
    TAKEN_OVER,
)
"""What a stack's state can hold, from nothing to a whole failover."""
HELD_BY_LOST = tuple(each for each in HELD if Kind.FAILOVER not in each)
"""The same for a region that may be called lost: who stands in for the other one may not."""
PEERS = tuple(
    Stack(phase, lost, nodes)
    for phase in (None, *PHASES)
    for lost in (None, 0, 1)
    for nodes in HELD
)


def _settings() -> Iterator[Settings]:
    for phase, region, lost, size, cidrs in itertools.product(
        PHASES, (0, 1), (None, 0, 1), SIZES, (False, True)
    ):
        if phase is not Phase.NORMAL and lost is None:
            continue
        changes: dict[str, Any] = {"regions": with_cidrs()} if cidrs else {}
        if lost is not None:
            changes["lostRegion"] = lost
        yield settings(phase=phase.value, region=region, clusterSize=size, **changes)


@cache
def every_setting() -> tuple[Settings, ...]:
    return tuple(_settings())


@cache
def answers() -> tuple[tuple[Settings, Stack, Topology], ...]:
    """Return every combination that is not a contradiction, with its topology."""
    return tuple(
        (found, peer, desired(found, BASE, peer))
        for found, peer in itertools.product(every_setting(), PEERS)
        if disagreement(found, peer, Stack()) is None
    )


def env(installation: Installation) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in installation.values["zeebe"]["env"]}


def broker_ids(installation: Installation) -> list[int]:
    """Return the broker ids that the chart gives an installation with these values (its formulae)."""
    multiregion = installation.values["global"]["multiregion"]
    regions, region = multiregion["regions"], multiregion["regionId"]
    count = installation.values["zeebe"]["clusterSize"] // regions
    if multiregion["installationType"] == "failOver":
        return [ordinal * 2 * regions + region for ordinal in range(count // 2)]
    return [ordinal * regions + region for ordinal in range(count)]


def stands_behind(topology: Topology, name: str) -> set[str]:
    """Return every node that comes before a node, directly or through others."""
    nodes = {node.name: node for node in topology.nodes}
    found: set[str] = set()
    ahead = list(nodes[name].after)
    while ahead:
        before = ahead.pop()
        if before not in found:
            found.add(before)
            ahead += nodes[before].after if before in nodes else topology.isolation_after
    return found


def of(topology: Topology, kind: Kind) -> Installation:
    (found,) = [each for each in topology.installations if each.kind is kind]
    return found


def test_the_cases_are_many_and_cover_every_role() -> None:
    assert {topology.role for _, _, topology in answers()} == set(Role) - {Role.RECREATED}
    assert len(answers()) > 1500


def test_a_contradiction_is_an_error_and_nothing_else_is() -> None:
    for found, peer in itertools.product(every_setting(), PEERS):
        reason = disagreement(found, peer, Stack())
        if reason is not None:
            with pytest.raises(ConfigError) as caught:
                desired(found, BASE, peer)
            assert caught.value.problems == (reason,)


def test_node_names_are_unique_and_every_node_names_only_nodes_before_it() -> None:
    for _, _, topology in answers():
        seen = {ISOLATION}
        for node in topology.nodes:
            assert set(node.after) <= seen
            assert node.name not in seen
            seen.add(node.name)


def test_no_failover_release_exists_before_the_lost_brokers_are_proved_gone() -> None:
    for _, _, topology in answers():
        for installation in topology.installations:
            if installation.kind is Kind.FAILOVER:
                assert procedure.F1.id in stands_behind(topology, installation.name)


def test_the_survivors_brokers_are_not_touched_before_the_lost_ones_are_proved_gone() -> None:
    for _, _, topology in answers():
        if topology.role is Role.SURVIVOR:
            assert procedure.F1.id in stands_behind(topology, Kind.NORMAL)


def test_the_isolation_comes_before_everything_of_a_failover() -> None:
    for _, _, topology in answers():
        if topology.role is Role.SURVIVOR:
            assert topology.isolation_after == ("F0",)
            for node in topology.nodes[1:]:
                assert {"F0", ISOLATION} <= stands_behind(topology, node.name)


def test_a_step_is_proved_only_after_what_it_proves_and_after_the_step_before() -> None:
    for _, _, topology in answers():
        if topology.role is Role.SURVIVOR:
            assert [gate.step for gate in topology.gates] == [
                procedure.F0,
                procedure.F1,
                procedure.F2,
                procedure.F3,
            ]
            assert {Kind.FAILOVER, "F1"} <= stands_behind(topology, "F2")
            assert {Kind.FAILOVER, Kind.NORMAL, "F1", "F2"} <= stands_behind(topology, "F3")
        elif topology.gates:
            assert [gate.step for gate in topology.gates] == [procedure.N]
            assert Kind.NORMAL in stands_behind(topology, "N")


@pytest.mark.parametrize(("region", "lost"), [(0, 1), (1, 0)])
def test_the_order_of_a_failover(region: int, lost: int) -> None:
    """Repointing starts together with the failover brokers, as measured and decided in ADR 0001."""
    topology = desired(failover(region, lost), BASE, Stack())
    assert [(node.name, node.after) for node in topology.nodes] == [
        ("F0", ()),
        ("F1", ("isolation",)),
        ("failover", ("F1",)),
        ("normal", ("F1",)),
        ("F2", ("failover", "normal")),
        ("F3", ("F2",)),
    ]


def held_by(found: Settings) -> frozenset[str]:
    """Return what a stack's state holds once its phase is done."""
    return {Role.MEMBER: INSTALLED, Role.SURVIVOR: TAKEN_OVER, Role.LOST: frozenset[str]()}[
        found.role
    ]


def test_who_stands_in_for_the_other_region_cannot_be_called_lost() -> None:
    for region, held in itertools.product((0, 1), set(HELD) - set(HELD_BY_LOST)):
        with raises("survivor-called-lost", ConfigError, region=region, lost_region=1 - region):
            desired(failover(region, region), BASE, Stack(), Stack(nodes=held))


def test_a_lost_region_declares_nothing_once_the_other_has_taken_over() -> None:
    for region, held in itertools.product((0, 1), HELD_BY_LOST):
        survivor = Stack(Phase.FAILOVER, region, TAKEN_OVER)
        assert desired(failover(region, region), BASE, survivor, Stack(nodes=held)) == Topology(
            Role.LOST
        )


@pytest.mark.parametrize("region", [0, 1])
@pytest.mark.parametrize("held", HELD_BY_LOST, ids=lambda held: "+".join(sorted(held)) or "nothing")
@pytest.mark.parametrize(
    "peer",
    [
        pytest.param((None, frozenset()), id="never updated"),
        pytest.param((Phase.NORMAL, INSTALLED), id="still in phase normal"),
        pytest.param((Phase.FAILOVER, TAKEN_OVER - {"F3"}), id="not at the end of its failover"),
    ],
)
def test_a_region_called_lost_stays_as_it_is_until_the_other_has_taken_over(
    region: int, held: frozenset[str], peer: tuple[Phase | None, frozenset[str]]
) -> None:
    """A slip in lostRegion must not delete a healthy region."""
    phase, nodes = peer
    found = failover(region, region)
    topology = desired(found, BASE, Stack(phase, region, nodes), Stack(nodes=held))
    kept = {node.name for node in topology.nodes}
    assert kept == held - {Kind.FAILOVER}
    if Kind.NORMAL in held:
        normal = desired(settings(region=region), BASE, Stack()).installations
        assert topology.installations == normal
    if held:
        assert topology.waiting is not None
        assert topology.waiting.awaited is Awaited.TAKEN_OVER
        assert topology.waiting.next_region == 1 - region


LAST = {"zeebe": {"image": {"tag": "8.5.8"}}, "global": {"multiregion": {"regionId": 9}}}
"""The values of a release's last update, as its state holds them."""
B1_STANDS, BUCKET = {"B1": "1-region0-lost"}, {"settings": {"bucket": "b"}}


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(
            lambda own: desired(failover(0, 0), {"zeebe": {"image": {"tag": "new"}}}, Stack(), own),
            id="called lost",
        ),
        pytest.param(
            lambda own: desired(
                settings(phase="failback-pending", lostRegion=0, backup=BUCKET),
                {"zeebe": {"image": {"tag": "new"}}},
                Stack(),
                own,
            ),
            id="called recreated",
        ),
        pytest.param(lambda own: remembered(failover(0, 0), own), id="silent"),
    ],
)
@pytest.mark.parametrize("gates", [{}, B1_STANDS], ids=["whole", "on its way back"])
def test_a_region_that_stays_as_it_is_keeps_its_own_values(
    kept: Callable[[Stack], Topology], gates: dict[str, str]
) -> None:
    """It may be healthy, and called lost by a slip: what the values files say by now is not taken over."""
    own = Stack(
        nodes=frozenset({"normal", *gates}), gates=gates, values={"normal": LAST, "failover": {}}
    )
    topology = kept(own)
    assert topology.unchanged
    assert [each.values for each in topology.installations] == [LAST]


def test_only_a_region_that_stays_as_it_is_is_kept_unchanged() -> None:
    for _, _, topology in answers():
        kept = topology.role in (Role.LOST, Role.RECREATED) and topology.waiting_for is not None
        assert kept or not topology.unchanged


def test_a_survivor_waits_for_no_other_stack() -> None:
    """A lost region must never block the survivor, whatever its stack last said."""
    by_settings: dict[str, list[Topology]] = {}
    for found, _, topology in answers():
        if topology.role is Role.SURVIVOR:
            by_settings.setdefault(found.model_dump_json(), []).append(topology)
    for topologies in by_settings.values():
        assert all(each == topologies[0] for each in topologies)
        assert topologies[0].waiting_for is None


def test_a_stack_that_never_spoke_or_lags_behind_does_not_block_the_survivor() -> None:
    for found in every_setting():
        if found.role is Role.SURVIVOR:
            for peer in (Stack(), Stack(Phase.NORMAL, None, INSTALLED)):
                assert disagreement(found, peer, Stack()) is None


def test_both_installations_of_a_survivor_have_the_same_values_but_for_what_must_differ() -> None:
    for found, _, topology in answers():
        if topology.role is not Role.SURVIVOR:
            continue
        normal, takeover = (dict(of(topology, kind).values) for kind in Kind)
        assert normal["global"]["multiregion"] == {
            "regions": 2,
            "regionId": found.region,
            "installationType": "",
        }
        assert takeover["global"]["multiregion"] == {
            "regions": 2,
            "regionId": found.lost_region,
            "installationType": "failOver",
        }
        assert normal["operate"] == {"enabled": True}
        assert (takeover["operate"], takeover["tasklist"]) == ({"enabled": False},) * 2
        assert takeover.pop("connectors") == {"enabled": False}
        normal["global"] = takeover["global"]
        for app in ("operate", "tasklist"):
            normal.pop(app, None)
            takeover.pop(app)
        assert normal == takeover


def test_a_failover_changes_nothing_of_the_survivors_release_but_the_lost_exporters_address() -> (
    None
):
    for found, _, topology in answers():
        if topology.role is not Role.SURVIVOR:
            continue
        assert found.lost_region is not None
        before = of(
            desired(found.model_copy(update={"phase": Phase.NORMAL}), BASE, Stack()), Kind.NORMAL
        )
        after = of(topology, Kind.NORMAL)
        name = VERSIONS["8.5"].exporter.variable(found.lost_region, "ARGS_URL")
        changed = {key for key in env(before) if env(before)[key] != env(after)[key]}
        assert changed == {name}
        assert [each["name"] for each in before.values["zeebe"]["env"]] == [
            each["name"] for each in after.values["zeebe"]["env"]
        ]
        assert before.values["global"] == after.values["global"]


def test_phase_normal_is_the_same_whatever_was_before() -> None:
    """What `lostRegion` or the peer still say of an incident that is over leaves no trace."""
    for found, _, topology in answers():
        if topology.role is Role.MEMBER:
            fresh = desired(found.model_copy(update={"lost_region": None}), BASE, Stack())
            assert topology.installations == fresh.installations
            assert not any(each.cut_cidrs for each in topology.installations)


def test_only_the_other_regions_addresses_are_cut_and_only_in_a_failover() -> None:
    for found, _, topology in answers():
        for installation in topology.installations:
            if topology.role is Role.SURVIVOR and found.regions[0].pod_cidrs:
                assert installation.cut_cidrs == tuple(POD_CIDRS[1 - found.region])
            else:
                assert installation.cut_cidrs == ()


def test_namespaces_are_those_of_the_own_region() -> None:
    for found, _, topology in answers():
        for installation in topology.installations:
            own = found.own.namespace if installation.kind is Kind.NORMAL else found.own.failover
            assert installation.namespace == own


def both_stacks() -> Iterator[tuple[Topology, Topology]]:
    """Yield the topologies that both stacks can have at one time, neither contradicting the other.

    Each stack sees what the other one says of itself; a stack that calls itself lost declares nothing.
    """
    for size, cidrs, phases, losts in itertools.product(
        SIZES,
        (False, True),
        itertools.product(PHASES, repeat=2),
        itertools.product((0, 1), repeat=2),
    ):
        regions: dict[str, Any] = {"regions": with_cidrs()} if cidrs else {}
        found = [
            settings(
                region=index,
                phase=phases[index].value,
                lostRegion=losts[index],
                clusterSize=size,
                **regions,
            )
            for index in (0, 1)
        ]
        said = [Stack(each.phase, each.lost_region, held_by(each)) for each in found]
        if any(disagreement(found[index], said[1 - index], Stack()) for index in (0, 1)):
            continue
        first, second = (desired(found[index], BASE, said[1 - index]) for index in (0, 1))
        yield first, second


def test_no_broker_id_runs_twice_over_all_installations_of_both_stacks() -> None:
    pairs = tuple(both_stacks())
    assert {(first.role, second.role) for first, second in pairs} >= {
        (Role.MEMBER, Role.MEMBER),
        (Role.SURVIVOR, Role.LOST),
        (Role.LOST, Role.SURVIVOR),
    }
    for pair in pairs:
        ids = [
            each
            for topology in pair
            for installation in topology.installations
            for each in broker_ids(installation)
        ]
        assert len(set(ids)) == len(ids), [topology.role for topology in pair]


def test_an_exporter_id_means_one_engine_in_all_installations_of_both_stacks() -> None:
    """Region-relative exporter names would swap the exporters' positions and lose data."""
    names = [VERSIONS["8.5"].exporter.variable(region, "ARGS_URL") for region in (0, 1)]
    for pair in both_stacks():
        urls = {
            tuple(env(installation)[name] for name in names)
            for topology in pair
            for installation in topology.installations
        }
        assert len(urls) <= 1


def test_no_two_exporters_write_to_one_engine() -> None:
    for _, _, topology in answers():
        for installation in topology.installations:
            first, second = (
                env(installation)[VERSIONS["8.5"].exporter.variable(each, "ARGS_URL")]
                for each in (0, 1)
            )
            assert first != second


def test_exporters_point_only_to_engines_that_the_topologies_have() -> None:
    for found, _, topology in answers():
        present = {each.namespace for each in topology.installations}
        if topology.role is Role.MEMBER:
            present = {region.namespace for region in found.regions}
        for installation in topology.installations:
            for region in (0, 1):
                url = env(installation)[VERSIONS["8.5"].exporter.variable(region, "ARGS_URL")]
                assert url.split(".")[1] in present


def test_the_brokers_of_a_failover_give_every_partition_a_quorum() -> None:
    for found, _, topology in answers():
        if topology.role is Role.SURVIVOR:
            alive = [each for part in topology.installations for each in broker_ids(part)]
            assert not brokers.partitions_without_quorum(
                alive,
                cluster_size=found.cluster_size,
                partition_count=found.partition_count,
                replication_factor=found.replication_factor,
            )


@pytest.mark.parametrize("region", [0, 1])
def test_normal_is_proved_once_both_regions_are_installed_and_says_what_to_type_before(
    region: int,
) -> None:
    alone = desired(settings(region=region), BASE, Stack())
    assert alone.gates == ()
    assert alone.waiting is not None
    assert alone.waiting.awaited is Awaited.OTHER_INSTALLED
    assert alone.waiting.next_region == 1 - region
    together = desired(settings(region=region), BASE, Stack(Phase.NORMAL, nodes=INSTALLED))
    assert together.gates == (Gate(procedure.N, after=(Kind.NORMAL,)),)
    assert together.waiting_for is None
    assert together.installations == alone.installations


NORMAL, FAILOVER = Phase.NORMAL, Phase.FAILOVER


@pytest.mark.parametrize("region", [0, 1], ids=["region 0", "region 1"])
@pytest.mark.parametrize(
    ("phase", "lost", "peer_phase", "peer_lost", "code"),
    [
        pytest.param(NORMAL, None, None, None, None, id="normal, peer never updated"),
        pytest.param(NORMAL, None, NORMAL, None, None, id="normal, peer normal"),
        pytest.param(NORMAL, None, FAILOVER, "peer", None, id="normal, peer knows it is lost"),
        pytest.param(
            NORMAL,
            None,
            FAILOVER,
            "own",
            "other-region-failed-over",
            id="normal, peer stands in for us",
        ),
        pytest.param(
            NORMAL,
            "peer",
            FAILOVER,
            "own",
            "other-region-failed-over",
            id="normal with an old lostRegion",
        ),
        pytest.param(FAILOVER, "peer", None, None, None, id="survivor, peer never updated"),
        pytest.param(FAILOVER, "peer", NORMAL, None, None, id="survivor, peer lags behind"),
        pytest.param(FAILOVER, "peer", NORMAL, "own", None, id="survivor, peer's old lostRegion"),
        pytest.param(FAILOVER, "peer", FAILOVER, "peer", None, id="survivor, peer agrees"),
        pytest.param(
            FAILOVER,
            "peer",
            FAILOVER,
            "own",
            "lost-regions-differ",
            id="both call the other lost",
        ),
        pytest.param(FAILOVER, "own", None, None, None, id="lost, peer never updated"),
        pytest.param(FAILOVER, "own", NORMAL, None, None, id="lost, peer lags behind"),
        pytest.param(FAILOVER, "own", FAILOVER, "own", None, id="lost, peer agrees"),
        pytest.param(
            FAILOVER,
            "own",
            FAILOVER,
            "peer",
            "lost-regions-differ",
            id="both call themselves lost",
        ),
    ],
)
def test_disagreement_of_the_two_stacks(
    region: int,
    phase: Phase,
    lost: str | None,
    peer_phase: Phase | None,
    peer_lost: str | None,
    code: str | None,
) -> None:
    ids = {"own": region, "peer": 1 - region, None: None}
    changes = {} if lost is None else {"lostRegion": ids[lost]}
    found = settings(region=region, phase=phase.value, **changes)
    reason = disagreement(found, Stack(peer_phase, ids[peer_lost]), Stack())
    if code is None:
        assert reason is None
    else:
        assert_message(reason, code, peer_stack=f"region{1 - region}")


@pytest.mark.parametrize("phase", [NORMAL, FAILOVER])
@pytest.mark.parametrize("region", [0, 1])
def test_two_stacks_of_one_region_are_refused(region: int, phase: Phase) -> None:
    found = settings(region=region, phase=phase.value, lostRegion=1 - region)
    reason = disagreement(found, Stack(Phase.NORMAL, region=region), Stack())
    assert_message(reason, "same-region-twice", region=region)
    assert disagreement(found, Stack(Phase.NORMAL, region=1 - region), Stack()) is None


@pytest.mark.parametrize("region", [0, 1])
def test_a_failed_failover_of_the_other_region_is_enough_to_refuse_phase_normal(
    region: int,
) -> None:
    """A failed `pulumi up` saves no outputs; its failover brokers may run all the same."""
    halfway = Stack(Phase.NORMAL, None, frozenset({"normal", "failover", "F1"}))
    reason = disagreement(settings(region=region), halfway, Stack())
    assert_message(reason, "other-region-failed-over", region=region)


@pytest.mark.parametrize("region", [0, 1], ids=["region 0", "region 1"])
@pytest.mark.parametrize(
    ("phase", "lost", "holds", "code"),
    [
        pytest.param(NORMAL, None, (), None, id="normal, first update"),
        pytest.param(NORMAL, None, ("normal", "N"), None, id="normal, nothing to do"),
        pytest.param(
            NORMAL,
            None,
            ("normal", "failover"),
            "normal-with-failover-brokers",
            id="normal out of a failover",
        ),
        pytest.param(
            NORMAL,
            None,
            ("failover", "F1"),
            "normal-with-failover-brokers",
            id="normal out of half a failover",
        ),
        pytest.param(FAILOVER, "peer", ("normal", "N"), None, id="failover begins"),
        pytest.param(FAILOVER, "peer", ("normal", "failover", "F1"), None, id="failover goes on"),
        pytest.param(FAILOVER, "own", ("normal", "N"), None, id="own region is lost"),
        pytest.param(FAILOVER, "own", (), None, id="own region is lost and cleaned"),
        pytest.param(
            FAILOVER,
            "own",
            ("normal", "failover"),
            "survivor-called-lost",
            id="lost, but it survives",
        ),
        pytest.param(
            FAILOVER,
            "own",
            ("failover-isolation", "failover-namespace"),
            None,
            id="other nodes' names",
        ),
    ],
)
def test_changes_that_would_cost_the_quorum_are_refused(
    region: int, phase: Phase, lost: str | None, holds: tuple[str, ...], code: str | None
) -> None:
    changes = {} if lost is None else {"lostRegion": region if lost == "own" else 1 - region}
    found = settings(region=region, phase=phase.value, **changes)
    reason = unsafe_change(found, Stack(nodes=frozenset(holds)), Stack())
    if code is None:
        assert reason is None
    else:
        assert_message(reason, code, lost_region=1 - region)


@pytest.mark.parametrize("region", [0, 1])
@pytest.mark.parametrize(
    ("names", "kinds", "steps", "cut"),
    [
        pytest.param((), (), (), (), id="nothing"),
        pytest.param(("normal", "normal-namespace"), ("normal",), (), (), id="half installed"),
        pytest.param(("normal", "N"), ("normal",), ("N",), (), id="normal"),
        pytest.param(
            ("normal", "normal-isolation", "failover", "failover-isolation", "F1", "F2", "N"),
            ("normal", "failover"),
            ("N", "F1", "F2"),
            ("normal", "failover"),
            id="in the middle of a failover",
        ),
        pytest.param(
            ("normal", "failover", "failover-isolation"),
            ("normal", "failover"),
            (),
            ("failover",),
            id="only one of two policies",
        ),
        pytest.param(("unknown", "region0"), (), (), (), id="names of other things"),
    ],
)
def test_a_lost_region_that_does_not_answer_keeps_exactly_what_its_state_holds(
    region: int,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    steps: tuple[str, ...],
    cut: tuple[str, ...],
) -> None:
    found = failover(region, region, regions=with_cidrs())
    topology = remembered(found, Stack(nodes=frozenset(names)))
    assert topology.role is Role.LOST
    assert tuple(each.kind for each in topology.installations) == kinds
    assert tuple(gate.step.id for gate in topology.gates) == steps
    assert tuple(each.kind for each in topology.installations if each.cut_cidrs) == cut
    assert topology.waiting is not None
    assert (topology.waiting.awaited, topology.waiting.next_region) == (Awaited.REACHABLE, region)
    seen = {ISOLATION}
    for node in topology.nodes:
        assert set(node.after) <= seen
        seen.add(node.name)


def test_what_a_lost_region_remembers_has_the_names_that_it_was_declared_with() -> None:
    """Another name would be a deletion, and nothing can be deleted where nothing answers."""
    for found, _, topology in answers():
        lost_here = found.model_copy(update={"phase": FAILOVER, "lost_region": found.region})
        names = frozenset(node.name for node in topology.nodes) | {
            each.policy for each in topology.installations if each.cut_cidrs
        }
        again = remembered(lost_here, Stack(nodes=names))
        assert {node.name for node in again.nodes} == {node.name for node in topology.nodes}
        assert [
            (each.namespace, each.policy, bool(each.cut_cidrs)) for each in again.installations
        ] == [
            (each.namespace, each.policy, bool(each.cut_cidrs))
            for each in sorted(topology.installations, key=lambda part: list(Kind).index(part.kind))
        ]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        pytest.param({}, Stack(), id="never updated"),
        pytest.param(
            {"phase": "normal", "lostRegion": None},
            Stack(Phase.NORMAL, None, INSTALLED),
            id="normal",
        ),
        pytest.param(
            {"phase": "failover", "lostRegion": 1.0, "region": 0.0},
            Stack(Phase.FAILOVER, 1, INSTALLED, region=0),
            id="numbers as the engine stores them",
        ),
        pytest.param(
            {"phase": "failover", "lostRegion": 1},
            Stack(Phase.FAILOVER, 1, INSTALLED),
            id="outputs of an earlier version",
        ),
    ],
)
def test_reading_the_peers_outputs(outputs: dict[str, Any], expected: Stack) -> None:
    assert Stack.of(outputs, expected.nodes) == expected


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param({"url": "http://elsewhere"}, id="stack of another program"),
        pytest.param({"phase": "restoring", "lostRegion": 1}, id="phase of another version"),
    ],
)
def test_outputs_that_cannot_be_understood_are_a_clear_error(outputs: dict[str, Any]) -> None:
    with raises("outputs-of-another-program", ConfigError):
        Stack.of(outputs)


def test_every_step_has_an_id_of_its_own_and_a_title() -> None:
    assert list(CAMUNDA_8_5.steps_by_id) == [
        "N",
        "F0",
        "F1",
        "F2",
        "F3",
        *(f"B{number}" for number in range(8)),
    ]
    assert all(step.title for step in CAMUNDA_8_5.steps_by_id.values())
