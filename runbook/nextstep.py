"""The next thing to do, and who must do it. Pure."""

from dataclasses import dataclass

from dualregion.procedure import Phase
from runbook.stacks import Both, RegionStack
from runbook.turns import Turn, ahead


@dataclass(frozen=True)
class Next:
    """The next thing to do.

    :ivar who: the stack whose turn it is, or `operator`.
    :ivar what: what it is, in a sentence.
    :ivar command: what to type.
    """

    who: str
    what: str
    command: str


def phase_of(stacks: Both) -> tuple[Phase, int | None]:
    """Return the phase wanted, and the lost region; of the stack further on if they differ."""
    leading = max(stacks, key=lambda each: list(Phase).index(each.settings.phase)).settings
    return leading.phase, None if leading.phase is Phase.NORMAL else leading.lost_region


def next_of(stacks: Both) -> Next | None:
    """Return the next thing to do, by the stacks alone; None if all is as it should be."""
    phase, lost = phase_of(stacks)
    return next_step(phase, lost, stacks, ahead(phase, lost, stacks))


def next_step(phase: Phase, lost: int | None, stacks: Both, left: tuple[Turn, ...]) -> Next | None:
    """Return the next thing to do; None if all is as it should be.

    :param phase: the phase wanted; the one further on if the stacks differ.
    :param left: the steps of that phase that are ahead.
    """
    untold = [each for each in stacks if (each.settings.phase, _lost(each)) != (phase, lost)]
    if untold:
        name = untold[0].name
        setting = f"pulumi config set --stack {name} phase {phase}"
        if lost is not None:
            setting += f" && pulumi config set --stack {name} lostRegion {lost}"
        return Next("operator", f"stack {name} was not told of phase {phase}", setting)
    if left:
        turn, stack = left[0], stacks[left[0].region]
        what = f"{turn.step.id}: {turn.step.title}"
        return Next(stack.name, what, f"pulumi up --stack {stack.name}")
    return _next_phase(phase, lost, stacks)


def _lost(stack: RegionStack) -> int | None:
    settings = stack.settings
    return None if settings.phase is Phase.NORMAL else settings.lost_region


def _next_phase(phase: Phase, lost: int | None, stacks: Both) -> Next | None:
    if phase is Phase.NORMAL or lost is None:
        return None
    name = stacks[lost].settings.own.name
    following, what = {
        Phase.FAILOVER: (
            Phase.FAILBACK_PENDING,
            f"once region {name} has a cluster again, empty: the failback, at an hour in which users can do "
            "without Operate and Tasklist",
        ),
        Phase.FAILBACK_PENDING: (
            Phase.RESTORED,
            "exporters are paused: go on to phase restored, now",
        ),
        Phase.RESTORED: (Phase.NORMAL, "all is restored: phase normal closes the incident"),
    }[phase]
    sets = " && ".join(
        f"pulumi config set --stack {each.name} phase {following}" for each in stacks
    )
    return Next("operator", what, sets)
