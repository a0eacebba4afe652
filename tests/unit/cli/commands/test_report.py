"""The command that writes an incident's report, and a timeline that is true to scale between its breaks."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.commands.report import chosen
from cli.report.record import IncidentRecord
from cli.report.timeline import (
    BREAK,
    LABEL,
    WIDTH,
    Span,
    picture,
    place,
    span_text,
    stretches,
    ticks,
)
from tests.fakes import pulumi_command
from tests.fakes.pulumi_command import FakePulumi
from tests.inputs.incidents import BEGUN, RECORD, account, at, typed
from tests.raising import raises
from tests.unit.cli.stacks.test_stacks import GATE, RELEASE, resource


def test_the_picture_is_well_formed_and_within_its_frame() -> None:
    svg = Xml.fromstring(picture(account(lost_at=at(0)).spans, at(0), "a & b"))
    rects = svg.findall("{http://www.w3.org/2000/svg}rect")
    bars = [each for each in rects if each.get("class") != "break"]
    assert len(rects) - len(bars) == 1
    steps = ["failover"] * 4 + ["failback"] * 10
    assert [bar.get("class") for bar in bars] == ["outage", "gap", *steps, "paused"]
    assert svg.get("aria-label") == "a & b"
    for bar in rects:
        assert float(bar.get("x", 0)) >= LABEL
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= WIDTH
    lines = svg.findall("{http://www.w3.org/2000/svg}line")
    (loss,) = [each for each in lines if each.get("class") == "loss"]
    assert float(loss.get("x1", 0)) == LABEL
    assert "loss" not in picture(account().spans, at(-100))


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0.5, ["03:00:00", "03:00:10"]), (8, ["03:00", "03:01"]), (300, ["03:00", "03:30"])],
)
def test_the_axis_has_round_moments_with_room_between_them(
    minutes: float, shown: list[str]
) -> None:
    (stretch,) = stretches([Span("a", "failover", at(0), at(minutes))])
    found = ticks(stretch)
    assert [f"{each:%H:%M:%S}"[: len(shown[0])] for each in found[:2]] == shown
    gap = place(found[1], (stretch,)) - place(found[0], (stretch,))
    assert gap >= 64
    assert all(stretch.start <= each <= stretch.end for each in found)


def test_long_stretches_without_anything_are_breaks() -> None:
    spans = [Span("a", "failover", at(0), at(1)), Span("b", "failback", at(2000), at(2003))]
    first, second = stretches(spans)
    assert second.left - first.right == pytest.approx(BREAK)
    assert (second.right - second.left) / (first.right - first.left) == pytest.approx(3)
    assert place(at(2000), (first, second)) == pytest.approx(second.left)
    assert place(at(0.5), (first, second)) == pytest.approx((first.left + first.right) / 2)
    assert len(stretches([spans[0], Span("c", "failover", at(5), at(6))])) == 1
    assert "1 d 9 h" in picture(spans)


def test_a_single_moment_can_be_drawn() -> None:
    assert "rect" in picture([Span("a", "failover", at(0), at(0))])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.25, "1.2 s"), (100, "1 min 40 s"), (3700, "1 h 1 min"), (90000, "1 d 1 h")],
)
def test_spans_of_time_are_words(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_an_incident_is_chosen_by_name_number_or_as_the_last() -> None:
    known = (RECORD, IncidentRecord("2-region0-lost", ()))
    assert chosen("1-region1-lost", known) is RECORD
    assert chosen("1", known) is RECORD
    assert chosen("last", known).name == "2-region0-lost"
    names = ("1-region1-lost", "2-region0-lost")
    with raises("incident-not-known", known=names):
        chosen("7", known)
    with raises("incident-not-known", known=()):
        chosen("last", ())


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """Two stacks that know of an incident; F2 is proved, by a run of Ada's after one that failed."""
    pulumi_command.make_project(tmp_path)
    made = pulumi_command.install(tmp_path, monkeypatch)
    data = {
        "step": "F2",
        "incident": "1-region1-lost",
        "start": "2026-01-02T03:00:00.000+00:00",
        "end": "2026-01-02T03:01:00.000+00:00",
        "evidence": json.dumps({"brokers": "0 a, 1 b"}),
    }
    release = {"chart": "camunda-platform", "version": "10.7.0", "appVersion": "8.5.x"}
    made.holds(
        "region0",
        {
            "manifest": {"version": "v3.259.0"},
            "resources": [
                resource(GATE, "F2", data=data),
                resource(RELEASE, "normal", status=release),
                resource("pulumi:providers:kubernetes", "provider", version="4.25.0"),
            ],
        },
    )
    config = {"camunda-dual-region:phase": "failover", "camunda-dual-region:lostRegion": "1"}
    run = {
        "kind": "update",
        "startTime": "2026-01-02T02:59:00.000Z",
        "endTime": "2026-01-02T03:01:10.000Z",
        "message": str(typed("failover --lost 1", BEGUN)),
        "environment": {"pulumi.version": "v3.259.0"},
        "config": {key: {"value": value, "secret": False} for key, value in config.items()},
        "result": "succeeded",
    }
    failed = run | {"startTime": "2026-01-02T02:58:00.000Z", "result": "failed"}
    made.answers("stack history", [run, failed], "region0")
    return made


def report(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["-C", str(folder), "report", *arguments])


@pytest.mark.usefixtures("pulumi")
def test_the_latest_incident_is_written_as_the_file_ends_or_as_asked(tmp_path: Path) -> None:
    for name, begin in (("r.html", "<!doctype html>"), ("r.md", "# Incident"), ("r.json", "{")):
        written = report(tmp_path, "-o", str(tmp_path / name), "--lost-at", "2026-01-02 02:59")
        assert written.exit_code == 0, written.output
        assert (tmp_path / name).read_text().startswith(begin)
    odd = report(tmp_path, "last", "-o", str(tmp_path / "r.txt"), "--format", "markdown")
    assert odd.exit_code == 0, odd.output
    assert (tmp_path / "r.txt").read_text().startswith("# Incident")
    assert "No service, at most: 2 min 0 s" in (tmp_path / "r.md").read_text()


@pytest.mark.usefixtures("pulumi")
def test_a_report_goes_to_standard_output_alone(tmp_path: Path) -> None:
    found = json.loads(report(tmp_path, "--format", "json", "-o", "-").stdout)
    assert found["operators"] == ["ada@desk"]
    assert [each["result"] for each in found["runs"]] == ["failed", "succeeded"]
    assert [each["question"] for each in found["answers"]] == ["ask-to-begin"]
    assert found["versions"]["region0"] == {
        "pulumi": "v3.259.0",
        "provider": "4.25.0",
        "chart": "camunda-platform 10.7.0",
        "camunda": "8.5.x",
    }
    named = json.loads(report(tmp_path, "--format", "json", "-o", "-", "--ticket", "T-1").stdout)
    assert (found["tickets"], named["tickets"]) == (["INC-4711"], ["T-1"])


@pytest.mark.usefixtures("pulumi")
@pytest.mark.parametrize(
    "given",
    [
        "2026-01-02T02:59:00Z",
        "2026-01-02T02:59:00+00:00",
        "2026-01-02T03:59+01:00",
        "2026-01-02 02:59",
    ],
)
def test_the_loss_is_told_in_any_time_of_iso_8601(tmp_path: Path, given: str) -> None:
    found = report(tmp_path, "--format", "json", "-o", "-", "--lost-at", given)
    assert json.loads(found.stdout)["lostAt"] == "2026-01-02T02:59:00+00:00"
    assert json.loads(found.stdout)["figures"]["outage"] == 120.0


@pytest.mark.usefixtures("pulumi")
def test_what_is_no_time_is_refused_with_how_to_write_one(tmp_path: Path) -> None:
    found = report(tmp_path, "--lost-at", "3am")
    assert found.exit_code == 2
    assert "[no-moment]" in " ".join(found.output.replace("│", " ").split())


@pytest.mark.usefixtures("pulumi")
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    missing = report(tmp_path, "-o", str(tmp_path / "no" / "r.html"))
    assert missing.exit_code == 1
    assert missing.output.endswith("[page-not-written]\n")
