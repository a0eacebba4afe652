"""The configuration, typed and validated in one place.

`Settings.parse` takes the plain values of the stack's configuration and either returns settings
that are usable as a whole or raises one `ConfigError` that names every problem: the key, the value
and what is allowed.
"""

import json
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from itertools import product
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from dualregion import brokers
from dualregion.announcements import AnnouncementSettings, announcement_problem
from dualregion.backup import KEY_NAMES, Access, BackupSettings, RepositorySettings, storage_problem
from dualregion.chart_findings import Code
from dualregion.dns import MOST_FORWARDERS, DnsAddress, DnsSettings
from dualregion.errors import ConfigError
from dualregion.model import Model
from dualregion.network_acls import NetworkAclSettings, acls_problem
from dualregion.procedure import Phase, Role, role_of
from dualregion.subjects import RightsSettings, rights_problem

DnsLabel = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
]


def _network(text: str) -> str:
    """Refuse what is no address range; `ip_network` says what is wrong with it."""
    if "/" not in text:
        raise ValueError("an address range with its mask is needed, e.g. 10.180.0.0/16")
    ip_network(text)
    return text


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a whole number is needed")
    return value


Cidr = Annotated[str, AfterValidator(_network)]
Number = Annotated[int, BeforeValidator(_no_boolean)]
"""A whole number, also as the text that Pulumi stores; `true` is none."""


class RegionSettings(Model):
    """One of the two regions; its place in the list `regions` is its id, 0 or 1."""

    name: str
    """What the operator calls it, e.g. `london`; used in messages only."""
    kube_context: str
    """The context of its cluster in the kubeconfig."""
    namespace: DnsLabel
    """The namespace of its normal installation."""
    failover_namespace: DnsLabel | None = None
    """Where this region, as the survivor, puts the failover installation. Default: `<namespace>-failover`."""
    pod_cidrs: tuple[Cidr, ...] = ()
    """The address ranges of its pods; the survivor's NetworkPolicies cut the other region's.
    Without them the isolation (step F1) is the operator's own, and F1 only proves it."""
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

    name: str = "camunda-platform"
    """A chart name in `repository`, an `oci://` address, or a folder or archive (absolute, or relative to the project)."""
    version: str | None = "10.11.3"
    """The chart version; not used for a folder or archive."""
    repository: str | None = "https://helm.camunda.io"
    """The address of the chart repository; not used for `oci://` or a folder."""
    digest: Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")] | None = None
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
    data: dict[str, SecretStr]

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
    kubeconfig: str | None = None
    """Path of the kubeconfig file. Default: `$KUBECONFIG`, else the usual one."""
    release: DnsLabel = "camunda"
    """The Helm release's name in every namespace."""
    chart: ChartSettings = ChartSettings()
    values: tuple[str, ...] = ()
    """Helm values files, the later ones over the earlier; relative to the project. Default: the reference values."""
    cluster_size: Number = 8
    """Brokers of both regions together (Zeebe's clusterSize)."""
    partition_count: Number = 8
    replication_factor: Number = 4
    peer_stack: str | None = None
    """The stack of the other region. Default: `region0` or `region1`."""
    deadline_seconds: Annotated[Number, Field(gt=0)] = 900
    """How long each wait of a gate may take before the gate fails; the same `pulumi up` waits again."""
    elasticsearch_secret: SecretSettings | None = None
    backup: BackupSettings = BackupSettings()
    dns: DnsSettings = DnsSettings()
    hooks: AnnouncementSettings = AnnouncementSettings()
    adopt: bool = False
    """Whether the region's release runs already, installed by somebody else, and is taken over as it runs."""
    rights: RightsSettings = RightsSettings()

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
    def of_configuration(cls, texts: Mapping[str, str]) -> "Settings":
        """Build settings from a stack's configuration; raises as `parse`.

        :param texts: each value as Pulumi keeps it: a text, or, of anything else, its JSON.
        """
        return cls.parse({key: _decoded(text) for key, text in texts.items()})

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Settings":
        """Build settings from plain values.

        :param raw: the stack's configuration, keys in camelCase as the user types them.
        :raises ConfigError: naming every problem found.
        """
        try:
            settings = cls.model_validate(dict(raw))
        except ValidationError as error:
            raise ConfigError([_sentence(item) for item in error.errors()]) from None
        problems = [problem for check in _CHECKS if (problem := check(settings))]
        if problems:
            raise ConfigError(problems)
        return settings


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _sentence(item: Any) -> str:
    """Turn one of pydantic's findings into a sentence with the key, the value and the rule."""
    key = re.sub(r"\.(\d+)", r"[\1]", ".".join(str(part) for part in item["loc"]))
    if item["type"] == "missing":
        return f"{key} is not set: {_HINTS.get(key, 'it is required')}"
    if item["type"] == "extra_forbidden":
        return f"{key} is not a setting of this program: check its spelling (docs/configuration.md)"
    rule = _HINTS.get(key) or item["msg"]
    value = "set" if key.startswith(("elasticsearchSecret", "hooks")) else repr(item["input"])
    return f"{key} is {value}: {rule}"


_HINTS = {
    "phase": "allowed are " + ", ".join(Phase),
    "region": "set it to 0 or 1 in Pulumi.<stack>.yaml",
    "regions": "two entries are needed, each with name, kubeContext and namespace",
    "lostRegion": "allowed are 0 and 1, the id of the region that is gone",
    "clusterSize": "an even number of brokers, 4 or more",
}


def _check_region(settings: Settings) -> str | None:
    if settings.region in (0, 1):
        return None
    return f"region is {settings.region}: {_HINTS['region']}"


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
    return f"lostRegion is {settings.lost_region}: {_HINTS['lostRegion']}"


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


def _check_network_acls(settings: Settings) -> str | None:
    first, second = settings.regions
    return acls_problem(
        (first.network_acls, second.network_acls), (first.pod_cidrs, second.pod_cidrs)
    )


def _check_cluster_size(settings: Settings) -> str | None:
    size = settings.cluster_size
    if size >= 4 and size % 2 == 0:
        return None
    return f"clusterSize is {size}: {_HINTS['clusterSize']}"


def _check_replication(settings: Settings) -> str | None:
    factor, size = settings.replication_factor, settings.cluster_size
    if 1 <= factor <= size:
        return None
    return f"replicationFactor is {factor}: allowed is 1 to clusterSize ({size})"


def _check_partitions(settings: Settings) -> str | None:
    if settings.partition_count >= 1:
        return None
    return f"partitionCount is {settings.partition_count}: at least 1 is needed"


def _sizes(settings: Settings) -> dict[str, int]:
    """Return what decides which broker holds which partition."""
    return {
        "cluster_size": settings.cluster_size,
        "partition_count": settings.partition_count,
        "replication_factor": settings.replication_factor,
    }


def _check_quorum(settings: Settings) -> str | None:
    """Refuse a size whose failover could not restore quorum, e.g. 6 brokers with 4 replicas."""
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
                f"and partition {names} would have no quorum; choose a cluster size divisible by 4, "
                "with replicationFactor 4"
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
    first, second = (set(region.dns_addresses) for region in settings.regions)
    if twice := sorted(first & second):
        return (
            f"regions[0].dnsAddresses and regions[1].dnsAddresses both hold {twice[0]}: each region's DNS is "
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


_CHECKS: tuple[Callable[[Settings], str | None], ...] = (
    _check_region,
    _check_lost_region,
    _check_namespaces,
    _check_contexts,
    _check_pod_ranges,
    _check_network_acls,
    _check_cluster_size,
    _check_replication,
    _check_partitions,
    _check_quorum,
    _check_no_loss,
    _check_backup,
    _check_storage,
    _check_keys,
    _check_dns,
    _check_hooks,
    _check_rights,
)
