"""F0: of two operators who call the opposite regions lost at the same moment, exactly one goes on.

Both stacks write their claim into their state before they read the other one's, and their confirmation (the record of
F0) before they read it again (F1). So at least one of two rivals sees the other in time, whatever the moment; the
patience, longer for region 1, only decides which one: docs/develop/adr/0004-a-failover-is-claimed.md.
"""

from collections.abc import Callable
from dataclasses import replace

from clients.cluster import pods
from clients.cluster.kubernetes import CallFailed
from dualregion import brokers
from dualregion.errors import ClusterUnreachable, Refused
from dualregion.procedure import F0, F1, Phase, Role, Step
from dualregion.state import claims
from dualregion.state.progress import Stack
from messages import Message
from messages.steps import steps as messages
from steps.context import Evidence, StepContext

PATIENCE_SECONDS = (10.0, 40.0)
"""How long each region waits for the other one's claim to be confirmed: it takes a second, if its run lives."""


def claim(ctx: StepContext) -> Evidence:
    """F0: the other stack's state holds no failover for this region, and this stack's claim can be seen there.

    :raises Refused: if the other stack has confirmed one, or brokers of a region that is given up are ready.
    """
    given_up = _refuse_living(ctx)
    incident = str(ctx.incident)
    _wait_until_seen(ctx, F0, lambda own: own.claim == incident)
    waiting = replace(ctx.waiting(F0), deadline_seconds=PATIENCE_SECONDS[ctx.settings.region])
    rival = waiting.last_reason(messages.no_other_claim(), lambda: _rival_claim(ctx))
    return {"claim": incident, "rival": str(rival or "none")} | given_up


def refuse_unless_confirmed(ctx: StepContext) -> None:
    """Refuse a rival once this stack's confirmation can be seen in its state: a later reader sees it.

    :raises Refused: as `refuse_rival`.
    """
    incident = str(ctx.incident)
    _wait_until_seen(ctx, F1, lambda own: own.gates.get(F0.id) == incident)
    refuse_rival(ctx)


def refuse_rival(ctx: StepContext) -> None:
    """Refuse to go on with a failover if the other stack has confirmed one for this region meanwhile.

    :raises Refused: naming it, and the ways out.
    """
    if ctx.topology.role is not Role.SURVIVOR or ctx.settings.phase is not Phase.FAILOVER:
        return
    _refuse_confirmed(ctx, *ctx.stacks_now())


def _refuse_confirmed(ctx: StepContext, own: Stack, peer: Stack) -> None:
    problem = claims.against_failover(ctx.settings, own, peer)
    if problem:
        raise Refused(problem)


def _refuse_living(ctx: StepContext) -> Evidence:
    """Refuse to give up a region whose brokers are ready: two clusters would accept commands. Return what was seen there.

    :raises Refused: naming the brokers.
    """
    settings = ctx.settings
    if settings.accept_loss is None:
        return {}
    if claims.against_failover(settings.without_accepted_loss, *ctx.stacks_now()) is None:
        return {}
    try:
        ready = [
            f"{each.metadata.namespace}/{each.metadata.name}"
            for namespace in settings.namespaces_of(brokers.other(settings.region)).values()
            for each in ctx.peer_at(namespace).broker_pods()
            if pods.is_ready(each)
        ]
    except (CallFailed, ClusterUnreachable) as error:
        return {"acceptedLoss": f"{settings.accept_loss}; region {settings.peer.name}: {error}"}
    if not ready:
        return {
            "acceptedLoss": f"{settings.accept_loss}; region {settings.peer.name} has no ready broker"
        }
    raise Refused(
        messages.given_up_region_lives(
            settings.accept_loss, settings.peer.name, ready, settings.peer.kube_context
        )
    )


def _wait_until_seen(ctx: StepContext, step: Step, is_there: Callable[[Stack], bool]) -> None:
    """Wait until this run's own record is in the state that others read; Pulumi saves it before it goes on."""

    def look() -> Message | None:
        own, _ = ctx.stacks_now()
        return None if is_there(own) else messages.claim_not_visible()

    ctx.waiting(step).until_none(messages.claim_visible(), look, messages.look_at_checkpoints())


def _rival_claim(ctx: StepContext) -> Message | None:
    """Return which claim of the other stack is not confirmed, or None.

    :raises Refused: if it is.
    """
    own, peer = ctx.stacks_now()
    _refuse_confirmed(ctx, own, peer)
    rival = claims.rival_claim(ctx.settings, peer)
    if rival is None:
        return None
    return messages.rival_claim(ctx.settings.peer_stack_name, str(rival))
