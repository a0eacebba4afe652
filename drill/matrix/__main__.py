"""The command `python -m drill.matrix`: run cells of the fault matrix within a budget, the least recently run first."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console

from drill.errors import DrillError
from drill.matrix import table
from drill.matrix.cells import Cell, named
from drill.matrix.choice import drills, next_drill, seed_of
from drill.matrix.results import Outcome, Ran, append, read
from drill.matrix.stretch import Stretch, figures_of, outcome, reason_of, settings_of
from drill.operators.signals import Interruption, Output
from drill.operators.starting import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    ending,
    only_one,
    print_plain,
)
from drill.processes import MARK
from drill.progress import Progress
from drill.report.report import Report
from drill.scenario.scenario import Drill
from drill.settings import CHECKOUT, Paths
from drill.testbed.lifecycle import clear

RESULTS = CHECKOUT / "tests" / "matrix" / "results.jsonl"
_LONGEST_REASON = 600


def main(
    *,
    minutes: Annotated[float, typer.Option(min=0, help="How long it may run.")] = 60.0,
    seed: Annotated[
        int | None,
        typer.Option(help="What chances are drawn from; printed, and kept with each run."),
    ] = None,
    only: Annotated[
        str,
        typer.Option(
            help="Only cells with all of these words: a fault, a moment, lost1, size4, 8.5; several such after ';'. "
            "A cell's whole key is that cell alone."
        ),
    ] = "",
    repeat: Annotated[
        str,
        typer.Option(
            help="The seeds of the cells themselves, as results have them: one for each cell of --only, after ';'."
        ),
    ] = "",
    alone: Annotated[
        bool, typer.Option("--alone", help="A drill for each cell, none shared.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Run nothing: only print what is next.")
    ] = False,
) -> None:
    """Run cells of the fault matrix, the least recently run first, and print what is covered.

    Appends each run to tests/matrix/results.jsonl. Exit status: 0 every cell that was run passed, 1 not, 2 wrong options,
    130 interrupted.
    """
    interruption = Interruption()
    console = Output(interruption)
    paths = Paths(name="matrix")
    drawn = random.SystemRandom().randrange(10**6) if seed is None else seed
    with ending(console, EXIT_USAGE):
        runs = read(RESULTS)
        cells = _named(only)
        if not cells:
            raise DrillError(f"--only {only!r}: no cell has all of these words")
        seeds = _repeated(only, repeat)
    print_plain(console, f"seed {drawn}; {len(cells)} cells")
    if show:
        for found, takes in drills(cells, runs, minutes * 60, drawn, alone=alone):
            print_plain(console, f"{takes:5.0f} s  {_keys(found)}")
        _print_covered(console, runs)
        return
    paths.folder.mkdir(parents=True, exist_ok=True)
    with ending(console, EXIT_FAILED), only_one(paths), interruption.by_signals(console):
        matrix = Matrix(paths, console, interruption, drawn, seeds)
        done = matrix.run(cells, list(runs), minutes * 60, alone=alone)
    _print_covered(console, read(RESULTS))
    if interruption.is_wanted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(run.outcome is not Outcome.PASSED for run in done):
        raise typer.Exit(EXIT_FAILED)


def _named(only: str) -> Sequence[Cell]:
    """Return the cells of all parts, each once."""
    return tuple(dict.fromkeys(cell for part in only.split(";") for cell in named(part)))


def _repeated(only: str, repeat: str) -> Mapping[Cell, int]:
    """Return the seeds that are given for cells themselves.

    :raises DrillError: they are no numbers, or not one for each cell.
    """
    if not repeat:
        return {}
    parts = [named(each) for each in only.split(";")]
    try:
        seeds = [int(each) for each in repeat.split(";")]
    except ValueError:
        raise DrillError(
            f"--repeat {repeat!r}: seeds are whole numbers, with ';' between"
        ) from None
    if any(len(each) != 1 for each in parts) or len(parts) != len(seeds):
        raise DrillError("--repeat: one seed for each part of --only, and each part names one cell")
    return {cell: seed for (cell,), seed in zip(parts, seeds, strict=True)}


def _keys(cells: Sequence[Cell]) -> str:
    return "; ".join(cell.key for cell in cells)


def _print_covered(console: Console, runs: Sequence[Ran]) -> None:
    print_plain(console, table.covered(runs))
    for each in table.failures(runs):
        print_plain(console, each, style="red")


class Matrix:
    """Runs drill after drill."""

    def __init__(
        self,
        paths: Paths,
        console: Console,
        interruption: Interruption,
        seed: int,
        repeat: Mapping[Cell, int],
    ) -> None:
        self._paths = paths
        self._drill = Paths(name="matrix/drill")
        self._console = console
        self._interruption = interruption
        self._seed, self._repeat = seed, repeat
        self._commit = commit()

    def run(
        self, cells: Sequence[Cell], runs: list[Ran], seconds: float, *, alone: bool
    ) -> list[Ran]:
        """Run the cells as far as the budget goes, and append each to the results; return them."""
        end, done = time.monotonic() + seconds, list[Ran]()
        left = list(cells)
        while not self._interruption.is_wanted:
            budget = end - time.monotonic()
            chosen = next_drill(left, runs, budget, self._seed, alone=alone, is_first=not done)
            if not chosen:
                break
            left = [cell for cell in left if cell not in chosen]
            found = self._drill_of(chosen)
            for each in found:
                append(RESULTS, each)
            runs += found
            done += found
        return done

    def _drill_of(self, cells: Sequence[Cell]) -> list[Ran]:
        seeds = {cell: self._repeat.get(cell, seed_of(cell, self._seed)) for cell in cells}
        for cell, seed in seeds.items():
            print_plain(self._console, f"cell {cell.key}, seed {seed}", style="bold")
        self._interruption.begin_another()
        progress = self._prepared()
        began, at = time.monotonic(), time.time()
        stretch = Stretch(seeds)
        drill = Drill(settings_of(cells), self._drill, progress, stretch.rehearse)
        report = drill.run(on_teardown=self._interruption.calm)
        seconds = round(time.monotonic() - began, 1)
        found = [self._ran(stretch, cell, report, at, seconds) for cell in cells]
        for each in found:
            print_plain(self._console, f"{each.outcome}: {each.cell.key} {each.reason}")
        if any(each.outcome is not Outcome.PASSED for each in found):
            self._keep(cells[0])
        return found

    def _prepared(self) -> Progress:
        """Return the progress of a drill of its own, with nothing left of the one before it."""
        os.environ[MARK] = str(self._drill.folder)
        self._drill.folder.mkdir(parents=True, exist_ok=True)
        (self._drill.folder / "drill.log").write_text("")
        progress = Progress(self._console, self._drill.folder / "drill.log")
        clear(self._drill, progress)
        return progress

    def _ran(self, stretch: Stretch, cell: Cell, report: Report, at: float, seconds: float) -> Ran:
        reason = reason_of(stretch, cell, report)
        return Ran(
            cell,
            at=round(at),
            commit=self._commit,
            seed=stretch.seeds[cell],
            outcome=outcome(stretch, cell, report, interrupted=self._interruption.interrupted),
            seconds=seconds,
            # The results are kept with the checkout, and tell nothing of where it lies.
            reason=" ".join(reason.replace(f"{CHECKOUT}/", "").split())[:_LONGEST_REASON],
            figures=figures_of(stretch, cell, report),
            beside=tuple(each for each in stretch.cells if each != cell),
        )

    def _keep(self, cell: Cell) -> None:
        """Keep the logs of a drill that did not pass, by its first cell, until that is run again."""
        to = self._paths.folder / "kept" / cell.key.replace(" ", "_")
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self._drill.logs, to / "logs")
        for name in ("report.md", "report.json", "drill.log"):
            shutil.copy2(self._drill.folder / name, to / name)


def commit() -> str:
    """Return the checkout's commit, with `+` if something in it was changed; `unknown` outside of git."""
    try:
        found = _git("rev-parse", "--short=10", "HEAD")
        return found + (
            "+"
            if _git("status", "--porcelain", "--untracked-files=no", "--", ":!tests/matrix")
            else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    typer.run(main)
