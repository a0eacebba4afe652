"""Changing one's mind: with exporters paused the failback is backed out of, and the failover must work again."""

import time

from drill.checks import checks, failback_checks
from drill.regions import brokers_after_failover
from drill.scenario.checking import (
    check_commands,
    check_exporting,
    check_failed_over,
    check_gone,
    deployments,
    partitions_of_ready,
)
from drill.scenario.failback import Failback
from drill.scenario.failover import STEPS


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
        check_failed_over(ctx, label, survivor)
        view, namespaces = ctx.view(survivor), (survivor.namespace, survivor.failover_namespace)
        expected = brokers_after_failover(ctx.settings.cluster_size, lost.index)
        ctx.check(
            label,
            checks.steps_are_proved(outputs[survivor], survivor, STEPS),
            lambda: failback_checks.exporters_run(
                partitions_of_ready({survivor: view}, {survivor: namespaces}),
                len(expected.ids),
                ctx.settings.partition_count,
            ),
            lambda: failback_checks.web_apps_ready(deployments({survivor: view})),
        )
        check_gone(ctx, label, lost, lost.namespace)
    check_commands(ctx, label, since, "after backing out")
    check_exporting(ctx, label, since, "after backing out")
