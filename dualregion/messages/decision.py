"""What speaks against a phase: stacks that contradict each other, changes that must not follow on what they hold."""

from dualregion.messages.catalogue import message


@message
def same_region_twice(region: int, peer_stack: str) -> str:
    """Both stacks are configured for one region."""
    return (
        f"region is {region} here and on stack {peer_stack}: two stacks of one region would start the same brokers "
        "twice; check region in both Pulumi.<stack>.yaml, and peerStack"
    )
