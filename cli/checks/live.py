"""Checks that query the clusters for more than a status does: rights, Secrets, room, leftovers, the repository."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from cli.check import Check, check, failed, ok, unknown
from cli.checks import passwords
from cli.checks.capacity import does_not_fit
from cli.checks.gitops import owners
from cli.checks.offline import CheckContext
from cli.checks.rights import AskingCluster
from cli.status.observed.observe import RegionStatus
from clients.installation import LiveInstallation
from dualregion import brokers
from dualregion.chart.installations import Bases
from dualregion.chart.values import brings_search_engine, exporter_settings
from dualregion.config.settings import RegionSettings, Settings
from dualregion.errors import DualRegionError, Refused
from dualregion.iam import with_role
from dualregion.names import ReleaseNames
from dualregion.observed.search_engine.repositories import Repository
from dualregion.procedure import Phase
from dualregion.procedure.topology import Kind
from dualregion.rbac import Side
from messages import Message
from messages.command import checks as messages
from messages.observed.brokers import all_of
from messages.words import some_of
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
    checks = dict(_checks(ctx, region, own.kubeconfig != peer.kubeconfig, failback=failback))
    if region_status.error:
        yield from (unknown(name, region_status.error) for name in checks)
        return
    asked = _Asked(ctx, region_status, region)
    for name, make in checks.items():
        try:
            yield make(asked, name)
        except DualRegionError as error:
            yield unknown(name, error.message)


def _checks(
    ctx: CheckContext, region: int, other_login: bool, *, failback: bool
) -> Iterator[tuple[Message, "_Make"]]:
    """Yield each check that is due, and what makes it.

    :param other_login: whether the other region's stack may come here with other credentials.
    """
    name = ctx.status.region_statuses[region].name
    yield messages.check_rights(name), _Asked.rights
    yield messages.check_gitops(name), _Asked.gitops
    if other_login:
        yield messages.check_peer_rights(name), _Asked.peer_rights
    if failback and region == ctx.status.lost:
        yield messages.check_region_clean(name), _Asked.is_clean
    else:
        yield messages.check_secrets(name), _Asked.secrets
        yield messages.check_repository(name), _Asked.repository
        yield messages.check_engine(name), _Asked.engine
        if ctx.settings.engine_address.login is not None:
            yield messages.check_passwords(name), _Asked.passwords
        if ctx.settings.dns.chain:
            yield messages.check_dns_chain(name), _Asked.dns
    if failback:
        return
    if ctx.status.phase is Phase.NORMAL:
        yield messages.check_rendered(name), _Asked.rendered
    if not ctx.settings.procedure.has_failover_installation:
        return
    yield messages.check_room(name), _Asked.room
    yield messages.check_failover_clean(name), _Asked.failover_is_clean


class _Asked:
    """A region that is queried."""

    def __init__(self, ctx: CheckContext, region_status: RegionStatus, region: int) -> None:
        self._ctx, self._status, self._region = ctx, region_status, region
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
        return LiveInstallation.of(self._cluster, namespace, self._settings)

    def rights(self, name: Message) -> Check:
        return self._rights(name, self._cluster, Side.OWN)

    def peer_rights(self, name: Message) -> Check:
        """What the other region's stack needs here, in a failback; its kubeconfig may name another login."""
        return self._rights(name, self._of_peer(), Side.PEER)

    def _rights(self, name: Message, cluster: AskingCluster, side: Side) -> Check:
        settings, region = self._settings, self._region
        spaces = [
            each
            for each in self._settings.namespaces_of(self._region).values()
            if settings.rights.subject is None or cluster.has_namespace(each)
        ]
        missing = tuple(cluster.missing_rights(settings, region, side, spaces))
        return check(
            name,
            messages.rights_missing(missing) if missing else None,
            messages.fix_rights(self._status.context, region),
        )

    def gitops(self, name: Message) -> Check:
        """Whether Argo CD or Flux would put back what the procedure changes."""
        release, spaces = self._settings.release, (self._named.namespace, self._named.failover)
        parts = [each for space in spaces for each in self._cluster.workloads_of(space, release)]
        held = {str(each): of for each in parts if (of := owners(each, release))}
        if held:
            found = sorted({owner for of in held.values() for owner in of})
            problem = messages.gitops_owns(tuple(map(str, found)), tuple(held))
            return failed(name, problem, messages.fix_gitops(tuple(each.pause for each in found)))
        named = [self._cluster.namespace_metadata(each) for each in spaces]
        only = tuple(str(each) for each in named if each and owners(each, ""))
        return ok(name, messages.gitops_owns_namespaces(only) if only else None)

    def secrets(self, name: Message) -> Check:
        """The Secret that the values name, where the program does not make it."""
        if self._ctx.values_problem:
            return unknown(name, self._ctx.values_problem)
        wanted = _secret_of(self._ctx.values)
        own = self._settings.elasticsearch_secret
        if wanted is None or (own is not None and own.name == wanted):
            return ok(name)
        namespaces = self._settings.namespaces_of(self._region).values()
        missing = tuple(each for each in namespaces if not self._cluster.has_secret(each, wanted))
        problem = messages.secret_missing(wanted, missing) if missing else None
        return check(name, problem, messages.fix_secret())

    def repository(self, name: Message) -> Check:
        """Register the repository under a name of its own, which writes to it, and remove it again."""
        backup = self._settings.backup
        if backup.missing:
            return unknown(
                name,
                messages.snapshot_place_missing(backup.missing),
                messages.fix_backup(backup.missing),
            )
        engine = self._at(self._named.namespace).search_engine()
        probe = Repository(
            f"{backup.repository}-{_PROBE}", backup.type, self._settings.repository_settings
        )
        try:
            engine.register_repository(probe, readonly=False)
        except DualRegionError as error:
            return failed(name, error.message, messages.fix_repository())
        finally:
            engine.forget_repository(probe.name)
        return ok(name, messages.repository_verified(backup.type))

    def engine(self, name: Message) -> Check:
        """Whether a failback could copy the engine: it checks the same before it pauses exporting."""
        found = exporter_settings(self._ctx.values, self._settings.version)
        engine = self._at(self._named.namespace).search_engine(found.prefix)
        streams = engine.data_streams()
        return check(
            name,
            all_of(unfit_source(engine)),
            messages.fix_engine(),
            messages.streams_not_copied(some_of(streams)) if streams else None,
        )

    def passwords(self, name: Message) -> Check:
        """Whether its brokers get in to both search engines; that of a lost region is not asked, its next one is another."""
        at, login = self._at(self._named.namespace), self._settings.engine_address.login
        if login is None:
            return ok(name)
        owners = {
            region: self._of_owner(region)
            for region in range(brokers.REGIONS)
            if region != self._ctx.status.lost
        }
        return passwords.of_region(name, at, login, self._region, owners)

    def _of_owner(self, region: int) -> LiveInstallation | Message:
        """Return a region's installation, by that region's own login, or why it cannot be asked."""
        seen = self._ctx.status.region_statuses[region]
        settings = self._ctx.status.stacks[region].settings
        if seen.error:
            return seen.error
        cluster = AskingCluster(settings.kubeconfig, seen.context)
        return LiveInstallation.of(cluster, settings.own.namespace, settings)

    def rendered(self, name: Message) -> Check:
        """Whether every release of the procedure renders what the steps address, and the API server would take it."""
        settings = self._ctx.status.stacks[self._region].settings
        if self._ctx.values_problem:
            return unknown(name, messages.values_not_read())
        bases = Bases.of(with_role(self._ctx.values, settings), self._ctx.failover_values)
        seen = rendering.look(self._cluster, settings, bases, self._ctx.folder)
        if wrong := all_of([each.message for each in seen.findings]):
            return failed(name, wrong, messages.fix_chart())
        unseen = all_of(seen.unknown)
        return unknown(name, unseen) if unseen else ok(name)

    def dns(self, name: Message) -> Check:
        """Whether the Corefile asks the other region's DNS; that it answers is proved by the brokers."""
        try:
            gone = dns.missing(self._cluster, self._settings, self._region)
        except Refused as error:
            return failed(name, error.message, messages.fix_corefile())
        remedy = messages.fix_chain(self._ctx.status.stacks[self._region].name)
        return check(name, messages.chain_missing() if gone else None, remedy)

    def room(self, name: Message) -> Check:
        """Whether the failover brokers, and their search engine, fit beside what runs there."""
        namespace, names = self._named.namespace, ReleaseNames(self._settings.release)
        brokers_of = self._cluster.planned(namespace, names.brokers)
        engine_of = self._cluster.planned(namespace, names.search_engine)
        if not brokers_of:
            return unknown(name, messages.nothing_installed(namespace))
        if engine_of is None and brings_search_engine(self._ctx.values):
            return unknown(name, messages.no_engine_to_go_by(namespace))
        count = brokers.failover_broker_count(self._settings.cluster_size)
        pods = brokers_of[:1] * count + (engine_of or [])
        lacking = does_not_fit(pods, self._cluster.free())
        return check(
            name,
            messages.pod_does_not_fit(str(lacking.asks), len(pods)) if lacking else None,
            messages.fix_room(self._named.name),
            messages.pods_fit(len(pods)),
        )

    def failover_is_clean(self, name: Message) -> Check:
        left = clean_slate.leftovers(self._at(self._named.failover))
        return self._clean(name, left, self._named.failover)

    def is_clean(self, name: Message) -> Check:
        installed = self._status.installations.get(Kind.NORMAL)
        if installed is not None and installed.value is not None and self._is_ours():
            return ok(name, messages.installed_by_failback())
        left = clean_slate.leftovers(self._at(self._named.namespace))
        return self._clean(name, left, self._named.namespace)

    def _is_ours(self) -> bool:
        held = self._ctx.status.stacks[self._region].state.held
        return bool(held.proved(self._ctx.status.incident))

    def _clean(self, name: Message, left: list[str], namespace: str) -> Check:
        problem = messages.namespace_holds(namespace, tuple(left)) if left else None
        return check(name, problem, messages.fix_leftovers(self._status.context, namespace))


_Make = Callable[[_Asked, Message], Check]
"""Makes a check of a region, under its name."""


def _secret_of(values: Mapping[str, object]) -> str | None:
    """Return the Secret that the search engine's values read, or None."""
    engine = values.get("elasticsearch")
    found = engine.get("extraEnvVarsSecret") if isinstance(engine, Mapping) else None
    return str(found) if found else None
