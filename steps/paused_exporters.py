"""No failure leaves exporters paused silently: whatever it is, its message adds that, and how to continue or back out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

import grpc

from clients import installation
from dualregion.errors import ConfigError, DualRegionError
from dualregion.observed import zeebe_answers
from messages import Message
from messages.clients.reasons import other_error
from messages.steps import exporting as messages
from steps.context import StepContext

ENGINE_GONE = grpc.RpcError
"""What a progress line raises once the engine that asked for the step is gone: it would reach no one, and nothing more is done."""
_at_work: list[StepContext] = []
"""The steps under way that may have exporters paused; they are ended without a word when the program is."""


def notice_of_interruption() -> Message | None:
    """Return what an operator must know who interrupts the program in the midst of such a step, or None."""
    if not _at_work:
        return None
    return _notice(_at_work[-1], messages.perhaps_paused())


@contextmanager
def report_paused_exporters(ctx: StepContext) -> Iterator[None]:
    """Add the notice of paused exporters to any failure, whichever class it is of.

    :raises DualRegionError: in the place of what is not meant for a user's eyes.
    """
    _at_work.append(ctx)
    try:
        with _report(ctx):
            yield
    finally:
        _at_work.pop()


@contextmanager
def _report(ctx: StepContext) -> Iterator[None]:
    try:
        yield
    except DualRegionError as error:
        paused = paused_now(ctx)
        if paused is None:
            raise
        kind = DualRegionError if isinstance(error, ConfigError) else type(error)
        raise kind(messages.failed_while_paused(error.message, _notice(ctx, paused))) from None
    except ENGINE_GONE:
        raise
    except Exception as error:
        paused = paused_now(ctx)
        if paused is None:
            raise
        # Its text is not shown: it may hold anything.
        fault = messages.program_fault(type(error).__name__, _place(error))
        raise DualRegionError(messages.failed_while_paused(fault, _notice(ctx, paused))) from None


def _notice(ctx: StepContext, where: Message) -> Message:
    return messages.exporters_paused(where, ctx.settings.procedure.no_return.id)


def _place(error: Exception) -> str:
    """Return the file and line that an exception comes from."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def paused_now(ctx: StepContext) -> Message | None:
    """Return where exporters are paused; what cannot be seen counts as paused."""
    try:
        found = installation.exporting(ctx.exporting_installations)
    except DualRegionError as error:
        return messages.pause_unknown(error.message)
    except Exception as error:
        return messages.pause_unknown(other_error(type(error).__name__))
    return (
        zeebe_answers.paused_anywhere(found)
        if found
        else messages.pause_unknown(messages.no_broker_answered())
    )
