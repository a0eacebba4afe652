"""Every form of kubeconfig that kubectl takes is taken, or refused in a sentence; nothing of it is ever shown.

An operator's kubeconfig is found to be unusable in the middle of an incident: then a sentence is needed, not a
traceback, and above all not one with the token in it.
"""

import base64
import json
import os
import random
import ssl
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clients.cluster import kubeconfig as kubeconfigs
from clients.cluster import kubernetes as kubernetes_client
from clients.cluster import plugin as plugins
from clients.cluster.kubernetes import CallFailed, Cluster, LoginUnavailable, Target
from clients.parallel import begin
from dualregion.errors import ClusterUnreachable, ConfigError
from messages import Message
from messages.clients import kubeconfig as messages
from tests.fakes.http import Request, Response, serving
from tests.fakes.kubernetes import TOKEN, FakeKubernetes
from tests.inputs.random_inputs import Seeds, plain, problems_of
from tests.raising import assert_tells, fails_with, raises, tells

CONTEXT = "cluster-london"
TARGET = Target("camunda-london", "services", "x", 8080)
SECRET = "hunter2-XyZ"


@pytest.fixture(autouse=True)
def tries_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_client, "RETRY_SECONDS", 0)


def write(folder: Path, cluster: Any = None, user: Any = None, **changes: Any) -> str:
    """Write a kubeconfig with one context; return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster or {"server": "https://10.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
    } | changes
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)


def refusal(path: str) -> Message:
    """Return the message by which a kubeconfig is refused."""
    with pytest.raises(ConfigError) as caught:
        Cluster(path, CONTEXT)
    (problem,) = caught.value.problems
    assert isinstance(problem, Message)
    assert SECRET not in problem
    assert not tells(problem, SECRET)
    assert "\n" not in problem
    return problem


# --- tokens


@pytest.mark.parametrize("ending", ["\n", "\r\n", "  \n\n", "", "\t"])
def test_a_token_file_may_end_with_a_line_end(
    kubernetes: FakeKubernetes, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "token").write_text(TOKEN + ending)
    path = write(tmp_path, {"server": kubernetes.url}, {"tokenFile": "token"})
    Cluster(path, CONTEXT).check_answers()


@pytest.mark.parametrize(
    "token", [f"{SECRET}\n{SECRET}", f"{SECRET} x", "ü" + SECRET, "\x00" + SECRET]
)
@pytest.mark.parametrize("key", ["token", "tokenFile"])
def test_a_token_that_is_none_is_refused_and_not_shown(
    tmp_path: Path, token: str, key: str
) -> None:
    (tmp_path / "token").write_text(token)
    user = {"token": token} if key == "token" else {"tokenFile": "token"}
    assert_tells(refusal(write(tmp_path, user=user)), messages.token_not_one_line(key))


def test_a_token_file_is_read_again(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("former")
    path = write(tmp_path, {"server": kubernetes.url}, {"tokenFile": "token", "token": "ignored"})
    cluster = Cluster(path, CONTEXT)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with raises("credentials-refused", ConfigError):
        cluster.check_answers()
    later = time.time() + 70
    monkeypatch.setattr(time, "time", lambda: later)
    cluster.check_answers()
    (tmp_path / "token").unlink()
    later += 3600
    cluster.check_answers()


# --- what else kubectl takes


def test_user_and_password(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    path = write(tmp_path, {"server": kubernetes.url}, {"username": "me", "password": SECRET})
    with raises("credentials-refused", ConfigError):
        Cluster(path, CONTEXT).check_answers()
    login = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert kubernetes.headers[-1]["Authorization"] == f"Basic {login}"


@pytest.mark.parametrize("password", ["geheim-ü", "geheim-€", "пароль", "a:b", "🔑"])
def test_a_password_is_sent_as_kubectl_sends_it(
    kubernetes: FakeKubernetes, tmp_path: Path, password: str
) -> None:
    user = {"username": "jürgen", "password": password}
    with raises("credentials-refused", ConfigError):
        Cluster(write(tmp_path, {"server": kubernetes.url}, user), CONTEXT).check_answers()
    login = base64.b64encode(f"jürgen:{password}".encode()).decode()
    assert kubernetes.headers[-1]["Authorization"] == f"Basic {login}"


def test_impersonation_is_taken_along(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    user = {
        "token": TOKEN,
        "as": "drill",
        "as-uid": "7",
        "as-groups": ["one", "two"],
        "as-user-extra": {"reason": ["incident"]},
    }
    Cluster(write(tmp_path, {"server": kubernetes.url}, user), CONTEXT).check_answers()
    headers = kubernetes.headers[-1]
    assert headers["Impersonate-User"] == "drill"
    assert headers.get_all("Impersonate-Group") == ["one", "two"]
    assert (headers["Impersonate-Uid"], headers["Impersonate-Extra-reason"]) == ("7", "incident")


@pytest.mark.parametrize(
    "user",
    [
        {"as-groups": ["one"]},
        {"as": "a\nb"},
        {"as": "x", "as-groups": "one two\n"},
        {"as": "x", "as-groups": [1]},
        {"as": "x", "as-user-extra": ["a"]},
        {"as": "x", "as-user-extra": {"a b": ["c"]}},
        {"as": "x", "as-groups": "devs"},
        {"as": "x", "as-groups": {"devs": 1}},
        {"as": "x", "as-groups": 5},
        {"as": "x", "as-user-extra": {"scopes": "view"}},
        {"as": "x", "as-user-extra": {"scopes": [None]}},
        {"as": "x", "as-user-extra": {"scopes": 5}},
    ],
    ids=str,
)
def test_impersonation_that_is_none_is_refused(tmp_path: Path, user: dict[str, Any]) -> None:
    found = refusal(write(tmp_path, user=user)).facts["problem"]
    assert found.code.startswith("impersonation-") or tells(found, messages.key_not_a_text("as"))


def plugin(folder: Path, script: str) -> None:
    (folder / "bin").mkdir(exist_ok=True)
    path = folder / "bin" / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def answer(**status: Any) -> str:
    document = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    return f"echo '{json.dumps(document)}'"


EXEC = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "command": "./bin/login",
    "args": ["--region", "eu"],
    "env": [{"name": "PROFILE", "value": "x"}],
    "interactiveMode": "Never",
}


def test_a_credential_plugin_beside_the_kubeconfig_is_asked_and_asked_again(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    plugin(
        tmp_path,
        f"echo called >> {tmp_path}/calls\n" + answer(token=TOKEN, expirationTimestamp=end),
    )
    path = write(tmp_path, {"server": kubernetes.url}, {"exec": EXEC})
    monkeypatch.chdir("/")
    cluster = Cluster(path, CONTEXT)
    cluster.check_answers()
    cluster.check_answers()
    assert (tmp_path / "calls").read_text() == "called\n"
    later = time.time() + 595
    monkeypatch.setattr(time, "time", lambda: later)
    cluster.check_answers()
    assert (tmp_path / "calls").read_text() == "called\ncalled\n"


@pytest.mark.parametrize(
    "script",
    [
        f"echo {SECRET} >&2; exit 1",
        f"echo {SECRET}",
        "echo '{}'",
        "echo '[]'",
        answer(),
        answer(token=f"{SECRET} x"),
        answer(token=5),
        answer(clientCertificateData=SECRET),
        answer(clientCertificateData=SECRET, clientKeyData=SECRET),
        answer(token=SECRET, expirationTimestamp="soon"),
        f"echo {SECRET}; head -c 100000 /dev/zero | tr '\\0' '['; exit 0",
        "head -c 100000 /dev/zero | tr '\\0' '['",
        "exec /nowhere/at-all",
    ],
    ids=str,
)
def test_a_credential_plugin_that_fails_is_named_and_not_quoted(
    tmp_path: Path, script: str, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin(tmp_path, script)
    cluster = Cluster(write(tmp_path, user={"exec": EXEC}), CONTEXT)
    for call in (cluster.check_answers, cluster.identity, lambda: cluster.ask("GET", TARGET, "/")):
        with raises("login-unavailable", LoginUnavailable, context=CONTEXT) as caught:
            call()
        told = caught.value.message
        assert caught.value.may_pass
        assert not isinstance(caught.value, ClusterUnreachable)
        assert tells(told, "key-does-not-fit") or tells(told, "login")
        assert SECRET not in told
        assert "\n" not in told
        assert caught.value.__suppress_context__
    shown = capfd.readouterr()
    assert SECRET not in shown.out + shown.err


def test_a_certificate_of_a_plugin_that_cannot_be_used_is_told_at_each_call(
    tmp_path: Path, pems: Path
) -> None:
    status = {
        "clientCertificateData": (pems / "mine.crt").read_text(),
        "clientKeyData": (pems / "other.key").read_text(),
    }
    (tmp_path / "answer").write_text(
        json.dumps({"apiVersion": EXEC["apiVersion"], "kind": "ExecCredential", "status": status})
    )
    plugin(tmp_path, f"cat {tmp_path}/answer")
    cluster = Cluster(write(tmp_path, user={"exec": EXEC}), CONTEXT)
    for _ in range(2):
        with fails_with("login-unavailable", "key-does-not-fit", kind=LoginUnavailable):
            cluster.identity()


def test_a_plugin_that_is_silent_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "SECONDS", 0.3)
    monkeypatch.setattr(plugins, "SECONDS_OF_A_PERSON", 0.3)
    plugin(tmp_path, "exec sleep 30")
    cluster = Cluster(write(tmp_path, user={"exec": EXEC}), CONTEXT)
    began = time.monotonic()
    with fails_with("login-unavailable", "plugin-silent", kind=LoginUnavailable):
        cluster.check_answers(tries=1)
    assert time.monotonic() - began < 10


def test_of_many_calls_at_once_one_asks_the_plugin(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    counted = f"echo called >> {tmp_path}/calls; sleep 0.3\n"
    for script, fails in ((answer(token=TOKEN), False), ("exit 1", True)):
        plugin(tmp_path, counted + script)
        cluster = Cluster(write(tmp_path, {"server": kubernetes.url}, {"exec": EXEC}), CONTEXT)
        begun = [begin(cluster.identity) for _ in range(8)]
        assert {each.exception(20) is not None for each in begun} == {fails}
        assert (tmp_path / "calls").read_text() == "called\n"
        (tmp_path / "calls").unlink()


def test_a_plugin_that_has_recovered_is_asked_again(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    plugin(tmp_path, "exit 1")
    cluster = Cluster(write(tmp_path, {"server": kubernetes.url}, {"exec": EXEC}), CONTEXT)
    with raises("login-unavailable", LoginUnavailable):
        cluster.identity()
    plugin(tmp_path, answer(token=TOKEN))
    cluster.check_answers()


@pytest.mark.parametrize(
    "end",
    ["9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00", None],
)
def test_credentials_may_end_beyond_all_calendars(
    kubernetes: FakeKubernetes, tmp_path: Path, end: str | None
) -> None:
    plugin(tmp_path, answer(token=TOKEN, expirationTimestamp=end))
    Cluster(write(tmp_path, {"server": kubernetes.url}, {"exec": EXEC}), CONTEXT).check_answers()


def test_a_plugin_is_told_of_its_cluster_if_it_wants_to_be(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    for wanted in (True, False):
        plugin(tmp_path, f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/told\n' + answer(token=TOKEN))
        user = {"exec": EXEC | {"provideClusterInfo": wanted}}
        server = {"server": kubernetes.url, "extensions": [extension]}
        Cluster(write(tmp_path, server, user), CONTEXT).check_answers()
        told = json.loads((tmp_path / "told").read_text())
        assert (told["kind"], told["apiVersion"]) == ("ExecCredential", EXEC["apiVersion"])
        given = told["spec"].get("cluster")
        assert given == ({**server, "config": {"audience": "x"}} if wanted else None)


@pytest.mark.parametrize(
    "change",
    [
        {"command": None},
        {"command": 5},
        {"command": "no-such-program"},
        {"command": "./bin/no-such-program"},
        {"command": "/"},
        {"command": "sh", "env": [{"name": "PATH", "value": "/nowhere"}]},
        {"command": "a\x00b"},
        {"apiVersion": None},
        {"args": "a b"},
        {"args": [1]},
        {"env": {"a": "b"}},
        {"env": ["a"]},
        {"env": [{"name": "a"}]},
    ],
    ids=str,
)
def test_a_plugin_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    refusal(write(tmp_path, user={"exec": EXEC | change}))


def jwt(seconds: float) -> str:
    body = (
        base64.urlsafe_b64encode(json.dumps({"exp": time.time() + seconds}).encode())
        .decode()
        .rstrip("=")
    )
    return f"eyJhbGciOiJub25lIn0.{body}.{SECRET}"


def test_an_id_token_is_taken_while_it_counts(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    token = jwt(600)
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    with raises("credentials-refused", ConfigError):
        Cluster(write(tmp_path, {"server": kubernetes.url}, user), CONTEXT).check_answers()
    assert kubernetes.headers[-1]["Authorization"] == f"Bearer {token}"


@pytest.mark.parametrize("claims", ['{"exp": 1' + "0" * 400 + "}", "[" * 20_000, '{"exp": 1e999}'])
def test_an_id_token_whose_end_cannot_be_told_is_taken(
    kubernetes: FakeKubernetes, tmp_path: Path, claims: str
) -> None:
    token = f"a.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c"
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    with raises("credentials-refused", ConfigError):
        Cluster(write(tmp_path, {"server": kubernetes.url}, user), CONTEXT).check_answers()


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ({"name": "gcp", "config": {"access-token": SECRET}}, "provider-gone"),
        ({"name": "azure"}, "provider-gone"),
        ("gcp", "provider-gone"),
        ({"name": "oidc"}, "id-token-over"),
        ({"name": "oidc", "config": {"id-token": jwt(-5)}}, "id-token-over"),
        ({"name": "oidc", "config": SECRET}, "id-token-over"),
    ],
    ids=["gcp", "azure", "a word", "nothing", "over", "no map"],
)
def test_an_auth_provider_that_cannot_be_used(tmp_path: Path, provider: Any, told: str) -> None:
    assert_tells(refusal(write(tmp_path, user={"auth-provider": provider})), told)


# --- addresses


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (
            {"server": "https://x:6443", "proxy-url": "socks5://127.0.0.1:1080"},
            messages.socks_proxy("proxy-url"),
        ),
        (
            {"server": "https://x:6443", "proxy-url": "127.0.0.1:1080"},
            messages.not_an_address("proxy-url", "http"),
        ),
        ({"server": "https://x:6443", "proxy-url": f"ftp://me:{SECRET}@x"}, "not-an-address"),
        ({"server": "https://x:6443", "proxy-url": 5}, messages.key_not_a_text("proxy-url")),
        ({"server": "10.0.0.1:6443"}, messages.not_an_address("server", "https")),
        ({"server": "https://x:port"}, messages.not_an_address("server", "https")),
        ({"server": "https://x:99999"}, messages.not_an_address("server", "https")),
        ({"server": "https://"}, messages.not_an_address("server", "https")),
        ({"server": "https://[::1"}, messages.not_an_address("server", "https")),
        ({"server": "https://a b"}, messages.not_an_address("server", "https")),
        ({"server": f"https://me:{SECRET}@x"}, "login-in-address"),
        ({"server": ""}, messages.no_address("server", "https")),
        ({"proxy-url": "http://x"}, messages.no_address("server", "https")),
        ({"server": "http://cluster.example"}, "no-tls"),
        ({"server": "https://x", "insecure-skip-tls-verify": True}, "tls-not-verified"),
        ({"server": "https://x", "insecure-skip-tls-verify": "no"}, "key-not-a-flag"),
        ({"server": "https://x", "certificate-authority-data": "%%%"}, "key-not-base64"),
        ({"server": "https://x", "certificate-authority-data": "aGk="}, "key-not-pem"),
        (
            {
                "server": "https://x",
                "certificate-authority-data": base64.b64encode(
                    b"-----BEGIN CERTIFICATE-----\nx"
                ).decode(),
            },
            "authority-not-a-certificate",
        ),
        ({"server": "https://x", "certificate-authority": "../ca.crt"}, "key-file-unreadable"),
        ({"server": "https://x", "certificate-authority": "."}, "Is a directory"),
        ({"server": "https://x", "certificate-authority": "a\x00b"}, "key-file-unreadable"),
        ({"server": "https://x", "tls-server-name": 5}, messages.key_not_a_text("tls-server-name")),
    ],
    ids=str,
)
def test_a_cluster_that_cannot_be_used(tmp_path: Path, cluster: Any, told: str) -> None:
    problem = refusal(write(tmp_path, cluster))
    assert_tells(problem, told, str(tmp_path))


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"client-key-data": SECRET}, "key-not-base64"),
        ({"client-key-data": base64.b64encode(SECRET.encode()).decode()}, "key-not-pem"),
        ({"client-key": "nowhere"}, "key-file-unreadable"),
        ({"token": 5}, messages.key_not_a_text("token")),
        ({"tokenFile": "nowhere"}, "key-file-unreadable"),
        ({"password": ["x"]}, messages.key_not_a_text("password")),
    ],
    ids=str,
)
def test_a_user_that_cannot_be_used(tmp_path: Path, user: Any, told: str) -> None:
    assert_tells(refusal(write(tmp_path, user=user)), told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"users": []}, messages.no_such_entry("user", "u")),
        ({"clusters": None}, messages.no_such_entry("cluster", "c")),
        ({"contexts": [{"name": CONTEXT}]}, "no-cluster"),
        (
            {"contexts": [{"name": CONTEXT, "context": {"cluster": 5}}]},
            messages.key_not_a_text("cluster"),
        ),
        ({"contexts": [{"name": 2024}]}, messages.entry_without_name("contexts", 0)),
        ({"contexts": {"a": 1}}, messages.not_a_list("contexts")),
        ({"contexts": ["a"]}, messages.entry_without_name("contexts", 0)),
        ({"users": [{"name": "u", "user": SECRET}]}, messages.entry_not_a_map("users", 0, "u")),
    ],
    ids=str,
)
def test_a_file_of_another_form(tmp_path: Path, changes: Any, told: str) -> None:
    assert_tells(refusal(write(tmp_path, **changes)), told)


def test_a_context_without_user_is_taken(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    """As behind `kubectl proxy`, which logs in itself."""
    path = write(
        tmp_path,
        {"server": kubernetes.url},
        contexts=[{"name": CONTEXT, "context": {"cluster": "c"}}],
    )
    with raises("credentials-refused", ConfigError):
        Cluster(path, CONTEXT).check_answers()
    assert "Authorization" not in kubernetes.headers[-1]


def test_a_list_of_files_is_merged_and_each_has_its_own_folder(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (two / "token").write_text(TOKEN)
    first = write(one, {"server": kubernetes.url}, users=[])
    second = write(two, {"server": "https://10.0.0.1"}, {"tokenFile": "token"})
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path}/missing::{second}")
    Cluster(None, CONTEXT).check_answers()


def test_the_home_folder_is_found(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"server": kubernetes.url}, {"token": TOKEN})
    monkeypatch.setenv("HOME", str(tmp_path))
    Cluster("~/kubeconfig", CONTEXT).check_answers()


# --- proxies


Asked = list[tuple[str, str | None]]


NAMESPACE = Response(b'{"kind": "Namespace", "metadata": {"name": "kube-system"}}')


@pytest.fixture
def proxy() -> Iterator[tuple[str, Asked]]:
    asked: Asked = []

    def answer(request: Request) -> Response:
        asked.append((request.path, request.headers["Proxy-Authorization"]))
        return NAMESPACE

    with serving(answer) as address:
        yield address, asked


def test_a_proxy_gets_its_own_user_and_password(tmp_path: Path, proxy: tuple[str, Asked]) -> None:
    address, asked = proxy
    cluster = {"server": "http://127.0.0.1:1", "proxy-url": f"http://me:p%40ss@{address}"}
    Cluster(write(tmp_path, cluster), CONTEXT).check_answers()
    login = base64.b64encode(b"me:p@ss").decode()
    assert asked == [("http://127.0.0.1:1/api/v1/namespaces/kube-system", f"Basic {login}")]


def test_a_proxys_password_is_sent_in_utf_8(tmp_path: Path, proxy: tuple[str, Asked]) -> None:
    address, asked = proxy
    cluster = {"server": "http://127.0.0.1:1", "proxy-url": f"http://u:p%E2%82%AC@{address}"}
    Cluster(write(tmp_path, cluster), CONTEXT).check_answers()
    assert asked[0][1] == f"Basic {base64.b64encode('u:p€'.encode()).decode()}"


def test_what_a_dead_proxy_is_asked_with_is_not_shown(tmp_path: Path) -> None:
    cluster = {"server": "https://10.0.0.1", "proxy-url": f"http://me:{SECRET}@127.0.0.1:1"}
    with fails_with("Connection refused", kind=ClusterUnreachable) as caught:
        Cluster(write(tmp_path, cluster), CONTEXT).check_answers()
    assert not tells(caught.value.message, SECRET)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_of_the_environment_is_used_with_its_exceptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://me:{SECRET}@127.0.0.1:1")
    path = write(tmp_path)
    assert kubeconfigs.access_to(path, CONTEXT).proxy == "http://127.0.0.1:1"
    monkeypatch.setenv("NO_PROXY", "10.0.0.1")
    assert kubeconfigs.access_to(path, CONTEXT).proxy is None
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, "socks5://127.0.0.1:1")
    assert_tells(refusal(path), "socks-proxy", "HTTPS_PROXY")


# --- TLS, and what stays behind


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, which is also server and client."""
    folder = tmp_path_factory.mktemp("pems")
    for name in ("mine", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example")]), False)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{name}.key").write_bytes(private)
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


def data_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def secured(pems: Path) -> Iterator[str]:
    """An API server that asks for a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pems / "mine.crt", pems / "mine.key")
    context.load_verify_locations(pems / "mine.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(lambda _: NAMESPACE, tls=context) as address:
        yield f"https://{address}"


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("form", ["files", "data", "plugin"])
def test_a_client_certificate_leaves_no_key_behind(
    tmp_path: Path,
    pems: Path,
    secured: str,
    form: str,
    in_memory: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However the process ends then: Python's own clean-up may never run."""
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    certificate, key = pems / "mine.crt", pems / "mine.key"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    cluster = {
        "server": secured,
        "tls-server-name": "api.example",
        "certificate-authority-data": data_of(certificate),
    }
    if form == "files":
        user: dict[str, Any] = {"client-certificate": str(certificate), "client-key": str(key)}
    elif form == "data":
        user = {"client-certificate-data": data_of(certificate), "client-key-data": data_of(key)}
    else:
        status = {
            "clientCertificateData": certificate.read_text(),
            "clientKeyData": key.read_text(),
        }
        answer_file = tmp_path / "answer"
        document = {"apiVersion": EXEC["apiVersion"], "kind": "ExecCredential", "status": status}
        answer_file.write_text(json.dumps(document))
        plugin(tmp_path, f"cat {answer_file}")
        user = {"exec": EXEC}
    Cluster(write(tmp_path, cluster, user), CONTEXT).check_answers()
    assert not list(temporary.rglob("*"))


def test_a_key_is_never_readable_by_others(
    tmp_path: Path, pems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []

    def load(_: ssl.SSLContext, path: Path, **__: Any) -> None:
        modes.extend(stat.S_IMODE(os.stat(each).st_mode) for each in (path, Path(path).parent))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    monkeypatch.delattr(os, "memfd_create", raising=False)
    user = {"client-certificate": str(pems / "mine.crt"), "client-key": str(pems / "mine.key")}
    kubeconfigs.access_to(write(tmp_path, user=user), CONTEXT)
    assert modes == [0o600, 0o700]


def test_a_certificate_that_is_not_accepted_is_told_in_words(
    tmp_path: Path, pems: Path, secured: str
) -> None:
    for cluster, told in (
        (
            {"certificate-authority": str(pems / "other.crt"), "tls-server-name": "api.example"},
            "certificate",
        ),
        ({"certificate-authority": str(pems / "mine.crt")}, "certificate is not valid for"),
        ({}, "certificate"),
    ):
        with fails_with("certificate-not-accepted", told, kind=ClusterUnreachable):
            Cluster(write(tmp_path, {"server": secured} | cluster), CONTEXT).check_answers()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, pems: Path) -> None:
    user = {"client-certificate": str(pems / "mine.crt"), "client-key": str(pems / "other.key")}
    assert_tells(refusal(write(tmp_path, user=user)), "key-does-not-fit")
    user = {"client-certificate": str(pems / "mine.crt")}
    half = messages.half_a_certificate("client-certificate", "client-key")
    assert_tells(refusal(write(tmp_path, user=user)), half)
    user = {"client-key": str(pems / "mine.key")}
    half = messages.half_a_certificate("client-key", "client-certificate")
    assert_tells(refusal(write(tmp_path, user=user)), half)


# --- any form at all

KEYS = {
    "cluster": (
        *(
            "server",
            "certificate-authority",
            "certificate-authority-data",
            "insecure-skip-tls-verify",
        ),
        *("proxy-url", "tls-server-name", "disable-compression", "extensions"),
    ),
    "user": (
        *("token", "tokenFile", "client-certificate", "client-certificate-data", "client-key-data"),
        *(
            "client-key",
            "username",
            "password",
            "as",
            "as-groups",
            "as-uid",
            "as-user-extra",
            "auth-provider",
        ),
    ),
}


def test_whatever_a_kubeconfig_holds_it_is_taken_or_refused_in_a_sentence(
    tmp_path: Path, seeds: Seeds
) -> None:
    for source in seeds(120):
        document = _random(source)
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(document) if source.random() < 0.9 else str(document)[1:])
        problems = problems_of(kubeconfigs.access_to, str(path), CONTEXT)
        assert SECRET not in "".join(problems)
        assert all(len(problem.splitlines()) == 1 for problem in problems)


def _random(source: random.Random) -> dict[str, Any]:
    def section(kind: str) -> Any:
        keys = source.sample(KEYS[kind], source.randrange(4))
        found = {key: source.choice((_text(key), _text(key), plain(source))) for key in keys}
        if kind == "cluster" and source.random() < 0.9:
            found["server"] = "https://10.0.0.1"
        return found

    document = {
        "clusters": [{"name": "c", "cluster": section("cluster")}],
        "users": [{"name": "u", "user": section("user")}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
    }
    if source.random() < 0.2:
        kind = source.choice(sorted(document))
        document[kind] = source.choice((plain(source), [plain(source)], [{"name": plain(source)}]))
    return document


def _text(key: str) -> str:
    """Return a secret; for a file, what may have been pasted in its place."""
    paths = ("tokenFile", "client-certificate", "client-key", "certificate-authority")
    return f"-----BEGIN KEY-----\n{SECRET}\n" if key in paths else SECRET


def test_a_call_that_cannot_be_made_shows_nothing_of_it(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the HTTP library raises about a header: its text holds the header."""
    cluster = Cluster(write(tmp_path, {"server": kubernetes.url}), CONTEXT)
    monkeypatch.setattr(kubeconfigs.User, "authorization", lambda *_: f"Bearer {SECRET}\n")
    with pytest.raises(CallFailed) as caught:
        cluster.pods("camunda", "a=b")
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__
