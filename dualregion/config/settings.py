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

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
)

from dualregion import brokers
from dualregion.config.chart_findings import Code
from dualregion.config.forms import (
    DAY_SECONDS,
    EMPTY,
    MOST_BROKERS,
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
    Minor,
    Namespace,
    ReleaseName,
    StackName,
    Whole,
    dns_server,
    secret_of,
    whole,
    whole_number,
)
from dualregion.config.refusals import (
    PLACEHOLDER,
    placeholders,
    problems_of,
    shown,
    without_values,
)
from dualregion.config.sections.backup import (
    KEY_NAMES,
    Access,
    BackupSettings,
    RepositorySettings,
    readonly_problem,
    storage_problem,
)
from dualregion.config.sections.dns import MOST_FORWARDERS, DnsSettings
from dualregion.config.sections.gateway_login import GatewayLoginSettings
from dualregion.config.sections.network_acls import NetworkAclSettings, acls_problem
from dualregion.config.sections.notifications import AnnouncementSettings, announcement_problem
from dualregion.config.sections.rbac_subjects import RightsSettings, rbac_subject, rights_problem
from dualregion.config.sections.search_engine import SearchEngineSettings
from dualregion.config.sections.section import Model
from dualregion.errors import ConfigError
from dualregion.names import EngineAddress, GatewayLogin, engine_of_chart
from dualregion.procedure import Phase, Procedure, Role, role_of
from dualregion.procedure.topology import Kind
from dualregion.procedure.versions import DEFAULT, VERSIONS, CamundaVersion, Engine
from messages import Message
from messages.config import forms
from messages.config import settings as messages

MOST_PARTITIONS = 8192
"""Zeebe's own bound. Source: Zeebe, `Protocol.MAXIMUM_PARTITIONS`."""
MOST_REPLICAS = 64


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
    data: dict[DataKey, Annotated[SecretStr, BeforeValidator(secret_of)]]

    def plain(self) -> dict[str, str]:
        """Return the data in plain text, for the Secret itself."""
        return {key: value.get_secret_value() for key, value in self.data.items()}


def _known_version(minor: str) -> str:
    """Refuse a version whose procedure this program does not know."""
    if minor not in VERSIONS:
        raise ValueError(forms.camunda_version_needed(tuple(VERSIONS)))
    return minor


def _cluster_size(value: object, given: ValidationInfo) -> int:
    """Refuse a size with which a broker would run nowhere while regions are lost, or regions had unequal numbers."""
    version = VERSIONS[given.data.get("camunda_version", DEFAULT)]
    if version.procedure.has_failover_installation:
        divisor, rule = 2 * brokers.REGIONS, forms.cluster_size_needed
    else:
        divisor, rule = brokers.REGIONS, forms.even_cluster_size_needed
    try:
        size = whole_number(value, 4, MOST_BROKERS)
    except ValueError:
        raise ValueError(rule(MOST_BROKERS)) from None
    if size % divisor:
        raise ValueError(rule(MOST_BROKERS))
    return size


class Settings(Model):
    """Everything the user configured, checked as a whole."""

    phase: Phase = Phase.NORMAL
    """The phase wanted: `pulumi config set phase failover`."""
    lost_region: Annotated[int, whole(0, 1)] | None = None
    """The region that is lost, 0 or 1; required in every phase but `normal`."""
    region: Annotated[int, whole(0, 1)]
    """Which region this stack is, 0 or 1."""
    regions: tuple[RegionSettings, RegionSettings]
    """The two regions; the place in the list is the region's id."""
    kubeconfig: Annotated[FilePath | None, EMPTY] = None
    """Path of the kubeconfig file. Default: `$KUBECONFIG`, else the usual one."""
    release: ReleaseName = "camunda"
    """The Helm release's name in every namespace."""
    chart: ChartSettings = ChartSettings()
    """Where the chart comes from."""
    values: tuple[FilePath, ...] = ()
    """Helm values files, the later ones over the earlier; relative to the project. Default: the reference values."""
    failover_values: tuple[FilePath, ...] = ()
    """Helm values files of the failover installation, over `values`; Connectors, ingresses and addresses are off in it."""
    isolation: Isolation = Isolation.POLICIES
    """Network policies made by the program, for which it needs the `pod_cidrs` of both regions, or the operator's own."""
    camunda_version: Annotated[Minor, AfterValidator(_known_version)] = DEFAULT
    """The minor version of Camunda 8 that the chart installs; in quotes, as YAML takes 8.10 for 8.1."""
    cluster_size: Annotated[int, Whole(_cluster_size, low=4, high=MOST_BROKERS, step=2)] = 8
    """Brokers of both regions together (Zeebe's clusterSize)."""
    partition_count: Annotated[int, whole(1, MOST_PARTITIONS)] = 8
    """Partitions; cannot be changed once the regions work together."""
    replication_factor: Annotated[int, whole(1, MOST_REPLICAS)] = 4
    """Copies of each partition; 4 is what works."""
    peer_stack: Annotated[StackName | None, EMPTY] = None
    """The stack of the other region. Default: `region0` or `region1`."""
    deadline_seconds: Annotated[int, whole(1, 7 * DAY_SECONDS)] = 900
    """How long each wait of a gate may take before the gate fails; the same `pulumi up` waits again."""
    search_seconds: Annotated[int, whole(1, 3600)] = 120
    """How long one answer of a search engine may take that is more work the more it holds: searches, deletions, restores."""
    search_engine: SearchEngineSettings | None = None
    """The Elasticsearch that is installed beside the chart: 8.9 and later. Default: as ECK and Camunda's guide name it."""
    gateway_login: GatewayLoginSettings | None = None
    """Who the program logs in as at the gateway's REST API: 8.8 and later, with basic authentication. Default: no login."""
    elasticsearch_secret: SecretSettings | None = None
    """A Secret that is made in every namespace of the program, such as that with the bucket's keys."""
    backup: BackupSettings = BackupSettings()
    """Where the failback's snapshot lies."""
    dns: DnsSettings = DnsSettings()
    """How the clusters resolve each other's names."""
    hooks: AnnouncementSettings = AnnouncementSettings()
    """Your own commands or URLs that the command `dualregion` calls on its way."""
    accept_loss: IncidentName | None = None
    """The incident that is given up, e.g. `1-region0-lost`: what its survivor alone holds is accepted as lost."""
    allow_changes: tuple[Change, ...] = ()
    """What may change although an incident does not need it, or although it is fixed once the regions work together."""
    accept_cluster: str | None = None
    """The UID of namespace kube-system of the cluster that may take the place of the region's, which it is with all its data."""
    adopt: bool = False
    """Whether the region's release runs already, installed by other means, and is taken over as it runs."""
    rights: RightsSettings = RightsSettings()
    """Who runs the program, unless it may do everything in the clusters."""
    retire: str | None = None
    """The namespace of the region whose installation may be deleted for good, by `pulumi destroy --run-program`."""

    @property
    def version(self) -> CamundaVersion:
        """What is so in this version of Camunda."""
        return VERSIONS[self.camunda_version]

    @property
    def procedure(self) -> Procedure:
        """The procedure by which this version fails over and back."""
        return self.version.procedure

    @property
    def engine_address(self) -> EngineAddress:
        """Where each region's search engine is."""
        if self.version.engine is Engine.SUBCHART:
            return engine_of_chart(self.release)
        return (self.search_engine or SearchEngineSettings()).address

    @property
    def login(self) -> GatewayLogin | None:
        """What the gateway's REST API is logged in to with; None without a login."""
        return None if self.gateway_login is None else self.gateway_login.login

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

    def namespaces_of(self, region: int) -> dict[Kind, str]:
        """Return the namespaces in which a region has an installation at some time, by its kind."""
        named = self.regions[region]
        own = {Kind.NORMAL: named.namespace}
        if not self.procedure.has_failover_installation:
            return own
        return own | {Kind.FAILOVER: named.failover}

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
            left = [messages.placeholder_left(key, PLACEHOLDER) for key in placeholders(raw)]
            # By the keys that the documents name, which are those of which some are never shown.
            settings = cls.model_validate(dict(raw), by_alias=True, by_name=False)
        except ValidationError as error:
            keys = [each.facts["key"] for each in left]
            refused = problems_of(error, unseen, cls)
            others = [each for each in refused if each.facts.get("key") not in keys]
            raise ConfigError([*left, *others]) from None
        except RecursionError:
            raise ConfigError([messages.nested_too_deep()]) from None
        # What follows from several settings is no news as long as one of them is a placeholder.
        problems = left or [problem for check in _CHECKS if (problem := check(settings))]
        if problems:
            hidden = [raw[key] for key in secret if key in raw]
            raise ConfigError([without_values(problem, hidden) for problem in problems])
        return settings


_TEXTS = ("phase", "kubeconfig", "release", "peerStack", "camundaVersion")
"""The settings that are texts, whatever they look like: a stack may be called 2024."""
_NEVER_SHOWN = ("elasticsearchSecret", "hooks", "kubeconfig")


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _check_lost_region(settings: Settings) -> Message | None:
    if settings.lost_region is not None or settings.phase is Phase.NORMAL:
        return None
    return messages.lost_region_missing(settings.phase.value)


def _check_namespaces(settings: Settings) -> Message | None:
    """Refuse two equal ones: brokers find each other by namespace."""
    named: dict[str, str] = {}
    for index, region in enumerate(settings.regions):
        pairs = ((region.namespace, "namespace"), (region.failover, "failoverNamespace"))
        for namespace, key in pairs:
            place = f"regions[{index}].{key}"
            if namespace in named:
                return messages.value_twice(place, namespace, named[namespace])
            named[namespace] = place
    return None


def _check_derived_namespaces(settings: Settings) -> Message | None:
    """Refuse a namespace whose failover namespace would have a longer name than Kubernetes takes."""
    for index, region in enumerate(settings.regions):
        if len(region.failover) > MOST_CHARACTERS:
            return messages.failover_namespace_too_long(index, region.failover, MOST_CHARACTERS)
    return None


def _check_foreign_namespaces(settings: Settings) -> Message | None:
    """Refuse to keep in a namespace that is deleted (steps R and B6) what has to outlive it."""
    ours = {name for region in settings.regions for name in (region.namespace, region.failover)}
    kept = {"dns.configMap": settings.dns.namespace if settings.dns.chain else ""}
    for key, subject in (
        ("rights.subject", settings.rights.subject),
        ("rights.peerSubject", settings.rights.peer_subject),
    ):
        kept[key] = rbac_subject(subject).get("namespace", "") if subject else ""
    found = (each for each in kept.items() if each[1] in ours)
    return next((messages.namespace_is_deleted(*each) for each in found), None)


def _check_names(settings: Settings) -> Message | None:
    """Refuse regions that messages could not tell apart."""
    first, second = (region.name for region in settings.regions)
    if first != second:
        return None
    return messages.value_twice("regions[1].name", second, "regions[0].name")


def _check_contexts(settings: Settings) -> Message | None:
    """Refuse two regions in one cluster."""
    first, second = (region.kube_context for region in settings.regions)
    if first != second:
        return None
    return messages.value_twice("regions[1].kubeContext", second, "regions[0].kubeContext")


def _check_pod_ranges(settings: Settings) -> Message | None:
    """Refuse ranges that overlap: the survivor's network policies would cut it off from itself."""
    first, second = (region.pod_cidrs for region in settings.regions)
    for one, two in product(first, second):
        own, other = ip_network(one), ip_network(two)
        if own.version == other.version and own.overlaps(other):
            return messages.pod_ranges_overlap(one, two)
    return None


def _check_chart(settings: Settings) -> Message | None:
    """Refuse a version that may be another one in each run."""
    chart, key, rule = settings.chart, "chart.version", forms.chart_version_needed()
    if chart.is_path:
        return None
    if chart.version is None:
        return messages.setting_missing(key, rule)
    if re.fullmatch(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", chart.version):
        return None
    return messages.setting_refused(key, shown(chart.version), rule)


def _check_isolation(settings: Settings) -> Message | None:
    """Refuse an isolation that nothing makes: F1 would prove it all the same."""
    missing = [index for index, region in enumerate(settings.regions) if not region.pod_cidrs]
    if not missing or settings.isolation is Isolation.OWN:
        return None
    return messages.isolation_missing(missing[0])


def _check_network_acls(settings: Settings) -> Message | None:
    first, second = settings.regions
    return acls_problem(
        (first.network_acls, second.network_acls), (first.pod_cidrs, second.pod_cidrs)
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


def _check_sizes(settings: Settings) -> Message | None:
    """Refuse a replication factor with which a failover could not restore quorum, or forget acknowledged commands."""
    size, factor = settings.cluster_size, settings.replication_factor
    if factor > size:
        return messages.more_replicas_than_brokers(factor, size)
    if settings.procedure.has_failover_installation:
        return _quorum_problem(settings) or _loss_problem(settings)
    return _removal_problem(settings)


def _quorum_problem(settings: Settings) -> Message | None:
    """Return that a partition would have no quorum after a failover, e.g. with 8 brokers and 2 replicas."""
    for lost in (0, 1):
        alive = brokers.alive_after_failover(settings.cluster_size, lost)
        stuck = brokers.partitions_without_quorum(alive, **_sizes(settings))
        if stuck:
            return messages.quorum_not_restored(
                settings.cluster_size,
                settings.replication_factor,
                region=lost,
                brokers=alive,
                partitions=stuck,
            )
    return None


def _loss_problem(settings: Settings) -> Message | None:
    """Return that a failover could forget acknowledged commands.

    What was acknowledged lies on a quorum of the replicas, of which the lost region may have held its
    share. The empty failover brokers must not be able to elect a leader together with outdated
    survivors, so every majority after the failover has to meet an up-to-date survivor.
    """
    for lost in (0, 1):
        risky = brokers.partitions_at_risk(lost, **_sizes(settings))
        if risky:
            return messages.commands_could_be_lost(settings.replication_factor, lost, risky)
    return None


def _removal_problem(settings: Settings) -> Message | None:
    """Return that the brokers that remain after a forced removal might not know all that was acknowledged."""
    for lost in range(brokers.REGIONS):
        risky = brokers.partitions_at_risk_of_removal(
            lost, settings.cluster_size, brokers.computed_holders(**_sizes(settings))
        )
        if risky:
            return messages.removal_could_lose_commands(settings.replication_factor, lost, risky)
    return None


def _check_failover_installation(settings: Settings) -> Message | None:
    """Refuse settings of a failover installation where there is none."""
    if settings.procedure.has_failover_installation:
        return None
    named = {
        "failoverValues": settings.failover_values,
        **{
            f"regions[{index}].failoverNamespace": region.failover_namespace
            for index, region in enumerate(settings.regions)
        },
    }
    given = next((key for key, value in named.items() if value), None)
    if given is None:
        return None
    return messages.no_failover_installation(given, settings.camunda_version)


def _check_search_engine(settings: Settings) -> Message | None:
    """Refuse settings of an engine beside the chart where the chart brings one, and of the chart's where it does not."""
    storage, version = settings.backup.storage, settings.camunda_version
    if settings.version.engine is Engine.SUBCHART:
        return messages.engine_of_chart(version) if settings.search_engine else None
    if storage is None or storage.access is Access.OWN:
        return None
    return messages.engine_access_not_given(storage.access.value, version)


def _check_gateway_login(settings: Settings) -> Message | None:
    """Refuse a login that nothing asks for."""
    if settings.gateway_login is None or settings.version.api_login:
        return None
    return messages.no_gateway_login(settings.camunda_version)


def _check_backup(settings: Settings) -> Message | None:
    """Refuse a failback that could not copy the search engine, before anything of it begins."""
    missing = settings.backup.missing
    if not settings.phase.is_failback or missing is None:
        return None
    return messages.backup_setting_missing(missing, settings.phase.value, settings.backup.type)


def _check_keys(settings: Settings) -> Message | None:
    """Refuse two sources of one key."""
    storage, secret = settings.backup.storage, settings.elasticsearch_secret
    if storage is None or storage.access is not Access.KEYS or secret is None:
        return None
    twice = sorted(set(KEY_NAMES) & secret.data.keys())
    return messages.key_from_two_places(twice[0]) if twice else None


def _check_dns(settings: Settings) -> Message | None:
    """Refuse a chain without an end, or one that leads back to where it begins."""
    for one, two in product(*(region.dns_addresses for region in settings.regions)):
        if dns_server(one) == dns_server(two):
            return messages.dns_address_twice(one, two)
    for index, region in enumerate(settings.regions):
        if settings.dns.chain and not region.dns_addresses:
            return messages.dns_addresses_missing(index, region.name)
    return None


def _check_retire(settings: Settings) -> Message | None:
    """Refuse a name that retires nothing: mistyped, it would seem to allow a deletion."""
    named = [region.namespace for region in settings.regions]
    if settings.retire is None or settings.retire in named:
        return None
    return messages.setting_refused(
        "retire", shown(settings.retire), forms.installation_needed(named)
    )


_CHECKS: tuple[Callable[[Settings], Message | None], ...] = (
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
    _check_sizes,
    _check_failover_installation,
    _check_search_engine,
    _check_gateway_login,
    _check_backup,
    lambda settings: readonly_problem(settings.backup),
    lambda settings: storage_problem(settings.backup),
    _check_keys,
    _check_dns,
    lambda settings: announcement_problem(settings.hooks),
    lambda settings: rights_problem(settings.rights),
    _check_retire,
)
