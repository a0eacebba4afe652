"""What the parts of an installation are called, and how its search engine is addressed: in one place, for all who ask."""

from dataclasses import dataclass

POLICY_NAME = "isolate-lost-region"
"""The network policy in each namespace of the survivor."""
GATEWAY = "zeebe-gateway"
"""The gateway's component; its Deployment and Service are called `<release>-zeebe-gateway`."""


@dataclass(frozen=True)
class ReleaseNames:
    """The names of a release's parts."""

    release: str

    @property
    def brokers(self) -> str:
        """The brokers' StatefulSet, and the Service that their host names are made of."""
        return f"{self.release}-zeebe"

    def broker(self, ordinal: int) -> str:
        """Return the name of a broker's pod."""
        return f"{self.brokers}-{ordinal}"

    @property
    def gateway(self) -> str:
        """The gateway's Deployment and Service."""
        return self.component(GATEWAY)

    @property
    def search_engine(self) -> str:
        """The StatefulSet of the search engine's master nodes."""
        return f"{self.release}-elasticsearch-master"

    @property
    def search_engine_service(self) -> str:
        """The search engine's Service."""
        return f"{self.search_engine}-hl"

    def component(self, name: str) -> str:
        """Return the Deployment of a component: of the gateway or a web app."""
        return f"{self.release}-{name}"

    def selector(self, label: str) -> str:
        """Return what selects the objects of this release that bear a label."""
        return f"{label},app.kubernetes.io/instance={self.release}"


@dataclass(frozen=True)
class GatewayLogin:
    """What the gateway's REST API is logged in to with.

    :ivar secret: the Secret in the gateway's namespace that holds the user's password.
    :ivar key: the password's key in it.
    """

    user: str
    secret: str
    key: str


ENGINE_PORT = 9200
"""Where both kinds of engines are asked, unless the settings say otherwise."""
ENGINE_LABEL = "app.kubernetes.io/name=elasticsearch"
"""The label of the pods of the chart's own, beside the release's."""


@dataclass(frozen=True)
class EngineLogin:
    """What a search engine is logged in to with.

    :ivar secret: the Secret in the engine's namespace that holds the user's password.
    :ivar key: the password's key in each Secret.
    :ivar copies: what the names of the Secrets begin with, in both regions, that brokers read both passwords from; a
        region's number follows.
    """

    user: str
    secret: str
    key: str
    copies: str

    def copy_of(self, region: int) -> str:
        """Return the Secret that brokers read the password of a region's engine from."""
        return f"{self.copies}{region}"


@dataclass(frozen=True)
class EngineTls:
    """How a search engine proves who it is.

    :ivar secret: the Secret in the engine's namespace that holds the certificate of the authority it is signed by.
    :ivar key: that certificate's key.
    :ivar server: the name that its own certificate is for, without the namespace.
    """

    secret: str
    key: str
    server: str

    def server_in(self, namespace: str) -> str:
        """Return the name that the certificate of a namespace's engine is for."""
        return f"{self.server}.{namespace}.svc"


@dataclass(frozen=True)
class EngineAddress:
    """Where a region's search engine is, the same in both regions but for the namespace.

    :ivar service: the headless Service that brokers of both regions reach.
    :ivar selector: the labels of its pods, StatefulSets and claims, as a selector.
    :ivar stateful_set: the one that there must be among its StatefulSets; None for any.
    :ivar login: what it is logged in to with; None if it asks for no password.
    :ivar tls: how it proves who it is; None for plain HTTP.
    """

    service: str
    selector: str
    stateful_set: str | None = None
    port: int = ENGINE_PORT
    login: EngineLogin | None = None
    tls: EngineTls | None = None

    @property
    def others(self) -> str:
        """What selects all that is none of it, if it is not a part of the release; else no selector."""
        key, _, value = self.selector.partition("=")
        return "" if self.login is None else f"{key}!={value}"

    def url(self, namespace: str) -> str:
        """Return the address of a namespace's engine inside the clusters."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{self.service}.{namespace}.svc.cluster.local:{self.port}"


def engine_of_chart(release: str) -> EngineAddress:
    """Return where the search engine is that a release of the chart brings."""
    names = ReleaseNames(release)
    return EngineAddress(
        service=names.search_engine_service,
        selector=names.selector(ENGINE_LABEL),
        stateful_set=names.search_engine,
    )
