"""The second half of an incident: the region is recreated, the failback is made, both are in normal again."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from drill.checks import checks, failback_checks, previews
from drill.observation.cluster import is_ready
from drill.operators.command_checks import HEALTHY, MID_PROCEDURE
from drill.operators.turns import Outputs
from drill.regions import (
    REGIONS,
    REPLICATION_FACTOR,
    Region,
    brokers_in_failback,
    brokers_in_normal,
)
from drill.report.findings import Episode, steps_of
from drill.report.report import PhaseTimes
from drill.scenario import walk
from drill.scenario.failover import STEPS as FAILOVER_STEPS
from drill.scenario.judging import (
    check_commands,
    check_exporters_run,
    check_exporting,
    check_gone,
    check_kept,
    check_records,
    check_topology,
    deployments,
    partitions_of_ready,
)
from drill.settings import Incident, Until
from drill.testbed.rig import Rig

PENDING_STEPS = {"survivor": ("B0", "B2", "B3", "B4"), "recreated": ("B1", "B4")}
RESTORED_STEPS = {
    "survivor": (*PENDING_STEPS["survivor"], "B5"),
    "recreated": (*PENDING_STEPS["recreated"], "B5", "B6", "B7"),
}
ALL_STEPS = {
    "survivor": (*FAILOVER_STEPS, *RESTORED_STEPS["survivor"]),
    "recreated": RESTORED_STEPS["recreated"],
}


@dataclass
class Failback:
    """The failback of one incident, judged under load; `suffix` tells the checks of several incidents apart."""

    rig: Rig
    incident: Incident
    episode: Episode
    suffix: str = ""
    _pending: list[dict[str, Any]] = field(default_factory=list)
    """The survivor's broker pods when both phases of the failback meet."""

    @property
    def parts(self) -> dict[Region, str]:
        """What each region is in the incident."""
        return {self.incident.survivor: "survivor", self.incident.lost: "recreated"}

    # --- recreating, failback-pending ------------------------------------------------------------------

    def recreate(self) -> None:
        """Recreate the lost region, empty, at another address.

        The cluster of a zombie lives and is clean since step R: it is used as it is, as an operator would.
        """
        lost = self.incident.lost
        if not self.rig.settings.zombie:
            with self.rig.progress.stage(f"Recreating region {lost.index}, {lost.city}"):
                self.rig.sandbox.recreate(lost.index)
        self.rig.admit(lost)
        if self.rig.exports:
            self.rig.exports.add_brokers(self.rig.view(lost, read_seconds=3.0), lost.namespace)

    def begin(self) -> None:
        """Preview, then both stacks to `failback-pending`."""
        rig = self.rig
        if rig.settings.by_command:
            steps = (*RESTORED_STEPS["survivor"], *RESTORED_STEPS["recreated"])
            walk.plan_failback(rig, steps, self.label("failback-pending"))
            self._make_pending("failback-pending")
            return
        self.configure("failback-pending")
        rig.together(self._preview_failback, self._try_wrong_turn)
        self._make_pending("failback-pending")

    def _preview_failback(self) -> None:
        rig, survivor = self.rig, self.incident.survivor
        with rig.progress.stage(
            f"Phase failback-pending: pulumi preview --diff on {survivor.stack}"
        ):
            preview = rig.stacks.demand(rig.stacks.preview(survivor.stack))
            rig.found.add(
                self.label("failback-pending"), previews.preview_shows_failback(preview.output)
            )

    def begin_again(self) -> None:
        """Go to `failback-pending` once more, after the failback was backed out of."""
        self.configure("failback-pending")
        self._make_pending("failback-pending again")

    def _make_pending(self, name: str) -> None:
        """Take turns until both stacks are in `failback-pending`; `name` is what the report calls it."""
        self.episode.failback_began = time.monotonic()
        outputs = self.take_turns("failback-pending", name=name)
        self._check_stacks("failback-pending", outputs, PENDING_STEPS)

    def _try_wrong_turn(self) -> None:
        """Say `pulumi up` on the recreated region's stack before it is its turn: nothing may be installed yet."""
        rig, lost = self.rig, self.incident.lost
        with rig.progress.stage(
            f"Phase failback-pending: pulumi up on {lost.stack}, whose turn it is not"
        ):
            run = rig.up(lost, f"region {lost.index} is not to be installed yet")
            outputs = rig.stacks.outputs(lost.stack)
            installed = rig.view(lost).installed(lost.namespace)
            rig.found.add(
                self.label("failback-pending"),
                failback_checks.waits_its_turn(run.exit_status, outputs, installed),
            )

    def check_pending(self) -> None:
        """Check, with the load running, what is between the two phases: exporters paused, web apps off."""
        rig, label = self.rig, self.label("failback-pending")
        survivor, size = self.incident.survivor, rig.settings.cluster_size
        since = time.monotonic()
        with rig.progress.stage("Checking both regions, exporters paused"):
            expected = brokers_in_failback(size, self.incident.lost.index)
            check_topology(rig, label, survivor, expected, REPLICATION_FACTOR)
            self._check_exporters_addresses(label, with_failover=True)
            views = rig.views()
            brokers = {
                survivor: [survivor.namespace, survivor.failover_namespace],
                self.incident.lost: [self.incident.lost.namespace],
            }
            rig.found.add(
                label,
                rig.settled(
                    lambda: failback_checks.exporters_are_paused(
                        partitions_of_ready(views, brokers), size
                    )
                ),
                rig.settled(lambda: failback_checks.web_apps_off(deployments(views))),
            )
        check_commands(rig, label, since, "with the exporters paused")
        rig.ask_status(label, "with the exporters paused", MID_PROCEDURE, "status-paused")
        self._pending = rig.view(survivor).broker_pods([survivor.namespace])
        if rig.settings.until is Until.FAILBACK_PENDING:
            rig.stop_load()

    # --- restored --------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Both stacks to `restored`; the recreated region's turn comes first."""
        rig = self.rig
        self.configure("restored")
        final = self.take_turns("restored", first=self.incident.lost)
        self.episode.failback_end = time.monotonic()
        self._check_stacks("restored", final, RESTORED_STEPS)
        for region, said in final.items():
            name = str(said.get("incident"))
            former = rig.found.incidents.setdefault(region.index, {})
            rig.found.add(
                self.label("restored"), failback_checks.incident_is_new(region, name, former)
            )
            former[name] = ALL_STEPS[self.parts[region]]

    def check_restored(self) -> None:
        """Check, with the load running, that both regions are whole again and nothing else is left."""
        rig, label, survivor = self.rig, self.label("restored"), self.incident.survivor
        with rig.progress.stage("Checking both regions"):
            expected = brokers_in_normal(rig.settings.cluster_size)
            for region in REGIONS:
                seen = f"{label}, {region.city}"
                check_topology(rig, seen, region, expected, REPLICATION_FACTOR)
            self._check_exporters_addresses(label, with_failover=False)
            check_exporters_run(rig, label)
            views = rig.views()
            kept = views[survivor].broker_pods([survivor.namespace])
            rig.found.add(
                label,
                checks.brokers_kept(self._pending, kept),
                rig.settled(lambda: failback_checks.web_apps_ready(deployments(views))),
            )
            check_gone(rig, label, survivor, survivor.failover_namespace)

    def _check_at_work(self) -> None:
        """Check, with the load running, that commands are accepted and records exported."""
        end = self.episode.failback_end or time.monotonic()
        label = self.label("restored")
        check_commands(self.rig, label, end, "after the failback")
        check_exporting(self.rig, label, end, "after the failback")

    # --- normal again ----------------------------------------------------------------------------------

    def to_normal(self) -> None:
        """Both stacks to `normal`, which changes the gates alone; the incident's history stays."""
        rig, label = self.rig, self.label("normal again")
        rig.together(
            self._check_at_work,
            *(partial(self._preview_normal, region, label) for region in REGIONS),
        )
        before = self._pods()
        outputs = self.take_turns("normal", name="normal again")
        rig.found.add(label, checks.nothing_restarted(0, before, self._pods()))
        for region, said in outputs.items():
            rig.found.add(
                label,
                checks.stack_says(said, region, "normal", "member"),
                checks.steps_are_proved(said, region, ("N",)),
            )
            rig.found.add(
                label,
                *(
                    failback_checks.history_holds(said, region, name, steps)
                    for name, steps in rig.found.incidents[region.index].items()
                ),
            )

    def _preview_normal(self, region: Region, label: str) -> None:
        rig = self.rig
        with rig.progress.stage(f"Phase normal: pulumi preview --diff on {region.stack}"):
            rig.stacks.configure(region.stack, {"phase": "normal"})
            preview = rig.stacks.preview(region.stack)
            rig.found.add(
                label,
                previews.only_gates_change(preview.exit_status, preview.output, region),
            )

    def ask_afterwards(self) -> None:
        """Let `dualregion` say that all is well again."""
        self.rig.ask_status(self.label("normal again"), "after the failback", HEALTHY)

    def tell_afterwards(self) -> None:
        """Let `dualregion` show its record, and write the incident's page."""
        rig, label = self.rig, self.label("normal again")
        if rig.settings.by_command:
            steps = (*ALL_STEPS["survivor"], *ALL_STEPS["recreated"])
            loss = self.episode.loss or time.monotonic()
            walk.tell_afterwards(rig, self.incident, loss, steps, label)

    def check_nothing_lost(self) -> None:
        """Stop the load and compare what both search engines hold with what was acknowledged, and each other."""
        label = self.label("restored")
        self.rig.stop_load()
        kept = [
            partial(check_kept, self.rig, label, {region: region.namespace}, since=0.0)
            for region in REGIONS
        ]
        self.rig.together(*kept, partial(check_records, self.rig, label))

    # --- parts -----------------------------------------------------------------------------------------

    def label(self, phase: str) -> str:
        """Return what checks of a phase are called in this incident."""
        return f"{phase}{self.suffix}"

    def configure(self, phase: str) -> None:
        """Set the phase on both stacks."""
        if self.rig.settings.by_command:
            return  # the runbook command sets it
        stacks, wanted = self.rig.stacks, {"phase": phase}
        self.rig.together(*(partial(stacks.configure, region.stack, wanted) for region in REGIONS))

    def take_turns(
        self,
        phase: str,
        first: Region | None = None,
        name: str = "",
    ) -> dict[Region, Outputs]:
        """Say `pulumi up` on both stacks in turn until both are in the phase; note the steps' times.

        Args:
            phase: what both stacks are configured for.
            first: whose turn comes first; the survivor's by default.
            name: what the report calls it, by default the phase.

        Raises:
            DrillError: as `Rig.take_turns`.
        """
        rig, lost = self.rig, self.incident.lost
        began = time.monotonic()
        if rig.settings.by_command:
            walk.go_to(rig, self.incident, phase, self.label(name or phase))
            outputs = rig.both_outputs()
        else:
            outputs = rig.take_turns(
                phase,
                first or self.incident.survivor,
                f"region {lost.index} was lost, phase {phase}",
                None if phase == "normal" else self.parts,
                at_once=phase == "normal" and rig.settings.stacks_at_once,
            )
        steps = [
            step
            for region, said in outputs.items()
            for step in steps_of(region.stack, said, rig.found.steps)
        ]
        steps.sort(key=lambda step: step.start)
        rig.count_waits(len(steps))
        rig.found.phases.append(
            PhaseTimes(
                name=name or phase,
                seconds=time.monotonic() - began,
                steps=tuple(steps),
                incident=self.incident.number,
            )
        )
        return outputs

    def _check_stacks(
        self, phase: str, outputs: dict[Region, Outputs], steps: dict[str, tuple[str, ...]]
    ) -> None:
        for region, said in outputs.items():
            part = self.parts[region]
            self.rig.found.add(
                self.label(phase),
                checks.stack_says(said, region, phase, part),
                checks.steps_are_proved(said, region, steps[part]),
            )

    def _check_exporters_addresses(self, label: str, with_failover: bool) -> None:
        """Check that every broker that is awake exports to each region's own engine."""
        rig, survivor = self.rig, self.incident.survivor
        pods = [pod for each in REGIONS for pod in rig.view(each).broker_pods([each.namespace])]
        if with_failover:
            pods += rig.view(survivor).broker_pods([survivor.failover_namespace])
        pods = [pod for pod in pods if is_ready(pod)]
        rig.found.add(
            label, checks.exporters_point_at(pods, {each.index: each.namespace for each in REGIONS})
        )

    def _pods(self) -> list[dict[str, object]]:
        return [pod for each in REGIONS for pod in self.rig.view(each).pods(each.namespace)]
