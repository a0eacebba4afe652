"""The failback: the work and the proofs of steps B0 to B7.

Source: procedure, 'Failback' steps 1 to 7. Each function looks first and does only what is missing, so
it can be run again at any time. From B2 on the exporters are paused; whatever fails then says so, and
how to go on or back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from clients import installation
from clients.cluster import pods
from clients.cluster.kubernetes import CallFailed
from clients.installation import LiveInstallation
from clients.search_engine import SearchEngine
from dualregion import brokers
from dualregion.chart import values
from dualregion.errors import ClusterUnreachable, DualRegionError, Refused
from dualregion.observed import zeebe_answers
from dualregion.observed.search_engine.health import not_green_and_empty
from dualregion.observed.search_engine.records import records_text
from dualregion.observed.zeebe_answers import Exporting
from dualregion.procedure import B0, B1, B2, B3, B4, B5, B6, B7, Role
from messages import Message
from messages.clients import search_engine as engine_messages
from messages.steps import exporting as exporters
from messages.steps import progress
from messages.steps import steps as messages
from steps import broker_views, preflight
from steps.context import Evidence, StepContext
from steps.paused_exporters import ENGINE_GONE, paused_now, report_paused_exporters
from steps.polling import Waiting
from steps.releases import clean_slate, rollout, webapps
from steps.search_engine import copying, engines, snapshots


def prove_clean(ctx: StepContext) -> Evidence:
    """B0: the recreated region answers and holds nothing of Camunda; Pulumi then lifts the isolation.

    :raises Refused: naming everything that is left there.
    """
    peer = ctx.settings.peer
    there = ctx.peer_cluster
    ctx.say(progress.looking_for_leftovers(B0.id, peer.namespace, peer.name))
    try:
        there.check_answers()
    except ClusterUnreachable as error:
        raise ClusterUnreachable(
            messages.lost_region_unreachable(B0.id, error.message, peer.name)
        ) from None
    _wait_for_own_engine(ctx)
    at, waiting = ctx.peer_at(peer.namespace), ctx.waiting(B0)
    left = clean_slate.await_leftovers(at, waiting, is_own=False)
    if left:
        raise Refused(
            messages.region_not_clean(
                step=B0.id,
                region=peer.name,
                namespace=peer.namespace,
                left=left,
                stack=ctx.settings.peer_stack_name,
                context=peer.kube_context,
            )
        )
    return {"clean": f"namespace {peer.namespace} behind kube context {peer.kube_context}"}


def _wait_for_own_engine(ctx: StepContext) -> None:
    """Wait until a search engine that is not the chart's is ready in the recreated region, and may be asked what it holds.

    :raises Refused: if there is none.
    """
    at = ctx.peer_at(ctx.settings.peer.namespace)
    if at.engine_address.login is None:
        return
    preflight.refuse_without_engine(ctx, at)
    broker_views.wait_for_search_engine(ctx, ctx.waiting(B0), at)


def join(ctx: StepContext) -> Evidence:
    """B1: the awake brokers are ready and in the topology, the others asleep; the engine is empty."""
    settings, waiting = ctx.settings, ctx.waiting(B1)
    waiting.until_none(
        messages.half_of_the_brokers_asleep(ctx.namespace),
        lambda: rollout.asleep_as_expected(ctx.recreated),
        broker_views.look_at_pods(ctx.installation),
    )
    broker_views.wait_for_search_engine(ctx, waiting, ctx.installation)
    engine = engines.recreated_engine(ctx)
    waiting.until_none(
        messages.engine_empty(ctx.namespace),
        lambda: not_green_and_empty(engine.health()),
        messages.look_at_exporters(ctx.namespace),
    )
    ids = [
        each
        for ordinal, each in enumerate(
            brokers.region_broker_ids(settings.cluster_size, settings.region)
        )
        if not brokers.sleeps(ordinal)
    ]
    waiting.until_none(
        messages.awake_brokers_joined(ids),
        lambda: zeebe_answers.not_joined(ctx.view(), ids) or broker_views.incomplete(ctx),
        messages.look_at_dns_and_network(),
    )
    return broker_views.topology_evidence(ctx, waiting)


def freeze(ctx: StepContext) -> Evidence:
    """B2: web apps at 0, exporters paused everywhere, and the survivor's engine holds every record.

    :raises DualRegionError: if it is not reached in time; exporting goes on again then.
    """
    waiting = ctx.waiting(B2)
    with report_paused_exporters(ctx), _web_apps_back_unless_paused(ctx):
        not_copied = copying.refuse_what_would_fail(ctx, waiting)
        webapps.scale_down(ctx.installation, ctx.say)
        waiting.until_none(
            messages.web_apps_down(ctx.namespace),
            lambda: webapps.down_pending(ctx.installation),
            broker_views.look_at_pods(ctx.installation),
        )
        began = datetime.now(UTC)
        _pause(ctx, waiting)
        records = _wait_for_records(ctx, waiting)
    return {
        "exporters": "paused on every partition of every broker",
        "pausedAt": began.isoformat(timespec="seconds"),
        "records": records,
        **not_copied,
    }


@contextmanager
def _web_apps_back_unless_paused(ctx: StepContext) -> Iterator[None]:
    """Scale Operate and Tasklist back if the freeze fails, whatever it is, and leaves no exporter paused."""
    try:
        yield
    except ENGINE_GONE:
        raise
    except Exception:
        if paused_now(ctx) is None:
            webapps.scale_back(ctx.installation, ctx.say)
        raise


def _pause(ctx: StepContext, waiting: Waiting) -> None:
    waiting.until_none(
        exporters.exporters_pause(),
        lambda: _not_in_phase(ctx, "PAUSED", ctx.installation.zeebe.pause),
        messages.look_at_topology(),
    )


def _not_in_phase(
    ctx: StepContext, phase: str, ask: Callable[[], Message | None]
) -> Message | None:
    """Ask for a phase of exporting unless it is reached already; return what is missing, or None."""
    return None if _out_of_phase(ctx, phase) is None else ask() or _out_of_phase(ctx, phase)


def _out_of_phase(ctx: StepContext, phase: str) -> Message | None:
    """Return which replica of any installation is not in a phase of exporting, or None."""
    return zeebe_answers.not_all_in(
        _exporting(ctx),
        phase,
        partition_count=ctx.settings.partition_count,
        replication_factor=ctx.settings.replication_factor,
    )


def _exporting(ctx: StepContext) -> tuple[Exporting, ...]:
    """Return how every replica exports.

    :raises CallFailed: if a broker does not answer, or there is none: nothing would be paused then, and nothing exported.
    """
    found = installation.exporting(ctx.all_three)
    if not found:
        raise CallFailed(exporters.no_broker_answered())
    return found


def _wait_for_records(ctx: StepContext, waiting: Waiting) -> str:
    """Wait until nothing is in the failover engine that a snapshot of the survivor's would lack.

    What the exporters have buffered is still written after the pause, each on its own schedule; but not by a broker
    that leads no more, and its successor reads nothing as long as exporting is paused.
    """
    own, failover = engines.surviving_engine(ctx), engines.failover_engine(ctx)
    quiet = engines.exporters(ctx).quiet_seconds
    leaders = waiting.answer(
        exporters.leaders_known(),
        lambda: zeebe_answers.leaders(_exporting(ctx)),
        messages.look_at_brokers_of_both_regions(),
    )

    def never(partitions: Iterable[int]) -> Message | None:
        before = {each: leaders[each] for each in partitions if each in leaders}
        try:
            changed = zeebe_answers.deposed(before, zeebe_answers.leaders(_exporting(ctx)))
        except CallFailed:
            return None
        return engine_messages.buffered_until_resumed(changed) if changed else None

    try:
        records = snapshots.wait_for_equal_records(own, failover, waiting, quiet, never)
        if not records and _has_exported(ctx, waiting) and not _holds_records(own, waiting):
            raise snapshots.RecordsMissing(engine_messages.no_records_found(own.record_prefix))
    except snapshots.RecordsMissing as error:
        reason = error.message
    else:
        return records_text(records)
    try:
        _resume(ctx, ctx.waiting(B2))
    except DualRegionError as error:
        resumed = messages.exporting_not_resumed(error.message)
    else:
        resumed = messages.exporting_resumed()
    raise DualRegionError(messages.survivor_lacks_records(B2.id, ctx.namespace, reason, resumed))


def _has_exported(ctx: StepContext, waiting: Waiting) -> bool:
    return any(state.exported_position > 0 for state in _states(ctx, waiting))


def _states(ctx: StepContext, waiting: Waiting) -> tuple[Exporting, ...]:
    return waiting.answer(
        exporters.exported_positions_known(),
        lambda: _exporting(ctx),
        messages.look_at_brokers_of_both_regions(),
    )


def _holds_records(engine: SearchEngine, waiting: Waiting) -> bool:
    marks = waiting.answer(
        messages.engine_holds_records(engine.namespace),
        engine.record_marks,
        engine_messages.look_at_engine_pods(),
    )
    return any(mark.documents for mark in marks.values())


def copy(ctx: StepContext) -> Evidence:
    """B3: snapshot of the survivor's engine, restored in the recreated region, equal index by index."""
    waiting = ctx.waiting(B3)
    with report_paused_exporters(ctx):
        _verify_exporters_paused(ctx, waiting)
        _verify_web_apps_down(ctx, waiting)
        _refuse_exports_to_recreated(ctx)
        evidence = copying.copy_unless_copied(ctx, waiting)
        evidence |= _prove_whole(ctx, waiting, messages.copy_again())
        snapshots.forget(engines.recreated_engine(ctx), waiting, engines.repository(ctx))
    return evidence


def repoint(ctx: StepContext) -> Evidence:
    """B4: every broker of this stack exports to both regions again, one restarted after the other."""
    if ctx.topology.role is Role.RECREATED and B5.id in ctx.peer.proved(ctx.incident):
        return _prove_repointed_before(ctx)
    with report_paused_exporters(ctx):
        waiting = ctx.waiting(B4)
        _verify_exporters_paused(ctx, waiting)
        _verify_web_apps_down(ctx, waiting)
        for each in _own_installations(ctx):
            _roll(ctx, each, waiting)
            _prove_environment(ctx, each, waiting)
        _verify_exporters_paused(ctx, waiting)
        broker_views.wait_for_commands(ctx, waiting)
        evidence = _prove_whole(ctx, waiting, messages.back_out(), as_copied=False)
        return (
            evidence | broker_views.topology_evidence(ctx, waiting) | {"exporters": "still paused"}
        )


def _prove_repointed_before(ctx: StepContext) -> Evidence:
    """Prove B4 where the survivor has proved B5 already, as the recreated region was called lost meanwhile: its record went.

    Exporting goes on then, and with the failover brokers gone a restart would cost the quorum. None is needed: the survivor
    has seen every broker with its final addresses.
    """
    for each in _own_installations(ctx):
        _prove_environment(ctx, each, ctx.waiting(B4))
    return {"exporters": "went on before this run"}


def reopen(ctx: StepContext) -> Evidence:
    """B5: Operate and Tasklist are up; on the survivor, exporting goes on everywhere."""
    settings, waiting = ctx.settings, ctx.waiting(B5)
    wanted = values.web_apps_of(ctx.topology.installations[0].values, settings.version)
    with report_paused_exporters(ctx):
        waiting.until_none(
            messages.web_apps_up(ctx.namespace),
            lambda: webapps.up_pending(ctx.installation, wanted),
            broker_views.look_at_pods(ctx.installation),
        )
        if ctx.topology.role is Role.RECREATED:
            _renew(ctx, waiting)
            return {"webApps": "up"}
        if not ctx.cluster.has_namespace(settings.own.failover):
            return _prove_reopened_before(ctx, waiting)
        for each in ctx.all_three:
            _prove_environment(ctx, each, waiting)
        evidence = _prove_whole_before_resuming(ctx, waiting)
        _resume(ctx, waiting)
    before = _positions(ctx, waiting)
    waiting.until_none(
        exporters.positions_move(all_partitions=True),
        lambda: zeebe_answers.exporting_stuck(
            before, _exporting(ctx), range(1, settings.partition_count + 1)
        ),
        messages.look_at_engines_of_both_regions(),
    )
    resumed = datetime.now(UTC)
    _renew(ctx, waiting)
    return evidence | {"webApps": "up", "resumedAt": resumed.isoformat(timespec="seconds")}


def _positions(ctx: StepContext, waiting: Waiting) -> dict[int, int]:
    """Return how far each partition has exported: an answer that is lost once is waited for."""
    return zeebe_answers.exported_positions(_states(ctx, waiting))


def _prove_reopened_before(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Prove B5 where its record alone was lost: exporting goes on, and the failover installation is gone already.

    Of each partition a replica is missing then, so that the gateway takes no order; none is needed.
    """
    for each in (ctx.survivor, ctx.recreated):
        _prove_environment(ctx, each, waiting)
    before = _positions(ctx, waiting)

    def not_exporting() -> Message | None:
        states = _exporting(ctx)
        return zeebe_answers.paused_anywhere(states) or zeebe_answers.exporting_stuck(
            before, states, range(1, ctx.settings.partition_count + 1)
        )

    waiting.until_none(
        exporters.exporters_went_on(ctx.failover.namespace),
        not_exporting,
        messages.back_out_if_deleted(ctx.failover.namespace),
    )
    return {"webApps": "up", "exporters": "went on before this run"}


def _prove_whole_before_resuming(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Prove that the copy is whole at the last moment: every broker has its final addresses, so nothing comes later.

    Where an earlier run of this step has let exporting go on already, only what the failover engine holds can still be
    compared: it gets nothing any more.
    """
    states = waiting.answer(
        exporters.exporting_known(),
        lambda: _exporting(ctx),
        messages.look_at_brokers_of_both_regions(),
    )
    _verify_copy_complete(ctx, waiting, messages.back_out())
    if any(state.phase == zeebe_answers.RUNNING for state in states):
        return {}
    return snapshots.prove_equal_records(
        engines.surviving_engine(ctx), engines.recreated_engine(ctx), waiting, messages.back_out()
    )


def _renew(ctx: StepContext, waiting: Waiting) -> None:
    """End the hold of an update that concerns the web apps alone; restart what it changed all the same."""
    at = _own_installations(ctx)[0]
    _roll(ctx, at, waiting)
    _prove_environment(ctx, at, waiting)


def _resume(ctx: StepContext, waiting: Waiting) -> None:
    waiting.until_none(
        exporters.exporters_resume(),
        lambda: _not_in_phase(ctx, "EXPORTING", ctx.installation.zeebe.resume),
        messages.look_at_topology(),
    )


def prove_retired(ctx: StepContext) -> Evidence:
    """B6: no failover broker is left, so that the sleeping ones may take their ids.

    To a state that was restored from before B6 some of them are awake, and ready; one that sleeps never is.
    """
    return _retired(ctx, _own_ids(ctx, pods.is_ready))


def _retired(ctx: StepContext, woken: frozenset[int]) -> Evidence:
    """Prove that no failover broker is left.

    :param woken: which of their ids brokers of this region have taken already.
    """
    settings, waiting = ctx.settings, ctx.waiting(B6)
    namespace = settings.peer.failover
    ids = set(brokers.failover_broker_ids(settings.cluster_size, settings.region)) - woken
    waiting.until_none(
        messages.failover_namespace_gone(namespace, settings.peer.name),
        lambda: clean_slate.nothing_left(ctx.peer_cluster, namespace),
        messages.retire_failover(settings.peer_stack_name),
    )
    waiting.until_none(
        messages.failover_brokers_gone(),
        lambda: broker_views.any_visible(broker_views.sighted_views(ctx), ids),
        broker_views.look_at_gateway(ctx),
    )
    return {"gone": f"namespace {namespace}, its claims and volumes"}


def wake(ctx: StepContext) -> Evidence:
    """B7: the sleeping brokers wake first, then the others take the new configuration one by one."""
    settings, waiting = ctx.settings, ctx.waiting(B7)
    _retired(ctx, _woken(ctx))
    rollout.wake(
        ctx.recreated,
        waiting=waiting,
        complete=lambda: broker_views.incomplete(ctx),
        say=ctx.say,
    )
    waiting.until_none(
        messages.brokers_rolled_out(ctx.namespace),
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    waiting.until_none(
        messages.cluster_complete(settings.cluster_size),
        lambda: broker_views.incomplete(ctx),
        messages.look_at_brokers_of_both_regions(),
    )
    waiting.until_none(
        messages.gateway_sees_all(ctx.namespace, settings.cluster_size),
        lambda: zeebe_answers.missing_brokers(ctx.installation.zeebe.view(), settings.cluster_size),
        messages.look_at_gateway_pod(ctx.namespace),
    )
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        [ctx.installation, ctx.survivor],
        hint=messages.look_at_engines_of_both_regions(),
    )
    return broker_views.topology_evidence(ctx, waiting) | {"exportedPositions": moved}


def _woken(ctx: StepContext) -> frozenset[int]:
    """Return the ids of the brokers that have been woken by an attempt before this one.

    One that still sleeps has the old revision, and is not ready.
    """
    found = ctx.installation.brokers()
    revision = None if found is None else found.status.update_revision
    return _own_ids(ctx, lambda pod: pods.is_ready(pod) or pods.revision_of(pod) == revision)


def _own_ids(ctx: StepContext, wanted: Callable[[Any], bool]) -> frozenset[int]:
    """Return the ids of the region's brokers whose pods are as wanted."""
    ids = brokers.region_broker_ids(ctx.settings.cluster_size, ctx.settings.region)
    return broker_views.broker_ids_at(ctx.installation, ids, wanted)


def _own_installations(ctx: StepContext) -> tuple[LiveInstallation, ...]:
    """Return the installations that this stack restarts in B4."""
    if ctx.topology.role is Role.RECREATED:
        return (ctx.recreated,)
    return ctx.survivor, ctx.failover


def _roll(ctx: StepContext, at: LiveInstallation, waiting: Waiting) -> None:
    rollout.roll(
        at,
        waiting=waiting,
        complete=lambda: broker_views.incomplete(ctx),
        say=ctx.say,
    )


def _prove_environment(ctx: StepContext, at: LiveInstallation, waiting: Waiting) -> None:
    wanted = broker_views.wanted_environment(ctx.settings, replaced_region=None)
    waiting.until_none(
        messages.exporters_as_before(at.namespace),
        lambda: at.wrong_environment(wanted),
        messages.each_stack_repoints(),
    )


def _verify_exporters_paused(ctx: StepContext, waiting: Waiting) -> None:
    """Prove that exporting was not resumed meanwhile: a copy of a moving engine is worth nothing."""
    waiting.until_none(
        exporters.exporters_stay_paused(),
        lambda: _out_of_phase(ctx, "PAUSED"),
        messages.back_out_if_resumed(),
    )


def _verify_web_apps_down(ctx: StepContext, waiting: Waiting) -> None:
    """Prove that the region's web apps write nothing: what they change in a document, no count shows."""
    at = ctx.installation
    waiting.until_none(
        messages.web_apps_stay_down(at.namespace),
        lambda: webapps.down_pending(at),
        messages.scale_to_nothing(at.kubectl),
    )


def _prove_whole(
    ctx: StepContext, waiting: Waiting, remedy: Message, *, as_copied: bool = True
) -> Evidence:
    """Prove that the copy holds all that the survivor's engine and the failover one hold.

    A buffer that was flushed only after the snapshot would be lost for good: exporters never go back.

    :param as_copied: whether it must hold nothing else, as it does at first.
    """
    evidence = snapshots.prove_equal(
        engines.surviving_engine(ctx),
        engines.recreated_engine(ctx),
        waiting,
        remedy,
        as_copied=as_copied,
    )
    _verify_copy_complete(ctx, waiting, remedy)
    return evidence


def _verify_copy_complete(ctx: StepContext, waiting: Waiting, remedy: Message) -> None:
    failover, copied = engines.failover_engine(ctx), engines.recreated_engine(ctx)
    lacking = waiting.answer(
        messages.failover_records_known(copied.namespace, failover.namespace),
        lambda: snapshots.lacking(copied, failover),
        engine_messages.look_at_both_engines(),
    )
    if lacking:
        raise Refused(messages.copy_lacks_records(waiting.step, lacking, remedy))


def _refuse_exports_to_recreated(ctx: StepContext) -> None:
    """Never restore into a search engine that brokers export to.

    :raises Refused: naming the broker that does.
    """
    settings = ctx.settings
    wanted = broker_views.wanted_environment(settings, replaced_region=ctx.lost)
    for each in ctx.all_three:
        reason = each.wrong_environment(wanted)
        if reason:
            raise Refused(
                messages.brokers_export_to_copy(
                    B3.id, settings.peer.namespace, reason, each.namespace
                )
            )
