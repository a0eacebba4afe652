"""The states that two stacks can be in, and what is declared in each: a record of it, short enough to be kept.

`grid` is every combination of steps proved by either stack; `chance` is any state at all, likely or not.
"""

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError
from dualregion.procedure import Phase, Role
from dualregion.procedure.topology import Gate, Installation, Topology
from dualregion.procedure.waits import Wait
from dualregion.state.progress import Stack
from tests.inputs.examples import settings, with_acls, with_cidrs

SURVIVOR = ("F0", "F1", "F2", "F3", "B0", "B2", "B3", "B4", "B5")
OTHER = ("B1", "B4", "B5", "B6", "B7")
_BASE: Mapping[str, Any] = {"mine": 1}
_OF_FAILOVER: Mapping[str, Any] = {"mine": 2}
_BACKUP = {"type": "fs", "settings": {"location": "/backup"}}
_PHASES = (Phase.FAILOVER, Phase.FAILBACK_PENDING, Phase.RESTORED)

Values = Callable[..., Mapping[str, Any]]


class State(NamedTuple):
    """What `desired` is asked about."""

    settings: Settings
    own: Stack
    peer: Stack


class Group(NamedTuple):
    """The states of one configuration."""

    phase: Phase
    region: int
    lost: int
    size: int
    with_cidrs: bool

    def __str__(self) -> str:
        cut = "cut by CIDRs" if self.with_cidrs else "cut by own means"
        return f"{self.phase}: region {self.region}, lost {self.lost}, {self.size} brokers, {cut}"

    @property
    def settings(self) -> Settings:
        """Its configuration."""
        return _settings(self.phase, self.region, self.lost, self.size, self.with_cidrs)


GROUPS = tuple(
    itertools.starmap(Group, itertools.product(_PHASES, (0, 1), (0, 1), (4, 8), (False, True)))
)


@cache
def _settings(phase: Phase, region: int, lost: int, size: int, cidrs: bool) -> Settings:
    changes: dict[str, Any] = {"regions": with_cidrs()} if cidrs else {}
    return settings(
        region=region,
        phase=phase.value,
        lostRegion=lost,
        clusterSize=size,
        backup=_BACKUP,
        **changes,
    )


def grid(group: Group) -> Iterator[State]:
    """Yield a configuration's states: any steps proved here and there, the other's failover brokers there or not."""
    found = group.settings
    survives = found.role is Role.SURVIVOR
    mine, theirs = (SURVIVOR, OTHER) if survives else (OTHER, SURVIVOR)
    owns = tuple(_stacks(group, group.region, mine, has_failover=survives))
    peers = [*_stacks(group, 1 - group.region, theirs, has_failover=False)]
    if not survives:
        peers += _stacks(group, 1 - group.region, theirs, has_failover=True)
    for own, peer in itertools.product(owns, peers):
        yield State(found, own, peer)


def _stacks(
    group: Group, region: int, steps: tuple[str, ...], *, has_failover: bool
) -> Iterator[Stack]:
    """Yield a region's stack with each subset of these steps proved."""
    releases = ("normal", "failover") if has_failover else ("normal",)
    incident = f"1-region{group.lost}-lost"
    for count in range(len(steps) + 1):
        for proved in itertools.combinations(steps, count):
            nodes, gates = frozenset((*releases, *proved)), dict.fromkeys(proved, incident)
            yield Stack(group.phase, group.lost, nodes, region, gates)


def chance(source: random.Random) -> State:
    """Return any state: several incidents, claims, stacks that lag behind, network ACLs, an empty region."""
    phase, region, lost = source.choice(tuple(Phase)), source.randrange(2), source.randrange(2)
    return State(
        _any_settings(phase, region, lost, source.randrange(3)),
        _any_stack(source, region, lost),
        _any_stack(source, source.choice((1 - region,) * 9 + (region,)), lost),
    )


@cache
def _any_settings(phase: Phase, region: int, lost: int, regions: int) -> Settings:
    changes = ({}, {"regions": with_cidrs()}, {"regions": with_acls()})[regions]
    return settings(region=region, phase=phase.value, lostRegion=lost, backup=_BACKUP, **changes)


def _any_stack(source: random.Random, region: int, lost: int) -> Stack:
    """Return any stack; mostly one of steps that belong together, of one incident."""
    all_steps = source.choice((SURVIVOR, OTHER, ("N",), ()))
    count = source.randrange(len(all_steps) + 1)
    steps = all_steps[:count] if source.random() < 0.7 else source.sample(all_steps, count)
    usual = f"{source.randrange(1, 3)}-region{lost}-lost"
    gates = {
        step: usual if source.random() < 0.95 else f"1-region{source.randrange(2)}-lost"
        for step in steps
    }
    held = [each for each in ("normal", "failover", "normal-isolation") if source.random() < 0.6]
    return Stack(
        source.choice((None, *Phase)),
        source.choice((lost, lost, lost, 1 - lost, None)),
        frozenset((*held, *steps)),
        region,
        gates,
        values={"normal": {"mine": "kept"}} if source.random() < 0.3 else {},
        claim=source.choice((None, None, usual)),
    )


def answer(state: State) -> str:
    """Return what is declared in a state as one line, or the code of why nothing is."""
    try:
        return line(desired(state.settings, _BASE, state.peer, state.own, _OF_FAILOVER))
    except ConfigError as error:
        return f"refused: {error.code}"


def line(topology: Topology) -> str:
    """Return a whole topology as one line; it holds what must hold of every topology."""
    assert topology.contradiction() is None
    nodes = " | ".join(_node(each) for each in topology.nodes)
    beside = (*topology.isolation_after, topology.names, topology.acl_rules, topology.unchanged)
    return f"{topology.role}: {nodes} ; {beside} ; {_wait(topology.waiting)}"


def _wait(wait: Wait | None) -> str:
    return f"{wait.awaited} {wait.task} {wait.next_region}" if wait else "nothing"


def _node(node: Gate | Installation) -> str:
    behind = f"{node.name}<{','.join(str(each) for each in node.after)}"
    if isinstance(node, Gate):
        return f"{behind} {node.step.title} {node.incident} {node.proof}"
    shape = (node.namespace, node.cut_cidrs, node.hold_updates)
    return f"{behind} {shape} {_digest_of_values(node.values)}"


_seen: dict[int, tuple[Mapping[str, Any], str]] = {}


def _digest_of_values(values: Mapping[str, Any]) -> str:
    """Return a digest of Helm values; the same object is looked at once."""
    if id(values) not in _seen:
        _seen[id(values)] = (values, hashlib.sha256(repr(values).encode()).hexdigest()[:12])
    return _seen[id(values)][1]


def digest(lines: Iterable[str]) -> str:
    """Return the record of these answers."""
    found = hashlib.sha256()
    for each in lines:
        found.update(each.encode() + b"\n")
    return found.hexdigest()[:16]


def remembering(compute: Values) -> Values:
    """Return `installation_values` with a memory: a million states have few values among them."""
    known: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def values(base: Mapping[str, Any], found: Settings, **how: Any) -> Mapping[str, Any]:
        key = (id(found), *how.values())
        if key not in known:
            known[key] = compute(base, found, **how)
        return known[key]

    return values
