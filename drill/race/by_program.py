"""The program's side of the race: plain `pulumi`, or the command `dualregion`, and nothing else than a failover needs."""

import time
from dataclasses import dataclass, field

from drill.observation.events import Event, Moment
from drill.operators.stacks import Run
from drill.report.results import Episode
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.scenario import to_normal
from drill.settings import Incident
from drill.testbed.context import DrillContext

_RELEASE = "helm.sh/v3:Release"


@dataclass
class ByProgram:
    """One heat's operator: installs both regions, fails over and back with the program, without a wrong move."""

    ctx: DrillContext
    incident: Incident
    runs: dict[str, Run] = field(default_factory=dict)
    """Those of the failover, by what they are: `preview`, `up`; by the command there are none to be seen."""

    def install(self) -> None:
        """Install both regions.

        :raises DrillError: an `up` failed.
        """
        to_normal(self.ctx)

    def fail_over(self) -> None:
        """Preview and `up` on the survivor's stack; or the command, at a terminal.

        :raises DrillError: it failed.
        """
        ctx, survivor = self.ctx, self.incident.survivor
        began = time.monotonic()
        if ctx.settings.by_command:
            what = ("failover", "--lost", str(self.incident.lost.index))
            with ctx.progress.stage(f"dualregion {' '.join(what)}"):
                self._episode.up_began = time.monotonic()
                ctx.command.must_drive(*what, name=self.incident.lost.city)
        else:
            self._by_pulumi()
        outputs = ctx.stacks.outputs(survivor.stack)
        ctx.record_phase("failover", time.monotonic() - began, {survivor: outputs})

    def _by_pulumi(self) -> None:
        ctx, survivor, lost = self.ctx, self.incident.survivor, self.incident.lost
        wanted = {"phase": "failover", "lostRegion": str(lost.index)}
        with ctx.progress.stage(f"Phase failover: pulumi preview --diff on {survivor.stack}"):
            ctx.stacks.configure(survivor.stack, wanted)
            self.runs["preview"] = ctx.stacks.require(ctx.stacks.preview(survivor.stack))
        with ctx.progress.stage(f"Phase failover: pulumi up on {survivor.stack}, the survivor"):
            self._episode.up_began = time.monotonic()
            up = ctx.up(survivor, f"region {lost.index} is lost")
            self.runs["up"] = ctx.stacks.require(up)

    def recreated(self) -> None:
        """Run `up` on the lost region's stack before its region is used again, as the procedure has it."""
        if not self.ctx.settings.by_command:
            self._failover.up_on_lost_stack()

    def fail_back(self) -> None:
        """Take both stacks to `restored`, in turns.

        :raises DrillError: an `up` failed.
        """
        failback = Failback(self.ctx, self.incident, self._episode)
        failback.configure("failback-pending")
        failback.make_pending("failback-pending")
        failback.restore()

    @property
    def _failover(self) -> Failover:
        return Failover(self.ctx, self.incident, self._episode)

    @property
    def _episode(self) -> Episode:
        return self.ctx.results.episodes[-1]


def installed_at(run: Run) -> float | None:
    """Return when the failover installation's release was there, on the clock that never jumps; None if it was not made."""
    made = (each.at for each in run.events if each.moment is Moment.DONE and _is_install(each))
    return next(made, None)


def first_change_at(run: Run) -> float | None:
    """Return when a run first began to change something in a cluster."""
    begun = (each.at for each in run.events if each.moment is Moment.BEGUN and _is_work(each))
    return next(begun, None)


def last_change_at(run: Run) -> float | None:
    """Return when a run had changed the last thing in a cluster."""
    done = [each.at for each in run.events if each.is_change]
    return done[-1] if done else None


def _is_install(event: Event) -> bool:
    return event.type.endswith(_RELEASE) and event.operation == "create"


def _is_work(event: Event) -> bool:
    return event.type.startswith("kubernetes:") and event.operation in ("create", "update")
