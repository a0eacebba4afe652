"""`dualregion config check`, and `dualregion config schema`."""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli import transcript
from cli.checks import configuration
from cli.checks.configuration import Remark
from cli.common import ProjectOptions, ending_clearly, output, print_json
from cli.errors import Exit
from cli.transcript import Event
from dualregion.config import schema as schemas
from messages import with_code
from messages.command import setting_up as messages

app = typer.Typer(no_args_is_help=True)


class Document(StrEnum):
    """The files that there are schemas of."""

    PROJECT = "project"
    STACK = "stack"


@app.callback()
def config() -> None:
    """Check the configuration of both stacks by their files, or print its JSON schema for an editor."""


@app.command()
def check(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Check the configuration of both stacks: every problem at once, each with its place and what is allowed.

    It reads the files alone: no Pulumi, state backend, passphrase or cluster is needed. What is encrypted, or comes
    from Pulumi ESC, is not judged.

    Exit status: 0 nothing is wrong, perhaps with advice; 1 something is.

    For example:

        dualregion config check

        dualregion -C my-project config check --json | jq -r '.problems[].code'
    """
    options: ProjectOptions = context.obj
    with ending_clearly(as_json=as_json):
        names = options.names()
        found = configuration.check(options.folder, names, os.environ)
        problems = [each for each in found if not each.is_advice]
        if as_json:
            advice = [_plain(each) for each in found if each.is_advice]
            print_json({"problems": [_plain(each) for each in problems], "advice": advice})
        else:
            _show(found, names)
    raise typer.Exit(Exit.FAILED if problems else Exit.HEALTHY)


@app.command()
def schema(
    file: Annotated[Document, typer.Argument(help="Of which file.")] = Document.STACK,
) -> None:
    """Print the JSON schema of `Pulumi.<stack>.yaml`, or of `Pulumi.yaml`, for an editor.

    For example:

        dualregion config schema project > Pulumi.schema.json
    """
    # No document of the command's: a schema has keys of its own.
    typer.echo(
        json.dumps(
            schemas.of_project() if file is Document.PROJECT else schemas.of_stack(), indent=2
        )
    )


def _plain(remark: Remark) -> Mapping[str, Any]:
    place = remark.place
    return {
        "code": remark.message.code,
        "problem": remark.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "stacks": list(remark.stacks),
    }


def _show(found: tuple[Remark, ...], stacks: tuple[str, str]) -> None:
    """Show each remark on a line that begins with its place, as compilers do: editors find it by that."""
    console = output()

    def show(text: str, style: str) -> None:
        console.print(text, style=style, markup=False, soft_wrap=True)

    for each in sorted(found, key=lambda each: each.is_advice):
        transcript.note(Event.LINE, each.message, stacks=each.stacks)
        place = f"{each.place}: " if each.place else ""
        kind, style = ("advice: ", "yellow") if each.is_advice else ("", "red")
        show(f"{place}{kind}{with_code(each.message)}", style)
    count = sum(not each.is_advice for each in found)
    if count:
        show(messages.problems_found(count), "bold")
    else:
        show(messages.configuration_well(stacks), "green")
