"""Pulumi's Automation API on the program's own folder, with the user's backend and passphrase.

Whatever Pulumi reports when it fails becomes one message with what to do. The user's selected stack stays what it is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    ConfigValue,
    InvalidVersionError,
    LocalWorkspace,
    OutputMap,
    PulumiCommand,
    Stack,
)
from semver import VersionInfo

from cli.errors import PulumiFailed
from cli.stacks.sources import Source, stack_file
from clients.parallel import begin
from dualregion.errors import ConfigError
from dualregion.secrets import without_secrets
from messages import Message
from messages.command import driving as messages
from messages.command import setting_up

R = TypeVar("R")

PULUMI_VERSION = "3.259.0"
"""The oldest that will do, as `requiredPulumiVersion` in Pulumi.yaml has it."""
_BACKENDS = ("file", "s3", "gs", "azblob", "postgres", "http", "https")
"""What the URL of a state backend begins with."""
_KNOWN_FAILURES = {
    "incorrect passphrase": messages.wrong_passphrase,
    "passphrase must be set": messages.passphrase_missing,
    "PULUMI_ACCESS_TOKEN must be set": messages.not_logged_in,
    "failed to load checkpoint: EOF": messages.checkpoint_empty,
}
"""What Pulumi prints, which has no codes, and the message with a remedy that stands for it."""
_KNOWN_BACKEND_FAILURES = {
    "unable to open state directory": messages.backend_folder_missing,
    "unable to check if bucket": messages.backend_unreachable,
    "(code=": messages.backend_unreachable,
}
"""The same of what keeps Pulumi from its state, whose own words are a part of the message: `(code=` is of each store's."""


class Workspace(LocalWorkspace):
    """A workspace that selects no stack, as each command names its own, and reads no outputs after an update."""

    _given: Mapping[str, str] = {}

    @property
    def env_vars(self) -> Mapping[str, str]:
        """The environment variables of each `pulumi`, on top of this process's."""
        return {**_own_python(), **self._given}

    @env_vars.setter
    def env_vars(self, given: Mapping[str, str]) -> None:
        self._given = given

    def select_stack(self, stack_name: str) -> None:
        """Leave the user's selection alone."""

    def stack_outputs(self, stack_name: str) -> OutputMap:  # noqa: ARG002 (of the Automation API)
        """Return nothing.

        The Automation API asks for them after every update, decrypts them for that, and keeps the operator waiting;
        a stack's outputs are read with its state.
        """
        return {}


class Project:
    """The program in a folder.

    :param folder: holds Pulumi.yaml and the stacks' files.
    :raises ConfigError: if there is no such project.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name, self._source = _read_project(folder)
        self._configurations: dict[str, tuple[Any, Mapping[str, ConfigValue]]] = {}
        # A workspace begins with asking `pulumi` for its version.
        self._workspace = begin(self._opened)

    def _opened(self) -> Workspace:
        with clear_errors():
            # The Automation API's own check names neither version in words that help.
            command = PulumiCommand(skip_version_check=True)
            if command.version is None or command.version < VersionInfo.parse(PULUMI_VERSION):
                found = str(command.version or "of an unknown version")
                raise PulumiFailed(setting_up.pulumi_too_old(found, PULUMI_VERSION))
            return Workspace(work_dir=str(self.folder), pulumi_command=command)

    @property
    def workspace(self) -> Workspace:
        """What the Automation API works on.

        :raises PulumiFailed: if there is no usable `pulumi`.
        """
        return self._workspace.result()

    def configuration(self, stack: str) -> Mapping[str, ConfigValue]:
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
            files = ((self.folder / "Pulumi.yaml").read_bytes(), own)
            return None if "environment" in (yaml.safe_load(own) or {}) else files
        except (OSError, yaml.YAMLError, TypeError):
            return None

    def stack(self, name: str) -> Stack:
        """Return a handle on a stack, without asking whether there is one."""
        return Stack.select(name, self.workspace)

    def state(self, name: str) -> Mapping[str, Any]:
        """Return what a stack's state holds, its secrets encrypted as they are kept.

        The Automation API's own export decrypts them, which takes long and shows what was not asked for.
        """
        argv = ["stack", "export", "--stack", name]
        done = self.workspace.pulumi_command.run(argv, str(self.folder), {})
        found: Mapping[str, Any] = json.loads(done.stdout).get("deployment") or {}
        return found

    def backend(self) -> str:
        """Return the URL of the state backend."""
        named = os.environ.get("PULUMI_BACKEND_URL")
        if named:
            return named
        with clear_errors():
            return self.workspace.who_am_i().url or ""

    def ask(self, stack: str, call: Callable[[], R]) -> R:
        """Call the Automation API for a stack.

        :raises PulumiFailed: with one message; for a stack that is not there, naming those that are.
        """
        try:
            with clear_errors(stack):
                return call()
        except _NoSuchStack:
            known = tuple(each.name for each in self.workspace.list_stacks())
            raise PulumiFailed(messages.stack_missing(stack, self.name, known)) from None


class _NoSuchStack(PulumiFailed):
    pass


@contextmanager
def clear_errors(stack: str = "") -> Iterator[None]:
    """Turn what the Automation API raises into a `PulumiFailed` with one message.

    A lock is left to the caller, which knows what was to be done.
    """
    try:
        yield
    except FileNotFoundError:
        raise PulumiFailed(messages.no_pulumi(PULUMI_VERSION)) from None
    except subprocess.CalledProcessError as error:
        broken = messages.pulumi_does_not_run(error.returncode, PULUMI_VERSION)
        raise PulumiFailed(broken) from None
    except InvalidVersionError as error:
        raise PulumiFailed(messages.pulumi_not_usable(without_secrets(str(error)))) from None
    except ConcurrentUpdateError:
        raise
    except CommandError as error:
        text = str(error)
        if "no stack named" in text:
            raise _NoSuchStack(failure(text)) from None
        found = failure(text)
        raise PulumiFailed(messages.of_stack(stack, found) if stack else found) from None


def failure(text: str) -> Message:
    """Return the message for what a failed Pulumi command prints, with a remedy if one is known."""
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    if backend and urlsplit(backend).scheme not in _BACKENDS:
        return messages.no_backend(without_secrets(backend))
    for printed, known in _KNOWN_FAILURES.items():
        if printed in text:
            return known()
    text = without_secrets(text)
    lines = [line.strip() for line in text.splitlines()]
    errors = [line.partition("error:")[2].strip() for line in lines if "error:" in line]
    reason = next(filter(None, errors), text.strip())
    for printed, of_backend in _KNOWN_BACKEND_FAILURES.items():
        if printed in reason:
            return of_backend(reason)
    return messages.pulumi_failed(reason)


def _read_project(folder: Path) -> tuple[str, Source]:
    """Return the project's name, and its file."""
    file = "Pulumi.yaml"
    try:
        source = Source.read(file, (folder / file).read_bytes())
    except OSError:
        raise ConfigError([messages.project_missing(str(folder))]) from None
    name = source.content.get("name")
    if not isinstance(name, str):
        raise ConfigError([setting_up.project_without_name(file)])
    return name, source


def _own_python() -> Mapping[str, str]:
    """Return the PATH by which Pulumi finds the Python that runs this command, as the program needs the same modules.

    An environment that the operator has activated is left to them.
    """
    if sys.prefix == sys.base_prefix or "VIRTUAL_ENV" in os.environ:
        return {}
    own = str(Path(sys.prefix) / "bin")
    return {"PATH": os.pathsep.join([own, os.environ.get("PATH", os.defpath)])}
