"""The command `python -m drill.matrix`: run cells of the fault matrix within a budget, the least recently run first."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from drill.errors import DrillError
from drill.matrix import table
from drill.matrix.cells import Cell, all_cells
from drill.matrix.choice import in_order, seconds_of, seed_of, within
from drill.matrix.results import Outcome, Ran, append, read
from drill.matrix.stretch import Stretch, figures_of, outcome, settings_of
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
            help="Only cells with all of these words: a fault, a moment, lost1, size4, 8.5."
        ),
    ] = "",
    repeat: Annotated[
        int | None,
        typer.Option(help="With --only: take this seed for each cell itself, as results have it."),
    ] = None,
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
        cells = in_order(_named(only), runs, drawn)
        if not cells:
            raise DrillError(f"--only {only!r}: no cell has all of these words")
    print_plain(console, f"seed {drawn}; {len(cells)} cells")
    if show:
        for cell in within(cells, runs, minutes * 60):
            print_plain(console, f"{seconds_of(cell, runs):5.0f} s  {cell.key}")
        _print_covered(console, runs)
        return
    paths.folder.mkdir(parents=True, exist_ok=True)
    with ending(console, EXIT_FAILED), only_one(paths), interruption.by_signals(console):
        matrix = Matrix(paths, console, interruption, drawn, repeat)
        done = matrix.run(cells, list(runs), minutes * 60)
    _print_covered(console, read(RESULTS))
    if interruption.is_wanted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(run.outcome is not Outcome.PASSED for run in done):
        raise typer.Exit(EXIT_FAILED)


def _named(only: str) -> Sequence[Cell]:
    words = only.split()
    return [
        cell
        for cell in all_cells()
        if all(word in cell.key.split() or word in cell.key for word in words)
    ]


def _print_covered(console: Console, runs: Sequence[Ran]) -> None:
    print_plain(console, table.covered(runs))
    for each in table.failures(runs):
        print_plain(console, each, style="red")


class Matrix:
    """Runs cell after cell."""

    def __init__(
        self,
        paths: Paths,
        console: Console,
        interruption: Interruption,
        seed: int,
        repeat: int | None,
    ) -> None:
        self._paths = paths
        self._drill = Paths(name="matrix/drill")
        self._console = console
        self._interruption = interruption
        self._seed, self._repeat = seed, repeat
        self._commit = commit()

    def run(self, cells: Sequence[Cell], runs: list[Ran], seconds: float) -> list[Ran]:
        """Run the cells as far as the budget goes, and append each to the results; return them."""
        began, done = time.monotonic(), list[Ran]()
        left = list(cells)
        while not self._interruption.is_wanted:
            remaining = seconds - (time.monotonic() - began)
            cell = next(within(left, runs, remaining), None)
            # The first is always tried, the others only if they are expected to fit.
            fits = cell is not None and (not done or seconds_of(cell, runs) <= remaining)
            if cell is None or not fits:
                cell = next((each for each in left if seconds_of(each, runs) <= remaining), None)
            if cell is None:
                break
            left.remove(cell)
            found = self._one(cell)
            append(RESULTS, found)
            runs.append(found)
            done.append(found)
        return done

    def _one(self, cell: Cell) -> Ran:
        seed = seed_of(cell, self._seed) if self._repeat is None else self._repeat
        print_plain(self._console, f"cell {cell.key}, seed {seed}", style="bold")
        self._interruption.begin_another()
        os.environ[MARK] = str(self._drill.folder)
        self._drill.folder.mkdir(parents=True, exist_ok=True)
        (self._drill.folder / "drill.log").write_text("")
        progress = Progress(self._console, self._drill.folder / "drill.log")
        clear(self._drill, progress)
        began, at = time.monotonic(), time.time()
        stretch = Stretch(cell, seed)
        drill = Drill(settings_of(cell), self._drill, progress, stretch.rehearse)
        report = drill.run(on_teardown=self._interruption.calm)
        how = outcome(stretch, report, interrupted=self._interruption.interrupted)
        if how is not Outcome.PASSED:
            self._keep(cell)
        print_plain(self._console, f"{how}: {cell.key} {report.reason}")
        return Ran(
            cell,
            at=round(at),
            commit=self._commit,
            seed=seed,
            outcome=how,
            seconds=round(time.monotonic() - began, 1),
            reason=" ".join(report.reason.split())[:_LONGEST_REASON],
            figures=figures_of(stretch, report),
        )

    def _keep(self, cell: Cell) -> None:
        """Keep the logs of a run that did not pass, until the cell is run again."""
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
