"""The table: every cell is a drill that can be done."""

import pytest

from drill.matrix.cells import (
    BY_NAME,
    EVERYWHERE,
    FAULTS,
    LOST,
    MATRIX_VERSIONS,
    SIZES,
    Cell,
    Fault,
    Way,
    all_cells,
    fault_of,
    moments,
    named,
)
from drill.matrix.faults import MADE
from drill.matrix.stretch import settings_of
from drill.procedure.model import Part, Until
from drill.procedure.versions import VERSIONS

EVERY = tuple(all_cells())
PROCEDURE = VERSIONS["8.5"].procedure


def found(fault: str, version: str = "8.5") -> list[str]:
    return list(moments(VERSIONS[version].procedure, BY_NAME[fault]))


def test_names_and_keys_are_unique() -> None:
    assert len(BY_NAME) == len(FAULTS)
    assert len({cell.key for cell in EVERY}) == len(EVERY) == len(set(EVERY))


def test_the_whole_key_of_a_cell_names_that_cell_alone() -> None:
    assert [cell for cell in EVERY if named(cell.key) != (cell,)] == []
    assert named("  gateway-stale  F2@survivor lost1 size4 8.5") == named(
        "gateway-stale F2@survivor lost1 size4 8.5"
    )


def test_words_name_all_cells_that_have_them() -> None:
    assert {cell.fault for cell in named("gateway-stale F2 8.5")} == {
        "gateway-stale",
        "second-gateway-stale",
    }
    assert named("F2 broker-killed lost0 size12 8.10") == (
        Cell("broker-killed", "F2@survivor", 0, 12, "8.10"),
    )
    assert (named(""), named("no-such-fault")) == (EVERY, ())


def test_every_size_version_and_lost_region_has_cells() -> None:
    assert {(cell.size, cell.version, cell.lost) for cell in EVERY} == {
        (size, version, lost) for size in SIZES for version in MATRIX_VERSIONS for lost in LOST
    }


@pytest.mark.parametrize("cell", EVERY[:: len(EVERY) // 200], ids=lambda cell: cell.key)
def test_each_cell_is_a_drill_that_can_be_done(cell: Cell) -> None:
    settings = settings_of([cell])
    assert (settings.lost[0], settings.cluster_size) == (cell.lost, cell.size)
    assert (settings.camunda, settings.by_command) == (cell.version, False)


@pytest.mark.parametrize(
    "fault", [each for each in FAULTS if each.way is Way.OPTION], ids=lambda f: f.name
)
def test_each_fault_of_an_option_is_a_drill_in_all_its_versions(fault: Fault) -> None:
    for version in fault.only:
        for lost in LOST:
            settings_of([Cell(fault.name, EVERYWHERE, lost, 4, version)])


def test_a_second_loss_is_of_the_region_that_the_fault_names() -> None:
    assert settings_of([Cell("lost-again", EVERYWHERE, 0, 4, "8.5")]).lost == (0, 0)
    assert settings_of([Cell("other-lost-next", EVERYWHERE, 0, 4, "8.5")]).lost == (0, 1)


def test_what_comes_at_a_moment_is_made_and_nothing_else() -> None:
    assert set(MADE) == {fault.name for fault in FAULTS if fault.way is Way.MOMENT}


def test_every_fault_has_cells() -> None:
    assert {cell.fault for cell in EVERY} == {fault.name for fault in FAULTS}


def test_a_fault_comes_at_every_step_that_a_stack_proves() -> None:
    survivor = ("F0", "F1", "F2", "F3", "B0", "B2", "B3", "B4", "B5")
    wanted = {f"{step}@survivor" for step in survivor}
    wanted |= {f"{step}@recreated" for step in ("B1", "B4", "B5", "B6", "B7")}
    assert set(found("engine-killed")) == wanted
    assert found("repository-unreachable") == ["B3@survivor"]
    assert found("zombie") == [EVERYWHERE]


def test_a_zombie_comes_back_in_a_drill_with_one() -> None:
    assert found("zombie-each-step", "8.8") == [f"{step}@survivor" for step in ("F2", "F3", "B0")]
    cell = Cell("zombie-each-step", "F2@survivor", 1, 4, "8.5")
    assert (settings_of([cell]).zombie, settings_of([cell]).until) == (True, Until.FAILOVER)


def test_what_is_lost_midway_is_lost_at_every_step_of_the_failback() -> None:
    assert {each.partition("@")[0] for each in found("recreated-lost-midway")} == {
        f"B{number}" for number in (0, 1, 2, 3, 4, 5, 6, 7)
    }


def test_a_kill_in_helm_comes_after_the_steps_that_a_release_follows() -> None:
    assert set(found("helm-pending")) == {"F1@survivor", "B3@survivor", "B6@recreated"}
    assert set(found("helm-pending", "8.6")) == {"B0@survivor", "B6@survivor"}


def test_between_regions_nothing_goes_wrong_while_one_is_lost() -> None:
    assert not [each for each in found("link-lossy", "8.8") if each.startswith("F")]


@pytest.mark.parametrize(
    ("moment", "place", "phase"),
    [
        ("F2@survivor", ("F2", Part.SURVIVOR), Until.FAILOVER),
        ("B4@recreated", ("B4", Part.RECREATED), Until.RESTORED),
    ],
)
def test_a_cell_goes_as_far_as_its_fault_concerns(
    moment: str, place: tuple[str, Part], phase: Until
) -> None:
    cell = Cell("engine-killed", moment, 1, 4, "8.5")
    assert (cell.place, cell.phase) == (place, phase)
    assert fault_of(cell).name == "engine-killed"


def test_every_moment_is_in_a_turn_of_its_procedure() -> None:
    for cell in EVERY:
        if cell.turn is None:
            assert cell.is_of_the_whole
        else:
            phase, part = cell.turn
            assert cell.place[0] in VERSIONS[cell.version].procedure.steps[phase][part]
            assert part is not Part.LOST
            assert (phase is Until.FAILOVER) == (cell.phase is Until.FAILOVER)


def test_a_moment_that_no_procedure_has_is_in_no_turn() -> None:
    with pytest.raises(ValueError, match="X9"):
        _ = Cell("engine-killed", "X9@survivor", 1, 4, "8.5").turn


def test_a_drill_goes_as_far_as_one_of_its_cells() -> None:
    failover = Cell("engine-killed", "F2@survivor", 1, 4, "8.5")
    failback = Cell("broker-killed", "B3@survivor", 1, 4, "8.5")
    assert settings_of([failover]).until is Until.FAILOVER
    assert settings_of([failover, failback]).until is Until.RESTORED


def test_a_drill_has_the_options_of_all_its_cells() -> None:
    clock = Cell("clock-behind", EVERYWHERE, 1, 4, "8.5")
    killed = Cell("broker-killed", "F2@survivor", 1, 4, "8.5")
    settings = settings_of([killed, clock])
    assert (settings.clock_skew, settings.until) == (-420.0, Until.RESTORED)
