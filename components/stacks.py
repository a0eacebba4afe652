"""What the state backend knows: the other stack's outputs, and what this stack's own state holds."""

from collections.abc import Mapping
from typing import Any

import pulumi
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from dualregion.errors import BackendError, ConfigError
from dualregion.held import nodes_of, stack_of
from dualregion.progress import Stack
from dualregion.secrets import without_secrets


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
    """Read a stack's outputs and what its state holds."""
    outputs = _ask("readStackOutputs", "name", stack)
    held = _ask("readStackResourceOutputs", "stackName", stack)
    return stack_of(outputs, nodes_of({urn: made["outputs"] for urn, made in held.items()}))


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


def _first_line(error: Exception) -> str:
    lines = without_secrets(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
