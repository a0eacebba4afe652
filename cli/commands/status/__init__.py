"""`dualregion status`."""

from typing import Annotated

import typer

from cli.common import ProjectOptions, ending_clearly
from cli.errors import Exit
from cli.metrics.option import PrometheusFile, one_output
from cli.status.patience import PATIENCE_SECONDS

WATCH_SECONDS = 5.0
"""How long after an answer `--watch` looks again, unless it is given; each look costs a few processes of Pulumi."""


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
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1,
            help="With --watch: how long after an answer it is looked again.",
            show_default=str(WATCH_SECONDS),
        ),
    ] = None,
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

        dualregion status --watch --interval 10

        dualregion status --patience 20    # over a slow line

        dualregion status --prometheus /var/lib/node_exporter/dualregion-status.prom
    """
    options: ProjectOptions = context.obj
    if watch and (as_json or prometheus):
        raise typer.BadParameter("--watch excludes --json and --prometheus")
    if interval is not None and not watch:
        raise typer.BadParameter("--interval goes with --watch")
    if short and full:
        raise typer.BadParameter("--short and --full exclude each other")
    one_output(prometheus, as_json)
    # The short answer does without each stack's last update; nothing else does.
    with_last = not short or as_json or prometheus is not None
    with ending_clearly(Exit.CANNOT_TELL, as_json=as_json):
        project, names = options.project(), options.names()
        project.begin_reading(names, with_last=with_last)
        # Only now, as it takes most of a second: `pulumi` is at work meanwhile.
        from cli.commands.status.answering import Answering  # noqa: PLC0415

        answering = Answering(project, names, patience, with_last, short, full, as_json, prometheus)
        if watch:
            answering.again_and_again(interval or WATCH_SECONDS)
            return
        ended = answering.once()
    raise typer.Exit(ended)
