"""The gates' work and proofs, step by step: what each row of the procedure's table demands.

Each function looks first and does only what is missing, so it can be said again at any time. It
returns its evidence: what it saw that proves the step.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dualregion import brokers, observed, values
from dualregion.procedure import F1, F2, F3, N, Step
from dualregion.settings import Settings
from dualregion.topology import Topology
from hooks import pods, zeebe
from hooks.cluster import CallFailed, Cluster
from hooks.waiting import Say, Waiting

Evidence = dict[str, str]
"""What a step saw that proves it."""

POLICY_NAME = "isolate-lost-region"
"""The name of the network policy in each namespace of the survivor."""


@dataclass(frozen=True)
class Site:
    """Where a step works: a region's cluster, its settings and what is wanted there."""

    cluster: Cluster
    settings: Settings
    topology: Topology
    say: Say

    @property
    def namespace(self) -> str:
        """The namespace of the region's normal installation."""
        return self.settings.own.namespace

    @property
    def lost(self) -> int:
        """The lost region's id, in the survivor's steps."""
        return brokers.other(self.settings.region)

    def waiting(self, step: Step) -> Waiting:
        """Return how this step waits."""
        return Waiting(step.id, self.say, self.settings.deadline_seconds)

    def view(self) -> observed.ClusterView:
        """Return the Zeebe cluster as this region's gateway sees it."""
        return zeebe.cluster_view(self.cluster, self.namespace, self.settings.release)


def prove_normal(site: Site) -> Evidence:
    """N: all brokers of both regions joined, and every partition is complete and healthy."""
    settings, waiting = site.settings, site.waiting(N)
    waiting.until_none(
        f"the {brokers.broker_count(settings.cluster_size)} brokers of {site.namespace} are ready",
        lambda: pods.rollout_pending(site.cluster, site.namespace, settings.release),
        _look_at_pods(site, site.namespace),
    )
    _wait_for_search_engine(site, waiting, site.namespace)
    waiting.until_none(
        f"all {settings.cluster_size} brokers joined and every partition is complete",
        lambda: _incomplete(site),
        "If the other region's brokers are missing, look at its pods and at the DNS between the regions.",
    )
    _wait_for_commands(site, waiting)
    return _topology_evidence(site, waiting)


def isolate(site: Site) -> Evidence:
    """F1: the network policies exist, and the gateway has lost sight of the lost region's brokers."""
    waiting, peer = site.waiting(F1), site.settings.peer
    waiting.until_none(
        f"the brokers of {peer.name} ({peer.namespace}) are gone from the topology",
        lambda: observed.still_visible(site.view(), peer.namespace),
        f"If region {peer.name} is really lost, cut the network between the regions.",
    )
    policies = isolation_policies(site)
    waiting.until_none(
        "the network policies exist", lambda: _missing(site, policies), "Run `pulumi up` again."
    )
    names = ", ".join(f"{namespace}/{name}" for namespace, name in policies)
    return _topology_evidence(site, waiting) | {
        "policies": names or "none: no pod CIDRs are configured"
    }


def take_over(site: Site) -> Evidence:
    """F2: failover brokers run under the lost ids, and every partition has a leader and quorum."""
    settings, waiting = site.settings, site.waiting(F2)
    namespace = settings.own.failover
    ids = brokers.failover_broker_ids(settings.cluster_size, site.lost)
    names = ", ".join(map(str, ids))

    def not_ready() -> str | None:
        _restart_stale(site)
        return pods.rollout_pending(site.cluster, namespace, settings.release)

    waiting.until_none(
        f"{len(ids)} failover brokers in {namespace} are ready",
        not_ready,
        _look_at_pods(site, namespace),
    )
    _wait_for_search_engine(site, waiting, namespace)
    waiting.until_none(
        f"failover broker {names} joined",
        lambda: observed.not_joined(site.view(), ids, namespace),
        f"Look at the log of {settings.release}-zeebe-0 in {namespace}.",
    )

    def no_quorum() -> str | None:
        _restart_stale(site)
        return observed.partitions_not_ready(
            site.view(),
            partition_count=settings.partition_count,
            healthy_replicas=brokers.quorum(settings.replication_factor),
        )

    waiting.until_none(
        "every partition has a leader and quorum",
        no_quorum,
        "Look at the survivor's broker pods and their logs.",
    )
    return _topology_evidence(site, waiting)


def repoint(site: Site) -> Evidence:
    """F3: rollout done, right environment everywhere, commands accepted, exported positions move."""
    settings, waiting = site.settings, site.waiting(F3)
    waiting.until_none(
        f"the brokers of {site.namespace} are rolled out",
        lambda: pods.rollout_pending(site.cluster, site.namespace, settings.release),
        _look_at_pods(site, site.namespace),
    )
    wanted = wanted_environment(settings, replaced_region=site.lost)
    for namespace in site.topology.namespaces:
        waiting.until_none(
            f"StatefulSet and pods of {namespace} have the exporters' new addresses",
            lambda namespace=namespace: pods.wrong_environment(  # type: ignore[misc]
                site.cluster, namespace, settings.release, wanted
            ),
            "Run `pulumi up` again; if it stays, compare `helm get values` with the preview.",
        )
    before = _positions(site, waiting)
    _wait_for_commands(site, waiting)
    waiting.until_none(
        "exported positions move on every partition",
        lambda: observed.exporting_stuck(
            before, _exporting(site), partition_count=settings.partition_count
        ),
        "Look at both search engines of this region: their health, disks and the brokers' logs.",
    )
    after = _positions(site, waiting)
    moved = ", ".join(f"{each}: {before.get(each, -1)} -> {after[each]}" for each in sorted(after))
    return _topology_evidence(site, waiting) | {"exportedPositions": moved}


PROOFS: Mapping[str, Callable[[Site], Evidence]] = {
    N.id: prove_normal,
    F1.id: isolate,
    F2.id: take_over,
    F3.id: repoint,
}
"""The work of each step, by its id."""


def wanted_environment(settings: Settings, *, replaced_region: int | None) -> dict[str, str]:
    """Return the exporters' addresses that every broker's environment must hold."""
    urls = values.exporter_urls(settings, replaced_region=replaced_region)
    return {values.exporter_variable(region, "ARGS_URL"): url for region, url in enumerate(urls)}


def isolation_policies(site: Site) -> tuple[tuple[str, str], ...]:
    """Return namespace and name of each network policy that the isolation consists of."""
    return tuple(
        (installation.namespace, POLICY_NAME)
        for installation in site.topology.installations
        if installation.cut_cidrs
    )


def _missing(site: Site, policies: Iterable[tuple[str, str]]) -> str | None:
    missing = [
        f"{namespace}/{name}"
        for namespace, name in policies
        if site.cluster.network_policy(namespace, name) is None
    ]
    return f"missing: {', '.join(missing)}" if missing else None


def _incomplete(site: Site) -> str | None:
    settings, view = site.settings, site.view()
    missing = sorted(set(range(settings.cluster_size)) - view.ids)
    if missing:
        return f"broker {', '.join(map(str, missing))} not in the topology yet"
    return observed.partitions_not_ready(
        view,
        partition_count=settings.partition_count,
        healthy_replicas=settings.replication_factor,
    )


def _look_at_pods(site: Site, namespace: str) -> str:
    """Return the next thing to try when pods do not become ready."""
    return f"Look at the pods: kubectl --context {site.cluster.context} -n {namespace} get pods."


def _wait_for_search_engine(site: Site, waiting: Waiting, namespace: str) -> None:
    waiting.until_none(
        f"the search engine of {namespace} is ready",
        lambda: pods.search_engine_pending(site.cluster, namespace, site.settings.release),
        _look_at_pods(site, namespace),
    )


def _restart_stale(site: Site) -> None:
    """Bring the survivor's brokers to their new configuration at once, while there is no quorum to lose."""
    try:
        view = site.view()
    except CallFailed:
        view = None
    pods.restart_stale(
        site.cluster,
        site.namespace,
        site.settings.release,
        view=view,
        partition_count=site.settings.partition_count,
        say=site.say,
    )


def _wait_for_commands(site: Site, waiting: Waiting) -> None:
    def refused() -> str | None:
        for partition in range(1, site.settings.partition_count + 1):
            reason = zeebe.refuses_commands(
                site.cluster, site.namespace, site.settings.release, partition
            )
            if reason:
                return reason
        return None

    waiting.until_none(
        "a command is accepted on every partition", refused, "Look at the gateway's log."
    )


def _positions(site: Site, waiting: Waiting) -> dict[int, int]:
    """Return how far each partition's leader has exported."""
    states = waiting.answer(
        "every broker tells how far it has exported",
        lambda: _exporting(site),
        "Look at the broker pods and their logs.",
    )
    return observed.leader_positions(states)


def _exporting(site: Site) -> tuple[observed.Exporting, ...]:
    found: list[observed.Exporting] = []
    for namespace in site.topology.namespaces:
        found += zeebe.exporting(site.cluster, namespace, site.settings.release)
    if not found:
        raise CallFailed("no broker answered how far it has exported")
    return tuple(found)


def _topology_evidence(site: Site, waiting: Waiting) -> Evidence:
    view = waiting.answer("the gateway answers", site.view, "Look at the gateway's log.")
    listed = ", ".join(
        f"{each.id} {each.host}" for each in sorted(view.brokers, key=lambda b: b.id)
    )
    return {"brokers": listed}
