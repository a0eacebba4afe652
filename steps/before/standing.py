"""What the proofs of a survivor's steps stand on in its cluster: brokers and policies, known by their uids."""

from typing import TYPE_CHECKING

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from dualregion.config.settings import Settings
from dualregion.names import POLICY_NAME
from dualregion.procedure import Step
from dualregion.procedure.topology import Topology
from dualregion.state import standing
from dualregion.state.progress import Stack
from messages.steps import preflight as messages

if TYPE_CHECKING:
    # A look at the regions needs none of the steps.
    from steps.context import StepContext
    from steps.polling import Say


def entry(ctx: "StepContext", step: Step) -> dict[str, str]:
    """Return what a step's record holds of what its proof stands on; nothing for a step that stands for itself.

    :raises CallFailed: if the cluster does not tell.
    """
    if not standing.is_kept_of(step):
        return {}
    return standing.entry(there(ctx.cluster, ctx.settings))


def there(cluster: Cluster, settings: Settings) -> standing.Uids:
    """Return the uid of what a survivor's proof may stand on and is there, and not about to go, by kind and name.

    :raises CallFailed: if the cluster does not tell.
    """
    made = {}
    for namespace in settings.namespaces_of(settings.region).values():
        at = LiveInstallation.of(cluster, namespace, settings)
        made[f"statefulset {namespace}/{at.names.brokers}"] = at.brokers()
        made[f"networkpolicy {namespace}/{POLICY_NAME}"] = cluster.network_policy(
            namespace, POLICY_NAME
        )
    about = {name: found.metadata for name, found in made.items() if found is not None}
    return {
        name: each.uid
        for name, each in about.items()
        if each.uid and each.deletion_timestamp is None
    }


def proved_again(
    cluster: Cluster, settings: Settings, topology: Topology, own: Stack, warn: "Say"
) -> Topology:
    """Return the topology in which each proof whose ground is gone, or was recreated, is made again.

    :raises CallFailed: if the cluster does not tell.
    """
    stood_on = standing.recorded(topology.gates, own)
    now = there(cluster, settings) if stood_on else {}
    gone = standing.outdated(stood_on, now)
    for step, names in gone.items():
        warn(messages.proved_on_what_is_gone(step, names))
    return standing.proved_again(topology, own, gone)
