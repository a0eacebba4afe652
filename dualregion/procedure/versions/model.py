"""What differs between Camunda's minor versions, as data: how values, environment and calls are written."""

from dataclasses import dataclass
from enum import StrEnum

from dualregion.procedure import Procedure


class WebApps(StrEnum):
    """What Operate and Tasklist are."""

    DEPLOYMENTS = "deployments"
    PROFILES = "profiles"
    """Of the broker pods: off and on restarts brokers."""


class Engine(StrEnum):
    """Where the search engine comes from."""

    SUBCHART = "subchart"
    """The chart brings it; it is asked without a password."""
    OWN = "own"
    """The user, or another stack, installs it, with a password."""


class RemovalForm(StrEnum):
    """How lost brokers are named in the call that removes them."""

    KEEP_LIST = "keep-list"
    REMOVE_LIST = "remove-list"


@dataclass(frozen=True)
class ExporterForm:
    """How an exporter stands in the brokers' environment.

    :ivar prefix: what its id begins with; the id ends with the region's.
    :ivar class_name: its Java class.
    :ivar variables: what the variables of all exporters begin with.
    :ivar url: the argument that holds the search engine's address.
    :ivar user: the one that holds who logs in to it.
    :ivar password: the one that holds that user's password.
    """

    prefix: str
    class_name: str
    variables: str
    url: str
    user: str = "ARGS_AUTHENTICATION_USERNAME"
    password: str = "ARGS_AUTHENTICATION_PASSWORD"  # noqa: S105

    def id_of(self, region: int) -> str:
        """Return the id of a region's exporter, which is the same in both regions."""
        return f"{self.prefix}{region}"

    def variable(self, region: int, setting: str) -> str:
        """Return the environment variable of a setting of a region's exporter."""
        return f"{self.variables}{self.id_of(region).upper()}_{setting}"


@dataclass(frozen=True)
class BrokerForm:
    """How brokers are described and found.

    :ivar component: the key of their Helm values; their environment is its `env`.
    :ivar container: their container's name.
    :ivar serves_gateway: whether they are the gateway, too; its Service then selects ready broker pods.
    :ivar contact_points: the variable that names the brokers that are asked first.
    :ivar contacts_headless: whether that names the two headless Services, instead of each pod.
    """

    component: str
    container: str
    serves_gateway: bool
    contact_points: str
    contacts_headless: bool


@dataclass(frozen=True)
class CamundaVersion:
    """A minor version of Camunda 8.

    :ivar minor: such as `8.8`.
    :ivar chart_major: the major version of the charts camunda-platform that install it.
    :ivar recommended_patch: the patch level below which the operator is warned; empty without one.
    :ivar api: the version of the gateway's REST API, under which the topology is asked.
    :ivar api_login: whether that asks for a login, unless the values open it.
    :ivar removal: how lost brokers are removed; has no meaning with a failover installation.
    :ivar schema_switch: the variable that keeps brokers from making indices; None if web apps make them.
    :ivar archiver_argument: the exporter's argument that keeps it from moving finished instances; None if web apps do.
    :ivar copies_global_state: whether index templates are in the snapshot's global state, and needed from there.
    :ivar pause_is_change: whether a pause is a change of the cluster's configuration.
    :ivar outsiders_are_ready: whether a broker that is no member becomes ready.
    :ivar helm_major: the major version of Helm that the chart demands.
    """

    minor: str
    chart_major: int
    recommended_patch: str
    procedure: Procedure
    api: str
    brokers: BrokerForm
    exporter: ExporterForm
    web_apps: WebApps
    engine: Engine
    removal: RemovalForm
    api_login: bool = False
    schema_switch: str | None = None
    archiver_argument: str | None = None
    copies_global_state: bool = False
    pause_is_change: bool = False
    outsiders_are_ready: bool = False
    helm_major: int = 3
