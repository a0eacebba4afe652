"""Whether this folder's configuration is behind the stacks' states: the phase is judged by the further of the two. Pure.

The phase stands in files of the operator's own checkout; another checkout has it once it was committed and pulled. The
states are shared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import ahead
from cli.status.guidance.moves import is_past_the_point
from dualregion import brokers
from dualregion.decision import guards
from dualregion.procedure import FAILOVER_STEPS, N, Phase
from dualregion.state import claims
from messages import Message


@dataclass(frozen=True)
class Behind:
    """The configuration here is behind the states.

    :ivar stacks: the names of the stacks of which it is.
    :ivar phase: what is configured for them.
    :ivar reached: the phase that the states are in.
    :ivar lost: the lost region of that phase; None in phase normal.
    :ivar failover_of: the region that a failover is set for here, which may be meant so; None if it cannot be.
    """

    stacks: tuple[str, ...]
    phase: Phase
    reached: Phase
    lost: int | None
    failover_of: int | None = None


def in_effect(stacks: Both, *, is_whole: bool = False) -> tuple[Both, Behind | None]:
    """Return both stacks set to the phase that is in effect, and what of the configuration here is behind it.

    :param is_whole: whether both regions were seen to be up, so that there is nothing to fail over from.
    """
    reached, lost = _by_states(stacks)
    others = [each for each in stacks if each.settings.phase is not reached]
    if reached is None or not others or not _of_one_loss(stacks, lost):
        return stacks, None
    first, second = (_set(each, reached, lost) for each in stacks)
    further = first, second
    failover_of = _failover_of(stacks)
    is_old = _goes_back(stacks, reached, lost) or (_refused(stacks) and not _refused(further))
    may_be_old = failover_of is not None and (is_whole or _may_back_out(stacks, reached, lost))
    if not is_old and not may_be_old:
        return stacks, None
    names = tuple(each.name for each in others)
    meant = None if is_old else failover_of
    return further, Behind(names, others[0].settings.phase, reached, lost, meant)


def _by_states(stacks: Both) -> tuple[Phase | None, int | None]:
    """Return the phase that the states are in, and the lost region; None if that is unknown.

    The survivor's stack goes first, but into phase `restored`.
    """
    procedure = stacks[0].settings.procedure
    for lost in range(brokers.REGIONS):
        survivor, other = stacks[brokers.other(lost)].state.held, stacks[lost].state.held
        phase = survivor.phase if survivor.lost_region == lost else None
        # A failed update saves no outputs, and yet its records are in the state.
        begun = claims.standing_in(procedure, survivor, lost) is not None
        if begun and phase in (None, Phase.NORMAL, Phase.RESTORED):
            return Phase.FAILOVER, lost
        if phase is Phase.FAILBACK_PENDING and other.phase is Phase.RESTORED:
            return Phase.RESTORED, lost
        if phase not in (None, Phase.NORMAL):
            return phase, lost
    held = [each.state.held for each in stacks]
    is_closed = any(each.phase is Phase.NORMAL and N.id in each.gates for each in held)
    return (Phase.NORMAL if is_closed else None), None


def _of_one_loss(stacks: Both, lost: int | None) -> bool:
    """Whether no other region is called lost here than by the states: else one of the two is wrong, and none is old."""
    called = {_lost(each) for each in stacks} - {None}
    return lost is None or called <= {lost}


def _goes_back(stacks: Both, reached: Phase, lost: int | None) -> bool:
    """Whether the phase that is set would be refused, or be to no purpose, as a failback is further on."""
    if lost is None or reached is not Phase.RESTORED or not ahead(reached, lost, stacks):
        return False
    phases = {each.settings.phase for each in stacks}
    return phases == {Phase.FAILBACK_PENDING} or (
        phases == {Phase.FAILOVER} and is_past_the_point(lost, stacks)
    )


def _failover_of(stacks: Both) -> int | None:
    """Return the region that both stacks are set to fail over from, if nothing of that has begun; else None."""
    first, second = (each.settings for each in stacks)
    lost = first.lost_region
    if (
        {first.phase, second.phase} != {Phase.FAILOVER}
        or lost is None
        or lost != second.lost_region
    ):
        return None
    survivor = stacks[brokers.other(lost)].state.held
    return None if survivor.gates.keys() & {*FAILOVER_STEPS} else lost


def _may_back_out(stacks: Both, reached: Phase, lost: int | None) -> bool:
    """Whether a failover would back out of a failback."""
    return lost is not None and reached.is_failback and bool(ahead(Phase.RESTORED, lost, stacks))


def refusals(stacks: Both) -> Iterator[tuple[RegionStack, Message]]:
    """Yield each stack of which the program would refuse what is set, with why."""
    for own, peer in (stacks, stacks[::-1]):
        mine, theirs = own.state.held, peer.state.held
        problem = guards.disagreement(own.settings, theirs, mine) or guards.unsafe_change(
            own.settings, mine, theirs
        )
        if problem:
            yield own, problem


def _refused(stacks: Both) -> bool:
    return any(refusals(stacks))


def _set(stack: RegionStack, phase: Phase, lost: int | None) -> RegionStack:
    changes = {"phase": phase, "lost_region": lost}
    return replace(stack, settings=stack.settings.model_copy(update=changes))


def _lost(stack: RegionStack) -> int | None:
    settings = stack.settings
    return None if settings.phase is Phase.NORMAL else settings.lost_region
