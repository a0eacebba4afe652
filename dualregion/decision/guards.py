"""What speaks against a phase: stacks that contradict each other, changes that must not follow on what they hold. Pure."""

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.decision.planning import are_proved
from dualregion.procedure import B0, B1, B7, N, Phase, Role
from dualregion.state import claims
from dualregion.state.progress import Incident, Stack, current_incident
from messages import Message
from messages.decision import guards as messages


def disagreement(settings: Settings, peer: Stack, own: Stack) -> Message | None:
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
        problem = claims.against_failover(settings, own, peer)
        if problem or settings.accept_loss is not None:
            return problem
    ongoing = peer.phase in (Phase.FAILOVER, Phase.FAILBACK_PENDING)
    if not ongoing or peer.lost_region == settings.lost_region:
        return None
    if _withdraws(settings, own, peer):
        return None
    return messages.lost_regions_differ(
        settings.lost_region, settings.peer_stack_name, peer.lost_region
    )


def _withdraws(settings: Settings, own: Stack, peer: Stack) -> bool:
    """Return whether each of two failovers refuses the other one, and this stack is to give up its own.

    The outputs of the other stack are older than its failover then, and may still call the other region lost. A failover
    that is given up refuses none.
    """
    if settings.role is not Role.LOST:
        return False
    ours = claims.standing_in(settings.procedure, own, brokers.other(settings.region))
    return ours is not None and claims.rival(settings, peer) is not None


def unsafe_change(settings: Settings, own: Stack, peer: Stack) -> Message | None:
    """Return why the phase wanted must not follow on what the stacks hold now, or None."""
    is_alone, other = own.may_serve_alone(settings.procedure), brokers.other(settings.region)
    has_installation = settings.procedure.has_failover_installation
    if settings.phase is Phase.NORMAL and is_alone:
        if has_installation:
            return messages.normal_with_failover_brokers(other)
        return messages.normal_with_removed_brokers(other)
    if (
        settings.region == settings.lost_region
        and is_alone
        and settings.phase is not Phase.NORMAL
        and not claims.is_given_up(settings, own)
    ):
        called_lost = (
            messages.survivor_called_lost
            if has_installation
            else messages.only_survivor_called_lost
        )
        return called_lost(settings.region, other)
    return _unsafe_failback(settings, own, peer, current_incident(settings, own, peer))


def _unsafe_failback(
    settings: Settings, own: Stack, peer: Stack, incident: Incident | None
) -> Message | None:
    """Return why a failback must not follow on, or be left for, what the stacks hold now; or None."""
    if settings.phase is Phase.NORMAL:
        return _left_too_early(settings, own, peer)
    proved = own.proved(incident)
    if settings.phase is Phase.FAILBACK_PENDING and settings.procedure.no_return.id in proved:
        return messages.failback_cannot_be_undone(settings.procedure.no_return.id)
    if not settings.phase.is_failback:
        return None
    if _is_over(settings, own, peer, incident):
        return messages.failback_is_over(settings.phase.value, str(incident))
    first = settings.procedure.turns_of(settings.role, settings.phase)[0]
    has_begun = first.has_begun(proved) or settings.role is Role.RECREATED
    if not has_begun and not are_proved(first.needs, proved):
        return messages.failback_without_failover(settings.phase.value, settings.lost_region)
    return None


def _is_over(settings: Settings, own: Stack, peer: Stack, incident: Incident | None) -> bool:
    """Return whether a failback is done; the survivor may have its last step to prove as the other one is in phase normal."""
    if own.has_ended(incident):
        return True
    last = settings.procedure.turns_of(settings.role, settings.phase)[-1]
    is_recreated = settings.role is Role.RECREATED
    return is_recreated and peer.has_ended(incident) and not last.is_complete(own.proved(incident))


def _left_too_early(settings: Settings, own: Stack, peer: Stack) -> Message | None:
    """Return why phase normal comes too early: brokers still sleep, here or in the other region, or wait for a restart.

    Records count, and not the phase in the other stack's outputs: it is the former one if every run since was killed.
    """
    if _own_brokers_sleep(own, peer) or _recreated_region_is_not_whole(settings, own, peer):
        return messages.normal_before_failback_is_done()
    return None


def _own_brokers_sleep(own: Stack, peer: Stack) -> bool:
    """Return whether this region was recreated, and is not awake by B7, nor by N, which stands before B7 goes."""
    incident = Incident.parse(own.gates.get(B1.id))
    is_asleep = incident is not None and B7.id not in own.gates
    return is_asleep and not (own.has_ended(incident) or peer.has_ended(incident))


def _recreated_region_is_not_whole(settings: Settings, own: Stack, peer: Stack) -> bool:
    """Return whether this region has survived, and either the other one is not awake, or its own last step is missing."""
    incident = Incident.parse(own.gates.get(B0.id))
    if incident is None or own.has_ended(incident):
        return False
    is_awake = N.id in peer.gates or peer.gates.get(B7.id) == str(incident)
    last = settings.procedure.turns_of(Role.SURVIVOR, Phase.RESTORED)[-1].steps[-1]
    return not (is_awake and own.gates.get(last.id) == str(incident))
