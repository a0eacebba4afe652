"""What must hold after a failover and after a failback, by any operator, and with any fault in between.

The stages of a whole drill check more: what a turn leaves alone, what is announced. This is what no user can do without.
"""

import time

from drill.checks import failback_checks
from drill.procedure.model import Until
from drill.regions import REGIONS
from drill.scenario.checking import (
    check_addresses,
    check_commands,
    check_exporters_run,
    check_exporting,
    check_seen,
    check_situation,
    check_web_apps_ready,
    member_count,
    partitions_at,
)
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover


def check_failed_over(failover: Failover) -> None:
    """Check that the survivor works alone: its brokers, every partition, commands and exporting."""
    check_situation(failover.ctx, failover.label, Until.FAILOVER, failover.incident.lost)
    failover.check_works()


def check_paused(failback: Failback) -> None:
    """Check that between the failback's phases exporting is paused on every partition, and commands are accepted."""
    ctx, label, lost = failback.ctx, failback.label("failback-pending"), failback.incident.lost
    phase, since = Until.FAILBACK_PENDING, time.monotonic()
    check_situation(ctx, label, phase, lost)
    ctx.check(
        label,
        lambda: failback_checks.exporters_are_paused(
            partitions_at(ctx, phase, lost), member_count(ctx, phase, lost)
        ),
    )
    check_commands(ctx, label, since, "with the exporters paused")


def check_whole_again(failback: Failback) -> None:
    """Check that both regions are as before the loss, that exporting goes on, and that no record is missing in either."""
    ctx, label, lost = failback.ctx, failback.label("restored"), failback.incident.lost
    end = failback.episode.failback_end or time.monotonic()
    with ctx.progress.stage("Checking both regions"):
        for region in REGIONS:
            check_seen(ctx, f"{label}, {region.city}", Until.RESTORED, lost, by=region)
        check_addresses(ctx, label, Until.RESTORED, lost)
        check_exporters_run(ctx, label)
        check_web_apps_ready(ctx, label, REGIONS)
    check_commands(ctx, label, end, "after the failback")
    check_exporting(ctx, label, end, "after the failback")
    failback.check_nothing_lost()
