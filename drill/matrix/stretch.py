"""One run of a cell: a drill by plain `pulumi`, in which one fault comes, judged by the same accounting as any other."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drill.errors import DrillError
from drill.matrix.cells import Cell, Way, fault_of
from drill.matrix.faults import MADE, Site
from drill.matrix.results import Outcome
from drill.operators.meddler import Meddler
from drill.procedure.model import Part, Until
from drill.report.report import Report
from drill.scenario.failback import Failback
from drill.scenario.failover import Failover
from drill.scenario.judging import check_failed_over, check_paused, check_whole_again
from drill.scenario.scenario import rehearse_all, to_normal
from drill.settings import DrillSettings, Incident
from drill.testbed.context import DrillContext

_LATEST_SECONDS = 1.0
"""How long after a step's beginning a fault comes at the latest: most steps take a few seconds."""
_FIGURES = (
    "outage_seconds",
    "unavailable_seconds",
    "export_gap_seconds",
)


def settings_of(cell: Cell) -> DrillSettings:
    """Return the drill of a cell.

    :raises DrillError: there is no such drill, which is a fault of the table.
    """
    options = dict(fault_of(cell).options or {})
    after = {"again": cell.lost, "other": 1 - cell.lost}
    more = [after[name] for name in after if options.pop(name, False)]
    return DrillSettings(
        lost=(cell.lost, *more),
        cluster_size=cell.size,
        camunda=cell.version,
        until=cell.phase,
        by_pulumi=True,
        **options,
    )


@dataclass
class Stretch:
    """A run of a cell.

    :ivar seed: what its chances are drawn from.
    """

    cell: Cell
    seed: int
    meddler: Meddler | None = None

    def rehearse(self, ctx: DrillContext) -> None:
        """Carry it out.

        :raises DrillError: something could not be done, or the fault did not come.
        :raises SandboxError: a region could not be lost or recreated.
        """
        if fault_of(self.cell).way is Way.OPTION:
            rehearse_all(ctx)
            return
        incident = ctx.settings.incidents[0]
        to_normal(ctx)
        ctx.meddler = self.meddler = self._meddler(ctx, incident)
        try:
            self._go_through(ctx, incident)
        finally:
            self.meddler.end()

    def _meddler(self, ctx: DrillContext, incident: Incident) -> Meddler:
        chance = random.Random(self.seed)  # noqa: S311 (no secret)
        step, part = self.cell.place
        region = incident.survivor if part is Part.SURVIVOR else incident.lost
        return Meddler(
            ctx.stacks,
            ctx.progress,
            step,
            region.stack,
            after=chance.uniform(0.0, _LATEST_SECONDS),
            make=MADE[self.cell.fault](Site(ctx, incident, chance)),
        )

    def _go_through(self, ctx: DrillContext, incident: Incident) -> None:
        episode = ctx.start_load(incident.survivor, incident.number)
        ctx.await_exports()
        failover = Failover(ctx, incident, episode)
        failover.lose()
        failover.fail_over()
        if self.cell.phase is Until.FAILOVER:
            self._end()
            check_failed_over(failover)
            failover.check_engines()
            return
        check_failed_over(failover)
        failover.up_on_lost_stack()
        failback = Failback(ctx, incident, episode)
        failback.recreate()
        failback.configure("failback-pending")
        failback.make_pending("failback-pending")
        if not self._is_later():
            check_paused(failback)
        failback.restore()
        self._end()
        check_whole_again(failback)

    def _is_later(self) -> bool:
        """Whether the fault is still to come in phase `restored`."""
        return self.meddler is not None and self.meddler.came is None

    def _end(self) -> None:
        """Take the fault away, and demand that it came: without it nothing is judged.

        :raises DrillError: it did not come, or could not be made.
        """
        if self.meddler is None:
            return
        self.meddler.end()
        if not self.has_come:
            raise DrillError(self.meddler.failed or f"{self.cell.moment} was not reached")

    @property
    def has_come(self) -> bool:
        """Whether the fault was made; one of an option is the drill's own to check."""
        if fault_of(self.cell).way is Way.OPTION:
            return True
        return (
            self.meddler is not None and self.meddler.came is not None and not self.meddler.failed
        )


def outcome(stretch: Stretch, report: Report, *, interrupted: bool) -> Outcome:
    """Return how a run of a cell ended: one in which the fault did not come has not run it."""
    if interrupted:
        return Outcome.INTERRUPTED
    if not stretch.has_come:
        return Outcome.MISSED
    return Outcome.PASSED if report.result == "passed" else Outcome.FAILED


def figures_of(stretch: Stretch, report: Report) -> Mapping[str, Any]:
    """Return what a run has shown, for the results."""
    found: dict[str, Any] = {
        "acknowledged": report.load.acknowledged,
        "lost": report.load.lost,
        "records": report.records.total,
        "recordsMissing": [report.records.missing_in_region0, report.records.missing_in_region1],
        "checks": len(report.checks),
    }
    for incident in report.incidents[:1]:
        document = incident.model_dump()
        found |= {name: _rounded(document[name]) for name in _FIGURES}
        found["paused_seconds"] = _rounded(
            document.get("pausedSeconds") or document.get("paused_seconds")
        )
    if stretch.meddler is not None:
        found["ups"] = stretch.meddler.ups
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
