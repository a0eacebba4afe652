"""The zombie: a region that was only cut off is back, its brokers alive, while others have their ids.

Nothing of it was killed. What keeps it out is the isolation alone, until its own stack has removed it.
"""

import time
from contextlib import suppress
from dataclasses import dataclass

from drill.checks import checks, zombie_checks
from drill.checks.zombie_checks import Topology
from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.regions import brokers_after_failover
from drill.scenario.failover import Failover
from drill.scenario.judging import check_commands, check_exporting, check_gone
from drill.testbed.rig import Rig

WATCH_SECONDS = 60.0
"""Brokers ask the addresses that they were given once for others every ten seconds: time for several tries."""
_LOOK_SECONDS = 1.0


@dataclass
class Zombie:
    """The return of a region that was cut off, failed over and never died."""

    failover: Failover

    @property
    def _rig(self) -> Rig:
        return self.failover.rig

    def come_back(self) -> None:
        """Restore the link, and check for a while that the survivor is left alone.

        Raises:
            DrillError: a broker got back: what the rest of the drill showed would be of no meaning.
        """
        rig, label = self._rig, self.failover.label
        survivor, lost = self.failover.incident.survivor, self.failover.incident.lost
        with rig.progress.stage(
            f"Restoring the link: region {lost.index} is back, its brokers alive"
        ):
            rig.sandbox.restore_link()
            since = time.monotonic()
            seen = _watch(rig.view(survivor, read_seconds=3.0), survivor.namespace)
            expected = brokers_after_failover(rig.settings.cluster_size, lost.index)
            alone = zombie_checks.none_got_back(seen, expected, lost)
            once = zombie_checks.no_id_stands_twice(seen, expected)
            rig.found.add(
                label,
                alone,
                once,
                zombie_checks.partitions_keep_their_leaders(seen, rig.settings.partitions),
            )
            if not (alone.ok and once.ok):
                raise DrillError(f"the survivor was not left alone: {alone.detail}; {once.detail}")
            there = rig.view(lost)
            rig.found.add(
                label,
                rig.settled(
                    lambda: zombie_checks.zombies_live(
                        there.topology(lost.namespace), lost, rig.settings.cluster_size
                    )
                ),
            )
        check_commands(rig, label, since, "with the lost region's brokers back")
        check_exporting(rig, label, since, "with the lost region's brokers back")

    def retire(self) -> None:
        """Say `up` on the lost region's stack, whose cluster answers: nothing of it may be left."""
        rig, label, lost = self._rig, self.failover.label, self.failover.incident.lost
        with rig.progress.stage(
            f"Phase failover: pulumi up on {lost.stack}, which cleans its cluster"
        ):
            run, said = self.failover.up_on_lost_stack()
            rig.found.add(
                label,
                zombie_checks.lost_region_is_cleaned(run.exit_status, said),
                checks.stack_says(said, lost, "failover", "lost"),
            )
            check_gone(rig, label, lost, lost.namespace)


def _watch(view: ClusterView, namespace: str) -> list[Topology]:
    """Return what a gateway says of its cluster, again and again, for a while."""
    seen: list[Topology] = []
    end = time.monotonic() + WATCH_SECONDS
    while time.monotonic() < end:
        # One that does not answer for a moment is busy; one that hardly answers at all fails the checks.
        with suppress(ClusterCallFailed):
            seen.append(view.topology(namespace))
        time.sleep(_LOOK_SECONDS)
    return seen
