"""What Pulumi knows: the stack's configuration, what its own state holds, and the other stack's."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from dualregion.config.settings import Settings
from dualregion.errors import BackendError, ConfigError
from dualregion.secrets import without_secrets
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.progress import Stack
from messages.steps import components as messages


def settings_of_stack(project: Path) -> Settings:
    """Return the settings of the stack's configuration.

    :raises ConfigError: naming every problem.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    keys = [key for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)]
    texts = {key.removeprefix(prefix): config.require(key.removeprefix(prefix)) for key in keys}
    secret = [key.removeprefix(prefix) for key in keys if pulumi.runtime.is_config_secret(key)]
    return Settings.of_configuration(texts, str(project), secret)


def read_peer(stack: str) -> Stack:
    """Return what the other region's stack last said of itself, and what its state holds.

    It is read from the state backend, which outlasts the region.

    :raises ConfigError: if there is no such stack.
    """
    try:
        return _read(stack)
    except BackendError as error:
        raise ConfigError([messages.peer_stack_unreadable(stack, str(error))]) from None


def read_own() -> Stack:
    """Return what this stack's own state holds: from before this run, and before its refresh.

    :raises BackendError: if the state backend does not answer.
    """
    return _read(pulumi.get_stack())


def reading_both(peer: str) -> Callable[[], tuple[Stack, Stack]]:
    """Return what reads this stack and the other region's while the run is under way, from a hook's thread.

    It raises `BackendError` if the state backend does not answer.
    """
    own, loop = pulumi.get_stack(), asyncio.get_running_loop()

    async def read() -> tuple[Stack, Stack]:
        return await _read_in_hook(own), await _read_in_hook(peer)

    return lambda: asyncio.run_coroutine_threadsafe(read(), loop).result()


_OUTPUTS = ("pulumi:pulumi:readStackOutputs", "name")
_RESOURCES = ("pulumi:pulumi:readStackResourceOutputs", "stackName")
"""The engine's own functions, and the parameter that names the stack."""

_patient = retry(
    retry=retry_if_exception_type(BackendError),
    stop=stop_after_attempt(5),
    wait=wait_fixed(0.2),
    reraise=True,
)
"""A file backend can be read in the middle of the engine's own write, so one failure says nothing."""


def _read(stack: str) -> Stack:
    """Read a stack's outputs and what its state holds."""
    return _stack(_ask(*_OUTPUTS, stack), _ask(*_RESOURCES, stack))


async def _read_in_hook(stack: str) -> Stack:
    """Read the same in a hook, whose event loop runs already and must not be started again."""
    return _stack(await _ask_in_hook(*_OUTPUTS, stack), await _ask_in_hook(*_RESOURCES, stack))


def _stack(outputs: Mapping[str, Any], held: Mapping[str, Any]) -> Stack:
    return stack_of(outputs, nodes_of({urn: made["outputs"] for urn, made in held.items()}))


@_patient
def _ask(function: str, parameter: str, stack: str) -> Mapping[str, Any]:
    """Ask the engine for a stack's outputs or resources."""
    with _failing_as_backend():
        answer = pulumi.runtime.invoke(function, {parameter: _full_name(stack)}).value
    return (answer or {}).get("outputs") or {}


@_patient
async def _ask_in_hook(function: str, parameter: str, stack: str) -> Mapping[str, Any]:
    with _failing_as_backend():
        answer = await pulumi.runtime.invoke_async(function, {parameter: _full_name(stack)})
    return (answer or {}).get("outputs") or {}


@contextmanager
def _failing_as_backend() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise BackendError(messages.state_backend_failed(_first_line(error))) from None


def _full_name(stack: str) -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"


def _first_line(error: Exception) -> str:
    lines = without_secrets(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
