"""What is checked in the live clusters before anything changes, in every preview and every up."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import partial

from clients import installation, pods
from clients.kubernetes import CONNECT_SECONDS, CallFailed
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import CredentialsDemanded, Refused
from dualregion.messages import exporting as messages
from dualregion.observed import zeebe_answers
from dualregion.procedure import F1, PROCEDURE, N, Phase, Role
from dualregion.procedure.topology import Installation, Kind
from steps import broker_views
from steps.context import StepContext
from steps.polling import Waiting, twice
from steps.releases import clean_slate, helm_records

SPARE_LIVING = "DUALREGION_SPARE_LIVING"
"""Set by the command where a lost region did not answer, and so the operator was not asked whether it is to be deleted."""
_MOST_ASKED = 8
"""Of how many partitions commands are asked: one answer proves enough, and a gateway in trouble is not to be crowded."""
_GLANCE_SECONDS = 0.2
"""How long the lost region's cluster is waited for where its answer is of interest, and decides nothing."""
SETTLE_SECONDS = 30.0
"""How long a gateway may still list brokers that have just died (its membership probes take 10 to 20 s)."""


def check(ctx: StepContext) -> None:
    """Refuse what would harm a live cluster.

    :raises Refused: if the survivor has nothing installed, if its gateways still see the region called
        lost, if the failover namespace is not clean, or if a lost region would come back empty without a failback.
    """
    if ctx.topology.role is Role.MEMBER:
        _refuse_empty_return(ctx)
    if ctx.topology.role is Role.LOST:
        _spare_living(ctx)
    if ctx.topology.role is Role.SURVIVOR:
        _refuse_without_survivor(ctx)
        if ctx.settings.phase is Phase.FAILOVER and not _stands_in_already(ctx):
            _refuse_failover_without_quorum(ctx)
            _refuse_healthy_region(ctx)
        _refuse_old_failover(ctx)


def warnings(ctx: StepContext) -> list[str]:
    """Return what the user must be told in every run: paused exporters above all."""
    return [*_retired(ctx), *_paused(ctx)]


def _retired(ctx: StepContext) -> list[str]:
    """Return that nothing guards the region's installation any more, if it is so."""
    if not ctx.settings.is_retired:
        return []
    return [
        f"retire is {ctx.settings.retire!r}: `pulumi destroy --run-program` deletes this region's installation with "
        "all its data, without asking what it is needed for; `pulumi config rm retire` if it is to stay"
    ]


def _paused(ctx: StepContext) -> list[str]:
    if ctx.topology.role is not Role.SURVIVOR:
        return []
    try:
        own = (ctx.installation, ctx.failover)
        paused = zeebe_answers.paused_anywhere(installation.exporting(own))
    except (CallFailed, CredentialsDemanded):
        # Brokers that do not answer are what the gates wait for; here nothing can be told.
        return []
    return [messages.exporters_paused(paused)] if paused else []


def _stands_in_already(ctx: StepContext) -> bool:
    """Whether failover brokers of this incident run already: then no healthy region is mistaken for lost.

    Past B5 they are gone, or about to go, and the other region is at work again.
    """
    proved = ctx.own.proved(ctx.incident)
    return Kind.FAILOVER in ctx.own.nodes and PROCEDURE.no_return.id not in proved


def _spare_living(ctx: StepContext) -> None:
    """Refuse to clean a region that was silent when its deletion should have been asked about, and answers now.

    One that does not answer declares what it holds, and nothing of it is deleted.
    """
    if os.environ.get(SPARE_LIVING) and ctx.own.nodes and not ctx.topology.nodes:
        raise Refused(
            f"region {ctx.settings.own.name} answers now, and did not when it was looked whether its deletion must be asked "
            "about; nothing of it was deleted. Run the same command again: it asks first"
        )


def _refuse_empty_return(ctx: StepContext) -> None:
    """Brokers that come back without their data could outvote those that have it."""
    settings = ctx.settings
    if N.id not in ctx.peer.nodes:
        return
    if ctx.installation.brokers() is None:
        raise Refused(
            f"region {settings.own.name} worked together with region {settings.peer.name}, and now namespace "
            f"{ctx.namespace} of kube context {settings.own.kube_context!r} is empty: brokers that start "
            f"there without their data could lose acknowledged work. If the region was lost, set phase failover and "
            f"lostRegion {settings.region} on both stacks, and then fail back; if not, check the context"
        )


def refuse_leftovers(ctx: StepContext, spec: Installation) -> None:
    """Refuse to install over what is left where an installation is to begin with nothing.

    So does a recreated region's, and the failover installation: brokers that start on disks of an earlier incident, under
    the ids of now, bring back what the others have decided otherwise since. What an interrupted install of this very
    incident has left is no such thing.

    :raises Refused: naming what is left there, and how to delete it.
    """
    begins_empty = spec.kind is Kind.FAILOVER or ctx.topology.role is Role.RECREATED
    if not begins_empty or _is_of_this_incident(ctx, spec):
        return
    left = clean_slate.leftovers(ctx.at(spec.namespace))
    if not left:
        return
    what = "the failover installation" if spec.kind is Kind.FAILOVER else "a recreated region"
    kubectl = f"kubectl --context {ctx.cluster.context} delete"
    volumes = [each.removeprefix("volume/") for each in left if each.startswith("volume/")]
    retained = f", and `{kubectl} pv {' '.join(volumes)}`" if volumes else ""
    raise Refused(
        f"namespace {spec.namespace} holds {', '.join(left)}: {what} starts from nothing, as its old data must not come "
        f"back; if it is not needed any more, delete it (`{kubectl} namespace {spec.namespace}`{retained}), then run "
        "`pulumi up` again"
    )


def _is_of_this_incident(ctx: StepContext, spec: Installation) -> bool:
    """Whether what is in a namespace was begun by a run of this incident: its disks hold nothing older."""
    begun = helm_records.begun_in(ctx.at(spec.namespace))
    return begun is not None and begun.incident == str(ctx.incident)


def _refuse_old_failover(ctx: StepContext) -> None:
    """Look at the failover namespace before anything begins, not only once F1 is through.

    One that is being deleted is waited for when it is made again.
    """
    namespace = ctx.settings.own.failover
    if Kind.FAILOVER in ctx.own.nodes or ctx.cluster.is_ending(namespace):
        return
    for spec in ctx.topology.installations:
        if spec.kind is Kind.FAILOVER:
            refuse_leftovers(ctx, spec)


def refuse_to_make(ctx: StepContext, what: str) -> None:
    """Refuse to make anything in a region that stays as it is: its brokers' ids may be in use elsewhere.

    :param what: the name of what was to be made.
    :raises Refused: always.
    """
    raise Refused(
        f"{what}: region {ctx.settings.own.name} is lost: nothing is made in it before its failback. What its "
        "state remembers is gone from the cluster; run `pulumi up` here again once the other region has taken over"
    )


def refuse_to_change(ctx: StepContext, what: str) -> None:
    """Refuse to change anything in a region that stays as it is: it may be healthy, and called lost by a slip.

    :param what: the name of what was to be changed.
    :raises Refused: always.
    """
    raise Refused(
        f"{what}: region {ctx.settings.own.name} is called lost, so nothing in it is changed, but it is not as its "
        "stack's last update left it. If the region is not lost, set phase normal again; if it is, run `pulumi up` "
        "here again once the other region has taken over: then it is cleaned"
    )


def _refuse_without_survivor(ctx: StepContext) -> None:
    settings, name = ctx.settings, ctx.installation.names.brokers
    if ctx.installation.brokers() is None:
        raise Refused(
            f"region {settings.own.name} is to survive, but namespace {ctx.namespace} of kube context "
            f"{settings.own.kube_context!r} holds no StatefulSet {name}: a failover needs a running survivor; "
            "check lostRegion, the namespace and the context"
        )


def refuse_unsafe_distribution(
    ctx: StepContext, view: zeebe_answers.ClusterView, lost_regions: Iterable[int]
) -> None:
    """Refuse to rely on a failover that the brokers' own distribution of the partitions makes unsafe.

    :param lost_regions: whose failover is meant.
    :raises Refused: naming the partitions and who holds them.
    """
    settings = ctx.settings
    problem = _distribution(ctx, view).problem(lost_regions, settings.cluster_size)
    if problem:
        raise Refused(
            f"{problem}: the live cluster does not hold its partitions as a new one would "
            f"(clusterSize {settings.cluster_size}, replicationFactor {settings.replication_factor}); it began on an "
            "older version, or with another partitioning. A failover would not bring it back"
        )


def _refuse_failover_without_quorum(ctx: StepContext) -> None:
    """Hold the sizes against the live cluster, as far as it can be seen: in the first seconds after a loss it can."""
    try:
        view = ctx.view()
    except CallFailed:
        # The swap guard, which comes next, says what cannot be seen.
        return
    refuse_unsafe_distribution(ctx, view, (ctx.lost,))
    settings = ctx.settings
    computed = brokers.computed_holders(
        settings.cluster_size, settings.partition_count, settings.replication_factor
    )
    other = _distribution(ctx, view).contradiction(computed)
    if other:
        ctx.say(f"{other}: whether the failover reaches a quorum cannot be told beforehand")


def _distribution(ctx: StepContext, view: zeebe_answers.ClusterView) -> zeebe_answers.Distribution:
    settings = ctx.settings
    return zeebe_answers.distribution(
        view,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )


def _refuse_healthy_region(ctx: StepContext) -> None:
    """The swap guard: a region called lost is not lost if it still takes part in commands, or stays in sight.

    If the gateways cannot tell, its API server may: brokers that are ready there are not lost. Whatever is not seen
    here is demanded before anything is cut off, see `demand_lost_region_gone`.
    """
    peer = ctx.settings.peer
    there = begin(partial(_ready_there, ctx))

    def visible() -> str | None:
        try:
            return broker_views.lost_brokers_visible(ctx)
        except CallFailed as error:
            ctx.say(f"whether {peer.name} is lost cannot be seen from here yet: {error}")
            if ready := _told(there, CONNECT_SECONDS):
                raise _not_lost(ctx, f"its cluster answers, and {ready} there") from None
            return None

    if visible() is None:
        if ready := _told(there, _GLANCE_SECONDS):
            ctx.say(
                f"the survivor does not see region {peer.name}, but its cluster answers, and {ready} there: it lives, "
                "and is cut off. Keep the network between the regions cut until it is clean"
            )
        return
    asked = _ask_for_commands(ctx)

    def still_there() -> str | None:
        if working := _working(asked):
            raise _not_lost(
                ctx,
                f"partition {working} has just carried out a command, for which it needs brokers of that region",
            )
        return broker_views.lost_brokers_visible(ctx)

    waiting = Waiting("preflight", ctx.say, SETTLE_SECONDS)
    waiting.last_reason(f"the brokers of {peer.name} leave the topology", still_there)
    if reason := visible():
        raise _not_lost(ctx, reason)


def demand_lost_region_gone(ctx: StepContext) -> None:
    """Wait until every gateway of the survivor has lost sight of the lost region's brokers, before it is cut off.

    Afterwards that is no evidence any more: the isolation itself takes a healthy region out of sight.

    :raises DeadlineExceeded: if it is still in sight, or cannot be told. Nothing was cut off then.
    """
    if _stands_in_already(ctx) or F1.id in ctx.own.proved(ctx.incident):
        return
    peer = ctx.settings.peer
    ctx.waiting(F1).until_none(
        f"the brokers of {peer.name} are out of sight, before anything cuts them off",
        twice(lambda: broker_views.lost_brokers_visible(ctx)),
        f"Nothing was cut off. {broker_views.look_at_gateway(ctx)} If region {peer.name} hangs between life and death, cut "
        "the network between the regions yourself.",
    )


def _ready_there(ctx: StepContext) -> str | None:
    """Return which brokers are ready in the lost region, as its own cluster says, or None."""
    peer = ctx.settings.peer
    found = ctx.peer_at(peer.namespace).broker_pods()
    names = sorted(pod.metadata.name for pod in found if pods.is_ready(pod))
    return f"{', '.join(names)} of {peer.namespace} ready" if names else None


def _told(asked: "Future[str | None]", seconds: float) -> str | None:
    """Return what the lost region's cluster says, if it does so in time: mostly it is gone."""
    try:
        return None if asked.exception(seconds) else asked.result()
    except TimeoutError:
        return None


def _ask_for_commands(ctx: StepContext) -> Mapping[int, "Future[str | None]"]:
    """Ask each partition that has no quorum without the other region for a command, in the background.

    One that is carried out proves that the region lives, or did a moment ago, long before its brokers could have left
    the topology; of a region that is lost no answer comes, and none is waited for.
    """
    settings, ask = ctx.settings, ctx.gateway.zeebe.refuses_commands
    partitions = brokers.partitions_without_quorum(
        brokers.region_broker_ids(settings.cluster_size, settings.region),
        cluster_size=settings.cluster_size,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )
    return {each: begin(partial(ask, each)) for each in partitions[:_MOST_ASKED]}


def _working(asked: Mapping[int, "Future[str | None]"]) -> int | None:
    """Return the first partition that has carried out its command, or None."""
    return next(
        (
            partition
            for partition, answer in asked.items()
            if answer.done() and answer.exception() is None and answer.result() is None
        ),
        None,
    )


def _not_lost(ctx: StepContext, reason: str) -> Refused:
    return Refused(
        f"lostRegion is {ctx.lost} ({ctx.settings.peer.name}), but {reason}: that region is not lost. If it is the "
        f"other one that is gone, set lostRegion {ctx.settings.region} on both stacks; if it hangs between "
        "life and death, cut the network between the regions first. Nothing was changed"
    )
