"""The report of an incident: a page that stands alone, and a timeline that is true to scale between its breaks."""

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands.report import chosen
from cli.report.page import page, spans_of
from cli.report.record import Entry, IncidentRecord
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
from dualregion.procedure import CAMUNDA_8_5
from tests.fakes import pulumi_command
from tests.raising import raises
from tests.unit.cli.test_stacks import GATE, resource

NIGHT = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
NAMES = {0: "london", 1: "paris"}


def at(minutes: float) -> datetime:
    return NIGHT + timedelta(minutes=minutes)


TITLES = CAMUNDA_8_5.steps_by_id


def entry(step: str, start: float, end: float, region: int = 0, **evidence: str) -> Entry:
    return Entry(region, f"region{region}", step, at(start), at(end), evidence, TITLES[step].title)


BEFORE = "0 camunda-zeebe-0.camunda-zeebe.camunda-london.svc"
TAKEN_OVER = f"{BEFORE}, 1 camunda-zeebe-0.camunda-zeebe.camunda-london-failover.svc"

RECORD = IncidentRecord(
    "1-region1-lost",
    (
        entry("F1", 1, 2, brokers=BEFORE),
        entry("F2", 2, 4, policies="<both>"),
        entry("F3", 4, 6, brokers=TAKEN_OVER, exportedPositions="1: 5 to 7"),
        entry("B1", 2000, 2003, region=1),
        entry("B2", 2003, 2004, pausedAt="2026-01-03T12:23:30+00:00", brokers=TAKEN_OVER),
        entry("B5", 2006, 2007, resumedAt="2026-01-03T12:27:00+00:00", brokers="0 a, 1 c"),
    ),
)


class Checker(HTMLParser):
    """Notes what a page would fetch, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [str(v) for k, v in attrs if k in ("src", "href")]
        assert tag not in ("script", "link", "img", "iframe")

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> str:
    """Return what a reader reads."""
    found = Checker()
    found.feed(html)
    return found.text


def test_the_page_stands_alone_and_tells_all() -> None:
    html = page(RECORD, NAMES, at(3000), at(0))
    found = Checker()
    found.feed(html)
    assert found.fetched == []
    assert "url(" not in html
    for text in (
        "Incident 1-region1-lost",
        "Region 1 (paris) was lost, london carried on; lost at 2026-01-02 03:00:00; 6 steps proved",
        "Failover, first step to last5 min 0 s",
        "Failback, first step to last7 min 0 s",
        "No service, at most4 min 0 s",
        "No exporting, at most6 min 0 s",
        "Exporters paused3 min 30 s",
        "<both>",
        "paused at",
        "B1 paris",
        "failover brokers replace the lost ones",
    ):
        assert text in found.text
    assert "<both>" not in html


def test_the_brokers_are_shown_whenever_they_had_changed() -> None:
    text = read(page(RECORD, NAMES, at(3000), None))
    brokers = text.partition("Brokers")[2].partition("Made ")[0]
    assert brokers == (
        "Brokerafter F1after F3after B5"
        "0camunda-londoncamunda-londona"
        "1not therecamunda-london-failoverc"
    )
    bare = IncidentRecord("1-region1-lost", (entry("F1", 1, 2),))
    assert "No step of this incident has recorded" in read(page(bare, NAMES, at(3), None))


def test_without_a_known_loss_no_outage_is_claimed() -> None:
    kinds = [each.kind for each in spans_of(RECORD, NAMES, None)]
    assert not {"outage", "gap"} & set(kinds)
    assert "No service" not in page(RECORD, NAMES, at(3000), None)
    late = list(spans_of(RECORD, NAMES, at(7)))
    assert not {"outage", "gap"} & {each.kind for each in late}


def test_a_record_without_a_step_is_a_page_too() -> None:
    text = read(page(IncidentRecord("2-region0-lost", ()), NAMES, at(1), None))
    assert "Region 0 (london) was lost, paris carried on; 0 steps proved." in text
    assert "Timeline" not in text


def test_the_picture_is_well_formed_and_within_its_frame() -> None:
    svg = Xml.fromstring(picture(tuple(spans_of(RECORD, NAMES, at(0))), at(0)))
    rects = svg.findall("{http://www.w3.org/2000/svg}rect")
    bars = [each for each in rects if each.get("class") != "break"]
    assert len(rects) - len(bars) == 1
    assert [bar.get("class") for bar in bars] == [
        "outage",
        "gap",
        "failover",
        "failover",
        "failover",
        "failback",
        "failback",
        "failback",
        "paused",
    ]
    for bar in rects:
        assert float(bar.get("x", 0)) >= LABEL
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= WIDTH
    lines = svg.findall("{http://www.w3.org/2000/svg}line")
    (loss,) = [each for each in lines if each.get("class") == "loss"]
    assert float(loss.get("x1", 0)) == LABEL
    assert "loss" not in picture(tuple(spans_of(RECORD, NAMES, None)), at(-100))


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


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    data = {
        "step": "F2",
        "incident": "1-region1-lost",
        "start": "2026-01-02T03:00:00.000+00:00",
        "end": "2026-01-02T03:01:00.000+00:00",
        "evidence": json.dumps({"brokers": "0 a, 1 b"}),
    }
    pulumi.holds("region0", {"resources": [resource(GATE, "F2", data=data)]})
    out = tmp_path / "r.html"
    run = ["-C", str(tmp_path), "report", "last", "-o", str(out)]
    result = CliRunner().invoke(app, [*run, "--lost-at", "2026-01-02 02:59"])
    assert result.exit_code == 0, result.output
    assert "No service, at most2 min 0 s" in read(out.read_text())
    missing = CliRunner().invoke(app, [*run[:-1], str(tmp_path / "no" / "r.html")])
    assert missing.exit_code == 1
    assert missing.output.endswith("[page-not-written]\n")
