"""What is checked in the live clusters before anything changes, in every preview and every up."""

from dualregion import observed
from dualregion.errors import Refused
from dualregion.procedure import Role
from hooks.cluster import CallFailed
from hooks.steps import Site
from hooks.waiting import Waiting

SETTLE_SECONDS = 30.0
"""How long a gateway may still list brokers that have just died (its membership probes take 10 to 20 s)."""


def check(site: Site) -> None:
    """Refuse what would harm a live cluster.

    :raises Refused: if the survivor has nothing installed, or its gateway still sees the region called lost.
    """
    if site.topology.role is not Role.SURVIVOR:
        return
    _refuse_without_survivor(site)
    _refuse_healthy_region(site)


def refuse_in_lost_region(site: Site) -> None:
    """Refuse to make anything in a lost region: its brokers' ids may be in use elsewhere.

    :raises Refused: if the region is lost.
    """
    if site.topology.role is Role.LOST:
        raise Refused(
            f"region {site.settings.own.name} is lost: nothing is made in it before its failback. What its "
            "state remembers is gone from the cluster; run `pulumi up` here again once the other region "
            "has taken over"
        )


def _refuse_without_survivor(site: Site) -> None:
    settings = site.settings
    name = f"{settings.release}-zeebe"
    if site.cluster.stateful_set(site.namespace, name) is None:
        raise Refused(
            f"region {settings.own.name} is to survive, but namespace {site.namespace} of kube context "
            f"{settings.own.kube_context!r} holds no StatefulSet {name}: a failover needs a running survivor; "
            "check lostRegion, the namespace and the context"
        )


def _refuse_healthy_region(site: Site) -> None:
    """The swap guard: a region called lost that the survivor's gateway still sees is not lost."""
    peer = site.settings.peer
    lost = site.lost

    def visible() -> str | None:
        try:
            return observed.still_visible(site.view(), peer.namespace)
        except CallFailed as error:
            # Without a gateway nothing can be seen; gate F1 waits for it and proves the same.
            site.say(f"the survivor's gateway does not answer yet: {error}")
            return None

    if visible() is None:
        return
    waiting = Waiting("preflight", site.say, SETTLE_SECONDS)
    reason = waiting.last_reason(f"the brokers of {peer.name} leave the topology", visible)
    if reason:
        raise Refused(
            f"lostRegion is {lost} ({peer.name}), but {reason}: that region is not lost. If it is the other "
            f"one that is gone, set lostRegion {site.settings.region} on both stacks; if it hangs between "
            "life and death, cut the network between the regions first. Nothing was changed"
        )
