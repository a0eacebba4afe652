"""What two engines hold, compared: indices, documents, templates, and nothing that is an engine's own."""

import pytest

from dualregion.observed.search_engine.documents import (
    counts_differ,
    differing_lifecycles,
    lifecycles_of,
    missing_templates,
    templates_of,
)
from dualregion.observed.search_engine.indices import user_indices
from messages.observed import engines as messages
from tests.fakes.kubernetes import Document
from tests.raising import assert_same


def test_an_engine_s_own_indices_begin_with_a_dot() -> None:
    names = ["zeebe-record_job_8.5.8_2026-01-01", ".tasks", ".ds-ilm-history-5", "operate-user_"]
    assert user_indices(names) == ("operate-user_", "zeebe-record_job_8.5.8_2026-01-01")


@pytest.mark.parametrize(
    ("survivor", "recreated", "expected"),
    [
        pytest.param({"a": 3, "b": 0}, {"a": 3, "b": 0}, None, id="equal"),
        pytest.param({}, {}, None, id="both empty"),
        pytest.param({"a": 3, "b": 0}, {"a": 2, "b": 0}, ("a", 3, 2), id="one less"),
        pytest.param({"a": 3, "b": 0}, {"a": 3}, ("b", 0, None), id="an empty index is an index"),
        pytest.param({"a": 3}, {"a": 3, "c": 1}, ("c", None, 1), id="too much"),
    ],
)
def test_document_counts(
    survivor: dict[str, int],
    recreated: dict[str, int],
    expected: tuple[str, int | None, int | None] | None,
) -> None:
    assert_same(
        counts_differ(survivor, recreated),
        expected and messages.indices_differ([messages.documents_differ(*expected)]),
    )


def test_every_difference_is_a_fact() -> None:
    ours = {f"index-{number}": 1 for number in range(9)}
    assert_same(
        counts_differ(ours, {}),
        messages.indices_differ([messages.documents_differ(each, 1, None) for each in ours]),
    )


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
    assert_same(missing_templates(["a", "b"], ["b"]), messages.templates_missing(["a"]))


def policy(age: str, **more: object) -> Document:
    return {"version": 1, "policy": {"phases": {"delete": {"min_age": age}}} | more}


def test_lifecycle_policies_that_the_engine_did_not_bring_itself() -> None:
    answer = {
        "camunda-retention-policy": policy("30d"),
        "logs": policy("7d", _meta={"managed": True}),
        ".own": policy("1d"),
    }
    found = lifecycles_of(answer)
    assert list(found) == ["camunda-retention-policy"]
    assert differing_lifecycles(found, found) is None
    assert differing_lifecycles({}, found) is None
    others = lifecycles_of({"camunda-retention-policy": policy("90d")})
    for recreated in ({}, others):
        assert_same(
            differing_lifecycles(found, recreated),
            messages.lifecycles_differ(["camunda-retention-policy"]),
        )
