"""The steps of both stacks in order, read from the procedure's table, and what is still ahead.

What an `up` really does is the program's decision, `dualregion.decision.desired`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cli.stacks.read import Both, RegionStack
from dualregion import brokers
from dualregion.procedure import N, Phase, Procedure, R, Role, Step
from dualregion.procedure.waits import Awaited
from dualregion.state import progress


@dataclass(frozen=True)
class RegionStep:
    """A step of one region."""

    region: int
    step: Step

    @property
    def id(self) -> str:
        """Its id, such as `F1`."""
        return self.step.id

    @property
    def title(self) -> str:
        """What is true once it is proved."""
        return self.step.title


def steps_of(procedure: Procedure, phase: Phase, lost: int | None) -> tuple[RegionStep, ...]:
    """Return every step of a phase, and of the phases that it passes through, in order.

    :param lost: the lost region; has no meaning in phase `normal`.
    """
    return tuple(
        RegionStep(region, step)
        for turn in procedure.passed_in(Phase.NORMAL if lost is None else phase)
        for region in _regions(turn.role, lost)
        for step in turn.steps
    )


def _regions(role: Role, lost: int | None) -> Iterable[int]:
    """Return the regions that have a role."""
    if role is Role.MEMBER or lost is None:
        return range(brokers.REGIONS)
    return (brokers.other(lost) if role is Role.SURVIVOR else lost,)


def stops_of(procedure: Procedure, phases: Iterable[Phase], lost: int) -> tuple[Step, ...]:
    """Return the steps with which an `up` of these phases ends: steps within one depend on each other."""
    ends = []
    for phase in phases:
        every = steps_of(procedure, phase, lost)
        following = (*every[1:], None)
        ends += [
            each.step
            for each, after in zip(every, following, strict=True)
            if after is None or after.region != each.region
        ]
    return tuple(dict.fromkeys(ends))


def ahead(phase: Phase, lost: int | None, both: Both) -> tuple[RegionStep, ...]:
    """Return the steps of a phase that are not proved yet."""
    present, procedure = incident(phase, lost, both), both[0].settings.procedure
    return tuple(
        each
        for each in steps_of(procedure, phase, lost)
        if not _is_done(each, phase, lost, both, present)
    )


def _is_done(
    step: RegionStep, phase: Phase, lost: int | None, both: Both, present: progress.Incident | None
) -> bool:
    stack = both[step.region]
    if step.id == N.id:
        return N.id in stack.state.held.gates
    if step.id == R.id:
        return _is_left(stack, lost)
    if stack.state.held.has_ended(present):
        return True
    return step.id in stack.state.held.counted(phase, present)[0]


def incident(phase: Phase, lost: int | None, both: Both) -> progress.Incident | None:
    """Return the incident that a phase is about, or that it would begin; None in phase `normal`."""
    if phase is Phase.NORMAL or lost is None:
        return None
    survivor, other = both[1 - lost], both[lost]
    settings = survivor.settings.model_copy(update={"phase": phase, "lost_region": lost})
    return progress.current_incident(settings, survivor.state.held, other.state.held)


def _is_left(stack: RegionStack, lost: int | None) -> bool:
    """Whether step R is done: the lost region's stack is empty, or its cluster is unreachable."""
    held = stack.state.held
    # A stack that an older version of the program has updated last has no code: its next `up` gives it one.
    is_left = not held.nodes or stack.state.awaited is Awaited.REACHABLE
    return held.phase is Phase.FAILOVER and held.lost_region == lost and is_left
