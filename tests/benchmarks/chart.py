"""Lines in a picture, as SVG: a few charts in a row, each with its two axes from zero."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 260, 160, 46
COLOURS = ("#2f6fa5", "#b4540a", "#4a7a2b")


class Line(NamedTuple):
    """Points that belong together.

    :ivar name: what is written in its colour; may be empty.
    """

    name: str
    points: Sequence[tuple[float, float]]


Chart = tuple[str, str, Sequence[Line]]
"""What is to the right, what is upwards, and the lines."""


def drawn(charts: Sequence[Chart]) -> str:
    """Return the picture."""
    width, height = len(charts) * (WIDTH + 2 * MARGIN), HEIGHT + 2 * MARGIN
    parts = [
        f'<g transform="translate({at * (WIDTH + 2 * MARGIN) + MARGIN} {MARGIN})">{_chart(each)}</g>'
        for at, each in enumerate(charts)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>' + "\n".join(parts) + "</svg>\n"
    )


def _chart(chart: Chart) -> str:
    across, upwards, lines = chart
    right = max(x for line in lines for x, _ in line.points)
    top = max(y for line in lines for _, y in line.points)
    found = [
        f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#555555"/>',
        _text(0, -8, f"{upwards}, up to {top:.3g}"),
        _text(0, HEIGHT + 16, "0"),
        _text(WIDTH, HEIGHT + 16, f"{right:g} {across}", anchor="end"),
    ]
    for at, (line, colour) in enumerate(zip(lines, COLOURS, strict=False)):
        places = [(x / right * WIDTH, HEIGHT - y / top * HEIGHT) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        found.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        found.append(_text(8, 14 + 14 * at, line.name, colour=colour))
    return "".join(found)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
