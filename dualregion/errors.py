"""Every error that a user of the program can meet; each message says what, where and what to do."""

from collections.abc import Sequence
from pathlib import Path

from messages import Message
from messages import errors as messages

_PROJECT = Path(__file__).parent.parent


class DualRegionError(Exception):
    """Root of all errors that are meant for the user's eyes; its text is the message's sentence."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)

    @property
    def code(self) -> str:
        """The message's code, for programs."""
        return self.message.code


class ConfigError(DualRegionError):
    """The configuration is not usable.

    :ivar problems: one message for each problem found, so that all can be fixed at once.
    """

    def __init__(self, problems: Sequence[Message]) -> None:
        self.problems = tuple(problems)
        only = self.problems[0] if len(self.problems) == 1 else None
        super().__init__(only or messages.several_problems(self.problems))

    @property
    def codes(self) -> tuple[str, ...]:
        """The problems' codes, for programs."""
        return tuple(each.code for each in self.problems)


class Refused(DualRegionError):
    """The step would be unsafe in the state the clusters are in; nothing was changed."""


class ClusterUnreachable(DualRegionError):
    """The API server of a region does not answer."""


class CredentialsDemanded(DualRegionError):
    """A gateway, broker or search engine demands credentials that the program does not have: no waiting helps."""


class DeadlineExceeded(DualRegionError):
    """A gate waited for its whole deadline; running the same command again continues the wait."""


class ProgramFault(DualRegionError):
    """What the program was about to declare contradicts itself; nothing was changed."""


class BackendError(DualRegionError):
    """The state backend does not answer."""


def unforeseen(error: BaseException) -> str:
    """Return what may be shown of an error that is none of ours: its class and where it arose.

    Its text may hold anything, a token or a password too.
    """
    places, trace = [], error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(_PROJECT) and "site-packages" not in path.parts:
            places.append(f"{path.relative_to(_PROJECT)}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " at ".join([type(error).__name__, *places[-1:]])
