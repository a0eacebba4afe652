"""The second half of an incident: the region is recreated, the failback is made, both are in normal again."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from drill.checks import checks, cluster_checks, failback_checks, previews
from drill.operators.command_checks import HEALTHY, MID_PROCEDURE
from drill.operators.turns import Outputs
from drill.procedure.model import Part, Procedure, Until
from drill.regions import REGIONS, Region
from drill.report.results import Episode
from drill.scenario import by_command
from drill.scenario.checking import (
    check_addresses,
    check_commands,
    check_exporters_run,
    check_exporting,
    check_gone,
    check_kept,
    check_records,
    check_seen,
    check_situation,
    check_web_apps_off,
    check_web_apps_ready,
    member_count,
    partitions_at,
)
from drill.settings import Incident
from drill.testbed.context import DrillContext


@dataclass
class Failback:
    """The failback of one incident, checked under load; `suffix` keeps the checks of several incidents apart."""

    ctx: DrillContext
    incident: Incident
    episode: Episode
    suffix: str = ""
    _before: dict[Region, list[dict[str, Any]]] = field(default_factory=dict)
    """The broker pods of each region when the phase began."""

    @property
    def procedure(self) -> Procedure:
        """The procedure that is rehearsed."""
        return self.ctx.settings.procedure

    @property
    def parts(self) -> dict[Region, Part]:
        """What each region is in the incident."""
        return {self.incident.survivor: Part.SURVIVOR, self.incident.lost: Part.RECREATED}

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
        self.ctx.install_engines([lost])
        if self.ctx.exports:
            self.ctx.exports.add_brokers(self.ctx.view(lost, read_seconds=3.0), lost.namespace)

    def begin(self) -> None:
        """Preview, then both stacks to `failback-pending`."""
        ctx = self.ctx
        if ctx.settings.by_command:
            parts = self.parts.values()
            steps = [each for part in parts for each in self.procedure.proved(Until.RESTORED, part)]
            by_command.plan_failback(ctx, steps, self.label("failback-pending"))
            self.make_pending("failback-pending")
            return
        self.configure("failback-pending")
        ctx.together(self._preview_failback, self._try_wrong_turn)
        self.make_pending("failback-pending")

    def _preview_failback(self) -> None:
        ctx, survivor = self.ctx, self.incident.survivor
        with ctx.progress.stage(
            f"Phase failback-pending: pulumi preview --diff on {survivor.stack}"
        ):
            preview = ctx.stacks.require(ctx.stacks.preview(survivor.stack))
            ctx.check(
                self.label("failback-pending"),
                previews.preview_shows_failback(
                    preview.events, isolates=not ctx.settings.without_isolation
                ),
            )

    def begin_again(self) -> None:
        """Go to `failback-pending` once more, after the failback was backed out of."""
        self.configure("failback-pending")
        self.make_pending("failback-pending again")

    def make_pending(self, name: str) -> None:
        """Take turns until both stacks are in `failback-pending`; `name` is what the report calls it."""
        self.episode.failback_began = time.monotonic()
        self._before = self._broker_pods()
        outputs = self.take_turns("failback-pending", name=name)
        self._check_stacks(Until.FAILBACK_PENDING, outputs)

    def _try_wrong_turn(self) -> None:
        """Run `pulumi up` on the recreated region's stack before it is its turn: nothing may be installed yet."""
        ctx, lost = self.ctx, self.incident.lost
        with ctx.progress.stage(
            f"Phase failback-pending: pulumi up on {lost.stack}, whose turn it is not"
        ):
            # A search engine of its own is there before the release is.
            before = ctx.view(lost).installed(lost.namespace)
            run = ctx.up(lost, f"region {lost.index} is not to be installed yet")
            outputs = ctx.stacks.outputs(lost.stack)
            after = ctx.view(lost).installed(lost.namespace)
            installed = [each for each in after if each not in before]
            ctx.check(
                self.label("failback-pending"),
                failback_checks.waits_its_turn(run.exit_status, outputs, installed),
            )

    def check_pending(self) -> None:
        """Check, with the load running, what is between the two phases: exporters paused, web apps off."""
        ctx, label, lost = self.ctx, self.label("failback-pending"), self.incident.lost
        phase = Until.FAILBACK_PENDING
        since = time.monotonic()
        with ctx.progress.stage("Checking both regions, exporters paused"):
            check_situation(ctx, label, phase, lost)
            ctx.check(
                label,
                lambda: failback_checks.exporters_are_paused(
                    partitions_at(ctx, phase, lost), member_count(ctx, phase, lost)
                ),
            )
            check_web_apps_off(ctx, label)
            if self.procedure.situations[phase].membership:
                paused = partitions_at(ctx, phase, lost)
                ctx.check(label, cluster_checks.pauses_are_hard(paused))
            self._check_restarts(label, phase)
        check_commands(ctx, label, since, "with the exporters paused")
        ctx.ask_status(label, "with the exporters paused", MID_PROCEDURE, "status-paused")
        self._before = self._broker_pods()
        if ctx.settings.until is Until.FAILBACK_PENDING:
            ctx.stop_load()

    # --- restored --------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Both stacks to `restored`; the recreated region's turn comes first."""
        ctx = self.ctx
        self.configure("restored")
        first = {part: region for region, part in self.parts.items()}[self.procedure.opens_first]
        final = self.take_turns("restored", first=first)
        self.episode.failback_end = time.monotonic()
        self._check_stacks(Until.RESTORED, final)
        for region, found in final.items():
            name = str(found.get("incident"))
            former = ctx.results.incidents.setdefault(region.index, {})
            ctx.check(self.label("restored"), failback_checks.incident_is_new(region, name, former))
            former[name] = self.procedure.whole(self.parts[region])

    def check_restored(self) -> None:
        """Check, with the load running, that both regions are whole again and nothing else is left."""
        ctx, label, lost = self.ctx, self.label("restored"), self.incident.lost
        survivor = self.incident.survivor
        with ctx.progress.stage("Checking both regions"):
            for region in REGIONS:
                seen = f"{label}, {region.city}"
                check_seen(ctx, seen, Until.RESTORED, lost, by=region)
            check_addresses(ctx, label, Until.RESTORED, lost)
            check_exporters_run(ctx, label)
            self._check_restarts(label, Until.RESTORED)
            check_web_apps_ready(ctx, label, REGIONS)
            if ctx.engines:
                unshared = ctx.engines.passwords_unshared(ctx.views())
                kept = (ctx.paths.logs, ctx.paths.states)
                shown = ctx.engines.passwords_shown(ctx.views(), kept)
                ctx.check(
                    label,
                    cluster_checks.passwords_are_shared(unshared),
                    cluster_checks.passwords_are_hidden(shown),
                )
            if self.procedure.has_failover_installation:
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
            steps = self.procedure.every_step
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

    def _check_stacks(self, phase: Until, outputs: dict[Region, Outputs]) -> None:
        for region, found in outputs.items():
            part = self.parts[region]
            self.ctx.check(
                self.label(phase),
                checks.stack_is_in(found, region, phase, part),
                checks.steps_are_proved(found, region, self.procedure.proved(phase, part)),
            )

    def _check_restarts(self, label: str, phase: Until) -> None:
        """Check that a phase leaves brokers alone, or restarts them in order where web applications are a part of them."""
        if not (kept := self.procedure.kept.get(phase)):
            return
        now = self._broker_pods()
        regions = [place.of(self.incident.lost)[0] for place in kept.places]
        before, after = (
            [pod for region in regions for pod in pods[region]] for pods in (self._before, now)
        )
        self.ctx.check(
            label,
            cluster_checks.restarted_one_by_one(before, after, kept.by)
            if self.ctx.settings.version.is_unified
            else checks.brokers_kept(before, after, kept.by, kept.none),
        )

    def _broker_pods(self) -> dict[Region, list[dict[str, Any]]]:
        return {each: self.ctx.view(each).broker_pods([each.namespace]) for each in REGIONS}

    def _pods(self) -> list[dict[str, object]]:
        return [pod for each in REGIONS for pod in self.ctx.view(each).pods(each.namespace)]
