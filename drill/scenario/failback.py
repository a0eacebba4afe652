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
from drill.report.results import Episode
from drill.scenario import by_command
from drill.scenario.checking import (
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
from drill.scenario.failover import STEPS as FAILOVER_STEPS
from drill.settings import Incident, Until
from drill.testbed.context import DrillContext

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
    """The failback of one incident, checked under load; `suffix` keeps the checks of several incidents apart."""

    ctx: DrillContext
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
        if not self.ctx.settings.zombie:
            with self.ctx.progress.stage(f"Recreating region {lost.index}, {lost.city}"):
                self.ctx.clusters.recreate(lost.index)
        self.ctx.admit(lost)
        if self.ctx.exports:
            self.ctx.exports.add_brokers(self.ctx.view(lost, read_seconds=3.0), lost.namespace)

    def begin(self) -> None:
        """Preview, then both stacks to `failback-pending`."""
        ctx = self.ctx
        if ctx.settings.by_command:
            steps = (*RESTORED_STEPS["survivor"], *RESTORED_STEPS["recreated"])
            by_command.plan_failback(ctx, steps, self.label("failback-pending"))
            self._make_pending("failback-pending")
            return
        self.configure("failback-pending")
        ctx.together(self._preview_failback, self._try_wrong_turn)
        self._make_pending("failback-pending")

    def _preview_failback(self) -> None:
        ctx, survivor = self.ctx, self.incident.survivor
        with ctx.progress.stage(
            f"Phase failback-pending: pulumi preview --diff on {survivor.stack}"
        ):
            preview = ctx.stacks.require(ctx.stacks.preview(survivor.stack))
            ctx.check(
                self.label("failback-pending"), previews.preview_shows_failback(preview.events)
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
        """Run `pulumi up` on the recreated region's stack before it is its turn: nothing may be installed yet."""
        ctx, lost = self.ctx, self.incident.lost
        with ctx.progress.stage(
            f"Phase failback-pending: pulumi up on {lost.stack}, whose turn it is not"
        ):
            run = ctx.up(lost, f"region {lost.index} is not to be installed yet")
            outputs = ctx.stacks.outputs(lost.stack)
            installed = ctx.view(lost).installed(lost.namespace)
            ctx.check(
                self.label("failback-pending"),
                failback_checks.waits_its_turn(run.exit_status, outputs, installed),
            )

    def check_pending(self) -> None:
        """Check, with the load running, what is between the two phases: exporters paused, web apps off."""
        ctx, label = self.ctx, self.label("failback-pending")
        survivor, size = self.incident.survivor, ctx.settings.cluster_size
        since = time.monotonic()
        with ctx.progress.stage("Checking both regions, exporters paused"):
            expected = brokers_in_failback(size, self.incident.lost.index)
            check_topology(ctx, label, survivor, expected, REPLICATION_FACTOR)
            self._check_exporters_addresses(label, with_failover=True)
            views = ctx.views()
            brokers = {
                survivor: [survivor.namespace, survivor.failover_namespace],
                self.incident.lost: [self.incident.lost.namespace],
            }
            ctx.check(
                label,
                lambda: failback_checks.exporters_are_paused(
                    partitions_of_ready(views, brokers), size
                ),
                lambda: failback_checks.web_apps_off(deployments(views)),
            )
        check_commands(ctx, label, since, "with the exporters paused")
        ctx.ask_status(label, "with the exporters paused", MID_PROCEDURE, "status-paused")
        self._pending = ctx.view(survivor).broker_pods([survivor.namespace])
        if ctx.settings.until is Until.FAILBACK_PENDING:
            ctx.stop_load()

    # --- restored --------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Both stacks to `restored`; the recreated region's turn comes first."""
        ctx = self.ctx
        self.configure("restored")
        final = self.take_turns("restored", first=self.incident.lost)
        self.episode.failback_end = time.monotonic()
        self._check_stacks("restored", final, RESTORED_STEPS)
        for region, found in final.items():
            name = str(found.get("incident"))
            former = ctx.results.incidents.setdefault(region.index, {})
            ctx.check(self.label("restored"), failback_checks.incident_is_new(region, name, former))
            former[name] = ALL_STEPS[self.parts[region]]

    def check_restored(self) -> None:
        """Check, with the load running, that both regions are whole again and nothing else is left."""
        ctx, label, survivor = self.ctx, self.label("restored"), self.incident.survivor
        with ctx.progress.stage("Checking both regions"):
            expected = brokers_in_normal(ctx.settings.cluster_size)
            for region in REGIONS:
                seen = f"{label}, {region.city}"
                check_topology(ctx, seen, region, expected, REPLICATION_FACTOR)
            self._check_exporters_addresses(label, with_failover=False)
            check_exporters_run(ctx, label)
            views = ctx.views()
            kept = views[survivor].broker_pods([survivor.namespace])
            ctx.check(
                label,
                checks.brokers_kept(self._pending, kept),
                lambda: failback_checks.web_apps_ready(deployments(views)),
            )
            check_gone(ctx, label, survivor, survivor.failover_namespace)

    def _check_works(self) -> None:
        """Check, with the load running, that commands are accepted and records exported."""
        end = self.episode.failback_end or time.monotonic()
        label = self.label("restored")
        check_commands(self.ctx, label, end, "after the failback")
        check_exporting(self.ctx, label, end, "after the failback")

    # --- normal again ----------------------------------------------------------------------------------

    def to_normal(self) -> None:
        """Both stacks to `normal`, which changes the gates alone; the incident's history stays."""
        ctx, label = self.ctx, self.label("normal again")
        ctx.together(
            self._check_works,
            *(partial(self._preview_normal, region, label) for region in REGIONS),
        )
        before = self._pods()
        outputs = self.take_turns("normal", name="normal again")
        ctx.check(label, checks.nothing_restarted(0, before, self._pods()))
        for region, found in outputs.items():
            ctx.check(
                label,
                checks.stack_is_in(found, region, "normal", "member"),
                checks.steps_are_proved(found, region, ("N",)),
            )
            ctx.check(
                label,
                *(
                    failback_checks.history_holds(found, region, name, steps)
                    for name, steps in ctx.results.incidents[region.index].items()
                ),
            )

    def _preview_normal(self, region: Region, label: str) -> None:
        ctx = self.ctx
        with ctx.progress.stage(f"Phase normal: pulumi preview --diff on {region.stack}"):
            ctx.stacks.configure(region.stack, {"phase": "normal"})
            preview = ctx.stacks.preview(region.stack)
            ctx.check(
                label,
                previews.only_gates_change(preview.exit_status, preview.events, region),
            )

    def ask_afterwards(self) -> None:
        """Ask `dualregion` whether all is well again."""
        self.ctx.ask_status(self.label("normal again"), "after the failback", HEALTHY)

    def report_afterwards(self) -> None:
        """Let `dualregion` show its record, and write the incident's page."""
        ctx, label = self.ctx, self.label("normal again")
        if ctx.settings.by_command:
            steps = (*ALL_STEPS["survivor"], *ALL_STEPS["recreated"])
            loss = self.episode.loss or time.monotonic()
            by_command.report_afterwards(ctx, self.incident, loss, steps, label)

    def check_nothing_lost(self) -> None:
        """Stop the load and compare what both search engines hold with what was acknowledged, and each other."""
        label = self.label("restored")
        self.ctx.stop_load()
        kept = [
            partial(check_kept, self.ctx, label, {region: region.namespace}, since=0.0)
            for region in REGIONS
        ]
        self.ctx.together(*kept, partial(check_records, self.ctx, label))

    # --- parts -----------------------------------------------------------------------------------------

    def label(self, phase: str) -> str:
        """Return what checks of a phase are called in this incident."""
        return f"{phase}{self.suffix}"

    def configure(self, phase: str) -> None:
        """Set the phase on both stacks."""
        if self.ctx.settings.by_command:
            return  # the runbook command sets it
        stacks, wanted = self.ctx.stacks, {"phase": phase}
        self.ctx.together(*(partial(stacks.configure, region.stack, wanted) for region in REGIONS))

    def take_turns(
        self,
        phase: str,
        first: Region | None = None,
        name: str = "",
    ) -> dict[Region, Outputs]:
        """Run `pulumi up` on both stacks in turn until both are in the phase; note the steps' times.

        :param phase: what both stacks are configured for.
        :param first: whose turn comes first; the survivor's by default.
        :param name: what the report calls it, by default the phase.
        :raises DrillError: as `DrillContext.take_turns`.
        """
        ctx, lost = self.ctx, self.incident.lost
        began = time.monotonic()
        if ctx.settings.by_command:
            by_command.go_to(ctx, self.incident, phase, self.label(name or phase))
            outputs = ctx.both_outputs()
        else:
            outputs = ctx.take_turns(
                phase,
                first or self.incident.survivor,
                f"region {lost.index} was lost, phase {phase}",
                None if phase == "normal" else self.parts,
                at_once=phase == "normal" and ctx.settings.stacks_at_once,
            )
        ctx.record_phase(name or phase, time.monotonic() - began, outputs)
        return outputs

    def _check_stacks(
        self, phase: str, outputs: dict[Region, Outputs], steps: dict[str, tuple[str, ...]]
    ) -> None:
        for region, found in outputs.items():
            part = self.parts[region]
            self.ctx.check(
                self.label(phase),
                checks.stack_is_in(found, region, phase, part),
                checks.steps_are_proved(found, region, steps[part]),
            )

    def _check_exporters_addresses(self, label: str, with_failover: bool) -> None:
        """Check that every broker that is awake exports to each region's own engine."""
        ctx, survivor = self.ctx, self.incident.survivor
        pods = [pod for each in REGIONS for pod in ctx.view(each).broker_pods([each.namespace])]
        if with_failover:
            pods += ctx.view(survivor).broker_pods([survivor.failover_namespace])
        pods = [pod for pod in pods if is_ready(pod)]
        ctx.check(
            label, checks.exporters_point_at(pods, {each.index: each.namespace for each in REGIONS})
        )

    def _pods(self) -> list[dict[str, object]]:
        return [pod for each in REGIONS for pod in self.ctx.view(each).pods(each.namespace)]
