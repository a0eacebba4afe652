"""The next thing to do, and on which stack, or by the operator. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cli.stacks.names import DEFAULT_STACKS
from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import RegionStep, ahead
from cli.status.guidance.moves import (
    failback_lost,
    failback_phases,
    failover_phases,
    is_installable,
)
from dualregion.errors import Refused
from dualregion.procedure import Phase
from messages import Message
from messages.command import status as messages

OPERATOR = "operator"
"""Who is to do what no stack can do, or decide."""


@dataclass(frozen=True)
class Answer:
    """One way to answer a decision that is the operator's.

    :ivar commands: what to type then.
    """

    what: Message
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Next:
    """The next thing to do.

    :ivar who: the stack whose turn it is, or `operator`.
    :ivar what: what it is.
    :ivar command: what to type, without `dualregion`.
    :ivar dualregion: the `dualregion` command that does it and what follows; None if none does.
    :ivar answers: if it is a decision, the ways to answer it.
    """

    who: str
    what: Message
    command: str
    dualregion: str | None = None
    answers: tuple[Answer, ...] = ()

    @property
    def typed(self) -> tuple[str, ...]:
        """What is shown as to be typed; none if that depends on the answer."""
        if self.answers:
            return ()
        return (self.dualregion, f"or: {self.command}") if self.dualregion else (self.command,)

    def __str__(self) -> str:
        return "\n".join(f"{label}{text}" for label, text, _ in self.lines())

    def lines(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each line: what stands before it, its text, and whether that is to be typed."""
        yield f"next, {self.who}: ", str(self.what), False
        for command in self.typed:
            yield "    ", command, True
        for answer in self.answers:
            yield "  - ", str(answer.what), False
            for command in answer.commands:
                yield "        ", command, True


def phase_of(stacks: Both) -> tuple[Phase, int | None]:
    """Return the phase wanted, and the lost region; of the stack further on if they differ."""
    leading = max(stacks, key=lambda each: list(Phase).index(each.settings.phase)).settings
    return leading.phase, None if leading.phase is Phase.NORMAL else leading.lost_region


def next_of(stacks: Both) -> Next | None:
    """Return the next thing to do, by the stacks alone; None if all is as it should be."""
    phase, lost = phase_of(stacks)
    return next_step(phase, lost, stacks, ahead(phase, lost, stacks))


def next_step(
    phase: Phase, lost: int | None, stacks: Both, left: tuple[RegionStep, ...]
) -> Next | None:
    """Return the next thing to do; None if all is as it should be.

    :param phase: the phase wanted; the one further on if the stacks differ.
    :param left: the steps of that phase that are ahead.
    """
    found = _by_pulumi(phase, lost, stacks, left)
    if found is None:
        return None
    complete = not left and not _not_set(phase, lost, stacks)
    move = _move(phase, lost, stacks, complete=complete)
    return found if move is None else replace(found, dualregion=typed(move, stacks))


def _by_pulumi(
    phase: Phase, lost: int | None, stacks: Both, left: tuple[RegionStep, ...]
) -> Next | None:
    if others := _not_set(phase, lost, stacks):
        name = others[0].name
        setting = f"pulumi config set --stack {name} phase {phase}"
        if lost is not None:
            setting += f" && pulumi config set --stack {name} lostRegion {lost}"
        return Next(OPERATOR, messages.phase_not_set(name, phase), setting)
    if left:
        step, stack = left[0], stacks[left[0].region]
        what = messages.step_next(step.id, step.title)
        return Next(stack.name, what, f"pulumi up --stack {stack.name}")
    return _next_phase(phase, lost, stacks)


def _not_set(phase: Phase, lost: int | None, stacks: Both) -> list[RegionStack]:
    return [each for each in stacks if (each.settings.phase, _lost(each)) != (phase, lost)]


def _lost(stack: RegionStack) -> int | None:
    settings = stack.settings
    return None if settings.phase is Phase.NORMAL else settings.lost_region


def _next_phase(phase: Phase, lost: int | None, stacks: Both) -> Next | None:
    if phase is Phase.NORMAL or lost is None:
        return None
    name = stacks[lost].settings.own.name
    following, what = {
        Phase.FAILOVER: (Phase.FAILBACK_PENDING, messages.failback_next(name)),
        Phase.FAILBACK_PENDING: (Phase.RESTORED, messages.restored_next()),
        Phase.RESTORED: (Phase.NORMAL, messages.normal_next()),
    }[phase]
    sets = " && ".join(
        f"pulumi config set --stack {each.name} phase {following}" for each in stacks
    )
    return Next(OPERATOR, what, sets)


def _move(phase: Phase, lost: int | None, stacks: Both, *, complete: bool) -> str | None:
    """Return the move of `dualregion` that takes the next step; None if there is none, or it would be refused.

    :param complete: whether both stacks are set to the phase, and nothing of it is ahead.
    """
    try:
        if phase is Phase.FAILOVER and lost is not None and not complete:
            failover_phases(lost, stacks)
            return f"failover --lost {lost}"
        phases = failback_phases(failback_lost(stacks), stacks)
    except Refused:
        return "install" if not complete and is_installable(stacks) else None
    # Steps of phase normal are those of a failback only if that is all that is left of it.
    return None if phase is Phase.NORMAL and phases[0] is not phase else "failback"


def typed(move: str, stacks: Both) -> str:
    """Return a move as it is entered, with the stacks' names unless they are the usual ones."""
    names = [each.name for each in stacks]
    if set(names) == set(DEFAULT_STACKS.split(",")):
        return f"dualregion {move}"
    return f"dualregion --stacks {','.join(names)} {move}"
