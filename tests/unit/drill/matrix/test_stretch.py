"""What a run tells in its line: why it did not pass, and what it has shown."""

from types import SimpleNamespace
from typing import cast

import pytest

from drill.matrix.cells import EVERYWHERE, Cell
from drill.matrix.stretch import Stretch, figures_of, reason_of
from drill.report.report import Failback, IncidentFigures, Load, Records, Report
from tests.unit.drill.matrix.runs import CELL

WHOLE = Cell("clock-skew", EVERYWHERE, 1, 4, "8.5")
MISSED = "F2@survivor was not reached"


def report(reason: str = "", *incidents: IncidentFigures) -> Report:
    found = SimpleNamespace(
        reason=reason, load=Load(), records=Records(), checks=(), incidents=incidents
    )
    return cast(Report, found)


@pytest.mark.parametrize(
    ("cell", "reason", "told"),
    [
        (WHOLE, "", ""),
        (WHOLE, "1 instance is missing", "1 instance is missing"),
        (CELL, "", MISSED),
        (CELL, "1 instance is missing", f"{MISSED}; 1 instance is missing"),
        (CELL, f"DrillError: {MISSED}", f"DrillError: {MISSED}"),
    ],
)
def test_each_reason_is_told_once(cell: Cell, reason: str, told: str) -> None:
    assert reason_of(Stretch({cell: 1}), cell, report(reason)) == told


@pytest.mark.parametrize(
    ("failback", "seconds"),
    [(None, None), (Failback(), None), (Failback(paused_seconds=12.34), 12.3)],
)
def test_how_long_exporters_paused_is_kept(
    failback: Failback | None, seconds: float | None
) -> None:
    incident = IncidentFigures(lost_region=1, outage_seconds=1.26, failback=failback)
    found = figures_of(Stretch({CELL: 1}), CELL, report("", incident))
    assert (found["outage_seconds"], found["paused_seconds"]) == (1.3, seconds)
