"""The procedure as turns: which step is whose, in order, and what is still ahead.

A second reading of what `dualregion.desired` decides stage by stage, for showing only: what an `up`
really does is the program's decision.
"""

from dataclasses import dataclass

from dualregion import progress
from dualregion.procedure import (
    B0,
    B1,
    B2,
    B3,
    B4,
    B5,
    B6,
    B7,
    F0,
    F1,
    F2,
    F3,
    N,
    Phase,
    Role,
    Step,
)
from runbook.stacks import Both, RegionStack

R = Step("R", "nothing of Camunda is declared in the lost region")
"""Done by the lost region's stack without a gate."""

_FAILOVER = ((Role.SURVIVOR, (F0, F1, F2, F3)), (Role.LOST, (R,)))
_FAILBACK = (
    (Role.SURVIVOR, (B0,)),
    (Role.RECREATED, (B1,)),
    (Role.SURVIVOR, (B2, B3, B4)),
    (Role.RECREATED, (B4,)),
)
_RESTORED = ((Role.RECREATED, (B5,)), (Role.SURVIVOR, (B5,)), (Role.RECREATED, (B6, B7)))


@dataclass(frozen=True)
class Turn:
    """A step of one region."""

    region: int
    step: Step


def turns(phase: Phase, lost: int | None) -> tuple[Turn, ...]:
    """Return every step of a phase, and of the phases that it passes through, in order.

    :param lost: the lost region; has no meaning in phase `normal`.
    """
    if phase is Phase.NORMAL or lost is None:
        return Turn(0, N), Turn(1, N)
    stages = {
        Phase.FAILOVER: _FAILOVER,
        Phase.FAILBACK_PENDING: _FAILBACK,
        Phase.RESTORED: (*_FAILBACK, *_RESTORED),
    }[phase]
    return tuple(
        Turn(1 - lost if role is Role.SURVIVOR else lost, step)
        for role, steps in stages
        for step in steps
    )


def ahead(phase: Phase, lost: int | None, both: Both) -> tuple[Turn, ...]:
    """Return the steps of a phase that are not proved yet."""
    present = incident(phase, lost, both)
    return tuple(turn for turn in turns(phase, lost) if not _is_done(turn, lost, both, present))


def _is_done(turn: Turn, lost: int | None, both: Both, present: progress.Incident | None) -> bool:
    stack = both[turn.region]
    if turn.step == N:
        return N.id in stack.state.held.gates
    if turn.step == R:
        return _is_left(stack, lost)
    return turn.step.id in stack.state.held.proved(present)


def incident(phase: Phase, lost: int | None, both: Both) -> progress.Incident | None:
    """Return the incident that a phase is about, or that it would begin; None in phase `normal`."""
    if phase is Phase.NORMAL or lost is None:
        return None
    survivor, other = both[1 - lost], both[lost]
    settings = survivor.settings.model_copy(update={"phase": phase, "lost_region": lost})
    return progress.current_incident(settings, survivor.state.held, other.state.held)


def _is_left(stack: RegionStack, lost: int | None) -> bool:
    """Whether the lost region's stack was told: it is empty, or its region does not answer."""
    held = stack.state.held
    waits_for_survivor = held.nodes and "does not answer" not in str(
        stack.state.outputs.get("waitingFor")
    )
    return held.phase is Phase.FAILOVER and held.lost_region == lost and not waits_for_survivor
