"""What all commands share: where the project is, how errors end, and where output goes."""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli import transcript
from cli.completion import regions, stacks
from cli.errors import Exit, WrongOption
from cli.transcript import Event
from dualregion import brokers
from dualregion.errors import ConfigError, DualRegionError, unforeseen
from dualregion.secrets import without_secrets
from messages import Message, with_code
from messages.command import driving as messages

if TYPE_CHECKING:
    from cli.stacks.project import Project

_CHECKOUT = Path(__file__).resolve().parents[1]
IS_CHECKOUT = (_CHECKOUT / "Pulumi.yaml").exists()
PROJECT = _CHECKOUT if IS_CHECKOUT else Path.cwd()
"""This checkout; installed as a package, the folder in which the command runs."""

SCHEMA_VERSION = 1
"""Of all JSON documents: a key may be added to one, but never removed or changed without another version."""
_ENDLESS = 10_000
"""A width in which nothing is wrapped: what reads a pipe or a log looks for whole names, line by line."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a full disk answers."""

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
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        envvar="DUALREGION_LOG_FILE",
        help="Add a transcript of the run to this file, a JSON document a line, without secrets.",
        dir_okay=False,
    ),
]
StackNames = Annotated[
    str,
    typer.Option(
        "--stacks",
        envvar="DUALREGION_STACKS",
        help="The stacks of both regions, with a comma.",
        autocompletion=stacks,
    ),
]


Lost = Annotated[
    list[str],
    typer.Option(
        "--lost",
        metavar="REGION",
        help="The region that is lost, by its number, 0 or 1, or its name.",
        autocompletion=regions,
    ),
]


def region_of(given: Sequence[str], option: str, names: Callable[[], Sequence[str]]) -> int:
    """Return the region that an option names, by its number or its name.

    :param given: all values that the option was given.
    :param names: reads the names of region 0 and 1; called only if a name was given.
    :raises WrongOption: if there is no such region, or several were named.
    """
    if len(given) != 1:
        raise WrongOption([messages.region_named_twice(option, tuple(given))])
    numbers = {str(each): each for each in range(brokers.REGIONS)}
    if given[0] in numbers:
        return numbers[given[0]]
    named = list(names())
    if given[0] not in named:
        raise WrongOption([messages.region_unknown(given[0], tuple(named))])
    return named.index(given[0])


@dataclass(frozen=True)
class ProjectOptions:
    """The options before the command: the project's folder, and the stacks in it."""

    folder: Path
    stacks: str

    def project(self) -> "Project":
        """Return the project."""
        # It reads Pulumi's Automation API, which `--help` has no need of.
        from cli.stacks.project import Project

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
    """Return where answers go; plain and never wrapped if that is no terminal, plain if NO_COLOR is set."""
    at_terminal = sys.stdout.isatty()
    return Console(highlight=False, width=None if at_terminal else _ENDLESS)


def errors() -> Console:
    """Return where everything else goes."""
    return Console(stderr=True, highlight=False)


@contextmanager
def ending_clearly(failed: Exit = Exit.FAILED, *, as_json: bool = False) -> Iterator[None]:
    """Print the project's errors with their codes, and end with an exit status.

    :param failed: the exit status of an error.
    :param as_json: whether a JSON document was asked for: then the error is one, too.
    """
    # Many requests at once make the HTTP library warn of connections that it does not keep.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        yield
    except DualRegionError as error:
        problems = _problems(error)
        failed = Exit.USAGE if isinstance(error, WrongOption) else failed
    except (typer.Exit, typer.Abort, typer.BadParameter, ModuleNotFoundError):
        # What is missing here is told where the command begins.
        raise
    except Exception as error:
        problems = (_fault(error),)
    else:
        return
    _note(problems)
    _print_error(_listed(problems))
    if as_json:
        print_json({"error": {"problems": [_plain(each) for each in problems]}})
    raise typer.Exit(failed)


def print_error(error: DualRegionError) -> None:
    """Print an error with its code, and add it to the transcript."""
    note_error(error)
    _print_error(with_codes(error))


def note_error(error: DualRegionError) -> None:
    """Add an error to the transcript, a line for each of its problems."""
    _note(_problems(error))


def _note(problems: Sequence[Message]) -> None:
    for each in problems:
        transcript.note(Event.ERROR, each)


def with_codes(error: DualRegionError) -> str:
    """Return an error's sentence and its code behind it; if it has several problems, one a line."""
    return _listed(_problems(error))


def fault(error: BaseException) -> str:
    """Return what is shown of an error that is none of the project's: no trace, and not its text."""
    return with_code(_fault(error))


def _fault(error: BaseException) -> Message:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return messages.no_room_left(os.strerror(error.errno))
    return messages.command_fault(unforeseen(error))


def _problems(error: DualRegionError) -> Sequence[Message]:
    found = error.problems if isinstance(error, ConfigError) else (error.message,)
    return [each.redacted(without_secrets) for each in found]


def _listed(problems: Sequence[Message]) -> str:
    lines = [with_code(each) for each in problems]
    return lines[0] if len(lines) == 1 else "\n- ".join(("several problems:", *lines))


def _plain(problem: Message) -> dict[str, str]:
    return {"code": problem.code, "sentence": str(problem)}


def _print_error(text: str) -> None:
    errors().print(f"error: {text}", style="red", markup=False, soft_wrap=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print a JSON document, with the version of its form and the moment that it is about."""
    typer.echo(json_text(document), nl=False)


def json_text(document: Mapping[str, Any]) -> str:
    """Return a JSON document for people, too, with the version of its form and the moment that it is about."""
    head = {"schemaVersion": SCHEMA_VERSION, "observedAt": datetime.now(UTC).isoformat()}
    return json.dumps(head | dict(document), indent=2) + "\n"
