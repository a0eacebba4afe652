"""`dualregion plan failover` and `dualregion plan failback`: what would be done, and nothing changed."""

from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cli import transcript
from cli.common import (
    Lost,
    ProjectOptions,
    ending_clearly,
    output,
    print_json,
    region_of,
)
from cli.driver.previews import Preview, preview
from cli.notify.events import Point, after, before
from cli.stacks.project import Project
from cli.stacks.read import Both, Reading
from cli.stacks.region_steps import RegionStep, ahead
from cli.stacks.step_actions import calls
from cli.status.failover_standing import as_they_stand
from cli.status.guidance.moves import failback_lost, failback_phases, failover_phases
from cli.transcript import Event
from clients.parallel import begin
from dualregion import brokers
from dualregion.errors import Refused
from dualregion.procedure import Phase
from messages.command import driving as messages

app = typer.Typer(no_args_is_help=True)

_INDENT = 6
"""How far what belongs to a step is moved in."""

AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]


@app.callback()
def plan() -> None:
    """Show what a failover or failback would do. Nothing is changed."""


@app.command()
def failover(context: typer.Context, lost: Lost, as_json: AsJson = False) -> None:
    """Show the steps of a failover that are ahead, and Pulumi's preview of the next `up` on each stack.

    No stack's configuration is touched. Right after a loss the preview waits up to 30 seconds for the
    survivor's gateway to forget the dead brokers.

    For example:

        dualregion plan failover --lost 1

        dualregion plan failover --lost paris
    """
    with ending_clearly(as_json=as_json):
        project, stacks = _read(context.obj)
        names = [each.settings.own.name for each in stacks]
        region = region_of(lost, "--lost", lambda: names)
        phases = failover_phases(region, stacks)
        _show(_document(project, stacks, region, tuple(phases)), as_json)


@app.command()
def failback(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the steps of a failback that are ahead, and Pulumi's preview of the next `up` on each stack.

    For example:

        dualregion plan failback
    """
    with ending_clearly(as_json=as_json):
        project, stacks = _read(context.obj)
        lost = failback_lost(stacks)
        phases = failback_phases(lost, stacks)
        _show(_document(project, stacks, lost, tuple(phases)), as_json)


def _read(options: ProjectOptions) -> tuple[Project, Both]:
    project, names = options.project(), options.names()
    return project, as_they_stand(Reading(project, names).stacks())


def _document(
    project: Project, stacks: Both, lost: int, phases: tuple[Phase, ...]
) -> dict[str, Any]:
    """Return the plan as a JSON document.

    :raises Refused: if the program refuses.
    """
    found: list[Future[Preview]] = [
        begin(partial(preview, project, each.name, phases[0], lost)) for each in stacks
    ]
    previews = [each.result() for each in found]
    refusals = tuple(
        messages.of_stack(each.stack, each.refusal) for each in previews if each.refusal
    )
    if refusals:
        raise Refused(refusals[0] if len(refusals) == 1 else messages.preview_refused(refusals))
    return {
        "lostRegion": lost,
        "phase": phases[0],
        "steps": list(_steps(stacks, lost, phases)),
        "previews": [
            {
                "stack": each.stack,
                "changes": [str(change) for change in each.changes],
                "waitingFor": each.waiting_for,
                "waiting": each.waiting,
            }
            for each in previews
        ],
    }


def _steps(stacks: Both, lost: int, phases: tuple[Phase, ...]) -> Iterator[dict[str, Any]]:
    """Return each step ahead, of all phases, once."""
    seen: set[RegionStep] = set()
    named: set[str] = set()
    for phase in phases:
        of = None if phase is Phase.NORMAL else lost
        for step in ahead(phase, of, stacks):
            if step in seen:
                continue
            seen.add(step)
            stack = stacks[step.region]
            hooks = [each for each in _hooks(step, lost, stacks) if each["point"] not in named]
            named.update(each["point"] for each in hooks)
            yield {
                "step": step.id,
                "phase": phase,
                "stack": stack.name,
                "region": stack.settings.own.name,
                "title": step.title,
                "calls": list(calls(step, stack.settings, of)),
                "hooks": hooks,
            }


def _hooks(step: RegionStep, lost: int, stacks: Both) -> Iterator[dict[str, str]]:
    """Return the user's own hooks that are called at a step."""
    survivor = stacks[brokers.other(lost)].settings
    hooks = survivor.hooks
    points: tuple[tuple[str, Point | None], ...] = (
        ("before", before(step)),
        ("after", after(survivor.procedure, step, lost)),
    )
    for when, point in points:
        if point is None:
            continue
        hook = point.hook_of(hooks)
        if hook:
            yield {"when": when, "hook": point.hook, "point": point, "calls": str(hook)}
        for service in hooks.services:
            if service.wants(point):
                yield {"when": when, "hook": "services", "point": point, "calls": str(service)}


def _show(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    show = partial(_print, output())
    show(f"phase {document['phase']}, lostRegion {document['lostRegion']}, on both stacks; then")
    for number, each in enumerate(document["steps"], 1):
        show("")
        show(
            f"{number:>2}. {each['step']} on stack {each['stack']} ({each['region']}): {each['title']}"
        )
        for call in each["calls"]:
            show(call, _INDENT)
        for hook in each["hooks"]:
            show(
                f"{hook['when']} it hook {hook['hook']}: {hook['point']}, {hook['calls']}", _INDENT
            )
    for each in document["previews"]:
        show("")
        show(f"Pulumi's preview of the next `up` on stack {each['stack']}")
        for change in each["changes"] or ["no change"]:
            show(change, _INDENT)
        if each["waitingFor"]:
            show(f"then it waits: {each['waitingFor']}", _INDENT)
    show("")
    show("Nothing was changed.")


def _print(console: Console, text: str, indent: int = 0) -> None:
    """Print a line, and note it; at a terminal a longer one is continued below its beginning, between two words."""
    transcript.note(Event.LINE, text)
    if console.is_terminal:
        console.print(Padding.indent(Text(text), indent))
    else:
        console.print(" " * indent + text, markup=False, soft_wrap=True)
