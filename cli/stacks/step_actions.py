"""What each step does in the clusters, call by call, for a plan. Pure.

These are the calls of hooks and components; what Pulumi will change is in its own preview.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.stacks.region_steps import RegionStep
from dualregion import brokers
from dualregion.chart import values
from dualregion.config.network_acls import rules_in_words
from dualregion.config.settings import Settings
from dualregion.names import ReleaseNames
from dualregion.procedure import R


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
        return values.exporter_variable(self.lost, "ARGS_URL")

    def url(self, *, replaced: bool) -> str:
        urls = values.exporter_urls(self.settings, replaced_region=self.lost if replaced else None)
        return urls[self.lost]


def calls(step: RegionStep, settings: Settings, lost: int | None) -> tuple[str, ...]:
    """Return what a step does, one line for each call.

    :param lost: the lost region; None in phase `normal`.
    """
    if lost is None:
        return (
            f"GET /v1/topology: brokers 0 to {settings.cluster_size - 1}, every partition with "
            f"{settings.replication_factor} healthy replicas",
        )
    return _CALLS[step.id](_Names(settings, lost), step)


def _f1(names: _Names, _: RegionStep) -> tuple[str, ...]:
    cut = ", ".join(names.settings.regions[names.lost].pod_cidrs) or "nothing: no podCidrs are set"
    return (
        f"NetworkPolicy isolate-lost-region in {names.survivor} and {names.failover}, cutting {cut}",
        *(f"deny {cut}, both ways, by {each}" for each in names.acl_rules),
        f"GET /v1/topology of {names.gateway}: until broker {names.lost_ids} of {names.lost_namespace} is gone",
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
    return (
        f"if the cluster answers: helm uninstall {names.release} -n {names.lost_namespace}, delete namespace "
        f"{names.lost_namespace} with its claims. CANNOT BE UNDONE",
        "if it does not answer: nothing; it is left as it is",
    )


def _b0(names: _Names, _: RegionStep) -> tuple[str, ...]:
    return (
        f"look into {names.lost_namespace}: no release, workload, claim, volume or index",
        f"delete NetworkPolicy isolate-lost-region in {names.survivor} and {names.failover}",
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


def _ids(found: tuple[int, ...]) -> str:
    return ", ".join(map(str, found))
