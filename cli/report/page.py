"""The report of an incident as one self-contained HTML page. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

from cli.report.record import Entry, IncidentRecord, namespace_of
from cli.report.style import STYLE
from cli.report.timeline import Span, picture, span_text
from dualregion import brokers
from dualregion.procedure import FAILOVER_STEPS

_FIGURES = (
    ("outage", "No service, at most"),
    ("gap", "No exporting, at most"),
    ("failover", "Failover, first step to last"),
    ("failback", "Failback, first step to last"),
    ("paused", "Exporters paused"),
)
"""What is shown in large figures: the kind of the spans, and its name."""
_LEGEND = {
    "outage": "no service",
    "gap": "no exporting",
    "failover": "failover",
    "failback": "failback",
    "paused": "exporters paused",
}


def page(
    record: IncidentRecord, names: Mapping[int, str], made: datetime, lost_at: datetime | None
) -> str:
    """Return the page.

    :param names: what the operator calls the regions.
    :param made: when the report is made.
    :param lost_at: when the region was lost, if that is known; the stacks do not know.
    """
    spans = tuple(spans_of(record, names, lost_at))
    title = f"Incident {record.name}"
    body = "".join(
        (
            f"<header><h1>{escape(title)}</h1><p>{escape(_opening(record, names, lost_at))}</p></header>",
            _figures(spans),
            f"<h2>Timeline</h2>{_legend(spans)}" if spans else "",
            f'<div class="wide" tabindex="0">{picture(spans, lost_at)}</div>' if spans else "",
            f"<h2>Steps</h2>{_steps(record, names)}",
            f"<h2>Brokers</h2>{_topology(record)}",
            f"<footer>Made {made:%Y-%m-%d %H:%M} UTC by <code>dualregion report</code> from the record that both "
            "stacks keep. All times are UTC.</footer>",
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def spans_of(
    record: IncidentRecord, names: Mapping[int, str], lost_at: datetime | None
) -> Iterator[Span]:
    """Return what the timeline shows: outage, export gap, each step, the pause."""
    for kind, step, label in (
        ("outage", "F2", "no service, at most"),
        ("gap", "F3", "no exporting, at most"),
    ):
        back = proved_at(record, step)
        if lost_at is not None and back is not None and lost_at < back:
            yield Span(label, kind, lost_at, back, f"from the loss until {step} was proved")
    for each in record.entries:
        yield Span(
            f"{each.step} {names[each.region]}", _kind(each), each.start, each.end, each.title
        )
    if record.paused is not None and record.paused[1] is not None:
        yield Span("exporters paused", "paused", record.paused[0], record.paused[1])


def proved_at(record: IncidentRecord, step: str) -> datetime | None:
    """Return when a step was proved; None if it was not.

    With F2 every partition had a leader and quorum again, at the latest; with F3 every broker exported.
    """
    return next((each.end for each in record.entries if each.step == step), None)


def _kind(entry: Entry) -> str:
    return "failover" if entry.step in FAILOVER_STEPS else "failback"


def _opening(record: IncidentRecord, names: Mapping[int, str], lost_at: datetime | None) -> str:
    lost, parts = record.lost_region, []
    if lost is not None:
        survivor = names[brokers.other(lost)]
        parts.append(f"Region {lost} ({names[lost]}) was lost, {survivor} carried on")
    if lost_at is not None:
        parts.append(f"lost at {lost_at:%Y-%m-%d %H:%M:%S}")
    parts.append(f"{len(record.entries)} steps proved")
    last = record.entries[-1].end if record.entries else None
    return "; ".join(parts) + (f", the last one at {last:%Y-%m-%d %H:%M:%S}." if last else ".")


def _figures(spans: Sequence[Span]) -> str:
    cells = []
    for kind, name in _FIGURES:
        found = [each for each in spans if each.kind == kind]
        if found:
            whole = max(each.end for each in found) - min(each.start for each in found)
            value = span_text(whole.total_seconds())
            cells.append(f'<div class="{kind}"><dt>{name}<dd>{value}</div>')
    return f'<dl class="figures">{"".join(cells)}</dl>' if cells else ""


def _legend(spans: Sequence[Span]) -> str:
    kinds = [kind for kind in _LEGEND if any(each.kind == kind for each in spans)]
    return (
        '<p class="legend">'
        + "".join(f'<span class="{kind}">{_LEGEND[kind]}</span>' for kind in kinds)
        + "</p>"
    )


def _steps(record: IncidentRecord, names: Mapping[int, str]) -> str:
    rows = "".join(_step(each, names[each.region]) for each in record.entries)
    return (
        '<table class="steps"><thead><tr><th>Step<th>Region<th>Began<th>Took<th>What was proved, and how</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _step(entry: Entry, name: str) -> str:
    evidence = "".join(
        f"<li><b>{escape(_words(key))}</b> {escape(str(value))}"
        for key, value in entry.evidence.items()
        if key != "brokers"
    )
    return (
        f'<tr><td><span class="chip {_kind(entry)}">{escape(entry.step)}</span><td>{escape(name)}'
        f'<td class="time">{entry.start:%Y-%m-%d} {entry.start:%H:%M:%S}<td class="time">{span_text(entry.seconds)}'
        f'<td class="what">{escape(entry.title)}{f"<ul>{evidence}</ul>" if evidence else ""}</tr>'
    )


def _words(key: str) -> str:
    """Return a key of the evidence in words: `pausedAt` is `paused at`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", key)


def _topology(record: IncidentRecord) -> str:
    """Return where each broker was, whenever that had changed, as the steps have seen it."""
    moments = tuple(_moments(record))
    if not moments:
        return "<p>No step of this incident has recorded the brokers.</p>"
    heads = "".join(f"<th>after {escape(step)}" for step, _ in moments)
    ids = sorted({id_ for _, seen in moments for id_ in seen}, key=lambda text: (len(text), text))
    rows = "".join(
        f"<tr><th>{escape(id_)}{''.join(_place(seen.get(id_)) for _, seen in moments)}</tr>"
        for id_ in ids
    )
    return (
        f'<div class="wide" tabindex="0"><table class="brokers"><thead><tr><th>Broker{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _moments(record: IncidentRecord) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Return the steps after which the brokers were others than before, with the address of each."""
    before: Mapping[str, str] | None = None
    for each in record.entries:
        seen = each.brokers
        if seen and seen != before:
            yield each.step, seen
            before = seen


def _place(host: str | None) -> str:
    if host is None:
        return '<td class="none">not there'
    return f'<td title="{escape(host)}">{escape(namespace_of(host))}'
