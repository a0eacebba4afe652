"""The report of an incident as a JSON document, and its steps as `dualregion history --json` has them. Pure."""

from datetime import datetime
from typing import Any

from cli.report.account import Account
from cli.report.record import Entry
from cli.report.runs import Run
from cli.stacks.run_message import Answer
from messages import Message


def document(account: Account) -> dict[str, Any]:
    """Return the document."""
    record, lost = account.record, account.records_lost
    return {
        "incident": record.name,
        "lostRegion": record.lost_region,
        "regions": {str(region): name for region, name in account.names.items()},
        "recordsLost": {
            "outcome": lost.outcome.value,
            **_message(lost.message),
            "shownBy": [_message(each) for each in lost.shown_by],
            "besides": [_message(each) for each in lost.besides],
        },
        "operators": list(account.operators),
        "tickets": list(account.tickets),
        "notes": list(account.notes),
        "lostAt": _moment(account.lost_at),
        "began": _moment(account.began),
        "ended": _moment(account.ended),
        "paused": record.paused and [_moment(each) for each in record.paused],
        "figures": {each.kind: each.seconds for each in account.figures},
        "runs": [_run(each) for each in account.runs],
        "answers": [_answer(each) for each in account.answers],
        "steps": [step(each) for each in record.entries],
        "versions": {stack: dict(each) for stack, each in account.versions.items()},
    }


def step(entry: Entry) -> dict[str, Any]:
    """Return a step as plain values."""
    return {
        "step": entry.step,
        "stack": entry.stack,
        "region": entry.region,
        "title": entry.title,
        "start": entry.start.isoformat(),
        "end": entry.end.isoformat(),
        "seconds": entry.seconds,
        "evidence": dict(entry.evidence),
    }


def _message(message: Message) -> dict[str, str]:
    return {"code": message.code, "sentence": str(message)}


def _run(run: Run) -> dict[str, Any]:
    update = run.update
    return {
        "stack": run.stack,
        "kind": update.kind,
        "result": update.result,
        "start": update.start.isoformat(),
        "end": _moment(update.end),
        "operator": run.operator or None,
        "command": run.command,
        "phase": update.phase or None,
        "pulumi": update.pulumi or None,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "sentence": answer.asked or None,
        "answer": "yes" if answer.is_yes else "no",
        "option": answer.option or None,
        "at": answer.at.isoformat(),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
