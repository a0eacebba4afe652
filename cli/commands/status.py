"""`dualregion status`."""

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from cli import transcript
from cli.common import ProjectOptions, ending_clearly, output, print_json, with_codes
from cli.errors import Exit
from cli.metrics.families import Command
from cli.metrics.found import of_status
from cli.metrics.textfile import PrometheusFile, exported, one_output
from cli.status.health import Health, Status
from cli.status.looking import look
from cli.status.observed.observe import PATIENCE_SECONDS
from cli.status.shown import table
from cli.status.shown.document import document
from cli.transcript import Event
from dualregion.errors import DualRegionError

EXITS = {
    Health.HEALTHY: Exit.HEALTHY,
    Health.MID_PROCEDURE: Exit.MID_PROCEDURE,
    Health.DEGRADED: Exit.DEGRADED,
    Health.UNSAFE: Exit.UNSAFE,
    Health.CANNOT_TELL: Exit.CANNOT_TELL,
}
WATCH_SECONDS = 5.0
"""How long after an answer `--watch` looks again; each look costs a few processes of Pulumi."""


def status(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    short: Annotated[
        bool, typer.Option("--short", help="The verdict, whether Camunda works, and what is next.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="All tables, also at a terminal with no room for them.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    patience: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, help="How long what does not answer is waited for."),
    ] = PATIENCE_SECONDS,
    prometheus: PrometheusFile = None,
) -> None:
    """Show whether Camunda works, the state of both regions, and what is next.

    It changes nothing, and answers also when a region does not. What is unknown has its reason. At a terminal the
    tables that have no room in the window are left out, unless `--full` asks for them.

    Exit status: 0 healthy, 10 in the middle of the procedure, 11 degraded, 12 unsafe, 13 unknown;
    2 wrong options.

    For example:

        dualregion status

        dualregion status --short

        dualregion status --json | jq .next

        dualregion status --watch

        dualregion status --patience 20    # over a slow line

        dualregion status --prometheus /var/lib/node_exporter/dualregion-status.prom
    """
    options: ProjectOptions = context.obj
    if watch and (as_json or prometheus):
        raise typer.BadParameter("--watch excludes --json and --prometheus")
    if short and full:
        raise typer.BadParameter("--short and --full exclude each other")
    one_output(prometheus, as_json)
    show = table.short if short else partial(table.screen, full=full)
    with ending_clearly(Exit.CANNOT_TELL, as_json=as_json):
        project, names = options.project(), options.names()
        if watch:
            _watch(lambda: show(look(project, names, patience)))
            return
        with exported(prometheus, Command.STATUS, project, names) as metrics:
            found = look(project, names, patience)
            metrics.add(of_status(found), EXITS[found.health])
        _note(found)
        if as_json:
            print_json(document(found))
        elif not metrics.replaces_output:
            # What is to be typed stays in one piece, however long it is.
            output().print(show(found), crop=False)
    raise typer.Exit(EXITS[found.health])


def _note(found: Status) -> None:
    """Add what was seen to the transcript."""
    transcript.note(Event.HEALTH, health=found.health, phase=found.phase, incident=found.incident)
    for each in found.findings:
        transcript.note(Event.FINDING, each.message, health=each.health)
    if found.next is not None:
        following = found.next.dualregion or found.next.command
        transcript.note(Event.NEXT, found.next.what, turn=found.next.who, type=following)


def _watch(look_at_all: Callable[[], RenderableType]) -> None:
    """Show the status again and again until Ctrl-C; after an error, too."""
    console = output()
    try:
        with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                live.update(_shown(look_at_all), refresh=True)
                time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return


def _shown(look_at_all: Callable[[], RenderableType]) -> RenderableType:
    try:
        return look_at_all()
    except DualRegionError as error:
        return Text(f"error: {with_codes(error)}", "red")
