"""A search engine that asks for a password is asked past the proxy, with that of its Secret, which is shown nowhere."""

from dataclasses import replace

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from clients.engine_calls import ask
from dualregion.config.sections.search_engine import SearchEngineSettings
from tests.fakes.kubernetes import FORWARDED, LOGIN, FakeKubernetes, Reply
from tests.fakes.search_engines import Held, SecuredEngine, encoded
from tests.raising import raises

NAMESPACE = "camunda-london"
PASSWORD = "p4ss:w0rd-of-the-engine"
HTTPS = SearchEngineSettings.model_validate({"scheme": "https"}).address


@pytest.fixture
def engine(kubernetes: FakeKubernetes, cluster: Cluster) -> SecuredEngine:
    made = SecuredEngine(kubernetes, cluster, NAMESPACE, held=Held({"operate-one": 3}))
    made.install(PASSWORD)
    return made


def test_it_is_logged_in_to_past_the_proxy(engine: SecuredEngine) -> None:
    assert engine.search.indices() == ("operate-one",)
    asked = engine.kubernetes.headers[-1]
    assert asked[LOGIN] == f"Basic {encoded(f'elastic:{PASSWORD}')}"
    assert asked[FORWARDED] == "elasticsearch-es-masters-0"


def test_a_new_password_is_read_at_once(engine: SecuredEngine) -> None:
    assert engine.search.version() == "8.18.0"
    engine.install("another")
    assert engine.search.version() == "8.18.0"


def test_a_password_that_is_refused(engine: SecuredEngine) -> None:
    engine.password = "another"
    with raises("engine-login-refused", CallFailed, secret="elasticsearch-es-elastic-user") as told:
        engine.search.health()
    assert told.value.status == 401
    assert_unseen(told.value)


def test_there_is_no_password(engine: SecuredEngine) -> None:
    secrets = engine.kubernetes.objects[f"/api/v1/namespaces/{NAMESPACE}/secrets"]
    secrets["elasticsearch-es-elastic-user"]["data"] = {"other": "eA=="}
    with raises("engine-secret-missing", CallFailed, key="elastic"):
        engine.search.health()
    secrets.clear()
    with raises("engine-secret-missing", CallFailed, namespace=NAMESPACE):
        engine.search.health()


def test_no_pod_is_ready(engine: SecuredEngine) -> None:
    (pod,) = engine.kubernetes.objects[f"/api/v1/namespaces/{NAMESPACE}/pods"].values()
    pod["status"]["conditions"] = []
    with raises("no-engine-pod-ready", CallFailed, namespace=NAMESPACE):
        engine.search.health()


def test_a_failure_does_not_show_the_password(engine: SecuredEngine) -> None:
    engine.kubernetes.behind(engine.target, "/_recovery", Reply(500, "no room"))
    with raises("service-failed", CallFailed, status=500) as told:
        engine.search.recoveries()
    assert_unseen(told.value)


def test_who_is_to_prove_itself_must_be_known(engine: SecuredEngine) -> None:
    with raises("engine-secret-missing", CallFailed, secret="elasticsearch-es-http-certs-public"):
        ask(engine.cluster, NAMESPACE, HTTPS, ("GET", "/", None), 1.0)
    bad = {"metadata": {"name": "elasticsearch-es-http-certs-public"}}
    engine.kubernetes.put(
        f"/api/v1/namespaces/{NAMESPACE}/secrets", bad | {"data": {"ca.crt": encoded("no")}}
    )
    with raises("engine-authority-unreadable", CallFailed, key="ca.crt"):
        ask(engine.cluster, NAMESPACE, HTTPS, ("GET", "/", None), 1.0)


def test_the_name_that_a_certificate_is_for_has_the_namespace() -> None:
    assert HTTPS.tls is not None
    assert HTTPS.tls.server_in(NAMESPACE) == f"elasticsearch-es-http.{NAMESPACE}.svc"
    assert HTTPS.url(NAMESPACE).startswith(f"https://elasticsearch-es-masters.{NAMESPACE}.svc.")


def test_an_engine_without_a_password_goes_by_the_proxy(engine: SecuredEngine) -> None:
    plain = replace(engine.search, given=None)
    with pytest.raises(CallFailed):
        plain.health()
    assert "/services/camunda-elasticsearch-master-hl:9200/" in engine.kubernetes.asked[-1]


def assert_unseen(error: CallFailed) -> None:
    """Demand that neither the password nor the header shows."""
    shown = f"{error} {error.message.facts} {error.__cause__} {error.__context__!r}"
    for secret in (PASSWORD, encoded(PASSWORD), encoded(f"elastic:{PASSWORD}")):
        assert secret not in shown
