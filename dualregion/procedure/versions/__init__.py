"""THE VERSIONS: one record for each minor version of Camunda 8 that this program knows.

To add one: a record here, the shape of its chart, and its docs. `decision` and `steps` go by what the record says, and
never by its number.

Sources: camunda/camunda-docs, dual-region operational procedure of each version; the reference values of
camunda/c8-multi-region (8.6 to 8.8) and camunda/camunda-deployment-references (8.9); camunda/camunda-platform-helm.
"""

from dataclasses import replace

from dualregion.procedure import CAMUNDA_8_5, CLUSTER_API
from dualregion.procedure.versions.model import (
    BrokerForm,
    CamundaVersion,
    Engine,
    ExporterForm,
    RemovalForm,
    WebApps,
)

_8_5 = CamundaVersion(
    minor="8.5",
    chart_major=10,
    recommended_patch="",
    procedure=CAMUNDA_8_5,
    api="v1",
    brokers=BrokerForm(
        component="zeebe",
        container="zeebe",
        serves_gateway=False,
        contact_points="ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS",
        contacts_headless=False,
    ),
    exporter=ExporterForm(
        prefix="elasticsearchregion",
        class_name="io.camunda.zeebe.exporter.ElasticsearchExporter",
        variables="ZEEBE_BROKER_EXPORTERS_",
        url="ARGS_URL",
    ),
    web_apps=WebApps.DEPLOYMENTS,
    engine=Engine.SUBCHART,
    removal=RemovalForm.KEEP_LIST,
)

_8_6 = replace(_8_5, minor="8.6", chart_major=11, procedure=CLUSTER_API, api="v2")

_8_7 = replace(_8_6, minor="8.7", chart_major=12, recommended_patch="8.7.30")

_8_8 = replace(
    _8_7,
    minor="8.8",
    chart_major=13,
    recommended_patch="8.8.29",
    brokers=replace(
        _8_7.brokers, component="orchestration", container="orchestration", serves_gateway=True
    ),
    exporter=ExporterForm(
        prefix="camundaregion",
        class_name="io.camunda.exporter.CamundaExporter",
        variables="ZEEBE_BROKER_EXPORTERS_",
        url="ARGS_CONNECT_URL",
        user="ARGS_CONNECT_USERNAME",
        password="ARGS_CONNECT_PASSWORD",  # noqa: S106
    ),
    web_apps=WebApps.PROFILES,
    removal=RemovalForm.REMOVE_LIST,
    api_login=True,
    schema_switch="CAMUNDA_DATABASE_SCHEMAMANAGER_CREATESCHEMA",
    archiver_argument="ARGS_HISTORY_PROCESSINSTANCEENABLED",
    copies_global_state=True,
)

_8_9 = replace(
    _8_8,
    minor="8.9",
    chart_major=14,
    recommended_patch="8.9.3",
    brokers=replace(
        _8_8.brokers,
        contact_points="CAMUNDA_CLUSTER_INITIALCONTACTPOINTS",
        contacts_headless=True,
    ),
    exporter=replace(_8_8.exporter, variables="CAMUNDA_DATA_EXPORTERS_"),
    engine=Engine.OWN,
)

_8_10 = replace(
    _8_9,
    minor="8.10",
    chart_major=15,
    recommended_patch="",
    pause_is_change=True,
    outsiders_are_ready=True,
    helm_major=4,
)

VERSIONS = {each.minor: each for each in (_8_5, _8_6, _8_7, _8_8, _8_9, _8_10)}
"""The versions that this program knows, by their minor version, in order."""
DEFAULT = _8_5.minor

__all__ = [
    "DEFAULT",
    "VERSIONS",
    "BrokerForm",
    "CamundaVersion",
    "Engine",
    "ExporterForm",
    "RemovalForm",
    "WebApps",
]
