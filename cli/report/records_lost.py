"""Whether records were lost in an incident, judged by the evidence that its steps have recorded. Pure.

What is not on record is not shown: nothing is concluded from a step's mere success.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.report.record import Entry, IncidentRecord
from dualregion import brokers
from dualregion.procedure import B2, B3, B4, B5, F3
from messages import Message
from messages.command import report as messages

_COUNTED = re.compile(r"\d+: (\d+) records\b")
"""One partition in the evidence of B2, as `dualregion.observed.search_engine.records.records_text` writes it."""


class Outcome(StrEnum):
    """What the record shows."""

    NONE = "none"
    NONE_SO_FAR = "none so far"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class RecordsLost:
    """The judgement.

    :ivar message: it in a sentence, with which a report opens.
    :ivar shown_by: each proof, with its figures.
    :ivar besides: what the proofs leave out.
    """

    outcome: Outcome
    message: Message
    shown_by: tuple[Message, ...] = ()
    besides: tuple[Message, ...] = ()


@dataclass(frozen=True)
class _Proof:
    """What a step of the survivor's leaves behind that shows that no record was lost.

    :ivar key: of its evidence.
    :ivar tells: returns what the evidence shows.
    :ivar otherwise: what the step has shown without that evidence; None if nothing.
    """

    step: str
    key: str
    tells: Callable[[str, str], Message]
    otherwise: Callable[[str], Message] | None = None


def _held(step: str, records: str) -> Message:
    counts = [int(each) for each in _COUNTED.findall(records)]
    return messages.records_held(step, sum(counts), len(counts))


_WITH_FAILOVER_ENGINE = (
    _Proof(B2.id, "records", _held),
    _Proof(B3.id, "documents", messages.documents_copied),
    _Proof(B4.id, "documents", messages.documents_copied),
    _Proof(
        B5.id,
        "recordsCopied",
        messages.records_compared_last,
        otherwise=messages.exporting_resumed_before,
    ),
)
"""Of Camunda 8.5: records were exported to a failover engine, too, and those must be in the copy."""
_BY_CLUSTER_API = (
    _Proof(B2.id, "settled", messages.exports_settled),
    _Proof(B3.id, "documents", messages.documents_equal),
    _Proof(B4.id, "enabled", messages.exporter_begins),
    _Proof(B5.id, "exportedPositions", messages.exporting_moves),
)
"""Of later versions: the survivor's engine alone was exported to, and the other exporter begins where that one stands."""


def judge(record: IncidentRecord, names: Mapping[int, str]) -> RecordsLost:
    """Judge an incident by its record.

    :param names: what the operator calls the regions.
    """
    entries, where = _of_survivor(record), _survivor(record, names)
    proofs = max(
        (_WITH_FAILOVER_ENGINE, _BY_CLUSTER_API), key=lambda each: len(tuple(_shown(each, entries)))
    )
    shown = tuple(_shown(proofs, entries))
    lacking = tuple(_lacking(proofs, entries, where))
    besides = tuple(_besides(entries))
    if not any(each.step in entries for each in proofs):
        lacking = (messages.failback_not_compared(proofs[0].step),)
    if lacking:
        not_shown = messages.records_lost_not_shown(lacking)
        return RecordsLost(Outcome.NOT_SHOWN, not_shown, shown, besides)
    steps = tuple(each.step for each in proofs if each.step in entries)
    ahead = tuple(each.step for each in proofs if each.step not in entries)
    if ahead:
        so_far = messages.records_lost_none_so_far(steps, ahead)
        return RecordsLost(Outcome.NONE_SO_FAR, so_far, shown, besides)
    return RecordsLost(Outcome.NONE, messages.records_lost_none(steps), shown, besides)


def _of_survivor(record: IncidentRecord) -> dict[str, Entry]:
    """Return the survivor's steps of the latest failback: what one that was backed out of has shown counts no more."""
    taken_over = [each.end for each in record.entries if each.step == F3.id]
    since = max(taken_over, default=None)
    return {
        each.step: each
        for each in record.entries
        if each.region != record.lost_region and (since is None or each.end > since)
    }


def _survivor(record: IncidentRecord, names: Mapping[int, str]) -> str:
    lost = record.lost_region
    return "" if lost is None else names[brokers.other(lost)]


def _shown(proofs: Sequence[_Proof], entries: Mapping[str, Entry]) -> Iterator[Message]:
    """Yield every proof on record, in the order of the procedure."""
    for each in proofs:
        entry = entries.get(each.step)
        if entry is not None and each.key in entry.evidence:
            yield each.tells(each.step, entry.evidence[each.key])
        elif entry is not None and each.otherwise:
            yield each.otherwise(each.step)


def _lacking(
    proofs: Sequence[_Proof], entries: Mapping[str, Entry], where: str
) -> Iterator[Message]:
    """Yield what should be on record by now, and is not."""
    reached = max((n for n, each in enumerate(proofs) if each.step in entries), default=-1)
    for each in proofs[: reached + 1]:
        entry = entries.get(each.step)
        if entry is None:
            yield messages.step_without_record(each.step, where)
        elif each.key not in entry.evidence and each.otherwise is None:
            yield messages.evidence_missing(each.step, each.key)


def _besides(entries: Mapping[str, Entry]) -> Iterator[Message]:
    """Yield what was not compared."""
    held = entries.get(B2.id)
    if held is not None and "notCopied" in held.evidence:
        yield messages.streams_not_compared(B2.id, held.evidence["notCopied"])
