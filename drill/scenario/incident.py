"""One incident of a drill: a region is lost, failed over, recreated and failed back, under load all the time."""

from functools import partial

from drill.operators.points import every_point_was_hit, named_points, no_release_is_pending
from drill.procedure.model import Part, Until
from drill.regions import REGIONS
from drill.scenario import by_command
from drill.scenario.backing_out import back_out
from drill.scenario.checking import ask_in_normal
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.late_flush import LateFlush
from drill.scenario.zombie import Zombie
from drill.settings import Incident
from drill.testbed.context import DrillContext


def rehearse_incident(ctx: DrillContext, incident: Incident) -> None:
    """Carry out one incident, as far as the drill goes.

    Both regions are in phase normal before it, and after one that is `restored`. Each incident has a load
    client of its own: it sends to the survivor, and the survivor may be another one each time.

    :raises DrillError: something could not be done.
    :raises SandboxError: a region could not be lost or recreated.
    """
    suffix = f" (incident {incident.number})" if len(ctx.settings.incidents) > 1 else ""
    _go_through(ctx, incident, suffix)
    by_command.check_hooks(ctx, incident, f"hooks{suffix}")
    if ctx.settings.interrupt:
        _check_interruptions(ctx, incident, f"interrupted{suffix}")


def _check_interruptions(ctx: DrillContext, incident: Incident, label: str) -> None:
    """Check that every named point was hit, and that what was interrupted was finished."""
    parts = {Part.SURVIVOR: incident.survivor.stack, Part.RECREATED: incident.lost.stack}
    named = named_points(ctx.settings, parts)
    alive = [incident.survivor] if ctx.settings.until is Until.FAILOVER else list(REGIONS)
    pending = {
        namespace: ctx.view(region).pending_releases(namespace)
        for region in alive
        for namespace in ctx.settings.procedure.namespaces(region)
    }
    ctx.check(
        label,
        every_point_was_hit(ctx.results.turns, named, incident.number),
        no_release_is_pending(pending),
    )


def _go_through(ctx: DrillContext, incident: Incident, suffix: str) -> None:
    until = ctx.settings.until
    episode = ctx.start_load(incident.survivor, incident.number)
    failover = Failover(ctx, incident, episode, f"failover{suffix}")
    if incident.number == 1:
        ctx.together(failover.mistake, partial(ask_in_normal, ctx))
    ctx.await_exports()
    failover.lose()
    failover.fail_over()
    if ctx.settings.zombie:
        zombie = Zombie(failover)
        zombie.come_back()
        zombie.retire()
    failover.check()
    failback = Failback(ctx, incident, episode, suffix)

    def lost_region() -> None:
        if not ctx.settings.zombie:
            failover.check_lost_stack()
        if until is not Until.FAILOVER:
            failback.recreate()

    # On the survivor there is nothing to do, whatever becomes of the lost region meanwhile.
    ctx.together(lost_region, failover.check_works, failover.check_nothing_to_do)
    if until is Until.FAILOVER:
        failover.check_engines()
        return
    if ctx.settings.late_flush:
        LateFlush(failback).rehearse()
        failback.begin_again()
    else:
        failback.begin()
    failback.check_pending()
    if ctx.settings.back_out:
        back_out(failback)
        failback.begin_again()
        failback.check_pending()
    if until is Until.FAILBACK_PENDING:
        return
    failback.restore()
    failback.check_restored()
    failback.to_normal()
    ctx.together(failback.ask_afterwards, failback.report_afterwards, failback.check_nothing_lost)
