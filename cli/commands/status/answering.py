"""The answer of `dualregion status`: looked at once, or again and again, and shown as it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import sleep

from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from cli import transcript
from cli.common import output, print_json, with_codes
from cli.errors import Exit
from cli.metrics.families import Command
from cli.metrics.found import of_status
from cli.metrics.textfile import exported
from cli.stacks.project import Project
from cli.stacks.read import visible_settings
from cli.status.health import Health, Status
from cli.status.looking import look
from cli.status.shown import table
from cli.status.shown.document import document
from cli.transcript import Event
from dualregion.errors import DualRegionError

EXITS = {
    Health.HEALTHY: Exit.HEALTHY,
    Health.MID_PROCEDURE: Exit.MID_PROCEDURE,
    Health.DEGRADED: Exit.DEGRADED,
    Health.UNSAFE: Exit.UNSAFE,
    Health.CANNOT_TELL: Exit.CANNOT_TELL,
}


@dataclass(frozen=True)
class Answering:
    """How `status` answers.

    :ivar patience: how long what does not answer is waited for, in seconds.
    :ivar with_last: whether each stack's last update is shown.
    :ivar prometheus: where metrics are written, if at all.
    """

    project: Project
    names: tuple[str, str]
    patience: float
    with_last: bool
    short: bool = False
    full: bool = False
    as_json: bool = False
    prometheus: str | None = None

    def once(self) -> Exit:
        """Look, and answer; return the exit status.

        :raises DualRegionError: if nothing can be told.
        """
        with exported(self.prometheus, Command.STATUS, self.project, self.names) as metrics:
            found = self._look()
            metrics.add(of_status(found), EXITS[found.health])
        _note(found)
        if self.as_json:
            print_json(document(found))
        elif not metrics.replaces_output:
            # What is to be typed stays in one piece, however long it is.
            output().print(self._shown(found), crop=False)
        return EXITS[found.health]

    def again_and_again(self, interval: float) -> None:
        """Show the status again and again until Ctrl-C; after an error, too.

        :param interval: how long after an answer it is looked again, in seconds.
        """
        console = output()
        try:
            with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
                while True:
                    live.update(_or_error(lambda: self._shown(self._look())), refresh=True)
                    sleep(interval)
        except KeyboardInterrupt:
            return

    def _look(self) -> Status:
        # Nothing encrypted is looked at: no passphrase is needed, and no `pulumi` to decrypt.
        return look(
            self.project,
            self.names,
            self.patience,
            with_last=self.with_last,
            settings=visible_settings,
        )

    def _shown(self, found: Status) -> RenderableType:
        show = table.short if self.short else partial(table.screen, full=self.full)
        return show(found)


def _note(found: Status) -> None:
    """Add what was seen to the transcript."""
    transcript.note(Event.HEALTH, health=found.health, phase=found.phase, incident=found.incident)
    for each in found.findings:
        transcript.note(Event.FINDING, each.message, health=each.health)
    if found.next is not None:
        following = found.next.dualregion or found.next.command
        transcript.note(Event.NEXT, found.next.what, turn=found.next.who, type=following)


def _or_error(shown: Callable[[], RenderableType]) -> RenderableType:
    try:
        return shown()
    except DualRegionError as error:
        return Text(f"error: {with_codes(error)}", "red")
