"""The summary of all runs: each figure is of drills, not of lines, and what was not checked is in no sum."""

from dataclasses import replace

from drill.matrix.cells import BY_NAME, Cell
from drill.matrix.results import Outcome, Ran
from drill.matrix.summary import summary
from tests.unit.drill.matrix.runs import CELL, ran

OTHER = replace(CELL, fault="broker-killed", moment="B3@survivor")
DAY = 86400.0


def figures(
    acknowledged: int, lost: int | None, records: int | None = None, missing: int | None = None
) -> dict[str, object]:
    return {
        "acknowledged": acknowledged,
        "lost": lost,
        "records": records,
        "recordsMissing": [None if records is None else 0, missing],
    }


def row(text: str, name: str) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return found.removeprefix(f"| {name} | ").removesuffix(" |")


def shared(**others: object) -> list[Ran]:
    """Return both runs of a drill of two cells."""
    return [ran(CELL, beside=(OTHER,), **others), ran(OTHER, beside=(CELL,), **others)]  # type: ignore[arg-type]


def test_nothing_was_run() -> None:
    assert summary(()) == "Nothing has been run yet."


def test_a_drill_that_cells_share_counts_once() -> None:
    text = summary(shared(seconds=1800.0, figures=figures(1500, 0, 20000, 0)))
    assert row(text, "drills") == "1; 0.5 hours in all"
    assert row(text, "runs of cells") == "2: 2 passed, 0 failed, 0 missed, 0 interrupted"
    assert row(text, "acknowledged instances").startswith("1,500 in the 1 drills")
    assert row(text, "exported records").startswith("20,000 in the 1 drills")


def test_what_was_not_checked_is_in_no_sum() -> None:
    text = summary(
        [
            ran(at=1.0, figures=figures(100, 0)),
            ran(at=2.0, outcome=Outcome.FAILED, figures=figures(84, None)),
            ran(at=3.0, figures=figures(10, 2, 500, 3)),
        ]
    )
    found = row(text, "acknowledged instances")
    assert found == "110 in the 2 drills that looked for them: 2 lost"
    assert row(text, "exported records") == "500 in the 1 drills that compared them: 3 missing"


def test_it_begins_with_the_first_run_and_ends_with_the_last() -> None:
    assert row(summary([ran(at=2 * DAY), ran(at=0.0)]), "first, last (UTC)") == (
        "1970-01-01, 1970-01-03"
    )


def test_faults_that_have_not_passed_with_either_region_lost_are_named() -> None:
    text = summary([ran(CELL), ran(replace(CELL, lost=0)), ran(OTHER)])
    assert row(text, "faults that have passed with either region lost").startswith("1 of ")
    lacking = row(text, "faults that have not").split("; ")
    assert BY_NAME[OTHER.fault].title in lacking
    assert BY_NAME[CELL.fault].title not in lacking


def test_versions_and_sizes_without_any_run_are_shown() -> None:
    text = summary([ran(Cell("broker-killed", "F2@survivor", 0, 8, "8.9"))])
    assert row(text, "8.9") == "0 | 0 | 0 | 1 | 0 | 0"
    assert row(text, "8.6") == "0 | 0 | 0 | 0 | 0 | 0"


def test_a_run_in_which_the_fault_did_not_come_is_told_and_counts_for_no_version() -> None:
    text = summary([ran(outcome=Outcome.MISSED, reason="a `b` | c; ")])
    assert row(text, CELL.version) == "0 | 0 | 0 | 0 | 0 | 0"
    assert f"| missed | {CELL.key} | `a 'b' / c` | no |" in text


def test_whether_it_has_passed_since_is_told() -> None:
    failed = ran(at=5.0, outcome=Outcome.FAILED, reason="1 instance is missing")
    assert "missing` | no |" in summary([failed, ran(at=4.0), ran(replace(CELL, lost=0), at=6.0)])
    assert "missing` | yes |" in summary([failed, ran(replace(CELL, version="8.9"), at=6.0)])
    assert "not passed" not in summary([ran()])
