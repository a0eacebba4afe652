"""What is checked in the live clusters before anything changes, in every preview and every up."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial

from dualregion import brokers, observed
from dualregion.errors import Refused
from dualregion.procedure import B5, N, Phase, Role
from dualregion.topology import Installation, Kind
from hooks import clean_slate, exporting, helm_records, zeebe
from hooks.asking import begin
from hooks.cluster import CallFailed
from hooks.exporting import Place, pause_notice
from hooks.site import Site
from hooks.waiting import Waiting

SPARE_LIVING = "DUALREGION_SPARE_LIVING"
"""Set by the command where a lost region did not answer, and so nobody was asked whether it is to be deleted."""
_MOST_ASKED = 8
"""Of how many partitions commands are asked: one answer proves enough, and a gateway in trouble is not to be crowded."""
SETTLE_SECONDS = 30.0
"""How long a gateway may still list brokers that have just died (its membership probes take 10 to 20 s)."""


def check(site: Site) -> None:
    """Refuse what would harm a live cluster.

    :raises Refused: if the survivor has nothing installed, if its gateway still sees the region called
        lost, if the failover namespace is not clean, or if a lost region would come back empty without a failback.
    """
    if site.topology.role is Role.MEMBER:
        _refuse_empty_return(site)
    if site.topology.role is Role.LOST:
        _spare_living(site)
    if site.topology.role is Role.SURVIVOR:
        _refuse_without_survivor(site)
        if site.settings.phase is Phase.FAILOVER and not _stands_in_already(site):
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
        paused = observed.paused_anywhere(exporting.phases(own, release))
    except CallFailed:
        # Brokers that do not answer are what the gates wait for; here nothing can be told.
        return []
    return [pause_notice(paused)] if paused else []


def _stands_in_already(site: Site) -> bool:
    """Whether failover brokers of this incident run already: then no healthy region is mistaken for lost.

    Past B5 they are gone, or about to go, and the other region is at work again.
    """
    proved = site.own.proved(site.incident)
    return Kind.FAILOVER in site.own.nodes and B5.id not in proved


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
        f"back; if nobody needs it any more, delete it (`{kubectl} namespace {spec.namespace}`{retained}), then run "
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


def refuse_in_lost_region(site: Site) -> None:
    """Refuse to make anything in a lost region: its brokers' ids may be in use elsewhere.

    :raises Refused: if the region is lost.
    """
    if site.topology.role is Role.LOST:
        raise Refused(
            f"region {site.settings.own.name} is lost: nothing is made in it before its failback. What its "
            "state remembers is gone from the cluster; run `pulumi up` here again once the other region "
            "has taken over"
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


def _refuse_healthy_region(site: Site) -> None:
    """The swap guard: a region called lost is not lost if it still takes part in commands, or stays in sight."""
    peer = site.settings.peer

    def visible() -> str | None:
        try:
            return observed.still_visible(site.view(), peer.namespace)
        except CallFailed as error:
            # Without a gateway nothing can be seen; gate F1 waits for it and proves the same.
            site.say(f"the survivor's gateway does not answer yet: {error}")
            return None

    if visible() is None:
        return
    asked = _ask_for_commands(site)

    def still_there() -> str | None:
        if working := _working(asked):
            raise _not_lost(
                site,
                f"partition {working} has just carried out a command, for which it needs brokers of that region",
            )
        return visible()

    waiting = Waiting("preflight", site.say, SETTLE_SECONDS)
    reason = waiting.last_reason(f"the brokers of {peer.name} leave the topology", still_there)
    if reason:
        raise _not_lost(site, reason)


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
