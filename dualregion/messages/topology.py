"""Faults of this program: what it was about to declare contradicts itself."""

from collections.abc import Sequence

from dualregion.messages.catalogue import message
from dualregion.messages.words import listed


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
