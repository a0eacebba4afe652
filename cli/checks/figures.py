"""What there is to copy, asked of the search engines, and the estimate that follows from it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from cli.checks.offline import CheckContext
from cli.checks.rights import AskingCluster
from cli.estimate import Estimate, Held, Past, estimate
from cli.status.observed.results import Result, result_of
from clients.installation import LiveInstallation
from clients.parallel import begin
from messages import Message
from messages.command import checks as messages

_SECONDS = 60.0
"""How long the search engines may take to count."""


@dataclass(frozen=True)
class Figures:
    """How long a recovery would take, and what that goes by.

    :ivar held: what there is to copy, or why that is unknown.
    """

    of: Estimate
    held: Result[Held]
    past: Past | None

    def sentences(self) -> Iterator[Message]:
        """Yield what is shown."""
        yield messages.estimate_of_failover(round(self.of.commands), round(self.of.failover))
        held = self.held.value
        if held is None or self.of.failback is None or self.of.paused is None:
            yield messages.failback_not_estimated(self.held.error or "")
        else:
            yield messages.estimate_of_failback(
                round(self.of.failback),
                round(self.of.paused),
                held.bytes,
                held.documents,
                self.of.restarts,
            )
        yield (
            messages.estimated_by_past(self.past.name)
            if self.past
            else messages.estimated_by_reference()
        )


def look(ctx: CheckContext, past: Past | None) -> Figures:
    """Ask the search engines of the regions that are not lost what they hold; the one that holds more counts."""
    until = time.monotonic() + _SECONDS
    asked = {
        region: begin(partial(_held, ctx, region))
        for region in (0, 1)
        if region != ctx.status.lost and ctx.status.region_statuses[region].error is None
    }
    answers = [result_of(each, until) for each in asked.values()]
    values = [each.value for each in answers if each.value is not None]
    held = Result(max(values, key=lambda each: each.bytes)) if values else _unknown(ctx, answers)
    return Figures(estimate(ctx.settings.cluster_size, held.value, past), held, past)


def _unknown(ctx: CheckContext, answers: Sequence[Result[Held]]) -> Result[Held]:
    """Return why no search engine told what it holds."""
    silences = (each.error for each in ctx.status.region_statuses if each.region != ctx.status.lost)
    reasons = [reason for reason in (*(each.error for each in answers), *silences) if reason]
    return Result(error=reasons[0])


def _held(ctx: CheckContext, region: int) -> Held:
    """Ask a region's search engine what it holds.

    :raises DualRegionError: if it does not answer.
    """
    settings = ctx.status.stacks[region].settings
    cluster = AskingCluster(settings.kubeconfig, settings.own.kube_context)
    engine = LiveInstallation.of(cluster, settings.own.namespace, settings).search_engine()
    return Held(engine.bytes_held(), sum(engine.document_counts().values()))
