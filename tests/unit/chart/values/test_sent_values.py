"""What of the user's values reaches Helm: what a provider drops is named, and never taken for a change."""

from typing import Any

import pytest

from dualregion.chart.sent_values import (
    differ,
    dropped,
    has_empty_list,
    keeps_nulls,
    nulls_of,
    same,
)

DEFAULTS: dict[str, Any] = {
    "zeebe": {
        "affinity": {"podAntiAffinity": {}},
        "tolerations": [],
        "command": None,
        "pvcSize": "32Gi",
    },
    "elasticsearch": {"master": {"extraEnvVars": [{"name": "REST_TLS"}]}},
}


@pytest.mark.parametrize(
    ("version", "kept"),
    [
        ("4.25.0", False),
        ("4.29.9", False),
        ("4.30.0", True),
        ("4.32.0-alpha.1", True),
        ("5.0.0", True),
        ("", False),
    ],
)
def test_the_providers_version_says_whether_nulls_are_kept(version: str, kept: bool) -> None:
    assert keeps_nulls(version) is kept


@pytest.mark.parametrize(
    ("base", "named"),
    [
        pytest.param({"zeebe": {"affinity": None}}, ["zeebe.affinity"], id="a map goes"),
        pytest.param({"zeebe": None}, ["zeebe"], id="a whole part goes"),
        pytest.param(
            {"zeebe": {"pvcSize": None, "affinity": None}},
            ["zeebe.affinity", "zeebe.pvcSize"],
            id="two",
        ),
        pytest.param(
            {"zeebe": {"affinity": {"podAntiAffinity": None}}},
            ["zeebe.affinity.podAntiAffinity"],
            id="deep",
        ),
        pytest.param(
            {"zeebe": {"command": None, "mine": None}, "mine": {"x": None}},
            [],
            id="nothing to take away",
        ),
        pytest.param({"zeebe": {"env": [{"name": "A", "value": None}]}}, [], id="within an entry"),
        pytest.param({"zeebe": {"args": ["a", None]}}, ["zeebe.args[1]"], id="an entry of a list"),
    ],
)
def test_a_null_that_would_take_a_default_away_is_named(
    base: dict[str, Any], named: list[str]
) -> None:
    assert dropped(base, DEFAULTS) == named


def test_of_a_chart_that_cannot_be_read_any_null_may_take_something_away() -> None:
    assert dropped({"zeebe": {"mine": None, "pvcSize": "1Gi"}}, None) == ["zeebe.mine"]


def test_only_nulls_are_taken_out_at_their_places() -> None:
    base: dict[str, Any] = {"a": {"b": None, "c": 1, "d": {}}, "e": None, "f": [None]}
    assert nulls_of(base) == {"a": {"b": None}, "e": None}


@pytest.mark.parametrize(
    ("value", "has"),
    [({"a": {"b": []}}, True), ([{"a": []}], True), ({"a": [1], "b": {}}, False), ("", False)],
)
def test_an_empty_list_is_found_wherever_it_is(value: Any, has: bool) -> None:
    assert has_empty_list(value) is has


SENT: dict[str, Any] = {
    "global": {"multiregion": {"regionId": 1, "installationType": ""}},
    "zeebe": {
        "clusterSize": 8,
        "tolerations": [],
        "affinity": None,
        "env": [{"name": "A", "x": []}, None],
        "labels": {},
    },
}


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(SENT, id="all"),
        pytest.param(
            {**SENT, "zeebe": {"clusterSize": 8.0, "env": [{"name": "A"}]}}, id="nothing empty"
        ),
        pytest.param(
            {
                **SENT,
                "zeebe": {"clusterSize": 8, "tolerations": None, "env": [{"name": "A", "x": None}]},
            },
            id="nulls",
        ),
        pytest.param(
            SENT | {"global": {"multiregion": {"regionId": 1, "installationType": "normal"}}},
            id="normal",
        ),
    ],
)
def test_what_is_lost_on_the_way_is_no_difference(kept: dict[str, Any]) -> None:
    assert same(kept, SENT)
    assert same(SENT, kept)


@pytest.mark.parametrize(
    "other",
    [
        {"zeebe": {"clusterSize": "8"}},
        {"zeebe": {"clusterSize": True}},
        {"zeebe": {"clusterSize": 8, "env": [{"name": "B"}]}},
        {"zeebe": {"clusterSize": 8, "more": False}},
        {"global": {"multiregion": {"installationType": "failBack"}}, "zeebe": {"clusterSize": 8}},
    ],
)
def test_what_says_something_else_is_another(other: dict[str, Any]) -> None:
    assert not same(other, {"zeebe": {"clusterSize": 8}})


WANTED = {"operate": {"enabled": False}, "zeebe": {"tolerations": [], "affinity": None}}
LOST = {"operate": {"enabled": False}, "zeebe": {}}
"""What a provider that drops nulls and empty lists makes of it."""


def test_an_unsaved_upgrade_is_seen_whatever_the_provider_drops() -> None:
    before = {"operate": {"enabled": True}, "zeebe": {}}
    assert differ(LOST, before, WANTED)
    assert differ(before, LOST, WANTED)
    assert not differ(LOST, LOST, WANTED)
    assert not differ(before, before, WANTED)


def test_an_unsaved_empty_list_is_seen_where_the_provider_keeps_it() -> None:
    with_list: dict[str, Any] = {"zeebe": {"tolerations": []}}
    without: dict[str, Any] = {"zeebe": {}}
    assert differ(with_list, without, without)
    assert not differ(with_list, with_list, with_list)
