"""What two engines hold, compared: indices, documents, templates, and nothing that is an engine's own."""

import pytest

from dualregion.observed.documents import counts_differ, missing_templates, templates_of
from dualregion.observed.indices import user_indices
from tests.fakes.kubernetes import Document


def test_an_engine_s_own_indices_begin_with_a_dot() -> None:
    names = ["zeebe-record_job_8.5.8_2026-01-01", ".tasks", ".ds-ilm-history-5", "operate-user_"]
    assert user_indices(names) == ("operate-user_", "zeebe-record_job_8.5.8_2026-01-01")


@pytest.mark.parametrize(
    ("survivor", "recreated", "told"),
    [
        pytest.param({"a": 3, "b": 0}, {"a": 3, "b": 0}, None, id="equal"),
        pytest.param({}, {}, None, id="both empty"),
        pytest.param(
            {"a": 3, "b": 0},
            {"a": 2, "b": 0},
            "index a: 3 documents in the survivor, 2 documents in the recreated region",
            id="one less",
        ),
        pytest.param(
            {"a": 3, "b": 0},
            {"a": 3},
            "index b: 0 documents in the survivor, no such index in the recreated region",
            id="an empty index is an index",
        ),
        pytest.param(
            {"a": 3},
            {"a": 3, "c": 1},
            "index c: no such index in the survivor, 1 documents in the recreated region",
            id="too much",
        ),
    ],
)
def test_document_counts(
    survivor: dict[str, int], recreated: dict[str, int], told: str | None
) -> None:
    assert counts_differ(survivor, recreated) == told


def test_many_differences_are_counted() -> None:
    ours = {f"index-{number}": 1 for number in range(9)}
    told = counts_differ(ours, {})
    assert told is not None
    assert "index-4" in told
    assert told.endswith("; and 4 more")


TEMPLATES: tuple[Document, Document, Document] = (
    {
        "index_templates": [
            {"name": "logs", "index_template": {"_meta": {"managed": True}}},
            {"name": ".watches", "index_template": {}},
            {"name": "zeebe-record_job_8.5.8", "index_template": {"composed_of": ["zeebe-record"]}},
        ]
    },
    {
        "component_templates": [
            {"name": "zeebe-record", "component_template": {"template": {}}},
            {"name": "logs-mappings", "component_template": {"_meta": {"managed": True}}},
        ]
    },
    {"old-style": {"order": 0, "index_patterns": ["old-*"]}, ".monitoring": {}},
)


def test_templates_that_the_engine_brought_itself_do_not_count() -> None:
    assert templates_of(*TEMPLATES) == (
        "component template zeebe-record",
        "index template zeebe-record_job_8.5.8",
        "legacy template old-style",
    )


def test_missing_templates_are_named_and_more_do_no_harm() -> None:
    assert missing_templates(["a", "b"], ["b", "a", "c"]) is None
    assert missing_templates(["a", "b"], ["b"]) == "missing: a"
