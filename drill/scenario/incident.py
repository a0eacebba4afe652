"""One incident of a drill: a region is lost, failed over, recreated and failed back, under load all the time."""

from functools import partial

from drill.operators.points import every_point_was_hit, named_points, no_release_is_pending
from drill.regions import REGIONS
from drill.scenario import walk
from drill.scenario.backing_out import back_out
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.judging import ask_in_normal
from drill.scenario.late_flush import LateFlush
from drill.scenario.zombie import Zombie
from drill.settings import Incident, Until
from drill.testbed.rig import Rig


def rehearse_incident(rig: Rig, incident: Incident) -> None:
    """Carry out one incident, as far as the drill goes.

    Both regions are in phase normal before it, and after one that is `restored`. Each incident has a load
    client of its own: it sends to the survivor, and the survivor may be another one each time.

    Raises:
        DrillError: something could not be done.
        SandboxError: a region could not be lost or recreated.
    """
    suffix = f" (incident {incident.number})" if len(rig.settings.incidents) > 1 else ""
    _go_through(rig, incident, suffix)
    walk.check_hooks(rig, incident, f"hooks{suffix}")
    if rig.settings.interrupt:
        _check_interruptions(rig, incident, f"interrupted{suffix}")


def _check_interruptions(rig: Rig, incident: Incident, label: str) -> None:
    """Check that every named point was hit, and that what was interrupted was finished."""
    parts = {"survivor": incident.survivor.stack, "recreated": incident.lost.stack}
    named = named_points(rig.settings, parts)
    alive = [incident.survivor] if rig.settings.until is Until.FAILOVER else list(REGIONS)
    pending = {
        namespace: rig.view(region).pending_releases(namespace)
        for region in alive
        for namespace in (region.namespace, region.failover_namespace)
    }
    rig.found.add(
        label,
        every_point_was_hit(rig.found.turns, named, incident.number),
        no_release_is_pending(pending),
    )


def _go_through(rig: Rig, incident: Incident, suffix: str) -> None:
    until = rig.settings.until
    episode = rig.start_load(incident.survivor, incident.number)
    failover = Failover(rig, incident, episode, f"failover{suffix}")
    if incident.number == 1:
        rig.together(failover.mistake, partial(ask_in_normal, rig))
    rig.await_exports()
    failover.lose()
    failover.fail_over()
    if rig.settings.zombie:
        zombie = Zombie(failover)
        zombie.come_back()
        zombie.retire()
    failover.check()
    failback = Failback(rig, incident, episode, suffix)

    def lost_region() -> None:
        if not rig.settings.zombie:
            failover.check_lost_stack()
        if until is not Until.FAILOVER:
            failback.recreate()

    # On the survivor there is nothing to do, whatever becomes of the lost region meanwhile.
    rig.together(lost_region, failover.check_at_work, failover.check_nothing_to_do)
    if until is Until.FAILOVER:
        failover.check_engines()
        return
    if rig.settings.late_flush:
        LateFlush(failback).rehearse()
        failback.begin_again()
    else:
        failback.begin()
    failback.check_pending()
    if rig.settings.back_out:
        back_out(failback)
        failback.begin_again()
        failback.check_pending()
    if until is Until.FAILBACK_PENDING:
        return
    failback.restore()
    failback.check_restored()
    failback.to_normal()
    rig.together(failback.ask_afterwards, failback.tell_afterwards, failback.check_nothing_lost)
