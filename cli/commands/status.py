"""`dualregion status`."""

import time
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from cli.commands.common import ProjectOptions, ending_clearly, output, print_json, with_codes
from cli.errors import Exit
from cli.stacks.project import Project
from cli.status.document import document
from cli.status.health import Health
from cli.status.looking import look
from cli.status.observe import PATIENCE_SECONDS
from cli.status.table import screen
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
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    patience: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, help="How long what does not answer is waited for."),
    ] = PATIENCE_SECONDS,
) -> None:
    """Show the state of both regions: phase, progress, next step, brokers, partitions, exporters, web apps.

    It changes nothing, and answers also when a region does not. What is unknown has its reason.

    Exit status: 0 healthy, 10 in the middle of the procedure, 11 degraded, 12 unsafe, 13 unknown;
    2 wrong options.

    For example:

        dualregion status

        dualregion status --json | jq .next

        dualregion status --watch

        dualregion status --patience 20    # over a slow line
    """
    options: ProjectOptions = context.obj
    if watch and as_json:
        raise typer.BadParameter("--watch and --json exclude each other")
    with ending_clearly(Exit.CANNOT_TELL):
        project, names = options.project(), options.names()
        if watch:
            _watch(project, names, patience)
            return
        found = look(project, names, patience)
        if as_json:
            print_json(document(found))
        else:
            output().print(screen(found))
    raise typer.Exit(EXITS[found.health])


def _watch(project: Project, names: tuple[str, str], patience: float) -> None:
    """Show the status again and again until Ctrl-C; after an error, too."""
    try:
        with Live(console=output(), screen=output().is_terminal, auto_refresh=False) as live:
            while True:
                live.update(_shown(project, names, patience), refresh=True)
                time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return


def _shown(project: Project, names: tuple[str, str], patience: float) -> RenderableType:
    try:
        return screen(look(project, names, patience))
    except DualRegionError as error:
        return Text(f"error: {with_codes(error)}", "red")
