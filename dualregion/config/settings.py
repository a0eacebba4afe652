"""The configuration, typed and validated in one place.

`Settings.parse` takes the plain values of the stack's configuration and either returns settings
that are usable as a whole or raises one `ConfigError` that names every problem: the key, the value
and what is allowed.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from ipaddress import ip_network
from itertools import product
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationError

from dualregion import brokers
from dualregion.config.backup import (
    KEY_NAMES,
    Access,
    BackupSettings,
    RepositorySettings,
    readonly_problem,
    storage_problem,
)
from dualregion.config.chart_findings import Code
from dualregion.config.dns import MOST_FORWARDERS, DnsSettings
from dualregion.config.forms import (
    DAY_SECONDS,
    EMPTY,
    MOST_CHARACTERS,
    ChartName,
    Cidr,
    DataKey,
    Digest,
    DnsAddress,
    DnsLabel,
    FilePath,
    IncidentName,
    Line,
    Namespace,
    Number,
    ReleaseName,
    StackName,
    dns_server,
    text_of,
    whole,
)
from dualregion.config.network_acls import NetworkAclSettings, acls_problem
from dualregion.config.notifications import AnnouncementSettings, announcement_problem
from dualregion.config.rbac_subjects import RightsSettings, rbac_subject, rights_problem
from dualregion.config.refusals import HINTS, sentences, without_values
from dualregion.config.section import Model
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role, role_of

MOST_PARTITIONS = 8192
"""Zeebe's own bound. Source: Zeebe, `Protocol.MAXIMUM_PARTITIONS`."""
MOST_REPLICAS = 64
MOST_BROKERS = 512
"""More than any cluster has; a slip in a number is told at once."""


class Change(StrEnum):
    """A kind of change that is refused in an incident, or for good, unless `allowChanges` names it."""

    VALUES = "values"
    CHART = "chart"
    SIZES = "sizes"
    PROGRAM = "program"


class Isolation(StrEnum):
    """Who keeps a lost region away from the survivor."""

    POLICIES = "policies"
    OWN = "own"


class RegionSettings(Model):
    """One of the two regions; its place in the list `regions` is its id, 0 or 1."""

    name: Line
    """What the operator calls it, e.g. `london`; used in messages only."""
    kube_context: Line
    """The context of its cluster in the kubeconfig."""
    namespace: Namespace
    """The namespace of its normal installation."""
    failover_namespace: Annotated[Namespace | None, EMPTY] = None
    """Where this region, as the survivor, puts the failover installation. Default: `<namespace>-failover`."""
    pod_cidrs: tuple[Cidr, ...] = ()
    """The address ranges of its pods; the survivor's NetworkPolicies cut the other region's.
    Without them the setting `isolation` must say that the isolation (step F1) is the operator's own."""
    network_acls: NetworkAclSettings | None = None
    """The AWS network ACLs of its nodes' subnets, in which the isolation cuts the other region's `pod_cidrs` as well."""
    dns_addresses: Annotated[tuple[DnsAddress, ...], Field(max_length=MOST_FORWARDERS)] = ()
    """Where the other region's cluster reaches this one's DNS; required with `dns.chain`."""

    @property
    def failover(self) -> str:
        """The namespace of the failover installation."""
        return self.failover_namespace or f"{self.namespace}-failover"


class ChartSettings(Model):
    """Where the chart camunda-platform comes from."""

    name: ChartName = "camunda-platform"
    """A chart name in `repository`, an `oci://` address, or a folder or archive (absolute, or relative to the project)."""
    version: Annotated[Line | None, EMPTY] = "10.11.3"
    """The chart version; not used for a folder or archive."""
    repository: Annotated[Line | None, EMPTY] = "https://helm.camunda.io"
    """The address of the chart repository; not used for `oci://` or a folder."""
    digest: Digest | None = None
    """The SHA-256 of the archive that `name` is the path of; another archive is refused."""
    accept: tuple[Code, ...] = ()
    """What of the findings in what the chart renders is accepted, by their codes."""

    @property
    def is_path(self) -> bool:
        """Whether the chart is a folder or archive on this machine."""
        return self.name.startswith((".", "/"))

    @property
    def is_oci(self) -> bool:
        """Whether the chart is an OCI artefact."""
        return self.name.startswith("oci://")


class SecretSettings(Model):
    """A Secret that the search engine's pods read, made in every namespace of the program.

    In the reference set-up: `elasticsearch-env-secret` with `S3_ACCESS_KEY` and `S3_SECRET_KEY`.
    """

    name: DnsLabel
    data: dict[DataKey, Annotated[SecretStr, BeforeValidator(text_of)]]

    def plain(self) -> dict[str, str]:
        """Return the data in plain text, for the Secret itself."""
        return {key: value.get_secret_value() for key, value in self.data.items()}


class Settings(Model):
    """Everything the user configured, checked as a whole."""

    phase: Phase = Phase.NORMAL
    """The phase wanted: `pulumi config set phase failover`."""
    lost_region: Number | None = None
    """The region that is lost, 0 or 1; required in every phase but `normal`."""
    region: Number
    """Which region this stack is, 0 or 1."""
    regions: tuple[RegionSettings, RegionSettings]
    kubeconfig: Annotated[FilePath | None, EMPTY] = None
    """Path of the kubeconfig file. Default: `$KUBECONFIG`, else the usual one."""
    release: ReleaseName = "camunda"
    """The Helm release's name in every namespace."""
    chart: ChartSettings = ChartSettings()
    values: tuple[FilePath, ...] = ()
    """Helm values files, the later ones over the earlier; relative to the project. Default: the reference values."""
    failover_values: tuple[FilePath, ...] = ()
    """Helm values files of the failover installation, over `values`; Connectors, ingresses and addresses are off in it."""
    isolation: Isolation = Isolation.POLICIES
    """Network policies made by the program, for which it needs the `pod_cidrs` of both regions, or the operator's own."""
    cluster_size: Number = 8
    """Brokers of both regions together (Zeebe's clusterSize)."""
    partition_count: Number = 8
    replication_factor: Number = 4
    peer_stack: Annotated[StackName | None, EMPTY] = None
    """The stack of the other region. Default: `region0` or `region1`."""
    deadline_seconds: Annotated[int, whole(1, 7 * DAY_SECONDS)] = 900
    """How long each wait of a gate may take before the gate fails; the same `pulumi up` waits again."""
    search_seconds: Annotated[int, whole(1, 3600)] = 120
    """How long one answer of a search engine may take that is more work the more it holds: searches, deletions, restores."""
    elasticsearch_secret: SecretSettings | None = None
    backup: BackupSettings = BackupSettings()
    dns: DnsSettings = DnsSettings()
    hooks: AnnouncementSettings = AnnouncementSettings()
    accept_loss: IncidentName | None = None
    """The incident that is given up, e.g. `1-region0-lost`: what its survivor alone holds is accepted as lost."""
    allow_changes: tuple[Change, ...] = ()
    """What may change although an incident does not need it, or although it is fixed once the regions work together."""
    accept_cluster: str | None = None
    """The UID of namespace kube-system of the cluster that may take the place of the region's, which it is with all its data."""
    adopt: bool = False
    """Whether the region's release runs already, installed by other means, and is taken over as it runs."""
    rights: RightsSettings = RightsSettings()
    retire: str | None = None
    """The namespace of the region whose installation may be deleted for good, by `pulumi destroy --run-program`."""

    @property
    def is_retired(self) -> bool:
        """Whether the installation of this stack may be deleted, whatever it is needed for."""
        return self.retire == self.own.namespace

    @property
    def cuts_by_policies(self) -> bool:
        """Whether the program makes network policies that cut the pods of the other region."""
        return any(region.pod_cidrs for region in self.regions)

    @property
    def own(self) -> RegionSettings:
        """The region of this stack."""
        return self.regions[self.region]

    @property
    def peer(self) -> RegionSettings:
        """The other region."""
        return self.regions[brokers.other(self.region)]

    @property
    def role(self) -> Role:
        """What this region is in the current incident."""
        return role_of(self.phase, self.region, self.lost_region)

    @property
    def without_accepted_loss(self) -> "Settings":
        """The same settings, with no loss accepted."""
        return self.model_copy(update={"accept_loss": None})

    @property
    def peer_stack_name(self) -> str:
        """The name of the other region's stack."""
        return self.peer_stack or f"region{brokers.other(self.region)}"

    @property
    def repository_settings(self) -> RepositorySettings:
        """The snapshot repository's settings; of the buckets of `backup.storage` the survivor's counts."""
        storage = self.backup.storage
        if storage is None or self.lost_region is None:
            return self.backup.complete
        survivor = brokers.other(self.lost_region)
        return self.backup.complete | storage.buckets[survivor].repository

    @classmethod
    def of_configuration(
        cls,
        texts: Mapping[str, str],
        folder: str | None = None,
        secret: Collection[str] = (),
    ) -> "Settings":
        """Build settings from a stack's configuration; raises as `parse`.

        :param texts: each value as Pulumi keeps it: a text, or, of anything else, its JSON.
        :param folder: the project's, from which a relative `kubeconfig` starts.
        :param secret: the keys that Pulumi keeps as secrets; nothing of their values is shown.
        """
        raw = {key: text if key in _TEXTS else _decoded(text) for key, text in texts.items()}
        settings = cls.parse(raw, secret)
        if folder is None or settings.kubeconfig is None:
            return settings
        return settings.model_copy(update={"kubeconfig": os.path.join(folder, settings.kubeconfig)})

    @classmethod
    def parse(cls, raw: Mapping[str, Any], secret: Collection[str] = ()) -> "Settings":
        """Build settings from plain values.

        :param raw: the stack's configuration, keys in camelCase as the user types them.
        :param secret: keys of which nothing is shown.
        :raises ConfigError: naming every problem found.
        """
        unseen = {*secret, *_NEVER_SHOWN}
        try:
            settings = cls.model_validate(dict(raw))
        except ValidationError as error:
            raise ConfigError(sentences(error, unseen)) from None
        except RecursionError:
            raise ConfigError(["the configuration is nested too deep to be read"]) from None
        problems = [problem for check in _CHECKS if (problem := check(settings))]
        if problems:
            hidden = [raw[key] for key in secret if key in raw]
            raise ConfigError([without_values(problem, hidden) for problem in problems])
        return settings


_TEXTS = ("phase", "kubeconfig", "release", "peerStack")
"""The settings that are texts, whatever they look like: a stack may be called 2024."""
_NEVER_SHOWN = ("elasticsearchSecret", "hooks", "kubeconfig")


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _check_region(settings: Settings) -> str | None:
    if settings.region in (0, 1):
        return None
    return f"region is {settings.region}: {HINTS['region']}"


def _check_lost_region(settings: Settings) -> str | None:
    if settings.lost_region is None:
        if settings.phase is Phase.NORMAL:
            return None
        return (
            f"lostRegion is not set, but phase is {settings.phase.value!r}: say which region is gone, "
            "`pulumi config set lostRegion 0` or `1`, on both stacks"
        )
    if settings.lost_region in (0, 1):
        return None
    return f"lostRegion is {settings.lost_region}: {HINTS['lostRegion']}"


def _check_namespaces(settings: Settings) -> str | None:
    named: dict[str, str] = {}
    for index, region in enumerate(settings.regions):
        pairs = ((region.namespace, "namespace"), (region.failover, "failoverNamespace"))
        for namespace, key in pairs:
            place = f"regions[{index}].{key}"
            if namespace in named:
                return (
                    f"{place} is {namespace!r}, the same as {named[namespace]}: "
                    "brokers find each other by namespace, so all four must differ"
                )
            named[namespace] = place
    return None


def _check_derived_namespaces(settings: Settings) -> str | None:
    """Refuse a namespace whose failover namespace would have a longer name than Kubernetes takes."""
    for index, region in enumerate(settings.regions):
        if len(region.failover) > MOST_CHARACTERS:
            return (
                f"regions[{index}].failoverNamespace is not set, and {region.failover!r}, made of "
                f"regions[{index}].namespace, has {len(region.failover)} characters: at most {MOST_CHARACTERS} are allowed; "
                "set failoverNamespace to a shorter name"
            )
    return None


def _check_foreign_namespaces(settings: Settings) -> str | None:
    """Refuse to keep in a namespace that is deleted (steps R and B6) what has to outlive it."""
    ours = {name for region in settings.regions for name in (region.namespace, region.failover)}
    kept = {"dns.configMap": settings.dns.namespace if settings.dns.chain else ""}
    for key, subject in (
        ("rights.subject", settings.rights.subject),
        ("rights.peerSubject", settings.rights.peer_subject),
    ):
        kept[key] = rbac_subject(subject).get("namespace", "") if subject else ""
    found = next((key for key, namespace in kept.items() if namespace in ours), None)
    if found is None:
        return None
    return (
        f"{found} is in namespace {kept[found]!r}, which is one of the regions' own: it would go with that namespace "
        "when a lost region is cleaned (step R) or a failback ends (B6); put it into another namespace"
    )


def _check_names(settings: Settings) -> str | None:
    first, second = (region.name for region in settings.regions)
    if first != second:
        return None
    return f"regions[1].name is {second!r}, the same as regions[0].name: messages tell the regions apart by their names"


def _check_contexts(settings: Settings) -> str | None:
    first, second = (region.kube_context for region in settings.regions)
    if first != second:
        return None
    return (
        f"regions[1].kubeContext is {second!r}, the same as regions[0].kubeContext: "
        "each region is a cluster of its own"
    )


def _check_pod_ranges(settings: Settings) -> str | None:
    """Refuse ranges that overlap: the survivor's network policies would cut it off from itself."""
    first, second = (region.pod_cidrs for region in settings.regions)
    for one, two in product(first, second):
        own, other = ip_network(one), ip_network(two)
        if own.version == other.version and own.overlaps(other):
            return (
                f"regions[0].podCidrs holds {one} and regions[1].podCidrs {two}, which overlap: "
                "the isolation would cut a region off from its own pods"
            )
    return None


def _check_chart(settings: Settings) -> str | None:
    """Refuse a version that may be another one in each run."""
    chart = settings.chart
    if chart.is_path or re.fullmatch(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", chart.version or ""):
        return None
    return (
        f"chart.version is {'not set' if chart.version is None else repr(chart.version)}: a whole version such as 10.11.3 is needed, as an incident must not bring another "
        "chart than the one that is installed"
    )


def _check_isolation(settings: Settings) -> str | None:
    """Refuse an isolation that nothing makes: F1 would prove it all the same."""
    missing = [index for index, region in enumerate(settings.regions) if not region.pod_cidrs]
    if not missing or settings.isolation is Isolation.OWN:
        return None
    return (
        f"regions[{missing[0]}].podCidrs is not set, so nothing would keep that region's brokers away once it is lost: set the "
        "address ranges of the pods of both regions, in Pulumi.yaml; or, if you cut the network between the regions yourself "
        "in an incident (firewall, routes, peering), `pulumi config set isolation own` on both stacks"
    )


def _check_network_acls(settings: Settings) -> str | None:
    first, second = settings.regions
    return acls_problem(
        (first.network_acls, second.network_acls), (first.pod_cidrs, second.pod_cidrs)
    )


def _check_cluster_size(settings: Settings) -> str | None:
    size = settings.cluster_size
    if 4 <= size <= MOST_BROKERS and size % 4 == 0:
        return None
    return (
        f"clusterSize is {size}: {HINTS['clusterSize']}, and at most {MOST_BROKERS}. A failover runs a quarter of the brokers in the lost region's "
        "place, and a failback lets every second one of the recreated region sleep for them: of any other number a broker "
        "would run nowhere, and the failback never end"
    )


def _check_replication(settings: Settings) -> str | None:
    factor, size = settings.replication_factor, settings.cluster_size
    if 1 <= factor <= min(size, MOST_REPLICAS):
        return None
    if size > MOST_REPLICAS:
        return (
            f"replicationFactor is {factor}: allowed is 1 to {MOST_REPLICAS}, and 4 is what works"
        )
    return f"replicationFactor is {factor}: allowed is 1 to clusterSize ({size})"


def _check_partitions(settings: Settings) -> str | None:
    if 1 <= settings.partition_count <= MOST_PARTITIONS:
        return None
    return (
        f"partitionCount is {settings.partition_count}: at least 1 is needed, and at most {MOST_PARTITIONS}, which is "
        "Zeebe's own limit"
    )


def _sizes(settings: Settings) -> dict[str, int]:
    """Return what decides which broker holds which partition.

    Partitions that are a whole cluster size apart lie on the same brokers, so no more than one round is looked at.
    """
    return {
        "cluster_size": settings.cluster_size,
        "partition_count": min(settings.partition_count, settings.cluster_size),
        "replication_factor": settings.replication_factor,
    }


def _check_quorum(settings: Settings) -> str | None:
    """Refuse a replication factor with which a failover could not restore quorum, e.g. 8 brokers with 2 replicas."""
    if _check_cluster_size(settings) or _check_replication(settings):
        return None
    for lost in (0, 1):
        alive = brokers.alive_after_failover(settings.cluster_size, lost)
        stuck = brokers.partitions_without_quorum(alive, **_sizes(settings))
        if stuck:
            names = ", ".join(str(partition) for partition in stuck)
            running = ", ".join(str(broker) for broker in alive)
            return (
                f"clusterSize is {settings.cluster_size} with replicationFactor "
                f"{settings.replication_factor}: after a failover of region {lost} only brokers {running} run, "
                f"and partition {names} would have no quorum; use replicationFactor 4"
            )
    return None


def _check_no_loss(settings: Settings) -> str | None:
    """Refuse a replication factor with which a failover could forget acknowledged commands.

    What was acknowledged lies on a quorum of the replicas, of which the lost region may have held its
    share. The empty failover brokers must not be able to elect a leader together with outdated
    survivors, so every majority after the failover has to meet an up-to-date survivor.
    """
    if _check_cluster_size(settings) or _check_replication(settings) or _check_quorum(settings):
        return None
    for lost in (0, 1):
        risky = brokers.partitions_at_risk(lost, **_sizes(settings))
        if risky:
            names = ", ".join(str(partition) for partition in risky)
            return (
                f"replicationFactor is {settings.replication_factor}: a failover of region {lost} could forget "
                f"acknowledged commands of partition {names}, as the lost region may hold the only copies that "
                "count, or empty failover brokers outvote them; use replicationFactor 4"
            )
    return None


def _check_backup(settings: Settings) -> str | None:
    """Refuse a failback that could not copy the search engine, before anything of it begins."""
    missing = settings.backup.missing
    if not settings.phase.is_failback or missing is None:
        return None
    return (
        f"backup.settings.{missing} is not set, but phase is {settings.phase.value!r}: the failback copies the "
        f"survivor's search engine through a snapshot repository of type {settings.backup.type!r}; "
        f"`pulumi config set --path backup.settings.{missing} NAME`, or set another backup.type"
    )


def _check_readonly(settings: Settings) -> str | None:
    return readonly_problem(settings.backup)


def _check_storage(settings: Settings) -> str | None:
    return storage_problem(settings.backup)


def _check_keys(settings: Settings) -> str | None:
    """Refuse two sources of one key."""
    storage, secret = settings.backup.storage, settings.elasticsearch_secret
    if storage is None or storage.access is not Access.KEYS or secret is None:
        return None
    twice = sorted(set(KEY_NAMES) & secret.data.keys())
    if not twice:
        return None
    return (
        f"elasticsearchSecret.data.{twice[0]} is set, but backup.storage.access is 'keys', which makes it: "
        f"`pulumi config rm --path elasticsearchSecret.data.{twice[0]}`, or leave access out"
    )


def _check_dns(settings: Settings) -> str | None:
    """Refuse a chain without an end, or one that leads back to where it begins."""
    for one, two in product(*(region.dns_addresses for region in settings.regions)):
        if dns_server(one) == dns_server(two):
            both = one if one == two else f"{one} and {two}, which are the same,"
            return (
                f"regions[0].dnsAddresses and regions[1].dnsAddresses both hold {both}: each region's DNS is "
                "reached at addresses of its own, or it would ask itself"
            )
    for index, region in enumerate(settings.regions):
        if settings.dns.chain and not region.dns_addresses:
            return (
                f"regions[{index}].dnsAddresses is not set, but dns.chain is true: name the addresses at which region "
                f"{brokers.other(index)} reaches the DNS of {region.name}, such as those of a load balancer before its "
                "CoreDNS (dns.loadBalancer)"
            )
    return None


def _check_hooks(settings: Settings) -> str | None:
    return announcement_problem(settings.hooks)


def _check_rights(settings: Settings) -> str | None:
    return rights_problem(settings.rights)


def _check_retire(settings: Settings) -> str | None:
    """Refuse a name that retires nothing: mistyped, it would seem to allow a deletion."""
    named = [region.namespace for region in settings.regions]
    if settings.retire is None or settings.retire in named:
        return None
    return (
        f"retire is {settings.retire!r}: it names the installation that may be deleted for good by its namespace, "
        f"{' or '.join(named)}; `pulumi config rm retire` if none may"
    )


_CHECKS: tuple[Callable[[Settings], str | None], ...] = (
    _check_region,
    _check_lost_region,
    _check_names,
    _check_namespaces,
    _check_derived_namespaces,
    _check_foreign_namespaces,
    _check_contexts,
    _check_chart,
    _check_pod_ranges,
    _check_isolation,
    _check_network_acls,
    _check_cluster_size,
    _check_replication,
    _check_partitions,
    _check_quorum,
    _check_no_loss,
    _check_backup,
    _check_readonly,
    _check_storage,
    _check_keys,
    _check_dns,
    _check_hooks,
    _check_rights,
    _check_retire,
)
