"""What a region's stack declares of DNS, as a pure function of the settings and what its state holds."""

from dualregion.config.settings import Settings
from dualregion.corefile import block_for
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import DNS_CHAIN, DNS_LOAD_BALANCER, NO_NAMES, Names, Topology
from dualregion.state.progress import Stack


def names(settings: Settings, topology: Topology, own: Stack) -> Names:
    """Return what this stack declares of DNS, beside its topology.

    In an incident nothing of it changes: it is of no use until the other region is back, and must never
    keep the survivor from anything. A stack that declares no installation declares no DNS.
    """
    if not topology.installations:
        return NO_NAMES
    is_lost = topology.role is Role.LOST
    kept = is_lost or settings.phase is Phase.FAILOVER
    chained = DNS_CHAIN in own.nodes if kept else settings.dns.chain
    balanced = DNS_LOAD_BALANCER in own.nodes if is_lost else settings.dns.load_balancer.create
    block = block_for(settings, settings.region) if chained else None
    return Names(block, kept=kept and chained, load_balancer=balanced)
