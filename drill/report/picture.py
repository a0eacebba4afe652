"""A terminal's screen as an SVG picture: small, the same for the same screen, and without anything to fetch."""

from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from drill.operators.terminal import COLUMNS, Row

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


def picture(rows: Sequence[Row], title: str, name: str) -> str:
    """Return rows of a terminal as an SVG picture.

    Args:
        rows: from top to bottom; blank ones at the end are left out.
        title: stands in the window's frame, such as the command.
        name: makes the picture's own classes differ from those of others on the same page.
    """
    lines = [_line(row) for row in rows]
    while lines and not lines[-1].plain:
        lines.pop()
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor"
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
    cells = (row[column] for column in range(COLUMNS))
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
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    named = _NAMES.get(name, name)
    return (
        named.replace("bright", "bright_", 1)
        if named.startswith("bright") and "_" not in named
        else named
    )
