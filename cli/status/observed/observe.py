"""Query both regions concurrently. A query that fails or times out reports its error, and delays no other."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from cli.status.observed.results import Result, all_of, result_of
from cli.status.patience import PATIENCE_SECONDS, REACH_SECONDS
from clients.cluster.kubernetes import Cluster
from clients.cluster.pods import is_ready, ordinal_of
from clients.installation import LiveInstallation
from clients.parallel import begin
from dualregion import brokers
from dualregion.chart.values import WEB_APPS
from dualregion.config.settings import Settings
from dualregion.names import GATEWAY
from dualregion.observed.search_engine.records import RECORD_PREFIX, Records, last_ranges
from dualregion.observed.zeebe_answers import (
    ClusterView,
    Exporting,
    exported_positions,
)
from dualregion.procedure import Phase
from dualregion.procedure.topology import Kind
from dualregion.procedure.versions import WebApps
from dualregion.state.standing import Uids
from messages import Message
from messages.command import status as messages
from steps.before import standing

_IT_ANSWERS = ("credentials-refused", "cluster-busy")
"""Codes of what an API server answers that cannot be looked into: `messages.clients.clusters`."""
_EARLIER_SECONDS = 0.2
"""How much earlier a part is given up than the whole that it belongs to: only the part is missing then."""


@dataclass(frozen=True)
class Workload:
    """A StatefulSet or Deployment: how many of its pods are ready, of how many wanted."""

    name: str
    ready: int
    wanted: int


@dataclass(frozen=True)
class Pod:
    """A broker's pod.

    :ivar broker: the id that its ordinal gives it.
    :ivar ready: one that is not may sleep, start, or be stuck.
    :ivar exporting: the state of its partitions; asked only if it is ready.
    """

    name: str
    broker: int
    ready: bool
    exporting: Result[tuple[Exporting, ...]] = field(default_factory=Result)


@dataclass(frozen=True)
class InstallationStatus:
    """One installation: its workloads, its brokers, its search engine's records.

    :ivar records: those about as new as what the brokers have exported: to count all would cost the more the more there are.
    :ivar view: the Zeebe cluster as its own gateway sees it; not asked of a failover installation.
    :ivar profiles: what its brokers run as, where web apps are profiles of theirs; None where these have Deployments.
    """

    kind: Kind
    namespace: str
    workloads: tuple[Workload, ...]
    brokers: tuple[Pod, ...]
    records: Result[Records]
    view: Result[ClusterView]
    profiles: Result[frozenset[str] | None] | None = None


@dataclass(frozen=True)
class RegionStatus:
    """One region.

    :ivar error: why its API server does not answer; None if it does.
    :ivar installations: those that are there; None of a kind that is not.
    :ivar stands_on: what a failover's proofs may stand on; asked only of a region that is to survive.
    """

    region: int
    name: str
    context: str
    error: Message | None = None
    installations: dict[Kind, Result[InstallationStatus | None]] = field(default_factory=dict)
    stands_on: Result[Uids] = field(default_factory=lambda: Result(error=messages.not_asked()))

    @property
    def answers(self) -> bool:
        """Whether its API server answers, be it that it refuses the credentials: the region is there."""
        return self.error is None or self.error.code in _IT_ANSWERS

    @property
    def seen(self) -> tuple[InstallationStatus, ...]:
        """The installations that are there and could be looked at."""
        found = (each.value for each in self.installations.values())
        return tuple(each for each in found if each is not None)


RegionStatuses = tuple[RegionStatus, RegionStatus]


def look(
    settings: tuple[Settings, Settings],
    record_prefix: str = RECORD_PREFIX,
    patience: float = PATIENCE_SECONDS,
) -> RegionStatuses:
    """Look at both regions at once, at each with its own stack's credentials.

    :param settings: of region 0's and region 1's stack.
    :param record_prefix: what the names of the exporters' indices begin with.
    :param patience: how long all of it may take, in seconds.
    """
    until, reach = time.monotonic() + patience, patience * REACH_SECONDS / PATIENCE_SECONDS
    begun = [
        begin(
            partial(
                _region,
                settings[region],
                record_prefix,
                region,
                until,
                reach,
                survives=any(_survives(region, each) for each in settings),
            )
        )
        for region in range(brokers.REGIONS)
    ]
    first, second = (
        _or_unreachable(settings[region], region, result_of(each, until))
        for region, each in enumerate(begun)
    )
    return first, second


def _or_unreachable(settings: Settings, region: int, found: Result[RegionStatus]) -> RegionStatus:
    if found.value is not None:
        return found.value
    named = settings.regions[region]
    return RegionStatus(region, named.name, named.kube_context, error=found.error)


def _region(
    settings: Settings,
    record_prefix: str,
    region: int,
    until: float,
    reach: float,
    *,
    survives: bool,
) -> RegionStatus:
    named = settings.regions[region]
    cluster = Cluster(settings.kubeconfig, named.kube_context)
    # A status is a single look: what it did not see is unknown.
    cluster.check_answers(reach, tries=1)
    namespaces = settings.namespaces_of(region)
    whole = until - _EARLIER_SECONDS
    stands_on = begin(partial(standing.there, cluster, settings)) if survives else None
    asked = {
        kind: _Asked(
            LiveInstallation.of(cluster, namespace, settings),
            kind,
            broker_ids(settings, region, kind),
            whole - _EARLIER_SECONDS,
            settings.version.web_apps is WebApps.PROFILES,
        )
        for kind, namespace in namespaces.items()
    }
    found = all_of({kind: partial(each.look, record_prefix) for kind, each in asked.items()}, whole)
    return RegionStatus(
        region,
        named.name,
        named.kube_context,
        installations=found,
        stands_on=Result(error=messages.not_asked())
        if stands_on is None
        else result_of(stands_on, whole),
    )


def with_standing(
    settings: Sequence[Settings], found: RegionStatuses, patience: float
) -> RegionStatuses:
    """Return the same, with what a failover's proofs may stand on in the region that survives by these settings.

    :param settings: of region 0's and region 1's stack.
    """
    until = time.monotonic() + patience
    first, second = (
        replace(each, stands_on=_standing(settings[each.region], each.context, until))
        if not each.error and any(_survives(each.region, one) for one in settings)
        else each
        for each in found
    )
    return first, second


def _standing(settings: Settings, context: str, until: float) -> Result[Uids]:
    cluster = Cluster(settings.kubeconfig, context)
    return result_of(begin(partial(standing.there, cluster, settings)), until)


def _survives(region: int, settings: Settings) -> bool:
    """Whether a stack's settings, of either region, are those of a failover that this region survives."""
    return settings.phase is Phase.FAILOVER and settings.lost_region == brokers.other(region)


_Answer = Future[tuple[Exporting, ...]]
"""What a broker will answer of its partitions."""


@dataclass(frozen=True)
class _Asked:
    """An installation that is queried.

    :ivar ids: its brokers', by ordinal.
    :ivar with_profiles: whether web apps are profiles of its brokers.
    """

    at: LiveInstallation
    kind: Kind
    ids: tuple[int, ...]
    until: float
    with_profiles: bool

    def look(self, record_prefix: str) -> InstallationStatus | None:
        """Return what it shows, or None if there are no brokers."""
        if self.at.brokers() is None:
            return None
        view = begin(self.at.zeebe.view)
        profiles = begin(self.at.active_profiles) if self.with_profiles else None
        found = self.at.broker_pods()
        asked = {
            name: begin(partial(self.at.zeebe.exporting_of, name))
            for name in (each.metadata.name for each in found if is_ready(each))
        }
        records = begin(partial(self._records, record_prefix, asked.values()))
        return InstallationStatus(
            self.kind,
            self.at.namespace,
            self._workloads(),
            self._brokers(found, asked),
            result_of(records, self.until),
            result_of(view, self.until)
            if self.kind is Kind.NORMAL
            else Result(error=messages.not_asked()),
            None if profiles is None else result_of(profiles, self.until),
        )

    def _records(self, prefix: str, brokers_asked: Collection[_Answer]) -> Records:
        """Return the search engine's last records, found by the positions that the brokers have exported.

        The brokers get half of the time, and the engine the other half: neither hides the other one.
        """
        half = max(self.until - time.monotonic(), 1.0) / 2
        answered = [each for each in wait(brokers_asked, half).done if not each.exception()]
        states = [state for each in answered for state in each.result()]
        ranges = last_ranges(exported_positions(states))
        engine = self.at.search_engine(prefix, half)
        if not ranges:
            engine.record_marks()
        return engine.records(ranges)

    def _workloads(self) -> tuple[Workload, ...]:
        names, at = self.at.names, self.at
        engine = at.search_engine_nodes()
        found = [(names.brokers, at.brokers()), (engine.metadata.name if engine else "", engine)]
        found += [(names.component(each), at.deployment(each)) for each in (GATEWAY, *WEB_APPS)]
        return tuple(_workload(name, each) for name, each in found if each is not None)

    def _brokers(self, found: list[Any], asked: Mapping[str, _Answer]) -> tuple[Pod, ...]:
        answers = {name: result_of(each, self.until) for name, each in asked.items()}
        return tuple(
            Pod(
                name := each.metadata.name,
                self.ids[ordinal_of(each)],
                name in answers,
                answers.get(name, Result(error=messages.not_ready())),
            )
            for each in sorted(found, key=ordinal_of)
            if ordinal_of(each) < len(self.ids)
        )


def _workload(name: str, found: Any) -> Workload:
    return Workload(name, found.status.ready_replicas or 0, found.spec.replicas or 0)


def broker_ids(settings: Settings, region: int, kind: Kind) -> tuple[int, ...]:
    """Return the ids of an installation's brokers, by ordinal."""
    if kind is Kind.NORMAL:
        return brokers.region_broker_ids(settings.cluster_size, region)
    return brokers.failover_broker_ids(settings.cluster_size, brokers.other(region))
