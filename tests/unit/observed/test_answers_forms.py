"""Whatever gateway, brokers and search engines answer, it is read, or refused as an answer out of form.

The readers are pure and take their answers apart by names and types; what they may raise is what the edge (`hooks`) turns
into a clear error: nothing else may come out of them, however odd the answer is.
"""

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from clients.cluster.kubernetes import Answer, CallFailed
from dualregion.observed import words, zeebe_answers
from dualregion.observed.search_engine import health, records, restores, snapshots
from dualregion.observed.search_engine.documents import templates_of
from tests.fakes.engine_answers import finished, snapshot
from tests.fakes.kubernetes import topology
from tests.inputs.random_inputs import Seeds, plain
from tests.raising import raises

OUT_OF_FORM = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What the edge understands as an answer of another form than expected."""

HEALTH = {
    "status": "green",
    "number_of_nodes": 2,
    "indices": {
        "operate-list-view": {
            "number_of_shards": 1,
            "number_of_replicas": 1,
            "shards": {"0": {"primary_active": True, "active_shards": 2, "relocating_shards": 0}},
        }
    },
}
RECORDS = {
    "aggregations": {
        "partitions": {
            "buckets": [
                {
                    "key": 1,
                    "doc_count": 5,
                    "lowest": {"value": 1.0},
                    "highest": {"value": 9.0},
                    "first": {"value": 1.0},
                    "last": {"value": 9.0},
                }
            ]
        }
    }
}
EXPORTING = {
    "1": {
        "role": "LEADER",
        "exporterPhase": "EXPORTING",
        "exportedPosition": 5,
        "processedPosition": 7,
        "snapshotId": "1-2-3-4",
    }
}
RECOVERY = {
    "operate-list-view": {
        "shards": [
            {
                "type": "SNAPSHOT",
                "stage": "DONE",
                "source": {"repository": "r", "snapshot": "s"},
                "index": {"size": {"recovered_in_bytes": 5, "total_in_bytes": 5}},
            }
        ]
    }
}
TEMPLATES = {
    "index_templates": [{"name": "t", "index_template": {"index_patterns": ["a*"]}}],
    "component_templates": [{"name": "c"}],
}
STATUS = {
    "snapshots": [{"snapshot": "s", "state": "STARTED", "shards_stats": {"done": 1, "total": 2}}]
}
EXPLANATION = {
    "can_allocate": "no",
    "node_allocation_decisions": [{"deciders": [{"decider": "max_retry"}]}],
}

READERS: dict[str, tuple[Mapping[str, Any], Callable[[Mapping[str, Any]], object]]] = {
    "topology": (topology({0: "camunda-london", 1: "camunda-paris"}), zeebe_answers.ClusterView.of),
    "partitions": (EXPORTING, lambda each: zeebe_answers.exporting_of("pod", each)),
    "health": (HEALTH, health.health_of),
    "records": (RECORDS, records.records_of),
    "snapshot": (finished(), snapshots.snapshot_of),
    "snapshot status": (STATUS, snapshots.snapshot_progress),
    "explanation": (EXPLANATION, restores.given_up),
    "recovery": (
        RECOVERY,
        lambda each: restores.restore_progress(snapshot(), "r", health.health_of(HEALTH), each),
    ),
    "templates": (TEMPLATES, lambda each: templates_of(each, each, {})),
    "error": (RECOVERY, lambda each: words.error_reason(json.dumps(each))),
}


def _spoiled(source: random.Random, answer: Any) -> Any:
    """Return an answer with a few places that hold something else, or nothing."""
    spoiled = copy.deepcopy(answer)
    for _ in range(source.randrange(1, 4)):
        places = list(_places(spoiled))
        if not places:
            break
        holder, key = source.choice(places)
        if source.random() < 0.3:
            del holder[key]
        else:
            holder[key] = plain(source)
    return spoiled


def _places(document: Any) -> Any:
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in entries:
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


@pytest.mark.parametrize("reader", READERS)
def test_any_answer_is_read_or_out_of_form(reader: str, seeds: Seeds) -> None:
    answer, read = READERS[reader]
    for source in seeds(300):
        odd = _spoiled(source, answer) if source.random() < 0.8 else {"x": plain(source)}
        try:
            read(odd)
        except OUT_OF_FORM:
            continue


@pytest.mark.parametrize("reader", READERS)
def test_the_answer_itself_is_read(reader: str) -> None:
    answer, read = READERS[reader]
    assert read(copy.deepcopy(answer)) is not None or reader in ("snapshot", "explanation")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "5",
        "<html>",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e999}',
        '{"a": -1e999}',
        "[" * 100_000,
        '{"a": ' * 100_000,
        '{"a": ' + "9" * 5000 + "}",
    ],
    ids=lambda body: body[:12],
)
def test_a_body_that_is_no_map_of_finite_numbers_is_no_answer(body: str) -> None:
    with raises("not-json", CallFailed):
        Answer(200, body).json()
