"""What the drill knows of each procedure, held against the examples of Camunda's documents."""

import pytest

from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.procedure.cluster_api import CLUSTER_API
from drill.procedure.model import Part, Place, Procedure, Until
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from drill.regions import REGIONS, brokers_that_live, replicas
from dualregion.procedure import versions as programs

LONDON, PARIS = REGIONS
PROCEDURES = pytest.mark.parametrize(
    "procedure", [CAMUNDA_8_5, CLUSTER_API], ids=["8.5", "cluster API"]
)


def test_copies_are_on_consecutive_brokers_and_a_removal_takes_no_other_ones() -> None:
    """The example output of the documents: size 8, factor 4; partition 1 is on brokers 0 to 3."""
    whole = replicas(8, range(8))
    assert whole[0] == [1, 6, 7, 8]
    assert whole[3] == [1, 2, 3, 4]
    half = replicas(8, [0, 2, 4, 6])
    assert half == {id_: whole[id_] for id_ in (0, 2, 4, 6)}


@pytest.mark.parametrize("size", [4, 6, 8, 12])
@pytest.mark.parametrize("lost", [0, 1])
def test_either_region_has_half_of_the_copies_of_each_partition(size: int, lost: int) -> None:
    living = brokers_that_live(size, lost)
    held = replicas(size, living.ids)
    copies = [partition for partitions in held.values() for partition in partitions]
    assert sorted(copies) == sorted([*range(1, size + 1)] * 2)
    assert set(living.namespace_of.values()) == {REGIONS[1 - lost].namespace}


def test_recreated_brokers_are_outside_until_they_are_added() -> None:
    pending = CLUSTER_API.situations[Until.FAILBACK_PENDING]
    assert pending.brokers(8, PARIS.index).ids == list(range(8))
    assert pending.members(8, PARIS) == [0, 2, 4, 6]
    assert pending.outsiders(8, PARIS) == [1, 3, 5, 7]
    assert pending.members(8, LONDON) == [1, 3, 5, 7]
    restored = CLUSTER_API.situations[Until.RESTORED]
    assert restored.members(8, PARIS) == list(range(8))
    assert restored.outsiders(8, PARIS) == []


def test_in_8_5_brokers_of_three_installations_hold_partitions_meanwhile() -> None:
    pending = CAMUNDA_8_5.situations[Until.FAILBACK_PENDING]
    assert pending.members(8, PARIS) == list(range(8))
    assert pending.outsiders(8, PARIS) == []
    assert [place.of(PARIS) for place in pending.places] == [
        (LONDON, "camunda-london"),
        (LONDON, "camunda-london-failover"),
        (PARIS, "camunda-paris"),
    ]


@PROCEDURES
def test_each_phase_has_its_situation_and_steps(procedure: Procedure) -> None:
    assert set(procedure.situations) == set(procedure.steps) == set(Until) - {Until.NORMAL}
    for situation in procedure.situations.values():
        assert (situation.membership is None) is procedure.has_failover_installation
    assert procedure.stopped_in in procedure.failover
    assert procedure.last_steps == {"failback-pending": "B4", "restored": "B7"}
    survivor, recreated = (procedure.whole(part) for part in (Part.SURVIVOR, Part.RECREATED))
    assert survivor[: len(procedure.failover)] == procedure.failover
    assert procedure.every_step == (*survivor, *recreated)
    pending = procedure.proved(Until.FAILBACK_PENDING, Part.RECREATED)
    assert procedure.proved(Until.RESTORED, Part.RECREATED)[: len(pending)] == pending


def test_only_the_procedure_of_8_5_has_a_second_installation() -> None:
    assert CAMUNDA_8_5.namespaces(LONDON) == ("camunda-london", "camunda-london-failover")
    assert CLUSTER_API.namespaces(LONDON) == ("camunda-london",)
    places = {place for each in CLUSTER_API.situations.values() for place in each.places}
    assert Place.FAILOVER not in places


@pytest.mark.parametrize(
    ("version", "exporter", "variable"),
    [
        ("8.5", "elasticsearchregion1", "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL"),
        ("8.7", "elasticsearchregion1", "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL"),
        ("8.8", "camundaregion1", "ZEEBE_BROKER_EXPORTERS_CAMUNDAREGION1_ARGS_CONNECT_URL"),
        ("8.10", "camundaregion1", "CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION1_ARGS_CONNECT_URL"),
    ],
)
def test_exporters_are_called_as_the_reference_has_them(
    version: str, exporter: str, variable: str
) -> None:
    assert VERSIONS[version].exporter_to(1) == exporter
    assert VERSIONS[version].address_variable(1) == variable


def test_every_later_version_recovers_by_the_cluster_api() -> None:
    assert [each.version for each in VERSIONS.values()] == [
        "8.5",
        "8.6",
        "8.7",
        "8.8",
        "8.9",
        "8.10",
    ]
    by_api = [each.version for each in VERSIONS.values() if each.procedure is CLUSTER_API]
    assert by_api == [each for each in VERSIONS if each != DEFAULT_VERSION]
    assert [each.version for each in VERSIONS.values() if each.is_unified] == [
        "8.8",
        "8.9",
        "8.10",
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_drill_and_program_know_the_same_though_neither_takes_it_from_the_other(
    version: str,
) -> None:
    ours, theirs = VERSIONS[version], programs.VERSIONS[version]
    steps = {
        (phase, part): steps
        for phase, parts in ours.procedure.steps.items()
        for part, steps in parts.items()
    }
    told: dict[tuple[str, str], tuple[str, ...]] = {}
    for turn in theirs.procedure.turns:
        if turn.phase.value != Until.NORMAL.value:
            place = (turn.phase.value, turn.role.value)
            told[place] = told.get(place, ()) + tuple(step.id for step in turn.steps)
    assert steps == told
    assert ours.procedure.has_failover_installation == (theirs.procedure.has_failover_installation)
    assert (ours.api, ours.is_unified) == (theirs.api, theirs.brokers.serves_gateway)
    assert ours.exporter_to(1) == theirs.exporter.id_of(1)
    assert ours.address_variable(1) == theirs.exporter.variable(1, theirs.exporter.url)
