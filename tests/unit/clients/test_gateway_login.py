"""A gateway whose REST API asks for a login is asked past the proxy, with the password of its Secret, which is shown nowhere."""

import pytest

from clients import logins
from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from clients.zeebe import Zeebe
from dualregion.names import GatewayLogin
from dualregion.procedure.versions import VERSIONS
from tests.fakes.kubernetes import (
    FORWARDED,
    LOGIN,
    NO_SUCH_TASK,
    FakeKubernetes,
    Reply,
    broker_pods,
    topology,
)
from tests.fakes.search_engines import encoded
from tests.raising import raises, tells

NAMESPACE = "camunda-london"
GATEWAY = f"{NAMESPACE}/services/camunda-zeebe-gateway"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
PASSWORD = "p4ss:w0rd-of-the-gateway"
TASK = f"/v2/user-tasks/{1 << 51}/completion"


@pytest.fixture
def gateway(kubernetes: FakeKubernetes, cluster: Cluster) -> Zeebe:
    """A gateway in the brokers' pods, of which one is ready, that answers who is logged in."""

    def answer(method: str, path: str, _: object) -> Reply | None:
        if kubernetes.headers[-1].get(LOGIN) != f"Basic {encoded(f'demo:{PASSWORD}')}":
            return Reply(401, {"title": "Unauthorized", "status": 401})
        answers = {
            ("GET", "/v2/topology"): Reply(200, topology({0: NAMESPACE}, size=4)),
            ("POST", TASK): NO_SUCH_TASK,
        }
        return answers.get((method, path))

    kubernetes.lives(f"{GATEWAY}:8080", answer)
    found = broker_pods(NAMESPACE, 2)
    found[0]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/pods", *found)
    write(kubernetes, PASSWORD)
    login = GatewayLogin("demo", "gateway-login", "password")
    version = VERSIONS["8.8"]
    return LiveInstallation(cluster, NAMESPACE, "camunda", version=version, login=login).zeebe


def write(kubernetes: FakeKubernetes, password: str) -> None:
    secret = {"metadata": {"name": "gateway-login"}, "data": {"password": encoded(password)}}
    kubernetes.put(SECRETS, secret)


def test_topology_and_commands(gateway: Zeebe, kubernetes: FakeKubernetes) -> None:
    assert gateway.view().ids == {0}
    assert kubernetes.headers[-1][FORWARDED] == "camunda-zeebe-1", "the one that is ready"
    assert [each.ids for each in gateway.views()] == [{0}]
    assert gateway.refuses_commands(1) is None


def test_the_management_port_asks_for_none(gateway: Zeebe, kubernetes: FakeKubernetes) -> None:
    kubernetes.behind(
        f"{GATEWAY}:9600", "/actuator/exporting/pause", Reply(200, {"status": 204}), method="POST"
    )
    assert gateway.pause() is None
    assert LOGIN not in kubernetes.headers[-1]
    assert FORWARDED not in kubernetes.headers[-1]


def test_a_password_that_is_refused(gateway: Zeebe, kubernetes: FakeKubernetes) -> None:
    write(kubernetes, "of-another-user")
    facts = {"user": "demo", "secret": "gateway-login", "key": "password"}
    with raises("gateway-login-refused", logins.LoginRefused, **facts) as told:
        gateway.view()
    assert "of-another-user" not in f"{told.value} {told.value.message.facts}"
    assert tells(gateway.refuses_commands(1), "gateway-login-refused")


def test_a_secret_that_is_missing(gateway: Zeebe, kubernetes: FakeKubernetes) -> None:
    kubernetes.objects[SECRETS].clear()
    with raises("gateway-secret-missing", logins.SecretMissing, namespace=NAMESPACE):
        gateway.view()
    assert tells(gateway.refuses_commands(1), "gateway-secret-missing")


@pytest.mark.parametrize("held", ["//4=", "%%%", "aGk"], ids=["bytes", "no base64", "cut off"])
def test_a_secret_that_holds_no_text_is_named(
    gateway: Zeebe, kubernetes: FakeKubernetes, held: str
) -> None:
    kubernetes.put(SECRETS, {"metadata": {"name": "gateway-login"}, "data": {"password": held}})
    facts = {"namespace": NAMESPACE, "secret": "gateway-login", "key": "password"}
    with raises("secret-not-a-text", logins.SecretUnreadable, **facts):
        gateway.view()
    assert tells(gateway.refuses_commands(1), "secret-not-a-text")


def test_a_gateway_none_of_whose_pods_is_ready(gateway: Zeebe, kubernetes: FakeKubernetes) -> None:
    pod = kubernetes.objects[f"/api/v1/namespaces/{NAMESPACE}/pods"]["camunda-zeebe-1"]
    pod["status"]["conditions"] = []
    with raises("no-gateway-ready"):
        gateway.view()
