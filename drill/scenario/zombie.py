"""The zombie: a region that was only cut off is back, its brokers alive, while others have their ids.

Nothing of it was killed. What keeps it out is the isolation alone, until its own stack has removed it; where a failover
removes brokers from the cluster's configuration, they also leave by themselves.
"""

import time
from contextlib import suppress
from dataclasses import dataclass

from drill.check import Check
from drill.checks import checks, cluster_checks, zombie_checks
from drill.checks.zombie_checks import Topology
from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.procedure.model import Until
from drill.scenario.checking import check_commands, check_exporting, check_gone
from drill.scenario.failover import Failover
from drill.testbed.context import DrillContext

WATCH_SECONDS = 60.0
"""Brokers ask the addresses that they were given once for others every ten seconds: time for several tries."""
_LOOK_SECONDS = 1.0


@dataclass
class Zombie:
    """The return of a region that was cut off, failed over and never died."""

    failover: Failover

    @property
    def _ctx(self) -> DrillContext:
        return self.failover.ctx

    def come_back(self) -> None:
        """Restore the link, and check for a while that the survivor is left alone.

        :raises DrillError: a broker got back: what the rest of the drill showed would be of no meaning.
        """
        ctx, label = self._ctx, self.failover.label
        survivor, lost = self.failover.incident.survivor, self.failover.incident.lost
        with ctx.progress.stage(
            f"Restoring the link: region {lost.index} is back, its brokers alive"
        ):
            ctx.clusters.restore_link()
            since = time.monotonic()
            seen = _watch(ctx.view(survivor, read_seconds=3.0), survivor.namespace)
            led = zombie_checks.partitions_keep_their_leaders(seen, ctx.settings.partitions)
            if ctx.settings.procedure.fences and ctx.settings.without_isolation:
                ctx.check(label, led)
                self._check_fenced()
            else:
                self._check_isolated(seen, led)
        check_commands(ctx, label, since, "with the lost region's brokers back")
        check_exporting(ctx, label, since, "with the lost region's brokers back")

    def _check_isolated(self, seen: list[Topology], led: Check) -> None:
        """Check that the isolation has kept out brokers that live all the while."""
        ctx, label, lost = self._ctx, self.failover.label, self.failover.incident.lost
        situation = ctx.settings.procedure.situations[Until.FAILOVER]
        expected = situation.brokers(ctx.settings.cluster_size, lost.index)
        alone = zombie_checks.none_got_back(seen, expected, lost)
        once = zombie_checks.no_id_stands_twice(seen, expected)
        ctx.check(label, alone, once, led)
        if not (alone.ok and once.ok):
            raise DrillError(f"the survivor was not left alone: {alone.detail}; {once.detail}")
        there = ctx.view(lost)
        ctx.check(
            label,
            lambda: zombie_checks.zombies_live(
                there.topology(lost.namespace), lost, ctx.settings.cluster_size
            ),
        )

    def _check_fenced(self) -> None:
        """Check that brokers which nothing keeps out have heard of their removal, and are empty ones outside."""
        ctx, label = self._ctx, self.failover.label
        survivor, lost = self.failover.incident.survivor, self.failover.incident.lost
        here, there = ctx.view(survivor), ctx.view(lost)
        ctx.check(
            label,
            lambda: cluster_checks.removed_brokers_end(there.broker_pods([lost.namespace])),
            lambda: cluster_checks.none_is_added_back(
                here.topology(survivor.namespace), here.configuration(survivor.namespace), lost
            ),
        )

    def retire(self) -> None:
        """Run `up` on the lost region's stack, whose cluster answers: nothing of it may be left."""
        ctx, label, lost = self._ctx, self.failover.label, self.failover.incident.lost
        with ctx.progress.stage(
            f"Phase failover: pulumi up on {lost.stack}, which cleans its cluster"
        ):
            run, found = self.failover.up_on_lost_stack()
            ctx.check(
                label,
                zombie_checks.lost_region_is_cleaned(run.exit_status, found),
                checks.stack_is_in(found, lost, "failover", "lost"),
            )
            check_gone(ctx, label, lost, lost.namespace)


def _watch(view: ClusterView, namespace: str) -> list[Topology]:
    """Return what a gateway answers of its cluster, again and again, for a while."""
    seen: list[Topology] = []
    end = time.monotonic() + WATCH_SECONDS
    while time.monotonic() < end:
        # One that does not answer for a moment is busy; one that hardly answers at all fails the checks.
        with suppress(ClusterCallFailed):
            seen.append(view.topology(namespace))
        time.sleep(_LOOK_SECONDS)
    return seen
