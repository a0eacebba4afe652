"""The screens of a drill as pictures, drawn from its logs, and what must not be shown."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from drill.errors import DrillError
from drill.settings import Paths
from tools.screens import PAGE, SHOWN, TIMELINE, publish

WRITTEN = "Installations\r\nType the name of the lost region to go on: paris\r\n\x1b[33mat work\x1b[0m  F2^C\r\nstopped\r\n"
PAGE_TEXT = "<html><style>.a{}</style><svg viewBox='0 0 1 1'><text>F1</text></svg></html>"
HISTORY = "logs/07-dualregion-history.log"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The files of a whole drill."""
    found = Paths(tmp_path)
    found.logs.mkdir(parents=True)
    (found.folder / "report.json").write_text('{"result": "passed", "until": "restored"}')
    for shown in SHOWN.values():
        (found.logs / f"07-dualregion-{shown.log}.log").write_bytes(WRITTEN.encode())
    found.incident_page.write_text(PAGE_TEXT)
    return found


def test_screens_are_drawn_up_to_the_moment_that_is_shown(paths: Paths, tmp_path: Path) -> None:
    (paths.logs / "112-dualregion-history.log").write_text("the last one counts")
    to = tmp_path / "docs" / "screens"
    written = publish(paths, to, ("desk", "ada@"))
    assert {path.name for path in to.iterdir()} == {path.name for path in written}
    assert {path.name for path in written} == {f"{name}.svg" for name in SHOWN} | {PAGE, TIMELINE}

    def reads(name: str) -> str:
        return "".join(Xml.fromstring((to / f"{name}.svg").read_text()).itertext())

    question = reads("failover-question").replace("\xa0", " ")
    assert "to go on:" in question
    assert "to go on: paris" not in question
    assert "at\xa0work" in reads("failover-running")
    assert "^C" not in reads("failover-running")
    assert "stopped" in reads("failover-end")
    assert "dualregion\xa0failover\xa0--lost\xa0paris" in reads("failover-end").replace(" ", "\xa0")
    assert "the\xa0last" in reads("history")
    drawn = (to / "failover-end.svg").read_text()
    assert "url(http" not in drawn
    assert "@font-face" not in drawn
    assert (to / TIMELINE).read_text() == (
        "<svg viewBox='0 0 1 1'><style>.a{}</style><text>F1</text></svg>\n"
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("report.json", '{"result": "failed", "until": "restored"}'),
        ("report.json", '{"result": "passed", "until": "failover"}'),
        ("report.json", ""),
        ("incident.html", "<html></html>"),
        (HISTORY, "by ada@desk"),
        ("logs/07-dualregion-failover-stopped.log", "no question"),
    ],
)
def test_what_must_not_be_shown_is_refused_and_nothing_is_written(
    paths: Paths, tmp_path: Path, file: str, text: str
) -> None:
    (paths.folder / file).write_text(text)
    to = tmp_path / "docs"
    with pytest.raises(DrillError):
        publish(paths, to, ("desk", "ada@"))
    assert not to.exists()


def test_a_screen_that_was_not_kept_is_missed(paths: Paths, tmp_path: Path) -> None:
    (paths.folder / HISTORY).unlink()
    with pytest.raises(DrillError):
        publish(paths, tmp_path / "docs", ())
