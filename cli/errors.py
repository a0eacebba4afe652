"""What the command tells its user in one sentence, and the exit statuses."""

from enum import IntEnum

from dualregion.errors import DualRegionError


class PulumiFailed(DualRegionError):
    """Pulumi refused, or could not be asked."""


class Stopped(DualRegionError):
    """The operator has stopped the command; what is done is done, and the same command goes on."""


class HookFailed(DualRegionError):
    """A hook of the user's own failed that is required; what is done stays.

    :ivar hook: its key in the section `hooks`.
    """

    def __init__(self, hook: str, text: str) -> None:
        self.hook = hook
        super().__init__(text)


class Exit(IntEnum):
    """How the command ends. Usage errors end with 2, an interrupt with 130."""

    HEALTHY = 0
    FAILED = 1
    INTERRUPTED = 130
    MID_PROCEDURE = 10
    DEGRADED = 11
    UNSAFE = 12
    CANNOT_TELL = 13
