"""One account in three forms: a page that stands alone, Markdown without HTML, and a JSON document."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from cli.report.account import Account
from cli.report.document import document
from cli.report.markdown import markdown
from cli.report.page import page
from cli.report.palette import DARK, GRAPHICS, LIGHT, TEXT
from cli.report.record import IncidentRecord
from tests.inputs.incidents import FAILOVER, INCIDENT, account, at, entry

VOID = ("meta",)
HEADINGS = ("h1", "h2", "h3", "h4")


class Reader(HTMLParser):
    """Reads a page: its text, its elements, and that each is closed where it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def read(html: str) -> Reader:
    found = Reader()
    found.feed(html)
    assert found.open == []
    return found


WHOLE = account(lost_at=at(0))
HOSTILE = Account(
    IncidentRecord(INCIDENT, (entry("F2", 2, 4, policies="<both> | *all* [x](y)"),)),
    {0: "<i>london", 1: "par|is"},
    at(9),
)


def test_the_page_opens_with_what_was_lost_and_tells_who_when_and_what_for() -> None:
    text = read(page(WHOLE)).text
    assert text.startswith(
        "Incident 1-region1-lostRecords lost: none, shown by B2, B3, B4, B5"
        "Region 1 (paris) was lost, london carried on; 14 steps proved; 6 runs of Pulumi, 1 of them failed or stopped."
        "Operatorsada@desk, bob@vmTicketINC-4711Noteparis lost power"
        "Region lost at2026-01-02 03:00:00 UTCBegan2026-01-02 03:00:30 UTC"
    )
    for part in (
        "No service, at most4 min 0 s",
        "No exporting, at most6 min 0 s",
        "Failover, first step to last5 min 30 s",
        "Failback, first step to last9 min 0 s",
        "Exporters paused3 min 30 s",
        "failed or stopped",
        "set phase failover, and begin?yestyped",
        "ask-to-delete-regionyes--yes-delete-region",
        "paused at",
        "web apps are up again in this region, and exporting is resumed",
        "camunda-platform 10.7.0",
    ):
        assert part in text


def test_the_brokers_are_shown_whenever_they_had_changed() -> None:
    brokers = read(page(WHOLE)).text.partition("Brokers")[2].partition("Versions")[0]
    assert brokers == (
        "Brokerafter F0after F2after B7"
        "0camunda-londoncamunda-londoncamunda-london"
        "1not therecamunda-london-failovercamunda-paris"
    )
    bare = account(IncidentRecord(INCIDENT, (entry("F1", 1, 2),)))
    assert "No step of this incident has recorded" in read(page(bare)).text


def test_the_page_stands_alone() -> None:
    found = read(page(WHOLE))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in found.elements}
    assert not any({"src", "href"} & set(attrs) for _, attrs in found.elements)
    assert "url(" not in page(WHOLE)


@pytest.mark.parametrize("shown", [WHOLE, HOSTILE, account(IncidentRecord(INCIDENT, ()))])
def test_the_page_can_be_read_by_machines_that_read_to_people(shown: Account) -> None:
    found = read(page(shown))
    assert found.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in found.elements if tag in HEADINGS]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for attrs in found.all("th"))
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in found.all("svg"))
    scrolled = [attrs for _, attrs in found.elements if "tabindex" in attrs]
    assert all(attrs["role"] == "region" and attrs["aria-label"] for attrs in scrolled)
    labels = [attrs["aria-label"] for attrs in scrolled]
    assert len(set(labels)) == len(labels)
    assert len(found.all("main")) == 1


def test_evidence_is_folded() -> None:
    found = read(page(WHOLE))
    # All steps but F0, B1: those recorded the brokers alone.
    assert len(found.all("details")) == len(found.all("summary")) == 11
    assert not any("open" in attrs for attrs in found.all("details"))


def test_nothing_of_the_record_is_read_as_html_or_markdown() -> None:
    html = page(HOSTILE)
    assert "<both>" not in html
    assert "<i>" not in html
    text = markdown(HOSTILE)
    assert r"\<both\> \| \*all\* \[x\](y)" in text
    assert not re.search(r"(?<!\\)<", text)


def test_markdown_tells_the_same() -> None:
    text = markdown(WHOLE)
    assert text.startswith(
        "# Incident 1-region1-lost\n\n**Records lost: none, shown by B2, B3, B4, B5**\n\nRegion 1 (paris) was lost"
    )
    for part in (
        "- Operators: ada@desk, bob@vm",
        "- Ticket: INC-4711",
        "- No service, at most: 4 min 0 s",
        "| 2026-01-02 03:00:30 UTC | 60.0 s | region0 | failed or stopped | ada@desk | dualregion failover --lost 1 |",
        "| 2026-01-02 03:06:12 UTC | ask-to-delete-region | yes | --yes-delete-region |",
        "| 1 | not there | camunda-london-failover | camunda-paris |",
        "| Camunda | 8.5.x |",
    ):
        assert part in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_the_document_tells_the_same() -> None:
    found = json.loads(json.dumps(document(WHOLE)))
    assert found["recordsLost"]["outcome"] == "none"
    assert found["recordsLost"]["code"] == "records-lost-none"
    assert found["operators"] == ["ada@desk", "bob@vm"]
    assert found["tickets"] == ["INC-4711"]
    assert found["figures"]["failover"] == 330.0
    assert [each["result"] for each in found["runs"]].count("failed") == 1
    assert [each["question"] for each in found["answers"]] == [
        "ask-to-begin",
        "ask-to-delete-region",
    ]
    assert found["versions"]["region1"]["camunda"] == "8.5.x"


def test_what_is_not_known_is_not_claimed() -> None:
    bare = Account(IncidentRecord(INCIDENT, FAILOVER), {0: "london", 1: "paris"}, at(9))
    text = read(page(bare)).text
    assert "Records lost: not shown." in text
    assert "Operatorsnot recorded" in text
    assert "No service" not in text
    assert "Answers given" not in text
    assert "Versions" not in text.partition("Made ")[0]
    late = account(lost_at=at(7))
    assert not {"outage", "gap"} & {each.kind for each in late.spans}


def test_versions_that_differ_are_named_with_their_stacks() -> None:
    mixed = Account(
        IncidentRecord(INCIDENT, FAILOVER),
        {0: "london", 1: "paris"},
        at(9),
        versions={"region0": {"program": "0.1.0"}, "region1": {"program": "0.2.0"}},
    )
    assert "0.1.0 (stack region0), 0.2.0 (stack region1)" in read(page(mixed)).text


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("pairs", "least"), [(TEXT, 4.5), (GRAPHICS, 3.0)], ids=["text", "graphics"]
)
def test_colours_have_the_contrast_of_wcag_aa(
    colours: dict[str, str], pairs: tuple[tuple[str, str], ...], least: float
) -> None:
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < least} == {}


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_colour_is_used_and_every_used_one_is_there() -> None:
    used = set(re.findall(r"var\(--([a-z]+)\)", page(WHOLE))) - {"hue"}
    assert used == LIGHT.keys() - {"line"} == DARK.keys() - {"line"}
