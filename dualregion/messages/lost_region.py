"""What speaks against bringing a lost region back."""

from dualregion.messages.catalogue import message


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
