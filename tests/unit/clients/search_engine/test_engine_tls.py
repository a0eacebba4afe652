"""A search engine that is asked with TLS: a real handshake through a connection that is forwarded into its pod.

The engine's answers are its double's; certificates, TLS and the WebSocket are real. Each fault has its own code, and none
shows what is secret.
"""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients import engine_calls, logins
from clients.cluster import forward
from clients.cluster.kubernetes import CallFailed, Cluster
from clients.search_engine import SearchEngine
from dualregion.config.sections.search_engine import SearchEngineSettings
from dualregion.errors import DualRegionError
from tests.fakes import http
from tests.fakes.forwarding import forwarding
from tests.fakes.http import Request, Response
from tests.fakes.kubernetes import FakeKubernetes, Reply, kubeconfig
from tests.fakes.search_engines import encoded
from tests.raising import message_of, raises, tells

NAMESPACE = "camunda-london"
NAME = f"elasticsearch-es-http.{NAMESPACE}.svc"
POD = "elasticsearch-es-masters-0"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
PASSWORD = "p4ss:w0rd-of-the-engine"
ADDRESS = SearchEngineSettings.model_validate({"scheme": "https"}).address
DAY = timedelta(days=1)
EXCHANGE = forward._exchange
"""The real one: the other unit tests replace it."""


class Authority:
    """Who signs certificates."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key, until=datetime.now(UTC) + DAY)
        self.pem = _pem(
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True).sign(
                self._key, hashes.SHA256()
            )
        )

    def certifies(self, folder: Path, name: str, *, until: timedelta = DAY) -> ssl.SSLContext:
        """Return the TLS of a server with a certificate for a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        signed = (
            self._builder(subject, key, until=datetime.now(UTC) + until)
            .add_extension(names, False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = folder / "engine.pem"
        file.write_bytes(private + _pem(signed))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, until: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(self._name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - 10 * DAY)
            .not_valid_after(until)
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


AUTHORITY, OTHER = Authority("the engine's"), Authority("another")


@pytest.fixture(autouse=True)
def into_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections into pods are real here."""
    monkeypatch.setattr(forward, "_exchange", EXCHANGE)


@contextmanager
def engine(
    fake: FakeKubernetes,
    folder: Path,
    tls: ssl.SSLContext | None,
    heard: list[Request] | None = None,
) -> Iterator[SearchEngine]:
    """Serve a search engine in a pod, and give its client; the certificate in its Secret is that of `AUTHORITY`.

    :param heard: every request that reaches it.
    """

    def answer(request: Request) -> Response:
        if heard is not None:
            heard.append(request)
        if request.headers["Authorization"] != f"Basic {encoded(f'elastic:{PASSWORD}')}":
            return Response(b'{"error":{"reason":"unable to authenticate user [elastic]"}}', 401)
        held = len(request.body) or len(request.path)
        return Response(b'{"version":{"number":"8.19.2"}, "filled": "%s"}' % (b"x" * held))

    assert ADDRESS.login is not None
    assert ADDRESS.tls is not None
    key, _, name = ADDRESS.selector.partition("=")
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    labelled = {"name": POD, "labels": {key: name}}
    spec = {"containers": [{"name": "elasticsearch"}]}
    fake.put(PODS, {"metadata": labelled, "spec": spec, "status": ready})
    put_secret(fake, ADDRESS.login.secret, ADDRESS.login.key, PASSWORD)
    put_secret(fake, ADDRESS.tls.secret, ADDRESS.tls.key, AUTHORITY.pem.decode())
    with ExitStack() as stack:
        inside = stack.enter_context(http.serving(answer, tls=tls))
        url = stack.enter_context(forwarding(fake, {POD: inside}))
        cluster = Cluster(kubeconfig(folder, url, "cluster-london"), "cluster-london")
        yield SearchEngine(cluster, NAMESPACE, "camunda", given=ADDRESS)


def put_secret(fake: FakeKubernetes, name: str, key: str, text: str) -> None:
    fake.put(SECRETS, {"metadata": {"name": name}, "data": {key: encoded(text)}})


def assert_nothing_secret(error: Exception) -> None:
    found = message_of(error)
    facts = getattr(found, "facts", {})
    shown = f"{error} {facts} {error.__cause__} {error.__context__!r}"
    secrets = (PASSWORD, encoded(PASSWORD), encoded(f"elastic:{PASSWORD}"), "BEGIN CERTIFICATE")
    assert not [each for each in secrets if each in shown]


def test_it_is_asked_with_the_right_authority_and_password(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        assert [asked.version() for _ in range(3)] == ["8.19.2"] * 3


def test_long_requests_and_answers_arrive_whole(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    """Longer than a record of TLS, and than a frame of the WebSocket."""
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        request = ("PUT", "/", {"filled": "y" * 300_000})
        answer = engine_calls.ask(asked.cluster, NAMESPACE, ADDRESS, request, 10.0)
        assert len(answer.json()["filled"]) == 300_000 + len('{"filled": ""}')


@pytest.mark.parametrize(
    ("signed_by", "name", "until", "reason"),
    [
        pytest.param(OTHER, NAME, DAY, "certificate-of-other-authority", id="another authority"),
        pytest.param(AUTHORITY, NAME, -DAY, "certificate-expired", id="expired"),
        pytest.param(AUTHORITY, "elsewhere.svc", DAY, "certificate-for-other-name", id="its name"),
        pytest.param(
            AUTHORITY,
            "elasticsearch-es-http.camunda-paris.svc",
            DAY,
            "certificate-for-other-name",
            id="the other region's",
        ),
    ],
)
def test_a_certificate_that_is_not_accepted(
    kubernetes: FakeKubernetes,
    tmp_path: Path,
    signed_by: Authority,
    name: str,
    until: timedelta,
    reason: str,
) -> None:
    tls, heard = signed_by.certifies(tmp_path, name, until=until), list[Request]()
    with (
        engine(kubernetes, tmp_path, tls, heard) as asked,
        raises(
            "engine-not-secured",
            CallFailed,
            namespace=NAMESPACE,
            secret="elasticsearch-es-http-certs-public",
            server=NAME,
        ) as told,
    ):
        asked.version()
    assert tells(told.value.message, reason)
    assert heard == [], "it is sent no password before it has proved who it is"
    assert_nothing_secret(told.value)


def test_an_engine_that_speaks_no_tls(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    with (
        engine(kubernetes, tmp_path, None) as asked,
        raises("engine-not-secured", CallFailed) as told,
    ):
        asked.version()
    assert tells(told.value.message, "tls-failed")
    assert_nothing_secret(told.value)


def test_an_engine_that_speaks_tls_and_is_asked_without(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with (
        engine(kubernetes, tmp_path, tls) as asked,
        raises("service-unanswered", CallFailed) as told,
    ):
        replace(asked, given=SearchEngineSettings().address).version()
    assert_nothing_secret(told.value)


def test_a_password_that_is_refused(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        put_secret(kubernetes, "elasticsearch-es-elastic-user", "elastic", "of-a-former-engine")
        with raises("engine-login-refused", logins.LoginRefused) as told:
            asked.version()
    assert told.value.status == 401
    assert "of-a-former-engine" not in str(told.value)


@pytest.mark.parametrize(
    "missing", ["elasticsearch-es-elastic-user", "elasticsearch-es-http-certs-public"]
)
def test_a_secret_that_is_missing(kubernetes: FakeKubernetes, tmp_path: Path, missing: str) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        del kubernetes.objects[SECRETS][missing]
        with raises("engine-secret-missing", logins.SecretMissing, secret=missing):
            asked.version()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("elasticsearch-es-elastic-user", "elastic"),
        ("elasticsearch-es-http-certs-public", "ca.crt"),
    ],
)
def test_a_secret_that_holds_no_text_is_named(
    kubernetes: FakeKubernetes, tmp_path: Path, secret: str, key: str
) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        kubernetes.objects[SECRETS][secret]["data"] = {key: "//4="}
        with raises("secret-not-a-text", logins.SecretUnreadable, secret=secret, key=key):
            asked.version()


def test_an_authority_that_is_no_certificate(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        put_secret(kubernetes, "elasticsearch-es-http-certs-public", "ca.crt", "PASSWORD=1")
        with raises("engine-authority-unreadable", DualRegionError) as told:
            asked.version()
    assert "PASSWORD=1" not in str(told.value)


def test_a_login_that_may_not_forward_is_told_as_such(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    tls = AUTHORITY.certifies(tmp_path, NAME)
    with engine(kubernetes, tmp_path, tls) as asked:
        kubernetes.broken[f"{PODS}/{POD}/portforward"] = Reply(403, {"message": "forbidden"})
        with raises("not-forwarded", CallFailed, status=403):
            asked.version()
