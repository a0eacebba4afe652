"""What speaks against a phase: stacks that contradict each other, changes that must not follow on what they hold."""

from collections.abc import Sequence

from messages.catalogue import message
from messages.words import listed


@message
def same_region_twice(region: int, peer_stack: str) -> str:
    """Both stacks are configured for one region."""
    return (
        f"region is {region} here and on stack {peer_stack}: two stacks of one region would start the same brokers "
        "twice; check region in both Pulumi.<stack>.yaml, and peerStack"
    )


@message
def lost_regions_differ(
    lost_region: int | None, peer_stack: str, peer_lost_region: int | None
) -> str:
    """In one incident each of the two stacks calls another region lost."""
    return (
        f"lostRegion is {lost_region} here, but was {peer_lost_region} in the last update of stack {peer_stack}: one of "
        "the two is wrong; set the same lostRegion on both stacks"
    )


@message
def normal_with_failover_brokers(lost_region: int) -> str:
    """Phase normal would delete the failover brokers before the failback has replaced them."""
    return (
        "phase is 'normal', but this stack holds the failover brokers that the cluster needs for its quorum: keep phase "
        f"'failover' with lostRegion {lost_region} until the failback is done (phases failback-pending and restored)"
    )


@message
def normal_with_removed_brokers(lost_region: int) -> str:
    """Phase normal comes too early: the lost region's brokers were removed, and are not members again."""
    return (
        f"phase is 'normal', but the brokers of region {lost_region} were removed from the cluster and are no members yet: "
        f"keep phase 'failover' with lostRegion {lost_region} until the failback is done (phases failback-pending and "
        "restored)"
    )


@message
def only_survivor_called_lost(region: int, lost_region: int) -> str:
    """A stack whose region alone holds the cluster calls its own region lost."""
    return (
        f"lostRegion is {region}, this region, but the cluster is this region's alone, as the brokers of region "
        f"{lost_region} were removed from it: until they are members again, only region {lost_region} can be called lost"
    )


@message
def survivor_called_lost(region: int, lost_region: int) -> str:
    """A stack that holds failover brokers calls its own region lost."""
    return (
        f"lostRegion is {region}, this region, but this stack holds the failover brokers of a failover of region "
        f"{lost_region}: while they run, only region {lost_region} can be called lost"
    )


@message
def failback_cannot_be_undone(step: str) -> str:
    """The failback is past the step from which on the failover brokers are no longer needed, or gone."""
    return (
        f"phase is 'failback-pending', but this stack is past step {step} of that failback: nothing of it can be undone "
        "any more; set phase restored. If the region is lost once more, set phase failover"
    )


@message
def failback_without_failover(phase: str, lost_region: int | None) -> str:
    """A failback is asked for, and this stack has not failed over for that region."""
    return (
        f"phase is {phase!r}, but this stack has not failed over for region {lost_region}: a failback follows on a "
        "failover; set phase failover first, and run `pulumi up` here"
    )


@message
def failback_is_over(phase: str, incident: str) -> str:
    """A failback is asked for that is done: phase normal was proved since."""
    return (
        f"phase is {phase!r}, but the failback of incident {incident} is done, and phase normal was proved after it: set "
        "phase normal; if a region is lost once more, set phase failover first"
    )


@message
def normal_before_failback_is_done() -> str:
    """Phase normal comes too early: some of the recreated region's brokers are still asleep."""
    return (
        "phase is 'normal', but the failback is not done and half of the recreated region's brokers are asleep: set "
        "phase restored on both stacks, and run `pulumi up` on each in turn"
    )


@message
def outputs_of_another_program() -> str:
    """The outputs of a stack cannot be read: it is none of this program, or of a version that is too new."""
    return "the outputs of the other region's stack are not this program's: check peerStack"


@message
def region_lost_again(peer_stack: str) -> str:
    """The failback had begun, and nothing of it is left in the recreated region."""
    return (
        f"stack {peer_stack} is past step B1 of the failback, but nothing of it is left in this region: it was lost "
        "again. Set phase failover on both stacks and fail over once more"
    )


@message
def record_of_b1_missing(peer_stack: str) -> str:
    """The recreated region holds its installation, but not the record that its brokers have joined."""
    return (
        f"stack {peer_stack} is past step B1 of the failback, but this region has no record of B1, the ConfigMap "
        "dual-region-b1: was it deleted by hand? What it stands for cannot be proved again now; until the survivor's B5, "
        "set phase failover on both stacks, and begin the failback again"
    )


@message
def declared_twice(node: str) -> str:
    """Two nodes of a topology have one name."""
    return f"{node} is declared twice"


@message
def out_of_order(node: str, missing: Sequence[str]) -> str:
    """A node stands behind one that does not come before it."""
    return f"{node} stands behind {listed(missing)}, which does not come before it"


@message
def held_behind_no_gate(node: str) -> str:
    """Brokers would not be restarted by an update, and no step would restart them."""
    return f"the brokers of {node} are held behind no gate"


@message
def failover_not_isolated() -> str:
    """Failover brokers would start before it is proved that the lost ones cannot be reached."""
    return "failover brokers are declared, and no gate of the isolation"


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
