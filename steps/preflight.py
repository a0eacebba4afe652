"""What is checked in the live clusters before anything changes, in every preview and every up."""

import os
from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial

from clients import installation
from clients.cluster import pods
from clients.cluster.kubernetes import CONNECT_SECONDS, CallFailed
from clients.installation import LiveInstallation
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import CredentialsDemanded, Refused
from dualregion.observed import zeebe_answers
from dualregion.procedure import B1, F1, Phase, Role
from dualregion.procedure.topology import Installation, Kind
from messages import Message
from messages.steps import exporting as exporters
from messages.steps import preflight as messages
from messages.steps import steps as waits
from steps import broker_views
from steps.before.standstill import Commands, Standstill, still_listed
from steps.context import StepContext
from steps.polling import Waiting, twice
from steps.releases import clean_slate, helm_records, rbac

SPARE_LIVING = "DUALREGION_SPARE_LIVING"
"""Set by the command where a lost region did not answer, and so the operator was not asked whether it is to be deleted."""
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
    for spec in ctx.topology.installations:
        if spec.kind not in ctx.own.nodes:
            refuse_without_engine(ctx, ctx.at(spec.namespace))
    if ctx.topology.role is Role.LOST:
        _spare_living(ctx)
    if ctx.topology.role is Role.SURVIVOR:
        _refuse_without_survivor(ctx)
        if ctx.settings.phase is Phase.FAILOVER and not _stands_in_already(ctx):
            _refuse_failover_without_quorum(ctx)
            _refuse_healthy_region(ctx)
        _refuse_old_failover(ctx)


def refuse_without_engine(ctx: StepContext, at: LiveInstallation) -> None:
    """Refuse to install beside a search engine that is not there; one that the chart brings comes with the release.

    :raises Refused: saying how it is looked for.
    """
    login = at.engine_address.login
    if login is None or at.search_engine_nodes() is not None:
        return
    raise Refused(
        messages.engine_not_installed(
            ctx.settings.camunda_version,
            at.namespace,
            at.cluster.context,
            at.engine_address.selector,
        )
    )


def warnings(ctx: StepContext) -> list[str]:
    """Return what the user must be told in every run: paused exporters above all."""
    return [*_retired(ctx), *_paused(ctx)]


def _retired(ctx: StepContext) -> list[str]:
    """Return that nothing guards the region's installation any more, if it is so."""
    if not ctx.settings.is_retired:
        return []
    return [messages.retired(str(ctx.settings.retire))]


def _paused(ctx: StepContext) -> list[str]:
    if ctx.topology.role is not Role.SURVIVOR:
        return []
    try:
        paused = zeebe_answers.paused_anywhere(installation.exporting(ctx.all_here))
    except (CallFailed, CredentialsDemanded):
        # Brokers that do not answer are what the gates wait for; here nothing can be told.
        return []
    no_return = ctx.settings.procedure.no_return.id
    return [exporters.exporters_paused(paused, no_return)] if paused else []


def _stands_in_already(ctx: StepContext) -> bool:
    """Whether failover brokers of this incident run already: then no healthy region is mistaken for lost.

    Past B5 they are gone, or about to go, and the other region is at work again.
    """
    proved = ctx.own.proved(ctx.incident)
    procedure = ctx.settings.procedure
    return ctx.own.serves_alone(procedure) and procedure.no_return.id not in proved


def _spare_living(ctx: StepContext) -> None:
    """Refuse to clean a region that was silent when its deletion should have been asked about, and answers now.

    One that does not answer declares what it holds, and nothing of it is deleted.
    """
    if os.environ.get(SPARE_LIVING) and ctx.own.nodes and not ctx.topology.nodes:
        raise Refused(messages.region_answers_now(ctx.settings.own.name))


def _refuse_empty_return(ctx: StepContext) -> None:
    """Brokers that come back without their data could outvote those that have it."""
    settings = ctx.settings
    if not ctx.peer.has_worked:
        return
    if ctx.installation.brokers() is None:
        raise Refused(
            messages.empty_return(
                settings.region,
                settings.own.name,
                settings.peer.name,
                ctx.namespace,
                settings.own.kube_context,
            )
        )


def refuse_leftovers(ctx: StepContext, spec: Installation) -> None:
    """Refuse to install over what is left where an installation is to begin with nothing.

    So does a recreated region's, and the failover installation: brokers that start on disks of an earlier incident, under
    the ids of now, bring back what the others have decided otherwise since. What an interrupted install of this very
    incident has left is no such thing.

    :raises Refused: naming what is left there, and how to delete it.
    :raises DeadlineExceeded: if a search engine that is not the chart's does not say what it holds.
    """
    begins_empty = spec.kind is Kind.FAILOVER or ctx.topology.role is Role.RECREATED
    if not begins_empty or _is_of_this_incident(ctx, spec):
        return
    left = clean_slate.await_leftovers(ctx.at(spec.namespace), ctx.waiting(B1))
    if not left:
        return
    volumes = [each.removeprefix("volume/") for each in left if each.startswith("volume/")]
    is_failover = spec.kind is Kind.FAILOVER
    raise Refused(
        messages.leftovers(spec.namespace, left, is_failover, ctx.cluster.context, volumes)
    )


def _is_of_this_incident(ctx: StepContext, spec: Installation) -> bool:
    """Whether what is in a namespace was begun by a run of this incident: its disks hold nothing older."""
    begun = helm_records.begun_in(ctx.at(spec.namespace))
    return begun is not None and begun.incident == str(ctx.incident)


def _refuse_old_failover(ctx: StepContext) -> None:
    """Look at the failover namespace before anything begins, not only once F1 is through.

    One that is being deleted is waited for when it is made again; one without rights is looked into once it has them, as
    its release is.
    """
    namespace = ctx.settings.own.failover
    if not ctx.settings.procedure.has_failover_installation:
        return
    if Kind.FAILOVER in ctx.own.nodes or ctx.cluster.is_ending(namespace):
        return
    if ctx.cluster.has_namespace(namespace) and not rbac.is_granted(ctx.cluster, namespace):
        ctx.say(messages.not_yet_granted(namespace))
        return
    for spec in ctx.topology.installations:
        if spec.kind is Kind.FAILOVER:
            refuse_leftovers(ctx, spec)


def refuse_to_make(ctx: StepContext, what: str) -> None:
    """Refuse to make anything in a region that stays as it is: its brokers' ids may be in use elsewhere.

    :param what: the name of what was to be made.
    :raises Refused: always.
    """
    raise Refused(messages.not_made_in_lost_region(what, ctx.settings.own.name))


def refuse_to_change(ctx: StepContext, what: str) -> None:
    """Refuse to change anything in a region that stays as it is: it may be healthy, and called lost by a slip.

    :param what: the name of what was to be changed.
    :raises Refused: always.
    """
    raise Refused(messages.not_changed_in_lost_region(what, ctx.settings.own.name))


def _refuse_without_survivor(ctx: StepContext) -> None:
    settings, name = ctx.settings, ctx.installation.names.brokers
    if ctx.installation.brokers() is None:
        raise Refused(
            messages.no_survivor(settings.own.name, ctx.namespace, settings.own.kube_context, name)
        )


def refuse_unsafe_distribution(
    ctx: StepContext, view: zeebe_answers.ClusterView, lost_regions: Iterable[int]
) -> None:
    """Refuse to rely on a failover that the brokers' own distribution of the partitions makes unsafe.

    :param lost_regions: whose failover is meant.
    :raises Refused: naming the partitions and who holds them.
    """
    settings = ctx.settings
    by_removal = not settings.procedure.has_failover_installation
    problem = _distribution(ctx, view).problem(
        lost_regions, settings.cluster_size, by_removal=by_removal
    )
    if problem:
        raise Refused(
            messages.unsafe_distribution(
                problem, settings.cluster_size, settings.replication_factor
            )
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
        ctx.say(messages.distribution_unknown(other))


def _distribution(ctx: StepContext, view: zeebe_answers.ClusterView) -> zeebe_answers.Distribution:
    settings = ctx.settings
    return zeebe_answers.distribution(
        view,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )


def _refuse_healthy_region(ctx: StepContext) -> None:
    """The swap guard: a region called lost is not lost if it still takes part in commands, or stays in sight.

    If the gateways cannot tell, its API server may: brokers that are ready there are not lost. While brokers are listed
    that are as good as seen to be lost (`steps.before.standstill`), nothing is waited for. Whatever is not seen here is
    demanded before anything is cut off, see `wait_until_lost_region_gone`.
    """
    peer = ctx.settings.peer
    there = begin(partial(_ready_there, ctx))

    def visible() -> Message | None:
        try:
            return broker_views.lost_brokers_visible(ctx)
        except CallFailed as error:
            ctx.say(messages.loss_not_visible(peer.name, error.message))
            if ready := _told(there, CONNECT_SECONDS):
                raise _not_lost(ctx, messages.cluster_answers_there(ready)) from None
            return None

    if visible() is None:
        if ready := _told(there, _GLANCE_SECONDS):
            ctx.say(messages.lost_region_cut_off(peer.name, ready))
        return
    if _stays_in_sight(ctx) and (reason := visible()):
        raise _not_lost(ctx, reason)


def _stays_in_sight(ctx: StepContext) -> bool:
    """Wait until the region called lost leaves the gateways' sight, or stands still; return whether neither came.

    :raises Refused: if a partition that needs it carries out a command.
    """
    commands = Commands(ctx)
    standstill = Standstill(ctx, commands)

    def still_there() -> Message | None:
        if working := commands.carried_out():
            raise _not_lost(ctx, messages.command_carried_out(working))
        listed = broker_views.lost_brokers_visible(ctx)
        if listed is None or not standstill.is_shown():
            return listed
        ctx.say(still_listed(ctx, listed))
        return None

    waiting = Waiting("preflight", ctx.say, SETTLE_SECONDS)
    return (
        waiting.last_reason(messages.brokers_leave(ctx.settings.peer.name), still_there) is not None
    )


def wait_until_lost_region_gone(ctx: StepContext) -> None:
    """Wait until every gateway of the survivor has lost sight of the lost region's brokers, before it is cut off.

    Afterwards that is no evidence any more: the isolation itself takes a healthy region out of sight.

    :raises DeadlineExceeded: if it is still in sight, or cannot be told. Nothing was cut off then.
    """
    if _stands_in_already(ctx) or F1.id in ctx.own.proved(ctx.incident):
        return
    peer = ctx.settings.peer
    ctx.waiting(F1).until_none(
        waits.out_of_sight(peer.name),
        twice(lambda: broker_views.lost_brokers_visible(ctx)),
        waits.cut_by_hand(broker_views.look_at_gateway(ctx), peer.name),
    )


def _ready_there(ctx: StepContext) -> Message | None:
    """Return which brokers are ready in the lost region, as its own cluster says, or None."""
    peer = ctx.settings.peer
    found = ctx.peer_at(peer.namespace).broker_pods()
    names = sorted(pod.metadata.name for pod in found if pods.is_ready(pod))
    return messages.brokers_ready_there(names, peer.namespace) if names else None


def _told(asked: "Future[Message | None]", seconds: float) -> Message | None:
    """Return what the lost region's cluster says, if it does so in time: mostly it is gone."""
    try:
        return None if asked.exception(seconds) else asked.result()
    except TimeoutError:
        return None


def _not_lost(ctx: StepContext, reason: Message) -> Refused:
    settings = ctx.settings
    return Refused(messages.region_not_lost(ctx.lost, settings.peer.name, reason, settings.region))
