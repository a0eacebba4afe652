"""What must be asked before it is done, as it cannot be undone. Pure."""

from collections.abc import Sequence

from dualregion import brokers
from dualregion.procedure import B2, B3, B5
from runbook.judgement import Status
from runbook.turns import R, Turn


def may_be_irreversible(turns: Sequence[Turn], lost: int | None) -> bool:
    """Return whether it has to be looked closer: something of the next `up` may not be undone.

    :param turns: the steps of that `up`.
    """
    return lost is not None and any(turn.step in (R, B2, B3, B5) for turn in turns)


def irreversible(turns: Sequence[Turn], lost: int | None, status: Status) -> str | None:
    """Return what of the next `up` cannot be undone, as a question; None if all of it can.

    :param turns: the steps of that `up`.
    """
    if lost is None:
        return None
    regions = status.stacks[0].settings.regions
    survivor = regions[brokers.other(lost)]
    steps = [turn.step for turn in turns]
    if R in steps and status.sights[lost].silence is None and status.sights[lost].seen:
        return (
            f"region {regions[lost].name} still answers: delete its release and namespace "
            f"{regions[lost].namespace}, with all claims and volumes?"
        )
    if B2 in steps or B3 in steps:
        return (
            f"stop Operate and Tasklist, pause all exporters, and restore a snapshot into the search engine of "
            f"{regions[lost].namespace}, deleting what an earlier attempt left there?"
        )
    if B5 in steps and turns[0].region != lost:
        return (
            f"resume exporting and delete the failover installation, release and namespace {survivor.failover} with "
            "its search engine? After that the failback cannot be backed out of"
        )
    return None
