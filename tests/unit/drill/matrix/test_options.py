"""The options of `python -m drill.matrix`: what cannot be meant is refused, with exit status 2, before anything runs."""

import pytest
import typer
from typer.testing import CliRunner

from drill.matrix.__main__ import main
from drill.operators.starting import EXIT_USAGE

ONE = "broker-killed F2@survivor lost1 size4 8.5"
OTHER = "engine-killed B3@survivor lost1 size4 8.5"


def shown(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(app, ["--show", "--minutes", "0", *arguments])
    return done.exit_code, done.output


def test_cells_that_share_a_drill_are_shown_in_one_line() -> None:
    status, output = shown("--only", f"{ONE}; {OTHER}", "--repeat", "12; 34")
    (line,) = (each for each in output.splitlines() if " s  " in each)
    assert (status, ONE in line, OTHER in line) == (0, True, True)


def test_each_has_its_own_drill_if_that_is_asked_for() -> None:
    _, output = shown("--only", f"{ONE}; {OTHER}", "--alone")
    (line,) = (each for each in output.splitlines() if " s  " in each)
    assert (ONE in line) != (OTHER in line)


def test_a_cell_can_be_repeated_though_the_key_of_another_has_all_of_its_words() -> None:
    only = "gateway-stale F2@survivor lost1 size4 8.5; api-server-slow B3@survivor lost1 size4 8.5"
    status, output = shown("--only", only, "--repeat", "12; 34")
    assert status == 0
    assert "2 cells" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--only", "no-such-fault"],
        ["--only", ONE, "--repeat", "x"],
        ["--only", ONE, "--repeat", "1;2"],
        ["--only", "broker-killed", "--repeat", "1"],
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    status, output = shown(*arguments)
    assert status == EXIT_USAGE
    assert "Traceback" not in output
