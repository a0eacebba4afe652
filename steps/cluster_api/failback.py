"""The failback by the cluster API: the work and the proofs of steps B0 to B7.

The recreated region's brokers run outside of the cluster until the survivor's engine is copied, and are added last; from
B2 to B5 exporters are paused. Each function looks first and does only what is missing, so it can be run again at any time.
Up to the add a failback can be backed out of: F2 and F3 undo what it has done.
"""

from datetime import UTC, datetime
from functools import partial
from time import monotonic

from clients.cluster import pods
from clients.cluster.kubernetes import CallFailed
from dualregion import brokers
from dualregion.chart import values
from dualregion.errors import Refused
from dualregion.observed import cluster_changes, zeebe_answers
from dualregion.observed.cluster_changes import ENABLED, Configuration, PlannedChange
from dualregion.observed.search_engine.documents import differing_lifecycles
from dualregion.observed.search_engine.health import not_green_and_empty
from dualregion.procedure import B1, B2, B3, B4, B5, B6, B7
from messages import Message
from messages.clients import search_engine as engine_messages
from messages.steps import cluster_api as messages
from messages.steps import steps
from steps import broker_views
from steps.cluster_api import changes, exporting, failover, webapps
from steps.context import Evidence, StepContext
from steps.paused_exporters import report_paused_exporters
from steps.polling import Unchanged, Waiting
from steps.releases import rollout
from steps.search_engine import copying, engines, passwords, snapshots

STILL_SECONDS = 15.0
"""How long the recreated region's brokers must run without a restart: those that meet the cluster first end, and start again."""
HANG_SECONDS = 90.0
"""How long a broker's management port may stay silent while it runs (camunda/camunda issue 55038)."""


def join(ctx: StepContext) -> Evidence:
    """B1: the recreated brokers are in sight and no members; their engine is green and empty. Readiness says nothing."""
    waiting, ids = ctx.waiting(B1), changes.lost_ids(ctx)
    broker_views.wait_for_search_engine(ctx, waiting, ctx.installation)
    engine = engines.recreated_engine(ctx)
    waiting.until_none(
        steps.engine_empty(ctx.namespace),
        lambda: not_green_and_empty(engine.health()),
        steps.look_at_exporters(ctx.namespace),
    )
    waiting.until_none(
        messages.outsiders_in_sight(ids),
        _Outsiders(ctx).pending,
        messages.look_at_recreated(ctx.installation.kubectl),
    )
    return broker_views.topology_evidence(ctx, waiting)


class _Outsiders:
    """The recreated region's brokers, as they are to be until they are added."""

    def __init__(self, ctx: StepContext) -> None:
        self._ctx, self._ids = ctx, changes.lost_ids(ctx)
        self._still = Unchanged()
        self._silent: dict[str, float] = {}

    def pending(self) -> Message | None:
        """Return why they are not so yet, or None."""
        restarts = self._restarts()
        still = self._still.seconds(restarts)
        reason = self._not_running() or self._not_in_sight() or self._are_members()
        if reason or still >= STILL_SECONDS:
            return reason
        return messages.restarts_seen([*restarts], [*restarts.values()], STILL_SECONDS)

    def _restarts(self) -> dict[str, int]:
        """Return how often each broker's container has been started again, by the pod."""
        found = self._ctx.installation.broker_pods()
        return {each.metadata.name: pods.restarts_of(each) for each in found}

    def _not_running(self) -> Message | None:
        at = self._ctx.installation
        # They hold nothing yet, and a rolling update would stop at the first that does not become ready.
        at.restart_stale(leaderless=True, say=self._ctx.say)
        return at.brokers_not_running()

    def _not_in_sight(self) -> Message | None:
        view = self._ctx.view()
        missing = zeebe_answers.not_joined(view, self._ids)
        if missing:
            self._revive_hanging(view.ids)
            return missing
        busy = [each.id for each in view.brokers if each.id in self._ids and each.replicas]
        return messages.holds_replicas(busy) if busy else None

    def _are_members(self) -> Message | None:
        found = changes.management(self._ctx).configuration()
        return found.under_way or cluster_changes.members_differ(found, changes.kept_ids(self._ctx))

    def _revive_hanging(self, seen: frozenset[int]) -> None:
        """Restart a broker that runs, is not in sight, and whose management port has been silent for long."""
        at = self._ctx.installation
        for pod in at.broker_pods():
            name, ordinal = pod.metadata.name, pods.ordinal_of(pod)
            if self._ids[ordinal] in seen or not pods.runs(pod) or _answers(self._ctx, name):
                self._silent.pop(name, None)
            elif monotonic() - self._silent.setdefault(name, monotonic()) >= HANG_SECONDS:
                del self._silent[name]
                at.restart(pod, messages.hangs_at_start(), self._ctx.say)


def _answers(ctx: StepContext, broker: str) -> bool:
    try:
        ctx.installation.zeebe.exporting_of(broker)
    except CallFailed as error:
        return error.status is not None
    return True


def freeze(ctx: StepContext) -> Evidence:
    """B2: web apps are down, exporters paused on every member, and the survivor's engine stands still.

    :raises DualRegionError: if it is not reached in time; exporting goes on again then.
    """
    waiting = ctx.waiting(B2)
    with report_paused_exporters(ctx):
        # The recreated engine has a new password: brokers that export there must start with it.
        renewed = passwords.share(ctx, waiting)
        not_copied = copying.refuse_what_would_fail(ctx, waiting)
        # Two replicas of two are a quorum now: each restart stops partitions, so the next one waits for the leaders.
        rollout.roll(
            ctx.installation,
            waiting=waiting,
            complete=lambda: failover.not_led(ctx),
            say=ctx.say,
        )
        webapps.wait_until_down(ctx, waiting)
        began = datetime.now(UTC)
        exporting.pause(ctx, waiting)
        settled = exporting.settle(ctx, waiting)
    return {
        "exporters": "paused on every partition of every member",
        "pausedAt": began.isoformat(timespec="seconds"),
        **settled,
        **not_copied,
        **renewed,
    }


def copy(ctx: StepContext) -> Evidence:
    """B3: the survivor's engine is restored in the recreated region, equal index by index."""
    waiting = ctx.waiting(B3)
    with report_paused_exporters(ctx):
        _verify_frozen(ctx, waiting)
        evidence = copying.copy_unless_copied(
            ctx, waiting, before=lambda: _refuse_unless_apart(ctx, waiting)
        )
        evidence |= _prove_whole(ctx, waiting)
        snapshots.forget(engines.recreated_engine(ctx), waiting, engines.repository(ctx))
    return evidence


def _verify_frozen(ctx: StepContext, waiting: Waiting) -> None:
    exporting.verify_paused(ctx, waiting)
    webapps.wait_until_down(ctx, waiting)


def _refuse_unless_apart(ctx: StepContext, waiting: Waiting) -> None:
    """Never restore into a search engine that brokers may write to.

    :raises Refused: if an exporter to it is not disabled, or brokers of its region are members.
    """
    found = waiting.answer(
        messages.copy_lies_apart(), partial(changes.configuration, ctx), changes.hint(ctx)
    )
    reason = found.under_way or cluster_changes.members_differ(found, changes.kept_ids(ctx))
    for exporter in failover.lost_exporters(ctx, waiting):
        reason = reason or cluster_changes.may_export(found, exporter)
    if reason:
        raise Refused(messages.copy_not_apart(B3.id, reason))


def _prove_whole(ctx: StepContext, waiting: Waiting) -> Evidence:
    own, copied = engines.surviving_engine(ctx), engines.recreated_engine(ctx)
    evidence = snapshots.prove_equal(own, copied, waiting, steps.copy_again())
    if not ctx.settings.version.copies_global_state:
        return evidence
    wanted, found = (
        waiting.answer(
            engine_messages.templates_listed(each.namespace),
            each.lifecycles,
            engine_messages.look_at_engine_pods(),
        )
        for each in (own, copied)
    )
    problem = differing_lifecycles(wanted, found)
    if problem:
        raise Refused(
            engine_messages.copy_lacks_templates(
                waiting.step, own.namespace, copied.namespace, problem, steps.copy_again()
            )
        )
    return evidence | {"lifecycles": ", ".join(wanted) or "none"}


def enable_exporter(ctx: StepContext) -> Evidence:
    """B4: the recreated region's exporter is enabled where the survivor's stands, on every member; still paused."""
    waiting, own = ctx.waiting(B4), ctx.settings.version.exporter
    lost, kept = (own.id_of(each) for each in (ctx.lost, ctx.settings.region))
    with report_paused_exporters(ctx):
        _verify_frozen(ctx, waiting)

        def ask(found: Configuration) -> PlannedChange:
            if ENABLED in cluster_changes.exporter_states(found, lost):
                # A change that was ended half-way; one that is enabled anywhere is not enabled again.
                return changes.management(ctx).disable(lost)
            return changes.management(ctx).enable(lost, kept)

        evidence = changes.carry_out(
            ctx,
            waiting,
            messages.exporter_enabled(lost, kept),
            lambda found: cluster_changes.exporter_not_in(found, lost, ENABLED),
            ask,
        )
        exporting.verify_paused(ctx, waiting)
    return evidence | {"enabled": f"{lost} from {kept}", "exporters": "still paused"}


def resume(ctx: StepContext) -> Evidence:
    """B5: exporting goes on everywhere, to both regions."""
    waiting, own = ctx.waiting(B5), ctx.settings.version.exporter
    with report_paused_exporters(ctx):
        _wait_until_enabled(ctx, waiting, own.id_of(ctx.lost))
        exporting.resume(ctx, waiting)
    resumed = datetime.now(UTC)
    found = waiting.answer(
        messages.exporters_enabled(), partial(changes.configuration, ctx), changes.hint(ctx)
    )
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        exporting.member_installations(ctx, found),
        hint=steps.look_at_engines_of_both_regions(),
    )
    return {"resumedAt": resumed.isoformat(timespec="seconds"), "exportedPositions": moved}


def _wait_until_enabled(ctx: StepContext, waiting: Waiting, exporter: str) -> None:
    """Do not let exporting go on past records that the recreated region's engine would then never get."""

    def look() -> Message | None:
        found = changes.configuration(ctx)
        return found.under_way or cluster_changes.exporter_not_in(found, exporter, ENABLED)

    waiting.until_none(messages.exporters_enabled(), look, steps.back_out())


def add(ctx: StepContext) -> Evidence:
    """B6: the recreated brokers are members again, with all replicas, and ready; nothing is paused.

    :raises Refused: if the addition would do anything else.
    """
    settings, waiting, lost = ctx.settings, ctx.waiting(B6), changes.lost_ids(ctx)
    everyone, asked = range(settings.cluster_size), changes.management(ctx)

    def ask(found: Configuration) -> PlannedChange | Message:
        lacking = set(lost) - cluster_changes.ids_of(found.members)
        # An operation is carried out by the broker that is added: it must be there.
        missing = zeebe_answers.not_joined(ctx.view(), lost)
        if missing:
            return missing
        factor = settings.replication_factor
        shown = asked.add(lacking, everyone, factor, dry_run=True)
        problem = cluster_changes.addition_problem(
            shown, lost, everyone, partition_count=settings.partition_count, replicas=factor
        )
        if problem:
            raise Refused(messages.addition_would_harm(B6.id, problem))
        return asked.add(lacking, everyone, factor)

    evidence = changes.carry_out(
        ctx,
        waiting,
        messages.lost_added(lost),
        lambda found: failover.not_all_joined(ctx, found),
        ask,
    )
    waiting.until_none(
        steps.brokers_ready(brokers.broker_count(settings.cluster_size), settings.peer.namespace),
        ctx.recreated.brokers_pending,
        messages.look_at_recreated(ctx.recreated.kubectl),
    )
    waiting.until_none(
        steps.cluster_complete(settings.cluster_size),
        lambda: broker_views.incomplete(ctx),
        steps.look_at_brokers_of_both_regions(),
    )
    exporting.resume(ctx, waiting)
    return evidence | broker_views.topology_evidence(ctx, waiting)


def finish(ctx: StepContext) -> Evidence:
    """B7: brokers run what the release says, web apps are up, both exporters are enabled and move.

    Brokers of both regions restart one at a time: four replicas work with one of them down.
    """
    settings, waiting, at = ctx.settings, ctx.waiting(B7), ctx.installation
    rollout.roll(at, waiting=waiting, complete=lambda: broker_views.incomplete(ctx), say=ctx.say)
    waiting.until_none(
        steps.brokers_rolled_out(ctx.namespace),
        lambda: at.brokers_pending() or at.variables_left(_of_the_copy(ctx)),
        broker_views.look_at_pods(at),
    )
    webapps.wait_until_up(ctx, waiting)
    waiting.until_none(
        steps.cluster_complete(settings.cluster_size),
        lambda: broker_views.incomplete(ctx),
        steps.look_at_brokers_of_both_regions(),
    )
    evidence = failover.prove_members_and_exporters(ctx, waiting)
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        (ctx.survivor, ctx.recreated),
        hint=steps.look_at_engines_of_both_regions(),
    )
    return (
        evidence
        | broker_views.topology_evidence(ctx, waiting)
        | {"webApps": "up", "exportedPositions": moved}
    )


def _of_the_copy(ctx: StepContext) -> frozenset[str]:
    """Return the variables that brokers have only as long as an engine is copied, and that the release does not set."""
    version = ctx.settings.version
    env = values.env_of(ctx.topology.installations[0].values, version.brokers.component)
    return values.variables_of_a_copy(version) - {str(each.get("name")) for each in env}
