"""An incident's timeline as an SVG picture. Pure.

One row for each span. Days may lie between failover and failback, so a stretch in which nothing happened is
drawn as a short break with its length, and everything else to one scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

LABEL, WIDTH, ROW, BREAK = 190, 960, 24, 110
"""Widths of the labels, of the whole picture and of a break, and the height of a row, in pixels."""
LONGEST_GAP_SECONDS = 300.0
"""A longer stretch without anything is drawn as a break."""
_END = 90
"""Room at the right, for what stands behind the last bar."""


@dataclass(frozen=True)
class Span:
    """Something that lasted.

    :ivar kind: what it is, for its colour: `failover`, `failback`, `outage` or `paused`.
    """

    label: str
    kind: str
    start: datetime
    end: datetime
    note: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Stretch:
    """A stretch of time in which something happened, and where it is drawn."""

    start: datetime
    end: datetime
    left: float
    right: float


def stretches(spans: Sequence[Span]) -> tuple[Stretch, ...]:
    """Return the stretches that all spans together cover, with breaks between them."""
    covered: list[list[datetime]] = []
    for span in sorted(spans, key=lambda each: each.start):
        if covered and (span.start - covered[-1][1]).total_seconds() <= LONGEST_GAP_SECONDS:
            covered[-1][1] = max(covered[-1][1], span.end)
        else:
            covered.append([span.start, span.end])
    total = sum((end - start).total_seconds() for start, end in covered) or 1.0
    room = WIDTH - LABEL - _END - BREAK * (len(covered) - 1)
    drawn, left = [], float(LABEL)
    for start, end in covered:
        right = left + room * (end - start).total_seconds() / total
        drawn.append(Stretch(start, end, left, right))
        left = right + BREAK
    return tuple(drawn)


def place(moment: datetime, drawn: Sequence[Stretch]) -> float:
    """Return where a moment is drawn."""
    stretch = next((each for each in drawn if each.start <= moment <= each.end), drawn[-1])
    whole = (stretch.end - stretch.start).total_seconds()
    share = (moment - stretch.start).total_seconds() / whole if whole else 0.0
    return stretch.left + (stretch.right - stretch.left) * share


def picture(spans: Sequence[Span]) -> str:
    """Return the timeline as an SVG element; its colours are the page's classes."""
    drawn = stretches(spans)
    height = ROW * (len(spans) + 2)
    parts = [*_axis(drawn, height), *_rows(spans, drawn)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="timeline" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _axis(drawn: Sequence[Stretch], height: int) -> Iterable[str]:
    for index, each in enumerate(drawn):
        yield f'<line class="axis" x1="{each.left:.1f}" x2="{each.left:.1f}" y1="{ROW}" y2="{height}"/>'
        yield f'<text x="{each.left:.1f}" y="{ROW - 8}">{each.start:%m-%d %H:%M:%S}</text>'
        if index:
            gap = span_text((each.start - drawn[index - 1].end).total_seconds())
            middle = each.left - BREAK / 2
            yield f'<text class="gap" x="{middle:.1f}" y="{height - 6}">{gap}</text>'


def _rows(spans: Sequence[Span], drawn: Sequence[Stretch]) -> Iterable[str]:
    for number, span in enumerate(spans, 1):
        top = ROW * number + 6
        left, right = place(span.start, drawn), place(span.end, drawn)
        yield f'<text x="0" y="{top + 13}">{escape(span.label)}</text>'
        yield (
            f'<rect class="{span.kind}" x="{left:.1f}" y="{top}" width="{max(right - left, 2):.1f}" '
            f'height="{ROW - 8}"><title>{escape(span.note or span.label)}</title></rect>'
        )
        yield f'<text x="{max(right, left + 2) + 4:.1f}" y="{top + 13}">{span_text(span.seconds)}</text>'


def span_text(seconds: float) -> str:
    """Return a span of time in words that fit beside a bar."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
    return f"{seconds // 86400:.0f} d {seconds % 86400 // 3600:.0f} h"
