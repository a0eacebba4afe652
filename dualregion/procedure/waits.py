"""What a stack waits for: a code for programs, its facts, and the sentence that is made of them. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from dualregion.procedure.model import Task


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

    def __str__(self) -> str:
        return _SENTENCES[self.awaited].format(
            region=self.region,
            peer=self.peer,
            peer_stack=self.peer_stack,
            does=self.task and (_HERE if self.awaited is Awaited.OWN_TURN else _DOES)[self.task],
        )


_DOES = {
    Task.PROVE_CLEAN: "proves that this region is clean (B0)",
    Task.JOIN: "installs its brokers",
    Task.COPY: "pauses exporting and copies its search engine (B2 to B4)",
    Task.OPEN_WEB_APPS: "opens its web apps",
    Task.RESUME: "resumes exporting and retires the failover brokers (B5)",
}
"""What a region does in a turn that is awaited."""
_HERE = {Task.OPEN_WEB_APPS: "opens the web apps"}
"""The same, where nothing but another `up` of the same stack is missing."""
_SENTENCES = {
    Awaited.OTHER_INSTALLED: "region {peer} is not installed yet: run `pulumi up` on stack {peer_stack}, then here again",
    Awaited.TAKEN_OVER: (
        "region {region} is called lost but stays as it is until region {peer} has taken over: run `pulumi up` on stack "
        "{peer_stack} first (its phase must be failover), then here again"
    ),
    Awaited.REACHABLE: (
        "region {region} does not answer and is left as it is; once it answers again (it may be empty, and elsewhere), "
        "run `pulumi up` here and it is cleaned"
    ),
    Awaited.OTHER_TURN: "region {peer} {does}: run `pulumi up` on stack {peer_stack}, then here again",
    Awaited.OWN_TURN: "run `pulumi up` here again: it {does}",
}
