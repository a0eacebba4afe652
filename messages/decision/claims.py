"""What speaks against a failover: that never both regions fail over, and that no region is lost with the only data."""

from messages.catalogue import message


@message
def other_region_fails_over(
    *, region: int, name: str, lost_region: int, lost_name: str, peer_stack: str, incident: str
) -> str:
    """The other region has begun to fail over for this one: if both did, two clusters would accept commands."""
    return (
        f"lostRegion is {lost_region} here, but stack {peer_stack} has begun to fail over for this region, {name} "
        f"(incident {incident}): if both did, two clusters would accept commands. One of the two is wrong. If region "
        f"{name} is the lost one, `pulumi config set lostRegion {region}` and `pulumi up` here; if it is {lost_name}, "
        f"`pulumi config set --stack {peer_stack} lostRegion {lost_region}` and `pulumi up --stack {peer_stack}` "
        f"withdraws that failover as long as it has no failover brokers, and by cluster API has not proved F1. "
        f"{_accept_loss(lost_name, incident)}"
    )


@message
def other_region_failed_over(region: int, peer_stack: str) -> str:
    """Phase normal would start brokers whose ids the other region's failover brokers have."""
    return (
        f"phase is 'normal' here, but stack {peer_stack} has failed over for this region, or is about to: its failover "
        f"brokers have the same ids. Set phase failover and lostRegion {region} here too"
    )


@message
def nothing_to_fail_over_to(lost_region: int, lost_name: str, incident: str, step: str) -> str:
    """The region called lost is the only one that holds the data: the failback has brought nothing back yet."""
    return (
        f"lostRegion is {lost_region}, but region {lost_name} is the only one whose brokers hold the data of incident "
        f"{incident}: the failback has not brought any of it here ({step} is not proved). Without region {lost_name} "
        "nothing is left to fail over to: bring its cluster back, or restore Camunda from its backups"
    )


@message
def failback_adds_brokers(
    lost_region: int, lost_name: str, name: str, incident: str, step: str
) -> str:
    """The surviving region is called lost while the recreated brokers may be being added: some of them may hold all, or not."""
    return (
        f"lostRegion is {lost_region}, but the failback of region {name} (incident {incident}) was about to add this "
        f"region's brokers ({step} is not proved): whether they hold everything, only they can tell. If the cluster of "
        f"region {lost_name} can be recovered, recover it and finish the failback. {_accept_loss(lost_name, incident)}. F1 "
        "then looks first, and refuses unless every partition has half of its replicas here"
    )


@message
def failback_not_complete(
    lost_region: int, lost_name: str, name: str, incident: str, step: str, *, engine_is_copied: bool
) -> str:
    """The surviving region is called lost in the midst of a failback: a failover now would lose data."""
    engine = (
        ""
        if engine_is_copied
        else ", and everything in Elasticsearch, which is not copied yet (B3)"
    )
    return (
        f"lostRegion is {lost_region}, but the failback of region {name} (incident {incident}) is not complete, {step} is "
        f"not proved: only some of this region's brokers hold data. A failover now loses what region {lost_name} has "
        f"acknowledged and this region's brokers had not received{engine}. If the cluster of region {lost_name} can be "
        f"recovered, recover it and finish the failback. {_accept_loss(lost_name, incident)}"
    )


@message
def failback_not_ended(
    lost_region: int, lost_name: str, name: str, incident: str, step: str
) -> str:
    """The surviving region is called lost when all data are in both regions, but the failback is not at its end."""
    return (
        f"lostRegion is {lost_region}, but the failback of region {name} (incident {incident}) is not at its end. Every "
        f"partition is complete in both regions ({step} is proved): a failover now loses nothing that was acknowledged. If "
        f"region {lost_name} only cannot be reached, finish the failback. {_accept_loss(lost_name, incident)}"
    )


def _accept_loss(lost_name: str, incident: str) -> str:
    return (
        f"If region {lost_name} is gone for good with all its disks, and the loss is accepted: `pulumi config set "
        f"acceptLoss {incident}` here, and `pulumi up` again (docs/incident/lost-again.md, 'A loss on top of a loss')"
    )
