"""The command `python -m drill.race`: the procedure's own commands and the program over the same course, heat by heat."""

import json
import os
import shutil
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from drill.operators.signals import Interruption, Output
from drill.operators.starting import EXIT_FAILED, EXIT_USAGE, ending, only_one, print_plain
from drill.procedure.model import Until
from drill.processes import MARK
from drill.progress import Progress
from drill.race.course import Heat, Racer, heats, listed
from drill.race.figures import HeatFigures
from drill.race.heat import HeatRun, figures_of
from drill.race.table import markdown
from drill.report.report import Report, as_json
from drill.scenario.scenario import Drill
from drill.settings import DEFAULT_RATE, DrillSettings, Paths
from drill.testbed.lifecycle import clear


def main(
    *,
    racers: Annotated[
        str, typer.Option(help=f"Who races: {', '.join(Racer)}, several with commas between.")
    ] = "script,pulumi",
    lost: Annotated[str, typer.Option(help="The regions that are lost, one a heat.")] = "1,0",
    start_delay: Annotated[
        str, typer.Option(help="How many seconds longer brokers take to start, one a heat.")
    ] = "0,10",
    rounds: Annotated[int, typer.Option(min=1, help="How often each course is raced.")] = 1,
    until: Annotated[
        Until, typer.Option(help="How far: `failover`, or `restored`.")
    ] = Until.RESTORED,
    cluster_size: Annotated[int, typer.Option(help="Brokers of both regions together.")] = 4,
    rate: Annotated[
        float, typer.Option(min=10, max=1000, help="Process instances created a second.")
    ] = DEFAULT_RATE,
) -> None:
    """Race the procedure's own commands, by script, and the program over the same course, and compare them.

    Each heat is a drill on regions made for it, with the same brokers, values and load, judged by the same checks.
    Writes out/race/result.json and out/race/result.md, after each heat. Exit status: 0 every heat reached its end,
    1 not, 2 wrong options, 130 interrupted.
    """
    interruption = Interruption()
    console = Output(interruption)
    paths = Paths(name="race")
    with ending(console, EXIT_USAGE):
        course = heats(
            [_racer(each) for each in listed(racers, "--racers")],
            [int(each) for each in listed(lost, "--lost")],
            [float(each) for each in listed(start_delay, "--start-delay")],
            rounds,
        )
        if until not in (Until.FAILOVER, Until.RESTORED):
            raise typer.BadParameter(f"--until {until}: a race ends with the failover, or restored")
        drills = [(heat, heat.settings(cluster_size, until, rate)) for heat in course]
    paths.folder.mkdir(parents=True, exist_ok=True)
    with ending(console, EXIT_FAILED), only_one(paths), interruption.by_signals(console):
        Race(paths, console, interruption).run(drills)


class Race:
    """Carries out heat after heat, and keeps the result."""

    def __init__(self, paths: Paths, console: Console, interruption: Interruption) -> None:
        self._paths = paths
        self._heat = Paths(name="race/heat")
        self._reports = paths.folder / "reports"
        self._console = console
        self._interruption = interruption
        self._found: list[HeatFigures] = []

    def run(self, drills: list[tuple[Heat, DrillSettings]]) -> None:
        """Carry out all heats, however each ends.

        :raises typer.Exit: not every one reached its end.
        """
        shutil.rmtree(self._reports, ignore_errors=True)
        self._reports.mkdir()
        self._heat.folder.mkdir(exist_ok=True)
        for number, (heat, settings) in enumerate(drills, start=1):
            print_plain(self._console, f"heat {number} of {len(drills)}: {heat}", style="bold")
            report = self._one(number, heat, settings)
            self._keep(report)
            if self._interruption.is_wanted:
                break
        print_plain(self._console, (self._paths.folder / "result.md").read_text(encoding="utf-8"))
        if len(self._found) < len(drills) or any(each.failover is None for each in self._found):
            raise typer.Exit(EXIT_FAILED)

    def _one(self, number: int, heat: Heat, settings: DrillSettings) -> Report:
        self._interruption.begin_another()
        os.environ[MARK] = str(self._heat.folder)
        (self._heat.folder / "drill.log").write_text("")
        progress = Progress(self._console, self._heat.folder / "drill.log")
        clear(self._heat, progress)
        run = HeatRun(heat)
        report = Drill(settings, self._heat, progress, run.rehearse).run(
            on_teardown=self._interruption.calm
        )
        self._found.append(figures_of(run, report, progress))
        name = f"{number:02d}-{heat.racer}-region{heat.lost}-{heat.delay:g}s"
        (self._reports / f"{name}.json").write_text(as_json(report), encoding="utf-8")
        if report.result != "passed":
            shutil.copytree(self._heat.logs, self._reports / name, dirs_exist_ok=True)
        return report

    def _keep(self, report: Report) -> None:
        """Write what is known so far: an interruption loses no heat."""
        now = f"{datetime.now(UTC):%Y-%m-%d}"
        document: dict[str, Any] = {
            "date": now,
            "machine": dict(report.machine),
            "versions": dict(report.versions),
            "heats": [json.loads(each.model_dump_json(by_alias=True)) for each in self._found],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (self._paths.folder / "result.json").write_text(text, encoding="utf-8")
        table = markdown(self._found, report.machine, now)
        (self._paths.folder / "result.md").write_text(table, encoding="utf-8")


def _racer(word: str) -> Racer:
    try:
        return Racer(word)
    except ValueError:
        raise typer.BadParameter(f"--racers {word}: known are {', '.join(Racer)}") from None


if __name__ == "__main__":
    typer.run(main)
