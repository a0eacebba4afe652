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
    """Where the commands work."""

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
            raise ConfigError(
                [
                    f"--stacks is {self.stacks!r}: two different names are needed, such as region0,region1"
                ]
            )
        return names[0], names[1]


def output() -> Console:
    """Return where answers go; plain if that is no terminal, or NO_COLOR is set."""
    return Console(highlight=False)


def errors() -> Console:
    """Return where everything else goes."""
    return Console(stderr=True, highlight=False)


@contextmanager
def ending_clearly(failed: Exit = Exit.FAILED) -> Iterator[None]:
    """RegionStep the project's errors into one message and an exit status.

    :param failed: the exit status of an error.
    """
    # Many questions at once make the HTTP library warn of connections that it does not keep.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        yield
    except DualRegionError as error:
        text = without_secrets(f"error: {error}".replace("error: - ", "error: ", 1))
        errors().print(text, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(failed) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        errors().print(NOT_FORESEEN.format(unforeseen(error)), style="red", soft_wrap=True)
        raise typer.Exit(failed) from None


NOT_FORESEEN = (
    "error: something that the command did not foresee ({}). Please report it with this line. What it has done stays; "
    "`dualregion status` shows how the regions stand, and the same command goes on"
)
"""What is shown of an error that is none of the project's: no trace, and not its text, which may hold secrets."""


def print_json(document: Any) -> None:
    """Print a JSON document."""
    typer.echo(json.dumps(document, indent=2))
