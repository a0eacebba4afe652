"""Which turn a stack is in, and what that turn declares: read from the table, and the same for every row of it.

What keeps a stack from its turn, or the region of a stack as it is, is decided before: `dualregion.decision.guards` and
`dualregion.decision.lost_region`.
"""

from collections.abc import Collection
from dataclasses import replace

from dualregion import brokers
from dualregion.chart import installations
from dualregion.chart.installations import Bases
from dualregion.config.settings import Settings
from dualregion.procedure import Phase, Release, Step, Task, Turn
from dualregion.procedure.topology import ISOLATION, NO_INCIDENT, Gate, Installation, Kind, Topology
from dualregion.procedure.waits import Awaited, Wait
from dualregion.state.progress import Incident, Stack


def plan(
    settings: Settings, bases: Bases, own: Stack, peer: Stack, incident: Incident | None
) -> Topology:
    """Return what a stack declares in the turn that it is in.

    Phase normal, which is of no incident, is proved again after each failback: its gate names the last one.
    """
    turn = current(settings, own, peer, incident)
    ended = own.last_failback or peer.last_failback or NO_INCIDENT
    name = ended if incident is None else str(incident)
    proved, latest = own.counted(settings.phase, incident)
    topology = declare(turn, settings, bases, name, proved)
    nodes = (
        replace(each, round=latest) if isinstance(each, Gate) else each for each in topology.nodes
    )
    return replace(topology, nodes=tuple(nodes))


def current(settings: Settings, own: Stack, peer: Stack, incident: Incident | None) -> Turn:
    """Return the last turn of a stack that has begun, or may begin; else its first one.

    Only what is proved in this incident counts, so a stack never goes back.
    """
    proved = own.proved(incident)
    first, *later = settings.procedure.turns_of(settings.role, settings.phase)
    entered = (
        turn
        for turn in reversed(later)
        if turn.has_begun(proved) or _may_begin(turn, settings.phase, own, peer, incident)
    )
    return next(entered, first)


def are_proved(steps: Collection[Step], proved: Collection[str]) -> bool:
    """Return whether all these steps are among those that a stack has proved, by their ids."""
    return all(step.id in proved for step in steps)


def declare(
    turn: Turn, settings: Settings, bases: Bases, incident: str, proved: Collection[str]
) -> Topology:
    """Return what a turn declares: gates in a chain, the releases behind it, and the gates that stand behind them.

    :param incident: what the gates name.
    :param proved: the ids of the steps that the stack has proved in it.
    """
    chain = _chain(turn, settings, incident)
    behind = (chain[-1].name,) if chain and turn.releases_wait else ()
    is_held = turn.rolls_brokers and not turn.is_complete(proved)
    releases = tuple(
        _release(each, turn, settings, bases, behind=behind, is_held=is_held)
        for each in turn.releases
    )
    after = tuple(each.name for each in releases)
    return Topology(
        turn.role,
        nodes=(*chain, *releases, *_in_a_row(turn.then, after, incident)),
        waiting=_waiting(turn, settings),
        isolation_after=(turn.isolated_after.id,) if turn.isolated_after else (),
    )


def awaited(turn: Turn, settings: Settings) -> Wait:
    """Return what a stack waits for before it takes a turn."""
    if not turn.needs_other:
        return wait(Awaited.OWN_TURN, settings, turn.task)
    other = settings.procedure.proving(turn.needs_other[-1], for_role=turn.role)
    return wait(Awaited.OTHER_TURN, settings, other.task)


def wait(awaited: Awaited, settings: Settings, task: Task | None = None) -> Wait:
    """Return that this stack waits for something."""
    here = awaited in (Awaited.OWN_TURN, Awaited.REACHABLE)
    return Wait(
        awaited,
        settings.own.name,
        settings.peer.name,
        settings.peer_stack_name,
        settings.region if here else brokers.other(settings.region),
        task,
    )


def _may_begin(
    turn: Turn, phase: Phase, own: Stack, peer: Stack, incident: Incident | None
) -> bool:
    """Return whether the phase is reached, and all is proved and gone that a turn needs."""
    return (
        phase.has_reached(turn.phase)
        and are_proved(turn.needs, own.proved(incident))
        and are_proved(turn.needs_other, peer.proved(incident))
        and not (turn.needs_failover_gone and Kind.FAILOVER in peer.nodes)
    )


def _waiting(turn: Turn, settings: Settings) -> Wait | None:
    """Return what the stack waits for after a turn; None if it has gone as far as its phase goes."""
    following = settings.procedure.following(turn)
    if following is None or not settings.phase.has_reached(following.phase):
        return None
    return awaited(following, settings)


def _chain(turn: Turn, settings: Settings, incident: str) -> tuple[Gate, ...]:
    """Return the gates of earlier turns and those that come first in this one, each behind the one before."""
    steps = [step for each in settings.procedure.before(turn) for step in each.steps]
    gates = _in_a_row((*steps, *turn.first), (), incident)
    if turn.isolated_after is None:
        return gates
    return tuple(
        replace(gate, after=(ISOLATION,)) if gate.after == (turn.isolated_after.id,) else gate
        for gate in gates
    )


def _in_a_row(steps: Collection[Step], after: tuple[str, ...], incident: str) -> tuple[Gate, ...]:
    """Return the gates of steps: the first one behind these nodes, each other one behind the one before."""
    behind = (after, *((step.id,) for step in steps))
    return tuple(
        Gate(step, after=names, incident=incident)
        for step, names in zip(steps, behind, strict=False)
    )


def _release(
    release: Release,
    turn: Turn,
    settings: Settings,
    bases: Bases,
    *,
    behind: tuple[str, ...],
    is_held: bool,
) -> Installation:
    replaced = settings.lost_region if release.exports_to_failover else None
    if release.is_failover:
        made = installations.failover(settings, bases.failover, replaced_region=replaced)
    else:
        made = installations.own(
            settings,
            bases.own,
            replaced_region=replaced,
            installation_type=release.installation_type,
            web_apps=None if release.has_web_apps else False,
            is_empty=release.is_empty,
        )
    cut = settings.peer.pod_cidrs if turn.isolated_after else ()
    return replace(made, cut_cidrs=cut, after=behind, hold_updates=is_held)
