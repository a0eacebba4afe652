"""The procedure walked at a terminal with the runbook command: what is typed, and what must become of it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from drill.check import Check
from drill.checks import announced
from drill.operators.command_checks import (
    history_shows,
    is_refused,
    plan_shows,
    questions_were_asked,
    stopped_in_order,
    stops_fit,
    went_on,
)
from drill.report.report import CtrlC
from drill.report.results import Episode
from drill.settings import Incident
from drill.testbed.command import Session
from drill.testbed.context import DrillContext

_TO_BACK_OUT = "back out of the failback"

# --- wrong moves -----------------------------------------------------------------------------------------


def refuse_early_failover(ctx: DrillContext, incident: Incident) -> None:
    """Try a failover while both regions are healthy: it must be refused, and no hook called."""
    lost = ("failover", "--lost", str(incident.lost.index))
    _refuse(ctx, "normal", lost, "[region-not-lost]")
    ctx.check("normal", announced.none_was_called(announced.read(ctx.paths.announcements)))


def refuse_other_region(ctx: DrillContext, incident: Incident, label: str) -> None:
    """Call the survivor lost, too: it must be refused."""
    what = ("failover", "--lost", str(incident.survivor.index))
    with ctx.progress.stage(f"dualregion {' '.join(what)}, of the survivor: must be refused"):
        _refuse(ctx, label, what, "[incident-under-way]")


def _refuse(ctx: DrillContext, label: str, what: Sequence[str], because: str) -> None:
    before = _settings(ctx)
    session = ctx.command.drive(*what, answer="no")
    after = _settings(ctx)
    changed = [name for name in after if after[name] != before.get(name)]
    ctx.check(
        label,
        is_refused(session.run.exit_status, session.unwrapped, " ".join(what), because, changed),
    )


def _settings(ctx: DrillContext) -> dict[str, str]:
    return {each.name: each.read_text() for each in ctx.paths.project.glob("Pulumi.*.yaml")}


# --- failover --------------------------------------------------------------------------------------------


def plan_failover(ctx: DrillContext, incident: Incident, steps: Sequence[str], label: str) -> None:
    """Look at what a failover would do; meanwhile try a failback, which must be refused before it."""
    what = ("failover", "--lost", str(incident.lost.index))
    ctx.together(
        partial(_plan, ctx, what, steps, label),
        partial(_refuse, ctx, label, ("failback",), "[nothing-to-fail-back]"),
    )


def fail_over(ctx: DrillContext, incident: Incident, episode: Episode, label: str) -> None:
    """Fail over; in the first incident stop in its midst, and go on.

    :raises DrillError: the command failed.
    """
    what = ("failover", "--lost", str(incident.lost.index))
    procedure = ctx.settings.procedure
    stop_in = procedure.stopped_in
    asked: Session | None = None
    if incident.number == 1:
        with ctx.progress.stage(
            f"dualregion {' '.join(what)}, and Ctrl-C in the midst of {stop_in}"
        ):
            by_name = ("failover", "--lost", incident.lost.city)
            asked = ctx.command.drive(
                *by_name,
                stop_in=stop_in,
                stop_after=procedure.stopped_after,
                log="failover-stopped",
                name=incident.lost.city,
            )
        ctx.check(label, _stopped(asked, incident, stop_in))
    with ctx.progress.stage(f"dualregion {' '.join(what)}{', again' if asked else ''}"):
        began = time.monotonic()
        session = ctx.command.must_drive(*what, name=incident.lost.city)
    if asked and asked.operator.stopped is not None:
        again = session.operator.carried_out
        ctx.check(label, went_on(session.run.exit_status, again, stop_in))
        episode.ctrl_c = CtrlC(
            step=stop_in,
            ended_seconds=began - asked.operator.stopped,
            again_seconds=again[stop_in] - asked.operator.stopped if stop_in in again else None,
        )
    answered = [*(asked.operator.asked if asked else ()), *session.operator.asked]
    ctx.check(
        label,
        questions_were_asked(answered, procedure.questions["failover"], "failover"),
        stops_fit(answered, "failover"),
    )


def _stopped(session: Session, incident: Incident, stop_in: str) -> Check:
    return stopped_in_order(
        session.run.exit_status,
        session.window,
        stop_in,
        incident.survivor.stack,
        session.operator.stopped is not None,
    )


# --- failback --------------------------------------------------------------------------------------------


def plan_failback(ctx: DrillContext, steps: Sequence[str], label: str) -> None:
    """Look at what a failback would do."""
    _plan(ctx, ("failback",), steps, label)


def go_to(ctx: DrillContext, incident: Incident, phase: str, label: str) -> None:
    """Let the command go as far as a phase of the failback goes; phase `failover` backs out of it.

    :raises DrillError: the command failed.
    """
    procedure = ctx.settings.procedure
    until = procedure.last_steps.get(phase)
    what = ["failback", *(("--until", until) if until else ())]
    questions = procedure.questions[phase]
    if phase == "failover":
        what = ["failover", "--lost", str(incident.lost.index)]
        questions = (_TO_BACK_OUT,)
    with ctx.progress.stage(f"dualregion {' '.join(what)}, to phase {phase}"):
        session = ctx.command.must_drive(*what, name=incident.lost.city)
    answered = session.operator.asked
    ctx.check(
        label,
        questions_were_asked(answered, questions, " ".join(what)),
        stops_fit(answered, " ".join(what)),
    )


# --- telling ---------------------------------------------------------------------------------------------


def report_afterwards(
    ctx: DrillContext, incident: Incident, loss: float, steps: Sequence[str], label: str
) -> None:
    """Show the recovery record, and write the incident's page; `loss` is on the clock that never jumps."""
    lost_at = datetime.fromtimestamp(time.time() - (time.monotonic() - loss), UTC)

    def history() -> Check:
        shown = ctx.command.show("history")
        return history_shows(shown.exit_status, shown.output, announced.name_of(incident), steps)

    with ctx.progress.stage("dualregion history, and report"):
        report = partial(ctx.command.report, ctx.paths.incident_page, lost_at)
        ctx.check(label, *ctx.together(history, report))


def check_hooks(ctx: DrillContext, incident: Incident, label: str) -> None:
    """Check what the hooks were called with in an incident; by plain `pulumi` none is called."""
    calls = announced.read(ctx.paths.announcements)
    if not ctx.settings.by_command:
        ctx.check(label, announced.none_was_called(calls))
        return
    stopped = any(
        each.ctrl_c is not None
        for each in ctx.results.episodes[incident.number - 1 : incident.number]
    )
    ctx.check(
        label, announced.hooks_were_called(calls, incident, ctx.settings.until, stopped=stopped)
    )


def _plan(ctx: DrillContext, what: Sequence[str], steps: Sequence[str], label: str) -> None:
    with ctx.progress.stage(f"dualregion plan {' '.join(what)}"):
        plan = ctx.command.show("plan", *what, log=f"plan-{what[0]}")
        ctx.check(label, plan_shows(plan.exit_status, plan.output, steps, what[0]))
