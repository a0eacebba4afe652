"""Take the screens of the last whole drill into docs/screens: `python -m tools.screens`, or `make screens`.

A drill keeps what each `dualregion` wrote at its terminal; here it is written to a screen again, up to the moment that
is shown, and drawn.
"""

import getpass
import json
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from html import unescape
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from drill.errors import DrillError
from drill.operators.terminal import READING, WALKING, Row, Screen
from drill.settings import Paths

PAGE, TIMELINE = "incident.html", "timeline.svg"
"""The report page of the drill's incident, and its picture alone."""


class Shown(NamedTuple):
    """A screen that the documents show.

    :ivar log: of which run, by the name of its log.
    :ivar until: up to what it wrote; empty: all of it.
    :ivar is_window: whether it is what an operator's window has in the walk, and not all that can be scrolled to.
    """

    log: str
    command: str
    until: str = ""
    is_window: bool = False


SHOWN = {
    "status-normal": Shown("status-normal", "status --full"),
    "plan-failover": Shown("plan-failover", "plan failover --lost 1"),
    "failover-question": Shown(
        "failover-stopped", "failover --lost paris", "to go on: ", is_window=True
    ),
    "failover-running": Shown("failover-stopped", "failover --lost paris", "^C", is_window=True),
    "failover-end": Shown("failover-stopped", "failover --lost paris", is_window=True),
    "status-failover": Shown("status-failover", "status --full"),
    "status-paused": Shown("status-paused", "status --full"),
    "history": Shown("history", "history"),
}
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_PICTURE = re.compile(r"<svg.*?</svg>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  line-height: {line_height}px; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own, without the font that it would have fetched."""
_NAMES = {"brown": "yellow", "brightbrown": "bright_yellow"}
"""What the emulator calls yellow."""


def main() -> int:
    """Take the screens of the last drill into docs/screens.

    Exit status: 0 taken, 1 not, with a sentence that says why.
    """
    paths = Paths()
    try:
        for path in publish(paths, paths.checkout / "docs" / "screens", own_names(paths)):
            print(path.relative_to(paths.checkout))
    except DrillError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def own_names(paths: Paths) -> tuple[str, ...]:
    """Return what names this machine and its user: it must stand in no document."""
    user, host = getpass.getuser(), socket.gethostname()
    return (str(paths.checkout), str(Path.home()), f"{user}@", host)


def publish(paths: Paths, to: Path, own: Sequence[str]) -> list[Path]:
    """Write the screens and the incident's page; nothing is written unless all of it can be.

    :param paths: the drill's.
    :param to: the folder that gets them; it is made if need be.
    :param own: texts that must not be in them.
    :returns: the files written.
    :raises DrillError: the last drill was not a whole one that passed, or a screen names this machine.
    """
    _check_report(paths)
    page = _read(paths.incident_page)
    texts = {
        **{f"{name}.svg": screen(paths, name) for name in SHOWN},
        PAGE: page,
        TIMELINE: timeline(page),
    }
    for name, text in texts.items():
        # A name may stand in the source, or in what a reader reads of it.
        words = unescape(_TAG.sub("", text)).replace("\xa0", " ") + text
        named = [each for each in own if each in words]
        if named:
            raise DrillError(f"{name} names this machine or its user ({', '.join(named)})")
    to.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (to / name).write_text(text, encoding="utf-8")
    return [to / name for name in texts]


def _check_report(paths: Paths) -> None:
    path = paths.folder / "report.json"
    try:
        report: Mapping[str, object] = json.loads(_read(path))
    except ValueError:
        raise DrillError(f"{path} is no report: run `make drill` first") from None
    if report.get("result") != "passed" or report.get("until") != "restored":
        raise DrillError(
            "the last drill must go to phase restored by `dualregion`, and pass: run `make drill` first"
        )


def screen(paths: Paths, name: str) -> str:
    """Return one screen as a picture."""
    shown = SHOWN[name]
    logs = paths.logs.glob(f"*-dualregion-{shown.log}.log")
    last = max(logs, key=_number, default=paths.logs / f"dualregion-{shown.log}.log")
    written = _read(last)
    if shown.until:
        before, until, _ = written.partition(shown.until)
        if not until:
            raise DrillError(f"{last.name} has no {shown.until!r}")
        # What is hit at the keyboard is not on the screen that it is hit for.
        written = before + ("" if until.startswith("^") else until)
    terminal = Screen(WALKING if shown.is_window else READING)
    terminal.feed(written)
    rows = terminal.all_rows[-WALKING.lines :] if shown.is_window else terminal.all_rows
    return picture(rows, f"dualregion {shown.command}", name)


def _number(log: Path) -> int:
    return int(log.name.partition("-")[0])


def _read(path: Path) -> str:
    try:
        # Newlines as the terminal got them.
        return path.read_bytes().decode(errors="replace")
    except OSError:
        raise DrillError(
            f"the last drill has kept no {path.name}: run `make drill` first"
        ) from None


def timeline(page: str) -> str:
    """Return the report page's picture as a file of its own, with the page's style."""
    drawn, style = _PICTURE.search(page), _STYLE.search(page)
    if not drawn or not style:
        raise DrillError(f"{PAGE} has no timeline")
    head, _, rest = drawn[0].partition(">")
    return f"{head}><style>{style[1]}</style>{rest}\n"


def picture(rows: Sequence[Row], title: str, name: str) -> str:
    """Return rows of a terminal as an SVG picture: small, the same for the same screen, with nothing to fetch.

    :param rows: from top to bottom; blank ones at the end are left out.
    :param title: stands in the window's frame, such as the command.
    :param name: makes the picture's own classes differ from those of others on the same page.
    """
    lines = [_line(row) for row in rows]
    while lines and not lines[-1].plain:
        lines.pop()
    console = Console(
        record=True,
        width=max((each.columns for each in rows), default=WALKING.columns),
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    # Rich cuts the last row off below its letters' feet.
    for line in [*lines, Text()]:
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    drawn = console.export_svg(
        title=title, theme=SVG_EXPORT_THEME, code_format=_FORMAT, unique_id=name
    )
    return "\n".join(line.strip() for line in drawn.splitlines() if line.strip()) + "\n"


def _line(row: Row) -> Text:
    line = Text()
    cells = (row.cells[column] for column in range(row.columns))
    for style, group in groupby(cells, _style):
        line.append("".join(cell.data for cell in group), style)
    line.rstrip()
    return line


def _style(cell: Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        reverse=cell.reverse,
    )


def _colour(name: str) -> str | None:
    """Return what Rich calls a colour of the emulator."""
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return _NAMES.get(name, re.sub("^bright(?!_)", "bright_", name))


if __name__ == "__main__":
    sys.exit(main())
