"""What an incident's report says of lost records, and what its command refuses."""

from collections.abc import Sequence

from messages.catalogue import message
from messages.words import listed

# --- Whether records were lost --------------------------------------------------------------------------------------


@message
def records_lost_none(steps: Sequence[str]) -> str:
    """Every comparison that a failback makes has its evidence on record, up to the resumption of exporting."""
    return f"Records lost: none, shown by {listed(steps)}"


@message
def records_lost_none_so_far(steps: Sequence[str], ahead: Sequence[str]) -> str:
    """The comparisons so far have found every record, and the failback is not over."""
    return f"Records lost: none so far, shown by {listed(steps)}; {listed(ahead)} pending"


@message
def records_lost_not_shown(reasons: Sequence[str]) -> str:
    """A comparison that would show it was not made, or its evidence is not on record."""
    return f"Records lost: not shown. {'; '.join(reasons)}"


@message
def failback_not_compared(step: str) -> str:
    """The failback has not come to its first comparison, so the two search engines have not been compared."""
    return f"The records are compared in the failback, first in {step}, which is not proved"


@message
def step_without_record(step: str, name: str) -> str:
    """A step that compares records is not proved, or its record is not kept."""
    return f"There is no record of {step} in {name}"


@message
def evidence_missing(step: str, evidence: str) -> str:
    """A step is proved, but its record holds no such evidence, as after an earlier version of the program."""
    return f"The record of {step} holds no {evidence}"


@message
def records_held(step: str, records: int, partitions: int) -> str:
    """The survivor's search engine was compared with the failover engine while every exporter was paused."""
    return (
        f"{step}: with all exporters paused, the survivor's search engine held every record that the failover engine "
        f"held: {records} records of {partitions} partitions"
    )


@message
def documents_copied(step: str, documents: str) -> str:
    """Both regions' search engines were compared index by index, and the copy with the failover engine's records."""
    return (
        f"{step}: as many documents in each index of both regions' search engines, and no record of the failover engine "
        f"missing in the copy: {documents}"
    )


@message
def documents_equal(step: str, documents: str) -> str:
    """Both regions' search engines were compared index by index, with all exporters paused."""
    return f"{step}: as many documents in each index of both regions' search engines: {documents}"


@message
def exports_settled(step: str, settled: str) -> str:
    """Exporters were paused, and had written what they had buffered."""
    return f"{step}: with all exporters paused, {settled}"


@message
def exporter_begins(step: str, enabled: str) -> str:
    """The recreated region's exporter was enabled at the position of the survivor's, whose engine was copied."""
    return f"{step}: the recreated region's exporter begins where the survivor's stands: {enabled}"


@message
def exporting_moves(step: str, positions: str) -> str:
    """After the pause, the exported positions have moved on every partition."""
    return f"{step}: exporting goes on from there, each partition's positions before and after: {positions}"


@message
def records_compared_last(step: str, records: str) -> str:
    """The exporters' indices were compared a last time, right before exporting was resumed."""
    return f"{step}: the same records in both regions right before exporting was resumed: {records}"


@message
def exporting_resumed_before(step: str) -> str:
    """An earlier run of the step had resumed exporting: the failover engine alone could still be compared."""
    return (
        f"{step}: no record of the failover engine was missing in the copy; an earlier run of the step had resumed "
        "exporting, so the regions were not compared with each other again"
    )


@message
def streams_not_compared(step: str, streams: str) -> str:
    """Data streams are not part of the copy, and no record of an exporter is in one."""
    return f"{step}: not copied, and not compared: {streams}"


# --- What was typed -------------------------------------------------------------------------------------------------


@message
def no_moment(given: str) -> str:
    """The option `--lost-at` is no time in ISO 8601."""
    return (
        f"{given!r} is no time: write it in ISO 8601, such as 2026-11-23T03:12Z or 2026-11-23T04:12+01:00; without a "
        "zone it is UTC"
    )
