"""The report: its fields, its judgement, and that it is written however far the drill came."""

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from drill import report
from drill.checks import Check
from drill.errors import DrillError
from drill.findings import Findings, report_of, steps_of
from drill.livelines import LiveLines
from drill.loadlog import LoadLog
from drill.measure import Ack, ExportSample
from drill.progress import Progress, Stage
from drill.regions import REGIONS
from drill.report import Load, PhaseTimes, Report, StepTime
from drill.settings import DrillSettings, Places, Until, stack_config
from drill.waiting import wait_for

HELD = Check("normal: Commands are accepted", True, "partitions 1, 2")
BROKEN = Check("failover: Topology", False, "broker 1 is missing | odd")


def acks(*moments: float) -> tuple[Ack, ...]:
    return tuple(
        Ack((1 + n % 4 << 51) + n, moment - 0.05, moment) for n, moment in enumerate(moments)
    )


def findings() -> Findings:
    """Region lost at 1000, commands again at 1018.6, exporting again at 1040, end at 1053."""
    served = [990 + 0.1 * n for n in range(100)] + [1018.6 + 0.1 * n for n in range(400)]
    positions = [(999.0, 5), (1040.0, 6), (1045.0, 7), (1050.0, 8)]
    return Findings(
        checks=[HELD],
        phases=[
            PhaseTimes("normal", 60.0, (StepTime("N", "region0", 12.3),)),
            PhaseTimes("failover", 50.0, (StepTime("F1", "region0", 2.0, title="isolated"),)),
        ],
        loss=1000.0,
        up_began=1006.0,
        failover_end=1053.0,
        watched_until=1060.0,
        load=LoadLog(acks=acks(*served), errors={"no answer in time": 7}, deployed=True),
        found=frozenset(ack.key for ack in acks(*served)),
        exports=[
            ExportSample(at, value, dict.fromkeys(range(1, 5), value)) for at, value in positions
        ],
        noop_preview_seconds=3.21,
        peak_memory_gib=4.3,
        machine={"cpus": 2},
        versions={"zeebe": "8.5.8"},
    )


def full_report() -> Report:
    return report_of(DrillSettings(), findings(), [Stage("Setting up", 0.0, 1.5, True)], None)


def test_the_json_report_has_every_field_of_its_description() -> None:
    document = json.loads(report.as_json(full_report()))
    assert document["result"] == "passed"
    assert (document["clusterSize"], document["lostRegion"]) == (4, 1)
    assert document["phases"][1]["steps"][0] == {
        "id": "F1",
        "stack": "region0",
        "seconds": 2.0,
        "start": "",
        "end": "",
        "title": "isolated",
    }
    assert document["checks"] == [{"name": HELD.name, "ok": True, "detail": HELD.detail}]
    assert document["load"]["acknowledged"] == 500
    assert (document["load"]["found"], document["load"]["lost"]) == (500, 0)
    assert document["load"]["acknowledgedAfterLoss"] == 400
    assert document["outageSeconds"] == 18.6
    assert document["unavailableSeconds"] == pytest.approx(18.6, abs=0.1)
    assert document["exportGapSeconds"] == 40.0
    assert document["reactionSeconds"] == 6.0
    assert document["gaps"] == [{"start": 0.0, "end": 18.6, "seconds": 18.6}]
    assert document["acksPerSecond"][0] == [-10, 10]
    assert document["peakMemoryGiB"] == 4.3
    assert document["stages"] == [{"name": "Setting up", "start": 0.0, "seconds": 1.5, "ok": True}]
    assert document["versions"] == {"zeebe": "8.5.8"}


def test_a_lost_instance_is_counted() -> None:
    found = findings()
    found.found = frozenset(sorted(found.found or ())[3:])
    assert report_of(DrillSettings(), found, [], None).load == Load(
        acknowledged=500,
        found=497,
        lost=3,
        acknowledged_after_loss=400,
        rate=20.0,
        errors={"no answer in time": 7},
    )


@pytest.mark.parametrize(
    ("held", "reason", "result", "says"),
    [
        ([HELD], None, "passed", ""),
        ([HELD, BROKEN], None, "failed", "1 of 2 checks failed: failover: Topology"),
        ([HELD], "pulumi broke", "failed", "pulumi broke"),
        ([], None, "failed", "no check was run"),
    ],
)
def test_judgement(held: list[Check], reason: str | None, result: str, says: str) -> None:
    judged = Report(4, 1, "failover", checks=tuple(held)).judged(reason)
    assert (judged.result, judged.reason) == (result, says)


def test_a_drill_that_broke_at_once_still_has_a_report(tmp_path: Path) -> None:
    broken = report_of(DrillSettings(), Findings(), [], "The sandbox needs root.")
    report.write(broken, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["result"] == "failed"
    assert document["reason"] == "The sandbox needs root."
    assert document["outageSeconds"] is None
    assert document["load"]["lost"] is None
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# Drill: failed")
    assert "The sandbox needs root." in text


def test_a_drill_without_loss_measures_no_outage() -> None:
    found = findings()
    found.loss = None
    document = json.loads(report.as_json(report_of(DrillSettings(), found, [], None)))
    assert document["outageSeconds"] is None
    assert document["gaps"] == []


def test_the_readable_report_and_the_closing_table_name_what_failed() -> None:
    failed = report_of(DrillSettings(), findings(), [], None)
    failed = Report(**{**failed.__dict__, "checks": (HELD, BROKEN)}).judged(None)
    text = report.as_markdown(failed)
    assert "| **FAILED** | failover: Topology | broker 1 is missing \\| odd |" in text
    assert "| failover | F1 | region0 | 2.0 | isolated |" in text
    assert "| from the loss to the next accepted command | 18.6 s |" in text
    console = Console(file=StringIO(), width=160)
    report.print_closing(failed, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "FAILED" in printed
    assert "broker 1 is missing" in printed
    assert "step F1 (region0)" in printed


def test_the_sparkline_shows_silence_as_blank() -> None:
    assert report.sparkline([8, 0, 1, 4]) == "█ ▂▅"
    assert report.sparkline([0, 0]) == "  "
    assert report.sparkline([]) == ""


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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lost": 2}, "regions 0 and 1"),
        ({"cluster_size": 6}, "multiples of 4"),
        ({"cluster_size": 0}, "multiples of 4"),
        ({"until": Until.RESTORED}, "does not go so far yet"),
        ({"until": Until.FAILBACK_PENDING}, "does not go so far yet"),
    ],
)
def test_a_drill_that_cannot_be_done_is_refused(change: dict[str, int], says: str) -> None:
    with pytest.raises(DrillError, match=says):
        DrillSettings(**change)  # type: ignore[arg-type]


def test_the_configuration_is_what_the_program_takes() -> None:
    from dualregion.settings import Settings  # noqa: PLC0415 (only this test knows the program)

    config = stack_config(DrillSettings(cluster_size=8), Places(), REGIONS[1])
    assert Settings.parse(nested(config)).own.namespace == "camunda-paris"


def nested(config: dict[str, str]) -> dict[str, object]:
    """Do with `a.b` and `a[0].b` what `pulumi config set --path` does."""
    result: dict[str, object] = {}
    for path, value in config.items():
        place: object = result
        parts = path.replace("[", ".[").split(".")
        for part, after in zip(parts, [*parts[1:], None], strict=True):
            fresh = yaml.safe_load(value) if after is None else [] if after.startswith("[") else {}
            place = put(place, part, fresh)
    return result


def put(place: object, part: str, fresh: object) -> object:
    if isinstance(place, list):
        index = int(part[1:-1])
        if index == len(place):
            place.append(fresh)
        return place[index]
    assert isinstance(place, dict)
    return place.setdefault(part, fresh)


def test_chart_and_values_are_there() -> None:
    assert (Places().chart / "Chart.yaml").is_file()
    assert all(path.is_file() for path in Places().values)


# As `pulumi up --non-interactive` 3.259.0 printed it.
LINES = """Updating (region1):
    pulumi:pulumi:Stack camunda-dual-region-region1  warning: using pulumi-resource-kubernetes from $PATH at /x
 +  pulumi:pulumi:Stack camunda-dual-region-region1 creating (0s) F2: waiting until two brokers joined
@ updating....
 +  dualregion:index:Gate g creating (0s)
 +  kubernetes:core/v1:Namespace failover created (0.01s)
 ~  kubernetes:core/v1:Secret normal refreshing (0s) warning: configured Kubernetes cluster is unreachable
 +  pulumi:pulumi:Stack camunda-dual-region-region1 creating (1s) F2: waiting until two brokers joined
    pulumi:pulumi:Stack camunda-dual-region-region1  F2: one of two brokers joined
 +  dualregion:index:Gate g **creating failed** error: before hook "h" failed: partition 3 has no leader
 +  pulumi:pulumi:Stack camunda-dual-region-region1 creating (2s) error: update failed
 +  pulumi:pulumi:Stack camunda-dual-region-region1 creating (2s) Traceback (most recent call last):
 +  pulumi:pulumi:Stack camunda-dual-region-region1 creating (2s)   File "/x", line 197, in <module>
 +  pulumi:pulumi:Stack camunda-dual-region-region1 **creating failed (2s)** 1 error; 17 messages
Diagnostics:
  dualregion:index:Gate (g):
    error: before hook "h" failed: partition 3 has no leader
"""


def test_live_lines_tell_what_is_said_done_and_failed_each_once() -> None:
    live = LiveLines()
    told = [text for line in LINES.splitlines() if (text := live.condensed(line))]
    assert told == [
        "F2: waiting until two brokers joined",
        "+ kubernetes:core/v1:Namespace failover created (0.01s)",
        "F2: one of two brokers joined",
        '+ dualregion:index:Gate g **creating failed** error: before hook "h" failed: '
        "partition 3 has no leader",
    ]


def test_progress_keeps_its_stages_and_its_log(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    progress = Progress(console, tmp_path / "drill.log")
    with progress.stage("Losing [red]region 1[/red]"):
        progress.say("  etcd is gone")
    with pytest.raises(DrillError), progress.stage("Failing over"):
        raise DrillError("no")
    assert [(stage.name, stage.ok) for stage in progress.stages] == [
        ("Losing [red]region 1[/red]", True),
        ("Failing over", False),
    ]
    log = (tmp_path / "drill.log").read_text()
    assert "Losing [red]region 1[/red]" in log
    assert "failed after" in log
    assert log == console.file.getvalue()  # type: ignore[attr-defined]


def test_waiting_ends_with_what_is_still_missing() -> None:
    wait_for("it is there", lambda: None, 0, print)
    with pytest.raises(DrillError, match="waited 0 s until it is there; still: two brokers"):
        wait_for("it is there", lambda: "two brokers", 0, print)
