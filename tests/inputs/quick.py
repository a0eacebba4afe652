"""A site for tests that want to see a step fail, and not to wait for it."""

from dataclasses import dataclass

from dualregion.procedure import Step
from sandbox.patience import allowed
from steps.context import StepContext
from steps.polling import Waiting


@dataclass(frozen=True)
class QuickSite(StepContext):
    """A site whose gates look often, and give up soon where a test wants to see them fail."""

    deadline: float = allowed(30)

    def waiting(self, step: Step) -> Waiting:
        return Waiting(step.id, self.say, self.deadline, poll_seconds=0.01)
