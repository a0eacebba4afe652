"""Changes of the cluster's configuration, as every step makes them: looked at first, asked for once, proved at the end.

A change is never asked for while another one is under way, and never again before it was looked at what has become of it:
after an answer that got lost it may be done all the same. It is proved by its id, where this run has got that, and always
by the state that it leads to.
"""

from collections.abc import Callable
from functools import partial

from clients.cluster.kubernetes import CallFailed
from clients.cluster_management import (
    ChangeNotPossible,
    ClusterManagement,
    CoordinatorSilent,
)
from dualregion import brokers
from dualregion.errors import DualRegionError, Refused
from dualregion.observed import cluster_changes
from dualregion.observed.cluster_changes import Configuration, PlannedChange
from dualregion.procedure import Role
from messages import Message
from messages.steps import cluster_api as messages
from steps.context import StepContext
from steps.polling import Waiting

Judge = Callable[[Configuration], Message | None]
"""Returns why the configuration is not as it is to be, or None."""
Ask = Callable[[Configuration], PlannedChange | Message | None]
"""Asks for the change that is needed; or returns why it cannot be asked for yet, None for the reason that is known."""


def management(ctx: StepContext) -> ClusterManagement:
    """Return what the cluster's configuration is asked for and changed by: the survivor's gateway."""
    return ctx.gateway.management


def configuration(ctx: StepContext) -> Configuration:
    """Read the configuration, to judge exporting and exporters by it: on replicas that it does not name nothing is wrong.

    :raises CallFailed: if it cannot be told, or the answer is not all of it.
    """
    found = management(ctx).configuration()
    missing = cluster_changes.untold(
        found, partition_count=ctx.settings.partition_count, least=replicas_here(ctx)
    )
    if missing:
        raise CallFailed(missing)
    return found


def lost_ids(ctx: StepContext) -> tuple[int, ...]:
    """Return the ids of the lost region's brokers, whichever stack asks."""
    return brokers.region_broker_ids(ctx.settings.cluster_size, lost_region(ctx))


def kept_ids(ctx: StepContext) -> tuple[int, ...]:
    """Return the ids of the surviving region's brokers, whichever stack asks."""
    return brokers.staying(ctx.settings.cluster_size, lost_region(ctx))


def lost_region(ctx: StepContext) -> int:
    """Return the region that was lost, whichever stack asks."""
    return ctx.settings.region if ctx.topology.role is Role.RECREATED else ctx.lost


def replicas_here(ctx: StepContext) -> int:
    """Return how many replicas of each partition lie in one region."""
    return ctx.settings.replication_factor // brokers.REGIONS


def hint(ctx: StepContext) -> Message:
    """Return what a person can do about a change that does not end."""
    at = ctx.gateway
    return messages.look_at_change(at.kubectl, at.names.gateway)


def shown_removal(ctx: StepContext, step: str) -> PlannedChange:
    """Return what a removal of the lost brokers would do; nothing is done.

    :raises Refused: if it is not possible.
    """
    try:
        return management(ctx).remove(lost_ids(ctx), kept_ids(ctx), dry_run=True)
    except ChangeNotPossible as error:
        raise Refused(messages.change_refused(step, error.message)) from None


def carry_out(
    ctx: StepContext,
    waiting: Waiting,
    what: Message,
    judge: Judge,
    ask: Ask,
    *,
    look: Callable[[], Configuration] | None = None,
) -> dict[str, str]:
    """Bring the configuration to a state, unless it is in it already, and return which changes were made for it.

    :param what: what is awaited.
    :param judge: whether it is in that state.
    :param ask: asks for the change that is still needed, or returns why that is not to be asked for yet.
    :param look: reads the configuration; by default as the coordinator has it.
    :raises Refused: if the change is not possible.
    :raises DualRegionError: if it has ended otherwise than well.
    """
    change = _Change(waiting.step, judge, ask)
    read = look or partial(configuration, ctx)
    waiting.until_none(what, lambda: change.advance(read()), hint(ctx))
    done = ", ".join(map(str, change.accepted))
    return {"changes": done} if done else {}


class _Change:
    """A change on its way.

    :ivar accepted: the ids of what was accepted.
    """

    def __init__(self, step: str, judge: Judge, ask: Ask) -> None:
        self._step, self._judge, self._ask = step, judge, ask
        self.accepted: list[int] = []

    def advance(self, found: Configuration) -> Message | None:
        """Ask for what is missing; return why it is not done yet, or None."""
        if found.under_way:
            return found.under_way
        if self.accepted:
            self._refuse_failed(found, self.accepted[-1])
        if reason := self._judge(found):
            return self._ask_for(found, reason)
        return cluster_changes.unconfirmed(found, self.accepted[-1]) if self.accepted else None

    def _ask_for(self, found: Configuration, reason: Message) -> Message:
        try:
            answer = self._ask(found)
        except ChangeNotPossible as error:
            raise Refused(messages.change_refused(self._step, error.message)) from None
        if isinstance(answer, PlannedChange) and answer.operations:
            self.accepted.append(answer.id)
        return answer if isinstance(answer, Message) else reason

    def _refuse_failed(self, found: Configuration, change: int) -> None:
        """End a wait that has no end any more.

        :raises DualRegionError: naming the change and its status.
        """
        if found.last is None or found.last.id != change:
            return
        if reason := cluster_changes.unconfirmed(found, change):
            raise DualRegionError(messages.change_not_completed(self._step, reason))


def look_with_lost_coordinator(ctx: StepContext, step: str) -> Configuration:
    """Read the configuration; as long as the coordinator is lost, what a dry run of the removal shows of it.

    :raises CallFailed: if it cannot be told, or only the coordinator could tell it.
    """
    try:
        return management(ctx).configuration()
    except CoordinatorSilent:
        shown = shown_removal(ctx, step)
        if cluster_changes.ids_of(shown.current) == set(kept_ids(ctx)):
            # Who remains has done it; the gateway has yet to hear who coordinates now.
            raise
        return Configuration(0, shown.current)


def refuse_harmful_removal(ctx: StepContext, step: str) -> None:
    """Refuse a removal that would do anything else than take the lost brokers out, by its dry run.

    :raises Refused: saying what.
    """
    problem = cluster_changes.removal_problem(
        shown_removal(ctx, step),
        lost_ids(ctx),
        kept_ids(ctx),
        partition_count=ctx.settings.partition_count,
        replicas=replicas_here(ctx),
    )
    if problem:
        raise Refused(messages.removal_would_harm(step, problem))
