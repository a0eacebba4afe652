"""Phases normal and failover: the work and the proofs of steps N, F1, F2 and F3.

Each function looks first and does only what is missing, so it can be run again at any time. It
returns its evidence: what it saw that proves the step.
"""

from collections.abc import Iterable
from functools import partial

from clients import installation
from clients.cluster.kubernetes import CallFailed
from clients.installation import LiveInstallation
from dualregion import brokers
from dualregion.chart import values
from dualregion.names import GATEWAY, POLICY_NAME
from dualregion.observed import zeebe_answers
from dualregion.procedure import F1, F2, F3
from messages import Message
from messages.steps import exporting as exporters
from messages.steps import steps as messages
from steps import broker_views, claiming, normal, preflight
from steps.context import Evidence, StepContext
from steps.polling import Waiting, twice
from steps.releases import rollout, webapps
from steps.still_working import StillWorking


def prove_normal(ctx: StepContext) -> Evidence:
    """N: all brokers joined, every partition is complete, exporters write to both engines, web apps are up."""
    version = ctx.settings.version
    wanted = (GATEWAY, *values.web_apps_of(ctx.topology.installations[0].values, version))
    return normal.prove(
        ctx,
        refuse_unsafe=lambda: preflight.refuse_unsafe_distribution(ctx, ctx.view(), (0, 1)),
        web_apps_pending=lambda: webapps.up_pending(ctx.installation, wanted),
    )


def isolate(ctx: StepContext) -> Evidence:
    """F1: the network policies exist, and the gateway has lost sight of the lost region's brokers."""
    claiming.refuse_unless_confirmed(ctx)
    waiting, peer = ctx.waiting(F1), ctx.settings.peer
    waiting.until_none(
        messages.lost_brokers_gone(peer.name, peer.namespace),
        twice(lambda: broker_views.lost_brokers_visible(ctx)),
        messages.cut_or_back_out(
            broker_views.look_at_gateway(ctx), peer.name, ctx.settings.peer_stack_name
        ),
    )
    policies = isolation_policies(ctx)
    waiting.until_none(
        messages.policies_exist(), lambda: _missing(ctx, policies), messages.run_again()
    )
    names = ", ".join(f"{namespace}/{name}" for namespace, name in policies)
    return broker_views.topology_evidence(ctx, waiting) | {
        "policies": names or "none: no pod CIDRs are configured"
    }


def take_over(ctx: StepContext) -> Evidence:
    """F2: failover brokers run under the lost ids, and every partition has a leader and quorum."""
    claiming.refuse_rival(ctx)
    settings, waiting, at = ctx.settings, ctx.waiting(F2), ctx.failover
    ids = brokers.failover_broker_ids(settings.cluster_size, ctx.lost)
    for each in _installations(ctx):
        # A failback that is backed out of may have left its hold.
        rollout.release_hold(each)

    stale, elsewhere = _StaleBrokers(ctx), StillWorking(ctx)

    def not_ready() -> Message | None:
        stale.restart()
        return elsewhere.explains(at.brokers_pending())

    waiting.until_none(
        messages.failover_brokers_ready(len(ids), at.namespace),
        not_ready,
        broker_views.look_at_pods(at),
    )
    broker_views.wait_for_search_engine(ctx, waiting, at)
    waiting.until_none(
        messages.failover_brokers_joined(ids),
        lambda: zeebe_answers.not_joined(ctx.view(), ids),
        messages.look_at_broker_log(at.names.broker(0), at.namespace),
    )

    def no_quorum() -> Message | None:
        stale.restart()
        missing = zeebe_answers.partitions_not_ready(
            ctx.view(),
            partition_count=settings.partition_count,
            healthy_replicas=brokers.quorum(settings.replication_factor),
        )
        return elsewhere.explains(missing)

    waiting.until_none(
        messages.partitions_have_quorum(),
        no_quorum,
        messages.look_at_brokers_of_survivor(),
    )
    return broker_views.topology_evidence(ctx, waiting)


def repoint(ctx: StepContext) -> Evidence:
    """F3: rollout done, right environment everywhere, commands accepted, exported positions move."""
    settings, waiting = ctx.settings, ctx.waiting(F3)
    waiting.until_none(
        messages.brokers_rolled_out(ctx.namespace),
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    wanted = broker_views.wanted_environment(settings, replaced_region=ctx.lost)
    for each in _installations(ctx):
        waiting.until_none(
            messages.exporters_repointed(each.namespace),
            partial(each.wrong_environment, wanted),
            messages.compare_values(),
        )
    _undo_freeze(ctx, waiting)
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        _installations(ctx),
        hint=messages.look_at_engines_here(),
    )
    return broker_views.topology_evidence(ctx, waiting) | {"exportedPositions": moved}


def _undo_freeze(ctx: StepContext, waiting: Waiting) -> None:
    """Let exporting and the web apps go on if a failback that is backed out of has stopped them.

    Every broker is asked by itself: the gateway refuses while a region's brokers are missing.
    """
    asked = _installations(ctx)

    def still_paused() -> Message | None:
        paused = zeebe_answers.paused_anywhere(installation.exporting(asked))
        return paused and (installation.resume_each(asked) or paused)

    waiting.until_none(exporters.no_exporter_paused(), still_paused, messages.look_at_brokers())
    webapps.scale_back(ctx.installation, ctx.say)


def isolation_policies(ctx: StepContext) -> tuple[tuple[str, str], ...]:
    """Return namespace and name of each network policy that the isolation consists of."""
    return tuple(
        (each.namespace, POLICY_NAME) for each in ctx.topology.installations if each.cut_cidrs
    )


def _missing(ctx: StepContext, policies: Iterable[tuple[str, str]]) -> Message | None:
    missing = [
        f"{namespace}/{name}"
        for namespace, name in policies
        if ctx.cluster.network_policy(namespace, name) is None
    ]
    return messages.policies_missing(missing) if missing else None


class _StaleBrokers:
    """The survivor's brokers that run an old configuration: restarted at once, while there is no quorum to lose.

    That must be seen, and twice in a row: a gateway that does not answer, or sees too little, says nothing of it.
    """

    def __init__(self, ctx: StepContext) -> None:
        self._ctx = ctx
        self._not_all_work = twice(self._with_leaders)

    def restart(self) -> None:
        """Restart them if it costs nothing."""
        ctx = self._ctx
        try:
            leaderless = self._not_all_work() is None
        except CallFailed:
            leaderless = False
        ctx.installation.restart_stale(leaderless=leaderless, say=ctx.say)

    def _with_leaders(self) -> Message | None:
        """Return why it may cost something; None if each gateway misses the leader of some partition."""
        count = self._ctx.settings.partition_count
        views = broker_views.sighted_views(self._ctx)
        with_all = any(zeebe_answers.has_quorum(view, partition_count=count) for view in views)
        return messages.partitions_have_leaders() if with_all else None


def _installations(ctx: StepContext) -> tuple[LiveInstallation, ...]:
    """Return the survivor's installations, all of whose brokers are awake."""
    return tuple(map(ctx.at, ctx.topology.namespaces))
