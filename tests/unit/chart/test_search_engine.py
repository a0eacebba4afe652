"""The chart of a search engine with a password: ECK's names, one way in, a new password with each installation."""

import base64
import re
from typing import Any

import pytest

from sandbox.versions import VERSIONS, shape_of
from tests.unit.chart.test_chart import Rendered, ports

OWN = [minor for minor, each in VERSIONS.items() if not each.has_engine]
LABELS = {
    "common.k8s.elastic.co/type": "elasticsearch",
    "elasticsearch.k8s.elastic.co/cluster-name": "elasticsearch",
    "elasticsearch.k8s.elastic.co/statefulset-name": "elasticsearch-es-masters",
}


def engine(**values: Any) -> Rendered:
    """Return what the chart makes."""
    chart = shape_of(OWN[0]).engine_chart
    assert chart
    return Rendered(values, (), chart)


def containers(rendered: Rendered) -> dict[str, Any]:
    """Return the pod's containers by their names."""
    pod = rendered.get("StatefulSet", "elasticsearch-es-masters")["spec"]["template"]["spec"]
    return {each["name"]: each for each in pod["containers"]}


def test_versions_whose_chart_brings_none_have_it() -> None:
    assert OWN == ["8.9", "8.10"]
    assert len({shape_of(minor).engine_chart for minor in OWN}) == 1
    assert {shape_of(each).engine_chart for each in VERSIONS.keys() - set(OWN)} == {None}


def test_objects_have_the_names_that_eck_gives_them() -> None:
    rendered = engine()
    assert rendered.names() == {
        "Secret/elasticsearch-es-elastic-user",
        "Service/elasticsearch-es-http",
        "Service/elasticsearch-es-masters",
        "Service/elasticsearch-es-transport",
        "ConfigMap/elasticsearch-es-login",
        "StatefulSet/elasticsearch-es-masters",
    }
    spec = rendered.get("StatefulSet", "elasticsearch-es-masters")["spec"]
    assert spec["serviceName"] == "elasticsearch-es-masters"
    assert spec["template"]["metadata"]["labels"] == LABELS
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "elasticsearch-data"


@pytest.mark.parametrize(("name", "headless"), [("http", False), ("masters", True)])
def test_both_services_lead_to_the_container_that_asks_for_the_password(
    name: str, headless: bool
) -> None:
    rendered = engine()
    service = rendered.get("Service", f"elasticsearch-es-{name}")
    assert ports(service) == {"http": 9200}
    assert service["spec"]["selector"] == LABELS
    assert (service["spec"].get("clusterIP") == "None") is headless
    assert service["spec"].get("publishNotReadyAddresses", False) is headless
    found = containers(rendered)
    assert {each["name"] for each in found["login"]["ports"]} == {"http", "readiness"}
    env = {each["name"]: each.get("value") for each in found["elasticsearch"]["env"]}
    assert (env["ELASTICSEARCH_HTTP_HOST"], env["ELASTICSEARCH_HTTP_PORT_NUMBER"]) == (
        "127.0.0.1",
        "9201",
    )
    login = rendered.get("ConfigMap", "elasticsearch-es-login")["data"]["haproxy.cfg"]
    assert "server local 127.0.0.1:9201 " in login
    assert "http-request auth realm elasticsearch unless { http_auth(users) }" in login


def test_each_installation_has_a_password_of_its_own() -> None:
    found = [
        engine(storage=f"{size}Gi").get("Secret", "elasticsearch-es-elastic-user")["data"]
        for size in (1, 2)
    ]
    passwords = [base64.b64decode(each["elastic"]).decode() for each in found]
    assert passwords[0] != passwords[1]
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", each) for each in passwords)


def test_the_password_stands_in_no_other_object() -> None:
    rendered = engine()
    secret = rendered.get("Secret", "elasticsearch-es-elastic-user")["data"]["elastic"]
    others = [each for each in rendered.manifests if each["kind"] != "Secret"]
    assert secret not in str(others)
    assert base64.b64decode(secret).decode() not in str(others)
    reference = {"name": "elasticsearch-es-elastic-user", "key": "elastic"}
    (given,) = containers(rendered)["login"]["env"]
    assert given["valueFrom"]["secretKeyRef"] == reference


def test_the_snapshots_folder_can_be_shared_by_naming_another_source() -> None:
    source = {"name": "backup", "hostPath": {"path": "/shared", "type": "Directory"}}
    rendered = engine(extraVolumes=[source])
    pod = rendered.get("StatefulSet", "elasticsearch-es-masters")["spec"]["template"]["spec"]
    assert source in pod["volumes"]
    mounts = containers(rendered)["elasticsearch"]["volumeMounts"]
    assert {"name": "backup", "mountPath": "/backup"} in mounts
