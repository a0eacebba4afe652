"""What of a stack must not be deleted, however it is asked for: `pulumi destroy`, a replacement, a target. Pure.

What a run declares is wanted, and so not to be deleted in the same run: deletions that the procedure means are of what is
no longer declared. Only a gate gives way to the same gate of another incident, or to a new proof of the same one.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.observed.zeebe_answers import ClusterView
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import Gate, Installation, Kind, Topology
from messages import Message
from messages.decision import deletion as messages
from messages.observed.brokers import all_of

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


def refusal(settings: Settings, topology: Topology, doomed: Doomed) -> Message | None:
    """Return why a resource of this stack is not deleted, or None.

    Only releases, namespaces and gates are asked about by themselves: all else goes with them, or gives way to its like.
    """
    named = (_declared(settings, node, doomed) for node in topology.nodes)
    resource = next(filter(None, named), None)
    if resource is None:
        return None
    own = settings.own
    return messages.not_deleted(resource, _reason(settings, topology), own.name, own.namespace)


def _declared(settings: Settings, node: Installation | Gate, doomed: Doomed) -> str | None:
    """Return a resource's name in the cluster, if it is this node's as this run declares it; else None."""
    if isinstance(node, Gate):
        same = (doomed.type, doomed.name) == (_RECORD, node.name) and all(
            doomed.labels.get(key) == text for key, text in node.labels.items()
        )
        return f"record {node.name}" if same else None
    if not doomed.is_of(node.kind):
        return None
    if doomed.type == _NAMESPACE:
        return f"namespace {node.namespace}"
    return f"release {node.namespace}/{settings.release}"


def _reason(settings: Settings, topology: Topology) -> Message:
    """Return what a region's installations are needed for."""
    of_region = settings.own.name, settings.phase.value
    match topology.role:
        case Role.MEMBER:
            return messages.half_of_the_brokers(*of_region)
        case Role.SURVIVOR if settings.phase is not Phase.RESTORED:
            return messages.only_complete_data(*of_region)
        case Role.LOST:
            return messages.lost_region_kept(*of_region)
    return messages.needed_for_quorum(*of_region)


def incomplete_without(
    view: ClusterView,
    leaving: Collection[int],
    *,
    cluster_size: int,
    partition_count: int,
    replication_factor: int,
) -> Message | None:
    """Return why some partition would not work on all of its other replicas if brokers left, or None.

    Judged by the replicas that the gateway names, not by where they should be.

    :param leaving: the ids of the brokers that are about to leave.
    """
    missing = [each for each in view.missing(cluster_size) if each not in leaving]
    if missing:
        return messages.brokers_unseen(missing)
    staying = [each for each in view.brokers if each.id not in leaving]
    sick = {
        each.id: [copy.partition for copy in each.replicas if not copy.healthy] for each in staying
    }
    if any(sick.values()):
        return all_of(
            [
                messages.replicas_not_healthy(broker, partitions)
                for broker, partitions in sick.items()
                if partitions
            ]
        )
    held = Counter(copy.partition for each in staying for copy in each.replicas)
    quorum = brokers.quorum(replication_factor)
    thin = [each for each in range(1, partition_count + 1) if held[each] < quorum]
    if thin:
        return messages.too_few_replicas_stay(thin, [held[each] for each in thin], quorum)
    return None
