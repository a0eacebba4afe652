"""`dualregion failover`, `dualregion failback` and `dualregion install`."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from cli.common import (
    Lost,
    ProjectOptions,
    ending_clearly,
    note_error,
    output,
    print_error,
    region_of,
    with_codes,
)
from cli.completion import stops
from cli.driver.confirm import Consent
from cli.driver.driver import Driver
from cli.driver.operations import PulumiOperations
from cli.errors import Exit, HookFailed, PulumiFailed, Stopped
from cli.notify import services, transport
from cli.notify.notifier import Notifier
from cli.signature import signature
from cli.stacks.project import Project
from cli.stacks.read import Both, Reading
from cli.stacks.run_message import RunMessage
from cli.status.guidance.next_step import next_of, phase_of
from dualregion.errors import DualRegionError

Yes = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Answer questions with yes, but those that have an option of their own."
    ),
]
YesDeleteRegion = Annotated[
    bool,
    typer.Option(
        "--yes-delete-region",
        help="Answer with yes, too, whether the lost region is deleted although it still answers.",
    ),
]
YesUnlock = Annotated[
    bool,
    typer.Option(
        "--yes-unlock",
        help="Answer with yes, too, whether a lock is removed whose process is not to be found here.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="STEP", help="Stop after this step, such as B1.", autocompletion=stops
    ),
]
Message = Annotated[
    str, typer.Option("--message", "-m", help="Added to the stack history, such as the incident.")
]
Ticket = Annotated[
    str,
    typer.Option(
        "--ticket",
        envvar="DUALREGION_TICKET",
        help="The incident's ticket: the stack history keeps it, and `dualregion report` names it.",
    ),
]

NoHooks = Annotated[bool, typer.Option("--no-hooks", help="Call no hook, and tell no service.")]


def failover(
    context: typer.Context,
    lost: Lost,
    *,
    yes: Yes = False,
    yes_delete_region: YesDeleteRegion = False,
    yes_unlock: YesUnlock = False,
    until: Until = None,
    message: Message = "",
    ticket: Ticket = "",
    no_hooks: NoHooks = False,
) -> None:
    """Fail over: set the phase on both stacks and run `pulumi up` on each in its turn, F0 to F3 and R.

    It previews first, and has you type the name of the lost region before it begins, and before that region is
    deleted although it still answers. Ctrl-C stops it; run the same command again to continue.

    For example:

        dualregion failover --lost 1

        dualregion failover --lost paris --ticket INC-4711

        dualregion failover --lost 1 --yes --ticket INC-4711 --message "paris lost power"

        dualregion failover --lost 1 --yes --yes-delete-region

        dualregion failover --lost 1 --until F3
    """

    def move(project: Project, stacks: tuple[str, str]) -> _Drive:
        of = region_of(lost, "--lost", lambda: names_of(project, stacks))
        return f"failover --lost {of}", lambda driver: driver.failover(of)

    _carry_out(
        context.obj,
        move,
        consents=_consents(yes=yes, delete_region=yes_delete_region, unlock=yes_unlock),
        until=until,
        message=message,
        ticket=ticket,
        no_hooks=no_hooks,
    )


def failback(
    context: typer.Context,
    *,
    yes: Yes = False,
    yes_unlock: YesUnlock = False,
    until: Until = None,
    message: Message = "",
    ticket: Ticket = "",
    no_hooks: NoHooks = False,
) -> None:
    """Fail back: phases failback-pending, restored and normal in turn, B0 to B7 and N.

    Its clusters answer again, the lost region's is empty. It asks before it begins, before web apps go down
    and exporters pause, and before the failover installation is removed. Ctrl-C stops it; run the same command
    again to continue.

    For example:

        dualregion failback

        dualregion failback --until B1

        dualregion failback --yes
    """
    _carry_out(
        context.obj,
        lambda *_: ("failback", Driver.failback),
        consents=_consents(yes=yes, unlock=yes_unlock),
        until=until,
        message=message,
        ticket=ticket,
        no_hooks=no_hooks,
    )


def install(
    context: typer.Context,
    *,
    yes: Yes = False,
    yes_unlock: YesUnlock = False,
    message: Message = "",
) -> None:
    """Install both regions for the first time: run `pulumi up` on each stack in its turn, until N is proved on both.

    It previews first, and asks before it begins. With the setting `adopt` it takes over what runs already. Ctrl-C
    stops it; run the same command again to continue.

    For example:

        dualregion install

        dualregion install --yes
    """
    _carry_out(
        context.obj,
        lambda *_: ("install", Driver.install),
        consents=_consents(yes=yes, unlock=yes_unlock),
        until=None,
        message=message,
        ticket="",
        no_hooks=True,
    )


def _consents(
    *, yes: bool, delete_region: bool = False, unlock: bool = False
) -> frozenset[Consent]:
    """Return the options that were given."""
    typed = {
        Consent.YES: yes,
        Consent.DELETE_REGION: delete_region,
        Consent.UNLOCK: unlock,
    }
    return frozenset(option for option, is_typed in typed.items() if is_typed)


_Drive = tuple[str, Callable[[Driver], Both]]
"""What was typed, and what it does."""


def _carry_out(
    options: ProjectOptions,
    move: Callable[[Project, tuple[str, str]], _Drive],
    *,
    consents: frozenset[Consent],
    until: str | None,
    message: str,
    ticket: str,
    no_hooks: bool,
) -> None:
    """Drive, and show the state in the end, however it ends."""
    console = output()
    with ending_clearly():
        project, names = options.project(), options.names()
        what, drive = move(project, names)
        text = RunMessage(what, signature(), message, ticket)
        operations = PulumiOperations(project, names, console, consents, text)
        call = None if no_hooks else partial(transport.call, folder=project.folder)
        tell = None if no_hooks else services.tell
        notifier = Notifier(call, operations.show, signature(), tell)
        driver = Driver(operations, until and until.upper(), notifier)
        try:
            stacks = drive(driver)
        except (Stopped, KeyboardInterrupt) as stopped:
            if isinstance(stopped, Stopped):
                note_error(stopped)
                operations.show(with_codes(stopped))
            _show_state(operations, operations.stacks())
            raise typer.Exit(Exit.INTERRUPTED) from None
        except (HookFailed, PulumiFailed) as failed:
            # What failed stands first, and what to do about it last.
            print_error(failed)
            with suppress(DualRegionError):
                _show_state(operations, operations.stacks())
            raise typer.Exit(Exit.FAILED) from None
        _show_state(operations, stacks)


def names_of(project: Project, stacks: tuple[str, str]) -> tuple[str, ...]:
    """Return the names of both regions, as the project's configuration has them."""
    return tuple(each.name for each in Reading(project, stacks).settings[0].regions)


def _show_state(operations: PulumiOperations, stacks: Both) -> None:
    """Show what is proved and what is next, by the stacks alone."""
    for stack in stacks:
        proved = " ".join(stack.state.held.gates) or "nothing"
        operations.show(f"stack {stack.name}: phase {stack.settings.phase}, proved: {proved}")
    if told := operations.to_commit(phase_of(stacks)[0]):
        operations.show(told)
    following = next_of(stacks)
    if following:
        operations.show(str(following))
