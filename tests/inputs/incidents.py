"""An incident as both stacks record it: the whole way, with figures of a real drill, and runs that failed."""

from datetime import UTC, datetime, timedelta

from cli.report.account import Account
from cli.report.record import Entry, IncidentRecord
from cli.report.runs import runs_of
from cli.stacks.read import Update
from cli.stacks.run_message import Answer, RunMessage
from dualregion.procedure import CAMUNDA_8_5

NIGHT = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
NAMES = {0: "london", 1: "paris"}
INCIDENT = "1-region1-lost"

BEFORE = "0 camunda-zeebe-0.camunda-zeebe.camunda-london.svc"
TAKEN_OVER = f"{BEFORE}, 1 camunda-zeebe-0.camunda-zeebe.camunda-london-failover.svc"
WHOLE = f"{BEFORE}, 1 camunda-zeebe-0.camunda-zeebe.camunda-paris.svc"
RECORDS = "1: 2389 records at 6 to 2832, 2: 2609 records at 6 to 3094"
DOCUMENTS = "9787 in 5 indices, the same in both regions"


def at(minutes: float) -> datetime:
    """Return a moment, in minutes after three in the morning."""
    return NIGHT + timedelta(minutes=minutes)


def entry(step: str, start: float, end: float, region: int = 0, **evidence: str) -> Entry:
    """Return the record of a step."""
    title = CAMUNDA_8_5.steps_by_id[step].title
    return Entry(region, f"region{region}", step, at(start), at(end), evidence, title)


FAILOVER = (
    entry("F0", 0.5, 1, brokers=BEFORE),
    entry("F1", 1, 2, brokers=BEFORE, policies="camunda-london/isolate-lost-region"),
    entry("F2", 2, 4, brokers=TAKEN_OVER),
    entry("F3", 4, 6, brokers=TAKEN_OVER, exportedPositions="1: 360 -> 373, 2: 451 -> 648"),
)
FAILBACK = (
    entry("B0", 2000, 2001, clean="namespace camunda-paris behind kube context cluster-paris"),
    entry("B1", 2001, 2003, region=1, brokers=TAKEN_OVER),
    entry(
        "B2",
        2003,
        2004,
        exporters="paused on every partition of every broker",
        pausedAt="2026-01-03T12:23:30+00:00",
        records=RECORDS,
    ),
    entry(
        "B3",
        2004,
        2005,
        snapshot="failback-1-region1-lost-20260103122400: SUCCESS, 5 of 5 shards, 5 indices",
        documents=DOCUMENTS,
        templates=", ".join(f"index template zeebe-record_{each}" for each in "abcdefghijklmnop"),
    ),
    entry("B4", 2005, 2005.2, documents=DOCUMENTS, exporters="still paused"),
    entry("B4", 2005.2, 2005.6, region=1, documents=DOCUMENTS, exporters="still paused"),
    entry("B5", 2005.6, 2006, region=1, webApps="up"),
    entry(
        "B5",
        2006,
        2007,
        recordsCopied="4998 in 4 indices, the same in both regions",
        webApps="up",
        resumedAt="2026-01-03T12:27:00+00:00",
    ),
    entry(
        "B6", 2007, 2008, region=1, gone="namespace camunda-london-failover, its claims and volumes"
    ),
    entry("B7", 2008, 2009, region=1, brokers=WHOLE, exportedPositions="1: 5 -> 2913"),
)
RECORD = IncidentRecord(INCIDENT, (*FAILOVER, *FAILBACK))
BEGUN = Answer("ask-to-begin", is_yes=True, at=at(0.2), asked="set phase failover, and begin?")
DELETED = Answer("ask-to-delete-region", is_yes=True, at=at(6.2), option="--yes-delete-region")


def run(
    start: float,
    end: float | None,
    phase: str,
    message: RunMessage | None = None,
    *,
    result: str = "succeeded",
    lost: int | None = 1,
) -> Update:
    """Return a run of Pulumi."""
    title = message.title if message else "a commit's title"
    ended = None if end is None else at(end)
    return Update("update", result, title, at(start), ended, message, phase, lost, "v3.259.0")


def typed(command: str, *answers: Answer, operator: str = "ada@desk", note: str = "") -> RunMessage:
    """Return what the command writes of a run."""
    return RunMessage(command, operator, note, "INC-4711", answers)


RUNS = {
    "region0": (
        run(2020, 2021, "normal", typed("failback", operator="bob@vm"), lost=None),
        run(2003, 2007, "failback-pending", typed("failback", operator="bob@vm")),
        run(2, 6, "failover", typed("failover --lost 1", BEGUN, note="paris lost power")),
        run(0.5, 1.5, "failover", typed("failover --lost 1", BEGUN), result="failed"),
        run(-900, -899, "normal", lost=None),
    ),
    "region1": (
        run(2007, 2009, "restored"),
        run(6.3, 6.5, "failover", typed("failover --lost 1", BEGUN, DELETED)),
    ),
}
VERSIONS = {
    "program": "0.1.0",
    "pulumi": "v3.259.0",
    "provider": "4.25.0",
    "chart": "camunda-platform 10.7.0",
    "camunda": "8.5.x",
}


def account(
    record: IncidentRecord = RECORD, lost_at: datetime | None = None, ticket: str = ""
) -> Account:
    """Return the account of an incident."""
    return Account(
        record,
        NAMES,
        at(3000),
        lost_at,
        ticket,
        runs_of(record, (record,), RUNS),
        {"region0": VERSIONS, "region1": VERSIONS},
    )
