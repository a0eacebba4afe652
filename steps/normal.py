"""What phase normal is, whatever procedure brought it about: the common part of step N."""

from collections.abc import Callable
from functools import partial

from clients.parallel import begin
from dualregion import brokers
from dualregion.procedure import N
from messages import Message
from messages.steps import steps as messages
from steps import broker_views
from steps.context import Evidence, StepContext
from steps.releases import adoption, rendering


def prove(
    ctx: StepContext,
    *,
    refuse_unsafe: Callable[[], None],
    web_apps_pending: Callable[[], Message | None],
) -> Evidence:
    """Prove that all brokers joined, every partition is complete, exporters write to both engines, web apps are up.

    :param refuse_unsafe: called once every partition is complete; refuses a distribution that no failover would go with.
    :param web_apps_pending: returns why web apps, or the gateway, are not up yet, or None.
    """
    settings, waiting = ctx.settings, ctx.waiting(N)
    adoption.settle(ctx, waiting)
    looking = begin(partial(rendering.prove, ctx))
    waiting.until_none(
        messages.brokers_ready(brokers.broker_count(settings.cluster_size), ctx.namespace),
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    broker_views.wait_for_search_engine(ctx, waiting, ctx.installation)
    waiting.until_none(
        messages.cluster_complete(settings.cluster_size),
        lambda: broker_views.incomplete(ctx),
        messages.look_at_region_and_dns(),
    )
    broker_views.wait_for_commands(ctx, waiting)
    refuse_unsafe()
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        [ctx.installation],
        hint=messages.look_at_engines_and_network(),
        # The other region's stack proves the same of its own brokers.
        all_led_here=False,
    )
    waiting.until_none(
        messages.web_apps_available(ctx.namespace),
        web_apps_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    return broker_views.topology_evidence(ctx, waiting) | {
        "exportedPositions": moved,
        "rendered": looking.result(),
    }
