"""Phases normal and failover by the cluster API: the work and the proofs of steps N, F1, F2 and F3.

The lost region's brokers are removed from the cluster by force, so that those that remain are a quorum; then its exporter
is disabled, so that no record waits for an engine that is gone. No release changes, and no broker restarts. Each function
looks first and does only what is missing, so it can be run again at any time.

While the region of broker 0 is lost, only the removal and its dry run are answered: nothing before F2 needs more.
"""

from functools import partial

from dualregion.observed import cluster_changes, zeebe_answers
from dualregion.observed.cluster_changes import ENABLED, Configuration, PlannedChange
from dualregion.procedure import F1, F2, F3, N
from dualregion.procedure.versions import VERSIONS
from messages import Message
from messages.steps import cluster_api as messages
from messages.steps import steps
from steps import broker_views, claiming, normal, preflight
from steps import failover as common
from steps.cluster_api import changes, exporting, webapps
from steps.context import Evidence, StepContext
from steps.polling import Waiting, steadily
from steps.releases import rollout
from steps.search_engine import passwords
from steps.still_working import StillWorking

STEADY_SECONDS = 5.0
"""How long every partition must work after a removal before anybody may restart a broker: what was forced is in the brokers'
memory only until it is committed (camunda/camunda issue 61177)."""


def prove_normal(ctx: StepContext) -> Evidence:
    """N: all brokers are members, every partition is complete, exporters write to both engines, web apps are up."""
    passwords.share(ctx, ctx.waiting(N))
    found = normal.prove(
        ctx,
        refuse_unsafe=lambda: preflight.refuse_unsafe_distribution(ctx, ctx.view(), (0, 1)),
        web_apps_pending=lambda: webapps.up_pending(ctx),
    )
    return found | prove_members_and_exporters(ctx, ctx.waiting(N))


def prove_members_and_exporters(ctx: StepContext, waiting: Waiting) -> Evidence:
    """Prove that all brokers are members with all replicas, no change is under way, and both exporters are enabled."""
    settings = ctx.settings
    waiting.until_none(
        messages.all_members(settings.cluster_size), lambda: _not_whole(ctx), changes.hint(ctx)
    )
    ids = [settings.version.exporter.id_of(region) for region in range(len(settings.regions))]

    def not_enabled() -> Message | None:
        found = changes.management(ctx).configuration()
        reasons = (cluster_changes.exporter_not_in(found, each, ENABLED) for each in ids)
        return not_all_joined(ctx, found) or next(filter(None, reasons), None)

    waiting.until_none(messages.exporters_enabled(), not_enabled, steps.look_at_brokers())
    listed = waiting.answer(
        messages.exporters_enabled(), changes.management(ctx).exporters, steps.look_at_brokers()
    )
    return {"exporters": ", ".join(f"{name} {state}" for name, state in sorted(listed.items()))}


def _not_whole(ctx: StepContext) -> Message | None:
    found = changes.management(ctx).configuration()
    return found.under_way or not_all_joined(ctx, found)


def not_all_joined(ctx: StepContext, found: Configuration) -> Message | None:
    """Return why not all brokers of both regions are members with all of their replicas, or None."""
    settings = ctx.settings
    return cluster_changes.members_differ(
        found, range(settings.cluster_size)
    ) or cluster_changes.replicas_differ(
        found,
        partition_count=settings.partition_count,
        replicas=settings.replication_factor,
    )


def isolate(ctx: StepContext) -> Evidence:
    """F1: the lost brokers are out of sight, those of this region in sight, and a dry run names exactly the lost ones.

    :raises Refused: if the removal would do anything else.
    """
    evidence = common.isolate(ctx)
    waiting, kept = ctx.waiting(F1), changes.kept_ids(ctx)
    waiting.until_none(
        messages.kept_in_sight(kept),
        lambda: zeebe_answers.not_joined(ctx.view(), kept),
        broker_views.look_at_gateway(ctx),
    )

    def look() -> Message | None:
        found = changes.look_with_lost_coordinator(ctx, F1.id)
        if found.under_way:
            return found.under_way
        if cluster_changes.ids_of(found.members) != set(kept):
            changes.refuse_harmful_removal(ctx, F1.id)
        return None

    waiting.until_none(messages.removal_shown(), look, changes.hint(ctx))
    return evidence | {"toBeRemoved": ", ".join(map(str, changes.lost_ids(ctx)))}


def take_over(ctx: StepContext) -> Evidence:
    """F2: the lost brokers are no members any more, and every partition is led by those that remain.

    :raises Refused: if the removal would do anything else.
    """
    claiming.refuse_rival(ctx)
    waiting, lost, kept = ctx.waiting(F2), changes.lost_ids(ctx), changes.kept_ids(ctx)

    def ask(found: Configuration) -> PlannedChange | None:
        # Never ask to remove what is no member: that is not refused, and reconfigures every partition all the same.
        members = cluster_changes.ids_of(found.members) & set(lost)
        if not members:
            return None
        changes.refuse_harmful_removal(ctx, F2.id)
        return changes.management(ctx).remove(members, kept)

    evidence = changes.carry_out(
        ctx,
        waiting,
        messages.lost_removed(lost),
        lambda found: cluster_changes.members_differ(found, kept),
        ask,
        look=lambda: changes.look_with_lost_coordinator(ctx, F2.id),
    )
    _wait_until_led(ctx, waiting)
    broker_views.wait_for_commands(ctx, waiting)
    # Only a failback that is backed out of has left brokers with another configuration.
    at = ctx.installation
    if not rollout.release_hold_if_pods_unchanged(at, waiting=waiting, say=ctx.say):
        rollout.roll(at, waiting=waiting, complete=lambda: not_led(ctx), say=ctx.say)
    waiting.until_none(
        messages.brokers_as_released(ctx.namespace),
        lambda: ctx.installation.brokers_pending() or not_led(ctx),
        broker_views.look_at_pods(ctx.installation),
    )
    return evidence | broker_views.topology_evidence(ctx, waiting)


def _wait_until_led(ctx: StepContext, waiting: Waiting) -> None:
    elsewhere = StillWorking(ctx)
    waiting.until_none(
        messages.partitions_led_steadily(),
        steadily(STEADY_SECONDS, lambda: elsewhere.explains(not_led(ctx))),
        steps.look_at_brokers_of_survivor(),
    )


def not_led(ctx: StepContext) -> Message | None:
    """Return which partitions lack a leader, or a healthy replica on the brokers that remain; or None."""
    return zeebe_answers.partitions_not_ready(
        ctx.view(),
        partition_count=ctx.settings.partition_count,
        healthy_replicas=changes.replicas_here(ctx),
    )


def disable_exporter(ctx: StepContext) -> Evidence:
    """F3: nothing waits for the lost region's engine, and the survivor's exporter moves on.

    What a failback that is backed out of has done is undone: the exporter is disabled before exporting goes on.
    """
    waiting = ctx.waiting(F3)
    exporters, evidence = lost_exporters(ctx, waiting), Evidence()
    for each in exporters:
        evidence |= _disable(ctx, waiting, each)
    exporting.resume(ctx, waiting)
    moved = broker_views.prove_exporting(
        ctx, waiting, [ctx.installation], hint=steps.look_at_engines_here()
    )
    return (
        evidence
        | broker_views.topology_evidence(ctx, waiting)
        | {"disabled": ", ".join(exporters), "exportedPositions": moved}
    )


def _disable(ctx: StepContext, waiting: Waiting, exporter: str) -> Evidence:
    return changes.carry_out(
        ctx,
        waiting,
        messages.exporter_disabled([exporter]),
        lambda found: cluster_changes.may_export(found, exporter),
        lambda _: changes.management(ctx).disable(exporter),
    )


def lost_exporters(ctx: StepContext, waiting: Waiting) -> list[str]:
    """Return the ids of the exporters that write to the lost region: the version's own, and those left of older versions."""
    lost, form = changes.lost_region(ctx), ctx.settings.version.exporter
    own = form.id_of(lost)
    found = waiting.answer(
        messages.exporter_disabled([own]), partial(changes.configuration, ctx), changes.hint(ctx)
    )
    others = {each.exporter.id_of(lost) for each in VERSIONS.values()} - {own}
    known = [each for each in sorted(others) if cluster_changes.exporter_states(found, each)]
    return [own, *known]
