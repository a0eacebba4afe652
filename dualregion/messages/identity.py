"""What speaks against a kube context: it leads to another cluster than before."""

from dualregion.messages.catalogue import message


@message
def another_cluster(context: str, region: int, name: str, seen: str, known: str) -> str:
    """The cluster that answers is not the one in which the region's steps were proved."""
    return (
        f"kube context {context!r} leads to another cluster than that of region {name}: its namespace kube-system has UID "
        f"{seen}, that of the region's has {known}. Let the context lead to the region's cluster again (the setting "
        "kubeconfig, `kubectl config view`), then run again. If the region was lost and is recreated there, set phase "
        f"failover and lostRegion {region} on both stacks. Only if the cluster is the same one with all its brokers' "
        f"data, restored by other means: `pulumi config set acceptCluster {seen}`"
    )
