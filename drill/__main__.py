"""The command `python -m drill`: rehearse a region's loss and judge the outcome."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drill.operators.signals import Interruption, Output
from drill.operators.starting import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    ending,
    only_one,
    print_plain,
)
from drill.procedure.model import Until
from drill.procedure.versions import DEFAULT_VERSION, VERSIONS
from drill.processes import MARK
from drill.progress import Progress
from drill.report.readable import print_closing
from drill.scenario.scenario import Drill
from drill.settings import (
    DEFAULT_LOST,
    DEFAULT_RATE,
    REAL_BROKERS_RATE,
    DrillSettings,
    Paths,
    default_rate,
    lost_regions,
)
from drill.testbed.foreign import ForeignSettings
from drill.testbed.lifecycle import clear
from sandbox.own.images import OwnImages


def main(
    *,
    lost: Annotated[
        int | None, typer.Option(help=f"The region that is lost: 0 or 1. Default {DEFAULT_LOST}.")
    ] = None,
    incidents: Annotated[
        str,
        typer.Option(help='Several losses, one after the other: the regions, such as "1,0".'),
    ] = "",
    cluster_size: Annotated[
        int,
        typer.Option(
            help="Brokers of both regions together, a multiple of 4; of 2 from Camunda 8.6 on."
        ),
    ] = 4,
    camunda: Annotated[
        str, typer.Option(help=f"The version of Camunda: {', '.join(VERSIONS)}.")
    ] = DEFAULT_VERSION,
    until: Annotated[
        Until, typer.Option(help="How far the procedure is rehearsed.")
    ] = Until.RESTORED,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running at the end.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(
            min=10,
            max=1000,
            help=f"Process instances created a second. Default {DEFAULT_RATE:g}; "
            f"{REAL_BROKERS_RATE:g} with brokers of your own.",
        ),
    ] = None,
    interrupt: Annotated[
        bool,
        typer.Option(
            "--interrupt",
            help="Kill every `pulumi up` of the procedure at each gate and release, and run it again.",
        ),
    ] = False,
    back_out: Annotated[
        bool,
        typer.Option(
            "--back-out",
            help="Back out of the failback once, with exporters paused, and begin it again.",
        ),
    ] = False,
    by_pulumi: Annotated[
        bool,
        typer.Option(
            "--by-pulumi", help="Take the turns by plain `pulumi up`, instead of by `dualregion`."
        ),
    ] = False,
    zombie: Annotated[
        bool,
        typer.Option(
            "--zombie",
            help="Cut the region off instead of killing it, and let it come back alive after the failover.",
        ),
    ] = False,
    without_isolation: Annotated[
        bool,
        typer.Option(
            "--without-isolation",
            help="With --zombie: leave the network policies out, which the drill must notice.",
        ),
    ] = False,
    two_operators: Annotated[
        bool,
        typer.Option(
            "--two-operators",
            help="As --zombie, and at the cut each region's operator calls the other region lost.",
        ),
    ] = False,
    late_flush: Annotated[
        bool,
        typer.Option(
            "--late-flush",
            help="Let a broker write its buffers only after the copy was made, which must be refused.",
        ),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Install both regions by plain Helm first, and adopt what runs."
        ),
    ] = False,
    on: Annotated[
        Path | None,
        typer.Option(help="Use clusters that are there already: a settings file, see the docs."),
    ] = None,
    consent: Annotated[
        str,
        typer.Option(help='With --on: contexts whose namespaces may be emptied, "A,B".'),
    ] = "",
    images: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Images of your own for any part: a file, see the docs."),
    ] = None,
    start_delay: Annotated[
        float, typer.Option(help="How many seconds longer each rehearsal broker takes to start.")
    ] = 0.0,
    gateways: Annotated[
        int, typer.Option(help="Gateways of each installation; from 8.8 on each broker is one.")
    ] = 1,
    engine_nodes: Annotated[int, typer.Option(help="Nodes of each search engine, up to 8.8.")] = 1,
    clock_skew: Annotated[
        float,
        typer.Option(
            help="How many seconds the clock of program and command is ahead; below 0, behind."
        ),
    ] = 0.0,
    down: Annotated[
        bool, typer.Option("--down", help="Only take down what an earlier --keep left.")
    ] = False,
) -> None:
    """Rehearse the loss of a region on two real regions on this machine, under load, and judge it.

    Writes out/drill/report.json and out/drill/report.md. Exit status: 0 all checks held, 1 not,
    2 wrong options, 130 interrupted.
    """
    interruption = Interruption()
    console = Output(interruption)
    paths = Paths()
    with ending(console, EXIT_USAGE):
        own = OwnImages.read(images) if images else None
        settings = DrillSettings(
            lost=lost_regions(lost, incidents),
            cluster_size=cluster_size,
            camunda=camunda,
            until=until,
            keep=keep,
            rate=rate or default_rate(own),
            interrupt=interrupt,
            back_out=back_out,
            by_pulumi=by_pulumi,
            zombie=zombie or two_operators,
            without_isolation=without_isolation,
            two_operators=two_operators,
            adopt=adopt,
            on=on,
            consent=consent,
            images=own,
            late_flush=late_flush,
            start_delay=start_delay,
            gateways=gateways,
            engine_nodes=engine_nodes,
            clock_skew=clock_skew,
        )
        if on:
            ForeignSettings.read(on)
    paths.folder.mkdir(parents=True, exist_ok=True)
    with ending(console, EXIT_FAILED), only_one(paths), interruption.by_signals(console):
        _run(settings, paths, console, interruption, only_clear=down)


def _run(
    settings: DrillSettings,
    paths: Paths,
    console: Console,
    interruption: Interruption,
    *,
    only_clear: bool,
) -> None:
    os.environ[MARK] = str(paths.folder)
    (paths.folder / "drill.log").write_text("")
    progress = Progress(console, paths.folder / "drill.log")
    clear(paths, progress)
    if only_clear:
        return
    report = Drill(settings, paths, progress).run(on_teardown=interruption.calm)
    print_closing(report, console)
    if report.reason:
        print_plain(console, f"failed: {report.reason}", style="red")
        print_plain(console, f"logs: {paths.logs}")
    print_plain(console, f"report: {paths.folder / 'report.md'}")
    if settings.keep:
        print_plain(
            console,
            f"all is still up: `. {paths.folder / 'env.sh'}`, then kubectl, or pulumi in {paths.project}; "
            "`python -m drill --down` takes it down",
        )
    if report.result != "passed":
        raise typer.Exit(EXIT_INTERRUPTED if interruption.interrupted else EXIT_FAILED)


if __name__ == "__main__":
    typer.run(main)
