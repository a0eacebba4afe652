"""Screens of a drill as pictures: kept while it runs, and taken into the documents (`python -m drill.report.screens`)."""

import getpass
import json
import re
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from drill.errors import DrillError
from drill.operators.terminal import Row
from drill.report.picture import picture
from drill.settings import Places

SHOWN = (
    "status-normal",
    "plan-failover",
    "failover-question",
    "failover-running",
    "failover-end",
    "status-failover",
    "status-paused",
    "history",
)
"""The screens that the documents show."""
PAGE, TIMELINE = "incident.html", "timeline.svg"
"""The report page of the drill's incident, and its picture alone."""

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_PICTURE = re.compile(r"<svg.*?</svg>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Screens:
    """Keeps screens in a folder, each as a picture under its name; of one name the last is kept."""

    folder: Path

    def keep(self, name: str, title: str, rows: Sequence[Row]) -> None:
        """Keep a screen; `title` is the command that it is of."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{name}.svg"
        path.write_text(picture(rows, title, name), encoding="utf-8")


def main() -> int:
    """Take the screens of the last drill into docs/screens.

    Exit status: 0 taken, 1 not, with a sentence that says why.
    """
    places = Places()
    try:
        for path in publish(places, places.checkout / "docs" / "screens", own_names(places)):
            print(path.relative_to(places.checkout))
    except DrillError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def own_names(places: Places) -> tuple[str, ...]:
    """Return what names this machine and its user: it must stand in no document."""
    user, host = getpass.getuser(), socket.gethostname()
    return (str(places.checkout), str(Path.home()), f"{user}@", host)


def publish(places: Places, to: Path, own: Sequence[str]) -> list[Path]:
    """Copy the screens and the incident's page; nothing is written unless all of it can be.

    Args:
        places: the drill's.
        to: the folder that gets them; it is made if need be.
        own: texts that must not be in them.

    Returns:
        The files written.

    Raises:
        DrillError: the last drill was not a whole one that passed, or a screen names this machine.
    """
    report = _report(places)
    if report.get("result") != "passed" or report.get("until") != "restored":
        raise DrillError(
            "the last drill was none to be shown: it must go to phase restored by `dualregion`, and pass; "
            "say `make drill` first"
        )
    texts = dict(_texts(places))
    for name, text in texts.items():
        told = _words(text)
        named = [each for each in own if each in told]
        if named:
            raise DrillError(f"{name} names this machine or its user ({', '.join(named)})")
    to.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (to / name).write_text(text, encoding="utf-8")
    return [to / name for name in texts]


def _report(places: Places) -> Mapping[str, object]:
    path = places.folder / "report.json"
    try:
        document: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DrillError(
            f"there is no report of a drill in {path}: say `make drill` first"
        ) from None
    return document


def _texts(places: Places) -> Iterator[tuple[str, str]]:
    for name in SHOWN:
        yield f"{name}.svg", _read(places.screens / f"{name}.svg")
    page = _read(places.incident_page)
    yield PAGE, page
    yield TIMELINE, timeline(page)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise DrillError(
            f"the last drill has kept no {path.name}: it must be one by `dualregion`, to phase restored"
        ) from None


def timeline(page: str) -> str:
    """Return the report page's picture as a file of its own, with the page's style."""
    drawn, style = _PICTURE.search(page), _STYLE.search(page)
    if not drawn or not style:
        raise DrillError(f"{PAGE} has no timeline")
    head, _, rest = drawn[0].partition(">")
    return f"{head}><style>{style[1]}</style>{rest}\n"


def _words(text: str) -> str:
    """Return what a reader of a page or picture reads, and its source: a name may stand in either."""
    return unescape(_TAG.sub("", text)).replace("\xa0", " ") + text


if __name__ == "__main__":
    sys.exit(main())
