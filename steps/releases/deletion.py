"""What is looked at before something of a stack is deleted."""

from dataclasses import replace

from dualregion import brokers
from dualregion.decision import deletion
from dualregion.decision.deletion import Doomed
from dualregion.errors import Refused
from dualregion.procedure import B5, Role
from dualregion.procedure.topology import STEP_LABEL, Kind
from messages.steps import releases as messages
from messages.steps import steps as waits
from steps.context import StepContext

_NAME = "deletion"
"""What stands before each line of progress."""


def check(ctx: StepContext, doomed: Doomed, *, live: bool) -> None:
    """Refuse to delete what is needed; wait until failover brokers are not.

    :param live: whether the cluster is looked at; a preview decides without.
    :raises Refused: if it is needed, whatever happens.
    :raises DeadlineExceeded: if the cluster needs it still, or does not tell.
    """
    if ctx.settings.is_retired:
        return
    reason = deletion.refusal(ctx.settings, ctx.topology, doomed)
    if reason:
        raise Refused(reason)
    if live and doomed.is_of(Kind.FAILOVER) and ctx.topology.role is Role.SURVIVOR:
        _let_failover_brokers_go(ctx)


def _let_failover_brokers_go(ctx: StepContext) -> None:
    """Wait until every partition works on all of its other replicas, as the failover brokers' count no more.

    B5, which may have been proved long ago, says nothing of now.
    """
    # Its lines are not B5's, which is proved by now.
    settings, waiting = ctx.settings, replace(ctx.waiting(B5), step=_NAME)
    # The end of a namespace takes the rights in it first, and nothing keeps it any more.
    if ctx.cluster.is_ending(ctx.failover.namespace) or ctx.failover.brokers() is None:
        return
    _verify_reopened(ctx)
    leaving = brokers.failover_broker_ids(settings.cluster_size, ctx.lost)
    waiting.until_none(
        waits.not_needed_any_more(ctx.failover.namespace),
        lambda: deletion.incomplete_without(
            ctx.view(),
            leaving,
            cluster_size=settings.cluster_size,
            partition_count=settings.partition_count,
            replication_factor=settings.replication_factor,
        ),
        waits.look_at_brokers_until_then(ctx.namespace, settings.peer.name),
    )


def _verify_reopened(ctx: StepContext) -> None:
    """Refuse before B5: until then the failover's engine may hold what nothing else does.

    :raises Refused: if this incident's record of B5 is not in the cluster.
    """
    records = ctx.cluster.config_maps(ctx.namespace, f"{STEP_LABEL}={B5.id}")
    if any((each.data or {}).get("incident") == str(ctx.incident) for each in records):
        return
    raise Refused(
        messages.not_reopened(ctx.settings.own.failover, B5.id, str(ctx.incident), ctx.namespace)
    )
