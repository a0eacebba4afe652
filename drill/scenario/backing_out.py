"""Back to phase `failover` from the midst of a failback: by choice, or as the region is lost again. It must work again."""

import time
from functools import partial

from drill.checks import checks, failback_checks
from drill.operators.turns import Outputs
from drill.procedure.model import Until
from drill.regions import REGIONS
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
    _check_alone(failback, label, outputs[survivor])
    check_gone(ctx, label, lost, lost.namespace)


def fail_over_again(failback: Failback) -> None:
    """Set phase `failover`, as the recreated region is lost again, and check that everything is as after the failover.

    :raises DrillError: the `up` on the survivor's stack failed.
    """
    ctx, survivor, lost = failback.ctx, failback.incident.survivor, failback.incident.lost
    label, began = failback.label("lost midway"), time.monotonic()
    wanted = {"phase": "failover", "lostRegion": str(lost.index)}
    ctx.together(*(partial(ctx.stacks.configure, each.stack, wanted) for each in REGIONS))
    with ctx.progress.stage(f"Phase failover: pulumi up on {survivor.stack}, alone again"):
        outputs = ctx.must_up(survivor, "failover", f"region {lost.index} is lost again")
    ctx.record_phase(label, time.monotonic() - began, {survivor: outputs})
    _check_alone(failback, label, outputs)
    with ctx.progress.stage(f"Phase failover: pulumi up on {lost.stack}, lost again"):
        run = ctx.up(lost, f"region {lost.index} is lost again")
        found = ctx.stacks.outputs(lost.stack)
        ctx.check(label, checks.lost_stack_waits_for_its_cluster(run.exit_status, found))


def _check_alone(failback: Failback, label: str, outputs: Outputs) -> None:
    ctx, survivor, lost = failback.ctx, failback.incident.survivor, failback.incident.lost
    since = time.monotonic()
    with ctx.progress.stage("Checking the survivor, in phase failover again"):
        check_situation(ctx, label, Until.FAILOVER, lost)
        ctx.check(
            label,
            checks.stack_is_in(outputs, survivor, "failover", "survivor"),
            checks.steps_are_proved(outputs, survivor, ctx.settings.procedure.failover),
            lambda: failback_checks.exporters_run(
                partitions_at(ctx, Until.FAILOVER, lost),
                member_count(ctx, Until.FAILOVER, lost),
                ctx.settings.partition_count,
            ),
        )
        check_web_apps_ready(ctx, label, [survivor])
    check_commands(ctx, label, since, "in phase failover again")
    check_exporting(ctx, label, since, "in phase failover again")
