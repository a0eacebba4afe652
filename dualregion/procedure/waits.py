"""What a stack waits for: a code for programs, and its facts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dualregion.procedure.model import Task
from messages import Message
from messages.decision import waits as messages


class Awaited(StrEnum):
    """What is awaited; these codes stand in the stacks' outputs and never change."""

    OTHER_INSTALLED = "other-installed"
    """The other region's own installation."""
    TAKEN_OVER = "taken-over"
    """The other region's proof that it has taken over, before a region that is called lost is given up."""
    REACHABLE = "reachable"
    """This stack's own region, which does not answer."""
    OTHER_TURN = "other-turn"
    """A turn of the other stack."""
    OWN_TURN = "own-turn"
    """Another `pulumi up` of this stack, and nothing else."""


@dataclass(frozen=True)
class Wait:
    """What a stack cannot do yet, and why.

    :ivar region: the name of the stack's own region.
    :ivar peer: the name of the other one.
    :ivar peer_stack: the name of the other region's stack.
    :ivar next_region: the region, 0 or 1, on whose stack `pulumi up` is next.
    :ivar task: the turn that is awaited, if it is one.
    """

    awaited: Awaited
    region: str
    peer: str
    peer_stack: str
    next_region: int
    task: Task | None = None

    @property
    def message(self) -> Message:
        """Its sentence, whose code is that of what is awaited."""
        match self.awaited:
            case Awaited.OTHER_INSTALLED:
                return messages.other_installed(self.peer, self.peer_stack)
            case Awaited.TAKEN_OVER:
                return messages.taken_over(self.region, self.peer, self.peer_stack)
            case Awaited.REACHABLE:
                return messages.reachable(self.region)
            case Awaited.OTHER_TURN:
                return messages.other_turn(self.peer, self.peer_stack, _DOES[self.task]())
            case Awaited.OWN_TURN:
                return messages.own_turn(_DOES[self.task]())


_DOES: Mapping[Task | None, Callable[[], Message]] = {
    Task.PROVE_CLEAN: messages.proves_clean,
    Task.JOIN: messages.joins,
    Task.COPY: messages.copies,
    Task.OPEN_WEB_APPS: messages.opens_web_apps,
    Task.RESUME: messages.resumes,
}
"""What a region does in a turn that can be awaited."""
