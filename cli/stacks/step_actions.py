"""What each step does in the clusters, call by call, for a plan. Pure.

These are the calls of hooks and components; what Pulumi will change is in its own preview.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.stacks.region_steps import RegionStep
from dualregion import brokers
from dualregion.chart import values
from dualregion.config.sections.network_acls import rules_in_words
from dualregion.config.settings import Settings
from dualregion.names import ReleaseNames
from dualregion.procedure import R
from dualregion.procedure.versions import RemovalForm, WebApps


@dataclass(frozen=True)
class _Names:
    """The names that an incident's calls are made of.

    :ivar survivor: the survivor's namespace.
    :ivar failover: its failover namespace.
    :ivar lost_namespace: the lost region's namespace.
    """

    settings: Settings
    lost: int

    @property
    def survivor(self) -> str:
        return self.settings.regions[brokers.other(self.lost)].namespace

    @property
    def failover(self) -> str:
        return self.settings.regions[brokers.other(self.lost)].failover

    @property
    def isolated(self) -> str:
        """The namespaces that are isolated."""
        if not self.settings.procedure.has_failover_installation:
            return self.survivor
        return f"{self.survivor} and {self.failover}"

    @property
    def exporter(self) -> str:
        return self.settings.version.exporter.id_of(self.lost)

    @property
    def surviving_exporter(self) -> str:
        return self.settings.version.exporter.id_of(brokers.other(self.lost))

    @property
    def lost_namespace(self) -> str:
        return self.settings.regions[self.lost].namespace

    @property
    def acl_rules(self) -> tuple[str, ...]:
        acls = self.settings.regions[brokers.other(self.lost)].network_acls
        return rules_in_words(acls, self.settings.regions[self.lost].pod_cidrs) if acls else ()

    @property
    def release(self) -> str:
        return self.settings.release

    @property
    def gateway(self) -> str:
        return f"{ReleaseNames(self.release).gateway} in {self.survivor}"

    @property
    def lost_ids(self) -> str:
        return _ids(brokers.region_broker_ids(self.settings.cluster_size, self.lost))

    @property
    def failover_ids(self) -> str:
        return _ids(brokers.failover_broker_ids(self.settings.cluster_size, self.lost))

    @property
    def joining_ids(self) -> str:
        ids = brokers.region_broker_ids(self.settings.cluster_size, self.lost)
        return _ids(tuple(each for ordinal, each in enumerate(ids) if not brokers.sleeps(ordinal)))

    @property
    def variable(self) -> str:
        form = self.settings.version.exporter
        return form.variable(self.lost, form.url)

    @property
    def but_engine(self) -> str:
        """What may be there all the same."""
        has_own = self.settings.engine_address.login is not None
        return ", but a search engine that is ready" if has_own else ""

    def passwords(self, namespace: str, *owners: int) -> tuple[str, ...]:
        """Return what is done about the passwords of search engines beside the chart, for brokers of a namespace."""
        login = self.settings.engine_address.login
        if login is None:
            return ()
        copies = " and ".join(login.copy_of(each) for each in owners)
        return (f"Secret {copies} in {namespace}: the passwords of the regions' search engines",)

    def url(self, *, replaced: bool) -> str:
        urls = values.exporter_urls(self.settings, replaced_region=self.lost if replaced else None)
        return urls[self.lost]


def calls(step: RegionStep, settings: Settings, lost: int | None) -> tuple[str, ...]:
    """Return what a step does, one line for each call.

    :param lost: the lost region; None in phase `normal`.
    """
    if lost is None:
        return (
            f"GET /{settings.version.api}/topology: brokers 0 to {settings.cluster_size - 1}, every partition with "
            f"{settings.replication_factor} healthy replicas",
        )
    has_installation = settings.procedure.has_failover_installation
    table = _CALLS if has_installation else {**_CALLS, **_BY_CLUSTER_API}
    return table[step.id](_Names(settings, lost), step)


def _f1(names: _Names, _: RegionStep) -> tuple[str, ...]:
    cut = ", ".join(names.settings.regions[names.lost].pod_cidrs) or "nothing: no podCidrs are set"
    return (
        f"NetworkPolicy isolate-lost-region in {names.isolated}, cutting {cut}",
        *(f"deny {cut}, both ways, by {each}" for each in names.acl_rules),
        f"GET /{names.settings.version.api}/topology of {names.gateway}: until broker {names.lost_ids} of {names.lost_namespace} is gone",
    )


def _f2(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"Namespace {names.failover}",
        f"helm install {names.release} -n {names.failover}: installationType failOver, regionId {names.lost}: "
        f"broker {names.failover_ids}, its own search engine, no Operate, no Tasklist",
        "delete pod, of each broker of the survivor, all at once, as long as no partition has quorum",
    )


def _f3(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"helm upgrade {names.release} -n {names.survivor}: {names.variable}={names.url(replaced=True)}",
        "GET /actuator/partitions of every broker: exported positions move",
        f"POST /v1/user-tasks/.../completion to {names.gateway}: a command of each partition is accepted",
    )


def _r(names: _Names, _: RegionStep) -> tuple[str, ...]:
    place = names.lost_namespace
    gone = (
        f"delete namespace {place} with its claims"
        if names.settings.engine_address.login is None
        else f"namespace {place} stays, with its search engine and all claims: delete them by hand"
    )
    return (
        f"if the cluster answers: helm uninstall {names.release} -n {place}, {gone}. CANNOT BE UNDONE",
        "if it does not answer: nothing; it is left as it is",
    )


def _b0(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"look into {names.lost_namespace}: no release, workload, claim, volume or index{names.but_engine}",
        f"delete NetworkPolicy isolate-lost-region in {names.isolated}",
        *(f"delete {each}" for each in names.acl_rules),
    )


def _b1(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"helm install {names.release} -n {names.lost_namespace}: installationType failBack, no Operate, no Tasklist: "
        f"broker {names.joining_ids} joins, broker {names.failover_ids} sleeps",
    )


def _b2(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"scale deployment {names.release}-operate and {names.release}-tasklist in {names.survivor} to 0",
        f"POST /actuator/exporting/pause to {names.gateway}; then each broker's own state",
        f"POST /zeebe-record*/_search in {names.survivor} and {names.failover}: until the first holds all of the second",
    )


def _b3(names: _Names, _: RegionStep) -> tuple[str, ...]:
    repository = names.settings.backup.repository
    return (
        f"PUT _snapshot/{repository}/failback-... in {names.survivor}",
        f"POST _snapshot/{repository}/failback-.../_restore in {names.lost_namespace}. CANNOT BE UNDONE, but done again",
    )


def _b4(names: _Names, step: RegionStep) -> tuple[str, ...]:
    survives = step.region != names.lost
    places = (names.survivor, names.failover) if survives else (names.lost_namespace,)
    return (
        *(
            f"helm upgrade {names.release} -n {place}: {names.variable}={names.url(replaced=False)}"
            for place in places
        ),
        f"delete pod, of each broker in {' and '.join(places)}, one after the other",
    )


def _b5(names: _Names, step: RegionStep) -> tuple[str, ...]:
    if step.region == names.lost:
        return (f"helm upgrade {names.release} -n {names.lost_namespace}: Operate and Tasklist on",)
    return (
        f"helm upgrade {names.release} -n {names.survivor}: Operate and Tasklist on",
        f"POST /actuator/exporting/resume to {names.gateway}; then each broker's own state",
        f"helm uninstall {names.release} -n {names.failover}, delete namespace {names.failover} with its "
        "claims. CANNOT BE UNDONE",
    )


def _b6(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (f"look for {names.failover}: no namespace, no volume",)


def _b7(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"helm upgrade {names.release} -n {names.lost_namespace}: without installationType failBack",
        f"delete pod, of broker {names.failover_ids} in {names.lost_namespace}, all at once, then the others one by one",
    )


def _f0(_names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        "record the claim in this stack's state, then read the other stack's: refused if it has begun a failover for "
        "this region",
    )


_CALLS: Mapping[str, Callable[[_Names, RegionStep], tuple[str, ...]]] = {
    "F0": _f0,
    "F1": _f1,
    "F2": _f2,
    "F3": _f3,
    R.id: _r,
    "B0": _b0,
    "B1": _b1,
    "B2": _b2,
    "B3": _b3,
    "B4": _b4,
    "B5": _b5,
    "B6": _b6,
    "B7": _b7,
}


def _remove(names: _Names, _: RegionStep) -> tuple[str, ...]:
    if names.settings.version.removal is RemovalForm.KEEP_LIST:
        kept = _ids(brokers.staying(names.settings.cluster_size, names.lost))
        call = f"POST /actuator/cluster/brokers?force=true to {names.gateway}: keep {kept}"
    else:
        call = f"PATCH /actuator/cluster?force=true to {names.gateway}: remove {names.lost_ids}"
    return (
        f"the same as a dry run first: it must name broker {names.lost_ids} of {names.lost_namespace}, and no other",
        f"{call}; then its change is COMPLETED, and every partition has a leader",
    )


def _disable(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"POST /actuator/exporters/{names.exporter}/disable to {names.gateway}",
        "GET /actuator/partitions of every broker: exported positions move",
    )


def _come_back(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        *names.passwords(names.lost_namespace, 0, 1),
        f"helm install {names.release} -n {names.lost_namespace}: without web apps and Connectors: broker "
        f"{names.lost_ids} runs, and is no member",
    )


def _freeze(names: _Names, _: RegionStep) -> tuple[str, ...]:
    rolled = (
        (f"delete pod, of each broker in {names.survivor}, one after the other",)
        if names.settings.version.web_apps is WebApps.PROFILES
        else ()
    )
    return (
        f"helm upgrade {names.release} -n {names.survivor}: Operate and Tasklist off",
        *names.passwords(names.survivor, names.lost),
        *rolled,
        f"POST /actuator/exporting/pause to {names.gateway}; then each broker's own state",
        f"wait until the search engine in {names.survivor} gets nothing more",
    )


def _enable(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"POST /actuator/exporters/{names.exporter}/enable to {names.gateway}, initializeFrom "
        f"{names.surviving_exporter}",
    )


def _resume(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"POST /actuator/exporting/resume to {names.gateway}; then each broker's own state",
        "GET /actuator/partitions of every broker: exported positions move",
    )


def _add(names: _Names, _: RegionStep) -> tuple[str, ...]:
    factor = names.settings.replication_factor
    if names.settings.version.removal is RemovalForm.KEEP_LIST:
        call = f"POST /actuator/cluster/brokers?replicationFactor={factor} to {names.gateway}: every broker"
    else:
        call = f"PATCH /actuator/cluster to {names.gateway}: add {names.lost_ids}, replicationFactor {factor}"
    return (f"{call}; then its change is COMPLETED. CANNOT BE UNDONE",)


def _open(names: _Names, step: RegionStep) -> tuple[str, ...]:
    place = names.lost_namespace if step.region == names.lost else names.survivor
    return (
        f"helm upgrade {names.release} -n {place}: Operate and Tasklist on",
        f"delete pod, of each broker in {place} that the update concerns, one after the other",
    )


_BY_CLUSTER_API: Mapping[str, Callable[[_Names, RegionStep], tuple[str, ...]]] = {
    "F2": _remove,
    "F3": _disable,
    "B1": _come_back,
    "B2": _freeze,
    "B4": _enable,
    "B5": _resume,
    "B6": _add,
    "B7": _open,
}
"""What the same steps do by the cluster management API, where it is something else."""


def _ids(found: tuple[int, ...]) -> str:
    return ", ".join(map(str, found))
