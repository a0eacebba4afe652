"""Run `pulumi up` on the two stacks in turn until a phase is complete.

Stateless: both stacks are read again before each `up`, so the same command continues wherever it was interrupted.
"""

from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import Protocol

from cli.driver.confirm import (
    Question,
    following,
    irreversible,
    may_be_irreversible,
    silent_region,
    to_begin,
)
from cli.driver.previews import Preview
from cli.errors import PulumiFailed, Stopped
from cli.notify.notifier import Notifier
from cli.stacks.locks import locked_by_others
from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import RegionStep, ahead, steps_of, stops_of
from cli.status.guidance.moves import (
    backs_out,
    check_installable,
    failback_lost,
    failback_phases,
    failover_phases,
)
from cli.status.health import Status
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import Refused
from dualregion.procedure import N, Phase, Procedure, R
from messages.command import driving as messages


class Operations(Protocol):
    """What the driver does to stacks and regions, and how it speaks with the operator."""

    def stacks(self) -> Both:
        """Read both stacks, without proofs that do not stand any more.

        :raises CallFailed: if the survivor's cluster does not answer whether they do.
        """

    def status(self, *, thorough: bool = False) -> Status:
        """Look at both regions, too; thoroughly before what cannot be undone."""

    def preview(self, stack: str, phase: Phase, lost: int | None) -> Preview:
        """Preview the next `up` of a stack in a phase that is not set yet."""

    def set_phase(self, stack: str, phase: Phase, lost: int | None) -> None:
        """Set a stack's phase for good."""

    def up(self, stack: str, steps: Sequence[RegionStep], *, spare: bool = False) -> None:
        """Run `pulumi up`.

        :param spare: whether a lost region is spared if it answers after all: its deletion was not agreed to.
        :raises DualRegionError: if it fails, is stopped, or the stack is locked.
        """

    def check_cluster(self, stacks: Both, region: int) -> None:
        """Refuse to continue in another cluster than the one that a stack's state names.

        :raises Refused: if the region's kube context leads there.
        """

    def check_machine(self) -> None:
        """Refuse to begin where a phase could not be written.

        :raises ConfigError: naming the file or folder.
        """

    def drop_pending(self, stack: str) -> None:
        """Drop the operations from a stack's state that a killed run has left pending."""

    def ask(self, question: Question, status: Status | None = None) -> bool:
        """Ask the operator, showing the live topology."""

    def show(self, text: str) -> None:
        """Print a line for the operator."""


@dataclass(frozen=True)
class Driver:
    """Drives a failover or failback.

    :ivar until: the step after which to stop, or None.
    :ivar notifier: calls the user's own hooks; by default none.
    """

    operations: Operations
    until: str | None = None
    notifier: Notifier = field(default_factory=Notifier)

    def failover(self, lost: int) -> Both:
        """Carry out a failover, or continue it; return both stacks as they are in the end.

        :raises Refused: if that is the wrong move, or a stack is locked.
        :raises Stopped: if the operator answers no.
        """
        stacks = self._unlocked_stacks()
        phases = failover_phases(lost, stacks)
        self._check_until(stacks[0].settings.procedure, phases, lost)
        if backs_out(lost, stacks):
            name = stacks[lost].settings.own.name
            question = Question(messages.ask_to_back_out(name))
            self._ask(question, self.operations.status(), ahead(Phase.FAILOVER, lost, stacks))
        return self._drive(phases, lost, stacks)

    def failback(self) -> Both:
        """Carry out a failback, or continue it; returns and raises as `failover`."""
        stacks = self._unlocked_stacks()
        lost = failback_lost(stacks)
        phases = failback_phases(lost, stacks)
        self._check_until(stacks[0].settings.procedure, phases, lost)
        return self._drive(phases, lost, stacks)

    def install(self) -> Both:
        """Install both regions, or continue that, until N is proved on both stacks; returns and raises as `failover`.

        Each stack goes as far as the other one allows, so their turns alternate.
        """
        stacks = self._unlocked_stacks()
        check_installable(stacks)
        left = ahead(Phase.NORMAL, None, stacks)
        if not left:
            self.operations.show(messages.installed_already())
        elif not any(each.state.held.nodes for each in stacks):
            self._agree_to_install(stacks)
        # What is not installed yet comes first: until then the other stack can only wait.
        lacking = [each.region for each in left if not stacks[each.region].state.held.nodes]
        region, in_vain = next(iter([*lacking, *(each.region for each in left)]), 0), 0
        while left:
            before = stacks[region].state.held
            stacks = self._install_one(stacks, left, region)
            held = stacks[region].state.held
            in_vain = in_vain + 1 if (held.nodes, held.gates) == (before.nodes, before.gates) else 0
            if in_vain == brokers.REGIONS:
                raise self._not_proved(stacks[region], N.id)
            left = ahead(Phase.NORMAL, None, stacks)
            others = [each.region for each in left if each.region != region]
            region = others[0] if others else region
        return stacks

    def _agree_to_install(self, stacks: Both) -> None:
        """Show what Pulumi would do in both regions, and ask."""
        for each in stacks:
            found = self.operations.preview(each.name, Phase.NORMAL, None)
            self._show_preview(found, Phase.NORMAL)
        places = tuple(
            f"{each.settings.own.namespace} of {each.settings.own.kube_context}" for each in stacks
        )
        adopts = all(each.settings.adopt for each in stacks)
        self._ask(Question(messages.ask_to_install(places, adopts=adopts)), None)

    def _install_one(self, stacks: Both, left: Sequence[RegionStep], region: int) -> Both:
        """Run the next `up` of the installation; return both stacks after it."""
        self.operations.check_cluster(stacks, region)
        steps = tuple(each for each in left if each.region == region)
        self.operations.up(stacks[region].name, steps)
        after = self.operations.stacks()
        self._drop_pending(after[region])
        return after

    def _unlocked_stacks(self) -> Both:
        """Read both stacks, and refuse a second operator before a question is asked or a phase is set.

        Where the backend does not show locks, Pulumi refuses later. One that a killed run may have left is asked about
        then.
        """
        stacks = self.operations.stacks()
        for each in stacks:
            held = [lock for lock in each.locks or () if not lock.may_be_left]
            if held:
                raise locked_by_others(each.name, held)
        return stacks

    def _check_until(self, procedure: Procedure, phases: Sequence[Phase], lost: int) -> None:
        """Refuse to stop in the middle of an `up`: its steps depend on each other."""
        ends = tuple(each.id for each in stops_of(procedure, phases, lost))
        if self.until is not None and self.until not in ends:
            raise Refused(messages.step_within_turn(self.until, ends))

    def _drive(self, phases: Sequence[Phase], lost: int, stacks: Both) -> Both:
        """Go through phases; `stacks` is how both stand now, and is read again after whatever is done."""
        procedure = stacks[0].settings.procedure
        with self.notifier.ending():
            for phase in phases:
                of = None if phase is Phase.NORMAL else lost
                stacks = self._set(phase, of, stacks, first=phase is phases[0], lost=lost)
                left = self._ahead(phase, of, lost, stacks)
                while left and not self._is_reached(procedure, phase, of, left):
                    stacks = self._one(phase, of, left, stacks, lost)
                    left = self._ahead(phase, of, lost, stacks)
                if self.until and self._is_reached(procedure, phase, of, left):
                    self.operations.show(messages.reached_until(self.until))
                    break
        return stacks

    def _ahead(
        self, phase: Phase, of: int | None, lost: int, stacks: Both
    ) -> tuple[RegionStep, ...]:
        """Return the steps ahead, and notify of what is reached."""
        left = ahead(phase, of, stacks)
        done = tuple(
            takewhile(
                lambda step: step not in left, steps_of(stacks[0].settings.procedure, phase, of)
            )
        )
        self.notifier.reached(done, phase, lost, stacks)
        return left

    def _set(self, phase: Phase, of: int | None, stacks: Both, *, first: bool, lost: int) -> Both:
        """Set the phase on the stacks that have another one; the first phase only after a look at what it does.

        Return both stacks as they are then.
        """
        others = [
            each
            for each in stacks
            if each.settings.phase is not phase
            or (of is not None and each.settings.lost_region != of)
        ]
        if not others:
            return stacks
        if first and phase is not Phase.NORMAL:
            self._agree(stacks, phase, lost)
        setting = [
            begin(partial(self.operations.set_phase, each.name, phase, of)) for each in others
        ]
        wait(setting)
        for each, done in zip(others, setting, strict=True):
            done.result()
            self.operations.show(f"stack {each.name}: phase {phase}")
        return self.operations.stacks()

    def _agree(self, stacks: Both, phase: Phase, lost: int) -> None:
        """Show what Pulumi would do and the state of both regions, found at the same time, and ask.

        A failback needs the recreated region as well, so its stack is previewed, too.

        :raises Refused: if a region is silent that must answer, or the program refuses.
        """
        self.operations.check_machine()
        survivor = stacks[brokers.other(lost)].name
        asked = [survivor, stacks[lost].name] if phase.is_failback else [survivor]
        looking = begin(self.operations.status)
        previews = [begin(partial(self.operations.preview, each, phase, lost)) for each in asked]
        found = [each.result() for each in previews]
        status = looking.result()
        if silent := silent_region(status, phase, lost):
            raise Refused(silent)
        for each in found:
            self._show_preview(each, phase)
        self._ask(to_begin(phase, lost, status), status, ahead(phase, lost, stacks))

    def _show_preview(self, found: Preview, phase: Phase) -> None:
        """Show what Pulumi would do on a stack.

        :raises Refused: if the program refuses.
        """
        if found.refusal:
            raise Refused(messages.of_stack(found.stack, found.refusal))
        self.operations.show(f"Pulumi's preview of stack {found.stack} in phase {phase}:")
        for change in found.changes:
            self.operations.show(f"    {change}")

    def _one(
        self, phase: Phase, of: int | None, left: tuple[RegionStep, ...], stacks: Both, lost: int
    ) -> Both:
        """Run the next `up`, with everything that it can do of the steps ahead; return both stacks after it.

        :raises PulumiFailed: if it succeeds and yet nothing was proved.
        """
        group = tuple(takewhile(lambda step: step.region == left[0].region, left))
        stack = stacks[left[0].region]
        # Pulumi refreshes a state before the program can refuse: in another cluster all of it would be gone.
        self.operations.check_cluster(stacks, stack.settings.region)
        agreed = self._ask_before(group, of)
        self.notifier.begins(group, phase, lost, stacks)
        spare = not agreed and any(step.id == R.id for step in group)
        self.operations.up(stack.name, group, spare=spare)
        after = self.operations.stacks()
        self._drop_pending(after[left[0].region])
        if ahead(phase, of, after)[:1] == left[:1]:
            raise self._not_proved(after[left[0].region], left[0].id)
        return after

    def _not_proved(self, stack: RegionStack, step: str) -> PulumiFailed:
        waiting = stack.state.outputs.get("waitingFor")
        return PulumiFailed(messages.step_not_proved(stack.name, step, waiting))

    def _ask_before(self, group: Sequence[RegionStep], of: int | None) -> bool:
        """Ask if something of an `up` cannot be undone; return whether it was asked and agreed to.

        Nothing else waits for a look at the regions.
        """
        if not may_be_irreversible(group, of):
            return False
        status = self.operations.status(thorough=True)
        question = irreversible(group, of, status)
        if question:
            self._ask(question, status, group)
        return question is not None

    def _drop_pending(self, stack: RegionStack) -> None:
        """Offer to drop what an `up` that succeeded has left pending: what a killed run was creating.

        The `up` has looked at the cluster, and made or adopted whatever it was.
        """
        question = Question(messages.ask_to_drop_pending(stack.name, stack.state.pending))
        if stack.state.pending and self.operations.ask(question):
            self.operations.drop_pending(stack.name)

    def _ask(
        self, question: Question, status: Status | None, left: Sequence[RegionStep] = ()
    ) -> None:
        """Ask; `left` are the steps that are ahead if the answer is yes.

        :raises Stopped: if it is no.
        """
        then = following(left, status.stacks) if status is not None else None
        if not self.operations.ask(replace(question, following=then), status):
            raise Stopped(messages.aborted())

    def _is_reached(
        self,
        procedure: Procedure,
        phase: Phase,
        of: int | None,
        left: tuple[RegionStep, ...],
    ) -> bool:
        """Whether the step to stop after is proved, and everything before it."""
        every = steps_of(procedure, phase, of)
        of_step = [index for index, step in enumerate(every) if step.id == self.until]
        return bool(of_step) and not any(each in left for each in every[: of_step[-1] + 1])
