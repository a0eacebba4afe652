"""The errors of the command's own, and its exit statuses. It stands on no module that may be missing."""

import sys
from enum import IntEnum

from dualregion.errors import ConfigError, DualRegionError
from messages import Message, with_code
from messages.command.setting_up import module_missing


class PulumiFailed(DualRegionError):
    """Pulumi failed, or could not be run."""


class WrongOption(ConfigError):
    """An option's value is of no use; that is found out only after the project was read."""


class Stopped(DualRegionError):
    """The operator has stopped the command; completed steps are kept, and the same command continues."""


class HookFailed(DualRegionError):
    """A hook of the user's own failed that is required; completed steps are kept.

    :ivar hook: its key in the section `hooks`.
    """

    def __init__(self, hook: str, message: Message) -> None:
        self.hook = hook
        super().__init__(message)


class Exit(IntEnum):
    """How the command ends."""

    HEALTHY = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130
    MID_PROCEDURE = 10
    DEGRADED = 11
    UNSAFE = 12
    CANNOT_TELL = 13


def missing(error: ModuleNotFoundError) -> str:
    """Return what is shown if a module is not installed."""
    named = str(error.name).partition(".")[0]
    return f"error: {with_code(module_missing(named, sys.executable))}"
