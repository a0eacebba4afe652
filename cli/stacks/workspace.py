"""Pulumi's Automation API on the program's own folder, with the user's backend and passphrase.

The user's selected stack stays what it is.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pulumi.automation import LocalWorkspace, OutputMap, PulumiCommand
from semver import VersionInfo

from cli.errors import PulumiFailed
from cli.stacks.failures import PULUMI_VERSION
from messages.command import setting_up


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


def open_workspace(folder: Path) -> Workspace:
    """Return what the Automation API works on; `pulumi` is asked for its version first.

    :raises PulumiFailed: if it is too old.
    """
    # The Automation API's own check names neither version in words that help.
    command = PulumiCommand(skip_version_check=True)
    if command.version is None or command.version < VersionInfo.parse(PULUMI_VERSION):
        found = str(command.version or "of an unknown version")
        raise PulumiFailed(setting_up.pulumi_too_old(found, PULUMI_VERSION))
    return Workspace(work_dir=str(folder), pulumi_command=command)


def _own_python() -> Mapping[str, str]:
    """Return the PATH by which Pulumi finds the Python that runs this command, as the program needs the same modules.

    An environment that the operator has activated is left to them.
    """
    if sys.prefix == sys.base_prefix or "VIRTUAL_ENV" in os.environ:
        return {}
    own = str(Path(sys.prefix) / "bin")
    return {"PATH": os.pathsep.join([own, os.environ.get("PATH", os.defpath)])}
