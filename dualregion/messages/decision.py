"""What speaks against a phase: stacks that contradict each other, changes that must not follow on what they hold."""

from dualregion.messages.catalogue import message


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
