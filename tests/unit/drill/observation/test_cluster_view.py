"""What the drill asks of a cluster by the API server's proxies, by version, and of Helm's records."""

from typing import Any

import pytest

from drill.observation.cluster import ClusterView
from drill.observation.web_apps import WebApps
from drill.procedure.versions import VERSIONS, Camunda
from tests.unit.drill.checks.cluster_cases import FORMER, configuration, stateful_set

NAMESPACE = "camunda-london"
_GATEWAY = f"/api/v1/namespaces/{NAMESPACE}/services/camunda-zeebe-gateway"


class View(ClusterView):
    """A cluster that gives these answers, by their paths."""

    def __init__(self, camunda: Camunda, answers: dict[str, Any]) -> None:
        self._camunda = camunda
        self._answers = answers

    def call(self, method: str, path: str, body: object = None) -> Any:
        return self._answers[path]


@pytest.mark.parametrize(("version", "api"), [("8.5", "v1"), ("8.6", "v2"), ("8.10", "v2")])
def test_the_topology_is_asked_by_the_api_of_the_version(version: str, api: str) -> None:
    view = View(VERSIONS[version], {f"{_GATEWAY}:8080/proxy/{api}/topology": {"clusterSize": 4}})
    assert view.topology(NAMESPACE) == {"clusterSize": 4}


def test_the_configuration_is_asked_of_the_gateway() -> None:
    exporters = [{"exporterId": "camundaregion0", "status": "ENABLED"}]
    answers = {
        f"{_GATEWAY}:9600/proxy/actuator/cluster": {"version": 3},
        f"{_GATEWAY}:9600/proxy/actuator/exporters": exporters,
    }
    view = View(VERSIONS["8.8"], answers)
    assert view.configuration(NAMESPACE) == {"version": 3}
    assert view.exporters(NAMESPACE) == {"camundaregion0": "ENABLED"}


def test_the_revision_of_a_release_is_the_highest_of_helms_records() -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=owner%3Dhelm%2Cname%3Dcamunda"
    records = [{"metadata": {"labels": {"version": version}}} for version in ("9", "10", "2")]
    assert View(VERSIONS["8.6"], {path: {"items": records}}).revision(NAMESPACE) == 10
    assert View(VERSIONS["8.6"], {path: {"items": []}}).revision(NAMESPACE) == 0


@pytest.mark.parametrize(("version", "service"), [("8.8", "camunda-elasticsearch-master-hl")])
def test_the_search_engine_is_the_versions(version: str, service: str) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{service}:9200/proxy/zeebe-record*/_count"
    assert View(VERSIONS[version], {path: {"count": 7}}).document_count(NAMESPACE) == 7


def test_web_applications_are_deployments_or_profiles() -> None:
    deployments = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    missing = ("there is no camunda-operate", "there is no camunda-tasklist")
    view = View(VERSIONS["8.7"], {deployments: {"items": []}})
    assert view.web_apps(NAMESPACE) == WebApps(missing, ())
    at = f"/api/v1/namespaces/{NAMESPACE}"
    selector = "app.kubernetes.io/component=zeebe-broker"
    answers = {
        f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/camunda-zeebe": stateful_set(),
        f"{at}/configmaps/configuration": configuration("operate", "tasklist"),
        f"{at}/pods?labelSelector={selector}": {"items": FORMER},
    }
    running = ("profile operate is on", "profile tasklist is on")
    assert View(VERSIONS["8.8"], answers).web_apps(NAMESPACE) == WebApps((), running)
