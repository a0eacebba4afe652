"""The register of what is expected of a broker and gateway, each with the source of the expectation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.contract.target import Need, Target

Check = Callable[[Target], None]

_DOCS = "https://docs.camunda.io/docs/8.5/"
_SOURCE = "camunda/camunda: "

MANAGEMENT = f"{_DOCS}self-managed/zeebe-deployment/operations/management-api/"
MANAGEMENT_BODIES = "https://docs.camunda.io/docs/self-managed/components/orchestration-cluster/zeebe/operations/management-api/"
"""The page of 8.9: the first one that shows the bodies, which are those of 8.5."""
HEALTH = f"{_DOCS}self-managed/zeebe-deployment/operations/health/"
REST = f"{_DOCS}apis-tools/zeebe-api-rest/specifications/"
GRPC = f"{_DOCS}apis-tools/zeebe-api/gateway-service/"
EXPORTER = f"{_DOCS}self-managed/zeebe-deployment/exporters/elasticsearch-exporter/"
EXPORTERS = f"{_DOCS}self-managed/zeebe-deployment/exporters/"
GATEWAY_SETTINGS = f"{_DOCS}self-managed/zeebe-deployment/configuration/gateway/"
PROTOCOL = f"{_SOURCE}zeebe/protocol/.../protocol/Protocol.java"
ROUND_ROBIN = f"{_SOURCE}zeebe/broker-client/.../client/impl/RoundRobinDispatchStrategy.java"
PARTITIONS = f"{_SOURCE}zeebe/broker/.../broker/system/management/BrokerAdminService.java"
PHASES = f"{_SOURCE}zeebe/broker/.../broker/exporter/stream/ExporterPhase.java"
DIRECTOR = f"{_SOURCE}zeebe/broker/.../broker/exporter/stream/ExporterDirector.java"
DISTRIBUTION = (
    f"{_SOURCE}zeebe/broker/.../broker/exporter/stream/ExporterStateDistributionService.java"
)
PAUSE_FILE = f"{_SOURCE}zeebe/broker/.../system/partitions/impl/PartitionProcessingState.java"
PAUSING = f"{_SOURCE}zeebe/gateway/.../gateway/admin/exporting/ExportingControlService.java"
READINESS = f"{_SOURCE}zeebe/broker/.../broker/system/monitoring/BrokerHealthCheckService.java"
DISK_SPACE = f"{_SOURCE}zeebe/broker/.../system/partitions/ZeebePartitionHealth.java"
COMMAND_API = f"{_SOURCE}zeebe/broker/.../transport/commandapi/CommandApiRequestHandler.java"
MEMBERSHIP = f"{_SOURCE}zeebe/atomix/.../cluster/protocol/SwimMembershipProtocolConfig.java"
INDEX_ROUTER = f"{_SOURCE}zeebe/exporters/elasticsearch-exporter/.../RecordIndexRouter.java"
BULK = f"{_SOURCE}zeebe/exporters/elasticsearch-exporter/.../BulkIndexRequest.java"
TEMPLATES = f"{_SOURCE}zeebe/exporters/elasticsearch-exporter/.../TemplateReader.java"
ELASTIC_EXPORTER = f"{_SOURCE}zeebe/exporters/elasticsearch-exporter/.../ElasticsearchExporter.java"
MIXED_PAUSE = "https://github.com/camunda/camunda/issues/55838"
CLUSTER_SCALING = (
    "https://docs.camunda.io/docs/8.7/self-managed/zeebe-deployment/operations/cluster-scaling/"
)
DUAL_REGION = (
    "https://docs.camunda.io/docs/8.7/self-managed/operational-guides/multi-region/dual-region-ops/"
)
DUAL_REGION_8_9 = (
    "https://docs.camunda.io/docs/self-managed/deployment/helm/operational-tasks/dual-region-ops/"
)
CLUSTER_API = f"{_SOURCE}dist/src/main/resources/api/cluster/cluster-api.yaml"
EXPORTER_API = f"{_SOURCE}dist/src/main/resources/api/cluster/exporter-api.yaml"
CLUSTER_ENDPOINT = f"{_SOURCE}dist/.../shared/management/ClusterEndpoint.java"
EXPORTERS_ENDPOINT = f"{_SOURCE}dist/.../shared/management/ExportersEndpoint.java"
COORDINATOR = (
    f"{_SOURCE}zeebe/dynamic-config/.../config/changes/ConfigurationChangeCoordinatorImpl.java"
)
COORDINATOR_CHOICE = (
    f"{_SOURCE}zeebe/dynamic-config/.../config/api/ClusterConfigurationCoordinatorSupplier.java"
)
FORCED = f"{_SOURCE}zeebe/dynamic-config/.../config/api/ForceScaleDownRequestTransformer.java"
REASSIGN = f"{_SOURCE}zeebe/dynamic-config/.../config/api/PartitionReassignRequestTransformer.java"
ENABLE = f"{_SOURCE}zeebe/dynamic-config/.../config/changes/PartitionEnableExporterApplier.java"
DISABLE = f"{_SOURCE}zeebe/dynamic-config/.../config/changes/PartitionDisableExporterApplier.java"
JOIN = f"{_SOURCE}zeebe/dynamic-config/.../config/changes/PartitionJoinApplier.java"
SHUTDOWN = f"{_SOURCE}zeebe/broker/.../broker/bootstrap/PartitionManagerStep.java"
BOOTSTRAP = f"{_SOURCE}zeebe/dynamic-config/.../dynamic/config/ClusterConfigurationInitializer.java"
BOOTSTRAP_RACE = "https://github.com/camunda/camunda/pull/58321"
FORCED_DESIGN = "https://github.com/camunda/camunda/issues/16145"
EXPORTING_STATE = (
    f"{_SOURCE}zeebe/dynamic-config/.../config/api/DynamicConfigExportingStateController.java"
)
EXPORTING_STATUS = f"{_SOURCE}qa/acceptance-tests/.../it/exporter/ExportingStatusIT.java"
SEEN = "seen on 8.5.8, November 2026 (not documented)"
OURS = "the rehearsal broker's own"


@dataclass(frozen=True)
class Expectation:
    """Something that a broker or gateway must do.

    :ivar relied_on: the modules of this project that count on it.
    :ivar sources: where it is written that the real one does so.
    :ivar quirk: the quirk of the real one that it shows, by the name under which the rehearsal broker leaves it out.
    :ivar switch_off: what must be left out besides to see it missing.
    :ivar versions: the minor versions of Camunda that it is checked as.
    :ivar changes_members: the cluster has other members afterwards, or a change that cannot end: it is not used again.
    """

    check: Check
    relied_on: Sequence[str]
    sources: Sequence[str]
    needs: frozenset[Need] = frozenset()
    quirk: str = ""
    switch_off: Sequence[str] = ()
    versions: Sequence[str] = ("8.5",)
    changes_members: bool = False

    @property
    def name(self) -> str:
        """The expectation as a sentence."""
        return self.check.__name__

    @property
    def sentence(self) -> str:
        """The check's first paragraph."""
        return " ".join((self.check.__doc__ or "").partition("\n\n")[0].split())

    @property
    def section(self) -> str:
        """The module of the check."""
        return self.check.__module__.rpartition(".")[2]


EXPECTATIONS: list[Expectation] = []


def expected(
    *needs: Need,
    relied_on: Sequence[str],
    sources: Sequence[str],
    quirk: str = "",
    switch_off: Sequence[str] = (),
    versions: Sequence[str] = ("8.5",),
    changes_members: bool = False,
) -> Callable[[Check], Check]:
    """Register a check with what it needs and where its expectation comes from."""

    def register(check: Check) -> Check:
        EXPECTATIONS.append(
            Expectation(
                check,
                relied_on,
                sources,
                frozenset(needs),
                quirk,
                switch_off,
                versions,
                changes_members,
            )
        )
        return check

    return register
