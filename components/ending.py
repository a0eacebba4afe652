"""How the program ends before its time: in one message, without a trace."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pulumi

from dualregion.errors import ConfigError, DualRegionError, unforeseen
from dualregion.secrets import without_secrets
from messages import with_code
from messages.steps import components as messages
from steps.paused_exporters import notice_of_interruption


@contextmanager
def before_any_change() -> Iterator[None]:
    """Tell of an error of the project's own that nothing was changed; nothing may have been declared by then.

    :raises pulumi.RunError: with the error's sentences.
    """
    try:
        yield
    except DualRegionError as error:
        problems = error.problems if isinstance(error, ConfigError) else (error.message,)
        refusal = messages.nothing_was_changed(problems)
        raise pulumi.RunError(refusal.redacted(without_secrets)) from None


def ending_clearly(work: Callable[[], None]) -> None:
    """Run the program; an error that was not foreseen tells its kind and place, and no more.

    :raises pulumi.RunError: a trace would tell the operator nothing, and an error's text may hold Helm values,
        passwords among them.
    """
    signal.signal(signal.SIGINT, _exit_quietly)
    try:
        work()
    except pulumi.RunError:
        raise
    except Exception as error:
        raise pulumi.RunError(with_code(messages.unforeseen(unforeseen(error)))) from None


def _exit_quietly(*_: object) -> None:
    """Leave at once when the engine, or Ctrl-C, stops the program: a stack trace would tell nothing.

    A step that is under way leaves no record, so the next `pulumi up` does it again. Only what may be paused is told.
    """
    if notice := notice_of_interruption():
        print(notice, file=sys.stderr, flush=True)
    os._exit(1)
