"""The report of an incident as one self-contained HTML page. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape

from runbook.record import Entry, IncidentRecord
from runbook.timeline import Span, picture, span_text

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c9ced6; --soft: #59636e;
  --failover: #d1495b; --failback: #2f7dc0; --outage: #8a1c2c; --paused: #d98e04; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --line: #3a414a; --soft: #9aa4af; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } td.time { white-space: nowrap; } p.soft { color: var(--soft); }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
svg .axis { stroke: var(--line); } svg .gap { text-anchor: middle; fill: var(--soft); }
.failover { fill: var(--failover); } .failback { fill: var(--failback); }
.outage { fill: var(--outage); } .paused { fill: var(--paused); }
"""


def page(
    record: IncidentRecord, names: Mapping[int, str], made: datetime, lost_at: datetime | None
) -> str:
    """Return the page.

    :param names: what the operator calls the regions.
    :param made: when the report is made.
    :param lost_at: when the region was lost, if somebody knows; the stacks do not.
    """
    spans = tuple(spans_of(record, names, lost_at))
    title = f"Incident {record.name}"
    body = "".join(
        (
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(_summary(record, spans))}</p>",
            f"<h2>Timeline (UTC)</h2>{picture(spans)}" if spans else "",
            f"<h2>Steps</h2>{_steps(record, names)}",
            f"<h2>Topology</h2>{_topology(record)}",
            f'<p class="soft">Made {made:%Y-%m-%d %H:%M} UTC by `dualregion report` from the stacks\' record.</p>',
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def spans_of(
    record: IncidentRecord, names: Mapping[int, str], lost_at: datetime | None
) -> Iterator[Span]:
    """Return what the timeline shows: outage, each step, the pause."""
    back = served_again(record)
    if lost_at is not None and back is not None and lost_at < back:
        yield Span(
            "no service, at most", "outage", lost_at, back, "from the loss until F2 was proved"
        )
    for each in record.entries:
        kind = "failover" if each.step.startswith("F") else "failback"
        yield Span(f"{each.step} {names[each.region]}", kind, each.start, each.end, each.title)
    if record.paused is not None and record.paused[1] is not None:
        yield Span("exporters paused", "paused", record.paused[0], record.paused[1])


def served_again(record: IncidentRecord) -> datetime | None:
    """Return when every partition had a leader and quorum again, at the latest; None if not yet."""
    return next((each.end for each in record.entries if each.step == "F2"), None)


def _summary(record: IncidentRecord, spans: tuple[Span, ...]) -> str:
    parts = [f"{len(record.entries)} steps proved"]
    for kind in ("failover", "failback"):
        found = [each for each in spans if each.kind == kind]
        if found:
            whole = max(each.end for each in found) - min(each.start for each in found)
            parts.append(f"{kind} from first step to last {span_text(whole.total_seconds())}")
    for kind, words in (("outage", "no service for at most"), ("paused", "exporters paused for")):
        parts += [f"{words} {span_text(each.seconds)}" for each in spans if each.kind == kind]
    return "; ".join(parts) + "."


def _steps(record: IncidentRecord, names: Mapping[int, str]) -> str:
    rows = "".join(_step(each, names[each.region]) for each in record.entries)
    return f"<table><tr><th>Step<th>Region<th>Began<th>Took<th>What was proved, and how</tr>{rows}</table>"


def _step(entry: Entry, name: str) -> str:
    evidence = "".join(
        f"<br><b>{escape(key)}</b>: {escape(str(value))}"
        for key, value in entry.evidence.items()
        if key != "brokers"
    )
    return (
        f'<tr><td>{escape(entry.step)}<td>{escape(name)}<td class="time">{entry.start:%Y-%m-%d %H:%M:%S}'
        f'<td class="time">{span_text(entry.seconds)}<td>{escape(entry.title)}{evidence}</tr>'
    )


def _topology(record: IncidentRecord) -> str:
    """Return the brokers as the first and the last step have seen them."""
    seen = [each for each in record.entries if each.evidence.get("brokers")]
    if not seen:
        return "<p>No step of this incident has recorded the brokers.</p>"
    cells = [
        (f"at the end of {each.step}", each.evidence["brokers"]) for each in (seen[0], seen[-1])
    ]
    heads = "".join(f"<th>{escape(head)}" for head, _ in cells)
    lists = "".join(f"<td>{'<br>'.join(map(escape, text.split(', ')))}" for _, text in cells)
    return f"<table><tr>{heads}</tr><tr>{lists}</tr></table>"
