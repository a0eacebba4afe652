"""The driver's operations with the real Pulumi, and its questions at the terminal."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from pulumi.automation import ConcurrentUpdateError, ConfigValue
from rich.console import Console

from cli import transcript
from cli.driver import noted, previews
from cli.driver.confirm import Consent, Question
from cli.driver.events import EventCollector
from cli.driver.live import running
from cli.driver.machine import check_temporary_folder, check_writable
from cli.driver.previews import Preview
from cli.driver.processes import stop_program
from cli.errors import PulumiFailed, Stopped
from cli.stacks.commits import uncommitted
from cli.stacks.locks import Lock, locked_by_others, locks_in
from cli.stacks.project import Project
from cli.stacks.read import Both, Reading
from cli.stacks.region_steps import RegionStep
from cli.stacks.run_message import Answer, RunMessage
from cli.status import looking
from cli.status.failover_standing import as_they_stand
from cli.status.health import Status
from cli.status.patience import PATIENCE_SECONDS
from cli.status.shown import table
from cli.transcript import Event
from clients.cluster.kubernetes import CallFailed, Cluster
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import Refused
from dualregion.procedure import Phase
from dualregion.state.progress import current_incident
from messages import Message
from messages.command import driving as messages
from steps.before import identity
from steps.preflight import SPARE_LIVING

_LOOK_SECONDS = 0.2
"""How often an `up` is checked for its end, and for Ctrl-C."""

TYPE_NAME = "Type the name of the lost region to go on"
_THOROUGH_SECONDS = 18.0
"""How long the regions may take to answer before something is done that cannot be undone."""


@dataclass(frozen=True)
class PulumiOperations:
    """Operates the user's own stacks.

    :ivar consents: the options that were given: questions of their kinds are answered with yes.
    :ivar message: what the stack history holds of each `up`.
    :ivar given: the answers so far; the history of the next `up` holds them, too.
    """

    project: Project
    names: tuple[str, str]
    console: Console
    consents: frozenset[Consent]
    message: RunMessage
    given: list[Answer] = field(default_factory=list)

    def stacks(self) -> Both:
        """Read both stacks, without proofs that do not stand any more."""
        return as_they_stand(Reading(self.project, self.names).stacks())

    def status(self, *, thorough: bool = False) -> Status:
        """Look at both regions, too; thoroughly before what cannot be undone: a slow region is not gone."""
        patience = _THOROUGH_SECONDS if thorough else PATIENCE_SECONDS
        return looking.look(self.project, self.names, patience, with_last=False)

    def preview(self, stack: str, phase: Phase, lost: int | None) -> Preview:
        """Preview the next `up` of a stack in a phase that is not set yet."""
        self.show(f"stack {stack}: previewing phase {phase}")
        return previews.preview(self.project, stack, phase, lost)

    def set_phase(self, stack: str, phase: Phase, lost: int | None) -> None:
        """Set a stack's phase in its settings file."""
        values = {"phase": ConfigValue(phase.value)}
        if lost is not None:
            values["lostRegion"] = ConfigValue(str(lost))
        self.project.ask(stack, lambda: self.project.stack(stack).set_all_config(values))

    def check_cluster(self, stacks: Both, region: int) -> None:
        """Refuse to continue in another cluster than the one that a stack's state names.

        One that does not answer is not refused: the program reports that itself.

        :raises Refused: if the region's kube context leads there.
        """
        own, peer = stacks[region], stacks[brokers.other(region)]
        incident = current_incident(own.settings, own.state.held, peer.state.held)
        cluster = Cluster(own.settings.kubeconfig, own.settings.own.kube_context)
        with suppress(CallFailed):
            identity.check(cluster, own.settings, own.state.held, incident, peer.state.held)

    def check_machine(self) -> None:
        """Refuse to begin where a phase could not be written."""
        check_temporary_folder()
        for each in self.names:
            check_writable(self.project.settings_file(each))

    def drop_pending(self, stack: str) -> None:
        """Drop the operations from a stack's state that a killed run has left pending."""
        self.project.ask(
            stack,
            lambda: self.project.stack(stack).refresh(
                clear_pending_creates=True,
                message=self._written(),
                color="never",
                show_secrets=False,
            ),
        )

    def to_commit(self, phase: Phase) -> Message | None:
        """Return how the settings files are committed that another checkout does not know yet; None if there are none."""
        found = uncommitted(self.project.settings_file(each) for each in self.names)
        if not found:
            return None
        folder = self.project.folder
        files = [os.path.relpath(each, folder) for each in found]
        elsewhere = "" if folder.samefile(Path.cwd()) else str(folder)
        return messages.phase_to_commit(phase, files, elsewhere)

    def ask(self, question: Question, status: Status | None = None) -> bool:
        """Ask the operator, showing the live topology first.

        What counts for the answer comes last, as a window has as few as 24 lines: the verdict, what is next, the question.

        :raises Refused: if there is no operator to ask.
        :raises Stopped: at Ctrl-C.
        """
        transcript.note(Event.QUESTION, question.text, option=question.option)
        if status is not None:
            self.console.print(table.topology(status))
            self.console.print(table.opening(status))
        if question.following is not None:
            self.console.print(question.following, markup=False)
        if status is not None:
            self.console.print()
        if question.option in self.consents:
            self._answered(question, is_yes=True, option=question.option)
            self.show(f"{question.text} yes, by {question.option}")
            return True
        # Not by the prompt, which would be broken within words.
        self.console.print(question.text, markup=False)
        try:
            is_yes = self._answer(question.name)
        except typer.Abort:
            if sys.stdin.isatty():
                raise Stopped(messages.aborted()) from None
            raise Refused(messages.question_not_answered(question.text, question.option)) from None
        self._answered(question, is_yes=is_yes)
        return is_yes

    def _answered(self, question: Question, *, is_yes: bool, option: str = "") -> None:
        transcript.note(Event.ANSWER, yes=is_yes, by=option or "terminal")
        text, now = question.text, datetime.now(UTC)
        self.given.append(Answer(text.code, is_yes, now, option, str(text)))

    def _written(self) -> str:
        return str(replace(self.message, answers=tuple(self.given)))

    def _answer(self, name: str | None) -> bool:
        """Return what the operator answers: yes or no, or by the name of the region that it is about."""
        if name is None:
            return typer.confirm("Yes or no?")
        typed = typer.prompt(TYPE_NAME, default="", show_default=False).strip()
        if typed != name:
            self.show(messages.name_not_typed(typed, name))
        return bool(typed == name)

    def show(self, text: str) -> None:
        """Print a line for the operator."""
        transcript.note(Event.LINE, text)
        self.console.print(text, markup=False, soft_wrap=True)

    def up(self, stack: str, steps: Sequence[RegionStep], *, spare: bool = False) -> None:
        """Run `pulumi up`; a lock that a killed run may have left is removed after asking.

        :param spare: see `cli.driver.driver.Operations`; the program gets it by a variable of its environment.
        :raises PulumiFailed: with what the program reported.
        :raises Stopped: if the operator has hit Ctrl-C.
        :raises Refused: if the stack is locked by another run.
        """
        check_temporary_folder()
        self.project.workspace.env_vars = {SPARE_LIVING: "1"} if spare else {}
        try:
            self._up(stack, steps)
        except ConcurrentUpdateError as error:
            left = self._left_by_a_killed_run(stack, locks_in(str(error)))
            self._up_without(left, stack, steps)

    def _up(self, stack: str, steps: Sequence[RegionStep]) -> None:
        with noted.up(stack, steps):
            self._run_shown(stack, steps)

    def _run_shown(self, stack: str, steps: Sequence[RegionStep]) -> None:
        collector = EventCollector()
        with running(stack, steps, self.console) as shown:
            collector.on_line = noted.lines(stack, shown.line)
            collector.on_change = noted.changes(stack, shown.change)
            future = begin(lambda: self._run(stack, collector))
            interrupted = _wait(future, lambda: self._stop(collector))
            if future.exception() and not interrupted:
                shown.fail()
        try:
            future.result()
        except PulumiFailed:
            if interrupted:
                raise Stopped(messages.interrupted(stack)) from None
            if collector.errors:
                raise PulumiFailed(_failure(stack, collector.refusal)) from None
            raise
        if interrupted:
            raise Stopped(messages.interrupted_at_end(stack))

    def _stop(self, collector: EventCollector) -> None:
        """Announce the stop, and print nothing more of what Pulumi reports: it is about the program that had to end."""
        self.show("stopping: Pulumi saves what is done; give it a few seconds")
        collector.on_line = lambda _: None

    def _run(self, stack: str, collector: EventCollector) -> None:
        self.project.ask(
            stack,
            lambda: self.project.stack(stack).up(
                message=self._written(),
                on_event=collector,
                color="never",
                suppress_outputs=True,
                show_secrets=False,
            ),
        )

    def _left_by_a_killed_run(self, stack: str, locks: Sequence[Lock]) -> Sequence[Lock]:
        """Return the locks that keep an `up` from its work, once the operator has agreed to remove them.

        Their process is not here, but others may share this machine's name: only the operator can know, and `--yes` was
        given for other questions.

        :raises Refused: if a run holds one, or it is of another machine.
        """
        if not locks or not all(lock.may_be_left for lock in locks):
            raise locked_by_others(stack, locks)
        question = messages.ask_to_unlock(stack, tuple(map(str, locks)))
        if not self.ask(Question(question, Consent.UNLOCK)):
            raise Stopped(messages.lock_left_alone(stack))
        return locks

    def _up_without(self, left: Sequence[Lock], stack: str, steps: Sequence[RegionStep]) -> None:
        """Run `pulumi up`, and remove the locks that are left first, if it is they that keep it from its work.

        An operator may take minutes to answer. Meanwhile another one may have removed these locks and started a run, whose
        lock `pulumi cancel` would remove as well.

        :raises Refused: if the stack is locked by another run.
        """
        try:
            self._up(stack, steps)
            return
        except ConcurrentUpdateError as error:
            found = locks_in(str(error))
        if set(found) != set(left):
            raise locked_by_others(stack, found)
        self.project.ask(stack, self.project.stack(stack).cancel)
        try:
            self._up(stack, steps)
        except ConcurrentUpdateError as error:
            raise locked_by_others(stack, locks_in(str(error))) from None


def _wait(future: "Future[Any]", on_stop: Callable[[], None]) -> bool:
    """Wait for an `up`; return whether Ctrl-C was hit meanwhile.

    :param on_stop: is called at the first Ctrl-C.

    The terminal sends Ctrl-C to Pulumi as well, which then stops and saves: it must be let to its end. A gate that
    waits would keep it, so the program is stopped.
    """
    interrupted = False
    while not future.done():
        try:
            future.exception(timeout=_LOOK_SECONDS)
        except TimeoutError:
            continue
        except KeyboardInterrupt:
            if not interrupted:
                on_stop()
            interrupted = True
            stop_program()
    return interrupted


def _failure(stack: str, reason: str) -> Message:
    """Return the message of an `up` that failed: the program's own, if it is one."""
    is_own = isinstance(reason, Message)
    return messages.of_stack(stack, reason) if is_own else messages.up_failed(stack, reason)
