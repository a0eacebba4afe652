"""Helm values: the user's files stay as they are, but for what the procedure needs.

Helm replaces lists whole, so losing or reordering one entry of `zeebe.env` silently changes every
broker; an exporter whose id points to another engine in one region loses or corrupts its data
(camunda-8-helm-profiles issue 82). Addresses are pinned against the example outputs of the
procedure's own generator script.
"""

import copy
from typing import Any

import pytest
import yaml

from clients.files import REFERENCE_VALUES
from dualregion.chart.demands import conflicts
from dualregion.chart.values import (
    contact_points,
    exporter_settings,
    exporter_urls,
    installation_values,
    merge,
    merge_all,
    set_env,
)
from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.procedure.versions import VERSIONS
from tests.inputs.examples import region, settings
from tests.raising import assert_message, raises

PROCEDURE_CONTACT_POINTS = (
    "camunda-zeebe-0.camunda-zeebe.camunda-london.svc.cluster.local:26502,"
    "camunda-zeebe-0.camunda-zeebe.camunda-paris.svc.cluster.local:26502,"
    "camunda-zeebe-1.camunda-zeebe.camunda-london.svc.cluster.local:26502,"
    "camunda-zeebe-1.camunda-zeebe.camunda-paris.svc.cluster.local:26502,"
    "camunda-zeebe-2.camunda-zeebe.camunda-london.svc.cluster.local:26502,"
    "camunda-zeebe-2.camunda-zeebe.camunda-paris.svc.cluster.local:26502,"
    "camunda-zeebe-3.camunda-zeebe.camunda-london.svc.cluster.local:26502,"
    "camunda-zeebe-3.camunda-zeebe.camunda-paris.svc.cluster.local:26502"
)
URL = "http://camunda-elasticsearch-master-hl.{}.svc.cluster.local:9200"
REFERENCE = yaml.safe_load(REFERENCE_VALUES.read_text())
BOTH = (URL.format("camunda-london"), URL.format("camunda-paris"))


def made(
    base: dict[str, Any],
    found: Settings | None = None,
    *,
    region_id: int = 0,
    installation_type: str = "",
    exporters: tuple[str, str] = BOTH,
    web_apps: bool | None = None,
) -> dict[str, Any]:
    return installation_values(
        base,
        found or settings(),
        region_id=region_id,
        installation_type=installation_type,
        exporters=exporters,
        web_apps=web_apps,
    )


def env_of(values: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = values["zeebe"]["env"]
    return entries


def test_contact_points_equal_the_example_of_the_procedure() -> None:
    assert contact_points(settings()) == PROCEDURE_CONTACT_POINTS


def test_contact_points_of_the_smallest_cluster_with_other_names() -> None:
    found = settings(
        clusterSize=4,
        release="c8",
        regions=[region(0, namespace="one"), region(1, namespace="two")],
    )
    assert contact_points(found).split(",") == [
        f"c8-zeebe-{ordinal}.c8-zeebe.{namespace}.svc.cluster.local:26502"
        for ordinal in (0, 1)
        for namespace in ("one", "two")
    ]


@pytest.mark.parametrize(
    ("replaced", "namespaces"),
    [
        pytest.param(None, ("camunda-london", "camunda-paris"), id="normal, example of failback"),
        pytest.param(
            1,
            ("camunda-london", "camunda-london-failover"),
            id="region 1 lost, example of failover",
        ),
        pytest.param(0, ("camunda-paris-failover", "camunda-paris"), id="region 0 lost"),
    ],
)
def test_exporter_urls_equal_the_examples_of_the_procedure(
    replaced: int | None, namespaces: tuple[str, str]
) -> None:
    expected = tuple(URL.format(namespace) for namespace in namespaces)
    assert exporter_urls(settings(), replaced_region=replaced) == expected


@pytest.mark.parametrize("region_id", [0, 1])
def test_exporter_addresses_are_the_same_from_either_regions_point_of_view(region_id: int) -> None:
    for replaced in (None, 0, 1):
        assert exporter_urls(settings(region=region_id), replaced_region=replaced) == exporter_urls(
            settings(), replaced_region=replaced
        )


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param(({"a": {"x": 1}}, {"a": {"y": 2}}), {"a": {"x": 1, "y": 2}}, id="maps merge"),
        pytest.param(({"a": [1, 2]}, {"a": [3]}), {"a": [3]}, id="lists are replaced whole"),
        pytest.param(({"a": {"x": 1}}, {"a": 5}), {"a": 5}, id="a map gives way to a scalar"),
        pytest.param(({"a": 5}, {"a": {"x": 1}}), {"a": {"x": 1}}, id="a scalar to a map"),
        pytest.param(({"a": 1}, {"b": 2}), {"a": 1, "b": 2}, id="keys of both"),
        pytest.param(({"a": 1}, {"a": 2}, {"a": 3}), {"a": 3}, id="the last one counts"),
        pytest.param(({"a": 1}, {}), {"a": 1}, id="an empty document changes nothing"),
        pytest.param(({"a": True}, {"a": False}), {"a": False}, id="false is a value"),
        pytest.param((), {}, id="no documents"),
        # Seen with helm 3.18.6: a null stays in the merged values and so removes the chart's own
        # default of that key; dropped here, the default would come back.
        pytest.param(({"a": 1}, {"a": None}), {"a": None}, id="a null removes the chart's default"),
        pytest.param(({"a": None},), {"a": None}, id="a null in the first document, too"),
        pytest.param(
            ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}),
            {"a": {"x": None, "y": 2}},
            id="a null deep in a map, too",
        ),
    ],
)
def test_documents_merge_as_helm_merges_files(
    documents: tuple[dict[str, Any], ...], expected: dict[str, Any]
) -> None:
    assert merge_all(documents) == expected


def test_merging_leaves_its_inputs_alone() -> None:
    base, overlay = {"a": {"x": [1]}}, {"a": {"y": [2]}}
    merged = merge(base, overlay)
    merged["a"]["x"].append(9)
    merged["a"]["y"].append(9)
    assert (base, overlay) == ({"a": {"x": [1]}}, {"a": {"y": [2]}})


def test_an_entry_is_set_in_its_place_and_every_other_one_stays() -> None:
    entries: list[dict[str, Any]] = [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "C", "value": "3"},
    ]
    assert set_env(entries, {"C": "new", "D": "4"}) == [
        entries[0],
        entries[1],
        {"name": "C", "value": "new"},
        {"name": "D", "value": "4"},
    ]


def test_a_name_that_stands_twice_is_set_twice_as_the_last_one_counts() -> None:
    entries = [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]
    assert set_env(entries, {"A": "x"}) == [
        {"name": "A", "value": "x"},
        {"name": "B"},
        {"name": "A", "value": "x"},
    ]


def test_an_entry_to_be_set_loses_its_value_from_elsewhere() -> None:
    """`value` and `valueFrom` together are refused by Kubernetes."""
    entries = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    assert set_env(entries, {"A": "x"}) == [{"name": "A", "value": "x"}]


def test_setting_entries_leaves_the_users_list_alone() -> None:
    entries: list[dict[str, Any]] = [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"x": {"y": "z"}}},
    ]
    before = copy.deepcopy(entries)
    result = set_env(entries, {"A": "2"})
    result[1]["valueFrom"]["x"]["y"] = "changed"
    assert entries == before


def test_new_entries_stand_after_all_others_in_a_stable_order() -> None:
    """A changing order would be a changed pod template, and so a needless restart."""
    found = env_of(made({"zeebe": {"env": [{"name": "MINE", "value": "1"}]}}))
    assert [entry["name"] for entry in found] == [
        "MINE",
        VERSIONS["8.5"].brokers.contact_points,
        VERSIONS["8.5"].exporter.variable(0, "CLASSNAME"),
        VERSIONS["8.5"].exporter.variable(0, "ARGS_URL"),
        VERSIONS["8.5"].exporter.variable(1, "CLASSNAME"),
        VERSIONS["8.5"].exporter.variable(1, "ARGS_URL"),
    ]


def test_what_the_procedure_needs_is_set_and_nothing_else() -> None:
    base = yaml.safe_load(REFERENCE_VALUES.read_text())
    before = copy.deepcopy(base)
    found = made(base, region_id=1, installation_type="failOver")
    assert base == before, "the user's values were changed in place"
    assert found["global"]["multiregion"] == {
        "regions": 2,
        "regionId": 1,
        "installationType": "failOver",
    }
    sizes = {key: found["zeebe"].pop(key) for key in ("clusterSize", "partitionCount")}
    assert sizes == {"clusterSize": 8, "partitionCount": 8}
    assert found["zeebe"].pop("replicationFactor") == 4
    mine = {entry["name"] for entry in before["zeebe"]["env"]}
    added = [entry for entry in env_of(found) if entry["name"] not in mine]
    assert [entry["name"] for entry in added] == [
        VERSIONS["8.5"].brokers.contact_points,
        VERSIONS["8.5"].exporter.variable(0, "ARGS_URL"),
        VERSIONS["8.5"].exporter.variable(1, "ARGS_URL"),
    ]
    found["zeebe"]["env"] = [entry for entry in env_of(found) if entry["name"] in mine]
    found["global"]["multiregion"] = before["global"]["multiregion"]
    assert found == before


def test_old_addresses_in_the_users_file_are_replaced_in_their_place() -> None:
    name = VERSIONS["8.5"].exporter.variable(1, "ARGS_URL")
    base = {"zeebe": {"env": [{"name": name, "value": "http://old:9200"}, {"name": "Z"}]}}
    found = env_of(made(base))
    assert found[0] == {"name": name, "value": BOTH[1]}
    assert found[1] == {"name": "Z"}
    assert [entry["name"] for entry in found].count(name) == 1


@pytest.mark.parametrize(
    ("web_apps", "expected"),
    [
        pytest.param(None, ({"enabled": True, "x": 1}, {"enabled": False}), id="left to the user"),
        pytest.param(False, ({"enabled": False, "x": 1}, {"enabled": False}), id="off"),
        pytest.param(True, ({"enabled": True, "x": 1}, {"enabled": True}), id="on"),
    ],
)
def test_operate_and_tasklist_are_switched_only_where_the_procedure_says_so(
    web_apps: bool | None, expected: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    base = {"operate": {"enabled": True, "x": 1}, "tasklist": {"enabled": False}}
    found = made(base, web_apps=web_apps)
    assert (found["operate"], found["tasklist"]) == expected


def test_nothing_is_said_of_operate_and_tasklist_if_the_user_says_nothing() -> None:
    assert {"operate", "tasklist"}.isdisjoint(made({}))


@pytest.mark.parametrize("base", [{}, {"zeebe": None}, {"zeebe": {}}, {"zeebe": {"env": None}}])
def test_values_without_environment_entries_are_fine(base: dict[str, Any]) -> None:
    assert len(env_of(made(base))) == 5


@pytest.mark.parametrize(
    "zeebe",
    [
        pytest.param({"env": {"A": "1"}}, id="env a map"),
        pytest.param({"env": "A=1"}, id="env a text"),
        pytest.param({"env": ["A=1"]}, id="env entries texts"),
        pytest.param("clusterSize", id="zeebe a text"),
        pytest.param(["env"], id="zeebe a list"),
        pytest.param(8, id="zeebe a number"),
    ],
)
def test_values_of_another_shape_are_refused(zeebe: Any) -> None:
    """The program looks for conflicts first, then makes the values."""

    def look_and_make() -> None:
        conflicts({"zeebe": zeebe}, settings())
        made({"zeebe": zeebe})

    with pytest.raises(ConfigError) as caught:
        look_and_make()
    (code,) = caught.value.codes
    assert code in ("values-no-map", "environment-no-list")


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"name": ["a"], "value": "b"}, id="a list"),
        pytest.param({"name": {"a": 1}}, id="a map"),
        pytest.param({"name": 5}, id="a number"),
        pytest.param({"name": True}, id="a truth value"),
        pytest.param({"name": None}, id="null"),
        pytest.param({"name": ""}, id="empty"),
        pytest.param({"value": "b"}, id="none"),
    ],
)
@pytest.mark.parametrize("component", ["zeebe", "zeebeGateway", "zeebe-gateway"])
def test_an_entry_without_a_name_that_is_a_text_is_refused_by_its_place(
    entry: dict[str, Any], component: str
) -> None:
    """The program ended in a TypeError where it sets entries by their names."""
    base = merge(REFERENCE, {component: {"env": [{"name": "A"}, entry, {"name": "B"}, entry]}})
    with pytest.raises(ConfigError) as caught:
        conflicts(base, settings())
    for index, problem in zip((1, 3), caught.value.problems, strict=True):
        assert_message(
            problem, "variable-unnamed", setting="values", component=component, index=index
        )


def test_sizes_of_the_values_file_that_contradict_the_settings_are_named_with_the_remedy() -> None:
    sizes = {"zeebe": {"clusterSize": 4, "partitionCount": "8", "replicationFactor": 3}}
    size, factor = conflicts(merge(REFERENCE, sizes), settings())
    assert_message(size, "size-contradicted", size="clusterSize", given="4", wanted=8)
    assert_message(factor, "size-contradicted", size="replicationFactor", given="3", wanted=4)


@pytest.mark.parametrize(
    "base",
    [{}, {"zeebe": {"env": None}}, {"zeebe": {"clusterSize": 8}}, {"zeebe": {"clusterSize": "8"}}],
)
def test_sizes_that_agree_are_no_conflict(base: dict[str, Any]) -> None:
    assert conflicts(merge(REFERENCE, base), settings()) == []


@pytest.mark.parametrize(
    ("delays", "slowest"),
    [({}, 5), ({0: "2"}, 5), ({1: "20"}, 20), ({0: "2", 1: "3"}, 3), ({0: 2, 1: 3}, 3)],
    ids=["unset", "one faster, one unset", "one slower", "both faster", "numbers"],
)
def test_the_slower_of_both_exporters_decides_how_long_records_may_be_kept(
    delays: dict[int, str], slowest: int
) -> None:
    env = [
        {"name": VERSIONS["8.5"].exporter.variable(region, "ARGS_BULK_DELAY"), "value": delay}
        for region, delay in delays.items()
    ]
    assert exporter_settings({"zeebe": {"env": env}}, VERSIONS["8.5"]).flush_seconds == slowest


def test_what_the_exporters_are_not_given_is_their_default() -> None:
    assert exporter_settings({}, VERSIONS["8.5"]) == ("zeebe-record", 5)


PREFIXES = [VERSIONS["8.5"].exporter.variable(region, "ARGS_INDEX_PREFIX") for region in (0, 1)]
DELAY = VERSIONS["8.5"].exporter.variable(1, "ARGS_BULK_DELAY")


@pytest.mark.parametrize(
    ("env", "code", "facts"),
    [
        pytest.param(
            [
                {"name": each, "value": "{{ .Values.global.elasticsearch.prefix }}"}
                for each in PREFIXES
            ],
            "variable-not-plain",
            {"name": PREFIXES[0]},
            id="a template",
        ),
        pytest.param(
            [{"name": each, "valueFrom": {"configMapKeyRef": {}}} for each in PREFIXES],
            "variable-not-plain",
            {"name": PREFIXES[0]},
            id="valueFrom",
        ),
        pytest.param(
            [{"name": PREFIXES[0], "value": "mine"}],
            "index-prefixes-differ",
            {"prefixes": ("mine", "zeebe-record")},
            id="one only",
        ),
        pytest.param([{"name": each} for each in PREFIXES], "index-prefix-empty", {}, id="empty"),
        pytest.param(
            [{"name": DELAY, "value": "5s"}],
            "delay-not-in-seconds",
            {"name": DELAY, "given": "'5s'"},
            id="no number",
        ),
        pytest.param(
            [{"name": DELAY, "value": "²"}],
            "delay-not-in-seconds",
            {"given": "'²'"},
            id="a digit of another kind",
        ),
        pytest.param(
            [{"name": DELAY, "value": "1" * 5000}],
            "delay-not-in-seconds",
            {"name": DELAY},
            id="more digits than can be read",
        ),
        pytest.param(
            [{"name": DELAY, "value": "{{ .Values.delay }}"}],
            "variable-not-plain",
            {"name": DELAY},
            id="delay",
        ),
    ],
)
def test_settings_of_the_exporters_that_cannot_be_known_are_not_guessed(
    env: list[dict[str, Any]], code: str, facts: dict[str, Any]
) -> None:
    with raises(code, ConfigError, **facts):
        exporter_settings({"zeebe": {"env": env}}, VERSIONS["8.5"])


def test_both_exporters_may_share_a_prefix() -> None:
    env = [{"name": each, "value": "mine"} for each in PREFIXES]
    assert exporter_settings({"zeebe": {"env": env}}, VERSIONS["8.5"]).prefix == "mine"
