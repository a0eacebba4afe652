"""What a stack waits for after a successful update: its output `waitingFor`."""

from messages.catalogue import Message, message


@message
def other_installed(peer: str, peer_stack: str) -> str:
    """The other region has no installation yet."""
    return f"region {peer} is not installed yet: run `pulumi up` on stack {peer_stack}, then here again"


@message
def taken_over(name: str, peer: str, peer_stack: str) -> str:
    """The stack's own region is called lost, and the other one has not taken over yet."""
    return (
        f"region {name} is called lost but stays as it is until region {peer} has taken over: run `pulumi up` on stack "
        f"{peer_stack} first (its phase must be failover), then here again"
    )


@message
def reachable(name: str) -> str:
    """The stack's own region is lost, and its API server cannot be reached."""
    return (
        f"region {name} is unreachable; nothing was changed there. Once its cluster is back (it may be a new, empty one), "
        "run `pulumi up` here to clean it up"
    )


@message
def other_turn(peer: str, peer_stack: str, does: Message) -> str:
    """The other stack's turn comes first."""
    return f"region {peer} {does}: run `pulumi up` on stack {peer_stack}, then here again"


@message
def own_turn(does: Message) -> str:
    """Another update of this stack comes next, and nothing else."""
    return f"run `pulumi up` here again: this region {does}"


@message
def proves_clean() -> str:
    """What the surviving region does in its turn that ends with B0."""
    return "proves that this region is clean (B0)"


@message
def joins() -> str:
    """What the recreated region does in its turn that ends with B1."""
    return "installs its brokers"


@message
def copies() -> str:
    """What the surviving region does in its turn from B2 to B4."""
    return "pauses exporting and copies its search engine (B2 to B4)"


@message
def opens_web_apps() -> str:
    """What the recreated region does in its turn that ends with B5."""
    return "opens its web apps"


@message
def resumes() -> str:
    """What the surviving region does in its turn that ends with B5."""
    return "resumes exporting and retires the failover brokers (B5)"
