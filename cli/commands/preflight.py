"""`dualregion preflight`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cli import transcript
from cli.check import Check, Outcome
from cli.checks import figures, offline
from cli.checks.figures import Figures
from cli.checks.live import of_region
from cli.checks.offline import CheckContext
from cli.checks.past import of_file, of_stacks
from cli.common import ProjectOptions, ending_clearly, output, print_json
from cli.errors import Exit
from cli.metrics.families import Command
from cli.metrics.found import of_checks, of_estimate
from cli.metrics.option import PrometheusFile, one_output
from cli.metrics.textfile import exported
from cli.notify import services, transport
from cli.stacks.project import Project
from cli.status.looking import look
from cli.status.shown.table import row, table
from cli.transcript import Event
from clients.charts import defaults_of
from clients.files import chart_version, check_chart, read_failover_values, read_values
from clients.parallel import begin
from dualregion.errors import DualRegionError
from dualregion.procedure import Phase
from messages import Message, code_of
from messages.command import checks as messages


class Procedure(StrEnum):
    """What is to follow."""

    FAILOVER = "failover"
    FAILBACK = "failback"


def preflight(
    context: typer.Context,
    procedure: Annotated[
        Procedure | None,
        typer.Argument(
            help="What is to follow. Default: failback if a region is lost, else failover."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    prometheus: PrometheusFile = None,
    drill: Annotated[
        Path | None,
        typer.Option(
            help="Estimate by this rehearsal: report.json of a drill, or what `history --json` has printed.",
            metavar="FILE",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Check beforehand all that can be known; each failure comes with its remedy. Fit for a nightly job.

    It changes nothing but this: to see that the snapshot repository can be written, it is registered in each
    search engine under a name of its own, and removed again.

    Exit status: 0 all hold, 1 some failed, 13 none failed, but some could not be made.

    For example:

        dualregion preflight

        dualregion preflight failback --json | jq '.checks[] | select(.outcome != "ok")'

        dualregion preflight --drill staging-history.json

        dualregion preflight --prometheus /var/lib/node_exporter/dualregion-preflight.prom
    """
    options: ProjectOptions = context.obj
    one_output(prometheus, as_json)
    with ending_clearly(Exit.CANNOT_TELL, as_json=as_json):
        project, names = options.project(), options.names()
        with exported(prometheus, Command.PREFLIGHT, project, names) as metrics:
            ctx = _context(project, names)
            lost = ctx.status.phase is not Phase.NORMAL
            chosen = procedure or (Procedure.FAILBACK if lost else Procedure.FAILOVER)
            past = of_file(drill) if drill else of_stacks(ctx.status.stacks)
            counting = begin(partial(figures.look, ctx, past))
            found = tuple(all_checks(ctx, failback=chosen is Procedure.FAILBACK))
            told = counting.result()
            samples = (*of_checks(chosen, found), *of_estimate(told.of, told.held.value))
            metrics.add(samples, exit_status(found))
        _note(found, told)
        if not metrics.replaces_output:
            _show(chosen, found, told, as_json)
    raise typer.Exit(exit_status(found))


def _note(found: tuple[Check, ...], told: Figures) -> None:
    """Add what was found to the transcript."""
    for each in found:
        transcript.note(Event.CHECK, each.name, **_outcome(each))
    for sentence in told.sentences():
        transcript.note(Event.LINE, sentence)


def _show(procedure: Procedure, found: tuple[Check, ...], told: Figures, as_json: bool) -> None:
    if as_json:
        checks = [_plain(each) for each in found]
        print_json({"procedure": procedure, "checks": checks, "estimate": _estimate(told)})
        return
    output().print(_screen(procedure, found))
    for sentence in (*told.sentences(), _summary(found)):
        output().print(sentence, markup=False, soft_wrap=True)


def _estimate(told: Figures) -> dict[str, Any]:
    held = told.held.value
    return {
        "failover": {"commandsSeconds": told.of.commands, "seconds": told.of.failover},
        "failback": {"pausedSeconds": told.of.paused, "seconds": told.of.failback},
        "restarts": told.of.restarts,
        "bytes": held and held.bytes,
        "documents": held and held.documents,
        "basedOn": told.past and told.past.name,
        "silence": told.held.error,
        "code": code_of(told.held.error),
    }


def all_checks(ctx: CheckContext, *, failback: bool) -> Iterator[Check]:
    """Make every check; both regions are queried at the same time."""
    live = [
        begin(lambda ask=ask: list(ask()))  # type: ignore[misc]
        for ask in (partial(of_region, ctx, region, failback=failback) for region in (0, 1))
    ]
    yield from offline.always(ctx)
    yield from transport.checks(ctx.settings.hooks, ctx.folder)
    yield from services.checks(ctx.settings.hooks)
    yield from (offline.before_failback if failback else offline.before_failover)(ctx)
    yield from chain.from_iterable(future.result() for future in live)


def exit_status(found: tuple[Check, ...]) -> Exit:
    """Return what the checks amount to."""
    outcomes = {each.outcome for each in found}
    if Outcome.FAILED in outcomes:
        return Exit.FAILED
    return Exit.CANNOT_TELL if Outcome.UNKNOWN in outcomes else Exit.HEALTHY


def _context(project: Project, names: tuple[str, str]) -> CheckContext:
    status = look(project, names)
    settings = status.stacks[0].settings
    plain = tuple(each for each in names if _has_plain_keys(project, each))
    ctx = CheckContext(status, project.backend(), folder=project.folder, plain_keys=plain)
    try:
        check_chart(settings.chart, project.folder)
        chart = chart_version(settings.chart, project.folder)
        values = read_values(settings.values, project.folder)
        defaults = defaults_of(settings.chart, project.folder)
        of_failover = read_failover_values(settings.failover_values, project.folder)
    except DualRegionError as error:
        return replace(ctx, values_problem=error.message)
    return replace(ctx, values=values, failover_values=of_failover, chart=chart, defaults=defaults)


def _has_plain_keys(project: Project, stack: str) -> bool:
    """Whether a stack holds the search engine's keys, and not as a secret."""
    found = project.configuration(stack).get(f"{project.name}:elasticsearchSecret")
    return found is not None and not found.secret


def _outcome(check: Check) -> dict[str, Any]:
    """Return what the transcript has of a check beside its name."""
    plain = _plain(check)
    return {key: plain[key] for key in ("outcome", "found", "foundCode", "remedy", "remedyCode")}


def _plain(check: Check) -> dict[str, Any]:
    return {
        "code": check.code,
        "name": check.name,
        "about": dict(check.name.facts),
        "outcome": check.outcome,
        "found": check.found or "",
        "foundCode": code_of(check.found),
        "remedy": check.remedy or "",
        "remedyCode": code_of(check.remedy),
    }


_COLOURS = {Outcome.OK: "green", Outcome.FAILED: "red", Outcome.UNKNOWN: "magenta"}


def _screen(procedure: Procedure, found: tuple[Check, ...]) -> Table:
    shown = table(f"Preflight of a {procedure}", "", "check", "found, and what to do")
    for each in found:
        row(shown, Text(each.outcome, _COLOURS[each.outcome]), each.name, each.found)
        if each.remedy:
            row(shown, " ", " ", f"-> {each.remedy}")
    return shown


def _summary(found: tuple[Check, ...]) -> Message:
    """Return what the checks amount to: the last line counts."""
    counts = Counter(each.outcome for each in found)
    return messages.checks_made(len(found), counts[Outcome.FAILED], counts[Outcome.UNKNOWN])
