"""What several steps prove in the same way."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from clients import installation
from clients.cluster import pods
from clients.cluster.kubernetes import CallFailed
from clients.installation import LiveInstallation
from clients.parallel import at_once
from dualregion import brokers
from dualregion.chart import values
from dualregion.config.settings import Settings
from dualregion.observed import zeebe_answers
from dualregion.observed.zeebe_answers import ClusterView, Exporting
from messages import Message
from messages.steps import exporting as exporters
from messages.steps import steps as messages
from steps.context import Evidence, StepContext
from steps.polling import Waiting


def wanted_environment(settings: Settings, *, replaced_region: int | None) -> dict[str, str]:
    """Return what every broker's environment must hold: contact points and the exporters' addresses.

    Helm merges lists in which a name stands twice, as the chart's own contact points and ours do, into
    an order that cannot be foreseen; the last one counts.
    """
    urls = values.exporter_urls(settings, replaced_region=replaced_region)
    form = settings.version.exporter
    return {settings.version.brokers.contact_points: values.contact_points(settings)} | {
        form.variable(region, form.url): url for region, url in enumerate(urls)
    }


def incomplete(ctx: StepContext) -> Message | None:
    """Return which brokers are missing, or which partitions lack a leader or a healthy replica; or None."""
    settings, view = ctx.settings, ctx.view()
    return zeebe_answers.missing_brokers(
        view, settings.cluster_size
    ) or zeebe_answers.partitions_not_ready(
        view,
        partition_count=settings.partition_count,
        healthy_replicas=settings.replication_factor,
    )


def sighted_views(ctx: StepContext) -> tuple[ClusterView, ...]:
    """Return the cluster as each gateway sees it, all of which see their own region's ready brokers.

    Only of such a gateway it proves something that it does not see a broker.

    :raises CallFailed: if it cannot be told, as a gateway does not answer, or sees too little.
    """
    settings, gateway = ctx.settings, ctx.gateway
    here = gateway.cluster is ctx.cluster
    region = settings.region if here else brokers.other(settings.region)
    own = brokers.region_broker_ids(settings.cluster_size, region)
    ready = broker_ids_at(gateway, own, pods.is_ready)
    views = gateway.zeebe.views()
    for view in views:
        reason = zeebe_answers.blind(view, own, ready)
        if reason:
            raise CallFailed(exporters.gateway_blind(reason))
    return views


def not_served_alone(settings: Settings, region: int) -> tuple[int, ...]:
    """Return the partitions that have no quorum with a region's own brokers only."""
    return brokers.partitions_without_quorum(
        brokers.region_broker_ids(settings.cluster_size, region),
        cluster_size=settings.cluster_size,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )


def broker_ids_at(
    at: LiveInstallation, ids: Sequence[int], wanted: Callable[[Any], bool]
) -> frozenset[int]:
    """Return the ids of an installation's brokers whose pods are as wanted.

    :param ids: the installation's, by ordinal.
    """
    ordinals = (pods.ordinal_of(pod) for pod in at.broker_pods() if wanted(pod))
    return frozenset(ids[ordinal] for ordinal in ordinals if ordinal < len(ids))


def lost_brokers_visible(ctx: StepContext) -> Message | None:
    """Return which of the lost region's brokers a gateway of the survivor still sees, or None.

    The failover brokers have ids of the lost region, too: where pods of theirs are there, it was proved before that
    no other broker has these ids.

    :raises CallFailed: if it cannot be told.
    """
    lost = frozenset(brokers.region_broker_ids(ctx.settings.cluster_size, ctx.lost))
    return any_visible(sighted_views(ctx), lost - _ids_taken_over(ctx))


def _ids_taken_over(ctx: StepContext) -> frozenset[int]:
    """Return the ids of the lost region that failover brokers have, where the procedure has such."""
    if not ctx.settings.procedure.has_failover_installation:
        return frozenset()
    ids = brokers.failover_broker_ids(ctx.settings.cluster_size, ctx.lost)
    return broker_ids_at(ctx.failover, ids, lambda pod: not pods.is_ending(pod))


def any_visible(views: Iterable[ClusterView], ids: Collection[int]) -> Message | None:
    """Return which of these brokers some gateway still sees, or None."""
    return next(filter(None, (zeebe_answers.still_visible(view, ids) for view in views)), None)


def look_at_pods(at: LiveInstallation) -> Message:
    """Return the next thing to try when pods do not become ready."""
    return messages.look_at_pods(at.kubectl)


def look_at_gateway(ctx: StepContext) -> Message:
    """Return the next thing to try when the gateway does not answer, or not as it should."""
    at = ctx.gateway
    return messages.look_at_gateway(at.kubectl, at.names.gateway)


def wait_for_search_engine(ctx: StepContext, waiting: Waiting, at: LiveInstallation) -> None:
    """Wait until every node of an installation's search engine is ready.

    One beside the chart must take its password, too; without a section for it, it is the user's own to watch.
    """
    installed = (each for each in ctx.topology.installations if each.namespace == at.namespace)
    is_of_chart = at.engine_address.login is None
    if is_of_chart and not all(values.brings_search_engine(each.values) for each in installed):
        ctx.say(messages.engine_not_watched(at.namespace))
        return
    waiting.until_none(
        messages.engine_ready(at.namespace), at.search_engine_pending, look_at_pods(at)
    )


def wait_for_commands(ctx: StepContext, waiting: Waiting) -> None:
    """Wait until every partition accepts a command; it leaves nothing behind.

    All are asked at once: the gateway keeps a connection for each partition's commands, and finds one to a
    broker that has restarted to be dead only after a command has waited on it for ten seconds or more.
    """
    zeebe = ctx.gateway.zeebe

    def refused() -> Message | None:
        partitions = range(1, ctx.settings.partition_count + 1)
        refusals = [each for each in at_once(zeebe.refuses_commands, partitions) if each]
        if refusals[1:]:
            return messages.several_refuse_commands(refusals[0], len(refusals) - 1)
        return refusals[0] if refusals else None

    waiting.until_none(messages.commands_accepted(), refused, look_at_gateway(ctx))


def prove_exporting(
    ctx: StepContext,
    waiting: Waiting,
    installations: Iterable[LiveInstallation],
    *,
    hint: Message,
    all_led_here: bool = True,
) -> str:
    """Prove that commands are accepted, and that exporters write to every search engine; return the positions.

    A broker's exported position is that of its slowest exporter, so that it moves if both of them write.

    :param installations: those whose brokers are asked.
    :param hint: what to try if it stays where it is.
    :param all_led_here: whether every partition is to be led there; else only those that are led there are looked at.
    """
    asked, count = tuple(installations), ctx.settings.partition_count

    def ask() -> tuple[Exporting, ...]:
        found = installation.exporting(asked)
        if not found:
            raise CallFailed(exporters.no_broker_answered())
        return found

    def stuck() -> Message | None:
        states = ask()
        # What no broker knew before is compared with what the first one that does says.
        before.update(zeebe_answers.exported_positions(states) | before)
        partitions = range(1, count + 1) if all_led_here else sorted(zeebe_answers.leaders(states))
        paused = zeebe_answers.paused_anywhere(states)
        return paused or zeebe_answers.exporting_stuck(before, states, partitions)

    def positions() -> dict[int, int]:
        what, hint = exporters.exported_positions_known(), messages.look_at_brokers()
        return zeebe_answers.exported_positions(waiting.answer(what, ask, hint))

    before = positions()
    wait_for_commands(ctx, waiting)
    waiting.until_none(exporters.positions_move(all_led_here), stuck, hint)
    after = positions()
    return ", ".join(f"{each}: {before.get(each, -1)} -> {after[each]}" for each in sorted(after))


def topology_evidence(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Return which brokers the gateway sees, as evidence."""
    view = waiting.answer(messages.gateway_answers(), ctx.view, look_at_gateway(ctx))
    listed = ", ".join(
        f"{each.id} {each.host}" for each in sorted(view.brokers, key=lambda b: b.id)
    )
    return {"brokers": listed}
