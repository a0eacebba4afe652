"""Pulumi's own preview of the next `up`, in a phase that is set for that preview only.

It reads a copy of the stack's settings: the user's file is not touched, whatever happens.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import CommandError

from cli.driver.events import Change, EventCollector
from cli.driver.machine import check_temporary_folder
from cli.errors import PulumiFailed
from cli.stacks.failures import failure
from cli.stacks.project import Project
from dualregion.procedure import Phase
from messages.command import driving as messages


@dataclass(frozen=True)
class Preview:
    """What the next `up` on a stack would do.

    :ivar refusal: why the program refuses, or None.
    :ivar waiting_for: what the stack would wait for, in a sentence, or None.
    :ivar waiting: the same for programs, as in the output `waiting`.
    """

    stack: str
    changes: tuple[Change, ...] = ()
    refusal: str | None = None
    waiting_for: str | None = None
    waiting: Mapping[str, Any] | None = None


def preview(project: Project, stack: str, phase: Phase, lost: int | None) -> Preview:
    """Preview the next `up` of a stack as if this phase were set.

    :raises PulumiFailed: if it fails without a message of the program.
    """
    check_temporary_folder()
    collector = EventCollector()
    with tempfile.TemporaryDirectory(prefix="dualregion-") as folder:
        settings = Path(folder) / project.settings_file(stack).name
        settings.write_text(yaml.safe_dump(_settings(project, stack, phase, lost)))
        settings.chmod(0o600)
        try:
            project.ask(stack, lambda: _run(project, stack, settings, collector))
        except PulumiFailed:
            if not collector.errors:
                raise
    waiting_for = collector.outputs.get("waitingFor")
    return Preview(
        stack,
        tuple(collector.changes),
        collector.refusal or None,
        str(waiting_for) if waiting_for else None,
        collector.outputs.get("waiting"),
    )


def _run(project: Project, stack: str, settings: Path, collector: EventCollector) -> None:
    try:
        project.stack(stack).preview(
            config_file=str(settings), on_event=collector, color="never", suppress_outputs=True
        )
    except CommandError as error:
        raise PulumiFailed(messages.of_stack(stack, failure(str(error)))) from None


def _settings(project: Project, stack: str, phase: Phase, lost: int | None) -> dict[str, Any]:
    """Return the stack's settings file with the phase in it."""
    path = project.settings_file(stack)
    document: dict[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {}
    config = dict(document.get("config") or {})
    config[f"{project.name}:phase"] = phase.value
    if lost is not None:
        config[f"{project.name}:lostRegion"] = lost
    return document | {"config": config}
