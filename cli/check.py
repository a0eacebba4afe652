"""A check, what it has found, and the remedy if it fails. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from messages import Message
from messages.command import checks as messages


class Outcome(StrEnum):
    """What a check has found."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """A check and what it has found.

    :ivar name: what must be the case.
    :ivar remedy: what to do; None if it is the case.
    """

    name: Message
    outcome: Outcome
    found: Message | None = None
    remedy: Message | None = None

    @property
    def code(self) -> str:
        """The check's code, for programs; checks of several regions or stacks share it."""
        return self.name.code


def check(
    name: Message,
    problem: Message | None,
    remedy: Message,
    found: Message | None = None,
) -> Check:
    """Return a check that is ok unless there is a problem.

    :param found: what to show if it is ok.
    """
    return failed(name, problem, remedy) if problem else ok(name, found)


def ok(name: Message, found: Message | None = None) -> Check:
    """Return a check that is ok."""
    return Check(name, Outcome.OK, found)


def failed(name: Message, problem: Message, remedy: Message) -> Check:
    """Return a check that has found a problem."""
    return Check(name, Outcome.FAILED, problem, remedy)


def unknown(name: Message, reason: Message, remedy: Message | None = None) -> Check:
    """Return a check that could not be made.

    :param remedy: what to do; unless given, to see to the access.
    """
    return Check(name, Outcome.UNKNOWN, reason, remedy or messages.fix_access())
