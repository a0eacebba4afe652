"""Which cells are run next, within what time, and what counts as covered: each of it can come out otherwise."""

from collections import Counter
from itertools import product

import pytest

from drill.matrix.cells import BY_NAME, Cell, all_cells
from drill.matrix.choice import (
    OF_SIZE,
    USUAL_SECONDS,
    company,
    coverage,
    drills,
    in_order,
    seconds_of,
    seed_of,
)
from drill.matrix.results import Outcome
from drill.procedure.model import Until
from tests.unit.drill.matrix.runs import CELL, ran

FAULTS = ("gateway-restarted", "broker-killed", "engine-killed")
CELLS = tuple(
    Cell(fault, moment, lost, 4, "8.5")
    for fault, moment, lost in product(FAULTS, ("F2@survivor", "B3@survivor"), (0, 1))
)


class TestOrder:
    def test_every_cell_has_its_turn(self) -> None:
        runs = [ran(cell, at) for at, cell in enumerate(CELLS)]
        for some in ([], runs[:5], runs):
            assert Counter(in_order(CELLS, some, 1)) == Counter(CELLS)

    def test_those_never_run_come_first_and_then_the_least_recently_run(self) -> None:
        runs = [ran(CELLS[3], 50.0), ran(CELLS[1], 20.0), ran(CELLS[3], 10.0), ran(CELLS[7], 30.0)]
        assert in_order(CELLS, runs, 1)[-3:] == (CELLS[1], CELLS[7], CELLS[3])

    def test_a_run_in_which_the_fault_did_not_come_is_none(self) -> None:
        for outcome in (Outcome.MISSED, Outcome.INTERRUPTED):
            runs = [ran(cell, 5.0) for cell in CELLS[1:]] + [ran(CELLS[0], 9.0, outcome)]
            assert in_order(CELLS, runs, 1)[0] == CELLS[0]

    def test_one_whose_fault_did_not_come_is_not_tried_for_ever_before_the_others(self) -> None:
        runs = [ran(CELLS[0], 9.0, Outcome.MISSED), ran(CELLS[1], 5.0, Outcome.MISSED)]
        assert in_order(CELLS, runs, 1)[-2:] == (CELLS[1], CELLS[0])

    def test_a_run_that_failed_is_one(self) -> None:
        runs = [ran(cell, 5.0) for cell in CELLS[1:]] + [ran(CELLS[0], 9.0, Outcome.FAILED)]
        assert in_order(CELLS, runs, 1)[-1] == CELLS[0]

    @pytest.mark.parametrize("seed", range(20))
    def test_a_short_budget_sees_every_fault_before_a_second_of_one(self, seed: int) -> None:
        found = in_order(CELLS, (), seed)
        assert {cell.fault for cell in found[: len(FAULTS)]} == set(FAULTS)
        assert {(cell.fault, cell.lost) for cell in found[: 2 * len(FAULTS)]} == set(
            product(FAULTS, (0, 1))
        )

    def test_a_fault_that_was_run_waits_for_those_that_were_not(self) -> None:
        runs = [ran(CELLS[0]), ran(CELLS[2])]  # the first fault's, with region 0 lost
        found = in_order(CELLS, runs, 1)
        assert {cell.fault for cell in found[:2]} == set(FAULTS[1:])
        others = set(product(FAULTS, (0, 1))) - {(FAULTS[0], 0)}
        assert {(cell.fault, cell.lost) for cell in found[:5]} == others

    def test_what_failed_beside_others_comes_before_all(self) -> None:
        failed = ran(CELLS[3], 9.0, Outcome.FAILED, beside=(CELLS[0],))
        assert in_order(CELLS, [failed], 1)[0] == CELLS[3]
        alone = ran(CELLS[3], 10.0, Outcome.FAILED)
        assert in_order(CELLS, [failed, alone], 1)[-1] == CELLS[3]

    def test_small_and_old_comes_before_large_and_new(self) -> None:
        others = [
            Cell(CELL.fault, CELL.moment, 1, size, version)
            for size, version in ((8, "8.5"), (4, "8.8"))
        ]
        assert in_order([*others, CELL], (), 3)[0] == CELL

    def test_a_seed_repeats_it_and_another_one_does_not(self) -> None:
        every = tuple(all_cells())[:200]
        assert in_order(every, (), 1) == in_order(reversed(every), (), 1)
        assert in_order(every, (), 1) != in_order(every, (), 2)


class TestBudget:
    def test_a_cell_takes_what_it_took(self) -> None:
        runs = [ran(seconds=100.0), ran(seconds=300.0), ran(seconds=120.0)]
        assert seconds_of([CELL], runs) == 120.0

    def test_else_what_its_fault_takes_elsewhere(self) -> None:
        other = Cell(CELL.fault, "F3@survivor", 0, 4, "8.8")
        assert seconds_of([CELL], [ran(other, seconds=90.0)]) == 90.0

    def test_a_longer_drill_or_a_larger_one_says_nothing_of_it(self) -> None:
        longer = Cell(CELL.fault, "B3@survivor", 1, 4, "8.5")
        larger = Cell(CELL.fault, CELL.moment, 1, 8, "8.5")
        runs = [ran(longer, seconds=900.0), ran(larger, seconds=800.0)]
        assert seconds_of([CELL], runs) == USUAL_SECONDS[Until.FAILOVER] * OF_SIZE[4]

    def test_a_run_that_missed_says_nothing_of_it(self) -> None:
        runs = [ran(outcome=Outcome.MISSED, seconds=1.0)]
        assert seconds_of([CELL], runs) == USUAL_SECONDS[Until.FAILOVER]

    def test_some_drills_take_several_times_as_long(self) -> None:
        cell = Cell("engine-killed-everywhere", "whole drill", 1, 4, "8.5")
        times = BY_NAME["engine-killed-everywhere"].times
        assert (
            seconds_of([cell], ())
            == USUAL_SECONDS[Until.RESTORED] * times
            > USUAL_SECONDS[Until.RESTORED]
        )

    def test_a_shared_drill_takes_what_the_longest_of_its_cells_does(self) -> None:
        assert seconds_of([CELL, CELLS[2]], ()) == USUAL_SECONDS[Until.RESTORED]

    def test_a_failover_in_a_shared_drill_says_nothing_of_one_alone(self) -> None:
        shared = ran(CELL, seconds=900.0, beside=(CELLS[2],))
        assert seconds_of([CELL], [shared]) == USUAL_SECONDS[Until.FAILOVER]
        assert seconds_of([CELL, CELLS[2]], [shared]) == 900.0

    def test_what_does_not_fit_is_passed_over_for_what_does(self) -> None:
        long, short = CELLS[2], CELLS[0]  # until restored, and until the failover
        budget = 2 * USUAL_SECONDS[Until.FAILOVER]
        # What is first of all, whatever it takes.
        runs = [ran(short, outcome=Outcome.FAILED, beside=(long,))]
        found = drills([short, long, CELLS[1]], runs, budget, 1, alone=True)
        assert [cells for cells, _ in found] == [(short,), (CELLS[1],)]

    def test_the_first_is_tried_in_any_budget(self) -> None:
        (found,) = drills(CELLS, (), 0.0, 1, alone=True)
        assert found == (in_order(CELLS, (), 1)[:1], USUAL_SECONDS[found[0][0].phase])


class TestCompany:
    F2, B3, B1 = (
        Cell(fault, moment, 1, 4, "8.5")
        for fault, moment in (
            ("gateway-restarted", "F2@survivor"),
            ("broker-killed", "B3@survivor"),
            ("engine-killed", "B1@recreated"),
        )
    )

    def test_faults_in_turns_of_their_own_share_a_drill(self) -> None:
        assert company(self.F2, [self.B3, self.B1], ()) == (self.F2, self.B3, self.B1)

    def test_a_fault_that_was_run_less_often_is_preferred(self) -> None:
        other = Cell("broker-slow", "B3@survivor", 1, 4, "8.5")
        run = ran(Cell("broker-killed", "F0@survivor", 1, 8, "8.8"))
        assert company(self.F2, [self.B3, other], ()) == (self.F2, self.B3)
        assert company(self.F2, [self.B3, other], [run]) == (self.F2, other)

    @pytest.mark.parametrize(
        "other",
        [
            Cell("broker-killed", "F3@survivor", 1, 4, "8.5"),  # the same turn
            Cell("gateway-restarted", "B3@survivor", 1, 4, "8.5"),  # the same fault
            Cell("broker-killed", "B3@survivor", 0, 4, "8.5"),
            Cell("broker-killed", "B3@survivor", 1, 8, "8.5"),
            Cell("broker-killed", "B3@survivor", 1, 4, "8.6"),
            Cell("zombie", "whole drill", 1, 4, "8.5"),
            Cell("zombie-each-step", "B0@survivor", 1, 4, "8.5"),  # a drill with a zombie
            Cell("second-gateway-stale", "B3@survivor", 1, 4, "8.5"),
            Cell(
                "recreated-lost-midway", "B3@survivor", 1, 4, "8.5"
            ),  # the turns after it are others
        ],
        ids=lambda cell: cell.key,
    )
    def test_others_do_not(self, other: Cell) -> None:
        assert company(self.F2, [other], ()) == (self.F2,)
        assert company(other, [self.F2], ()) == (other,)

    def test_a_clock_that_is_off_leaves_a_drill_as_it_is_so_others_share_it(self) -> None:
        clocks = [
            Cell(fault, "whole drill", 1, 4, "8.5") for fault in ("clock-skew", "clock-behind")
        ]
        assert company(self.F2, [*clocks, self.B3], ()) == (self.F2, clocks[0], self.B3)
        assert company(clocks[1], [clocks[0], self.F2], ()) == (clocks[1], self.F2)

    def test_what_failed_beside_others_is_by_itself_until_it_was_run_so(self) -> None:
        failed = ran(self.F2, 5.0, Outcome.FAILED, beside=(self.B3,))
        assert company(self.F2, [self.B1], [failed]) == (self.F2,)
        assert company(self.B1, [self.F2], [failed]) == (self.B1,)
        again = ran(self.F2, 6.0, Outcome.FAILED)
        assert company(self.F2, [self.B1], [failed, again]) == (self.F2, self.B1)

    def test_each_turn_has_one_fault_and_every_cell_one_drill(self) -> None:
        every = in_order([cell for cell in all_cells() if cell.size == 4], (), 1)[:400]
        found = [cells for cells, _ in drills(every, (), 1e9, 1, alone=False)]
        assert Counter(cell for group in found for cell in group) == Counter(every)
        assert max(map(len, found)) > 3
        for group in found:
            if len(group) > 1:
                assert len({cell.turn for cell in group}) == len(group)
                assert len({(cell.lost, cell.size, cell.version) for cell in group}) == 1


def test_the_seed_of_a_cell_is_its_own() -> None:
    seeds = {seed_of(cell, 5) for cell in CELLS}
    assert len(seeds) == len(CELLS)
    assert seed_of(CELL, 5) == seed_of(CELL, 5) != seed_of(CELL, 6)


class TestCoverage:
    GATEWAY, BROKER = BY_NAME["gateway-restarted"], BY_NAME["broker-killed"]

    def test_nothing_was_run(self) -> None:
        (found,) = coverage([self.GATEWAY], CELLS, ())
        assert (found.cells, found.run, found.passed, found.runs, found.both_regions) == (
            4,
            0,
            0,
            0,
            False,
        )

    def test_the_last_run_of_a_cell_counts(self) -> None:
        runs = [
            *(ran(CELLS[0], 5.0, Outcome.FAILED), ran(CELLS[0], 9.0)),
            *(ran(CELLS[1], 9.0), ran(CELLS[1], 10.0, Outcome.FAILED)),
        ]
        (found,) = coverage([self.GATEWAY], CELLS, runs)
        assert (found.run, found.passed, found.runs, found.both_regions) == (2, 1, 4, True)

    def test_a_region_with_which_it_has_only_failed_is_not_passed(self) -> None:
        runs = [ran(CELLS[0], outcome=Outcome.FAILED), ran(CELLS[1])]
        (found,) = coverage([self.GATEWAY], CELLS, runs)
        assert (found.run, found.both_regions) == (2, False)

    def test_one_region_alone_is_not_both(self) -> None:
        runs = [ran(CELLS[1]), ran(CELLS[3])]
        (found,) = coverage([self.GATEWAY], CELLS, runs)
        assert (found.run, found.both_regions) == (2, False)

    def test_runs_in_which_the_fault_did_not_come_cover_nothing(self) -> None:
        runs = [ran(CELLS[0], outcome=Outcome.MISSED), ran(CELLS[1], outcome=Outcome.INTERRUPTED)]
        (found,) = coverage([self.GATEWAY], CELLS, runs)
        assert (found.run, found.passed) == (0, 0)

    def test_another_faults_runs_are_not_its_own(self) -> None:
        found, other = coverage([self.GATEWAY, self.BROKER], CELLS, [ran(CELLS[0])])
        assert (found.run, other.run) == (1, 0)

    def test_a_cell_that_is_in_the_table_no_more_is_not_counted(self) -> None:
        gone = Cell("gateway-restarted", "X9@survivor", 1, 4, "8.5")
        (found,) = coverage([self.GATEWAY], CELLS, [ran(gone)])
        assert found.run == 0
