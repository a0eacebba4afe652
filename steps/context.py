"""Where a step works: its region's cluster and the other one's, the settings, and what is wanted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from dualregion import brokers
from dualregion.chart.installations import Bases
from dualregion.config.settings import Settings
from dualregion.observed.zeebe_answers import ClusterView
from dualregion.procedure import Role, Step
from dualregion.procedure.topology import Topology
from dualregion.state.progress import Incident, Stack
from steps.polling import Say, Waiting

Evidence = dict[str, str]
"""What a step saw that proves it."""


@dataclass(frozen=True)
class StepContext:
    """Where a step works.

    :ivar own: what this stack's state holds, from before this run.
    :ivar peer: what the other stack's state holds.
    :ivar incident: the incident that its steps belong to; None in phase normal.
    :ivar unrecorded: the Helm revision of each release whose upgrade Pulumi's state knows nothing of, by node name.
    :ivar chain_writes: how often the DNS chain has been written, with this run if it is to be written again.
    :ivar read_stacks: reads what this stack's and the other one's state hold, while the run is under way.
    :ivar cluster_id: the identity of the region's cluster; None if it does not answer.
    :ivar chart: name and version of the chart that is wanted.
    :ivar bases: what the user's Helm values say.
    :ivar project: the project's folder, where the path of a chart starts.
    :ivar rendered: the digest of what the chart renders, if that was looked at and is well; else empty.
    """

    cluster: Cluster
    settings: Settings
    topology: Topology
    say: Say
    own: Stack = field(default_factory=Stack)
    peer: Stack = field(default_factory=Stack)
    incident: Incident | None = None
    unrecorded: Mapping[str, int] = field(default_factory=dict)
    chain_writes: int = 1
    read_stacks: Callable[[], tuple[Stack, Stack]] | None = None
    cluster_id: str | None = None
    chart: str = ""
    bases: Bases = field(default_factory=lambda: Bases({}, {}))
    project: Path = Path()
    rendered: str = ""

    def stacks_now(self) -> tuple[Stack, Stack]:
        """Return what this stack's and the other one's state hold now, as the run under way and others have saved it.

        :raises BackendError: if the state backend does not answer.
        """
        return self.read_stacks() if self.read_stacks else (self.own, self.peer)

    @property
    def namespace(self) -> str:
        """The namespace of the region's normal installation."""
        return self.settings.own.namespace

    @property
    def lost(self) -> int:
        """The lost region's id, in the survivor's steps."""
        return brokers.other(self.settings.region)

    @cached_property
    def peer_cluster(self) -> Cluster:
        """The other region's cluster.

        :raises ConfigError: if the kubeconfig does not have its context.
        """
        return Cluster(self.settings.kubeconfig, self.settings.peer.kube_context)

    def at(self, namespace: str) -> LiveInstallation:
        """Return the installation in a namespace of the region's own cluster."""
        return LiveInstallation.of(self.cluster, namespace, self.settings)

    def peer_at(self, namespace: str) -> LiveInstallation:
        """Return the installation in a namespace of the other region's cluster."""
        return LiveInstallation.of(self.peer_cluster, namespace, self.settings)

    @property
    def installation(self) -> LiveInstallation:
        """The region's normal installation."""
        return self.at(self.namespace)

    @property
    def survivor(self) -> LiveInstallation:
        """The surviving region's normal installation, whichever stack asks."""
        if self.topology.role is Role.RECREATED:
            return self.peer_at(self.settings.peer.namespace)
        return self.installation

    @property
    def failover(self) -> LiveInstallation:
        """The failover installation, whichever stack asks."""
        if self.topology.role is Role.RECREATED:
            return self.peer_at(self.settings.peer.failover)
        return self.at(self.settings.own.failover)

    @property
    def recreated(self) -> LiveInstallation:
        """The recreated region's installation, whichever stack asks; half of its brokers sleep beside failover brokers."""
        if self.topology.role is Role.RECREATED:
            found = self.installation
        else:
            found = self.peer_at(self.settings.peer.namespace)
        return (
            replace(found, sleeping=brokers.sleeps)
            if self.settings.procedure.has_failover_installation
            else found
        )

    @property
    def exporting_installations(self) -> tuple[LiveInstallation, ...]:
        """The installations whose brokers have replicas while exporting is paused.

        Without failover brokers the recreated region's become members only once exporting has been resumed.
        """
        return (
            self.all_three
            if self.settings.procedure.has_failover_installation
            else (self.survivor,)
        )

    @property
    def all_three(self) -> tuple[LiveInstallation, LiveInstallation, LiveInstallation]:
        """All installations of a failback."""
        return self.survivor, self.failover, self.recreated

    @property
    def all_here(self) -> tuple[LiveInstallation, ...]:
        """All installations in the region's own cluster, or that there may be."""
        if self.settings.procedure.has_failover_installation:
            return self.installation, self.failover
        return (self.installation,)

    @property
    def gateway(self) -> LiveInstallation:
        """Whose gateway shows the cluster and takes commands.

        Of a recreated region it is the survivor's, as the procedure does it: the region's own looks for
        brokers under a name that sleeping ones have, too, and may find no broker.
        """
        return self.survivor

    def view(self) -> ClusterView:
        """Return the Zeebe cluster as `gateway` sees it."""
        return self.gateway.zeebe.view()

    def waiting(self, step: Step) -> Waiting:
        """Return how this step waits."""
        return Waiting(step.id, self.say, self.settings.deadline_seconds)
