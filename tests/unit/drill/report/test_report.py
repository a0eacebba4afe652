"""The report: its fields, its judgement, and that it is written however far the drill came."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drill.check import Check
from drill.checks.audit import Rights
from drill.observation.load.log import LoadLog
from drill.observation.measure import Ack, ExportSample
from drill.progress import Progress, Stage
from drill.report import readable, report
from drill.report.report import PhaseTimes, Report, StepTime
from drill.report.results import Episode, Results, report_of, steps_of
from drill.settings import (
    DrillSettings,
)

HELD = Check("normal: Commands are accepted", True, "partitions 1, 2")
BROKEN = Check("failover: Topology", False, "broker 1 is missing | odd")


def acks(*moments: float, first: int = 0) -> tuple[Ack, ...]:
    """Return acknowledgements of four partitions in turn, with keys that count from `first`."""
    return tuple(
        Ack((1 + n % 4 << 51) + n, moment - 0.05, moment) for n, moment in enumerate(moments, first)
    )


def episode() -> Episode:
    """Region 1 lost at 1000, commands again at 1018.6, exporting again at 1040, failover until 1053.

    Failback from 1060 to 1090: exporters paused from 1065 to 1080, web applications down up to 1085, no
    command accepted from 1070 to 1072.5.
    """
    served = [990 + 0.1 * n for n in range(100)] + [1018.6 + 0.1 * n for n in range(515)]
    served += [1072.5 + 0.1 * n for n in range(200)]
    positions = [(999.0, 5), (1040.0, 6), (1045.0, 7), (1050.0, 8)]
    before = [
        ExportSample(at, value, dict.fromkeys(range(1, 5), value), False, False)
        for at, value in positions
    ]
    after = [
        ExportSample(1065.0, 8, {}, True, True),
        ExportSample(1070.0, None, {}, None, None),
        ExportSample(1080.0, 8, {}, False, True),
        ExportSample(1085.0, 8, {}, False, False),
    ]
    return Episode(
        lost_region=1,
        load=LoadLog(acks=acks(*served), errors={"no answer in time": 7}),
        exports=[*before, *after],
        loss=1000.0,
        up_began=1006.0,
        failover_end=1053.0,
        noop_preview_seconds=3.21,
        failback_began=1060.0,
        failback_end=1090.0,
        watched_until=1095.0,
    )


def step(id_: str, seconds: float, start: str = "") -> StepTime:
    return StepTime(id=id_, stack="region0", seconds=seconds, start=start)


def results() -> Results:
    found = Results(
        checks=[HELD],
        phases=[
            PhaseTimes(name="normal", seconds=60.0, steps=(step("N", 12.3),)),
            PhaseTimes(name="failover", seconds=50.0, steps=(step("F1", 2.0),), incident=1),
        ],
        episodes=[episode()],
        records={0: frozenset({"1-1", "1-2"}), 1: frozenset({"1-1"})},
        known_records=frozenset({"1-1", "1-2", "2-7"}),
        peak_memory_gib=4.3,
        machine={"cpus": 2},
        versions={"zeebe": "8.5.8"},
        broker="rehearsal broker 8.5.8-rehearsal, image docker.io/camunda/zeebe:8.5.25",
    )
    keys = frozenset(ack.key for ack in found.load.acks)
    found.found = {0: keys, 1: keys}
    return found


def progress(folder: Path) -> Progress:
    made = Progress(Console(file=StringIO()), folder / "drill.log")
    made.stages.append(Stage("Setting up", 0.0, 1.5, True))
    made.waited_too_long = 0.25
    return made


@pytest.fixture
def full_report(tmp_path: Path) -> Report:
    return report_of(DrillSettings(), results(), progress(tmp_path), None)


def document_of(made: Report) -> Any:
    return json.loads(report.as_json(made))


def test_the_figures_are_computed_from_what_was_seen(full_report: Report) -> None:
    document = document_of(full_report)
    assert (document["result"], document["lostRegion"]) == ("passed", 1)
    load = document["load"]
    assert (load["acknowledged"], load["found"], load["lost"]) == (815, 815, 0)
    assert load["acknowledgedAfterLoss"] == 715
    assert document["records"] == {"total": 3, "missingInRegion0": 1, "missingInRegion1": 2}
    assert document["unavailableSeconds"] == pytest.approx(18.6, abs=0.1)
    assert document["failbackUnavailableSeconds"] == pytest.approx(2.5, abs=0.11)
    expected = {
        "outageSeconds": 18.6,
        "unavailableFromUpSeconds": 12.6,
        "exportGapSeconds": 40.0,
        "reactionSeconds": 6.0,
        "noopPreviewSeconds": 3.21,
        "gaps": [{"start": 0.0, "end": 18.6, "seconds": 18.6}],
        "failbackSeconds": 30.0,
        "failbackGaps": [{"start": 70.0, "end": 72.5, "seconds": 2.5}],
        "pausedSeconds": 15.0,
        "webAppsDownSeconds": 20.0,
    }
    assert {name: document[name] for name in expected} == expected
    assert document["acksPerSecond"][0] == [-10, 10]
    assert document["acksPerSecond"][-1][0] == 90
    (incident,) = document["incidents"]
    assert {name: document[name] for name in incident} == incident


def test_what_no_step_of_the_procedure_took_is_overhead(tmp_path: Path) -> None:
    """Commands are accepted again at 1018.6, `up` began at 1006: two steps take five seconds of it."""
    found, shown = results(), progress(tmp_path)

    def at(moment: float) -> str:
        epoch = shown.began_at + moment - shown.moment_of(shown.began_at)
        return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")

    times = ((1004.0, 1008.0), (1009.0, 1010.0), (1016.6, 1030.0))
    steps = tuple(
        step(f"F{number}", end - start).model_copy(update={"start": at(start), "end": at(end)})
        for number, (start, end) in enumerate(times)
    )
    found.phases = [PhaseTimes(name="failover", seconds=50.0, steps=steps, incident=1)]
    (incident,) = report_of(DrillSettings(), found, shown, None).incidents
    assert incident.unavailable_from_up_seconds == pytest.approx(12.6, abs=0.01)
    assert incident.overhead_seconds == pytest.approx(12.6 - 2.0 - 1.0 - 2.0, abs=0.02)


def test_people_read_the_same_figures(full_report: Report) -> None:
    figures = dict(full_report.figures())
    assert figures["from the loss to the next accepted command"] == "18.6 s"
    assert figures["exporters paused in the failback"] == "15.0 s"
    assert figures["peak memory of the drill's processes"] == "4.30 GiB"
    assert figures["peak memory taken from the machine"] == "unknown"


def test_a_drill_without_failback_has_no_figures_of_one(tmp_path: Path) -> None:
    found = results()
    found.episodes[0].failback_began = found.episodes[0].failback_end = None
    made = report_of(DrillSettings(), found, progress(tmp_path), None)
    document = document_of(made)
    assert (document["pausedSeconds"], document["failbackGaps"]) == (None, [])
    assert document["acksPerSecond"][-1][0] == 53
    assert "exporters paused in the failback" not in dict(made.figures())


def test_each_incident_has_its_own_figures_and_the_first_ones_stand_at_the_top(
    tmp_path: Path,
) -> None:
    found = results()
    later = Episode(
        0,
        LoadLog(acks=acks(*(5000 + 0.1 * n for n in range(50)), 5012.0, first=9000)),
        loss=5005.0,
        watched_until=5020.0,
    )
    found.episodes.append(later)
    both = report_of(DrillSettings(lost=(1, 0)), found, progress(tmp_path), None)
    document = document_of(both)
    assert [each["lostRegion"] for each in document["incidents"]] == [1, 0]
    assert [each["outageSeconds"] for each in document["incidents"]] == [18.6, 7.0]
    assert (document["outageSeconds"], document["load"]["acknowledged"]) == (18.6, 866)
    headings = [heading for heading, _ in both.headed_incidents()]
    assert headings == ["incident 1, region 1 lost", "incident 2, region 0 lost"]


@pytest.mark.parametrize(
    ("lacking", "region0", "region1", "lost"),
    [
        ((slice(3), slice(0)), 812, 815, 3),
        ((slice(0), slice(2)), 815, 813, 2),
        ((slice(3), slice(3)), 812, 812, 3),
        # Together they have all.
        ((slice(1), slice(814, 815)), 814, 814, 2),
    ],
)
def test_an_instance_is_lost_when_either_engine_lacks_it(
    tmp_path: Path, lacking: Sequence[slice], region0: int, region1: int, lost: int
) -> None:
    seen = results()
    keys = sorted(ack.key for ack in seen.load.acks)
    seen.found = {region: frozenset(keys) - set(keys[gone]) for region, gone in enumerate(lacking)}
    load = report_of(DrillSettings(), seen, progress(tmp_path), None).load
    assert (load.in_region0, load.in_region1, load.lost) == (region0, region1, lost)
    assert load.found == load.acknowledged - lost


@pytest.mark.parametrize(
    ("checks", "reason", "result"),
    [
        ([HELD], None, "passed"),
        ([HELD, BROKEN], None, "failed"),
        ([HELD], "pulumi broke", "failed"),
        ([], None, "failed"),
    ],
)
def test_a_drill_passes_if_nothing_broke_and_every_check_held(
    tmp_path: Path, checks: list[Check], reason: str | None, result: str
) -> None:
    made = report_of(DrillSettings(), Results(checks), progress(tmp_path), reason)
    assert (made.result, bool(made.reason)) == (result, result == "failed")


def test_a_drill_that_broke_at_once_still_has_a_report(tmp_path: Path) -> None:
    broken = report_of(DrillSettings(), Results(), progress(tmp_path), "The sandbox needs root.")
    readable.write(broken, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    assert (document["result"], document["reason"]) == ("failed", broken.reason)
    assert (document["lostRegion"], document["incidents"]) == (1, [])
    assert (document["outageSeconds"], document["load"]["lost"]) == (None, None)
    assert "The sandbox needs root." in (tmp_path / "report.md").read_text()


def test_what_failed_is_in_the_page_and_in_the_closing_table(tmp_path: Path) -> None:
    found = results()
    found.checks.append(BROKEN)
    failed = report_of(DrillSettings(), found, progress(tmp_path), None)
    assert "| failover: Topology | broker 1 is missing \\| odd |" in readable.as_markdown(failed)
    console = Console(file=StringIO(), width=160)
    readable.print_closing(failed, console)
    assert BROKEN.detail in console.file.getvalue()  # type: ignore[attr-defined]


def test_rights_never_used_and_refused_are_in_the_page(full_report: Report) -> None:
    assert "Rights" not in readable.as_markdown(full_report)
    own = Rights(
        granted=("pods: get", "pods: list", "pods: delete"),
        used=("pods: get",),
        never_used=("pods: list", "pods: delete"),
        refused=("nodes: list",),
    )
    found = full_report.model_copy(update={"rights": {"own": own}})
    assert document_of(found)["rights"]["own"]["neverUsed"] == list(own.never_used)
    text = readable.as_markdown(found)
    assert "| pods | list, delete |" in text
    assert "| nodes | list |" in text


def test_a_long_timeline_stands_in_rows(full_report: Report) -> None:
    block = readable.as_markdown(full_report).split("```")[1].strip("\n").splitlines()
    assert [row.split(" s ")[0].strip() for row in block] == ["-10", "90"]
    assert len(block[0]) == len("  -10 s ") + 100


def test_the_sparkline_shows_an_outage_as_blank() -> None:
    assert readable.sparkline([8, 0, 1, 4]) == "█ ▂▅"
    assert readable.sparkline([0, 0]) == "  "
    assert readable.sparkline([]) == ""


def test_steps_of_an_earlier_phase_are_not_told_again() -> None:
    first = {"record": {"N": {"seconds": "3.0", "start": "2026-01-01T10:00:00", "title": "t"}}}
    known = steps_of("region0", first)
    assert [(step.id, step.seconds) for step in known] == [("N", 3.0)]
    record = first["record"] | {
        "F2": {"seconds": "9.5", "start": "2026-01-01T11:00:05"},
        "F1": {"seconds": "1.0", "start": "2026-01-01T11:00:00"},
    }
    assert [step.id for step in steps_of("region0", {"record": record}, known)] == ["F1", "F2"]
    assert steps_of("region0", {"record": None}) == []
