"""What a procedure is made of: phases, roles, steps, and the turns in which two stacks take them. Data only."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the user wants of both regions, in the order of the procedure: the config key `phase`."""

    NORMAL = "normal"
    FAILOVER = "failover"
    FAILBACK_PENDING = "failback-pending"
    RESTORED = "restored"

    @property
    def is_failback(self) -> bool:
        """Whether the lost region is being brought back, or is back."""
        return self in (Phase.FAILBACK_PENDING, Phase.RESTORED)

    def has_reached(self, other: "Phase") -> bool:
        """Return whether this is another phase, or one that comes after it."""
        phases = list(Phase)
        return phases.index(self) >= phases.index(other)


class Role(StrEnum):
    """What a region is in the current incident."""

    MEMBER = "member"
    SURVIVOR = "survivor"
    LOST = "lost"
    RECREATED = "recreated"


def role_of(phase: Phase, region: int, lost_region: int | None) -> Role:
    """Return what a region is in this phase.

    :param lost_region: the region the user calls lost; has no meaning in phase `normal`.
    """
    if phase is Phase.NORMAL:
        return Role.MEMBER
    if region != lost_region:
        return Role.SURVIVOR
    return Role.RECREATED if phase.is_failback else Role.LOST


class Milestone(StrEnum):
    """What of the procedure the user's own hooks are told of, by the name that they get."""

    FAILOVER_BEGUN = "failover-begun"
    TRAFFIC_TO_SURVIVOR = "traffic-to-survivor"
    FAILOVER_COMPLETE = "failover-complete"
    FAILBACK_BEGUN = "failback-begun"
    EXPORTERS_PAUSING = "exporters-pausing"
    EXPORTERS_RESUMED = "exporters-resumed"
    TRAFFIC_TO_BOTH = "traffic-to-both"
    FAILBACK_COMPLETE = "failback-complete"


@dataclass(frozen=True)
class Step:
    """A step of the procedure.

    :ivar id: its name in messages, records and reports.
    :ivar title: what is true once the step is proved.
    :ivar has_gate: whether a gate proves it, and leaves a record.
    :ivar may_be_final: whether something of it cannot be undone, so that the operator may have to be asked.
    :ivar announced_before: what lies before the `up` that proves it.
    :ivar announced_after: what is reached with it, where both stacks prove it by the one that does so last.
    """

    id: str
    title: str
    has_gate: bool = True
    may_be_final: bool = False
    announced_before: Milestone | None = None
    announced_after: Milestone | None = None


FAIL_OVER = "failOver"
"""The chart's installation type of failover brokers, which have the ids of lost ones."""
FAIL_BACK = "failBack"
"""The chart's installation type in which even ordinals sleep."""


@dataclass(frozen=True)
class Release:
    """How a turn declares a Helm release: the region's own, or the failover installation beside it.

    :ivar installation_type: the chart's; of the failover installation it is `FAIL_OVER`.
    :ivar exports_to_failover: whether the failover search engine takes the place of the lost region's.
    :ivar has_web_apps: whether Operate and Tasklist run as the user's values say, or not at all.
    :ivar is_empty: whether nothing of it may write to its search engine, as a copy is to be restored there.
    """

    installation_type: str = ""
    exports_to_failover: bool = False
    has_web_apps: bool = True
    is_empty: bool = False

    @property
    def is_failover(self) -> bool:
        """Whether it is the failover installation."""
        return self.installation_type == FAIL_OVER


class Task(StrEnum):
    """What a turn is about, in a word; a code for what the other stack waits for meanwhile."""

    INSTALL = "install"
    FAIL_OVER = "fail-over"
    CLEAN_UP = "clean-up"
    PROVE_CLEAN = "prove-clean"
    JOIN = "join"
    COPY = "copy"
    REPOINT = "repoint"
    OPEN_WEB_APPS = "open-web-apps"
    RESUME = "resume"
    WAKE = "wake"


@dataclass(frozen=True)
class Turn:
    """What one `pulumi up` on one stack does: it proves, declares releases, and proves.

    :ivar task: what it is about.
    :ivar role: whose stack takes it.
    :ivar phase: the phase from which on it may begin.
    :ivar needs: the steps that its own stack has proved by then.
    :ivar needs_other: the steps that the other stack has proved by then.
    :ivar needs_failover_gone: whether the other stack's failover installation has to be gone by then.
    :ivar first: the steps that are proved before the releases change.
    :ivar isolated_after: the step of `first` behind which the isolation stands; None without an isolation.
    :ivar releases: what is declared, in this order.
    :ivar releases_wait: whether the releases stand behind all that is proved first.
    :ivar then: the steps that are proved once the releases have changed.
    :ivar rolls_brokers: whether one of these restarts the releases' brokers, one after the other, so that the update of
        a release restarts none.
    """

    task: Task
    role: Role
    phase: Phase
    needs: tuple[Step, ...] = ()
    needs_other: tuple[Step, ...] = ()
    needs_failover_gone: bool = False
    first: tuple[Step, ...] = ()
    isolated_after: Step | None = None
    releases: tuple[Release, ...] = ()
    releases_wait: bool = True
    then: tuple[Step, ...] = ()
    rolls_brokers: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that it proves, in order."""
        return (*self.first, *self.then)

    def has_begun(self, proved: Collection[str]) -> bool:
        """Return whether its first step is among those that its stack has proved, by their ids."""
        return self.steps[0].id in proved

    def is_complete(self, proved: Collection[str]) -> bool:
        """Return whether its last step is among those that its stack has proved, by their ids."""
        return self.steps[-1].id in proved


@dataclass(frozen=True)
class Procedure:
    """All turns, in the order in which they follow on each other.

    :ivar taken_over: the survivor's step with which its failover is complete.
    :ivar no_return: the survivor's step behind which its failback cannot be backed out of.
    :ivar holds_data: the step with which brokers of the recreated region hold data, so that it could be failed over to.
    :ivar holds_all: the step with which they hold all of it, so that nothing is lost with the survivor any more.
    :ivar has_failover_installation: whether a second installation of the survivor takes the lost region's place.
    """

    turns: tuple[Turn, ...]
    taken_over: Step
    no_return: Step
    holds_data: Step
    holds_all: Step
    has_failover_installation: bool

    def turns_of(self, role: Role, phase: Phase) -> tuple[Turn, ...]:
        """Return the turns of a role, in the failback if the phase is one of its, else outside of it."""
        return tuple(
            turn
            for turn in self.turns
            if turn.role is role and turn.phase.is_failback == phase.is_failback
        )

    def before(self, turn: Turn) -> tuple[Turn, ...]:
        """Return the turns that the same stack has taken before."""
        turns = self.turns_of(turn.role, turn.phase)
        return turns[: turns.index(turn)]

    def following(self, turn: Turn) -> Turn | None:
        """Return the turn that the same stack takes next, or None."""
        turns = self.turns_of(turn.role, turn.phase)
        return next(iter(turns[turns.index(turn) + 1 :]), None)

    def proves(self, role: Role, step: Step) -> bool:
        """Return whether stacks of a role prove a step."""
        return any(turn.role is role and step in turn.steps for turn in self.turns)

    def step_before(self, step: Step) -> Step | None:
        """Return the step that is proved right before this one, in the first turn that proves it; None if it begins that."""
        found = next(turn.steps for turn in self.turns if step in turn.steps)
        at = found.index(step)
        return found[at - 1] if at else None

    def proving(self, step: Step, *, for_role: Role) -> Turn:
        """Return the turn in which the other stack proves a step.

        :param for_role: the role of the stack that waits for it.
        """
        return next(turn for turn in self.turns if turn.role is not for_role and step in turn.steps)

    def passed_in(self, phase: Phase) -> tuple[Turn, ...]:
        """Return the turns of a phase, and those of the phases that it passes through."""
        if phase is Phase.NORMAL:
            return tuple(turn for turn in self.turns if turn.phase is phase)
        return tuple(
            turn
            for turn in self.turns
            if turn.phase is not Phase.NORMAL
            and turn.phase.is_failback == phase.is_failback
            and phase.has_reached(turn.phase)
        )

    @property
    def steps_by_id(self) -> dict[str, Step]:
        """Every step that has a gate, by its id."""
        return {step.id: step for step in self.steps(*Phase)}

    def steps(self, *phases: Phase) -> tuple[Step, ...]:
        """Return the steps of these phases that have a gate, each once."""
        found = (step for turn in self.turns if turn.phase in phases for step in turn.steps)
        return tuple(dict.fromkeys(step for step in found if step.has_gate))
