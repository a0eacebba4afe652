"""What of a stack must not be deleted, however it is asked for: `pulumi destroy`, a replacement, a target. Pure.

What a run declares is wanted, and so not to be deleted in the same run: deletions that the procedure means are of what is
no longer declared. Only a gate gives way to the same gate of another incident, or to a new proof of the same one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.observed.zeebe_answers import ClusterView
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import Gate, Installation, Kind, Topology

NAMESPACE_SUFFIX = "-namespace"
"""What the name of an installation's namespace in the program ends in; its beginning is the installation's."""
_RELEASE, _NAMESPACE, _RECORD = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:ConfigMap",
)


@dataclass(frozen=True)
class Doomed:
    """A resource that is about to be deleted.

    :ivar type: Pulumi's.
    :ivar name: its name in the program.
    :ivar labels: those that it has in the cluster; a gate's record names its incident so.
    """

    type: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, kind: Kind) -> bool:
        """Return whether it is an installation's release or namespace."""
        return (self.type, self.name) in (
            (_RELEASE, kind.value),
            (_NAMESPACE, f"{kind}{NAMESPACE_SUFFIX}"),
        )


def refusal(settings: Settings, topology: Topology, doomed: Doomed) -> str | None:
    """Return why a resource of this stack is not deleted, or None.

    Only releases, namespaces and gates are asked about by themselves: all else goes with them, or gives way to its like.
    """
    what = next(filter(None, (_declared(node, doomed) for node in topology.nodes)), None)
    if what is None:
        return None
    own = settings.own
    return (
        f"{what} is not deleted, as {_why(settings, topology)}. If a setting that names it was changed "
        "(release, namespace), take that back: it would be deleted and recreated. To take the installation of region "
        f"{own.name} down for good, with all its data, see docs/day-two.md, 'Taking an installation down': "
        f"`pulumi config set retire {own.namespace}`, then `pulumi destroy --run-program`"
    )


def _declared(node: Installation | Gate, doomed: Doomed) -> str | None:
    """Return what a resource is, if it is this node's as this run declares it; else None."""
    if isinstance(node, Gate):
        same = (doomed.type, doomed.name) == (_RECORD, node.name) and all(
            doomed.labels.get(key) == text for key, text in node.labels.items()
        )
        return f"the record of step {node.name}" if same else None
    if not doomed.is_of(node.kind):
        return None
    namespace = f"namespace {node.namespace}"
    return namespace if doomed.type == _NAMESPACE else f"release {node.name} in {namespace}"


def _why(settings: Settings, topology: Topology) -> str:
    """Return what a region's installations are needed for."""
    own, phase = settings.own.name, settings.phase
    match topology.role:
        case Role.MEMBER:
            return (
                f"half of the brokers run in region {own} (phase {phase}), and without them no "
                "partition has a quorum"
            )
        case Role.SURVIVOR if phase is not Phase.RESTORED:
            return f"region {own} is the survivor (phase {phase}), and holds the only complete data"
        case Role.LOST:
            return (
                f"region {own} stays as it is (phase {phase}) until it answers and the other region has "
                "taken over; then `pulumi up` here cleans it"
            )
    return f"the brokers of region {own} are needed for the quorum (phase {phase})"


def incomplete_without(
    view: ClusterView,
    leaving: Collection[int],
    *,
    cluster_size: int,
    partition_count: int,
    replication_factor: int,
) -> str | None:
    """Return why some partition would not work on all of its other replicas if brokers left, or None.

    Judged by the replicas that the gateway names, not by where they should be.

    :param leaving: the ids of the brokers that are about to leave.
    """
    missing = [each for each in view.missing(cluster_size) if each not in leaving]
    if missing:
        return f"broker {', '.join(map(str, missing))} is not in the topology"
    staying = [each for each in view.brokers if each.id not in leaving]
    sick = [
        f"partition {copy.partition} on broker {each.id}"
        for each in staying
        for copy in each.replicas
        if not copy.healthy
    ]
    if sick:
        return f"not healthy: {', '.join(sick)}"
    held = [copy.partition for each in staying for copy in each.replicas]
    quorum = brokers.quorum(replication_factor)
    thin = [each for each in range(1, partition_count + 1) if held.count(each) < quorum]
    if thin:
        counts = ", ".join(f"{each}: {held.count(each)} of {quorum}" for each in thin)
        return f"replicas on the brokers that stay, of partition {counts}"
    return None
