"""The report of an incident as Markdown, for wikis and issue trackers: no HTML in it, and nothing to fetch. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cli.report.account import Account, moment, versions_shown
from cli.report.record import namespace_of
from cli.report.timeline import span_text

_MARKS = re.compile(r"([\\`*_<>|\[\]])")


def markdown(account: Account) -> str:
    """Return the text."""
    return "\n\n".join(_parts(account)) + "\n"


def _parts(account: Account) -> Iterator[str]:
    lost = account.records_lost
    yield f"# Incident {_plain(account.record.name)}"
    yield f"**{_plain(lost.message)}**"
    yield _plain(account.opening)
    yield _list(f"{name}: {value}" for name, value in account.facts)
    if account.figures:
        yield _list(f"{each.name}: {span_text(each.seconds)}" for each in account.figures)
    if lost.shown_by:
        yield "## Records compared"
        yield _list((*lost.shown_by, *lost.besides))
    if account.runs:
        yield "## Runs of Pulumi"
        yield _table(("began", "took", "stack", "result", "by", "command"), _runs(account))
    if account.answers:
        yield "## Answers given"
        yield _table(("given at", "question", "answer", "how"), _answers(account))
    yield "## Steps"
    yield _table(("step", "region", "began", "took", "what was proved"), _steps(account))
    yield "## Evidence"
    yield _list(
        f"{each.step} {account.names[each.region]}, {label}: {value}"
        for each in account.record.entries
        for label, value in each.shown
    )
    if account.record.moves:
        yield "## Brokers"
        yield _brokers(account)
    if account.versions:
        yield "## Versions"
        yield _table(("what", "version"), versions_shown(account))
    yield (
        f"Made {moment(account.made)} by `dualregion report` from the record and the history that both stacks keep. "
        "All times are UTC."
    )


def _runs(account: Account) -> Iterator[Sequence[str]]:
    for run in account.runs:
        result = "failed or stopped" if run.has_failed else run.update.result
        took = "" if run.seconds is None else span_text(run.seconds)
        yield moment(run.update.start), took, run.stack, result, run.operator, run.command


def _answers(account: Account) -> Iterator[Sequence[str]]:
    for each in account.answers:
        word, how = "yes" if each.is_yes else "no", each.option or "typed"
        yield moment(each.at), each.asked or each.question, word, how


def _steps(account: Account) -> Iterator[Sequence[str]]:
    for each in account.record.entries:
        region, took = account.names[each.region], span_text(each.seconds)
        yield each.step, region, moment(each.start), took, account.title_of(each)


def _brokers(account: Account) -> str:
    moves = account.record.moves
    ids = sorted({id_ for _, seen in moves for id_ in seen}, key=lambda text: (len(text), text))
    rows = (
        (id_, *(namespace_of(seen[id_]) if id_ in seen else "not there" for _, seen in moves))
        for id_ in ids
    )
    return _table(("broker", *(f"after {step}" for step, _ in moves)), rows)


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(each)}" for each in texts) or "None."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return a text that is shown as it is: in one line, with nothing that Markdown would read."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
