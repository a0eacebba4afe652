"""The report's page in a real browser: read by an accessibility checker, light, dark, on a phone; and printed."""

from itertools import product
from pathlib import Path

import pytest

from cli.report.page import page
from cli.report.record import IncidentRecord
from tests import parts
from tests.browser import chromium
from tests.inputs.incidents import FAILOVER, INCIDENT, account, at

PAGES = {
    "whole": page(account(lost_at=at(0))),
    "not-shown": page(account(IncidentRecord(INCIDENT, FAILOVER))),
    "empty": page(account(IncidentRecord("2-region0-lost", ()))),
}


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> Path:
    """Return the file with axe-core; without it, or without the browser, the test is skipped, or fails."""
    path: str | None = request.config.getoption("--axe")
    missing = [] if chromium.found() else ["no `chromium` on PATH: apt-get install chromium"]
    if path is None:
        missing.append("no axe-core: `make browser`, or name its axe.min.js with --axe")
    if missing and parts.demanded:
        pytest.fail("; ".join(missing))
    if missing or path is None:
        pytest.skip("; ".join(missing))
    return Path(path)


CASES = (
    *product(["whole"], [1200, 390], [False, True], [False, True]),
    *product(["not-shown", "empty"], [390], [False, True], [False]),
)
"""The page, the width of the window, whether it is dark, and whether what is folded is open."""


@pytest.mark.parametrize(("name", "width", "dark", "unfolded"), CASES)
def test_an_accessibility_checker_finds_nothing(
    name: str, width: int, dark: bool, unfolded: bool, axe: Path, tmp_path: Path
) -> None:
    seen = chromium.look(PAGES[name], axe, tmp_path, width=width, dark=dark, unfolded=unfolded)
    assert seen.wrong == []
    # Of text on a picture, or scrolled out of its frame, axe-core cannot tell what is behind it: the palette's own
    # test holds each pair of colours.
    assert {rule for rule, _ in seen.unsure} <= {"color-contrast"}
    assert seen.dark is dark
    # The page itself never scrolls sideways; what is wider does so in its own frame.
    assert seen.beyond <= 0
    assert {"color-contrast", "document-title", "html-has-lang"} <= set(seen.passed)


def test_the_checker_finds_what_is_wrong(axe: Path, tmp_path: Path) -> None:
    broken = PAGES["whole"].replace('lang="en"', "").replace("--soft: #59636e", "--soft: #bbbbbb")
    wide = broken.replace("max-width: 66rem", "width: 90rem")
    seen = chromium.look(wide, axe, tmp_path, width=390, dark=False, unfolded=True)
    assert {"html-has-lang", "color-contrast"} <= {rule for rule, _ in seen.wrong}
    assert seen.beyond > 0


@pytest.mark.usefixtures("axe")
def test_it_can_be_printed(tmp_path: Path) -> None:
    pdf = chromium.printed(PAGES["whole"], tmp_path).read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert 2 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 8
