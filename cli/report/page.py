"""The report of an incident as one self-contained HTML page. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from cli.report.account import Account, kind_of, moment, versions_shown
from cli.report.record import Entry, namespace_of
from cli.report.records_lost import Outcome
from cli.report.runs import Run
from cli.report.style import STYLE
from cli.report.timeline import picture, span_text
from cli.stacks.run_message import Answer

_LEGEND = {
    "outage": "no service",
    "gap": "no exporting",
    "failover": "failover",
    "failback": "failback",
    "paused": "exporters paused",
}


def page(account: Account) -> str:
    """Return the page."""
    title = f"Incident {account.record.name}"
    body = "".join((_header(account, title), f"<main>{_main(account)}</main>", _footer(account)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _header(account: Account, title: str) -> str:
    lost = account.records_lost
    tone = "unshown" if lost.outcome is Outcome.NOT_SHOWN else "none"
    return (
        f'<header><h1>{escape(title)}</h1><p class="loss {tone}">{escape(lost.message)}</p>'
        f"<p>{escape(account.opening)}</p></header>"
    )


def _main(account: Account) -> str:
    spans = account.spans
    totals = (f"{each.name.lower()}: {span_text(each.seconds)}" for each in account.figures)
    label = f"Each step as a bar: {'; '.join(totals)}"
    drawn = f"{_legend(account)}{_scrolling('Timeline', picture(spans, account.lost_at, label))}"
    return "".join(
        (
            _terms("facts", ((name, value, "") for name, value in account.facts)),
            _terms("figures", ((e.name, span_text(e.seconds), e.kind) for e in account.figures)),
            _section(
                "Records compared",
                _list((*account.records_lost.shown_by, *account.records_lost.besides)),
            ),
            _section("Timeline", drawn if spans else ""),
            _section("Runs of Pulumi", _runs(account.runs)),
            _section("Answers given", _answers(account.answers)),
            _section("Steps", _steps(account)),
            _section("Brokers", _brokers(account)),
            _section("Versions", _versions(account)),
        )
    )


def _footer(account: Account) -> str:
    return (
        f"<footer>Made {account.made:%Y-%m-%d %H:%M} UTC by <code>dualregion report</code> from the record and the "
        "history that both stacks keep. All times are UTC. Versions are those of the stacks' states when this was "
        "made.</footer>"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in texts)}</ul>" if texts else ""


def _terms(kind: str, terms: Iterable[tuple[str, str, str]]) -> str:
    """Return terms with what they are, each of a kind of its own or none."""
    cells = "".join(
        f"<div{_class(of)}><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value, of in terms
    )
    return f'<dl class="{kind}">{cells}</dl>' if cells else ""


def _scrolling(label: str, content: str) -> str:
    """Return what may be wider than the screen, so that the keyboard can scroll it."""
    return (
        f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0">{content}</div>'
    )


def _table(kind: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return (
        f'<table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"
    )


def _cell(content: str, kind: str = "", *, heads_row: bool = False) -> str:
    tag, scope = ("th", ' scope="row"') if heads_row else ("td", "")
    return f"<{tag}{scope}{_class(kind)}>{content}</{tag}>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _legend(account: Account) -> str:
    kinds = [kind for kind in _LEGEND if any(each.kind == kind for each in account.spans)]
    shown = "".join(f'<span class="{kind}">{_LEGEND[kind]}</span>' for kind in kinds)
    return f'<p class="legend">{shown}</p>'


def _runs(runs: Sequence[Run]) -> str:
    heads = ("Began", "Took", "Stack", "Result", "By", "Command")
    return _table("runs", heads, map(_run, runs)) if runs else ""


def _run(run: Run) -> str:
    result = "failed or stopped" if run.has_failed else run.update.result
    took = "" if run.seconds is None else span_text(run.seconds)
    return "".join(
        (
            _cell(f"{run.update.start:%Y-%m-%d %H:%M:%S}", "time began", heads_row=True),
            _cell(took, "time took"),
            _cell(escape(run.stack)),
            _cell(escape(result), "failed" if run.has_failed else ""),
            _cell(escape(run.operator), "by"),
            _cell(escape(run.command), "message"),
        )
    )


def _answers(answers: Sequence[Answer]) -> str:
    heads = ("Given at", "Question", "Answer", "How")
    return _table("answers", heads, map(_answer, answers)) if answers else ""


def _answer(answer: Answer) -> str:
    return "".join(
        (
            _cell(escape(moment(answer.at)), "time", heads_row=True),
            _cell(escape(answer.asked or answer.question), "what"),
            _cell("yes" if answer.is_yes else "no"),
            _cell(f"<code>{escape(answer.option)}</code>" if answer.option else "typed"),
        )
    )


def _steps(account: Account) -> str:
    if not account.record.entries:
        return "<p>No step of this incident is proved.</p>"
    heads = ("Step", "Region", "Began", "Took", "What was proved")
    return _table("steps", heads, (_step(each, account) for each in account.record.entries))


def _step(entry: Entry, account: Account) -> str:
    chip = f'<span class="chip {kind_of(entry)}">{escape(entry.step)}</span>'
    return "".join(
        (
            _cell(chip, heads_row=True),
            _cell(escape(account.names[entry.region])),
            _cell(f"{entry.start:%Y-%m-%d %H:%M:%S}", "time began"),
            _cell(span_text(entry.seconds), "time took"),
            _cell(f"{escape(account.title_of(entry))}{_evidence(entry)}", "what"),
        )
    )


def _evidence(entry: Entry) -> str:
    """Return what was seen, folded: a reader of the whole needs none of it, one who doubts needs all."""
    if not entry.shown:
        return ""
    seen = "".join(f"<li><b>{escape(k)}</b> {escape(v)}</li>" for k, v in entry.shown)
    return f"<details><summary>What was seen in {escape(entry.step)}</summary><ul>{seen}</ul></details>"


def _brokers(account: Account) -> str:
    """Return where each broker was, whenever that had changed, as the steps have seen it."""
    moves = account.record.moves
    if not moves:
        return "<p>No step of this incident has recorded the brokers.</p>"
    ids = sorted({id_ for _, seen in moves for id_ in seen}, key=lambda text: (len(text), text))
    heads = ("Broker", *(f"after {step}" for step, _ in moves))
    rows = (
        _cell(escape(id_), heads_row=True) + "".join(_place(id_, seen) for _, seen in moves)
        for id_ in ids
    )
    return _scrolling("Brokers", _table("brokers", heads, rows))


def _place(id_: str, seen: Mapping[str, str]) -> str:
    host = seen.get(id_)
    return _cell("not there", "absent") if host is None else _cell(escape(namespace_of(host)))


def _versions(account: Account) -> str:
    if not account.versions:
        return ""
    rows = (
        _cell(escape(name), heads_row=True) + _cell(escape(version))
        for name, version in versions_shown(account)
    )
    return _table("versions", ("What", "Version"), rows)
