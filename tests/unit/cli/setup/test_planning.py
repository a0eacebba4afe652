"""What a new project is to be, from what was typed and what was found."""

from typing import Any

import pytest

from cli.setup.planning import (
    Plan,
    PlannedRegion,
    region_names,
    releases_to_adopt,
    with_found,
)
from clients.survey import FoundRelease, Survey
from dualregion.config.refusals import PLACEHOLDER
from dualregion.config.settings import ChartSettings
from tests.raising import any_message

LONDON = PlannedRegion("london", "cluster-london")
PARIS = PlannedRegion("paris", "cluster-paris")
PLAN = Plan((LONDON, PARIS))


def values(region: int, **more: Any) -> dict[str, Any]:
    return {
        "global": {"multiregion": {"regions": 2, "regionId": region, "installationType": "normal"}},
        "zeebe": {"clusterSize": "8", "partitionCount": 16},
        **more,
    }


def found(region: int, namespace: str = "", version: str = "10.11.3", **more: Any) -> FoundRelease:
    place = namespace or ("in-london", "in-paris")[region]
    return FoundRelease("camunda", place, version, values(region, **more))


def codes(plan: Plan) -> list[str]:
    return [each.code for each in plan.notes]


@pytest.mark.parametrize(
    ("contexts", "names"),
    [
        (("cluster-london", "cluster-paris"), ("london", "paris")),
        (("arn:aws:eks:eu-west-2:1:cluster/c", "arn:aws:eks:eu-west-3:1:cluster/c"), None),
        (("same", "same"), None),
        ((PLACEHOLDER, PLACEHOLDER), None),
    ],
)
def test_regions_are_called_by_what_their_contexts_differ_in(
    contexts: tuple[str, str], names: tuple[str, str] | None
) -> None:
    assert region_names(contexts) == (names or ("region0", "region1"))


def test_with_nothing_found_it_is_a_new_installation() -> None:
    plan = with_found(PLAN, (Survey(), Survey()))
    assert plan == PLAN
    assert plan.all_sizes == {"clusterSize": 8, "partitionCount": 8, "replicationFactor": 4}


def test_pod_ranges_are_taken_unless_they_were_typed() -> None:
    typed = Plan((LONDON, PlannedRegion("paris", "cluster-paris", pod_cidrs=("10.9.0.0/16",))))
    surveys = (Survey(pod_cidrs=("10.1.0.0/16",)), Survey(pod_cidrs=("10.2.0.0/16",)))
    regions = with_found(typed, surveys).regions
    assert [each.pod_cidrs for each in regions] == [("10.1.0.0/16",), ("10.9.0.0/16",)]


def test_one_release_in_each_cluster_is_adopted() -> None:
    surveys = (Survey((found(0),)), Survey((found(1),)))
    plan = with_found(PLAN, surveys)
    assert plan.adopt
    assert [each.namespace for each in plan.regions] == ["in-london", "in-paris"]
    assert plan.chart.version == "10.11.3"
    assert plan.all_sizes == {"clusterSize": 8, "partitionCount": 16, "replicationFactor": 4}
    common = {"global": {"multiregion": {"regions": 2}}, "zeebe": values(0)["zeebe"]}
    assert plan.values == {"camunda.yaml": common}
    assert codes(plan) == ["release-found", "release-found", "values-may-be-secret"]
    assert releases_to_adopt(PLAN, surveys) == ("in-london/camunda", "in-paris/camunda")


def test_different_values_are_kept_side_by_side_and_told() -> None:
    plan = with_found(PLAN, (Survey((found(0),)), Survey((found(1, operate={"a": 1}),))))
    assert list(plan.values or ()) == ["camunda.yaml", "camunda.paris.yaml"]
    assert "values-differ" in codes(plan)


def test_different_versions_are_told() -> None:
    plan = with_found(PLAN, (Survey((found(0),)), Survey((found(1, version="10.11.4"),))))
    assert "releases-differ" in codes(plan)


@pytest.mark.parametrize(
    ("here", "there"),
    [((found(0),), ()), ((found(0), found(0, "staging")), (found(1),))],
    ids=["in one cluster only", "several in one"],
)
def test_what_is_not_exactly_one_in_each_is_told_and_not_adopted(
    here: tuple[FoundRelease, ...], there: tuple[FoundRelease, ...]
) -> None:
    surveys = (Survey(here), Survey(there))
    plan = with_found(PLAN, surveys)
    assert not plan.adopt
    assert codes(plan) == ["releases-ambiguous"]
    assert releases_to_adopt(PLAN, surveys) == ()


def test_a_typed_namespace_chooses_among_several() -> None:
    regions = (
        PlannedRegion("london", "cluster-london", "in-london"),
        PlannedRegion("paris", "cluster-paris", "in-paris"),
    )
    plan = with_found(Plan(regions), (Survey((found(0), found(0, "staging"))), Survey((found(1),))))
    assert plan.adopt


def test_why_something_was_not_seen_is_told() -> None:
    reason = any_message("no answer")
    assert with_found(PLAN, (Survey(problems=(reason,)), Survey())).notes == (reason,)


def test_a_chart_that_was_typed_stays() -> None:
    typed = Plan((LONDON, PARIS), chart=ChartSettings(name="./chart.tgz"))
    assert with_found(typed, (Survey((found(0),)), Survey((found(1),)))).chart == typed.chart
