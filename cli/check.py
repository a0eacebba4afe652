"""A check, what it has found, and the remedy if it fails. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a check has found."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """A check and what it has found.

    :ivar remedy: what to do; empty if it holds.
    """

    name: str
    outcome: Outcome
    found: str = ""
    remedy: str = ""


def check(name: str, problem: str | None, remedy: str, found: str = "") -> Check:
    """Return a check that holds unless there is a problem."""
    if problem:
        return Check(name, Outcome.FAILED, problem, remedy)
    return Check(name, Outcome.OK, found)


def unknown(name: str, why: str) -> Check:
    """Return a check that could not be made."""
    return Check(name, Outcome.UNKNOWN, why, "see to it that this can be asked")
