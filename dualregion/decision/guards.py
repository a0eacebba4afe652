"""What speaks against a phase: stacks that contradict each other, changes that must not follow on what they hold. Pure."""

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.decision.planning import are_proved
from dualregion.messages import decision as messages
from dualregion.procedure import B0, B1, B7, PROCEDURE, Phase, Role
from dualregion.procedure.topology import Kind
from dualregion.state import claims
from dualregion.state.progress import Incident, Stack, current_incident


def disagreement(settings: Settings, peer: Stack, own: Stack | None = None) -> str | None:
    """Return why the two stacks contradict each other, or None.

    What counts is the other stack's state, which holds what a failed update has made; its outputs are those of the
    last one that succeeded. Lagging behind is no contradiction. Calling different regions lost in one incident is,
    and so is a lost region that would start brokers whose ids the survivor's failover brokers have.
    """
    if peer.region == settings.region:
        return messages.same_region_twice(settings.region, settings.peer_stack_name)
    if settings.phase is Phase.NORMAL:
        return claims.against_normal(settings, peer)
    if settings.phase is Phase.FAILOVER and settings.role is Role.SURVIVOR:
        problem = claims.against_failover(settings, own or Stack(), peer)
        if problem or settings.accept_loss is not None:
            return problem
    ongoing = peer.phase in (Phase.FAILOVER, Phase.FAILBACK_PENDING)
    if not ongoing or peer.lost_region == settings.lost_region:
        return None
    return (
        f"lostRegion is {settings.lost_region} here, but the last update of stack "
        f"{settings.peer_stack_name} was made with lostRegion {peer.lost_region}: "
        "one of the two is wrong; set the same lostRegion on both stacks"
    )


def unsafe_change(settings: Settings, own: Stack, peer: Stack) -> str | None:
    """Return why the phase wanted must not follow on what the stacks hold now, or None."""
    names = own.nodes
    if settings.phase is Phase.NORMAL and Kind.FAILOVER in names:
        return (
            "phase is 'normal', but this stack holds the failover brokers that the cluster needs for its "
            f"quorum: keep phase 'failover' with lostRegion {brokers.other(settings.region)} until the "
            "failback is done (phases failback-pending and restored)"
        )
    if (
        settings.region == settings.lost_region
        and Kind.FAILOVER in names
        and settings.phase is not Phase.NORMAL
        and not claims.is_given_up(settings, own)
    ):
        return (
            f"lostRegion is {settings.lost_region}, this region, but this stack holds the failover brokers "
            f"of a failover of region {brokers.other(settings.region)}: only their own region can be called "
            "lost while they run"
        )
    return _unsafe_failback(settings, own, peer, current_incident(settings, own, peer))


def _unsafe_failback(
    settings: Settings, own: Stack, peer: Stack, incident: Incident | None
) -> str | None:
    """Return why a failback must not follow on, or be left for, what the stacks hold now; or None."""
    if settings.phase is Phase.NORMAL:
        return _left_too_early(own, peer)
    proved = own.proved(incident)
    if settings.phase is Phase.FAILBACK_PENDING and PROCEDURE.no_return.id in proved:
        return (
            f"phase is 'failback-pending', but this stack is past step {PROCEDURE.no_return.id} of that failback: nothing "
            "of it can be undone any more; set phase restored. If the region is lost once more, set phase failover"
        )
    if not settings.phase.is_failback or settings.role is not Role.SURVIVOR:
        return None
    first = PROCEDURE.turns_of(settings.role, settings.phase)[0]
    if not first.has_begun(proved) and not are_proved(first.needs, proved):
        return (
            f"phase is {settings.phase.value!r}, but this stack has not failed over for region "
            f"{settings.lost_region}: a failback follows on a failover; set phase failover first, and "
            "run `pulumi up` here"
        )
    return None


def _left_too_early(own: Stack, peer: Stack) -> str | None:
    """Return why phase normal comes too early: brokers still sleep, here or in the other region."""
    asleep_here = B1.id in own.gates and B7.id not in own.gates
    asleep_there = (
        B0.id in own.gates
        and peer.phase is not Phase.NORMAL
        and peer.gates.get(B7.id) != own.gates[B0.id]
    )
    if not asleep_here and not asleep_there:
        return None
    return (
        "phase is 'normal', but the failback is not done and half of the recreated region's brokers sleep: "
        "set phase restored on both stacks, and run `pulumi up` on each in turn"
    )
