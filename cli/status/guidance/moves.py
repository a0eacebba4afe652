"""Which phase is set next, and which moves are refused. Pure.

The program itself refuses what is unsafe. These refusals come earlier, and know what the operator wanted.
"""

from collections.abc import Sequence

from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import ahead, incident
from dualregion import brokers
from dualregion.errors import Refused
from dualregion.procedure import FAILBACK_STEPS, Phase
from dualregion.state import claims
from messages import Message
from messages.command import driving as messages

FAILBACK = (Phase.FAILBACK_PENDING, Phase.RESTORED, Phase.NORMAL)
"""The phases that a failback passes through."""


def failover_phases(lost: int, stacks: Both) -> Sequence[Phase]:
    """Return the phases of a failover.

    :raises Refused: if another incident is under way, or the failback of this one is past the point.
    """
    other = brokers.other(lost)
    accepted = stacks[other].settings.accept_loss is not None
    if _is_under_way(other, stacks) and not accepted:
        way_on = _way_on(other, stacks)
        raise Refused(
            messages.incident_under_way(
                other, _name(other, stacks), lost, _name(lost, stacks), way_on
            )
        )
    survivor = stacks[other].settings.model_copy(
        update={"phase": Phase.FAILOVER, "lost_region": lost}
    )
    if problem := claims.against_failover(
        survivor, stacks[other].state.held, stacks[lost].state.held
    ):
        raise Refused(problem)
    if is_past_the_point(lost, stacks) and ahead(Phase.RESTORED, lost, stacks):
        step = survivor.procedure.no_return.id
        raise Refused(messages.past_no_return(lost, _name(lost, stacks), step))
    return (Phase.FAILOVER,)


def backs_out(lost: int, stacks: Both) -> bool:
    """Return whether a failover now backs out of a failback that is under way."""
    return any(
        each.settings.phase.is_failback and each.settings.lost_region == lost for each in stacks
    ) and not is_past_the_point(lost, stacks)


def failback_lost(stacks: Both) -> int:
    """Return the region that a failback brings back.

    :raises Refused: if no failover has been made.
    """
    for lost in range(brokers.REGIONS):
        survivor = stacks[brokers.other(lost)].state.held
        if survivor.has_taken_over(lost) or _has_begun_failback(lost, stacks):
            return lost
    failing_over = [each.settings for each in stacks if each.settings.phase is Phase.FAILOVER]
    begun = next((each.lost_region for each in failing_over if each.lost_region is not None), None)
    if begun is not None:
        step = stacks[0].settings.procedure.taken_over.id
        raise Refused(messages.failover_not_complete(begun, _name(begun, stacks), step))
    raise Refused(messages.nothing_to_fail_back())


def failback_phases(lost: int, stacks: Both) -> Sequence[Phase]:
    """Return the phases of a failback that are still to be set, or to be finished, whatever is set in this folder."""
    survivor = stacks[brokers.other(lost)].state.held
    if survivor.phase is Phase.NORMAL or not ahead(Phase.RESTORED, lost, stacks):
        return (Phase.NORMAL,)
    is_set = any(each.settings.phase is Phase.RESTORED for each in stacks)
    restored = is_set or is_past_the_point(lost, stacks)
    return FAILBACK[1:] if restored else FAILBACK


def is_installable(stacks: Both) -> bool:
    """Return whether no incident is under way, nor wanted: then a first installation may go on."""
    return not any(_phases_of_incident(each) for each in stacks)


def check_installable(stacks: Both) -> None:
    """Refuse a first installation while an incident is under way, or wanted.

    :raises Refused: naming the stack.
    """
    for each in stacks:
        if phases := _phases_of_incident(each):
            raise Refused(messages.not_in_phase_normal(each.name, phases[0].value))


def _phases_of_incident(stack: RegionStack) -> list[Phase]:
    """Return which of the phase that is wanted and the one that is reached belongs to an incident."""
    phases = (stack.settings.phase, stack.state.held.phase)
    return [each for each in phases if each not in (None, Phase.NORMAL)]


def _has_begun_failback(lost: int, stacks: Both) -> bool:
    """Whether a gate of a failback of this region is there, on whichever stack."""
    named = (each.state.held.gates.get(step, "") for each in stacks for step in FAILBACK_STEPS)
    return any(name.endswith(f"-region{lost}-lost") for name in named)


def _is_under_way(lost: int, stacks: Both) -> bool:
    """Whether an incident of this region has begun and is not over."""
    survivor = stacks[brokers.other(lost)].state.held
    procedure = stacks[0].settings.procedure
    if claims.standing_in(procedure, survivor, lost) is not None:
        return True
    ongoing = (Phase.FAILOVER, Phase.FAILBACK_PENDING)
    if any(s.state.held.phase in ongoing and s.state.held.lost_region == lost for s in stacks):
        return True
    return is_past_the_point(lost, stacks) and bool(ahead(Phase.RESTORED, lost, stacks))


def is_past_the_point(lost: int, stacks: Both) -> bool:
    """Return whether nothing of the failback that brings this region back can be undone any more."""
    present = incident(Phase.RESTORED, lost, stacks)
    survivor = stacks[brokers.other(lost)]
    return survivor.settings.procedure.no_return.id in survivor.state.held.proved(present)


def _way_on(lost: int, stacks: Both) -> Message:
    """Return how to continue the incident that is under way."""
    if is_past_the_point(lost, stacks):
        return messages.finish_failback()
    return messages.continue_incident(lost)


def _name(region: int, stacks: Both) -> str:
    return stacks[region].settings.own.name
