"""The failback's topologies, stage by stage: phases `failback-pending` (B0 to B4) and `restored` (B5 to B7).

The stacks take turns: each goes as far as the gates in the other one's state allow, and never back.
Nothing of an earlier incident counts, as every gate names its own.

    survivor   B0          B2 B3 B4             B5
    recreated      B1               B4      B5      B6 B7
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from dualregion import brokers, installations, procedure
from dualregion.errors import ConfigError
from dualregion.installations import Bases
from dualregion.procedure import B0, B1, B2, B3, B4, B5, B6, B7, Phase, Role, Step
from dualregion.progress import Incident, Stack
from dualregion.settings import Settings
from dualregion.topology import NO_INCIDENT, Gate, Installation, Kind, Topology

FAIL_BACK = "failBack"
"""The chart's installation type in which even ordinals sleep."""


def unsafe_change(
    settings: Settings, own: Stack, peer: Stack, incident: Incident | None
) -> str | None:
    """Return why a failback must not follow on, or be left for, what the stacks hold now; or None."""
    if settings.phase is Phase.NORMAL:
        return _left_too_early(own, peer)
    proved = own.proved(incident)
    if settings.phase is Phase.FAILBACK_PENDING and B5.id in proved:
        return (
            "phase is 'failback-pending', but this stack is past step B5 of that failback: nothing of it can "
            "be undone any more; set phase restored. If the region is lost once more, set phase failover"
        )
    if not settings.phase.is_failback or settings.role is not Role.SURVIVOR:
        return None
    if not proved & {procedure.F3.id, B0.id}:
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


def survivor(
    settings: Settings,
    bases: Bases,
    peer: Stack,
    own: Stack,
    incident: Incident | None,
) -> Topology:
    """Return what the survivor's stack declares in a failback."""
    proved, theirs = own.proved(incident), peer.proved(incident)
    reopening = settings.phase is Phase.RESTORED and B4.id in proved and B5.id in theirs
    if B5.id in proved or reopening:
        return _reopened(settings, bases.own, str(incident), held=B5.id not in proved)
    if B2.id in proved or B1.id in theirs:
        waiting = (
            _turn_of_peer(settings, "opens its web apps")
            if settings.phase is Phase.RESTORED
            else None
        )
        return _copied(
            settings, bases, str(incident), held=B4.id not in proved, waiting_for=waiting
        )
    return _cleared(settings, bases, str(incident))


def _cleared(settings: Settings, bases: Bases, incident: str) -> Topology:
    """B0: the isolation goes once the recreated region is proved clean; the failover runs on."""
    lost = settings.lost_region
    return Topology(
        Role.SURVIVOR,
        nodes=(
            Gate(B0, incident=incident),
            installations.failover(settings, bases.failover, replaced_region=lost),
            installations.own(settings, bases.own, replaced_region=lost),
        ),
        waiting_for=_turn_of_peer(settings, "installs its brokers"),
    )


def _copied(
    settings: Settings,
    bases: Bases,
    incident: str,
    *,
    held: bool,
    waiting_for: str | None,
) -> Topology:
    """B2 to B4: freeze, copy, and point the exporters to both regions again, still paused."""
    steps = _chain((B0, B2, B3), incident)
    own, failover = (
        replace(each, after=(B3.id,), hold_updates=held)
        for each in (
            installations.own(settings, bases.own, web_apps=False),
            installations.failover(settings, bases.failover),
        )
    )
    last = Gate(B4, after=(Kind.NORMAL, Kind.FAILOVER), incident=incident)
    return Topology(Role.SURVIVOR, nodes=(*steps, own, failover, last), waiting_for=waiting_for)


def _reopened(
    settings: Settings, base: Mapping[str, Any], incident: str, *, held: bool
) -> Topology:
    """B5: web apps and exporters at work; the failover installation is no longer wanted."""
    steps = _chain((B0, B2, B3, B4), incident)
    own = replace(installations.own(settings, base), after=(B4.id,), hold_updates=held)
    return Topology(
        Role.SURVIVOR, nodes=(*steps, own, Gate(B5, after=(Kind.NORMAL,), incident=incident))
    )


def recreated(
    settings: Settings,
    base: Mapping[str, Any],
    peer: Stack,
    own: Stack,
    incident: Incident | None,
) -> Topology:
    """Return what the recreated region's stack declares in a failback."""
    proved, theirs = own.proved(incident), peer.proved(incident)
    if B2.id in theirs and B1.id not in proved:
        raise ConfigError([_lost_again(settings, own)])
    if B0.id not in theirs and B7.id not in proved:
        return _before(settings, base, peer, own)
    final = settings.phase is Phase.RESTORED
    retired = B5.id in theirs and Kind.FAILOVER not in peer.nodes
    if B6.id in proved or (final and B5.id in proved and retired):
        return _awake(settings, base, str(incident), held=B7.id not in proved)
    if B5.id in proved or (final and B4.id in proved):
        return _open(settings, base, str(incident), held=B5.id not in proved)
    if B4.id in proved or B4.id in theirs:
        waiting = "run `pulumi up` here again: it opens the web apps" if final else None
        return _repointed(
            settings, base, str(incident), held=B4.id not in proved, waiting_for=waiting
        )
    return _joined(settings, base, str(incident))


def as_it_is(settings: Settings, base: Mapping[str, Any], own: Stack) -> Topology:
    """Return what a lost or recreated region's stack holds, without going on.

    Its releases keep the values of their last update, where these can be seen: what the values files say by now is
    not taken over into a region that may be healthy, and called lost by a slip.
    """
    held = _held(settings, base, own)
    nodes = (
        replace(node, values=own.values.get(node.name, node.values))
        if isinstance(node, Installation)
        else node
        for node in held.nodes
    )
    return replace(held, nodes=tuple(nodes), unchanged=True)


def _held(settings: Settings, base: Mapping[str, Any], own: Stack) -> Topology:
    if B1.id not in own.gates or B7.id in own.gates:
        return _whole(settings, base, own)
    incident = own.gates[B1.id]
    if B5.id in own.gates:
        return _open(settings, base, incident, held=False)
    if B4.id in own.gates:
        return _repointed(settings, base, incident, held=False, waiting_for=None)
    return _joined(settings, base, incident)


def _whole(settings: Settings, base: Mapping[str, Any], own: Stack) -> Topology:
    """Return the normal installation, if it is held, and the gates."""
    kept = (installations.own(settings, base),) if Kind.NORMAL in own.nodes else ()
    return Topology(settings.role, nodes=(*kept, *gates_of(own)))


def is_expendable(own: Stack, peer: Stack) -> bool:
    """Return whether a recreated region can be given up: its failback is not past the survivor's B5."""
    incident = own.gates.get(B1.id)
    reopened = incident is not None and peer.gates.get(B5.id) == incident
    return incident is not None and Kind.FAILOVER in peer.nodes and not reopened


def gates_of(own: Stack) -> tuple[Gate, ...]:
    """Return the gates that a stack holds, each of its own incident."""
    return tuple(
        Gate(step, incident=own.gates.get(step.id, NO_INCIDENT))
        for step in procedure.STEPS.values()
        if step.id in own.nodes
    )


def _before(settings: Settings, base: Mapping[str, Any], peer: Stack, own: Stack) -> Topology:
    """Before B0 the region is to be empty: once the other one has taken over, what is here is cleaned.

    Without that the region may be healthy, and the phase a slip: it stays as it is.
    """
    waiting = _turn_of_peer(settings, "proves that this region is clean (B0)")
    if peer.has_taken_over(settings.region) or not own.nodes:
        return Topology(Role.RECREATED, waiting_for=waiting)
    return replace(as_it_is(settings, base, own), waiting_for=waiting)


def _lost_again(settings: Settings, own: Stack) -> str:
    if Kind.NORMAL in own.nodes:
        return (
            f"stack {settings.peer_stack_name} is past step B1 of the failback, but this region has no record of B1, the "
            "ConfigMap dual-region-b1: was it deleted by hand? What it stands for cannot be proved again now; until the "
            "survivor's B5, set phase failover on both stacks, and begin the failback again"
        )
    return (
        f"stack {settings.peer_stack_name} is past step B1 of the failback, but nothing of it is left in this "
        "region: it was lost again. Set phase failover on both stacks and fail over once more"
    )


def _joined(settings: Settings, base: Mapping[str, Any], incident: str) -> Topology:
    """B1: half of the brokers join, the others sleep; exporters as in the failover."""
    return Topology(
        Role.RECREATED,
        nodes=(
            _sleeping(settings, base, replaced_region=settings.region, web_apps=False),
            Gate(B1, after=(Kind.NORMAL,), incident=incident),
        ),
        waiting_for=_turn_of_peer(
            settings, "pauses exporting and copies its search engine (B2 to B4)"
        ),
    )


def _repointed(
    settings: Settings,
    base: Mapping[str, Any],
    incident: str,
    *,
    held: bool,
    waiting_for: str | None,
) -> Topology:
    """B4: exporters to both regions, still paused."""
    installation = _sleeping(settings, base, web_apps=False)
    return Topology(
        Role.RECREATED,
        nodes=(
            Gate(B1, incident=incident),
            replace(installation, after=(B1.id,), hold_updates=held),
            Gate(B4, after=(Kind.NORMAL,), incident=incident),
        ),
        waiting_for=waiting_for,
    )


def _open(settings: Settings, base: Mapping[str, Any], incident: str, *, held: bool) -> Topology:
    """B5: the web apps of the recreated region; exporting goes on once the survivor says so."""
    installation = _sleeping(settings, base)
    return Topology(
        Role.RECREATED,
        nodes=(
            *_chain((B1, B4), incident),
            replace(installation, after=(B4.id,), hold_updates=held),
            Gate(B5, after=(Kind.NORMAL,), incident=incident),
        ),
        waiting_for=_turn_of_peer(
            settings, "resumes exporting and retires the failover brokers (B5)"
        ),
    )


def _awake(settings: Settings, base: Mapping[str, Any], incident: str, *, held: bool) -> Topology:
    """B6 and B7: the sleeping brokers wake, but only when no other broker has their ids."""
    return Topology(
        Role.RECREATED,
        nodes=(
            *_chain((B1, B4, B5, B6), incident),
            replace(installations.own(settings, base), after=(B6.id,), hold_updates=held),
            Gate(B7, after=(Kind.NORMAL,), incident=incident),
        ),
    )


_sleeping = partial(installations.own, installation_type=FAIL_BACK)
"""The release of a recreated region half of whose brokers sleep."""


def sleeps(ordinal: int) -> bool:
    """Return whether a broker of a failBack installation sleeps: the failover brokers have its id."""
    return ordinal % brokers.REGIONS == 0


def _chain(steps: tuple[Step, ...], incident: str) -> tuple[Gate, ...]:
    """Return gates of which each stands behind the one before."""
    return tuple(
        Gate(step, after=(steps[index - 1].id,) if index else (), incident=incident)
        for index, step in enumerate(steps)
    )


def _turn_of_peer(settings: Settings, what: str) -> str:
    return (
        f"region {settings.peer.name} {what}: run `pulumi up` on stack "
        f"{settings.peer_stack_name}, then here again"
    )
