"""`dualregion history`."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.common import ProjectOptions, ending_clearly, output, print_json
from cli.report.document import step
from cli.report.record import Entry, IncidentRecord, incidents_of, namespace_of
from cli.stacks.read import Both, Reading, Update, updates
from cli.status.shown.document import update
from cli.status.shown.table import row, table

_SHOWN_UPDATES = 20
"""How many runs of Pulumi are shown at a terminal; `--json` has them all."""

_LONGEST = 240
"""How many letters of a piece of evidence are shown at a terminal."""

Updates = dict[str, tuple[Update, ...]]


def history(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Show the recovery record: incidents, their steps with times and evidence, and the runs of Pulumi.

    It asks the state backend only, so it works without any cluster.

    For example:

        dualregion history

        dualregion history --json | jq '.incidents[-1].steps[] | [.step, .seconds]'
    """
    options: ProjectOptions = context.obj
    with ending_clearly(as_json=as_json):
        project, names = options.project(), options.names()
        stacks = Reading(project, names).stacks()
        runs = {each.name: updates(project, each.name) for each in stacks}
        incidents = incidents_of(stacks)
        if as_json:
            print_json(document(incidents, runs))
        else:
            console = output()
            # At a terminal a list of dozens of names would hide the steps; nothing is lost in a pipe.
            longest = _LONGEST if console.is_terminal else None
            console.print(_screen(incidents, runs, stacks, longest))


def document(incidents: tuple[IncidentRecord, ...], runs: Updates) -> dict[str, Any]:
    """Return the record as a JSON document."""
    return {
        "incidents": [
            {
                "incident": each.name,
                "steps": [step(entry) for entry in each.entries],
                "paused": each.paused and [moment and moment.isoformat() for moment in each.paused],
            }
            for each in incidents
        ],
        "updates": {name: [update(each) for each in found] for name, found in runs.items()},
    }


def _screen(
    incidents: tuple[IncidentRecord, ...], runs: Updates, stacks: Both, longest: int | None
) -> RenderableType:
    names = {each.settings.region: each.settings.own.name for each in stacks}
    parts: list[RenderableType] = [_incident(each, names, longest) for each in incidents]
    if not incidents:
        parts = [Text("no incident so far")]
    return Group(*parts, _updates(runs))


def _incident(record: IncidentRecord, names: dict[int, str], longest: int | None) -> Table:
    found = table(
        f"\nIncident {record.name}{_paused(record)}",
        "step",
        "region",
        "began (UTC)",
        "ended",
        "seconds",
        "evidence",
    )
    for each in record.entries:
        row(
            found,
            each.step,
            names[each.region],
            f"{each.start:%Y-%m-%d %H:%M:%S}",
            f"{each.end:%H:%M:%S}",
            f"{each.seconds:.1f}",
            _evidence(each, longest),
        )
    return found


def _evidence(entry: Entry, longest: int | None) -> str:
    """Return what a step has seen, a line for each thing; of a broker's address its namespace is enough here.

    :param longest: how many letters of a thing are shown; None for all.
    """
    lines = [
        f"{key}: {_cut(str(value), longest)}"
        for key, value in entry.evidence.items()
        if key != "brokers"
    ]
    if entry.brokers:
        seen = (f"{id_} in {namespace_of(host)}" for id_, host in entry.brokers.items())
        lines.insert(0, f"brokers {', '.join(seen)}")
    return "\n".join(lines)


def _cut(text: str, longest: int | None) -> str:
    if longest is None or len(text) <= longest:
        return text
    return f"{text[:longest].rsplit(' ', 1)[0]} ... (all of it: --json)"


def _paused(record: IncidentRecord) -> str:
    if record.paused is None:
        return ""
    began, ended = record.paused
    if ended is None:
        return f", exporters paused since {began:%H:%M:%S}"
    return f", exporters paused for {(ended - began).total_seconds():.0f} s"


def _updates(runs: Updates) -> Table:
    found = table(
        "\nRuns of Pulumi, the latest first", "stack", "began (UTC)", "kind", "result", "message"
    )
    listed = [(each, name) for name, some in runs.items() for each in some]
    for each, name in sorted(listed, key=lambda pair: pair[0].start, reverse=True)[:_SHOWN_UPDATES]:
        row(found, name, f"{each.start:%Y-%m-%d %H:%M:%S}", each.kind, each.result, each.message)
    return found
