"""The result file: one line a run, read as it was written, and a broken line is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from drill.errors import DrillError
from drill.matrix.results import Outcome, append, by_drill, last_run, ran, read
from drill.matrix.table import covered, failures, outcomes
from tests.unit.drill.matrix.runs import CELL
from tests.unit.drill.matrix.runs import ran as a_run
from tools import matrix_tables

RESULTS = Path(__file__).parents[4] / "tests" / "matrix" / "results.jsonl"
LEFT_OUT = {1796071545: {"backend-unreachable B5@survivor lost1 size4 8.5"}}
"""Cells without a line, by when their drill began: that fault was made wrongly then, as an empty backend."""


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


def test_a_drill_is_told_from_another_one_that_began_in_the_same_second() -> None:
    other = replace(CELL, fault="broker-killed", moment="B3@survivor")
    one, two = a_run(beside=(other,)), a_run(other, beside=(CELL,))
    elsewhere, later = a_run(replace(CELL, lost=0)), a_run(at=2.0)
    assert by_drill([one, elsewhere, two, later]) == ((one, two), (elsewhere,), (later,))


def test_each_drill_has_a_line_for_each_of_its_cells() -> None:
    for drill in by_drill(read(RESULTS)):
        cells = [run.cell for run in drill]
        left_out = {cell.key for cell in drill[0].of_drill - set(cells)}
        assert left_out == LEFT_OUT.get(int(drill[0].at), set()), drill[0].at
        assert len(cells) == len(set(cells)), drill[0].at


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
