"""The result file: one line a run, read as it was written, and a broken line is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from drill.errors import DrillError
from drill.matrix.results import Outcome, append, last_run, ran, read
from drill.matrix.table import covered, failures, outcomes
from tests.unit.drill.matrix.runs import CELL
from tests.unit.drill.matrix.runs import ran as a_run
from tools import matrix_tables

RESULTS = Path(__file__).parents[4] / "tests" / "matrix" / "results.jsonl"


def test_a_line_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.jsonl"
    other = replace(CELL, fault="broker-killed", moment="B3@survivor")
    runs = (
        a_run(figures={"lost": 0}, beside=(other,)),
        a_run(outcome=Outcome.FAILED, reason="zwölf"),
    )
    for each in runs:
        append(file, each)
    assert read(file) == runs
    assert read(tmp_path / "none") == ()


@pytest.mark.parametrize("line", ["", "{}", "[]", "1", a_run().line().replace("passed", "well")])
def test_a_broken_line_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text(a_run().line() + line.rstrip("\n") + "\n")
    with pytest.raises(DrillError, match="line 2"):
        read(file)


def test_the_last_run_is_by_its_time_and_not_by_its_line() -> None:
    runs = (
        a_run(at=9.0),
        a_run(at=5.0, outcome=Outcome.FAILED),
        a_run(at=99.0, outcome=Outcome.MISSED),
    )
    assert last_run(runs) == {CELL: runs[0]}


def test_the_file_of_the_repository_can_be_read() -> None:
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        assert ran(line).cell.key


def test_people_see_what_failed_with_what_repeats_it() -> None:
    failed = a_run(outcome=Outcome.FAILED, reason="1 instance is missing")
    text = outcomes([failed])
    assert "**failed**" in text
    assert "| abc | 7 |" in text
    assert list(failures([failed])) == [f"{CELL.key} (seed 7, abc): 1 instance is missing"]
    assert list(failures([failed, a_run(at=2.0)])) == []
    other = replace(CELL, fault="broker-killed", moment="B3@survivor")
    (shared,) = failures([a_run(outcome=Outcome.FAILED, beside=(other,))])
    assert "beside broker-killed B3@survivor" in shared


def test_people_see_what_is_covered() -> None:
    row = next(line for line in covered([a_run()]).splitlines() if "gateway is killed" in line)
    assert row.endswith("| 1 | 1 | 1 | no |")


def test_the_document_has_the_results_of_the_repository() -> None:
    text = matrix_tables.DOCUMENT.read_text(encoding="utf-8")
    made = matrix_tables.renewed(text, matrix_tables.parts())
    assert made == text, "run `python -m tools.matrix_tables`"


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="outcomes"):
        matrix_tables.renewed("no place", {"outcomes": str})
