"""The command `dualregion`."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli import transcript
from cli.common import (
    PROJECT,
    LogFile,
    ProjectFolder,
    ProjectOptions,
    StackNames,
    fault,
    with_codes,
)
from cli.errors import Exit, missing
from cli.lazy import LazyGroup
from cli.signature import signature
from cli.stacks.names import DEFAULT_STACKS
from dualregion import VERSION
from dualregion.errors import ConfigError


class Commands(LazyGroup):
    """The commands of `dualregion`, in the order in which the help lists them."""

    MODULES = {  # noqa: RUF012 (of the class)
        "In an incident": {
            "status": "cli.commands.status",
            "plan": "cli.commands.plan",
            "failover": "cli.commands.transitions",
            "failback": "cli.commands.transitions",
            "explain": "cli.commands.explain",
        },
        "Before and after one": {
            "preflight": "cli.commands.preflight",
            "history": "cli.commands.history",
            "report": "cli.commands.report",
        },
        "Setting up": {
            "init": "cli.commands.init",
            "config": "cli.commands.config",
            "install": "cli.commands.transitions",
            "dns": "cli.commands.dns",
            "rights": "cli.commands.rights",
            "notify": "cli.commands.notify",
        },
    }


app = typer.Typer(
    name="dualregion",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    epilog="An error ends with its code in brackets, such as [stack-locked]: `dualregion explain stack-locked`.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"dualregion {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    folder: ProjectFolder = PROJECT,
    stacks: StackNames = DEFAULT_STACKS,
    log_file: LogFile = None,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Camunda 8 in two regions: their state, and the way through the loss of one.

    Everything it does can be done with plain `pulumi`, too. It uses your Pulumi backend, passphrase and
    kubeconfig, and holds no state of its own. See docs/reference/command.md.
    """
    context.obj = ProjectOptions(folder, stacks)
    if log_file is not None:
        _begin_transcript(log_file, context.invoked_subcommand or "")


def _begin_transcript(file: Path, command: str) -> None:
    try:
        transcript.begin(file, command, sys.argv[1:], version=VERSION, who=signature())
    except ConfigError as error:
        raise typer.BadParameter(with_codes(error), param_hint="--log-file") from None


def run() -> NoReturn:
    """Run the command, and end the process at once.

    Threads that still wait for an unreachable region, or belong to Pulumi's Automation API, would take part in
    Python's own shutdown, which then may abort and hide the exit status.
    """
    status: object = Exit.HEALTHY
    try:
        app(prog_name="dualregion")
    except SystemExit as ended:
        status = ended.code
    except ModuleNotFoundError as error:
        print(missing(error), file=sys.stderr)
        status = Exit.FAILED
    except Exception as error:
        print(f"error: {fault(error)}", file=sys.stderr)
        status = Exit.FAILED
    ended_with = _number(status)
    transcript.end(ended_with)
    with suppress(BrokenPipeError):  # the reader has ended, as `head` does
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(ended_with)


def _number(status: object) -> int:
    """Return what the process ends with, of what `SystemExit` was given."""
    if isinstance(status, int):
        return status
    return Exit.HEALTHY if status is None else Exit.FAILED


if __name__ == "__main__":
    run()
