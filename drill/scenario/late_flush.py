"""A leader of the recreated region reaches no search engine for a while, and writes its buffers after the copy was made.

Nothing that B2 and B3 can see tells of them: both engines lack the same, and are quiet. The copy has a gap then, and
exporting must not go on with it. What helps is to back out, which loses nothing, and to begin the failback again.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from drill.checks import failback_checks
from drill.errors import ClusterCallFailed
from drill.regions import REGION_COUNT, RELEASE, Region
from drill.scenario.backing_out import back_out
from drill.scenario.checking import partitions_of_ready
from drill.scenario.failback import Failback

AWAKE_ORDINAL = 1
"""The recreated region's first broker that does not sleep until B7."""


@dataclass
class LateFlush:
    """The first attempt of a failback, in which one broker flushes late."""

    failback: Failback

    def rehearse(self) -> None:
        """Let the failback begin, make the gap, and check that exporting stays paused; then back out.

        :raises DrillError: an `up` failed that must not, or the gap could not be made.
        """
        failback, ctx = self.failback, self.failback.ctx
        survivor, lost = failback.incident.survivor, failback.incident.lost
        failback.configure("failback-pending")
        for region in (survivor, lost):
            self._up(region)
        self._hold_back()
        self._up(survivor)
        self._flush()
        label = failback.label("late flush")
        with ctx.progress.stage(f"pulumi up on {lost.stack}, which must be refused"):
            run = ctx.up(lost, f"region {lost.index}: the copy has a gap")
            ctx.check(label, failback_checks.gap_is_refused(run.exit_status, run.output))
            brokers = {
                survivor: [survivor.namespace, survivor.failover_namespace],
                lost: [lost.namespace],
            }
            ctx.check(
                label,
                lambda: failback_checks.exporters_are_paused(
                    partitions_of_ready(ctx.views(), brokers), ctx.settings.cluster_size
                ),
            )
        back_out(failback)

    def _up(self, region: Region) -> None:
        ctx = self.failback.ctx
        with ctx.progress.stage(f"Phase failback-pending: pulumi up on {region.stack}"):
            ctx.must_up(region, "failback-pending", "a failback in which one broker flushes late")

    @property
    def _pod(self) -> str:
        return f"{RELEASE}-zeebe-{AWAKE_ORDINAL}"

    @property
    def _broker(self) -> int:
        return AWAKE_ORDINAL * REGION_COUNT + self.failback.incident.lost.index

    @property
    def _partition(self) -> int:
        """The partition of which that broker is the first replica."""
        return self._broker + 1

    def _hold_back(self) -> None:
        """Let the broker lead its partition, and reach no engine: the failover engine first.

        So the survivor's engine is ahead, and B2 finds nothing missing.
        """
        ctx, lost = self.failback.ctx, self.failback.incident.lost
        own, takeover = f"elasticsearchregion{lost.other.index}", f"elasticsearchregion{lost.index}"
        with ctx.progress.stage(f"Cutting {self._pod} in {lost.city} off from the search engines"):
            ctx.wait(
                f"{self._pod} leads partition {self._partition}",
                self._not_leading,
                ctx.settings.patience.settled,
            )
            self._set_faults({"stuckExporter": {takeover: True}})
            ctx.wait(
                "the survivor's search engine is ahead",
                lambda: None if self._highest(0) > self._highest(1) else "both are as far",
                ctx.settings.patience.settled,
            )
            self._set_faults({"stuckExporter": {takeover: True, own: True}})
            processed = self._processed()
            ctx.wait(
                "there is something in its buffers",
                lambda: None if self._processed() > processed else "nothing has come yet",
                ctx.settings.patience.settled,
            )
            time.sleep(1.0)

    def _flush(self) -> None:
        """Let the broker reach both engines, and write what it has buffered."""
        ctx = self.failback.ctx
        with ctx.progress.stage(f"Letting {self._pod} reach the search engines again"):
            before = [self._highest(place) for place in (0, 1)]
            self._set_faults({})
            ctx.wait(
                "both search engines have got what was buffered",
                lambda: (
                    None
                    if all(self._highest(place) > before[place] for place in (0, 1))
                    else "nothing has come yet"
                ),
                ctx.settings.patience.settled,
            )

    def _not_leading(self) -> str | None:
        """Let the partition's leader give it to the broker; return who has led it, or None if that one leads."""
        survivor, lost = self.failback.incident.survivor, self.failback.incident.lost
        installations = {
            survivor: [survivor.namespace, survivor.failover_namespace],
            lost: [lost.namespace],
        }
        for region, namespaces in installations.items():
            view = self.failback.ctx.view(region)
            leaders = view.led(namespaces)
            led = next((each for each in leaders if each.partition == self._partition), None)
            if led is None:
                continue
            if (led.namespace, led.pod) == (lost.namespace, self._pod):
                return None
            # Else another one has been elected meanwhile, or the broker is too far behind.
            with suppress(ClusterCallFailed):
                view.give_leadership(led, self._broker)
            return f"{led.pod} in {led.namespace} leads it"
        return "no broker leads it"

    def _set_faults(self, faults: dict[str, Any]) -> None:
        lost = self.failback.incident.lost
        self.failback.ctx.view(lost).set_faults(lost.namespace, self._pod, faults)

    def _processed(self) -> int:
        lost = self.failback.incident.lost
        found = self.failback.ctx.view(lost).partitions(lost.namespace, self._pod)
        return int(found[str(self._partition)]["processedPosition"])

    def _highest(self, place: int) -> int:
        """Return how far the partition has got in an engine of the survivor's: its own, or the failover one."""
        survivor = self.failback.incident.survivor
        namespace = (survivor.namespace, survivor.failover_namespace)[place]
        view = self.failback.ctx.view(survivor)
        view.search(namespace, "zeebe-record*/_refresh")
        query = {
            "size": 0,
            "query": {"term": {"partitionId": self._partition}},
            "aggs": {"highest": {"max": {"field": "position"}}},
        }
        found = view.search(namespace, "zeebe-record*/_search", query)
        return int(found["aggregations"]["highest"]["value"] or -1)
