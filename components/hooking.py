"""How a hook's work is carried out, whatever it is."""

import asyncio
import os
from collections.abc import Callable

import grpc

from clients.cluster.kubernetes import CallFailed
from dualregion.errors import DualRegionError
from messages import with_code
from messages.steps import components as messages


async def carry_out(name: str, work: Callable[[], None]) -> None:
    """Do a hook's work in a thread, so that the engine shows its progress lines at once.

    :param name: whose work it is, for the error of a cluster that does not answer.
    :raises DualRegionError: if it fails, with its code at the end of what the engine shows.
    """
    await asyncio.to_thread(_attempt, name, work)


def _attempt(name: str, work: Callable[[], None]) -> None:
    try:
        work()
    except CallFailed as error:
        raise _coded(DualRegionError(messages.call_failed(name, error.message))) from None
    except DualRegionError as error:
        raise _coded(error) from None
    except grpc.RpcError:
        # The engine that asked for this is gone (killed): the result would reach no one, and the next
        # `pulumi up` does the work itself.
        os._exit(1)


def _coded(error: DualRegionError) -> DualRegionError:
    """Return the error with its code in its text, which is all that the engine takes of it."""
    error.args = (with_code(error.message),)
    return error
