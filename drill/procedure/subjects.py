"""What a `pulumi up` works on, by the names that an interrupted drill has for it."""

DNS_RECORD = "dns-chain"
"""The ConfigMap that stands for the DNS chain in a Corefile."""

UPDATE, UPDATE_FAILOVER, INSTALL, INSTALL_FAILOVER, _, REMOVAL_FAILOVER = (
    f"the {work} of release {release}"
    for work in ("update", "install", "removal")
    for release in ("normal", "failover")
)
REMOVAL_NAMESPACE = "the removal of namespace failover"
"""The rights in a namespace go with it, so a run that was killed then finds it without them."""
RECORD = f"record {DNS_RECORD}"
"""The record of the DNS chain."""


def binding(installation: str) -> str:
    """Return one of the RoleBindings that give the rights in an installation's new namespace."""
    return f"binding {installation}"


def gates(*steps: str) -> tuple[str, ...]:
    """Return the gates of steps."""
    return tuple(f"gate {step}" for step in steps)
