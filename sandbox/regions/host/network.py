"""The regions' network namespaces and the link between them, as batches of commands for `ip`.

Nothing is configured in the machine's own network namespace.

A cut link swallows packets without a word, as a lost region does: when the link's own route is gone, the
route through the device `sink` remains, whose packets nothing takes. A plain missing route would let every
connection fail at once, which is kinder than reality.
"""

from collections.abc import Callable

from sandbox.regions.model import Region

SINK_METRIC = 4096  # worse than the link's own route, which has none

Batch = Callable[[Region], str]


def namespace_batch(region: Region) -> str:
    """Return the commands, for inside the region's namespace, that make it ready but for the link.

    The node's own processes need some route to the services: kube-proxy's translation comes after the
    choice of a route, and makes the kernel choose again.
    """
    return f"""link set lo up
address add {region.address}/32 dev lo
link add sink type veth peer name drain
link set sink arp off up
link set drain up
route add {region.other.range} dev sink src {region.address} metric {SINK_METRIC}
route add {region.service_range} dev sink src {region.address}
"""


def link_command(region: Region) -> str:
    """Return the command, for the machine's namespace, that makes both ends of the link."""
    other = region.other
    return (
        f"link add {region.link_device} netns {region.netns} type veth "
        f"peer name {other.link_device} netns {other.netns}\n"
    )


def drop_batch(region: Region) -> str:
    """Return the command, for inside the region's namespace, that removes the link, both ends."""
    return f"link delete {region.link_device}\n"


def link_end_batch(region: Region) -> str:
    """Return the commands, for inside the region's namespace, that give its end of the link an address."""
    return f"address add {region.link_address}/30 dev {region.link_device}\n" + restore_batch(
        region
    )


def restore_batch(region: Region) -> str:
    """Return the commands, for inside the region's namespace, that bring its end up, with the route."""
    other = region.other
    return f"""link set {region.link_device} up
route replace {other.range} via {other.link_address} src {region.address}
"""


IMPAIRMENTS = "sandbox-impaired"
"""The table of what is done to the link's packets, in a region's namespace."""


def impairment(region: Region, verdict: str) -> str:
    """Return the commands for `nft`, for inside the region's namespace, that do something to what leaves by the link.

    :param verdict: such as `numgen random mod 100 < 20 drop`, or `drop`; empty to let all pass again.
    """
    # Declared first, so that it can be deleted whether it is there or not.
    renewed = f"table inet {IMPAIRMENTS}\ndelete table inet {IMPAIRMENTS}\n"
    if not verdict:
        return renewed
    chains = "".join(
        f"  chain {hook} {{ type filter hook {hook} priority 300; "
        f'oifname "{region.link_device}" {verdict}; }}\n'
        for hook in ("forward", "output")
    )
    return f"{renewed}table inet {IMPAIRMENTS} {{\n{chains}}}\n"


def cut_batch(region: Region) -> str:
    """Return the command, for inside the region's namespace, that takes its end of the link down."""
    return f"link set {region.link_device} down\n"
