"""`dualregion notify`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from cli import transcript
from cli.common import ProjectOptions, ending_clearly, output
from cli.notify import services, transport
from cli.notify.notifier import trial_document
from cli.signature import signature
from cli.stacks.read import Reading
from cli.transcript import Event
from clients.parallel import begin
from dualregion.config.sections.notifications import AnnouncementSettings
from dualregion.errors import ConfigError, Refused
from messages import Message, with_code
from messages.command import driving as messages


def notify(
    context: typer.Context,
    is_test: Annotated[
        bool,
        typer.Option("--test", help="Send each of them a notification that says it is a test."),
    ] = False,
) -> None:
    """Show who is notified of a failover and failback, and try it: `hooks.notify` and `hooks.services`.

    The point of a test is `test`. `hooks.trafficReroute` is never called by it. It asks the stacks' configuration
    only, and changes nothing.

    For example:

        dualregion notify

        dualregion notify --test
    """
    options: ProjectOptions = context.obj
    with ending_clearly():
        project = options.project()
        hooks = Reading(project, options.names()).settings[0].hooks
        about = trial_document(signature(), datetime.now(UTC))
        calls = dict(_receivers(hooks, partial(transport.call, folder=project.folder), about))
        if not calls:
            raise ConfigError([messages.nothing_to_notify()])
        if not is_test:
            for name in calls:
                _show(name)
            return
        _try(calls)


_Try = Callable[[], Message | None]
"""Sends the test, and returns why that failed, or None."""


def _receivers(
    hooks: AnnouncementSettings, call: transport.Call, about: transport.Document
) -> Iterator[tuple[str, _Try]]:
    """Yield each receiver as it may be shown, and what sends it the test."""
    if hooks.notify is not None:
        yield f"hooks.notify: {hooks.notify}", partial(call, hooks.notify, about)
    for index, each in enumerate(hooks.services):
        limit = f", of {', '.join(each.points)}" if each.points else ""
        yield f"hooks.services[{index}]: {each}{limit}", partial(services.tell, each, about)


def _try(calls: dict[str, _Try]) -> None:
    """Send all tests at the same time, and show what became of each.

    :raises Refused: if one failed.
    """
    sent: dict[str, Future[Message | None]] = {name: begin(each) for name, each in calls.items()}
    unreached = []
    for name, answer in sent.items():
        reason = answer.result()
        _show(f"{name}: {with_code(reason) if reason else 'sent'}")
        if reason:
            unreached.append(name)
    if unreached:
        raise Refused(messages.test_unreached(tuple(unreached)))


def _show(line: str) -> None:
    transcript.note(Event.LINE, line)
    output().print(line, markup=False, soft_wrap=True)
