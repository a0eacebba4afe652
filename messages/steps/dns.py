"""The DNS chain in a region's Corefile."""

from messages.catalogue import Message, message


@message
def corefile_key(key: str, config_map: str, context: str) -> str:
    """Where a Corefile is, or a part of one."""
    return f"key {key} of ConfigMap {config_map} of kube context {context!r}"


@message
def no_corefile(place: Message) -> str:
    """There is no Corefile where DNS chaining is to be written."""
    return (
        f"there is no {place}, in which DNS chaining is to be written: set dns.configMap and dns.key to where CoreDNS has "
        "its Corefile, or dns.chain false (docs/prepare/dns.md)"
    )


@message
def corefile_not_edited(place: Message, problem: Message) -> str:
    """A Corefile cannot hold the DNS chain."""
    return f"{place}: {problem}"


@message
def corefile_chained(place: Message) -> str:
    """Awaited before the installations."""
    return f"{place} holds the DNS chain"


@message
def corefile_unchained(place: Message) -> str:
    """Awaited where DNS chaining is switched off."""
    return f"{place} holds no DNS chain"


@message
def corefile_being_written() -> str:
    """The Corefile was just changed."""
    return "it is being written"


@message
def corefile_overwritten() -> str:
    """Something else writes the Corefile again and again."""
    return "it was written, and something else overwrites it"


@message
def look_who_writes() -> str:
    """What to do: the Corefile is overwritten."""
    return "Look at who else writes it."


@message
def corefile_forbidden(step: str, reason: Message) -> str:
    """The rights to change the Corefile are missing."""
    return (
        f"{step}: {reason}. DNS chaining needs the right to get and patch that ConfigMap (docs/prepare/rights.md). "
        "Run again to continue."
    )


@message
def chain_written_again(place: Message) -> str:
    """The DNS chain is gone from the Corefile, and is written again."""
    return f"the DNS chain is not in {place} as it should be: it is written again"
