"""What the state backend knows: the other stack's outputs, and what this stack's own state holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from dualregion.errors import BackendError, ConfigError
from dualregion.procedure import STEPS
from dualregion.progress import Stack
from dualregion.topology import NO_INCIDENT

TYPE_PREFIX = "dualregion:"
"""The Pulumi types of this project's components begin so."""

NODE_TYPES = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
)
"""The types of the resources that stand for a topology's nodes."""


def read_peer(stack: str) -> Stack:
    """Return what the other region's stack last said of itself, and what its state holds.

    It is read from the state backend, which outlasts the region.

    :raises ConfigError: if there is no such stack.
    """
    try:
        return _read(stack)
    except BackendError as error:
        raise ConfigError(
            [
                f"stack {stack} of the other region cannot be read ({error}): create it with "
                f"`pulumi stack init {stack}`, or name it with `pulumi config set peerStack NAME`"
            ]
        ) from None


def read_own() -> Stack:
    """Return what this stack's own state holds: from before this run, and before its refresh.

    :raises BackendError: if the state backend does not answer.
    """
    return _read(pulumi.get_stack())


def _read(stack: str) -> Stack:
    """Read a stack's outputs, the names of its nodes, and the incident that each gate names.

    Only what was really made counts: a component is in the state before anything of it exists.
    """
    outputs = _ask("readStackOutputs", "name", stack)
    held = _ask("readStackResourceOutputs", "stackName", stack)
    nodes = {_name(urn): resource for urn, resource in held.items() if _is_node(urn)}
    gates = {
        name: str((resource["outputs"].get("data") or {}).get("incident", NO_INCIDENT))
        for name, resource in nodes.items()
        if name in STEPS
    }
    descriptions = {
        name: str(text)
        for name, resource in nodes.items()
        if (text := resource["outputs"].get("description")) and name not in STEPS
    }
    return replace(Stack.of(outputs, frozenset(nodes), gates), descriptions=descriptions)


@retry(
    retry=retry_if_exception_type(BackendError),
    stop=stop_after_attempt(5),
    wait=wait_fixed(0.2),
    reraise=True,
)
def _ask(function: str, parameter: str, stack: str) -> Mapping[str, Any]:
    """Ask the engine for a stack's outputs or resources.

    A file backend can be read in the middle of the engine's own write, so one failure says nothing.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    try:
        answer = pulumi.runtime.invoke(f"pulumi:pulumi:{function}", {parameter: name}).value
    except Exception as error:
        raise BackendError(_first_line(error)) from None
    return (answer or {}).get("outputs") or {}


def _is_node(urn: str) -> bool:
    types = urn.split("::")[2].split("$")
    return types[0].startswith(TYPE_PREFIX) and types[-1] in NODE_TYPES


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
