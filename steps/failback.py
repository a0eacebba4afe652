"""The failback: the work and the proofs of steps B0 to B7.

Source: procedure, 'Failback' steps 1 to 7. Each function looks first and does only what is missing, so
it can be run again at any time. From B2 on the exporters are paused; whatever fails then says so, and
how to go on or back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from clients import installation, pods
from clients.installation import LiveInstallation
from clients.kubernetes import CallFailed
from clients.search_engine import SearchEngine
from dualregion import brokers
from dualregion.chart import values
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError, Refused
from dualregion.messages.words import some_of
from dualregion.observed import zeebe_answers
from dualregion.observed.health import not_green_and_empty
from dualregion.observed.records import records_text
from dualregion.observed.snapshots import NAME_PREFIX
from dualregion.observed.zeebe_answers import Exporting
from dualregion.procedure import B1, B2, B3, B4, B5, B6, B7, Role
from steps import broker_views
from steps.context import Evidence, StepContext
from steps.paused_exporters import ENGINE_GONE, paused_now, report_paused_exporters
from steps.polling import Waiting
from steps.releases import clean_slate, rollout, webapps
from steps.search_engine import engine_settings, engines, fitness, snapshots

_BACK_OUT = (
    "Exporting stays paused, so nothing is lost. To go on, back out and begin the failback again: set phase failover on "
    "both stacks and run `pulumi up` on the survivor's, then set phase failback-pending. `pulumi up` alone ends here "
    "again, unless retention has deleted what is old in one region and is yet to do so in the other"
)
"""What to do about a copy with a gap once brokers may not be kept from it any more."""
_COPY_AGAIN = (
    "The same `pulumi up` takes a new snapshot and restores it; if that ends in the same way, back out (set phase "
    "failover on both stacks) and begin the failback again. Nothing is lost as long as exporting is paused"
)


def prove_clean(ctx: StepContext) -> Evidence:
    """B0: the recreated region answers and holds nothing of Camunda; Pulumi then lifts the isolation.

    :raises Refused: naming everything that is left there.
    """
    peer = ctx.settings.peer
    there = ctx.peer_cluster
    ctx.say(f"B0: looking for what is left in namespace {peer.namespace} of region {peer.name}")
    try:
        there.check_answers()
    except ClusterUnreachable as error:
        raise ClusterUnreachable(
            f"B0: {error}. A failback needs region {peer.name} again: recreate its cluster, update its context "
            f"in the kubeconfig, and run `pulumi up` again. Nothing was changed"
        ) from None
    left = clean_slate.leftovers(ctx.peer_at(peer.namespace), is_own=False)
    if left:
        raise Refused(
            f"B0: region {peer.name} is not clean, its namespace {peer.namespace} holds {', '.join(left)}. "
            "Old data must not come back. Let its own stack remove what it knows of (`pulumi config set phase "
            f"failover` and `pulumi up` on stack {ctx.settings.peer_stack_name}), or delete the rest: "
            f"kubectl --context {peer.kube_context} delete namespace {peer.namespace} (and `delete pv` for volumes "
            "that are kept). Then run `pulumi up` again"
        )
    return {"clean": f"namespace {peer.namespace} behind kube context {peer.kube_context}"}


def join(ctx: StepContext) -> Evidence:
    """B1: the awake brokers are ready and in the topology, the others asleep; the engine is empty."""
    settings, waiting = ctx.settings, ctx.waiting(B1)
    waiting.until_none(
        f"the odd brokers of {ctx.namespace} are ready, the even ones asleep",
        lambda: rollout.asleep_as_expected(ctx.recreated),
        broker_views.look_at_pods(ctx.installation),
    )
    broker_views.wait_for_search_engine(ctx, waiting, ctx.installation)
    engine = engines.recreated_engine(ctx)
    waiting.until_none(
        f"the search engine of {ctx.namespace} is green and empty",
        lambda: not_green_and_empty(engine.health()),
        "Brokers must not export there yet; look at its indices and at the exporters' URLs.",
    )
    ids = [
        each
        for ordinal, each in enumerate(
            brokers.region_broker_ids(settings.cluster_size, settings.region)
        )
        if not brokers.sleeps(ordinal)
    ]
    waiting.until_none(
        f"broker {', '.join(map(str, ids))} joined and every partition is complete",
        lambda: zeebe_answers.not_joined(ctx.view(), ids) or broker_views.incomplete(ctx),
        "Look at the DNS and the network between the regions, and at the brokers' logs.",
    )
    return broker_views.topology_evidence(ctx, waiting)


def freeze(ctx: StepContext) -> Evidence:
    """B2: web apps at 0, exporters paused everywhere, and the survivor's engine holds every record.

    :raises DualRegionError: if it is not reached in time; exporting goes on again then.
    """
    waiting = ctx.waiting(B2)
    with report_paused_exporters(ctx), _web_apps_back_unless_paused(ctx):
        not_copied = _refuse_what_would_fail(ctx, waiting)
        webapps.scale_down(ctx.installation, ctx.say)
        waiting.until_none(
            f"Operate and Tasklist of {ctx.namespace} are down",
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


def _refuse_what_would_fail(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Look for what would keep the copy from being made, before anything is paused for it.

    :returns: what is not copied.
    :raises Refused: naming it all, each with its remedy.
    """
    try:
        own, empty = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
    except ConfigError as error:
        raise Refused(f"B2: {'; '.join(error.problems)}. Nothing was changed") from None
    hint = "Look at the search engines of both regions: their pods and logs."
    problems = waiting.answer(
        "both search engines tell whether they can be copied",
        lambda: [*fitness.unfit_source(own), *fitness.unfit_target(empty, own)],
        hint,
    )
    if problems:
        raise Refused(f"B2: {'; '.join(problems)}. Nothing was changed")
    waiting.until_none(
        f"the persistent settings of {empty} can be put back after a restore",
        lambda: engine_settings.check_that_they_can_be_put_back(own, empty),
        hint,
    )
    # Also found out before: a snapshot that could not be taken.
    snapshots.register(own, waiting, engines.repository(ctx), readonly=False)
    streams = waiting.answer(f"{own} lists its data streams", own.data_streams, hint)
    if not streams:
        return {}
    named = f"data streams {some_of(streams)}"
    ctx.say(f"B2: {named} of {own} are not copied, as Camunda has none: copy them yourself")
    return {"notCopied": named}


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
        "exporting is paused on every partition of every broker",
        lambda: _not_in_phase(ctx, "PAUSED", ctx.installation.zeebe.pause),
        "The pause needs every broker: look at the topology and the brokers' logs.",
    )


def _not_in_phase(ctx: StepContext, phase: str, ask: Callable[[], str | None]) -> str | None:
    """Ask for a phase of exporting unless it is reached already; return what is missing, or None."""
    return None if _out_of_phase(ctx, phase) is None else ask() or _out_of_phase(ctx, phase)


def _out_of_phase(ctx: StepContext, phase: str) -> str | None:
    """Return which replica of any installation is not in a phase of exporting, or None."""
    return zeebe_answers.not_all_in(
        _exporting(ctx),
        phase,
        partition_count=ctx.settings.partition_count,
        replication_factor=ctx.settings.replication_factor,
    )


def _exporting(ctx: StepContext) -> tuple[Exporting, ...]:
    return installation.exporting(ctx.all_three)


def _wait_for_records(ctx: StepContext, waiting: Waiting) -> str:
    """Wait until nothing is in the failover engine that a snapshot of the survivor's would lack.

    What the exporters have buffered is still written after the pause, each on its own schedule; but not by a broker
    that leads no more, and its successor reads nothing as long as exporting is paused.
    """
    own, failover = engines.surviving_engine(ctx), engines.failover_engine(ctx)
    quiet = 2 * engines.exporters(ctx).flush_seconds
    leaders = waiting.answer(
        "the leader of each partition is known",
        lambda: zeebe_answers.leaders(_exporting(ctx)),
        "Look at the broker pods of both regions and their logs.",
    )

    def never(partitions: Iterable[int]) -> str | None:
        before = {each: leaders[each] for each in partitions if each in leaders}
        try:
            changed = zeebe_answers.deposed(before, zeebe_answers.leaders(_exporting(ctx)))
        except CallFailed:
            return None
        return (
            f"{changed}: what was buffered there is written when exporting goes on"
            if changed
            else None
        )

    try:
        records = snapshots.wait_for_equal_records(own, failover, waiting, quiet, never)
        if not records and _has_exported(ctx, waiting) and not _holds_records(own, waiting):
            raise snapshots.RecordsMissing(
                f"brokers have exported, but no index {own.record_prefix}* holds a record"
            )
    except snapshots.RecordsMissing as error:
        reason = str(error)
    else:
        return records_text(records)
    problem = (
        f"B2: the survivor's search engine does not hold all that the failover one does: {reason}. Look at "
        f"the health and load of the search engine in {ctx.namespace}; the same `pulumi up` tries again."
    )
    try:
        _resume(ctx, ctx.waiting(B2))
    except DualRegionError as error:
        raise DualRegionError(f"{problem} Exporting could not be resumed: {error}") from None
    raise DualRegionError(f"{problem} Exporting was resumed, and the web apps are scaled back")


def _has_exported(ctx: StepContext, waiting: Waiting) -> bool:
    states = waiting.answer(
        "every broker tells how far it has exported",
        lambda: _exporting(ctx),
        "Look at the broker pods of both regions and their logs.",
    )
    return any(state.exported_position > 0 for state in states)


def _holds_records(engine: SearchEngine, waiting: Waiting) -> bool:
    marks = waiting.answer(
        f"{engine} tells whether it holds records",
        engine.record_marks,
        "Look at its pods and logs.",
    )
    return any(mark.documents for mark in marks.values())


def copy(ctx: StepContext) -> Evidence:
    """B3: snapshot of the survivor's engine, restored in the recreated region, equal index by index."""
    waiting = ctx.waiting(B3)
    with report_paused_exporters(ctx):
        _verify_exporters_paused(ctx, waiting)
        _verify_web_apps_down(ctx, waiting)
        _refuse_exports_to_recreated(ctx)
        evidence = _copy_unless_copied(ctx, waiting)
        evidence |= _prove_whole(ctx, waiting, _COPY_AGAIN)
        snapshots.forget(engines.recreated_engine(ctx), waiting, engines.repository(ctx))
    return evidence


def _copy_unless_copied(ctx: StepContext, waiting: Waiting) -> Evidence:
    own, empty = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
    if snapshots.is_copied(own, empty, waiting):
        # A restore that was interrupted at once may have left the survivor's.
        settings = engine_settings.keep(ctx, empty, waiting)
        engine_settings.put_back(ctx, empty, waiting, settings)
        return {"snapshot": "that of an earlier attempt, to which nothing was added since"}
    repository = engines.repository(ctx)
    name = f"{NAME_PREFIX}{ctx.incident}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    snapshot = snapshots.take_snapshot(own, waiting, repository, name, str(ctx.incident))
    settings = engine_settings.keep(ctx, empty, waiting)
    return snapshots.restore_snapshot(
        empty,
        waiting,
        repository,
        snapshot,
        begun=lambda: engine_settings.put_back(ctx, empty, waiting, settings),
    )


def repoint(ctx: StepContext) -> Evidence:
    """B4: every broker of this stack exports to both regions again, one restarted after the other."""
    with report_paused_exporters(ctx):
        waiting = ctx.waiting(B4)
        _verify_exporters_paused(ctx, waiting)
        _verify_web_apps_down(ctx, waiting)
        for each in _own_installations(ctx):
            _roll(ctx, each, waiting)
            _prove_environment(ctx, each, waiting)
        _verify_exporters_paused(ctx, waiting)
        broker_views.wait_for_commands(ctx, waiting)
        evidence = _prove_whole(ctx, waiting, _BACK_OUT, as_copied=False)
        return (
            evidence | broker_views.topology_evidence(ctx, waiting) | {"exporters": "still paused"}
        )


def reopen(ctx: StepContext) -> Evidence:
    """B5: Operate and Tasklist are up; on the survivor, exporting goes on everywhere."""
    settings, waiting = ctx.settings, ctx.waiting(B5)
    wanted = values.web_apps_of(ctx.topology.installations[0].values)
    with report_paused_exporters(ctx):
        waiting.until_none(
            f"Operate and Tasklist of {ctx.namespace} are up",
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
    before = zeebe_answers.exported_positions(_exporting(ctx))
    waiting.until_none(
        "exported positions move on every partition",
        lambda: zeebe_answers.exporting_stuck(
            before, _exporting(ctx), range(1, settings.partition_count + 1)
        ),
        "Look at both search engines: their health, disks and the brokers' logs.",
    )
    resumed = datetime.now(UTC)
    _renew(ctx, waiting)
    return evidence | {"webApps": "up", "resumedAt": resumed.isoformat(timespec="seconds")}


def _prove_reopened_before(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Prove B5 where its record alone was lost: exporting goes on, and the failover installation is gone already.

    Of each partition a replica is missing then, so that the gateway takes no order; none is needed.
    """
    for each in (ctx.survivor, ctx.recreated):
        _prove_environment(ctx, each, waiting)
    before = zeebe_answers.exported_positions(_exporting(ctx))

    def not_exporting() -> str | None:
        states = _exporting(ctx)
        return zeebe_answers.paused_anywhere(states) or zeebe_answers.exporting_stuck(
            before, states, range(1, ctx.settings.partition_count + 1)
        )

    waiting.until_none(
        "exporting goes on, as the failover installation is gone already",
        not_exporting,
        f"If namespace {ctx.settings.own.failover} was deleted by hand before exporting went on, back out.",
    )
    return {"webApps": "up", "exporters": "went on before this run"}


def _prove_whole_before_resuming(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Prove that the copy is whole at the last moment: every broker has its final addresses, so nothing comes later.

    Where an earlier run of this step has let exporting go on already, only what the failover engine holds can still be
    compared: it gets nothing any more.
    """
    states = waiting.answer(
        "every broker tells how it exports",
        lambda: _exporting(ctx),
        "Look at the broker pods of both regions and their logs.",
    )
    _verify_copy_complete(ctx, waiting, _BACK_OUT)
    if any(state.phase == zeebe_answers.RUNNING for state in states):
        return {}
    try:
        return snapshots.prove_equal_records(
            engines.surviving_engine(ctx), engines.recreated_engine(ctx), waiting
        )
    except snapshots.Different as error:
        raise Refused(f"{error} {_BACK_OUT}") from None


def _renew(ctx: StepContext, waiting: Waiting) -> None:
    """End the hold of an update that concerns the web apps alone; restart what it changed all the same."""
    at = _own_installations(ctx)[0]
    _roll(ctx, at, waiting)
    _prove_environment(ctx, at, waiting)


def _resume(ctx: StepContext, waiting: Waiting) -> None:
    waiting.until_none(
        "exporting goes on on every partition of every broker",
        lambda: _not_in_phase(ctx, "EXPORTING", ctx.installation.zeebe.resume),
        "The resumption needs every broker: look at the topology and the brokers' logs.",
    )


def prove_retired(ctx: StepContext) -> Evidence:
    """B6: no failover broker is left, so that the sleeping ones may take their ids."""
    return _retired(ctx, woken=frozenset())


def _retired(ctx: StepContext, woken: frozenset[int]) -> Evidence:
    """Prove that no failover broker is left.

    :param woken: which of their ids brokers of this region have taken already.
    """
    settings, waiting = ctx.settings, ctx.waiting(B6)
    namespace = settings.peer.failover
    ids = set(brokers.failover_broker_ids(settings.cluster_size, settings.region)) - woken
    waiting.until_none(
        f"namespace {namespace} and its volumes are gone from region {settings.peer.name}",
        lambda: clean_slate.nothing_left(ctx.peer_cluster, namespace),
        f"Run `pulumi up` on stack {settings.peer_stack_name}; look at what keeps the namespace.",
    )
    waiting.until_none(
        "no failover broker is in the topology",
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
        f"the brokers of {ctx.namespace} are rolled out",
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    waiting.until_none(
        f"all {settings.cluster_size} brokers joined and every partition is complete",
        lambda: broker_views.incomplete(ctx),
        "Look at the broker pods of both regions and their logs.",
    )
    waiting.until_none(
        f"the gateway of {ctx.namespace} sees all {settings.cluster_size} brokers, too",
        lambda: zeebe_answers.missing_brokers(ctx.installation.zeebe.view(), settings.cluster_size),
        f"Look at its log; as a last resort delete its pod in {ctx.namespace}.",
    )
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        [ctx.installation, ctx.survivor],
        hint="Look at both regions' search engines: their health, disks and the brokers' logs.",
    )
    return broker_views.topology_evidence(ctx, waiting) | {"exportedPositions": moved}


def _woken(ctx: StepContext) -> frozenset[int]:
    """Return the ids of the brokers that have been woken by an attempt before this one.

    One that still sleeps has the old revision, and is not ready.
    """
    settings = ctx.settings
    found = ctx.installation.brokers()
    revision = None if found is None else found.status.update_revision
    return broker_views.broker_ids_at(
        ctx.installation,
        brokers.region_broker_ids(settings.cluster_size, settings.region),
        lambda pod: pods.is_ready(pod) or pods.revision_of(pod) == revision,
    )


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
        f"StatefulSet and pods of {at.namespace} have the exporters' original addresses",
        lambda: at.wrong_environment(wanted),
        "Each stack has to pass step B4 first.",
    )


def _verify_exporters_paused(ctx: StepContext, waiting: Waiting) -> None:
    """Prove that exporting was not resumed meanwhile: a copy of a moving engine is worth nothing."""
    waiting.until_none(
        "exporting is still paused on every partition",
        lambda: _out_of_phase(ctx, "PAUSED"),
        "If exporting was resumed by hand, back out: set phase failover on both stacks, and begin the failback again.",
    )


def _verify_web_apps_down(ctx: StepContext, waiting: Waiting) -> None:
    """Prove that the region's web apps write nothing: what they change in a document, no count shows."""
    at = ctx.installation
    waiting.until_none(
        f"Operate and Tasklist of {at.namespace} are still down",
        lambda: webapps.down_pending(at),
        f"Scale them to 0: {at.kubectl} scale deployment --replicas=0 NAME.",
    )


def _prove_whole(
    ctx: StepContext, waiting: Waiting, remedy: str, *, as_copied: bool = True
) -> Evidence:
    """Prove that the copy holds all that the survivor's engine and the failover one hold.

    A buffer that was flushed only after the snapshot would be lost for good: exporters never go back.

    :param as_copied: whether it must hold nothing else, as it does at first.
    """
    try:
        evidence = snapshots.prove_equal(
            engines.surviving_engine(ctx),
            engines.recreated_engine(ctx),
            waiting,
            as_copied=as_copied,
        )
    except snapshots.Different as error:
        raise Refused(f"{error} {remedy}") from None
    _verify_copy_complete(ctx, waiting, remedy)
    return evidence


def _verify_copy_complete(ctx: StepContext, waiting: Waiting, remedy: str) -> None:
    failover, copied = engines.failover_engine(ctx), engines.recreated_engine(ctx)
    lacking = waiting.answer(
        f"{copied} and {failover} tell which records they hold",
        lambda: snapshots.lacking(copied, failover),
        "Look at their pods and logs.",
    )
    if lacking:
        raise Refused(
            f"{waiting.step}: the recreated region's search engine does not hold every record that the failover one "
            f"does: {lacking}. They were written after the snapshot, or the copy has lost them. {remedy}"
        )


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
                f"B3: nothing is restored into the search engine of {settings.peer.namespace}, as brokers may "
                f"export to it already: {reason} ({each.namespace}). Run `pulumi up` on both stacks again; if "
                "it stays, back out with phase failover on both stacks"
            )
