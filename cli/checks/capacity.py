"""Whether pods fit on nodes: by what they ask for and where they may be, as the scheduler decides. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity


@dataclass(frozen=True)
class Resources:
    """An amount of cpu, in cores, and of memory, in bytes."""

    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)

    @classmethod
    def of(cls, quantities: Mapping[str, str] | None) -> "Resources":
        """Read Kubernetes' quantities, such as `500m` and `2Gi`."""
        given = quantities or {}
        return cls(_number(given.get("cpu", 0)), _number(given.get("memory", 0)))

    def plus(self, other: "Resources") -> "Resources":
        """Return both together."""
        return Resources(self.cpu + other.cpu, self.memory + other.memory)

    def minus(self, other: "Resources") -> "Resources":
        """Return what is left of it."""
        return Resources(self.cpu - other.cpu, self.memory - other.memory)

    def covers(self, other: "Resources") -> bool:
        """Return whether the other fits into it."""
        return self.cpu >= other.cpu and self.memory >= other.memory

    def __str__(self) -> str:
        return f"{self.cpu.normalize():f} cpu and {self.memory / 2**20:.0f} MiB"


def _number(quantity: str | int) -> Decimal:
    return Decimal(parse_quantity(quantity))  # type: ignore[no-untyped-call]


def requested(spec: Any) -> Resources:
    """Return what a pod asks for; its init containers run before the others, and are no more."""
    total = Resources()
    for container in spec.containers:
        total = total.plus(Resources.of(container.resources and container.resources.requests))
    return total


@dataclass(frozen=True)
class Node:
    """A node that pods may be put on.

    :ivar taints: its taints, as Kubernetes' own objects have them (`key`, `value`, `effect`).
    """

    free: Resources
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Planned:
    """A pod that is to come.

    :ivar spec: as its StatefulSet's template has it; None for one that may be put anywhere.
    """

    asks: Resources
    labels: Mapping[str, str] = field(default_factory=dict)
    spec: Any = None

    def may_be_on(self, node: Node) -> bool:
        """Return whether the pod's own rules let it be on a node: selector, required affinity, tolerations."""
        if self.spec is None:
            return True
        wanted = (self.spec.node_selector or {}).items()
        return (
            all(node.labels.get(key) == value for key, value in wanted)
            and self._likes(node)
            and all(self._tolerates(taint) for taint in node.taints if taint.effect in _REPELLING)
        )

    def _likes(self, node: Node) -> bool:
        affinity = self.spec.affinity and self.spec.affinity.node_affinity
        required = affinity and affinity.required_during_scheduling_ignored_during_execution
        if not required:
            return True
        return any(
            _all_match(term.match_expressions, node.labels) for term in required.node_selector_terms
        )

    def _tolerates(self, taint: Any) -> bool:
        return any(
            each.effect in (None, taint.effect)
            and (each.key in (None, taint.key))
            and (each.operator == "Exists" or (each.key and each.value == taint.value))
            for each in self.spec.tolerations or ()
        )

    def keeps_away_from(self, other: "Planned") -> Iterator[str]:
        """Yield each label of nodes in whose value this pod must differ from another one of its namespace."""
        affinity = self.spec and self.spec.affinity and self.spec.affinity.pod_anti_affinity
        terms = affinity and affinity.required_during_scheduling_ignored_during_execution
        for term in terms or ():
            if term.label_selector is not None and _selects(term.label_selector, other.labels):
                yield term.topology_key


_REPELLING = ("NoSchedule", "NoExecute")
"""The effects of taints that keep a new pod away."""


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    exact = (selector.match_labels or {}).items()
    return all(labels.get(key) == value for key, value in exact) and _all_match(
        selector.match_expressions, labels
    )


def _all_match(expressions: Iterable[Any] | None, labels: Mapping[str, str]) -> bool:
    return all(_matches(each, labels.get(each.key)) for each in expressions or ())


def _matches(expression: Any, found: str | None) -> bool:
    """Return whether a label's value is as an expression wants it; one that is not understood is not fulfilled."""
    values: list[str] = list(expression.values or ())
    number = int(values[0]) if expression.operator in ("Gt", "Lt") else 0
    numeric = found is not None and found.isdigit()
    return {
        "In": found in values,
        "NotIn": found not in values,
        "Exists": found is not None,
        "DoesNotExist": found is None,
        "Gt": numeric and int(found or 0) > number,
        "Lt": numeric and int(found or 0) < number,
    }.get(expression.operator, False)


def does_not_fit(pods: Iterable[Planned], nodes: Iterable[Node]) -> Planned | None:
    """Place pods on nodes as the scheduler may, the largest first; return the first that fits nowhere, or None.

    They all come into one namespace that is empty yet, so that they keep away from each other only.
    """
    free = list(nodes)
    placed: list[tuple[Planned, Node]] = []
    for pod in sorted(pods, key=lambda each: (each.asks.memory, each.asks.cpu), reverse=True):
        fitting = [
            index
            for index, node in enumerate(free)
            if node.free.covers(pod.asks) and pod.may_be_on(node) and _far_enough(pod, node, placed)
        ]
        if not fitting:
            return pod
        roomiest = max(fitting, key=lambda index: free[index].free.memory)
        placed.append((pod, free[roomiest]))
        free[roomiest] = replace(free[roomiest], free=free[roomiest].free.minus(pod.asks))
    return None


def _far_enough(pod: Planned, node: Node, placed: Iterable[tuple[Planned, Node]]) -> bool:
    return not any(
        key in node.labels and node.labels[key] == there.labels.get(key)
        for other, there in placed
        for key in (*pod.keeps_away_from(other), *other.keeps_away_from(pod))
    )
