"""The versions of Camunda that a drill can be of: how their parts are called, and by which procedure they recover."""

from dataclasses import dataclass, replace
from enum import StrEnum

from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.procedure.cluster_api import CLUSTER_API
from drill.procedure.model import Procedure

DEFAULT_VERSION = "8.5"


class WebAppsForm(StrEnum):
    """How Operate and Tasklist run: as Deployments of their own, or as profiles of the brokers."""

    DEPLOYMENTS = "deployments"
    PROFILES = "profiles"


@dataclass(frozen=True)
class OwnEngine:
    """A search engine that is installed beside the release, and asks for a password.

    :ivar release: what its own Helm release is called here.
    :ivar selector: of its pods.
    :ivar secret: holds its password, under the user's name.
    :ivar copies: the Secret, in both regions, that holds the password of a region's engine, whose number follows.
    """

    release: str = "elasticsearch"
    selector: str = "elasticsearch.k8s.elastic.co/cluster-name=elasticsearch"
    secret: str = "elasticsearch-es-elastic-user"  # noqa: S105
    user: str = "elastic"
    copies: str = "elasticsearch-es-password-region-"


@dataclass(frozen=True)
class Camunda:
    """A minor version of Camunda.

    :ivar api: the version of its REST API.
    :ivar exporter: the id of the exporter to a region's search engine; its number follows.
    :ivar exporter_variable: what the variables begin with that configure the exporters.
    :ivar exporter_address: how the variable of an exporter's address ends.
    :ivar search_service: the Service of a region's search engine.
    :ivar web_apps: how Operate and Tasklist run.
    :ivar own_engine: the search engine, where the chart brings none.
    """

    version: str
    procedure: Procedure
    api: str
    exporter: str = "elasticsearchregion"
    exporter_variable: str = "ZEEBE_BROKER_EXPORTERS_"
    exporter_address: str = "ARGS_URL"
    search_service: str = "camunda-elasticsearch-master-hl"
    web_apps: WebAppsForm = WebAppsForm.DEPLOYMENTS
    own_engine: OwnEngine | None = None

    def exporter_to(self, region: int) -> str:
        """Return the id of the exporter to a region's search engine."""
        return f"{self.exporter}{region}"

    def address_variable(self, region: int) -> str:
        """Return the variable that holds the address of the exporter to a region's search engine."""
        return f"{self.exporter_variable}{self.exporter_to(region).upper()}_{self.exporter_address}"

    @property
    def is_unified(self) -> bool:
        """Whether one process is broker, gateway and web applications, so that brokers restart with these."""
        return self.web_apps is WebAppsForm.PROFILES


_8_5 = Camunda(DEFAULT_VERSION, CAMUNDA_8_5, api="v1")
_8_6 = Camunda("8.6", CLUSTER_API, api="v2")
_8_7 = replace(_8_6, version="8.7")
_8_8 = replace(
    _8_7,
    version="8.8",
    exporter="camundaregion",
    exporter_address="ARGS_CONNECT_URL",
    web_apps=WebAppsForm.PROFILES,
)
_8_9 = replace(
    _8_8,
    version="8.9",
    exporter_variable="CAMUNDA_DATA_EXPORTERS_",
    search_service="elasticsearch-es-http",
    own_engine=OwnEngine(),
)
_8_10 = replace(_8_9, version="8.10")

VERSIONS = {each.version: each for each in (_8_5, _8_6, _8_7, _8_8, _8_9, _8_10)}
"""All of them, by their names."""
