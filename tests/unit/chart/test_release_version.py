"""Whether chart and images are of the version that `camundaVersion` names."""

from typing import Any

import pytest

from dualregion.chart.adoption import ChartVersion
from dualregion.chart.release_version import contradictions, old_patch
from dualregion.procedure.versions import VERSIONS
from tests.inputs.examples import raw, region, settings
from tests.raising import assert_message

REGIONS = [
    {key: text for key, text in region(each).items() if key != "failoverNamespace"}
    for each in (0, 1)
]


def of(version: str, chart: str = "./chart") -> Any:
    changes = {} if version == "8.5" else {"regions": REGIONS}
    return settings(**raw(camundaVersion=version, chart={"name": chart}, **changes))


def chart(version: str, helm: str = "") -> ChartVersion:
    return ChartVersion("camunda-platform", version, helm)


@pytest.mark.parametrize("minor", VERSIONS)
def test_the_chart_of_the_version_is_taken(minor: str) -> None:
    version = VERSIONS[minor]
    assert contradictions(of(minor), chart(f"{version.chart_major}.4.2"), {}) == []


@pytest.mark.parametrize("other", [each for each in VERSIONS if each != "8.8"])
def test_the_chart_of_another_version_is_refused(other: str) -> None:
    given = f"{VERSIONS[other].chart_major}.0.1"
    (found,) = contradictions(of("8.8"), chart(given), {})
    assert_message(found, "chart-of-other-version", given=given, version="8.8", of=other)


@pytest.mark.parametrize("helm", ["4.2.3", "v4.0.0, 5.1.0", "4"])
def test_a_chart_for_a_newer_helm_than_the_providers_is_refused(helm: str) -> None:
    (found,) = contradictions(of("8.10"), chart("15.0.0", helm), {})
    assert_message(found, "chart-needs-helm", given=helm, carried=3)


@pytest.mark.parametrize("helm", ["", "3.18.6", "3.20.2,4.2.4", "4.2.4, 3.20.2"])
def test_a_chart_for_the_providers_helm_too_is_taken(helm: str) -> None:
    assert contradictions(of("8.9"), chart("14.8.4", helm), {}) == []


def test_a_chart_elsewhere_is_taken_for_camundas_own() -> None:
    elsewhere = "oci://registry.example/camunda-platform"
    (found,) = contradictions(of("8.10", elsewhere), chart("15.0.0"), {})
    assert_message(found, "chart-needs-helm", given="4", carried=3)
    assert contradictions(of("8.9", elsewhere), chart("14.8.4"), {}) == []


@pytest.mark.parametrize("version", ["1.0.0", "2026.4.1", "", "latest"])
def test_a_chart_that_is_numbered_in_another_way_says_nothing(version: str) -> None:
    assert contradictions(of("8.8"), chart(version), {}) == []


@pytest.mark.parametrize(
    ("version", "values", "key"),
    [
        ("8.8", {"orchestration": {"image": {"tag": "8.7.3"}}}, "orchestration.image.tag"),
        ("8.6", {"zeebe": {"image": {"tag": "8.5.8"}}}, "zeebe.image.tag"),
        ("8.5", {"global": {"image": {"tag": "8.6.0"}}}, "global.image.tag"),
    ],
)
def test_an_image_of_another_version_is_refused(
    version: str, values: dict[str, Any], key: str
) -> None:
    (found,) = contradictions(of(version), chart("1.0.0"), values)
    assert_message(found, "image-of-other-version", key=key, version=version)


@pytest.mark.parametrize("tag", ["8.8.30", "8.8.0-alpha4", "v8.8.1", "latest", "sha-1234", 8.8])
def test_an_image_of_the_version_or_of_none_is_taken(tag: object) -> None:
    assert (
        contradictions(of("8.8"), chart("13.0.0"), {"orchestration": {"image": {"tag": tag}}}) == []
    )


@pytest.mark.parametrize(
    ("tag", "is_old"), [("8.8.28", True), ("8.8.29", False), ("8.8.100", False), ("latest", False)]
)
def test_a_patch_level_without_the_fixes_is_warned_of(tag: str, is_old: bool) -> None:
    found = old_patch(of("8.8"), {"orchestration": {"image": {"tag": tag}}})
    assert (found is not None) == is_old


def test_no_patch_level_is_recommended_where_none_is_known() -> None:
    assert old_patch(of("8.5"), {"zeebe": {"image": {"tag": "8.5.0"}}}) is None
