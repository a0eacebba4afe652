"""Changing one's mind: with exporters paused the failback is backed out of, and the failover must be at work again."""

import time

from drill.checks import checks, failback_checks
from drill.regions import brokers_after_failover
from drill.scenario.failback import Failback
from drill.scenario.failover import STEPS
from drill.scenario.judging import (
    check_commands,
    check_exporting,
    check_failed_over,
    check_gone,
    deployments,
    partitions_of_ready,
)


def back_out(failback: Failback) -> None:
    """Set phase `failover` again, and check that everything is as after the failover.

    The recreated region's stack comes first: what it holds is thrown away.

    Raises:
        DrillError: an `up` failed, or the stacks wait for each other.
    """
    rig, survivor, lost = failback.rig, failback.incident.survivor, failback.incident.lost
    label = failback.label("backed out")
    failback.configure("failover")
    outputs = failback.take_turns("failover", first=lost, name="backed out")
    since = time.monotonic()
    with rig.progress.stage("Checking the survivor, backed out"):
        check_failed_over(rig, label, survivor)
        view, namespaces = rig.view(survivor), (survivor.namespace, survivor.failover_namespace)
        expected = brokers_after_failover(rig.settings.cluster_size, lost.index)
        rig.found.add(
            label,
            checks.steps_are_proved(outputs[survivor], survivor, STEPS),
            rig.settled(
                lambda: failback_checks.exporters_run(
                    partitions_of_ready({survivor: view}, {survivor: namespaces}),
                    len(expected.ids),
                    rig.settings.partition_count,
                )
            ),
            rig.settled(
                lambda: failback_checks.web_apps_ready(deployments({survivor: view})),
            ),
        )
        check_gone(rig, label, lost, lost.namespace)
    check_commands(rig, label, since, "after backing out")
    check_exporting(rig, label, since, "after backing out")
