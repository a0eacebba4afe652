"""The first half of an incident: a region is called lost by mistake, is lost, and is failed over."""

import time
from dataclasses import dataclass
from functools import partial

from drill.checks import checks, previews
from drill.operators.command_checks import MID_PROCEDURE
from drill.operators.stacks import Run
from drill.operators.turns import Outputs
from drill.report.findings import Episode, steps_of
from drill.report.report import PhaseTimes
from drill.scenario import walk
from drill.scenario.judging import check_commands, check_exporting, check_failed_over, check_kept
from drill.scenario.two_operators import fail_over_both
from drill.settings import Incident
from drill.testbed.rig import Rig

STEPS = ("F0", "F1", "F2", "F3")


@dataclass
class Failover:
    """The loss of a region and the failover, judged under load.

    `label` says in the checks' names which phase they are of.
    """

    rig: Rig
    incident: Incident
    episode: Episode
    label: str = "failover"

    def mistake(self) -> None:
        """Call the region lost while it lives: the wrong move that would cost most must be refused."""
        rig, survivor, lost = self.rig, self.incident.survivor, self.incident.lost
        with rig.progress.stage(f"Calling {lost.city} lost while it lives: must be refused"):
            if rig.settings.by_command:
                walk.refuse_early_failover(rig, self.incident)
                return
            rig.stacks.configure(survivor.stack, self._wanted)
            preview = rig.stacks.preview(survivor.stack)
            rig.found.add(
                "normal", previews.healthy_region_is_refused(preview.exit_status, preview.output)
            )

    def lose(self) -> None:
        """Lose the region without warning; one that becomes a zombie is cut off and lives on."""
        lost = self.incident.lost.index
        if self.rig.settings.zombie:
            with self.rig.progress.stage(f"Cutting region {lost} off without warning; it lives on"):
                self.episode.loss = time.monotonic()
                self.rig.sandbox.cut_link()
            return
        with self.rig.progress.stage(f"Losing region {lost} without warning"):
            self.rig.read_audit(self.incident.lost)
            loss = self.rig.sandbox.lose(lost)
            # The sandbox tells the wall clock's moment; measures go by the clock that never jumps.
            self.episode.loss = time.monotonic() - (time.time() - loss)

    def fail_over(self) -> None:
        """Preview and `up` on the survivor's stack; or the runbook command."""
        began = time.monotonic()
        outputs = self._by_command() if self.rig.settings.by_command else self._by_pulumi()
        survivor, end = self.incident.survivor, self.episode.failover_end or time.monotonic()
        steps = steps_of(survivor.stack, outputs, self.rig.found.steps)
        self.rig.count_waits(len(steps))
        self.rig.found.phases.append(
            PhaseTimes(
                name="failover",
                seconds=end - began,
                steps=tuple(steps),
                incident=self.incident.number,
            )
        )
        self.rig.found.add(
            self.label,
            checks.stack_says(outputs, survivor, "failover", "survivor"),
            checks.steps_are_proved(outputs, survivor, STEPS),
        )

    def _by_command(self) -> Outputs:
        """Let `dualregion` plan the failover and carry it out, on both stacks."""
        rig = self.rig
        walk.plan_failover(rig, self.incident, (*STEPS, "R"), self.label)
        self.episode.up_began = time.monotonic()
        try:
            walk.fail_over(rig, self.incident, self.episode, self.label)
        finally:
            self.episode.failover_end = time.monotonic()
        return rig.stacks.outputs(self.incident.survivor.stack)

    def _by_pulumi(self) -> Outputs:
        """Preview and `up` on the survivor's stack."""
        rig, survivor = self.rig, self.incident.survivor
        with rig.progress.stage(f"Phase failover: pulumi preview --diff on {survivor.stack}"):
            rig.stacks.configure(survivor.stack, self._wanted)
            preview = rig.stacks.demand(rig.stacks.preview(survivor.stack))
            rig.found.add(self.label, previews.preview_shows(preview.output, survivor, STEPS))
        with rig.progress.stage(f"Phase failover: pulumi up on {survivor.stack}, the survivor"):
            self.episode.up_began = time.monotonic()
            try:
                outputs = self._up_on_survivor()
            finally:
                self.episode.failover_end = time.monotonic()
        return outputs

    def _up_on_survivor(self) -> Outputs:
        rig, survivor, lost = self.rig, self.incident.survivor, self.incident.lost
        if rig.settings.two_operators:
            return fail_over_both(rig, self.incident, self.label)
        return rig.must_up(survivor, "failover", f"region {lost.index} is lost")

    def check_lost_stack(self) -> None:
        """Say `up` on the lost region's stack, for the second time if the runbook command has done so."""
        rig, lost = self.rig, self.incident.lost
        with rig.progress.stage(f"Phase failover: pulumi up on {lost.stack}, the lost region"):
            run, said = self.up_on_lost_stack()
            rig.found.add(
                self.label,
                checks.lost_stack_is_no_dead_end(run.exit_status, said),
                checks.stack_says(said, lost, "failover", "lost"),
            )

    def up_on_lost_stack(self) -> tuple[Run, Outputs]:
        """Say `up` on the lost region's stack, in phase failover; return how it ended, and the stack's outputs."""
        rig, lost = self.rig, self.incident.lost
        rig.stacks.configure(lost.stack, self._wanted)
        run = rig.up(lost, f"region {lost.index} is lost")
        return run, rig.stacks.outputs(lost.stack)

    def check(self) -> None:
        """Look at the survivor, with the load running."""
        rig, survivor = self.rig, self.incident.survivor
        with rig.progress.stage("Checking the survivor"):
            check_failed_over(rig, self.label, survivor)
        if rig.settings.by_command:
            rig.together(
                partial(
                    rig.ask_status,
                    self.label,
                    "with one region lost",
                    MID_PROCEDURE,
                    "status-failover",
                ),
                partial(walk.refuse_other_region, rig, self.incident, self.label),
            )

    def check_at_work(self) -> None:
        """Check, with the load running, that commands are accepted and records exported."""
        end = self.episode.failover_end or time.monotonic()
        check_commands(self.rig, self.label, end, "after the failover")
        check_exporting(self.rig, self.label, end, "after the failover")

    def check_nothing_to_do(self) -> None:
        """Preview and `up` on the survivor's stack once more: nothing may change."""
        rig, survivor = self.rig, self.incident.survivor
        view, both = rig.view(survivor), (survivor.namespace, survivor.failover_namespace)
        with rig.progress.stage("Saying preview and up again, with nothing to do"):
            before = [pod for namespace in both for pod in view.pods(namespace)]
            preview = rig.stacks.preview_expecting_no_change(survivor.stack)
            self.episode.noop_preview_seconds = preview.seconds
            again = rig.up(survivor, "nothing to do")
            after = [pod for namespace in both for pod in view.pods(namespace)]
            rig.found.add(
                self.label,
                previews.no_change(preview.exit_status, preview.seconds),
                checks.nothing_restarted(again.exit_status, before, after),
            )

    def check_engines(self) -> None:
        """Stop the load, and look for its instances in the survivor's two search engines."""
        self.rig.stop_load()
        survivor = self.incident.survivor
        check_kept(self.rig, self.label, {survivor: survivor.namespace}, since=0.0)
        # What the lost engine had already taken is not exported again: only what came later counts.
        check_kept(
            self.rig,
            self.label,
            {survivor: survivor.failover_namespace},
            since=self.episode.loss or 0.0,
        )

    @property
    def _wanted(self) -> dict[str, str]:
        return {"phase": "failover", "lostRegion": str(self.incident.lost.index)}
