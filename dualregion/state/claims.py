"""That never both regions fail over: what in the other stack's state speaks against a failover here. Pure.

A failover is claimed by a record in the stack's state, and confirmed by gate F0 once the other stack's state holds no
rival. Each stack writes before it reads what the other one has written, so of two that begin at the same moment at
least one sees the other: docs/develop/adr/0004-a-failover-is-claimed.md.
"""

from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.procedure import B0, B1, B3, B7, FAILOVER_STEPS, Phase, Procedure, Role, Step
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.decision import claims as messages


def standing_in(procedure: Procedure, peer: Stack, region: int) -> Incident | None:
    """Return the incident in which the other stack has failed over for this region, or is about to, or None.

    A failover that is merely claimed is not about to, see `claimed`.
    """
    is_alone = peer.serves_alone(procedure)
    named = [_of(peer.gates.get(step), region) for step in FAILOVER_STEPS]
    named += [_of(peer.gates.get(B0.id), region)] if is_alone else []
    found = [each for each in named if each is not None]
    if found:
        return max(found, key=lambda each: each.number)
    # Its gates are missing, but such brokers have the ids of this region's, in whatever incident.
    return Incident(0, region) if is_alone and procedure.has_failover_installation else None


def claimed(peer: Stack, region: int) -> Incident | None:
    """Return the incident in which the other stack claims a failover for this region, confirmed or not, or None."""
    return _of(peer.claim, region)


def rival(settings: Settings, peer: Stack) -> Incident | None:
    """Return the incident of the other stack's failover for this region, unless its loss is accepted; or None."""
    return _unless_accepted(settings, standing_in(settings.procedure, peer, settings.region))


def rival_claim(settings: Settings, peer: Stack) -> Incident | None:
    """Return the incident of the other stack's claim on this region, unless its loss is accepted; or None."""
    return _unless_accepted(settings, claimed(peer, settings.region))


def _unless_accepted(settings: Settings, incident: Incident | None) -> Incident | None:
    return None if settings.accept_loss == str(incident) else incident


def unfinished_failback(own: Stack, peer: Stack, region: int) -> Incident | None:
    """Return the incident whose failback brings this region back and is not proved to its end (B7), or None."""
    found = [_of(name, region) for name in (own.gates.get(B1.id), peer.gates.get(B0.id))]
    return next((each for each in found if each and not _is_done(own, each)), None)


def _is_done(own: Stack, failback: Incident) -> bool:
    return own.gates.get(B7.id) == str(failback) or own.has_ended(failback)


def against_failover(settings: Settings, own: Stack, peer: Stack) -> Message | None:
    """Return why this stack must not fail over for the other region, or None.

    :param settings: those of a survivor in phase `failover`.
    """
    here = settings.region
    failback = unfinished_failback(own, peer, here)
    if failback is not None:
        return _lost_on_top(settings, own, peer, failback)
    found = rival(settings, peer)
    if found is None:
        return None
    return messages.other_region_fails_over(
        region=here,
        name=settings.own.name,
        lost_region=brokers.other(here),
        lost_name=settings.peer.name,
        peer_stack=settings.peer_stack_name,
        incident=str(found),
    )


def against_normal(settings: Settings, peer: Stack) -> Message | None:
    """Return why phase normal would start brokers that run elsewhere, or are about to, or None."""
    said_so = peer.phase is Phase.FAILOVER and peer.lost_region == settings.region
    if standing_in(settings.procedure, peer, settings.region) is None and not said_so:
        return None
    return messages.other_region_failed_over(settings.region, settings.peer_stack_name)


def is_given_up(settings: Settings, own: Stack) -> bool:
    """Return whether the loss of the incident is accepted in which this stack has failed over for the other region."""
    incident = standing_in(settings.procedure, own, brokers.other(settings.region))
    return incident is not None and settings.accept_loss == str(incident)


def _lost_on_top(settings: Settings, own: Stack, peer: Stack, failback: Incident) -> Message | None:
    """Return why the survivor of a failback must not be called lost, or None if that loss is accepted.

    Where nothing of the data is in this region, there is nothing to accept: what came up here would be an empty cluster.
    """
    procedure, lost, incident = settings.procedure, settings.peer.name, str(failback)
    lost_region = brokers.other(settings.region)

    def is_proved(step: Step) -> bool:
        by = own if procedure.proves(Role.RECREATED, step) else peer
        return by.gates.get(step.id) == incident

    step, before = procedure.holds_data, procedure.step_before(procedure.holds_data)
    has_data, may_have_data = is_proved(step), before is not None and is_proved(before)
    if not has_data and not may_have_data:
        return messages.nothing_to_fail_over_to(lost_region, lost, incident, step.id)
    if settings.accept_loss == incident:
        return None
    named = lost_region, lost, settings.own.name, incident
    if not has_data:
        return messages.failback_adds_brokers(*named, step.id)
    if is_proved(procedure.holds_all):
        return messages.failback_not_ended(*named, procedure.holds_all.id)
    return messages.failback_not_complete(
        *named, procedure.holds_all.id, engine_is_copied=B3.id in peer.proved(failback)
    )


def _of(name: str | None, lost_region: int) -> Incident | None:
    """Return the incident that a record names, if it is one of this region's loss."""
    found = Incident.parse(name)
    return found if found is not None and found.lost_region == lost_region else None
