"""Checks that ask the clusters more than a status does: rights, Secrets, room, leftovers, the repository."""

from collections.abc import Iterator, Mapping
from functools import partial

from cli.check import Check, check, unknown
from cli.checks.capacity import does_not_fit
from cli.checks.offline import CheckContext
from cli.checks.rights import AskingCluster
from cli.status.observe import RegionStatus
from clients.installation import LiveInstallation
from dualregion import brokers
from dualregion.chart.installations import Bases
from dualregion.chart.values import brings_search_engine, exporter_settings
from dualregion.config.settings import RegionSettings, Settings
from dualregion.errors import DualRegionError, Refused
from dualregion.iam import with_role
from dualregion.messages.words import some_of
from dualregion.names import ReleaseNames
from dualregion.observed.repositories import Repository
from dualregion.procedure import Phase
from dualregion.procedure.topology import Kind
from dualregion.rbac import Side
from steps import dns
from steps.releases import clean_slate, rendering
from steps.search_engine.fitness import unfit_source

_PROBE = "preflight"
"""Added to the repository's name: a registration that is there is not touched."""


def of_region(ctx: CheckContext, region: int, *, failback: bool) -> Iterator[Check]:
    """Make the checks of one region; one that cannot be asked is unknown, and keeps no other from being made.

    :param failback: whether a failback is to follow, of the region that is lost.
    """
    region_status = ctx.status.region_statuses[region]
    own, peer = (ctx.status.stacks[each].settings for each in (region, brokers.other(region)))
    checks = {f"rights in region {region_status.name}": _Asked.rights}
    if own.kubeconfig != peer.kubeconfig:
        checks[f"rights of the other stack in region {region_status.name}"] = _Asked.peer_rights
    if failback and region == ctx.status.lost:
        checks[f"region {region_status.name} is clean"] = _Asked.is_clean
    else:
        checks[f"Secrets in region {region_status.name}"] = _Asked.secrets
        checks[f"the snapshot repository from region {region_status.name}"] = _Asked.repository
        checks[f"the search engine of region {region_status.name} can be copied"] = _Asked.engine
        if ctx.settings.dns.chain:
            checks[f"DNS chain of region {region_status.name}"] = _Asked.dns
    if not failback and ctx.status.phase is Phase.NORMAL:
        checks[f"what the chart renders in region {region_status.name}"] = _Asked.rendered
    if not failback:
        checks[f"room for failover brokers in region {region_status.name}"] = _Asked.room
        checks[f"the failover namespace of region {region_status.name} is clean"] = (
            _Asked.failover_is_clean
        )
    if region_status.error:
        yield from (unknown(name, region_status.error) for name in checks)
        return
    asked = _Asked(ctx, region_status, region)
    for name, make in checks.items():
        try:
            yield make(asked, name)
        except DualRegionError as error:
            yield unknown(name, str(error))


class _Asked:
    """A region that is asked."""

    def __init__(self, ctx: CheckContext, region_status: RegionStatus, region: int) -> None:
        self._ctx, self._sight, self._region = ctx, region_status, region
        own, peer = (
            ctx.status.stacks[each].settings.kubeconfig for each in (region, brokers.other(region))
        )
        self._cluster = AskingCluster(own, region_status.context)
        self._of_peer = partial(AskingCluster, peer, region_status.context)

    @property
    def _settings(self) -> Settings:
        return self._ctx.settings

    @property
    def _named(self) -> RegionSettings:
        return self._settings.regions[self._region]

    def _at(self, namespace: str) -> LiveInstallation:
        return LiveInstallation(self._cluster, namespace, self._settings.release)

    def rights(self, name: str) -> Check:
        return self._rights(name, self._cluster, Side.OWN)

    def peer_rights(self, name: str) -> Check:
        """What the other region's stack needs here, in a failback; its kubeconfig may name another login."""
        return self._rights(name, self._of_peer(), Side.PEER)

    def _rights(self, name: str, cluster: AskingCluster, side: Side) -> Check:
        settings, region = self._settings, self._region
        spaces = [
            each
            for each in (self._named.namespace, self._named.failover)
            if settings.rights.subject is None or cluster.has_namespace(each)
        ]
        return check(
            name,
            ", ".join(cluster.missing_rights(settings, region, side, spaces)) or None,
            f"have kube context {self._sight.context} be rights.subject, or rights.peerSubject, and let the cluster's "
            f"administrator apply what `dualregion rights --region {region}` prints",
        )

    def secrets(self, name: str) -> Check:
        """The Secret that the values name, where the program does not make it."""
        if self._ctx.values_problem:
            return unknown(name, self._ctx.values_problem)
        wanted = _secret_of(self._ctx.values)
        own = self._settings.elasticsearch_secret
        if wanted is None or (own is not None and own.name == wanted):
            return check(name, None, "")
        places = (self._named.namespace, self._named.failover)
        missing = [each for each in places if not self._cluster.has_secret(each, wanted)]
        return check(
            name,
            f"{wanted} is not in {' and '.join(missing)}" if missing else None,
            "set elasticsearchSecret on both stacks, or make the Secret there (docs/configuration.md)",
        )

    def repository(self, name: str) -> Check:
        """Register the repository under a name of its own, which writes to it, and forget it again."""
        backup = self._settings.backup
        if backup.missing:
            return unknown(name, f"backup.settings.{backup.missing} is not set")
        engine = self._at(self._named.namespace).search_engine()
        probe = Repository(
            f"{backup.repository}-{_PROBE}", backup.type, self._settings.repository_settings
        )
        try:
            engine.register_repository(probe, readonly=False)
        except DualRegionError as error:
            remedy = "backup, the bucket's keys and rights, and the network from there (docs/configuration.md)"
            return check(name, str(error), remedy)
        finally:
            engine.forget_repository(probe.name)
        return check(name, None, "", f"{backup.type}, written to and verified")

    def engine(self, name: str) -> Check:
        """Whether a failback could copy the engine: it asks the same before it pauses exporting."""
        found = exporter_settings(self._ctx.values)
        engine = self._at(self._named.namespace).search_engine(found.prefix)
        streams = engine.data_streams()
        return check(
            name,
            "; ".join(unfit_source(engine)) or None,
            "do what it says, at the latest before a failback",
            f"data streams {some_of(streams)} are not copied" if streams else "",
        )

    def rendered(self, name: str) -> Check:
        """Whether every release of the procedure renders what the steps address, and the API server would take it."""
        settings = self._ctx.status.stacks[self._region].settings
        if self._ctx.values_problem:
            return unknown(name, "the Helm values cannot be read")
        bases = Bases.of(with_role(self._ctx.values, settings), self._ctx.failover_values)
        seen = rendering.look(self._cluster, settings, bases, self._ctx.folder)
        if seen.findings:
            problem, remedy = (
                "; ".join(map(str, seen.findings)),
                "docs/configuration.md, What the chart renders",
            )
            return check(name, problem, remedy)
        return unknown(name, "; ".join(seen.unknown)) if seen.unknown else check(name, None, "")

    def dns(self, name: str) -> Check:
        """Whether the Corefile asks the other region's DNS; that it answers is proved by the brokers."""
        remedy = f"`pulumi up` on stack {self._ctx.status.stacks[self._region].name}"
        try:
            gone = dns.missing(self._cluster, self._settings, self._region)
        except Refused as error:
            return check(name, str(error), "fix that Corefile")
        return check(name, "it is not in the Corefile as it should be" if gone else None, remedy)

    def room(self, name: str) -> Check:
        """Whether the failover brokers, and their search engine, fit beside what runs there."""
        namespace, names = self._named.namespace, ReleaseNames(self._settings.release)
        brokers_of = self._cluster.planned(namespace, names.brokers)
        engine_of = self._cluster.planned(namespace, names.search_engine)
        if not brokers_of:
            return unknown(name, f"nothing is installed in {namespace}")
        if engine_of is None and brings_search_engine(self._ctx.values):
            return unknown(name, f"{namespace} holds no search engine to go by")
        count = brokers.failover_broker_count(self._settings.cluster_size)
        pods = brokers_of[:1] * count + (engine_of or [])
        lacking = does_not_fit(pods, self._cluster.free())
        return check(
            name,
            None
            if lacking is None
            else f"no node has {lacking.asks} left for one of {len(pods)} pods, and may have it beside the others",
            f"more or larger nodes in region {self._named.name}, or smaller requests",
            f"{len(pods)} pods fit",
        )

    def failover_is_clean(self, name: str) -> Check:
        left = clean_slate.leftovers(self._at(self._named.failover))
        return self._clean(name, left, self._named.failover)

    def is_clean(self, name: str) -> Check:
        installed = self._sight.installations.get(Kind.NORMAL)
        if installed is not None and installed.value is not None and self._is_ours():
            return check(name, None, "", "installed by the failback that is under way")
        left = clean_slate.leftovers(self._at(self._named.namespace))
        return self._clean(name, left, self._named.namespace)

    def _is_ours(self) -> bool:
        held_there = self._ctx.status.stacks[self._region].state.held
        return bool(held_there.proved(self._ctx.status.incident))

    def _clean(self, name: str, left: list[str], namespace: str) -> Check:
        return check(
            name,
            f"{namespace} holds {', '.join(left)}" if left else None,
            f"look at it, then kubectl --context {self._sight.context} delete namespace {namespace}; volumes that "
            "are kept: delete pv",
        )


def _secret_of(values: Mapping[str, object]) -> str | None:
    """Return the Secret that the search engine's values read, or None."""
    engine = values.get("elasticsearch")
    found = engine.get("extraEnvVarsSecret") if isinstance(engine, Mapping) else None
    return str(found) if found else None
