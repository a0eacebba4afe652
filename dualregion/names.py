"""What the chart calls the parts of a release, and the program its own: in one place, for all who address them."""

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
