"""An incident's timeline as an SVG picture. Pure.

One row for each span. Days may lie between failover and failback, so a stretch in which nothing happened is
drawn as a short break with its length, and everything else to one scale.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise

LABEL, WIDTH, ROW, BREAK = 150, 1000, 24, 150
"""Widths of the labels, of the whole picture and of a break, and the height of a row, in pixels."""
_HEAD, _BAND = 46, 48
"""Height of the axis above the rows; what of a break is left white at either side, for what stands behind bars."""
_TICKS = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
"""Seconds between two lines of the axis, of which the smallest is taken that leaves them this much room, in pixels:"""
_TICK_ROOM = 64
LONGEST_GAP_SECONDS = 300.0
"""A longer stretch without anything is drawn as a break."""
_END = 90
"""Room at the right, for what stands behind the last bar."""


@dataclass(frozen=True)
class Span:
    """Something that lasted.

    :ivar kind: what it is, for its colour: `failover`, `failback`, `outage`, `gap` or `paused`.
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


def picture(spans: Sequence[Span], lost_at: datetime | None = None, label: str = "timeline") -> str:
    """Return the timeline as an SVG element; its colours are the page's classes.

    :param lost_at: when the region was lost, which is marked if it lies in the picture.
    :param label: what the picture shows, for those who cannot see it.
    """
    drawn = stretches(spans)
    height = _HEAD + ROW * len(spans) + 6
    parts = [*_breaks(drawn, height), *_axis(drawn, height), *_rows(spans, drawn)]
    if lost_at is not None and drawn[0].start <= lost_at <= drawn[-1].end:
        x = place(lost_at, drawn)
        parts.append(
            f'<line class="loss" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 4}" y2="{height}">'
            f"<title>the loss, {lost_at:%Y-%m-%d %H:%M:%S}</title></line>"
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def ticks(stretch: Stretch) -> tuple[datetime, ...]:
    """Return the round moments within a stretch at which a line is drawn, as many as there is room for."""
    seconds = (stretch.end - stretch.start).total_seconds()
    most = (stretch.right - stretch.left) / _TICK_ROOM
    step = next((each for each in _TICKS if seconds / each <= most), None)
    if step is None:
        return ()
    first = math.ceil(stretch.start.timestamp() / step) * step
    moments = range(int(first), int(stretch.end.timestamp()) + 1, step)
    return tuple(datetime.fromtimestamp(each, stretch.start.tzinfo) for each in moments)


def _axis(drawn: Sequence[Stretch], height: int) -> Iterable[str]:
    for each in drawn:
        yield f'<text x="{each.left:.1f}" y="14">{each.start:%Y-%m-%d %H:%M:%S}</text>'
        for moment in ticks(each):
            x = place(moment, (each,))
            yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 4}" y2="{height}"/>'
            shown = f"{moment:%H:%M}" if moment.second == 0 else f"{moment:%H:%M:%S}"
            yield f'<text class="soft middle" x="{x:.1f}" y="{_HEAD - 9}">{shown}</text>'


def _breaks(drawn: Sequence[Stretch], height: int) -> Iterable[str]:
    for before, after in pairwise(drawn):
        gap = span_text((after.start - before.end).total_seconds())
        left, width = after.left - BREAK + _BAND, BREAK - 2 * _BAND
        yield (
            f'<rect class="break" x="{left:.1f}" y="{_HEAD - 4}" width="{width}" '
            f'height="{height - _HEAD + 4}"/><text class="soft middle" x="{left + width / 2:.1f}" '
            f'y="{_HEAD + 12}">{gap}</text>'
        )


def _rows(spans: Sequence[Span], drawn: Sequence[Stretch]) -> Iterable[str]:
    for number, span in enumerate(spans):
        top = _HEAD + ROW * number + 4
        left, right = place(span.start, drawn), place(span.end, drawn)
        yield f'<text x="0" y="{top + 13}">{escape(span.label)}</text>'
        yield (
            f'<rect class="{span.kind}" x="{left:.1f}" y="{top}" width="{max(right - left, 2):.1f}" '
            f'height="{ROW - 7}" rx="2"><title>{escape(span.note or span.label)}</title></rect>'
        )
        yield f'<text x="{max(right, left + 2) + 5:.1f}" y="{top + 13}">{span_text(span.seconds)}</text>'


def span_text(seconds: float) -> str:
    """Return a span of time in words that fit beside a bar."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
    return f"{seconds // 86400:.0f} d {seconds % 86400 // 3600:.0f} h"
