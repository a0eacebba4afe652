"""The client of a cluster: the real one, on a real kubeconfig, against an API on loopback.

During an incident half of what is asked does not answer. So: every failure is one of the project's
errors with the context, the address and the reason in it; nothing is tried silently again; a server
that refuses credentials is not mistaken for one that is gone, which would count as a lost region.
"""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.cluster import kubernetes as cluster_module
from clients.cluster.kubernetes import CallFailed, Cluster, Target
from clients.installation import LiveInstallation
from clients.search_engine import SearchEngine
from dualregion.errors import ClusterUnreachable, ConfigError, CredentialsDemanded
from messages.steps.steps import gateway_answers
from steps.polling import Waiting
from tests.checkout import CHECKOUT
from tests.fakes.kubernetes import (
    NO_SUCH_TASK,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    kubeconfig,
    stateful_set,
    topology,
)
from tests.raising import any_message, assert_tells, fails_with, raises

NAMESPACE = "camunda-london"
GATEWAY = Target(NAMESPACE, "services", "camunda-zeebe-gateway", 8080)
BEHIND_GATEWAY = f"{NAMESPACE}/services/camunda-zeebe-gateway:8080"


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(autouse=True)
def tries_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "RETRY_SECONDS", 0)


@pytest.fixture
def gone(tmp_path: Path) -> Cluster:
    """A cluster whose API server does not listen any more."""
    url = f"http://127.0.0.1:{closed_port()}"
    return Cluster(kubeconfig(tmp_path, url, "cluster-paris"), "cluster-paris")


def test_a_cluster_that_answers(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    cluster.check_answers()
    assert kubernetes.asked == ["GET /api/v1/namespaces/kube-system"]


def test_a_cluster_that_is_gone_is_named_with_context_address_and_reason(gone: Cluster) -> None:
    told = ("cluster-unreachable", "cluster-paris", "http://127.0.0.1:", "Connection refused")
    with fails_with(*told, kind=ClusterUnreachable):
        gone.check_answers()


KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
NO_STORE = failure(500, "InternalError", "etcdserver: request timed out")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(NO_STORE, id="without its store"),
        pytest.param(failure(429, "TooManyRequests", "too many requests"), id="busy"),
        pytest.param(Reply(503, "<html>"), id="a proxy before it"),
    ],
)
def test_an_api_server_that_answers_with_an_error_is_alive(
    cluster: Cluster, kubernetes: FakeKubernetes, answer: Reply
) -> None:
    """A lost region must not be declared unreachable, and its state trusted blindly, for one busy moment."""
    kubernetes.broken[KUBE_SYSTEM] = answer
    with raises("cluster-busy", CallFailed, context="cluster-london") as caught:
        cluster.check_answers()
    assert caught.value.status == answer.status
    assert caught.value.may_pass
    assert kubernetes.asked == [f"GET {KUBE_SYSTEM}"] * cluster_module.TRIES


def test_one_error_of_an_api_server_says_nothing(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.broken[KUBE_SYSTEM] = NO_STORE
    kubernetes.tick = lambda: kubernetes.broken.clear() if kubernetes.asked else None
    cluster.check_answers()
    assert len(kubernetes.asked) == 2


@pytest.mark.parametrize(("status", "passing"), [(None, True), (403, False), (404, False)])
def test_what_may_pass_by_itself(status: int | None, passing: bool) -> None:
    assert CallFailed(any_message("x"), status).may_pass is passing


@pytest.mark.parametrize(
    "broken",
    [None, failure(403, "Forbidden", "namespaces is forbidden")],
    ids=["unauthorized", "forbidden"],
)
def test_refused_credentials_are_not_a_lost_region(
    kubernetes: FakeKubernetes, tmp_path: Path, broken: Reply | None
) -> None:
    path = kubeconfig(tmp_path, kubernetes.url, "cluster-london", token="stale")
    if broken:
        path = kubeconfig(tmp_path, kubernetes.url, "cluster-london")
        kubernetes.broken["/api/v1/namespaces/kube-system"] = broken
    with raises("credentials-refused", ConfigError, context="cluster-london"):
        Cluster(path, "cluster-london").check_answers()


def test_an_unknown_context_is_named_with_those_that_exist(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    path = kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris")
    with raises(
        "no-such-context",
        ConfigError,
        context="cluster-berlin",
        kubeconfig=path,
        contexts=["cluster-london", "cluster-paris"],
    ):
        Cluster(path, "cluster-berlin")


DANGLING = {
    "contexts": [{"name": "cluster-london", "context": {"cluster": "gone", "user": "gone"}}],
    "clusters": [],
    "users": [],
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("a: [", id="not YAML"),
        pytest.param("just words", id="a text"),
        pytest.param("- a\n- b\n", id="a list"),
        pytest.param("contexts: 5\n", id="contexts a number"),
        pytest.param(yaml.safe_dump(DANGLING), id="context of a cluster that is not there"),
        pytest.param(
            yaml.safe_dump(
                DANGLING
                | {
                    "clusters": [
                        {
                            "name": "gone",
                            "cluster": {
                                "server": "https://127.0.0.1:1",
                                "certificate-authority": "/nowhere/ca.crt",
                            },
                        }
                    ],
                    "users": [{"name": "gone", "user": {"token": "x"}}],
                }
            ),
            id="certificate that is not there",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_a_clear_error(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with fails_with(str(path), kind=ConfigError):
        Cluster(str(path), "cluster-london")


def test_the_kubeconfig_of_the_environment_is_used_if_none_is_named(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "elsewhere"))
    with fails_with("kubeconfig-unusable", "elsewhere", kind=ConfigError):
        Cluster(None, "cluster-london")


def test_the_gateway_is_asked_through_the_api_server(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.behind(BEHIND_GATEWAY, "/v1/topology", Reply(200, topology({0: NAMESPACE})))
    view = LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view()
    assert view.ids == {0}
    assert kubernetes.asked == [
        "GET /api/v1/namespaces/camunda-london/services/camunda-zeebe-gateway:8080/proxy/v1/topology"
    ]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            failure(503, "ServiceUnavailable", 'no endpoints available for service "gw"'),
            "no endpoints available",
            id="no endpoints",
        ),
        pytest.param(
            failure(502, "BadGateway", "dial tcp 10.180.0.9:8080: connect: no route to host"),
            "no route to host",
            id="pod gone",
        ),
        pytest.param(Reply(200, "<html>"), "not-json", id="not JSON"),
        pytest.param(Reply(200, "[]"), "not-json", id="JSON of another shape"),
        pytest.param(Reply(404, "nothing here"), "404", id="another service"),
    ],
)
def test_a_gateway_that_does_not_answer_well_is_worth_another_try(
    cluster: Cluster, kubernetes: FakeKubernetes, reply: Reply, told: str
) -> None:
    kubernetes.behind(BEHIND_GATEWAY, "/v1/topology", reply)
    with fails_with(told, kind=CallFailed):
        LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view()
    assert len(kubernetes.asked) == 1, "it was asked again silently"


UNAUTHORIZED = {"type": "about:blank", "title": "Unauthorized", "status": 401}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(401, UNAUTHORIZED), id="unauthorized"),
        pytest.param(Reply(403, {"title": "Forbidden"}), id="forbidden"),
        pytest.param(Reply(407, "<html>"), id="a proxy's"),
        pytest.param(Reply(302, "<html>"), id="to a login"),
    ],
)
class TestCredentialsDemanded:
    """No waiting changes that: it is told at once, with what to do."""

    def test_by_a_gateway(
        self, cluster: Cluster, kubernetes: FakeKubernetes, answer: Reply
    ) -> None:
        kubernetes.behind(BEHIND_GATEWAY, "/v1/topology", answer)
        path = f"/v1/user-tasks/{1 << 51}/completion"
        kubernetes.behind(BEHIND_GATEWAY, path, answer, method="POST")
        asks: tuple[Callable[[], object], ...] = (
            LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view,
            lambda: LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.refuses_commands(1),
        )
        for ask in asks:
            with raises(
                "credentials-demanded", CredentialsDemanded, status=answer.status
            ) as caught:
                ask()
            assert_tells(caught.value.message, "camunda-zeebe-gateway:8080 in camunda-london")

    def test_a_wait_ends_at_once(
        self, cluster: Cluster, kubernetes: FakeKubernetes, answer: Reply
    ) -> None:
        kubernetes.behind(BEHIND_GATEWAY, "/v1/topology", answer)
        waiting = Waiting("N", print, deadline_seconds=600)
        with pytest.raises(CredentialsDemanded):
            waiting.answer(
                gateway_answers(), LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view
            )

    def test_by_a_search_engine(
        self, cluster: Cluster, kubernetes: FakeKubernetes, answer: Reply
    ) -> None:
        """It forbids for other reasons, too, such as an index that is blocked."""
        target = f"{NAMESPACE}/services/camunda-elasticsearch-master-hl:9200"
        kubernetes.behind(target, "/_cluster/health", answer)
        expected = CallFailed if answer.status == 403 else CredentialsDemanded
        with pytest.raises(expected):
            SearchEngine(cluster, NAMESPACE, "camunda").health()


@pytest.mark.parametrize("status", [401, 403])
def test_the_api_servers_own_refusal_is_not_taken_for_the_gateways(
    cluster: Cluster, kubernetes: FakeKubernetes, status: int
) -> None:
    """Rights in a namespace that has just been made come a moment later."""
    kubernetes.behind(
        BEHIND_GATEWAY, "/v1/topology", failure(status, "Forbidden", "services/proxy")
    )
    with fails_with("services/proxy", kind=CallFailed):
        LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view()


def test_a_gateway_that_is_not_there(cluster: Cluster) -> None:
    with fails_with("404", kind=CallFailed):
        LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.view()


def test_an_api_server_that_dies_in_between_is_worth_another_try(gone: Cluster) -> None:
    with fails_with("GET /v1/topology of camunda-zeebe-gateway:8080", kind=CallFailed):
        gone.get(GATEWAY, "/v1/topology")
    with fails_with("call-unanswered", "cluster-paris", "Connection refused", kind=CallFailed):
        gone.pods(NAMESPACE, "a=b")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(NO_SUCH_TASK, None, id="there is no such task"),
        pytest.param(
            Reply(504, {"title": "DEADLINE_EXCEEDED", "status": 504}), "504", id="no leader"
        ),
        pytest.param(
            Reply(503, {"title": "RESOURCE_EXHAUSTED", "status": 503}), "503", id="backpressure"
        ),
        pytest.param(
            Reply(
                500, {"type": "about:blank", "title": "ConnectionClosed", "detail": "It was closed"}
            ),
            "ConnectionClosed: It was closed",
            id="a connection to a broker that has restarted",
        ),
        pytest.param(
            Reply(400, {"title": "INVALID_ARGUMENT"}),
            "400",
            id="no such request",
        ),
        pytest.param(
            failure(404, "NotFound", 'services "camunda-zeebe-gateway" not found'),
            "404",
            id="no gateway: the API server's own answer is no proof",
        ),
        pytest.param(Reply(200, ""), "200", id="an unexpected answer"),
    ],
)
def test_whether_a_partition_takes_commands(
    cluster: Cluster, kubernetes: FakeKubernetes, reply: Reply, told: str | None
) -> None:
    path = f"/v1/user-tasks/{3 << 51}/completion"
    kubernetes.behind(BEHIND_GATEWAY, path, reply, method="POST")
    reason = LiveInstallation(cluster, NAMESPACE, "camunda").zeebe.refuses_commands(3)
    if told is None:
        assert reason is None
    else:
        assert_tells(reason, "3", told)


def test_objects_that_are_not_there_are_none(cluster: Cluster) -> None:
    assert cluster.stateful_set(NAMESPACE, "camunda-zeebe") is None
    assert cluster.network_policy(NAMESPACE, "isolate-lost-region") is None
    assert cluster.config_map(NAMESPACE, "dual-region-f1") is None


def test_objects_that_may_not_be_read_are_not_taken_for_missing(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
    for each in (path, f"{path}/camunda-zeebe"):
        kubernetes.broken[each] = failure(403, "Forbidden", "statefulsets.apps is forbidden")
    with fails_with("call-refused", "cluster-london", "403", "is forbidden", kind=CallFailed):
        cluster.stateful_set(NAMESPACE, "camunda-zeebe")
    with fails_with("403", kind=CallFailed):
        cluster.workloads(NAMESPACE)


@pytest.mark.parametrize("namespace_is", ["there", "forbidden, too"])
def test_a_config_map_that_may_not_be_read_is_refused_with_its_own_name(
    cluster: Cluster, kubernetes: FakeKubernetes, namespace_is: str
) -> None:
    """A login that may not even look whether the namespace is there is told what was asked for first."""
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    path = f"/api/v1/namespaces/{NAMESPACE}"
    kubernetes.broken[f"{path}/configmaps/coredns"] = failure(
        403, "Forbidden", "configmaps is forbidden"
    )
    if namespace_is != "there":
        kubernetes.broken[path] = failure(403, "Forbidden", "namespaces is forbidden")
    with fails_with("403", "configmaps is forbidden", kind=CallFailed) as refused:
        cluster.config_map(NAMESPACE, "coredns")
    assert refused.value.status == 403


def test_a_namespace_that_is_gone_has_taken_the_rights_in_it_along(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    """Rights that are given in namespaces only: what a namespace held is forbidden when it is gone."""
    core, apps = (f"/{api}/namespaces/{NAMESPACE}" for api in ("api/v1", "apis/apps/v1"))
    forbidden = failure(403, "Forbidden", "you have no rights here")
    named = (
        f"{apps}/statefulsets/camunda-zeebe",
        f"{apps}/deployments/camunda-operate",
        f"{core}/configmaps/coredns",
    )
    kinds = ("pods", "secrets", "configmaps", "persistentvolumeclaims")
    listed = (f"{apps}/statefulsets", f"{apps}/deployments", *(f"{core}/{each}" for each in kinds))
    kubernetes.broken |= dict.fromkeys((*named, *listed), forbidden)
    assert cluster.stateful_set(NAMESPACE, "camunda-zeebe") is None
    assert cluster.deployment(NAMESPACE, "camunda-operate") is None
    assert cluster.config_map(NAMESPACE, "coredns") is None
    assert cluster.workloads(NAMESPACE) == cluster.claims(NAMESPACE) == []
    assert cluster.secrets(NAMESPACE, "a=b") == cluster.config_maps(NAMESPACE, "a") == []
    assert cluster.pods(NAMESPACE, "a=b") == []


def test_what_may_not_be_written_is_never_taken_for_written(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/dual-region-f1"
    kubernetes.broken[path] = failure(403, "Forbidden", "you have no rights here")
    with fails_with("403", kind=CallFailed):
        cluster.apply_config_map(NAMESPACE, "dual-region-f1", {"a": "b"})


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (
            {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True},
            "tls-not-verified",
        ),
        ({"server": "http://cluster.example"}, "no-tls"),
    ],
    ids=["not verified", "no TLS"],
)
def test_a_cluster_that_would_not_be_verified_is_refused(
    tmp_path: Path, server: dict[str, Any], told: str
) -> None:
    path = Path(kubeconfig(tmp_path, "", "cluster-london"))
    document = yaml.safe_load(path.read_text())
    document["clusters"][0]["cluster"] = server
    path.write_text(yaml.safe_dump(document))
    with fails_with("context-unusable", "cluster-london", told, kind=ConfigError):
        Cluster(str(path), "cluster-london")


def test_a_pod_is_deleted_only_if_it_is_still_the_one_that_was_looked_at(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    collection = f"/api/v1/namespaces/{NAMESPACE}/pods"
    kubernetes.put(collection, *broker_pods(NAMESPACE, 1, revision="new"))
    cluster.delete_pod(NAMESPACE, "camunda-zeebe-0", "the-uid-of-its-predecessor")
    assert kubernetes.objects[collection]
    cluster.delete_pod(NAMESPACE, "camunda-zeebe-0", f"{NAMESPACE}-0-new")
    assert not kubernetes.objects[collection]
    cluster.delete_pod(NAMESPACE, "camunda-zeebe-0", f"{NAMESPACE}-0-new")


def test_a_record_is_applied_beside_the_keys_of_other_writers(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    collection = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    kubernetes.put(collection, {"metadata": {"name": "r"}, "data": {"step": "F1"}})
    cluster.apply_config_map(NAMESPACE, "r", {"start": "1", "end": "2"})
    assert kubernetes.objects[collection]["r"]["data"] == {"step": "F1", "start": "1", "end": "2"}


STATEFUL_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def deployment(**annotations: str) -> dict[str, Any]:
    template: dict[str, Any] = {"metadata": {}, "spec": {"containers": []}}
    return {
        "metadata": {"name": "camunda-operate", "generation": 1, "annotations": annotations},
        "spec": {"replicas": 2, "selector": {}, "template": template},
        "status": {"replicas": 2},
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_search_engine_is_asked_in_every_way_through_the_api_server(
    cluster: Cluster, kubernetes: FakeKubernetes, method: str
) -> None:
    engine = Target(NAMESPACE, "services", "camunda-elasticsearch-master-hl", 9200)
    behind = f"{NAMESPACE}/services/camunda-elasticsearch-master-hl:9200"
    kubernetes.behind(behind, "/_snapshot/backup", Reply(200, {"accepted": True}), method=method)
    body = {"type": "fs"} if method in ("POST", "PUT") else None
    answer = cluster.ask(method, engine, "/_snapshot/backup?wait_for_completion=false", body)
    assert answer.json() == {"accepted": True}
    path = f"/api/v1/namespaces/{behind}/proxy/_snapshot/backup"
    assert kubernetes.asked == [f"{method} {path}"]
    assert kubernetes.bodies.get(f"{method} {path}") == body


def test_whether_there_is_a_namespace(cluster: Cluster) -> None:
    assert cluster.has_namespace("kube-system")
    assert not cluster.has_namespace(NAMESPACE)


def test_a_deployment_is_scaled_and_annotated(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    kubernetes.put(DEPLOYMENTS, deployment(kept="yes"))
    cluster.scale_deployment(NAMESPACE, "camunda-operate", 0, {"former": "2"})
    found = cluster.deployment(NAMESPACE, "camunda-operate")
    assert found is not None
    assert (found.spec.replicas, found.metadata.annotations) == (0, {"kept": "yes", "former": "2"})
    assert found.metadata.generation == 2
    cluster.scale_deployment(NAMESPACE, "camunda-operate", 2, {"former": None})
    found = cluster.deployment(NAMESPACE, "camunda-operate")
    assert found is not None
    assert (found.spec.replicas, found.metadata.annotations) == (2, {"kept": "yes"})


def test_a_deployment_that_is_not_there_is_none_and_cannot_be_scaled(cluster: Cluster) -> None:
    assert cluster.deployment(NAMESPACE, "camunda-operate") is None
    with fails_with("404", kind=CallFailed):
        cluster.scale_deployment(NAMESPACE, "camunda-operate", 0, {})


def test_the_workloads_of_a_namespace_are_listed_by_kind_and_name(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(1))
    kubernetes.put(DEPLOYMENTS, deployment())
    kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/pods", *broker_pods(NAMESPACE, 1))
    kubernetes.put("/api/v1/namespaces/elsewhere/pods", *broker_pods("elsewhere", 2))
    assert cluster.workloads(NAMESPACE) == [
        "statefulset/camunda-zeebe",
        "deployment/camunda-operate",
        "pod/camunda-zeebe-0",
    ]


def test_claims_and_volumes_of_a_namespace(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    claims = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
    kubernetes.put(claims, {"metadata": {"name": "data-camunda-zeebe-0"}})
    for name, namespace in (("pv-1", NAMESPACE), ("pv-2", "elsewhere"), ("pv-3", None)):
        claim = {"claimRef": {"namespace": namespace, "name": "c"}} if namespace else {}
        volume = {"metadata": {"name": name}, "spec": claim}
        kubernetes.put("/api/v1/persistentvolumes", volume)
    assert cluster.claims(NAMESPACE) == ["data-camunda-zeebe-0"]
    assert cluster.volumes_of(NAMESPACE) == ["pv-1"]


def test_looking_reads_none_of_the_clients_large_modules() -> None:
    """They take more than half a second, for which every `dualregion status` and every preview would wait."""
    program = (
        "import sys\n"
        "import cli.__main__\n"
        "from clients.cluster.kubernetes import load_client\n"
        "load_client()\n"
        "sys.exit(any(name.startswith('kubernetes.client.api.') for name in sys.modules))\n"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=False).returncode == 0
    )
