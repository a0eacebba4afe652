"""Where a drill's time went: stages and steps on one time, in the order of beginning."""

import pytest

from drill.progress import Stage
from drill.report.waterfall import bar, rows
from tests.unit.drill.report.test_report import step

BEGAN = 1_700_000_000.0


def test_steps_stand_below_the_stage_in_which_they_began() -> None:
    stages = (Stage("failover", 10.0, 20.0, True), Stage("setting up", 0.0, 10.0, False))
    steps = (
        step("F2", 5.0, "2023-11-14T22:13:38+00:00"),
        step("F1", 3.0, "2023-11-14T22:13:35+00:00"),
        step("N", 3.0),
    )
    assert [(row.start, row.what, row.seconds) for row in rows(stages, steps, BEGAN, 40.0)] == [
        (0.0, "setting up (failed)", 10.0),
        (10.0, "failover", 20.0),
        (15.0, "— F1 on region0", 3.0),
        (18.0, "— F2 on region0", 5.0),
    ]


@pytest.mark.parametrize(
    ("start", "seconds", "shown"),
    [
        (0.0, 100.0, "██████████"),
        (50.0, 20.0, "·····██···"),
        (0.0, 0.1, "█·········"),
        (99.9, 0.1, "·········█"),
        (90.0, 500.0, "·········█"),
    ],
)
def test_a_bar_shows_where_in_the_whole_a_part_lies(
    start: float, seconds: float, shown: str
) -> None:
    assert bar(start, seconds, 100.0, width=10) == shown


def test_a_drill_of_no_time_has_no_bars() -> None:
    assert bar(0.0, 1.0, 0.0, width=4) == "····"
