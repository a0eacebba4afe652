"""Phases normal and failover: the work and the proofs of steps N, F1, F2 and F3.

Each function looks first and does only what is missing, so it can be run again at any time. It
returns its evidence: what it saw that proves the step.
"""

from collections.abc import Iterable
from functools import partial

from clients import installation
from clients.installation import LiveInstallation
from clients.kubernetes import CallFailed
from clients.parallel import begin
from dualregion import brokers
from dualregion.chart import values
from dualregion.names import GATEWAY
from dualregion.observed import zeebe_answers
from dualregion.procedure import F1, F2, F3, N
from steps import broker_views, claiming, preflight
from steps.context import Evidence, StepContext
from steps.polling import Waiting, twice
from steps.releases import adoption, rendering, rollout, webapps

POLICY_NAME = "isolate-lost-region"
"""The name of the network policy in each namespace of the survivor."""


def prove_normal(ctx: StepContext) -> Evidence:
    """N: all brokers joined, every partition is complete, exporters write to both engines, web apps are up."""
    settings, waiting = ctx.settings, ctx.waiting(N)
    wanted = (GATEWAY, *values.web_apps_of(ctx.topology.installations[0].values))
    adoption.settle(ctx, waiting)
    looking = begin(partial(rendering.prove, ctx))
    waiting.until_none(
        f"the {brokers.broker_count(settings.cluster_size)} brokers of {ctx.namespace} are ready",
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    broker_views.wait_for_search_engine(ctx, waiting, ctx.installation)
    waiting.until_none(
        f"all {settings.cluster_size} brokers joined and every partition is complete",
        lambda: broker_views.incomplete(ctx),
        "If the other region's brokers are missing, look at its pods and at the DNS between the regions.",
    )
    broker_views.wait_for_commands(ctx, waiting)
    preflight.refuse_unsafe_distribution(ctx, ctx.view(), (0, 1))
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        [ctx.installation],
        hint="Look at both regions' search engines, at the network from here to the other region's (port 9200), and at "
        "the brokers' logs.",
        # The other region's stack proves the same of its own brokers.
        all_led_here=False,
    )
    waiting.until_none(
        f"the gateway and the web apps of {ctx.namespace} are available",
        lambda: webapps.up_pending(ctx.installation, wanted),
        broker_views.look_at_pods(ctx.installation),
    )
    return broker_views.topology_evidence(ctx, waiting) | {
        "exportedPositions": moved,
        "rendered": looking.result(),
    }


def isolate(ctx: StepContext) -> Evidence:
    """F1: the network policies exist, and the gateway has lost sight of the lost region's brokers."""
    claiming.refuse_unless_confirmed(ctx)
    waiting, peer = ctx.waiting(F1), ctx.settings.peer
    waiting.until_none(
        f"the brokers of {peer.name} ({peer.namespace}) are gone from the topology",
        twice(lambda: broker_views.lost_brokers_visible(ctx)),
        f"{broker_views.look_at_gateway(ctx)} If region {peer.name} is really lost, cut the network between the regions. If its failback is backed "
        f"out of, run `pulumi up` on stack {ctx.settings.peer_stack_name} in phase failover: it removes them.",
    )
    policies = isolation_policies(ctx)
    waiting.until_none(
        "the network policies exist", lambda: _missing(ctx, policies), "Run `pulumi up` again."
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
    names = ", ".join(map(str, ids))
    for each in _installations(ctx):
        # A failback that is backed out of may have left its hold.
        rollout.release_hold(each)

    stale = _StaleBrokers(ctx)

    def not_ready() -> str | None:
        stale.restart()
        return at.brokers_pending()

    waiting.until_none(
        f"{len(ids)} failover brokers in {at.namespace} are ready",
        not_ready,
        broker_views.look_at_pods(at),
    )
    broker_views.wait_for_search_engine(ctx, waiting, at)
    waiting.until_none(
        f"failover broker {names} joined",
        lambda: zeebe_answers.not_joined(ctx.view(), ids),
        f"Look at the log of {at.names.broker(0)} in {at.namespace}.",
    )

    def no_quorum() -> str | None:
        stale.restart()
        return zeebe_answers.partitions_not_ready(
            ctx.view(),
            partition_count=settings.partition_count,
            healthy_replicas=brokers.quorum(settings.replication_factor),
        )

    waiting.until_none(
        "every partition has a leader and quorum",
        no_quorum,
        "Look at the survivor's broker pods and their logs.",
    )
    return broker_views.topology_evidence(ctx, waiting)


def repoint(ctx: StepContext) -> Evidence:
    """F3: rollout done, right environment everywhere, commands accepted, exported positions move."""
    settings, waiting = ctx.settings, ctx.waiting(F3)
    waiting.until_none(
        f"the brokers of {ctx.namespace} are rolled out",
        ctx.installation.brokers_pending,
        broker_views.look_at_pods(ctx.installation),
    )
    wanted = broker_views.wanted_environment(settings, replaced_region=ctx.lost)
    for each in _installations(ctx):
        waiting.until_none(
            f"StatefulSet and pods of {each.namespace} have the exporters' new addresses",
            partial(each.wrong_environment, wanted),
            "Run `pulumi up` again; if it stays, compare `helm get values` with the preview.",
        )
    _undo_freeze(ctx, waiting)
    moved = broker_views.prove_exporting(
        ctx,
        waiting,
        _installations(ctx),
        hint="Look at both search engines of this region: their health, disks and the brokers' logs.",
    )
    return broker_views.topology_evidence(ctx, waiting) | {"exportedPositions": moved}


def _undo_freeze(ctx: StepContext, waiting: Waiting) -> None:
    """Let exporting and the web apps go on if a failback that is backed out of has stopped them.

    Every broker is asked by itself: the gateway refuses while a region's brokers are missing.
    """
    asked = _installations(ctx)

    def still_paused() -> str | None:
        paused = zeebe_answers.paused_anywhere(installation.exporting(asked))
        return paused and (installation.resume_each(asked) or paused)

    waiting.until_none(
        "no exporter is paused", still_paused, "Look at the broker pods and their logs."
    )
    webapps.scale_back(ctx.installation, ctx.say)


def isolation_policies(ctx: StepContext) -> tuple[tuple[str, str], ...]:
    """Return namespace and name of each network policy that the isolation consists of."""
    return tuple(
        (each.namespace, POLICY_NAME) for each in ctx.topology.installations if each.cut_cidrs
    )


def _missing(ctx: StepContext, policies: Iterable[tuple[str, str]]) -> str | None:
    missing = [
        f"{namespace}/{name}"
        for namespace, name in policies
        if ctx.cluster.network_policy(namespace, name) is None
    ]
    return f"missing: {', '.join(missing)}" if missing else None


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

    def _with_leaders(self) -> str | None:
        """Return why it may cost something; None if each gateway misses the leader of some partition."""
        count = self._ctx.settings.partition_count
        views = broker_views.sighted_views(self._ctx)
        with_all = any(zeebe_answers.has_quorum(view, partition_count=count) for view in views)
        return "every partition has a leader" if with_all else None


def _installations(ctx: StepContext) -> tuple[LiveInstallation, ...]:
    """Return the survivor's installations, all of whose brokers are awake."""
    return tuple(map(ctx.at, ctx.topology.namespaces))
