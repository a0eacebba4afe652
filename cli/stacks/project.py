"""The program in its folder, and what is asked of it by `pulumi`.

What is only read is read by a `pulumi` of its own, at once for all: Pulumi's Automation API, which does all else, takes a
third of a second to be imported, and another one to ask for the version.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from cli.errors import PulumiFailed
from cli.stacks.failures import NoSuchStack, ReadingFailed, clear_errors
from cli.stacks.files import Source, stack_file
from clients.parallel import begin
from dualregion.errors import ConfigError
from messages.command import driving as messages
from messages.command import setting_up

if TYPE_CHECKING:
    from pulumi.automation import ConfigValue, Stack

    from cli.stacks.workspace import Workspace

R = TypeVar("R")

PROJECT_FILE = "Pulumi.yaml"
_PAGE_SIZE = 100
"""How many runs of a stack are asked for at once."""


class Project:
    """The program in a folder.

    :param folder: holds Pulumi.yaml and the stacks' files.
    :raises ConfigError: if there is no such project.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name, self._source = read_project(folder)
        self._configurations: dict[str, tuple[Any, Mapping[str, ConfigValue]]] = {}
        self._opening = Lock()
        self._opened: Future[Workspace] | None = None
        self._begun: dict[tuple[str, ...], Future[str]] = {}

    @property
    def workspace(self) -> "Workspace":
        """What the Automation API works on.

        :raises PulumiFailed: if there is no usable `pulumi`.
        """
        with self._opening:
            if self._opened is None:
                self._opened = begin(self._open)
        return self._opened.result()

    def _open(self) -> "Workspace":
        from cli.stacks.workspace import open_workspace  # noqa: PLC0415

        with clear_errors():
            return open_workspace(self.folder)

    def configuration(self, stack: str) -> Mapping[str, "ConfigValue"]:
        """Return a stack's configuration, its secrets in plain.

        `pulumi`, which takes a second for it, is asked again only when one of the files has changed.
        """
        files = self._files(stack)
        held = self._configurations.get(stack)
        if held and files and held[0] == files:
            return held[1]
        found: Mapping[str, ConfigValue] = self.workspace.get_all_config(stack)
        self._configurations[stack] = (files, found)
        return found

    def settings_file(self, stack: str) -> Path:
        """Return where a stack's configuration lies; its name may be that of an organization's.

        That is the project's folder, unless Pulumi.yaml names another one, such as one that several machines share.
        """
        return self.folder / stack_file(self._source, stack)

    def _files(self, stack: str) -> tuple[bytes, bytes] | None:
        """Return all that a configuration is made of; None if more may be, as an environment of Pulumi's."""
        try:
            own = self.settings_file(stack).read_bytes()
            files = ((self.folder / PROJECT_FILE).read_bytes(), own)
            return None if "environment" in (yaml.safe_load(own) or {}) else files
        except (OSError, yaml.YAMLError, TypeError):
            return None

    def stack(self, name: str) -> "Stack":
        """Return a handle on a stack, without asking whether there is one."""
        from pulumi.automation import Stack  # noqa: PLC0415

        return Stack.select(name, self.workspace)

    def begin_reading(self, stacks: Iterable[str], *, with_last: bool) -> None:
        """Begin to read what these stacks hold, and their last updates: it is there, or on its way, when it is asked for."""
        for stack in stacks:
            asked = [_export(stack), *([_history(stack, 1)] if with_last else ())]
            self._begun |= {each: begin(partial(self._run, each)) for each in asked}

    def state(self, name: str) -> Mapping[str, Any]:
        """Return what a stack's state holds, its secrets encrypted as they are kept.

        The Automation API's own export decrypts them, which takes long and shows what was not asked for.
        """
        found: Mapping[str, Any] = json.loads(self._read(_export(name))).get("deployment") or {}
        return found

    def history(self, name: str, latest: int | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the runs of Pulumi on a stack as it keeps them, the latest first.

        :param latest: how many; None for all.
        """
        if latest is not None:
            return self._page(name, latest, 1)
        found: list[Mapping[str, Any]] = []
        for number in count(1):
            page = self._page(name, _PAGE_SIZE, number)
            found += page
            if len(page) < _PAGE_SIZE:
                break
        return found

    def _page(self, stack: str, size: int, number: int) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = json.loads(self._read(_history(stack, size, number)))
        return found

    def backend(self) -> str:
        """Return the URL of the state backend."""
        return os.environ.get("PULUMI_BACKEND_URL") or self._backend_of_login() or self._asked()

    def _backend_of_login(self) -> str | None:
        """Return the backend that `pulumi login` has kept; None if another one may count, or its place starts elsewhere."""
        home = os.environ.get("PULUMI_CREDENTIALS_PATH") or os.environ.get("PULUMI_HOME")
        folder = Path(home or "~/.pulumi").expanduser()
        try:
            found = json.loads((folder / "credentials.json").read_bytes()).get("current")
        except (OSError, ValueError, AttributeError):
            return None
        is_relative = str(found).startswith("file://") and str(found)[7:8] not in ("/", "~")
        return None if "backend" in self._source.content or is_relative else found

    def _asked(self) -> str:
        with clear_errors():
            return self.workspace.who_am_i().url or ""

    def ask(self, stack: str, call: Callable[[], R]) -> R:
        """Ask `pulumi` for something of a stack.

        :raises PulumiFailed: with one message; for a stack that is not there, naming those that are.
        """
        try:
            with clear_errors(stack):
                return call()
        except NoSuchStack:
            known = tuple(each.name for each in self.workspace.list_stacks())
            raise PulumiFailed(messages.stack_missing(stack, self.name, known)) from None

    def _read(self, asked: tuple[str, ...]) -> str:
        begun = self._begun.pop(asked, None)
        return self._run(asked) if begun is None else begun.result()

    def _run(self, asked: tuple[str, ...]) -> str:
        """Run a `pulumi` that only reads; return what it prints.

        It is not asked for its version before: an older one may do. If it fails, whatever keeps each `pulumi` from its
        work is reported first.
        """
        done = subprocess.run(
            ["pulumi", *asked],
            cwd=self.folder,
            env={**os.environ, "PULUMI_AUTOMATION_API": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        _ = self.workspace
        raise ReadingFailed(f"{done.stdout}\n{done.stderr}")


def _export(stack: str) -> tuple[str, ...]:
    return ("--non-interactive", "stack", "export", "--stack", stack)


def _history(stack: str, size: int, number: int = 1) -> tuple[str, ...]:
    """Return how a page of a stack's runs is asked for; without a size Pulumi names the last ten, and does not tell."""
    page = ("--page-size", str(size), "--page", str(number))
    return ("--non-interactive", "stack", "history", "--json", *page, "--stack", stack)


def read_project(folder: Path) -> tuple[str, Source]:
    """Return the project's name, and its file."""
    try:
        source = Source.read(PROJECT_FILE, (folder / PROJECT_FILE).read_bytes())
    except OSError:
        raise ConfigError([messages.project_missing(str(folder))]) from None
    name = source.content.get("name")
    if not isinstance(name, str):
        raise ConfigError([setting_up.project_without_name(PROJECT_FILE)])
    return name, source
