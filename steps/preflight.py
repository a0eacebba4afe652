"""What is checked in the live clusters before anything changes, in every preview and every up."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import partial

from clients import exporting, pods, zeebe
from clients.exporting import Place, pause_notice
from clients.kubernetes import CONNECT_SECONDS, CallFailed
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import CredentialsDemanded, Refused
from dualregion.observed import zeebe_answers
from dualregion.procedure import F1, PROCEDURE, N, Phase, Role
from dualregion.procedure.topology import Installation, Kind
from steps import broker_views
from steps.context import Site
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


def check(site: Site) -> None:
    """Refuse what would harm a live cluster.

    :raises Refused: if the survivor has nothing installed, if its gateways still see the region called
        lost, if the failover namespace is not clean, or if a lost region would come back empty without a failback.
    """
    if site.topology.role is Role.MEMBER:
        _refuse_empty_return(site)
    if site.topology.role is Role.LOST:
        _spare_living(site)
    if site.topology.role is Role.SURVIVOR:
        _refuse_without_survivor(site)
        if site.settings.phase is Phase.FAILOVER and not _stands_in_already(site):
            _refuse_failover_without_quorum(site)
            _refuse_healthy_region(site)
        _refuse_old_failover(site)


def warnings(site: Site) -> list[str]:
    """Return what the user must be told in every run: paused exporters above all."""
    return [*_retired(site), *_paused(site)]


def _retired(site: Site) -> list[str]:
    """Return that nothing guards the region's installation any more, if it is so."""
    if not site.settings.is_retired:
        return []
    return [
        f"retire is {site.settings.retire!r}: `pulumi destroy --run-program` deletes this region's installation with "
        "all its data, without asking what it is needed for; `pulumi config rm retire` if it is to stay"
    ]


def _paused(site: Site) -> list[str]:
    if site.topology.role is not Role.SURVIVOR:
        return []
    release = site.settings.release
    own = [Place(site.cluster, each) for each in (site.namespace, site.settings.own.failover)]
    try:
        paused = zeebe_answers.paused_anywhere(exporting.phases(own, release))
    except (CallFailed, CredentialsDemanded):
        # Brokers that do not answer are what the gates wait for; here nothing can be told.
        return []
    return [pause_notice(paused)] if paused else []


def _stands_in_already(site: Site) -> bool:
    """Whether failover brokers of this incident run already: then no healthy region is mistaken for lost.

    Past B5 they are gone, or about to go, and the other region is at work again.
    """
    proved = site.own.proved(site.incident)
    return Kind.FAILOVER in site.own.nodes and PROCEDURE.no_return.id not in proved


def _spare_living(site: Site) -> None:
    """Refuse to clean a region that was silent when its deletion should have been asked about, and answers now.

    One that does not answer declares what it holds, and nothing of it is deleted.
    """
    if os.environ.get(SPARE_LIVING) and site.own.nodes and not site.topology.nodes:
        raise Refused(
            f"region {site.settings.own.name} answers now, and did not when it was looked whether its deletion must be asked "
            "about; nothing of it was deleted. Run the same command again: it asks first"
        )


def _refuse_empty_return(site: Site) -> None:
    """Brokers that come back without their data could outvote those that have it."""
    settings = site.settings
    if N.id not in site.peer.nodes:
        return
    if site.cluster.stateful_set(site.namespace, f"{settings.release}-zeebe") is None:
        raise Refused(
            f"region {settings.own.name} worked together with region {settings.peer.name}, and now namespace "
            f"{site.namespace} of kube context {settings.own.kube_context!r} is empty: brokers that start "
            f"there without their data could lose acknowledged work. If the region was lost, set phase failover and "
            f"lostRegion {settings.region} on both stacks, and then fail back; if not, check the context"
        )


def refuse_leftovers(site: Site, spec: Installation) -> None:
    """Refuse to install over what is left where an installation is to begin with nothing.

    So does a recreated region's, and the failover installation: brokers that start on disks of an earlier incident, under
    the ids of now, bring back what the others have decided otherwise since. What an interrupted install of this very
    incident has left is no such thing.

    :raises Refused: naming what is left there, and how to delete it.
    """
    begins_empty = spec.kind is Kind.FAILOVER or site.topology.role is Role.RECREATED
    if not begins_empty or _is_of_this_incident(site, spec):
        return
    left = clean_slate.leftovers(site.cluster, spec.namespace, site.settings.release)
    if not left:
        return
    what = "the failover installation" if spec.kind is Kind.FAILOVER else "a recreated region"
    kubectl = f"kubectl --context {site.cluster.context} delete"
    volumes = [each.removeprefix("volume/") for each in left if each.startswith("volume/")]
    retained = f", and `{kubectl} pv {' '.join(volumes)}`" if volumes else ""
    raise Refused(
        f"namespace {spec.namespace} holds {', '.join(left)}: {what} starts from nothing, as its old data must not come "
        f"back; if it is not needed any more, delete it (`{kubectl} namespace {spec.namespace}`{retained}), then run "
        "`pulumi up` again"
    )


def _is_of_this_incident(site: Site, spec: Installation) -> bool:
    """Whether what is in a namespace was begun by a run of this incident: its disks hold nothing older."""
    begun = helm_records.begun_in(site.cluster, spec.namespace)
    return begun is not None and begun.incident == str(site.incident)


def _refuse_old_failover(site: Site) -> None:
    """Look at the failover namespace before anything begins, not only once F1 is through.

    One that is being deleted is waited for when it is made again.
    """
    namespace = site.settings.own.failover
    if Kind.FAILOVER in site.own.nodes or site.cluster.is_ending(namespace):
        return
    for spec in site.topology.installations:
        if spec.kind is Kind.FAILOVER:
            refuse_leftovers(site, spec)


def refuse_to_make(site: Site, what: str) -> None:
    """Refuse to make anything in a region that stays as it is: its brokers' ids may be in use elsewhere.

    :param what: the name of what was to be made.
    :raises Refused: always.
    """
    raise Refused(
        f"{what}: region {site.settings.own.name} is lost: nothing is made in it before its failback. What its "
        "state remembers is gone from the cluster; run `pulumi up` here again once the other region has taken over"
    )


def refuse_to_change(site: Site, what: str) -> None:
    """Refuse to change anything in a region that stays as it is: it may be healthy, and called lost by a slip.

    :param what: the name of what was to be changed.
    :raises Refused: always.
    """
    raise Refused(
        f"{what}: region {site.settings.own.name} is called lost, so nothing in it is changed, but it is not as its "
        "stack's last update left it. If the region is not lost, set phase normal again; if it is, run `pulumi up` "
        "here again once the other region has taken over: then it is cleaned"
    )


def _refuse_without_survivor(site: Site) -> None:
    settings = site.settings
    name = f"{settings.release}-zeebe"
    if site.cluster.stateful_set(site.namespace, name) is None:
        raise Refused(
            f"region {settings.own.name} is to survive, but namespace {site.namespace} of kube context "
            f"{settings.own.kube_context!r} holds no StatefulSet {name}: a failover needs a running survivor; "
            "check lostRegion, the namespace and the context"
        )


def refuse_unsafe_distribution(
    site: Site, view: zeebe_answers.ClusterView, lost_regions: Iterable[int]
) -> None:
    """Refuse to rely on a failover that the brokers' own distribution of the partitions makes unsafe.

    :param lost_regions: whose failover is meant.
    :raises Refused: naming the partitions and who holds them.
    """
    settings = site.settings
    problem = _distribution(site, view).problem(lost_regions, settings.cluster_size)
    if problem:
        raise Refused(
            f"{problem}: the live cluster does not hold its partitions as a new one would "
            f"(clusterSize {settings.cluster_size}, replicationFactor {settings.replication_factor}); it began on an "
            "older version, or with another partitioning. A failover would not bring it back"
        )


def _refuse_failover_without_quorum(site: Site) -> None:
    """Hold the sizes against the live cluster, as far as it can be seen: in the first seconds after a loss it can."""
    try:
        view = site.view()
    except CallFailed:
        # The swap guard, which comes next, says what cannot be seen.
        return
    refuse_unsafe_distribution(site, view, (site.lost,))
    settings = site.settings
    computed = brokers.computed_holders(
        settings.cluster_size, settings.partition_count, settings.replication_factor
    )
    other = _distribution(site, view).contradiction(computed)
    if other:
        site.say(f"{other}: whether the failover reaches a quorum cannot be told beforehand")


def _distribution(site: Site, view: zeebe_answers.ClusterView) -> zeebe_answers.Distribution:
    settings = site.settings
    return zeebe_answers.distribution(
        view,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )


def _refuse_healthy_region(site: Site) -> None:
    """The swap guard: a region called lost is not lost if it still takes part in commands, or stays in sight.

    If the gateways cannot tell, its API server may: brokers that are ready there are not lost. Whatever is not seen
    here is demanded before anything is cut off, see `demand_lost_region_gone`.
    """
    peer = site.settings.peer
    there = begin(partial(_ready_there, site))

    def visible() -> str | None:
        try:
            return broker_views.lost_brokers_visible(site)
        except CallFailed as error:
            site.say(f"whether {peer.name} is lost cannot be seen from here yet: {error}")
            if ready := _told(there, CONNECT_SECONDS):
                raise _not_lost(site, f"its cluster answers, and {ready} there") from None
            return None

    if visible() is None:
        if ready := _told(there, _GLANCE_SECONDS):
            site.say(
                f"the survivor does not see region {peer.name}, but its cluster answers, and {ready} there: it lives, "
                "and is cut off. Keep the network between the regions cut until it is clean"
            )
        return
    asked = _ask_for_commands(site)

    def still_there() -> str | None:
        if working := _working(asked):
            raise _not_lost(
                site,
                f"partition {working} has just carried out a command, for which it needs brokers of that region",
            )
        return broker_views.lost_brokers_visible(site)

    waiting = Waiting("preflight", site.say, SETTLE_SECONDS)
    waiting.last_reason(f"the brokers of {peer.name} leave the topology", still_there)
    if reason := visible():
        raise _not_lost(site, reason)


def demand_lost_region_gone(site: Site) -> None:
    """Wait until every gateway of the survivor has lost sight of the lost region's brokers, before it is cut off.

    Afterwards that is no evidence any more: the isolation itself takes a healthy region out of sight.

    :raises DeadlineExceeded: if it is still in sight, or cannot be told. Nothing was cut off then.
    """
    if _stands_in_already(site) or F1.id in site.own.proved(site.incident):
        return
    peer = site.settings.peer
    site.waiting(F1).until_none(
        f"the brokers of {peer.name} are out of sight, before anything cuts them off",
        twice(lambda: broker_views.lost_brokers_visible(site)),
        f"Nothing was cut off. {broker_views.look_at_gateway(site)} If region {peer.name} hangs between life and death, cut "
        "the network between the regions yourself.",
    )


def _ready_there(site: Site) -> str | None:
    """Return which brokers are ready in the lost region, as its own cluster says, or None."""
    peer = site.settings.peer
    found = pods.broker_pods(site.peer_cluster, peer.namespace, site.settings.release)
    names = sorted(pod.metadata.name for pod in found if pods.is_ready(pod))
    return f"{', '.join(names)} of {peer.namespace} ready" if names else None


def _told(asked: "Future[str | None]", seconds: float) -> str | None:
    """Return what the lost region's cluster says, if it does so in time: mostly it is gone."""
    try:
        return None if asked.exception(seconds) else asked.result()
    except TimeoutError:
        return None


def _ask_for_commands(site: Site) -> Mapping[int, "Future[str | None]"]:
    """Ask each partition that has no quorum without the other region for a command, in the background.

    One that is carried out proves that the region lives, or did a moment ago, long before its brokers could have left
    the topology; of a region that is lost no answer comes, and none is waited for.
    """
    settings, gateway = site.settings, site.gateway
    partitions = brokers.partitions_without_quorum(
        brokers.region_broker_ids(settings.cluster_size, settings.region),
        cluster_size=settings.cluster_size,
        partition_count=settings.partition_count,
        replication_factor=settings.replication_factor,
    )
    ask = partial(zeebe.refuses_commands, gateway.cluster, gateway.namespace, settings.release)
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


def _not_lost(site: Site, reason: str) -> Refused:
    return Refused(
        f"lostRegion is {site.lost} ({site.settings.peer.name}), but {reason}: that region is not lost. If it is the "
        f"other one that is gone, set lostRegion {site.settings.region} on both stacks; if it hangs between "
        "life and death, cut the network between the regions first. Nothing was changed"
    )
