"""A site for tests that want to see a step fail, and not to wait for it."""

from dataclasses import dataclass

from dualregion.procedure import Step
from hooks.site import Site
from hooks.waiting import Waiting
from sandbox.patience import allowed


@dataclass(frozen=True)
class QuickSite(Site):
    """A site whose gates look often, and give up soon where a test wants to see them fail."""

    deadline: float = allowed(30)

    def waiting(self, step: Step) -> Waiting:
        return Waiting(step.id, self.say, self.deadline, poll_seconds=0.01)
