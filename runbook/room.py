"""Whether pods fit on nodes: by what they ask for, as the scheduler counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def does_not_fit(pods: Iterable[Resources], nodes: Iterable[Resources]) -> Resources | None:
    """Place pods on nodes, the largest first; return the first that fits nowhere, or None."""
    free = list(nodes)
    for pod in sorted(pods, key=lambda each: (each.memory, each.cpu), reverse=True):
        fitting = [index for index, node in enumerate(free) if node.covers(pod)]
        if not fitting:
            return pod
        roomiest = max(fitting, key=lambda index: free[index].memory)
        free[roomiest] = free[roomiest].minus(pod)
    return None
