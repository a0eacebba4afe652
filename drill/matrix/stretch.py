"""One run of cells: a drill by plain `pulumi`, in which their faults come, judged by the same accounting as any other."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drill.errors import DrillError
from drill.matrix.cells import Cell, fault_of, furthest
from drill.matrix.faults import MADE, Site
from drill.matrix.results import Outcome
from drill.operators.meddler import Meddler, Planned, TurnedBack
from drill.procedure.model import Until
from drill.report.report import Report
from drill.scenario.backing_out import fail_over_again
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.judging import check_failed_over, check_paused, check_whole_again
from drill.scenario.scenario import rehearse_all, to_normal
from drill.scenario.zombie import Zombie
from drill.settings import DrillSettings, Incident
from drill.testbed.context import DrillContext

_LATEST_SECONDS = 1.0
"""How long after a step's beginning a fault comes at the latest: most steps take a few seconds."""


def settings_of(cells: Sequence[Cell]) -> DrillSettings:
    """Return the drill of some cells, which share size, version and lost region.

    :raises DrillError: there is no such drill, which is a fault of the table.
    """
    first = cells[0]
    options = {k: v for cell in cells for k, v in fault_of(cell).options.items()}
    after = {"again": first.lost, "other": 1 - first.lost}
    more = [after[name] for name in after if options.pop(name, False)]
    return DrillSettings(
        lost=(first.lost, *more),
        cluster_size=first.size,
        camunda=first.version,
        until=furthest(cells),
        by_pulumi=True,
        **options,
    )


@dataclass
class Stretch:
    """A run of some cells in one drill, each with a fault in a turn of its own.

    :ivar seeds: what the chances of each cell are drawn from.
    """

    seeds: Mapping[Cell, int]
    meddler: Meddler | None = None
    _planned: dict[Cell, Planned] = field(default_factory=dict, init=False)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells, as they were given."""
        return tuple(self.seeds)

    def rehearse(self, ctx: DrillContext) -> None:
        """Carry it out.

        :raises DrillError: something could not be done, or no fault came.
        :raises SandboxError: a region could not be lost or recreated.
        """
        of_moments = [cell for cell in self.cells if not cell.is_of_the_whole]
        if not of_moments:
            rehearse_all(ctx)
            return
        incident = ctx.settings.incidents[0]
        to_normal(ctx)
        self._planned = {cell: self._plan(ctx, incident, cell) for cell in of_moments}
        ctx.meddler = self.meddler = Meddler(
            ctx.stacks, ctx.progress, tuple(self._planned.values())
        )
        try:
            self._go_through(ctx, incident)
        finally:
            self.meddler.end()

    def _plan(self, ctx: DrillContext, incident: Incident, cell: Cell) -> Planned:
        chance = random.Random(self.seeds[cell])  # noqa: S311 (no secret)
        step, part = cell.place
        site = Site(ctx, incident, chance, part)
        fault = fault_of(cell)
        return Planned(
            step,
            site.acting_region.stack,
            after=0.0 if fault.at_once else chance.uniform(0.0, _LATEST_SECONDS),
            make=MADE[cell.fault](site),
            turns_back=fault.turns_back,
            ends_with_up=fault.ends_with_up,
        )

    def _go_through(self, ctx: DrillContext, incident: Incident) -> None:
        episode = ctx.start_load(incident.survivor, incident.number)
        ctx.await_exports()
        failover = Failover(ctx, incident, episode)
        failover.lose()
        failover.fail_over()
        if furthest(self.cells) is Until.FAILOVER:
            self._end()
            if ctx.settings.zombie:
                self._meet_zombie(failover)
            check_failed_over(failover)
            failover.check_engines()
            return
        check_failed_over(failover)
        failover.up_on_lost_stack()
        failback = Failback(ctx, incident, episode)
        try:
            self._fail_back(failback)
        except TurnedBack:
            self._end()
            ctx.meddler = None
            fail_over_again(failback)
            failback = Failback(ctx, incident, episode)
            self._fail_back(failback)
        self._end()
        check_whole_again(failback)

    def _fail_back(self, failback: Failback) -> None:
        failback.recreate()
        failback.configure("failback-pending")
        failback.make_pending("failback-pending")
        if self.meddler is not None and self.meddler.came:
            check_paused(failback)
        failback.restore()

    def _meet_zombie(self, failover: Failover) -> None:
        """Check that a lost region that is back is kept out, and clean it, as an operator would then."""
        zombie = Zombie(failover)
        zombie.come_back()
        zombie.retire()

    def _end(self) -> None:
        """Take the faults away, and demand that one came: without any nothing is judged.

        :raises DrillError: none came, or could be made.
        """
        if self.meddler is None:
            return
        self.meddler.end()
        if not any(each.was_made for each in self._planned.values()):
            raise DrillError("; ".join(self.missed(cell) for cell in self.cells))

    def has_come(self, cell: Cell) -> bool:
        """Whether a cell's fault was made; one of an option is the drill's own to check."""
        return cell.is_of_the_whole or (cell in self._planned and self._planned[cell].was_made)

    def missed(self, cell: Cell) -> str:
        """Return why a cell's fault was not made, or an empty text."""
        if self.has_come(cell):
            return ""
        planned = self._planned.get(cell)
        return (planned.failed if planned else "") or f"{cell.moment} was not reached"

    def lasted(self, cell: Cell) -> float | None:
        """Return how many seconds a cell's fault was there; None for one of an option."""
        planned = self._planned.get(cell)
        return planned.lasted if planned else None


def outcome(stretch: Stretch, cell: Cell, report: Report, *, interrupted: bool) -> Outcome:
    """Return how a run of a cell ended: one in which the fault did not come has not run it."""
    if interrupted:
        return Outcome.INTERRUPTED
    if not stretch.has_come(cell):
        return Outcome.MISSED
    return Outcome.PASSED if report.result == "passed" else Outcome.FAILED


def reason_of(stretch: Stretch, cell: Cell, report: Report) -> str:
    """Return why a cell's fault did not come, and why its drill did not pass; each once, and empty if there is nothing."""
    missed = stretch.missed(cell)
    if missed and missed in report.reason:
        return report.reason
    return "; ".join(filter(None, (missed, report.reason)))


def figures_of(stretch: Stretch, cell: Cell, report: Report) -> Mapping[str, Any]:
    """Return what a run has shown, for the results."""
    found: dict[str, Any] = {
        "acknowledged": report.load.acknowledged,
        "lost": report.load.lost,
        "records": report.records.total,
        "recordsMissing": [report.records.missing_in_region0, report.records.missing_in_region1],
        "checks": len(report.checks),
        "fault_seconds": _rounded(stretch.lasted(cell)),
    }
    for incident in report.incidents[:1]:
        failback = incident.failback
        found |= {
            "outage_seconds": _rounded(incident.outage_seconds),
            "unavailable_seconds": _rounded(incident.unavailable_seconds),
            "export_gap_seconds": _rounded(incident.export_gap_seconds),
            "paused_seconds": _rounded(failback.paused_seconds if failback else None),
        }
    if stretch.meddler is not None:
        found["ups"] = stretch.meddler.ups
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
