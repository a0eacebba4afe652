"""The first half of an incident: a region is called lost by mistake, is lost, and is failed over."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from drill.checks import checks, cluster_checks, previews
from drill.operators.command_checks import MID_PROCEDURE
from drill.operators.stacks import Run
from drill.operators.turns import Outputs
from drill.procedure.model import Part, Until
from drill.report.results import Episode
from drill.scenario import by_command
from drill.scenario.checking import check_commands, check_exporting, check_kept, check_situation
from drill.scenario.two_operators import fail_over_both
from drill.settings import Incident
from drill.testbed.context import DrillContext


@dataclass
class Failover:
    """The loss of a region and the failover, checked under load.

    `label` is the phase in the checks' names.
    """

    ctx: DrillContext
    incident: Incident
    episode: Episode
    label: str = "failover"
    _before: tuple[int, list[dict[str, Any]]] = field(default=(0, []), init=False)
    """Before the loss: the revision of the survivor's release, and its broker pods."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The survivor's steps."""
        return self.ctx.settings.procedure.failover

    def mistake(self) -> None:
        """Call the region lost while it lives: the wrong move that would cost most must be refused."""
        ctx, survivor, lost = self.ctx, self.incident.survivor, self.incident.lost
        with ctx.progress.stage(f"Calling {lost.city} lost while it lives: must be refused"):
            if ctx.settings.by_command:
                by_command.refuse_early_failover(ctx, self.incident)
                return
            ctx.stacks.configure(survivor.stack, self._wanted)
            preview = ctx.stacks.preview(survivor.stack)
            ctx.check(
                "normal", previews.healthy_region_is_refused(preview.exit_status, preview.output)
            )

    def lose(self) -> None:
        """Lose the region without warning; one that becomes a zombie is cut off and lives on."""
        lost = self.incident.lost.index
        self._before = self._survivor()
        if self.ctx.settings.zombie:
            with self.ctx.progress.stage(f"Cutting region {lost} off without warning; it lives on"):
                self.episode.loss = time.monotonic()
                self.ctx.clusters.cut_link()
            return
        with self.ctx.progress.stage(f"Losing region {lost} without warning"):
            self.ctx.read_audit(self.incident.lost)
            loss = self.ctx.clusters.lose(lost)
            # The sandbox returns the wall clock's moment; measures go by the clock that never jumps.
            self.episode.loss = time.monotonic() - (time.time() - loss)

    def _survivor(self) -> tuple[int, list[dict[str, Any]]]:
        """Return the revision of the survivor's release, and its broker pods."""
        survivor = self.incident.survivor
        view = self.ctx.view(survivor)
        return view.revision(survivor.namespace), view.broker_pods([survivor.namespace])

    def fail_over(self) -> None:
        """Preview and `up` on the survivor's stack; or the runbook command."""
        began = time.monotonic()
        outputs = self._by_command() if self.ctx.settings.by_command else self._by_pulumi()
        survivor, end = self.incident.survivor, self.episode.failover_end or time.monotonic()
        self.ctx.record_phase("failover", end - began, {survivor: outputs})
        self.ctx.check(
            self.label,
            checks.stack_is_in(outputs, survivor, "failover", "survivor"),
            checks.steps_are_proved(outputs, survivor, self.steps),
        )

    def _by_command(self) -> Outputs:
        """Let `dualregion` plan the failover and carry it out, on both stacks."""
        ctx = self.ctx
        lost_steps = ctx.settings.procedure.steps[Until.FAILOVER][Part.LOST]
        by_command.plan_failover(ctx, self.incident, (*self.steps, *lost_steps), self.label)
        self.episode.up_began = time.monotonic()
        try:
            by_command.fail_over(ctx, self.incident, self.episode, self.label)
        finally:
            self.episode.failover_end = time.monotonic()
        return ctx.stacks.outputs(self.incident.survivor.stack)

    def _by_pulumi(self) -> Outputs:
        """Preview and `up` on the survivor's stack."""
        ctx, survivor = self.ctx, self.incident.survivor
        with ctx.progress.stage(f"Phase failover: pulumi preview --diff on {survivor.stack}"):
            ctx.stacks.configure(survivor.stack, self._wanted)
            preview = ctx.stacks.require(ctx.stacks.preview(survivor.stack))
            procedure = ctx.settings.procedure
            ctx.check(
                self.label,
                previews.preview_shows(
                    preview.events,
                    survivor,
                    self.steps,
                    procedure,
                    isolates=not ctx.settings.without_isolation,
                ),
            )
            if Until.FAILOVER in procedure.kept:
                ctx.check(self.label, previews.no_release_changes(preview.events))
        with ctx.progress.stage(f"Phase failover: pulumi up on {survivor.stack}, the survivor"):
            self.episode.up_began = time.monotonic()
            try:
                outputs = self._up_on_survivor()
            finally:
                self.episode.failover_end = time.monotonic()
        return outputs

    def _up_on_survivor(self) -> Outputs:
        ctx, survivor, lost = self.ctx, self.incident.survivor, self.incident.lost
        if ctx.settings.two_operators:
            return fail_over_both(ctx, self.incident, self.label)
        return ctx.must_up(survivor, "failover", f"region {lost.index} is lost")

    def check_lost_stack(self) -> None:
        """Run `up` on the lost region's stack, for the second time if the runbook command has done so."""
        ctx, lost = self.ctx, self.incident.lost
        with ctx.progress.stage(f"Phase failover: pulumi up on {lost.stack}, the lost region"):
            run, found = self.up_on_lost_stack()
            ctx.check(
                self.label,
                checks.lost_stack_waits_for_its_cluster(run.exit_status, found),
                checks.stack_is_in(found, lost, "failover", "lost"),
            )

    def up_on_lost_stack(self) -> tuple[Run, Outputs]:
        """Run `up` on the lost region's stack, in phase failover; return how it ended, and the stack's outputs."""
        ctx, lost = self.ctx, self.incident.lost
        ctx.stacks.configure(lost.stack, self._wanted)
        run = ctx.up(lost, f"region {lost.index} is lost")
        return run, ctx.stacks.outputs(lost.stack)

    def check(self) -> None:
        """Look at the survivor, with the load running."""
        ctx = self.ctx
        with ctx.progress.stage("Checking the survivor"):
            check_situation(ctx, self.label, Until.FAILOVER, self.incident.lost)
            if Until.FAILOVER in ctx.settings.procedure.kept:
                revision, pods = self._survivor()
                before, pods_before = self._before
                ctx.check(
                    self.label,
                    cluster_checks.survivor_is_untouched((before, revision), pods_before, pods),
                )
        if ctx.settings.by_command:
            ctx.together(
                partial(
                    ctx.ask_status,
                    self.label,
                    "with one region lost",
                    MID_PROCEDURE,
                    "status-failover",
                ),
                partial(by_command.refuse_other_region, ctx, self.incident, self.label),
            )

    def check_works(self) -> None:
        """Check, with the load running, that commands are accepted and records exported."""
        end = self.episode.failover_end or time.monotonic()
        check_commands(self.ctx, self.label, end, "after the failover")
        check_exporting(self.ctx, self.label, end, "after the failover")

    def check_nothing_to_do(self) -> None:
        """Preview and `up` on the survivor's stack once more: nothing may change."""
        ctx, survivor = self.ctx, self.incident.survivor
        view, both = ctx.view(survivor), ctx.settings.procedure.namespaces(survivor)
        with ctx.progress.stage("Running preview and up again, with nothing to do"):
            before = [pod for namespace in both for pod in view.pods(namespace)]
            preview = ctx.stacks.preview_expecting_no_change(survivor.stack)
            self.episode.noop_preview_seconds = preview.seconds
            again = ctx.up(survivor, "nothing to do")
            after = [pod for namespace in both for pod in view.pods(namespace)]
            ctx.check(
                self.label,
                previews.no_change(preview.exit_status, preview.seconds),
                checks.nothing_restarted(again.exit_status, before, after),
            )

    def check_engines(self) -> None:
        """Stop the load, and look for its instances in the survivor's search engines."""
        self.ctx.stop_load()
        survivor = self.incident.survivor
        check_kept(self.ctx, self.label, {survivor: survivor.namespace}, since=0.0)
        if not self.ctx.settings.procedure.has_failover_installation:
            return
        # What the lost engine had already taken is not exported again: only what came later counts.
        check_kept(
            self.ctx,
            self.label,
            {survivor: survivor.failover_namespace},
            since=self.episode.loss or 0.0,
        )

    @property
    def _wanted(self) -> dict[str, str]:
        return {"phase": "failover", "lostRegion": str(self.incident.lost.index)}
