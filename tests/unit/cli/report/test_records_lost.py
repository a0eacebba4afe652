"""Whether records were lost: shown by what is on record, and by nothing else."""

from dataclasses import replace

import pytest

from cli.report.record import Entry, IncidentRecord
from cli.report.records_lost import Outcome, judge
from messages import Message
from tests.inputs.incidents import FAILBACK, FAILOVER, INCIDENT, NAMES, RECORD, entry


def record(*entries: Entry) -> IncidentRecord:
    return IncidentRecord(INCIDENT, entries)


def codes(found: tuple[Message, ...]) -> list[str]:
    return [each.code for each in found]


def without(step: str, key: str) -> IncidentRecord:
    """Return the whole way, but one step's evidence without this key."""
    return record(
        *(
            replace(each, evidence={k: v for k, v in each.evidence.items() if k != key})
            if each.step == step
            else each
            for each in RECORD.entries
        )
    )


def test_a_failback_with_all_its_comparisons_on_record_has_lost_none() -> None:
    found = judge(RECORD, NAMES)
    assert found.outcome is Outcome.NONE
    assert (found.message.code, found.message.facts["steps"]) == (
        "records-lost-none",
        ("B2", "B3", "B4", "B5"),
    )
    assert codes(found.shown_by) == [
        "records-held",
        "documents-copied",
        "documents-copied",
        "records-compared-last",
    ]
    assert found.shown_by[0].facts == {"step": "B2", "records": 4998, "partitions": 2}


BY_CLUSTER_API = (
    entry("B2", 2003, 2004, settled="nothing was written to the engine for 10 s"),
    entry("B3", 2004, 2005, documents="9787 in 5 indices, the same in both regions"),
    entry("B4", 2005, 2006, enabled="camundaregion1 from camundaregion0"),
    entry("B5", 2006, 2007, exportedPositions="1: 5 -> 9"),
)


def test_by_cluster_api_it_is_shown_by_what_that_way_proves() -> None:
    found = judge(record(*FAILOVER, *BY_CLUSTER_API), NAMES)
    assert found.outcome is Outcome.NONE
    assert codes(found.shown_by) == [
        "exports-settled",
        "documents-equal",
        "exporter-begins",
        "exporting-moves",
    ]
    for number, each in enumerate(BY_CLUSTER_API):
        others = (*BY_CLUSTER_API[:number], *BY_CLUSTER_API[number + 1 :])
        bare = judge(record(*FAILOVER, *others, replace(each, evidence={})), NAMES)
        assert bare.outcome is Outcome.NOT_SHOWN, each.step


def test_after_the_failover_alone_nothing_is_shown() -> None:
    found = judge(record(*FAILOVER), NAMES)
    assert found.outcome is Outcome.NOT_SHOWN
    (reason,) = found.message.facts["reasons"]
    assert (reason.code, reason.facts) == ("failback-not-compared", {"step": "B2"})


@pytest.mark.parametrize(("until", "ahead"), [(3, ("B3", "B4", "B5")), (5, ("B5",))])
def test_in_the_midst_of_a_failback_none_is_lost_so_far(until: int, ahead: tuple[str, ...]) -> None:
    found = judge(record(*FAILOVER, *FAILBACK[:until]), NAMES)
    assert found.outcome is Outcome.NONE_SO_FAR
    assert found.message.facts["ahead"] == ahead


@pytest.mark.parametrize(
    ("step", "key"), [("B2", "records"), ("B3", "documents"), ("B4", "documents")]
)
def test_evidence_that_is_missing_shows_nothing(step: str, key: str) -> None:
    found = judge(without(step, key), NAMES)
    assert found.outcome is Outcome.NOT_SHOWN
    (reason,) = found.message.facts["reasons"]
    assert (reason.code, reason.facts) == ("evidence-missing", {"step": step, "evidence": key})


@pytest.mark.parametrize("step", ["B2", "B3", "B4"])
def test_a_step_without_a_record_shows_nothing(step: str) -> None:
    kept = (each for each in RECORD.entries if (each.step, each.region) != (step, 0))
    found = judge(record(*kept), NAMES)
    assert found.outcome is Outcome.NOT_SHOWN
    assert codes(found.message.facts["reasons"]) == ["step-without-record"]


def test_what_a_failback_has_shown_that_was_backed_out_of_counts_no_more() -> None:
    backed_out = record(*FAILOVER[:3], *FAILBACK[:4], entry("F3", 2100, 2101))
    found = judge(backed_out, NAMES)
    assert found.outcome is Outcome.NOT_SHOWN
    assert codes(found.message.facts["reasons"]) == ["failback-not-compared"]


def test_a_last_comparison_that_could_not_be_made_again_is_told() -> None:
    found = judge(without("B5", "recordsCopied"), NAMES)
    assert found.outcome is Outcome.NONE
    assert found.shown_by[-1].code == "exporting-resumed-before"


def test_what_is_not_copied_is_told_besides() -> None:
    streams = entry("B2", 2003, 2004, records="1: 5 records at 1 to 9", notCopied="data streams x")
    found = judge(record(*FAILOVER, streams), NAMES)
    assert codes(found.besides) == ["streams-not-compared"]


def test_an_incident_without_a_step_shows_nothing() -> None:
    assert judge(record(), NAMES).outcome is Outcome.NOT_SHOWN
