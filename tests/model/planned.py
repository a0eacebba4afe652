"""The program's own decisions, asked about a world of the model: what a run would do, change by change.

Everything here is decided by `dualregion`; the model only translates. Helm values are three words long.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import pytest

from dualregion.chart import values
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.decision.guards import disagreement, unsafe_change
from dualregion.errors import ConfigError
from dualregion.procedure import B5, F0, F1, F2, FAIL_OVER, STEP_IDS, Phase, Role
from dualregion.procedure.topology import CLAIM, NO_INCIDENT, Gate, Installation, Kind, Topology
from dualregion.state import claims, identity
from dualregion.state.progress import Incident as Named
from dualregion.state.progress import Release, Stack, current_incident
from tests.inputs.examples import settings, with_cidrs
from tests.model.acting import work_of
from tests.model.world import MINE, OTHERS, WHOLE, Action, Held, Incident, Runs

_OUTSIDE = "outside"


class Asked(NamedTuple):
    """What an operator asks for with `pulumi up`: the configuration of a checkout.

    :ivar lost: whose region is called lost; None in phase normal.
    :ivar accepts: whether the loss that the program has named is accepted.
    """

    phase: str
    lost: bool | None = None
    accepts: bool = False


ANY_PHASE = (
    Asked("normal"),
    *(Asked(phase.value, lost) for phase in list(Phase)[1:] for lost in (MINE, OTHERS)),
)
"""Every configuration without an accepted loss."""
ACCEPTING = (Asked("failover", OTHERS, accepts=True), Asked("failover", MINE, accepts=True))


class Plan(NamedTuple):
    """What a run would do.

    :ivar refused: the code of why it does nothing, or None.
    :ivar stands_in: whether the swap guard is not asked.
    :ivar actions: its changes, in order.
    """

    refused: str | None
    role: Role
    stands_in: bool = False
    actions: tuple[Action, ...] = ()


def name_of(incident: Incident | None, index: int) -> str:
    """Return an incident as records name it, seen by the stack of a held."""
    if incident is None:
        return NO_INCIDENT
    return str(Named(incident.number, index if incident.lost is MINE else 1 - index))


def _incident(name: str, index: int) -> Incident | None:
    found = Named.parse(name)
    if found is None:
        return None
    return Incident(found.number, MINE if found.lost_region == index else OTHERS)


@cache
def _stack(held: Held, index: int, by_api: bool) -> Stack:
    installed = {
        Kind.NORMAL.value: held.release is not None,
        Kind.FAILOVER.value: held.failover is not None,
    }
    nodes = {name for name, there in installed.items() if there}
    if held.cut:
        nodes |= {"normal-isolation"} if by_api else {"normal-isolation", "failover-isolation"}
    if held.claim is not None:
        nodes.add(CLAIM)
    gates = {step: name_of(incident, index) for step, incident, _ in held.gates}
    return Stack(
        Phase(held.phase),
        _lost(held.lost, index),
        frozenset(nodes | set(gates)),
        index,
        gates,
        {str(Named(held.known, 0)): {}} if held.known else {},
        claim=name_of(held.claim, index) if held.claim else None,
        releases={Kind.NORMAL: Release("camunda", "")} if held.release else {},
        rounds={step: latest for step, _, latest in held.gates},
        values={Kind.NORMAL.value: held.release._asdict()} if held.release else {},
    )


def _lost(lost: bool | None, index: int) -> int | None:
    """Return a lost region by its number, as the stack of a region sees it."""
    return None if lost is None else (index if lost is MINE else 1 - index)


_CAMUNDA = {False: "8.5", True: "8.8"}


@cache
def settings_of(
    by_api: bool, index: int, phase: str, lost: int | None, accepted: str | None
) -> Settings:
    """Return a stack's settings."""
    changes: dict[str, Any] = {"regions": _regions(by_api), "camundaVersion": _CAMUNDA[by_api]}
    if lost is not None:
        changes["lostRegion"] = lost
    if accepted is not None:
        changes["acceptLoss"] = accepted
    backup = {"type": "fs", "settings": {"location": "/backup"}}
    return settings(region=index, phase=phase, backup=backup, **changes)


def _regions(by_api: bool) -> list[dict[str, Any]]:
    found = with_cidrs()
    if by_api:
        for each in found:
            each.pop("failoverNamespace", None)
    return found


@cache
def _accepted(by_api: bool, index: int, lost: bool | None, own: Held, peer: Held) -> str | None:
    """Return the incident whose loss the program would name, where one is to be accepted."""
    procedure = settings_of(by_api, index, Phase.NORMAL.value, None, None).procedure
    here, there = _stack(own, index, by_api), _stack(peer, 1 - index, by_api)
    found = (
        claims.standing_in(procedure, here, 1 - index)
        if lost is MINE
        else claims.unfinished_failback(here, there, index)
        or claims.standing_in(procedure, there, index)
    )
    return None if found is None else str(found)


@cache
def is_rival(by_api: bool, index: int, own: Held, peer: Held, accepted: Incident | None) -> bool:
    """Return whether a failover that is under way must not go on, by what both states hold now."""
    run = _failing_over(by_api, index, accepted)
    here, there = _stack(own, index, by_api), _stack(peer, 1 - index, by_api)
    return claims.against_failover(run, here, there) is not None


@cache
def is_claimed(by_api: bool, index: int, peer: Held, accepted: Incident | None) -> bool:
    """Return whether the other stack claims a failover for this region, which F0 waits for if it is not confirmed."""
    run = _failing_over(by_api, index, accepted)
    return claims.rival_claim(run, _stack(peer, 1 - index, by_api)) is not None


def _failing_over(by_api: bool, index: int, accepted: Incident | None) -> Settings:
    name = None if accepted is None else name_of(accepted, index)
    return settings_of(by_api, index, Phase.FAILOVER.value, 1 - index, name)


@cache
def has_worked(by_api: bool, index: int, held: Held) -> bool:
    """Return whether a stack's region has worked together with the other one."""
    return _stack(held, index, by_api).has_worked


class Seen(NamedTuple):
    """What a run sees of its own region's cluster before it decides, and whether the other one is new.

    :ivar other_is_new: whether the other region answers as another cluster than the one in which its stack has proved what
        it holds.
    """

    blank: bool
    foreign: bool
    answers: bool
    other_is_new: bool = False


def as_own(held: Held) -> Held:
    """Return what a stack's own decision reads of it: not what its outputs say of the phase."""
    return held._replace(phase="normal", lost=None)


def as_peer(held: Held) -> Held:
    """Return what the other stack's decision reads of a stack: which releases it has, but nothing of what they say."""
    release = held.release and WHOLE
    return held._replace(
        release=release, failover=held.failover is not None or None, cut=False, claim=None
    )


@cache
def plans(
    by_api: bool, index: int, own: Held, peer: Held, seen: Seen, accepts: bool
) -> tuple[tuple[Asked, Plan], ...]:
    """Return what a run would do for each configuration in which it would do anything, or be refused."""
    found = []
    for asked in ACCEPTING if accepts else ANY_PHASE:
        name = _accepted(by_api, index, asked.lost, own, peer) if asked.accepts else None
        if asked.accepts and name is None:
            continue
        run = settings_of(by_api, index, asked.phase, _lost(asked.lost, index), name)
        found.append((asked, _plan(by_api, index, own, peer, seen, run)))
    return tuple(found)


def _plan(by_api: bool, index: int, held: Held, peer_held: Held, seen: Seen, run: Settings) -> Plan:
    own, peer = _stack(held, index, by_api), _stack(peer_held, 1 - index, by_api)
    change = disagreement(run, peer, own)
    if change is None and not _is_emptied(own, run):
        change = unsafe_change(run, own, peer)
    if change is not None:
        return Plan(change.code, run.role)
    incident = current_incident(run, own, peer)
    if not seen.answers:
        if run.role is not Role.LOST:
            return Plan("unreachable", run.role)
        return Plan(None, run.role, actions=(_end(held, own, run, Topology(run.role)),))
    if seen.foreign and identity.is_fixed(run, own, incident, peer):
        return Plan("another-cluster", run.role)
    if seen.other_is_new and identity.depends_on_recreated(run, own, peer, incident):
        peer = _stack(peer_held._replace(gates=()), 1 - index, by_api)
    if seen.blank and run.role in (Role.LOST, Role.RECREATED):
        held = held.emptied
        own = _stack(held, index, by_api)
    try:
        topology = desired(run, {}, peer, own)
    except ConfigError as error:
        return Plan(error.code, run.role)
    assert topology.contradiction() is None
    incident = current_incident(run, own, peer)
    proved = own.proved(incident)
    stands_in = own.serves_alone(run.procedure) and run.procedure.no_return.id not in proved
    looks = not (stands_in or F1.id in proved)
    actions = (
        *_made(held, run, topology, index, looks=looks, reopened=B5.id in peer.proved(incident)),
        *_dropped(held, run, topology),
        _end(held, own, run, topology),
    )
    return Plan(None, run.role, stands_in, actions)


def _is_emptied(own: Stack, run: Settings) -> bool:
    return not own.nodes & {*Kind, *STEP_IDS} and run.role is not Role.LOST


def _made(
    held: Held, run: Settings, topology: Topology, index: int, *, looks: bool, reopened: bool
) -> Iterator[Action]:
    first = [node for node in topology.nodes if node.name in topology.isolation_after]
    for node in first:
        yield from _node(held, run, node, index, topology, reopened)
    if not held.cut and any(each.cut_cidrs for each in topology.installations):
        yield ("cut", looks)
    for node in topology.nodes:
        if node not in first:
            yield from _node(held, run, node, index, topology, reopened)


def _node(
    held: Held,
    run: Settings,
    node: Gate | Installation,
    index: int,
    topology: Topology,
    reopened: bool,
) -> Iterator[Action]:
    made = (
        _gate(held, run, node, index, reopened)
        if isinstance(node, Gate)
        else _installation(held, run, node, index)
    )
    if topology.unchanged:
        # Whatever it is, it is refused.
        yield from (("refuse",) for _ in made)
    else:
        yield from made


def _gate(held: Held, run: Settings, node: Gate, index: int, reopened: bool) -> Iterator[Action]:
    step, incident = node.step.id, _incident(node.incident, index)
    by_api = not run.procedure.has_failover_installation
    if step == F0.id and held.claim != incident:
        yield ("claim", incident)
    if held.has(step):
        if (step, incident, node.round) in held.gates:
            return
        yield ("delete", step)
    if step in (F0.id, F1.id, F2.id):
        yield from _rival(run, index, "look" if step == F0.id else "rival")
    recreated = run.role is Role.RECREATED
    work = work_of(by_api, step, recreated=recreated, reopened=reopened)
    yield from (("do", step, part) for part in work.parts)
    yield ("gate", step, incident, node.round, work.proof)


def _rival(run: Settings, index: int, name: str = "rival") -> Iterator[Action]:
    """Yield that what both states hold then is looked at: no failover begins beside another one."""
    if run.role is Role.SURVIVOR and run.phase is Phase.FAILOVER:
        accepted = None if run.accept_loss is None else _incident(run.accept_loss, index)
        yield (name, accepted)


def _installation(held: Held, run: Settings, node: Installation, index: int) -> Iterator[Action]:
    if node.kind is Kind.FAILOVER:
        both = bool(node.values["both"])
        if held.failover is None:
            yield from _rival(run, index)
            yield ("install-failover", both)
        elif held.failover != both:
            yield ("update-failover", both, node.hold_updates)
        return
    wanted = Runs(**node.values)
    if held.release is None:
        yield from _rival(run, index)
        yield ("install", wanted)
    elif held.release != wanted:
        yield ("update", wanted, node.hold_updates)


def _dropped(held: Held, run: Settings, topology: Topology) -> Iterator[Action]:
    """Yield what is deleted in the end, each before what it stands on."""
    declared = {node.name for node in topology.nodes}
    steps = [step for step in reversed(run.procedure.steps_by_id) if held.has(step)]
    late = (F0.id, F1.id)
    going = [step for step in steps if step not in declared]
    yield from (("delete", step) for step in going if step not in late)
    if held.failover is not None and Kind.FAILOVER.value not in declared:
        yield ("delete-failover", topology.role is Role.SURVIVOR)
    if F1.id in going:
        yield ("delete", F1.id)
    if held.cut and not any(each.cut_cidrs for each in topology.installations):
        yield ("uncut",)
    if F0.id in going:
        yield ("delete", F0.id)
    if held.claim is not None and F0.id not in declared:
        yield ("unclaim",)
    if held.release is not None and Kind.NORMAL.value not in declared:
        yield ("uninstall",)


def _end(held: Held, own: Stack, run: Settings, topology: Topology) -> Action:
    """Return the end of a run: its outputs are saved."""
    lost = None if run.phase is Phase.NORMAL else run.lost_region == run.region
    named = (Named.parse(gate.incident) for gate in topology.gates)
    numbers = [each.number for each in named if each is not None]
    forgets = run.role is Role.LOST and not own.nodes
    return ("end", run.phase.value, lost, max([held.known, *numbers]), forgets)


@contextmanager
def short_values() -> Iterator[None]:
    """Let the program give releases the values that the model knows, and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "installation_values", _short)
        for each in _REMEMBERING:
            each.cache_clear()
        yield


_REMEMBERING = (plans, has_worked, is_rival, is_claimed, _accepted)
"""What remembers the program's answers; a test that changes the program begins without any."""


def _short(_: Mapping[str, Any], run: Settings, **given: Any) -> Mapping[str, Any]:
    both = given["exporters"] == values.exporter_urls(run, replaced_region=None)
    if given["installation_type"] == FAIL_OVER:
        return {"both": both}
    mode = _OUTSIDE if given.get("is_empty") else given["installation_type"]
    return {"mode": mode, "both": both, "web": given.get("web_apps") is not False}
