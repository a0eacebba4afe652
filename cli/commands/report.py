"""`dualregion report`."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.common import ProjectOptions, ending_clearly, json_text, output
from cli.report.account import Account
from cli.report.document import document
from cli.report.markdown import markdown
from cli.report.page import page
from cli.report.record import IncidentRecord, incidents_of
from cli.report.runs import runs_of
from cli.stacks.read import Reading, updates
from dualregion.errors import ConfigError
from messages import with_code
from messages.command import driving as messages
from messages.command import report as report_messages


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


_ENDINGS = {".md": Format.MARKDOWN, ".markdown": Format.MARKDOWN, ".json": Format.JSON}
_FILES = {Format.HTML: "report.html", Format.MARKDOWN: "report.md", Format.JSON: "report.json"}
_WRITERS: dict[Format, Callable[[Account], str]] = {
    Format.HTML: page,
    Format.MARKDOWN: markdown,
    Format.JSON: lambda account: json_text(document(account)),
}
_STDOUT = Path("-")


def _moment(given: str) -> datetime:
    """Read a time of ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(with_code(report_messages.no_moment(given))) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def report(
    context: typer.Context,
    incident: Annotated[
        str, typer.Argument(help="Its name, such as 1-region1-lost, or its number, or `last`.")
    ] = "last",
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file that is written, or - for standard output.",
            show_default="report.html, or as --format asks",
            dir_okay=False,
            allow_dash=True,
        ),
    ] = None,
    as_format: Annotated[
        Format | None,
        typer.Option("--format", help="What is written.", show_default="by the file's ending"),
    ] = None,
    lost_at: Annotated[
        datetime | None,
        typer.Option(
            help="When the region was lost: the stacks do not know it. UTC, unless it has a zone.",
            metavar="TIME",
            parser=_moment,
        ),
    ] = None,
    ticket: Annotated[
        str, typer.Option(help="The incident's ticket, if not as `--ticket` of its runs named it.")
    ] = "",
) -> None:
    """Write an incident's report: records lost, who and when, timeline, runs, steps with evidence, topology.

    Something to attach to the post-mortem: one self-contained page, or Markdown for a wiki, or JSON. It asks the
    state backend only.

    For example:

        dualregion report

        dualregion report last --output report.md

        dualregion report 1-region1-lost --lost-at 2026-11-23T03:12Z --ticket INC-4711 -o report.html

        dualregion report --format json --output - | jq .recordsLost
    """
    options: ProjectOptions = context.obj
    written = as_format or _ENDINGS.get((out or Path()).suffix.lower(), Format.HTML)
    with ending_clearly(as_json=written is Format.JSON and out == _STDOUT):
        account = _account(options, incident, lost_at, ticket)
        _write(out or Path(_FILES[written]), _WRITERS[written](account), account)


def _account(
    options: ProjectOptions, incident: str, lost_at: datetime | None, ticket: str
) -> Account:
    project, names = options.project(), options.names()
    stacks = Reading(project, names).stacks()
    known = incidents_of(stacks)
    record = chosen(incident, known)
    runs = {each.name: updates(project, each.name) for each in stacks}
    return Account(
        record,
        {each.settings.region: each.settings.own.name for each in stacks},
        datetime.now(UTC),
        lost_at,
        ticket,
        runs_of(record, known, runs),
        {each.name: each.state.versions for each in stacks},
    )


def _write(out: Path, text: str, account: Account) -> None:
    if out == _STDOUT:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([messages.page_not_written(str(out), reason)]) from None
    console = output()
    console.print(f"{out}: incident {account.record.name}", markup=False, soft_wrap=True)
    console.print(str(account.records_lost.message), markup=False, soft_wrap=True)


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
