"""Values of a version whose chart brings no search engine: brokers and web apps log in to one beside it."""

from typing import Any

import pytest

from dualregion.chart.demands import conflicts
from dualregion.chart.installations import own
from dualregion.chart.values import Values, at, contact_points, exporter_urls
from dualregion.config.settings import Settings
from tests.inputs.examples import region, settings
from tests.raising import assert_message

REGIONS = [
    {key: text for key, text in region(each).items() if key != "failoverNamespace"}
    for each in (0, 1)
]
EXPORTER = "CAMUNDA_DATA_EXPORTERS_CAMUNDAREGION{}_{}"
OFF = {
    "exporters": {"camunda": {"enabled": False}},
    "security": {"authentication": {"unprotectedApi": True}},
}
STORAGE = ("orchestration", "data", "secondaryStorage")


def of(version: str = "8.9", **changes: Any) -> Settings:
    return settings(camundaVersion=version, regions=REGIONS, **changes)


def made(found: Settings, base: Values | None = None) -> Values:
    return dict(own(found, base or {}).values)


def env(values: Values) -> dict[str, Any]:
    return {each["name"]: each for each in values["orchestration"]["env"]}


def password(
    region_id: int, name: str = "elasticsearch-es-password-region-", key: str = "elastic"
) -> Any:
    variable = EXPORTER.format(region_id, "ARGS_CONNECT_PASSWORD")
    source = {"secretKeyRef": {"name": f"{name}{region_id}", "key": key}}
    return {"name": variable, "valueFrom": source}


@pytest.mark.parametrize("version", ["8.9", "8.10"])
@pytest.mark.parametrize("region_id", [0, 1])
def test_exporters_of_either_region_log_in_to_both_engines(version: str, region_id: int) -> None:
    found = env(made(of(version, region=region_id)))
    for each, place in enumerate(("camunda-london", "camunda-paris")):
        url = f"http://elasticsearch-es-masters.{place}.svc.cluster.local:9200"
        assert found[EXPORTER.format(each, "ARGS_CONNECT_URL")]["value"] == url
        assert found[EXPORTER.format(each, "ARGS_CONNECT_USERNAME")]["value"] == "elastic"
        assert found[password(each)["name"]] == password(each)
        name = found[EXPORTER.format(each, "CLASSNAME")]["value"]
        assert name == "io.camunda.exporter.CamundaExporter"
    assert found["CAMUNDA_CLUSTER_INITIALCONTACTPOINTS"]["value"] == (
        "camunda-zeebe.camunda-london.svc.cluster.local.:26502,"
        "camunda-zeebe.camunda-paris.svc.cluster.local.:26502"
    )


def test_it_goes_by_the_settings() -> None:
    found = of(
        searchEngine={
            "name": "search",
            "user": "camunda",
            "key": "word",
            "sharedSecrets": "both-",
            "scheme": "https",
        }
    )
    entries = env(made(found))
    assert entries[password(1)["name"]] == password(1, "both-", "word")
    assert entries[EXPORTER.format(0, "ARGS_CONNECT_USERNAME")]["value"] == "camunda"
    first, _ = exporter_urls(found, replaced_region=None)
    assert first == "https://search-es-masters.camunda-london.svc.cluster.local:9200"


def test_web_apps_read_the_engine_of_their_own_region() -> None:
    found = at(made(of(region=1)), *STORAGE)
    assert found == {
        "type": "elasticsearch",
        "elasticsearch": {
            "url": "http://elasticsearch-es-masters.camunda-paris.svc.cluster.local:9200",
            "auth": {
                "username": "elastic",
                "secret": {
                    "existingSecret": "elasticsearch-es-elastic-user",
                    "existingSecretKey": "elastic",
                },
            },
        },
    }


def test_what_the_user_says_of_the_web_apps_engine_goes_before() -> None:
    given = {"url": "http://elasticsearch-es-http:9200"}
    base = {"orchestration": {"data": {"secondaryStorage": {"elasticsearch": given}}}}
    found = at(made(of(), base), *STORAGE)
    assert found["elasticsearch"]["url"] == given["url"]
    assert found["elasticsearch"]["auth"]["username"] == "elastic"


def test_where_the_chart_brings_the_engine_nothing_logs_in() -> None:
    values = made(of("8.8"))
    assert not [name for name in env(values) if "USERNAME" in name or "PASSWORD" in name]
    assert at(values, *STORAGE) is None
    assert "elasticsearch-master-hl" in exporter_urls(of("8.8"), replaced_region=None)[0]
    assert "zeebe-0.camunda-zeebe" in contact_points(of("8.8"))


def problems(**orchestration: Any) -> list[Any]:
    return conflicts({"orchestration": {**OFF, **orchestration}}, of())


def test_the_programs_own_reference_to_a_password_may_stand_there() -> None:
    assert problems() == []
    assert problems(env=[password(0), password(1)]) == []
    placeholder = {"name": password(0)["name"], "value": "PLACEHOLDER"}
    assert problems(env=[placeholder]) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"name": password(1)["name"], "value": "s3cret"},
        password(1, name="other-"),
        password(1, key="other"),
    ],
    ids=["plain", "another Secret", "another key"],
)
def test_a_password_from_elsewhere_is_refused_and_not_shown(entry: dict[str, Any]) -> None:
    (found,) = problems(env=[entry])
    assert_message(
        found,
        "password-from-elsewhere",
        name=password(1)["name"],
        secret="elasticsearch-es-password-region-1",
    )
    assert "s3cret" not in found


@pytest.mark.parametrize("kind", ["opensearch", "rdbms"])
def test_another_storage_than_elasticsearch_is_refused(kind: str) -> None:
    (found,) = problems(data={"secondaryStorage": {"type": kind}})
    assert_message(found, "value-refused", path="orchestration.data.secondaryStorage.type")


def test_the_charts_own_engine_beside_it_is_refused() -> None:
    base = {"orchestration": OFF, "elasticsearch": {"enabled": True}}
    (found,) = conflicts(base, of())
    assert_message(found, "value-refused", path="elasticsearch.enabled")
