"""What a step's proof stands on: a proof must not outlive it. Pure.

The records of F1 to F3 lie in the survivor's own namespace, and what they prove is in the failover's, too. Each record
names what it stood on by its uid, and what is gone, or was recreated under the same name, is proved again. Steps of the
failback need none of that: each looks at every broker of the whole cluster by itself, and a copy is compared where it
is used.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dualregion.procedure import F0, FAILOVER_STEPS, Step
from dualregion.procedure.topology import Gate, Topology
from dualregion.state.progress import Stack

KEY = "standsOn"
"""Where a record has it: kind and name -> uid."""

Uids = Mapping[str, str]


def is_kept_of(step: Step) -> bool:
    """Return whether the record of a step names what its proof stands on; a claim (F0) stands on nothing in a cluster."""
    return step.id in FAILOVER_STEPS and step.id != F0.id


def entry(uids: Uids) -> dict[str, str]:
    """Return what a record holds of it."""
    return {KEY: json.dumps(dict(uids), sort_keys=True)}


def recorded(gates: Iterable[Gate], own: Stack) -> dict[str, Uids]:
    """Return what each of these proofs that a stack holds stood on, by step id."""
    held = {gate.name: own.records.get(gate.name, {}) for gate in gates if _holds(own, gate)}
    found = {step: _uids(record) for step, record in held.items()}
    return {step: uids for step, uids in found.items() if uids}


def outdated(stood_on: Mapping[str, Uids], now: Uids) -> dict[str, tuple[str, ...]]:
    """Return what is gone, or was recreated, of what proofs stood on, by step id.

    :param now: what is there, by kind and name.
    """
    gone = {
        step: tuple(name for name, uid in uids.items() if now.get(name) != uid)
        for step, uids in stood_on.items()
    }
    return {step: names for step, names in gone.items() if names}


def proved_again(topology: Topology, own: Stack, steps: Collection[str]) -> Topology:
    """Return a topology in which these steps, and all that stand behind them, are proved once more.

    Every other gate stays the one that the stack holds.
    """
    renewed = _with_those_behind(steps)
    nodes = tuple(
        replace(node, proof=_count(own, node) + (node.name in renewed))
        if isinstance(node, Gate) and _holds(own, node)
        else node
        for node in topology.nodes
    )
    return replace(topology, nodes=nodes)


def without(own: Stack, steps: Collection[str]) -> Stack:
    """Return what a stack holds without the proofs of these steps, and of all that stand behind them."""
    gone = _with_those_behind(steps)
    gates = {step: incident for step, incident in own.gates.items() if step not in gone}
    return replace(own, gates=gates, nodes=own.nodes - gone)


def _with_those_behind(steps: Collection[str]) -> frozenset[str]:
    """Return steps of the failover and those after them, each of which stands behind the one before."""
    every = list(FAILOVER_STEPS)
    first = min(map(every.index, steps), default=len(every))
    return frozenset(every[first:])


def _holds(own: Stack, gate: Gate) -> bool:
    held = own.gates.get(gate.name), own.rounds.get(gate.name, 1)
    return held == (gate.incident, gate.round)


def _count(own: Stack, gate: Gate) -> int:
    try:
        return int(own.records.get(gate.name, {}).get("proof", 1))
    except (TypeError, ValueError):
        return 1


def _uids(record: Mapping[str, Any]) -> Uids:
    """Return what a record names; nothing if it was made before records did, or was spoilt."""
    try:
        found = json.loads(record.get(KEY) or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
