"""`dualregion report`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.common import ProjectOptions, ending_clearly, output
from cli.report.page import page
from cli.report.record import IncidentRecord, incidents_of
from cli.stacks.read import Reading
from dualregion.errors import ConfigError
from messages.command import driving as messages


def report(
    context: typer.Context,
    incident: Annotated[
        str, typer.Argument(help="Its name, such as 1-region1-lost, or its number, or `last`.")
    ],
    out: Annotated[
        Path, typer.Option("--output", "-o", help="The page that is written.", dir_okay=False)
    ] = Path("report.html"),
    lost_at: Annotated[
        datetime | None,
        typer.Option(
            help="When the region was lost, in UTC: the stacks do not know it.",
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"],
        ),
    ] = None,
) -> None:
    """Write an incident's report as one self-contained page: timeline, steps with evidence, topology.

    Something to attach to the post-mortem. It asks the state backend only.

    For example:

        dualregion report last -o report.html

        dualregion report 1-region1-lost --lost-at "2026-11-23 03:12" -o report.html
    """
    options: ProjectOptions = context.obj
    with ending_clearly():
        stacks = Reading(options.project(), options.names()).stacks()
        record = chosen(incident, incidents_of(stacks))
        names = {each.settings.region: each.settings.own.name for each in stacks}
        lost = lost_at and lost_at.replace(tzinfo=UTC)
        try:
            out.write_text(page(record, names, datetime.now(UTC), lost), encoding="utf-8")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError([messages.page_not_written(str(out), reason)]) from None
        output().print(f"{out}: incident {record.name}", markup=False, soft_wrap=True)


def chosen(incident: str, known: tuple[IncidentRecord, ...]) -> IncidentRecord:
    """Return the incident that was meant.

    :raises ConfigError: if there is none, naming those that there are.
    """
    if incident == "last" and known:
        return known[-1]
    for each in known:
        if incident in (each.name, each.name.split("-")[0]):
            return each
    names = tuple(each.name for each in known)
    raise ConfigError([messages.incident_not_known(incident, names)])
