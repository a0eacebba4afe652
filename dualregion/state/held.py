"""What a stack's state holds, read from the state backend.

Only what was really made counts: a component is in the state before anything of it exists.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dualregion.procedure import STEP_IDS
from dualregion.procedure.topology import CLAIM, DNS_CHAIN, NO_INCIDENT
from dualregion.state.progress import Recorded, Release, Stack

Nodes = Mapping[str, Mapping[str, Any]]
"""The resources that stand for a topology's nodes: name -> their outputs."""

_TYPE_PREFIX = "dualregion:"
"""The Pulumi types of this project's components begin so."""

CLUSTER_KEY = "cluster"
"""The key of a gate's record that names the cluster in which the step was proved."""

_LAST_INPUTS = "__inputs"
"""A secret output of a Release: the inputs of its last saved update, whatever a refresh has found since."""

_NODE_TYPES = frozenset(
    {
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:core/v1:ConfigMap",
        "kubernetes:core/v1:Service",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "aws:ec2/networkAclRule:NetworkAclRule",
    }
)


def nodes_of(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the resources that stand for nodes.

    :param resources: the outputs of all resources, by URN.
    """
    return {name_of(urn): outputs for urn, outputs in resources.items() if _is_node(urn)}


def stack_of(outputs: Mapping[str, Any], nodes: Nodes) -> Stack:
    """Return a stack by its outputs and what its state holds: nodes, gates' incidents, releases, the claim, the DNS chain.

    :raises ConfigError: if the outputs are not those of this program.
    """
    records = records_of(nodes)
    gates = {name: str(record.get("incident", NO_INCIDENT)) for name, record in records.items()}
    descriptions = {
        name: str(text)
        for name, made in nodes.items()
        if name not in STEP_IDS and (text := made.get("description"))
    }
    stack = Stack.of(outputs, frozenset(nodes), gates)
    values = {
        name: given
        for name, made in nodes.items()
        if isinstance(given := (made.get(_LAST_INPUTS) or {}).get("values"), Mapping)
    }
    return replace(
        stack,
        descriptions=descriptions,
        values=values,
        claim=_claim(nodes),
        records=records,
        rounds=rounds_of(records),
        chain_writes=_chain_writes(nodes),
        cluster_id=_cluster_id(outputs, nodes),
        releases={
            name: found for name, made in nodes.items() if (found := _release(made)) is not None
        },
        recorded=_recorded(outputs),
    )


def _claim(nodes: Nodes) -> str | None:
    data = nodes.get(CLAIM, {}).get("data") or {}
    return str(data["incident"]) if "incident" in data else None


def _release(made: Mapping[str, Any]) -> Release | None:
    """Return what a resource's outputs show of it, if it is a Helm release."""
    status = made.get("status")
    if not isinstance(status, Mapping) or not status.get("chart"):
        return None
    chart = f"{status['chart']} {status.get('version') or ''}".strip()
    return Release(str(made.get("name") or ""), str(made.get("namespace") or ""), chart)


def _recorded(outputs: Mapping[str, Any]) -> Recorded:
    """Return what the outputs remember; those of an earlier version remember nothing."""
    sizes = outputs.get("sizes") or {}
    return Recorded(
        outputs.get("programVersion") or None,
        {key: int(size) for key, size in sizes.items()},
        outputs.get("camundaVersion") or None,
    )


def _cluster_id(outputs: Mapping[str, Any], nodes: Nodes) -> str | None:
    """Return the cluster in which the last step was proved; outputs are older than gates after a failed update."""
    records = sorted(records_of(nodes).values(), key=lambda each: str(each.get("end", "")))
    known = [str(each[CLUSTER_KEY]) for each in records if each.get(CLUSTER_KEY)]
    return known[-1] if known else outputs.get("clusterId") or None


def _chain_writes(nodes: Nodes) -> int:
    data = nodes.get(DNS_CHAIN, {}).get("data") or {}
    return int(data.get("written", 0))


def records_of(nodes: Nodes) -> dict[str, dict[str, Any]]:
    """Return each gate's record, by step id."""
    return {name: dict(made.get("data") or {}) for name, made in nodes.items() if name in STEP_IDS}


def rounds_of(records: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the round in which each step was proved, where its record names one."""
    named = {name: str(record.get("round", "")) for name, record in records.items()}
    return {name: int(text) for name, text in named.items() if text.isdecimal()}


def name_of(urn: str) -> str:
    """Return the name that a resource has in the program."""
    return urn.rsplit("::", 1)[1]


def _is_node(urn: str) -> bool:
    types = urn.split("::")[2].split("$")
    return types[0].startswith(_TYPE_PREFIX) and types[-1] in _NODE_TYPES
