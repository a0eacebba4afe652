"""What the drill asks of a cluster by the API server's proxies, by version, and of Helm's records."""

import base64
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import requests

from drill.errors import ClusterCallFailed
from drill.observation.cluster import ClusterView, Led
from drill.observation.web_apps import WebApps
from drill.procedure.versions import VERSIONS, Camunda
from tests.unit.drill.checks.cluster_cases import FORMER, configuration, pod, stateful_set

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


class Brokers(View):
    """One with brokers, of which the last is not ready."""

    def broker_pods(self, namespaces: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "metadata": {"namespace": NAMESPACE, "name": f"camunda-zeebe-{each}"},
                "status": {"conditions": [{"type": "Ready", "status": is_ready}]},
            }
            for each, is_ready in enumerate(("True", "True", "False"))
        ]


def test_who_leads_is_asked_of_each_broker_that_is_ready() -> None:
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    answers = {
        f"{pods}/camunda-zeebe-0:9600/proxy/actuator/partitions": {
            "1": {"role": "LEADER"},
            "2": {"role": "FOLLOWER"},
            "3": {"role": "LEADER"},
        },
        f"{pods}/camunda-zeebe-1:9600/proxy/actuator/partitions": {"2": {"role": "LEADER"}},
    }
    view = Brokers(VERSIONS["8.5"], answers)
    assert [(led.pod, led.partition) for led in view.led([NAMESPACE])] == [
        ("camunda-zeebe-0", 1),
        ("camunda-zeebe-0", 3),
        ("camunda-zeebe-1", 2),
    ]


def test_a_leader_is_told_whom_to_give_its_partition() -> None:
    where = f"/api/v1/namespaces/{NAMESPACE}/pods/camunda-zeebe-0:9600/proxy"
    view = View(VERSIONS["8.5"], {f"{where}/rehearsal/partitions/3/leader/2": {}})
    view.give_leadership(Led(NAMESPACE, "camunda-zeebe-0", 3), 2)


def test_the_revision_of_a_release_is_the_highest_of_helms_records() -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=owner%3Dhelm%2Cname%3Dcamunda"
    records = [{"metadata": {"labels": {"version": version}}} for version in ("9", "10", "2")]
    assert View(VERSIONS["8.6"], {path: {"items": records}}).revision(NAMESPACE) == 10
    assert View(VERSIONS["8.6"], {path: {"items": []}}).revision(NAMESPACE) == 0


@pytest.mark.parametrize(("version", "service"), [("8.8", "camunda-elasticsearch-master-hl")])
def test_the_search_engine_is_the_versions(version: str, service: str) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{service}:9200/proxy/zeebe-record*/_count"
    assert View(VERSIONS[version], {path: {"count": 7}}).document_count(NAMESPACE) == 7


class Engine:
    """One end of a connection into a pod, at whose other end a search engine answers once."""

    def __init__(self, status: str, answer: str) -> None:
        self._own, other = socket.socketpair()
        self.asked = ""
        args = (other, status, answer)
        self._thread = threading.Thread(target=self._serve, args=args, daemon=True)
        self._thread.start()

    def _serve(self, other: socket.socket, status: str, answer: str) -> None:
        with other:
            self.asked = other.recv(65536).decode()
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(answer)}\r\n\r\n"
            other.sendall((head + answer).encode())
            while other.recv(65536):
                pass

    def socket(self, port: int) -> socket.socket:
        assert port == 9200
        return self._own

    def close(self) -> None:
        self._own.close()
        self._thread.join()


ENGINE = VERSIONS["8.9"]
SECRET = base64.b64encode(b"hush").decode()
WITH_PASSWORD = {
    f"/api/v1/namespaces/{NAMESPACE}/secrets/elasticsearch-es-elastic-user": {
        "data": {"elastic": SECRET}
    },
    f"/api/v1/namespaces/{NAMESPACE}/pods"
    "?labelSelector=elasticsearch.k8s.elastic.co/cluster-name=elasticsearch": {
        "items": [pod("elasticsearch-0", ready=None), pod("elasticsearch-1")]
    },
}


def asked_by_password(engine: Engine, answers: dict[str, Any]) -> tuple[View, list[Any]]:
    """Return a view of a cluster whose engine has a password, and the pods that are connected to."""
    view, places = View(ENGINE, answers), []

    def opened(*place: str) -> Engine:
        places.append(place)
        return engine

    view._opened = opened
    view._timeout = (1.0, 5.0)
    return view, places


def test_an_engine_with_a_password_is_asked_past_the_proxy() -> None:
    engine = Engine("200 OK", '{"count": 7}')
    view, places = asked_by_password(engine, WITH_PASSWORD)
    assert view.document_count(NAMESPACE) == 7
    assert places == [(NAMESPACE, "elasticsearch-1")]
    first, *headers = engine.asked.splitlines()
    assert first == "GET /zeebe-record*/_count HTTP/1.1"
    login = base64.b64encode(b"elastic:hush").decode()
    assert f"Authorization: Basic {login}" in headers


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [("401 Unauthorized", "no login", "401 no login"), ("200 OK", "<html>", "not JSON")],
)
def test_an_engine_that_refuses_fails_without_telling_the_password(
    status: str, answer: str, says: str
) -> None:
    view, _ = asked_by_password(Engine(status, answer), WITH_PASSWORD)
    with pytest.raises(ClusterCallFailed, match=says) as failed:
        view.search(NAMESPACE, "_search", {"size": 0})
    assert "hush" not in str(failed.value)
    assert SECRET not in str(failed.value)


def test_an_engine_without_a_ready_pod_does_not_answer() -> None:
    pods = {path: {"items": []} if "pods" in path else each for path, each in WITH_PASSWORD.items()}
    view, _ = asked_by_password(None, pods)  # type: ignore[arg-type]
    with pytest.raises(ClusterCallFailed, match="no pod of the search engine"):
        view.document_count(NAMESPACE)


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


def test_a_request_lasts_until_it_is_ended() -> None:
    view = View(VERSIONS["8.5"], {})
    view._session, view._timeout = requests.Session(), (5.0, 5.0)
    parts: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        view._host = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with view.unfinished("system:serviceaccount:a:b"):
            connection, _ = listener.accept()
            connection.settimeout(10)
            while b"{" not in b"".join(parts):
                parts.append(connection.recv(4096))
            begun = b"".join(parts)
            assert b"Impersonate-User: system:serviceaccount:a:b\r\n" in begun
            assert not begun.endswith(b"0\r\n\r\n")
            connection.close()
