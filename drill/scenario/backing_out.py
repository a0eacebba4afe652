"""Changing one's mind: with exporters paused the failback is backed out of, and the failover must work again."""

import time

from drill.checks import checks, failback_checks
from drill.procedure.model import Until
from drill.scenario.checking import (
    check_commands,
    check_exporting,
    check_gone,
    check_situation,
    check_web_apps_ready,
    member_count,
    partitions_at,
)
from drill.scenario.failback import Failback


def back_out(failback: Failback) -> None:
    """Set phase `failover` again, and check that everything is as after the failover.

    The recreated region's stack comes first: what it holds is thrown away.

    :raises DrillError: an `up` failed, or the stacks wait for each other.
    """
    ctx, survivor, lost = failback.ctx, failback.incident.survivor, failback.incident.lost
    label = failback.label("backed out")
    failback.configure("failover")
    outputs = failback.take_turns("failover", first=lost, name="backed out")
    since = time.monotonic()
    with ctx.progress.stage("Checking the survivor, backed out"):
        check_situation(ctx, label, Until.FAILOVER, lost)
        ctx.check(
            label,
            checks.steps_are_proved(outputs[survivor], survivor, ctx.settings.procedure.failover),
            lambda: failback_checks.exporters_run(
                partitions_at(ctx, Until.FAILOVER, lost),
                member_count(ctx, Until.FAILOVER, lost),
                ctx.settings.partition_count,
            ),
        )
        check_web_apps_ready(ctx, label, [survivor])
        check_gone(ctx, label, lost, lost.namespace)
    check_commands(ctx, label, since, "after backing out")
    check_exporting(ctx, label, since, "after backing out")
