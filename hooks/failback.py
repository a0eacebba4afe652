"""The failback: the work and the proofs of steps B0 to B7.

Source: procedure, 'Failback' steps 1 to 7. Each function looks first and does only what is missing, so
it can be said again at any time. From B2 on the exporters are paused; whatever fails then says so, and
how to go on or back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from dualregion import brokers, failback, observed, values
from dualregion.engine.health import not_green_and_empty
from dualregion.engine.records import records_text
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError, Refused
from dualregion.observed import Exporting
from dualregion.procedure import B1, B2, B3, B4, B5, B6, B7, Role
from hooks import clean_slate, engines, exporting, pods, proofs, rollout, snapshots, webapps
from hooks.cluster import CallFailed
from hooks.exporting import Place
from hooks.site import Evidence, Site
from hooks.waiting import Waiting


def prove_clean(site: Site) -> Evidence:
    """B0: the recreated region answers and holds nothing of Camunda; Pulumi then lifts the isolation.

    :raises Refused: naming everything that is left there.
    """
    peer = site.settings.peer
    there = site.peer_cluster
    site.say(f"B0: looking for what is left in namespace {peer.namespace} of region {peer.name}")
    try:
        there.check_answers()
    except ClusterUnreachable as error:
        raise ClusterUnreachable(
            f"B0: {error}. A failback needs region {peer.name} again: make its cluster anew, update its context "
            f"in the kubeconfig, and run `pulumi up` again. Nothing was changed"
        ) from None
    left = clean_slate.leftovers(there, peer.namespace, site.settings.release)
    if left:
        raise Refused(
            f"B0: region {peer.name} is not clean, its namespace {peer.namespace} holds {', '.join(left)}. "
            "Old data must not come back. Let its own stack remove what it knows of (`pulumi config set phase "
            f"failover` and `pulumi up` on stack {site.settings.peer_stack_name}), or delete the rest: "
            f"kubectl --context {peer.kube_context} delete namespace {peer.namespace} (and `delete pv` for volumes "
            "that are kept). Then run `pulumi up` again"
        )
    return {"clean": f"namespace {peer.namespace} behind kube context {peer.kube_context}"}


def join(site: Site) -> Evidence:
    """B1: the awake brokers are ready and in the topology, the others asleep; the engine is empty."""
    settings, waiting = site.settings, site.waiting(B1)
    waiting.until_none(
        f"the odd brokers of {site.namespace} are ready, the even ones asleep",
        lambda: rollout.asleep_as_expected(
            site.cluster, site.namespace, settings.release, failback.sleeps
        ),
        proofs.look_at_pods(site, site.namespace),
    )
    proofs.wait_for_search_engine(site, waiting, site.namespace)
    engine = engines.own(site)
    waiting.until_none(
        f"the search engine of {site.namespace} is green and empty",
        lambda: not_green_and_empty(engine.health()),
        "Brokers must not export there yet; look at its indices and at the exporters' URLs.",
    )
    ids = [
        each
        for ordinal, each in enumerate(
            brokers.region_broker_ids(settings.cluster_size, settings.region)
        )
        if not failback.sleeps(ordinal)
    ]
    waiting.until_none(
        f"broker {', '.join(map(str, ids))} joined and every partition is complete",
        lambda: observed.not_joined(site.view(), ids) or proofs.incomplete(site),
        "Look at the DNS and the network between the regions, and at the brokers' logs.",
    )
    return proofs.topology_evidence(site, waiting)


def freeze(site: Site) -> Evidence:
    """B2: web apps at 0, exporters paused everywhere, and the survivor's engine holds every record.

    :raises DualRegionError: if it is not reached in time; exporting goes on again then.
    """
    settings, waiting = site.settings, site.waiting(B2)
    # Found out before anything is paused: a snapshot that could not be taken.
    snapshots.register(engines.own(site), waiting, engines.repository(site), readonly=False)
    with _loud_about_the_pause(site), _web_apps_back_unless_paused(site):
        webapps.scale_down(site.cluster, site.namespace, settings.release, site.say)
        waiting.until_none(
            f"Operate and Tasklist of {site.namespace} are down",
            lambda: webapps.down_pending(site.cluster, site.namespace, settings.release),
            proofs.look_at_pods(site, site.namespace),
        )
        began = datetime.now(UTC)
        _pause(site, waiting)
        records = _wait_for_records(site, waiting)
    return {
        "exporters": "paused on every partition of every broker",
        "pausedAt": began.isoformat(timespec="seconds"),
        "records": records,
    }


@contextmanager
def _web_apps_back_unless_paused(site: Site) -> Iterator[None]:
    """Scale Operate and Tasklist back if the freeze fails and leaves no exporter paused."""
    try:
        yield
    except DualRegionError:
        if _paused(site) is None:
            webapps.scale_back(site.cluster, site.namespace, site.settings.release, site.say)
        raise


def _pause(site: Site, waiting: Waiting) -> None:
    release = site.settings.release
    waiting.until_none(
        "exporting is paused on every partition of every broker",
        lambda: _not_in_phase(
            site, "PAUSED", partial(exporting.pause, site.cluster, site.namespace, release)
        ),
        "The pause needs every broker: look at the topology and the brokers' logs.",
    )


def _not_in_phase(site: Site, phase: str, ask: Callable[[], str | None]) -> str | None:
    """Ask for a phase of exporting unless it is reached already; return what is missing, or None."""
    return None if _out_of_phase(site, phase) is None else ask() or _out_of_phase(site, phase)


def _out_of_phase(site: Site, phase: str) -> str | None:
    """Return which replica of any installation is not in a phase of exporting, or None."""
    return observed.not_all_in(
        _exporting(site),
        phase,
        partition_count=site.settings.partition_count,
        replication_factor=site.settings.replication_factor,
    )


def _exporting(site: Site) -> tuple[Exporting, ...]:
    return exporting.phases(site.places, site.settings.release)


def _wait_for_records(site: Site, waiting: Waiting) -> str:
    """Wait until nothing is in the failover engine that a snapshot of the survivor's would lack.

    What the exporters have buffered is still written after the pause, each on its own schedule; but not by a broker
    that leads no more, and its successor reads nothing as long as exporting is paused.
    """
    own, takeover = engines.own(site), engines.takeover(site)
    quiet = 2 * values.flush_seconds(site.topology.installations[0].values)
    leaders = waiting.answer(
        "the leader of each partition is known",
        lambda: observed.leaders(_exporting(site)),
        "Look at the broker pods of both regions and their logs.",
    )

    def never(partitions: Iterable[int]) -> str | None:
        before = {each: leaders[each] for each in partitions if each in leaders}
        try:
            changed = observed.deposed(before, observed.leaders(_exporting(site)))
        except CallFailed:
            return None
        return (
            f"{changed}: what was buffered there is written when exporting goes on"
            if changed
            else None
        )

    reason = snapshots.wait_for_equal_records(own, takeover, waiting, quiet, never)
    if reason is None:
        hint = f"Look at the search engine in {site.namespace}."
        records = waiting.answer(f"{own} tells which records it holds", own.records, hint)
        if records or not any(state.exported_position > 0 for state in _exporting(site)):
            return records_text(records)
        reason = f"brokers have exported, but no index {own.record_prefix}* holds a record"
    problem = (
        f"B2: the survivor's search engine does not hold all that the failover one does: {reason}. Look at "
        f"the health and load of the search engine in {site.namespace}; the same `pulumi up` tries again."
    )
    try:
        _resume(site, site.waiting(B2))
    except DualRegionError as error:
        raise DualRegionError(f"{problem} Exporting could not be resumed: {error}") from None
    raise DualRegionError(f"{problem} Exporting was resumed, and the web apps are scaled back")


def copy(site: Site) -> Evidence:
    """B3: snapshot of the survivor's engine, restored in the recreated region, equal index by index."""
    waiting = site.waiting(B3)
    own, empty = engines.own(site), engines.other(site)
    repository = engines.repository(site)
    with _loud_about_the_pause(site):
        _demand_paused(site, waiting)
        _refuse_exports_to_recreated(site)
        name = f"failback-{site.incident}-{datetime.now(UTC):%Y%m%d%H%M%S}"
        snapshot = snapshots.take_snapshot(own, waiting, repository, name, str(site.incident))
        evidence = snapshots.restore_snapshot(empty, waiting, repository, snapshot)
        evidence |= snapshots.prove_equal(own, empty, waiting)
        snapshots.forget(empty, waiting, repository)
        _demand_nothing_newer(site, waiting)
    return evidence


def repoint(site: Site) -> Evidence:
    """B4: every broker of this stack exports to both regions again, one restarted after the other."""
    with _loud_about_the_pause(site):
        waiting = site.waiting(B4)
        _demand_paused(site, waiting)
        for place in _own_places(site):
            _roll(site, place, waiting)
            _prove_environment(site, place, waiting)
        _demand_paused(site, waiting)
        proofs.wait_for_commands(site, waiting)
        if site.topology.role is Role.SURVIVOR:
            _demand_nothing_newer(site, waiting)
        return proofs.topology_evidence(site, waiting) | {"exporters": "still paused"}


def reopen(site: Site) -> Evidence:
    """B5: Operate and Tasklist are up; on the survivor, exporting goes on everywhere."""
    settings, waiting = site.settings, site.waiting(B5)
    wanted = values.web_apps_of(site.topology.installations[0].values)
    with _loud_about_the_pause(site):
        waiting.until_none(
            f"Operate and Tasklist of {site.namespace} are up",
            lambda: webapps.up_pending(site.cluster, site.namespace, settings.release, wanted),
            proofs.look_at_pods(site, site.namespace),
        )
        if site.topology.role is Role.RECREATED:
            _renew(site, waiting)
            return {"webApps": "up"}
        for place in site.places:
            _prove_environment(site, place, waiting)
        _resume(site, waiting)
    before = observed.exported_positions(_exporting(site))
    waiting.until_none(
        "exported positions move on every partition",
        lambda: observed.exporting_stuck(
            before, _exporting(site), range(1, settings.partition_count + 1)
        ),
        "Look at both search engines: their health, disks and the brokers' logs.",
    )
    resumed = datetime.now(UTC)
    _renew(site, waiting)
    return {"webApps": "up", "resumedAt": resumed.isoformat(timespec="seconds")}


def _renew(site: Site, waiting: Waiting) -> None:
    """End the hold of an update that concerns the web apps alone; restart what it changed all the same."""
    place = _own_places(site)[0]
    _roll(site, place, waiting)
    _prove_environment(site, place, waiting)


def _resume(site: Site, waiting: Waiting) -> None:
    release = site.settings.release
    waiting.until_none(
        "exporting goes on on every partition of every broker",
        lambda: _not_in_phase(
            site, "EXPORTING", partial(exporting.resume, site.cluster, site.namespace, release)
        ),
        "The resumption needs every broker: look at the topology and the brokers' logs.",
    )


def prove_retired(site: Site) -> Evidence:
    """B6: no failover broker is left, so that the sleeping ones may take their ids."""
    return _retired(site, woken=frozenset())


def _retired(site: Site, woken: frozenset[int]) -> Evidence:
    """Prove that no failover broker is left.

    :param woken: which of their ids brokers of this region have taken already.
    """
    settings, waiting = site.settings, site.waiting(B6)
    namespace = settings.peer.failover
    ids = set(brokers.failover_broker_ids(settings.cluster_size, settings.region)) - woken
    waiting.until_none(
        f"namespace {namespace} and its volumes are gone from region {settings.peer.name}",
        lambda: clean_slate.nothing_left(site.peer_cluster, namespace),
        f"Run `pulumi up` on stack {settings.peer_stack_name}; look at what keeps the namespace.",
    )
    waiting.until_none(
        "no failover broker is in the topology",
        lambda: proofs.any_visible(proofs.sighted_views(site), ids),
        proofs.look_at_gateway(site),
    )
    return {"gone": f"namespace {namespace}, its claims and volumes"}


def wake(site: Site) -> Evidence:
    """B7: the sleeping brokers wake first, then the others take the new configuration one by one."""
    settings, waiting = site.settings, site.waiting(B7)
    _retired(site, _woken(site))
    rollout.wake(
        site.cluster,
        site.namespace,
        settings.release,
        waiting=waiting,
        sleeping=failback.sleeps,
        complete=lambda: proofs.incomplete(site),
        say=site.say,
    )
    waiting.until_none(
        f"the brokers of {site.namespace} are rolled out",
        lambda: pods.rollout_pending(site.cluster, site.namespace, settings.release),
        proofs.look_at_pods(site, site.namespace),
    )
    waiting.until_none(
        f"all {settings.cluster_size} brokers joined and every partition is complete",
        lambda: proofs.incomplete(site),
        "Look at the broker pods of both regions and their logs.",
    )
    own = Place(site.cluster, site.namespace)
    waiting.until_none(
        f"the gateway of {site.namespace} sees all {settings.cluster_size} brokers, too",
        lambda: observed.missing_brokers(site.view(own), settings.cluster_size),
        f"Look at its log; as a last resort delete its pod in {site.namespace}.",
    )
    moved = proofs.prove_exporting(
        site,
        waiting,
        [own, Place(site.peer_cluster, settings.peer.namespace)],
        hint="Look at both regions' search engines: their health, disks and the brokers' logs.",
    )
    return proofs.topology_evidence(site, waiting) | {"exportedPositions": moved}


def _woken(site: Site) -> frozenset[int]:
    """Return the ids of the brokers that have been woken by an attempt before this one.

    One that still sleeps has the old revision, and is not ready.
    """
    settings = site.settings
    name = f"{settings.release}-zeebe"
    found = site.cluster.stateful_set(site.namespace, name)
    revision = None if found is None else found.status.update_revision
    return proofs.broker_ids_at(
        Place(site.cluster, site.namespace),
        settings.release,
        brokers.region_broker_ids(settings.cluster_size, settings.region),
        lambda pod: pods.is_ready(pod) or pod.metadata.labels.get(pods.REVISION_LABEL) == revision,
    )


def _own_places(site: Site) -> tuple[Place, ...]:
    """Return the installations that this stack restarts in B4."""
    *surviving, recreated = site.places
    return (recreated,) if site.topology.role is Role.RECREATED else tuple(surviving)


def _roll(site: Site, place: Place, waiting: Waiting) -> None:
    rollout.roll(
        place.cluster,
        place.namespace,
        site.settings.release,
        waiting=waiting,
        sleeping=place.sleeping,
        complete=lambda: proofs.incomplete(site),
        say=site.say,
    )


def _prove_environment(site: Site, place: Place, waiting: Waiting) -> None:
    wanted = proofs.wanted_environment(site.settings, replaced_region=None)
    waiting.until_none(
        f"StatefulSet and pods of {place.namespace} have the exporters' original addresses",
        lambda: pods.wrong_environment(
            place.cluster, place.namespace, site.settings.release, wanted
        ),
        "Each stack has to pass step B4 first.",
    )


def _demand_paused(site: Site, waiting: Waiting) -> None:
    """Prove that nobody resumed exporting meanwhile: a copy of a moving engine is worth nothing."""
    waiting.until_none(
        "exporting is still paused on every partition",
        lambda: _out_of_phase(site, "PAUSED"),
        "If somebody resumed exporting, back out: set phase failover on both stacks, and begin the failback anew.",
    )


def _demand_nothing_newer(site: Site, waiting: Waiting) -> None:
    """Prove that the recreated engine holds all that the failover one does.

    A buffer that was flushed only after the snapshot would be lost for good: exporters never go back.
    """
    takeover = engines.takeover(site)
    waiting.until_none(
        "the recreated region's search engine holds every record that the failover one does",
        lambda: snapshots.lacking(engines.other(site), takeover),
        "Records were written after the snapshot: back out (set phase failover on both stacks) and begin the "
        "failback anew; nothing is lost as long as exporting is paused.",
    )


def _refuse_exports_to_recreated(site: Site) -> None:
    """Never restore into a search engine that brokers export to.

    :raises Refused: naming the broker that does.
    """
    settings = site.settings
    wanted = proofs.wanted_environment(settings, replaced_region=site.lost)
    for place in site.places:
        reason = pods.wrong_environment(place.cluster, place.namespace, settings.release, wanted)
        if reason:
            raise Refused(
                f"B3: nothing is restored into the search engine of {settings.peer.namespace}, as brokers may "
                f"export to it already: {reason} ({place.namespace}). Run `pulumi up` on both stacks again; if "
                "it stays, back out with phase failover on both stacks"
            )


@contextmanager
def _loud_about_the_pause(site: Site) -> Iterator[None]:
    """Let no failure leave exporters paused silently: it says so, and what goes on or back."""
    try:
        yield
    except DualRegionError as error:
        paused = _paused(site)
        if paused is None:
            raise
        kind = DualRegionError if isinstance(error, ConfigError) else type(error)
        raise kind(f"{error}\n{exporting.pause_notice(paused)}") from None


def _paused(site: Site) -> str | None:
    try:
        return observed.paused_anywhere(_exporting(site))
    except DualRegionError as error:
        return f"it cannot be told which exporters are paused: {error}"
