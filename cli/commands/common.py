"""What all commands share: where the project is, how errors end, and where output goes."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.errors import Exit
from cli.stacks.project import Project
from dualregion.errors import ConfigError, DualRegionError, unforeseen
from dualregion.secrets import without_secrets
from messages import with_code
from messages.command import driving as messages

_CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = _CHECKOUT if (_CHECKOUT / "Pulumi.yaml").exists() else Path.cwd()
"""This checkout; installed as a package, the folder in which the command runs."""

ProjectFolder = Annotated[
    Path,
    typer.Option(
        "--project",
        "-C",
        envvar="DUALREGION_PROJECT",
        help="Folder of the Pulumi project.",
        show_default="this checkout, or else the current folder",
        exists=True,
        file_okay=False,
    ),
]
StackNames = Annotated[
    str,
    typer.Option(
        "--stacks", envvar="DUALREGION_STACKS", help="The stacks of both regions, with a comma."
    ),
]


@dataclass(frozen=True)
class ProjectOptions:
    """The options before the command: the project's folder, and the stacks in it."""

    folder: Path
    stacks: str

    def project(self) -> Project:
        """Return the project."""
        return Project(self.folder)

    def names(self) -> tuple[str, str]:
        """Return both stacks' names.

        :raises ConfigError: if there are not two.
        """
        names = [name.strip() for name in self.stacks.split(",") if name.strip()]
        if len(set(names)) != 2:
            raise ConfigError([messages.two_stacks_needed(self.stacks)])
        return names[0], names[1]


def output() -> Console:
    """Return where answers go; plain if that is no terminal, or NO_COLOR is set."""
    return Console(highlight=False)


def errors() -> Console:
    """Return where everything else goes."""
    return Console(stderr=True, highlight=False)


@contextmanager
def ending_clearly(failed: Exit = Exit.FAILED) -> Iterator[None]:
    """Print the project's errors with their codes, and end with an exit status.

    :param failed: the exit status of an error.
    """
    # Many requests at once make the HTTP library warn of connections that it does not keep.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        yield
    except DualRegionError as error:
        _print_error(with_codes(error))
        raise typer.Exit(failed) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        _print_error(fault(error))
        raise typer.Exit(failed) from None


def with_codes(error: DualRegionError) -> str:
    """Return an error's sentence and its code behind it; if it has several problems, one a line."""
    problems = error.problems if isinstance(error, ConfigError) else (error.message,)
    lines = [without_secrets(with_code(each)) for each in problems]
    return lines[0] if len(lines) == 1 else "\n- ".join(("several problems:", *lines))


def fault(error: BaseException) -> str:
    """Return what is shown of an error that is none of the project's: no trace, and not its text."""
    return with_code(messages.command_fault(unforeseen(error)))


def _print_error(text: str) -> None:
    errors().print(f"error: {text}", style="red", markup=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print a JSON document."""
    typer.echo(json.dumps(document, indent=2))
