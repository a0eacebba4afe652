"""What answers is not always an API server: a balancer without one behind it, a portal, a proxy with a page of its own.

Such an answer tells nothing: taken for the cluster's, it would make a region look empty, or its step done.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clients.cluster import kubernetes as cluster_module
from clients.cluster.kubernetes import Answer, CallFailed, Cluster, Target
from clients.installation import LiveInstallation
from clients.search_engine import SearchEngine
from dualregion.errors import ClusterUnreachable, DualRegionError
from steps.releases import clean_slate
from tests.fakes.http import Response, serving
from tests.fakes.kubernetes import failure, kubeconfig
from tests.raising import raises

NAMESPACE = "camunda-paris"
DEEP = b"[" * 100_000
HTML = {"Content-Type": "text/html"}
PLAIN = {"Content-Type": "application/json"}


@dataclass
class Stranger:
    """Something at the API server's address.

    :ivar answer: what it answers to everything.
    """

    answer: Response = field(default_factory=Response)


@pytest.fixture
def stranger() -> Stranger:
    return Stranger()


@pytest.fixture
def cluster(
    stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(cluster_module, "RETRY_SECONDS", 0)
    with serving(lambda _: stranger.answer) as address:
        yield Cluster(kubeconfig(tmp_path, f"http://{address}", "cluster-paris"), "cluster-paris")


READS: dict[str, Callable[[Cluster], object]] = {
    "identity": lambda it: it.identity(),
    "has_namespace": lambda it: it.has_namespace(NAMESPACE),
    "is_ending": lambda it: it.is_ending(NAMESPACE),
    "stateful_set": lambda it: it.stateful_set(NAMESPACE, "x"),
    "stateful_sets": lambda it: it.stateful_sets(NAMESPACE, "a=b"),
    "network_policy": lambda it: it.network_policy(NAMESPACE, "x"),
    "pods": lambda it: it.pods(NAMESPACE, "a=b"),
    "revision": lambda it: it.revision(NAMESPACE, "x"),
    "deployment": lambda it: it.deployment(NAMESPACE, "x"),
    "workloads": lambda it: it.workloads(NAMESPACE),
    "claims": lambda it: it.claims(NAMESPACE),
    "volumes_of": lambda it: it.volumes_of(NAMESPACE),
    "secret": lambda it: it.secret(NAMESPACE, "x"),
    "secrets": lambda it: it.secrets(NAMESPACE, "a=b"),
    "secrets_everywhere": lambda it: it.secrets_everywhere("a=b"),
    "config_map": lambda it: it.config_map(NAMESPACE, "x"),
    "document": lambda it: it.document("/api/v1/nodes"),
    "version": lambda it: it.version(),
    "resources": lambda it: it.resources("apps/v1"),
    "nothing_left": lambda it: clean_slate.nothing_left(it, NAMESPACE),
    "is_recreated": lambda it: clean_slate.is_recreated(LiveInstallation(it, NAMESPACE, "camunda")),
}
WRITES: dict[str, Callable[[Cluster], object]] = {
    "set_update_strategy": lambda it: it.set_update_strategy(NAMESPACE, "x", {}),
    "scale_deployment": lambda it: it.scale_deployment(NAMESPACE, "x", 0, {}),
    "delete_pod": lambda it: it.delete_pod(NAMESPACE, "x", "uid"),
    "delete_secret": lambda it: it.delete_secret(NAMESPACE, "x"),
    "apply_secret": lambda it: it.apply_secret(NAMESPACE, "x", {}, {}),
    "apply_config_map": lambda it: it.apply_config_map(NAMESPACE, "x", {}),
    "try_out": lambda it: it.try_out(f"/api/v1/namespaces/{NAMESPACE}/services", "x", {}),
}
CALLS = READS | WRITES
NOT_FOUND = (
    Response(b"<h1>404 Not Found</h1>", 404, HTML),
    Response(b"default backend - 404", 404, {"Content-Type": "text/plain"}),
    Response(b"", 404),
    Response(b'{"message": "no Route matched with those values"}', 404, PLAIN),
    Response(b"\xff\xfe", 404),
    Response(DEEP, 404, PLAIN),
)
ODD = (
    *(b"", b"null", b"{}", b"[]", b'"a"', b"5", b"<html>hi</html>", b"\xff\xfe\x00", DEEP),
    *(b'{"kind": "Status"', b"1" * 6000),
    b'{"metadata": 5, "items": 5, "data": 5, "resources": 5, "gitVersion": 5}',
    b'{"metadata": {"name": "x", "uid": null}, "items": [{"metadata": {}}], "resources": [{}]}',
    b'{"metadata": {"name": "x"}, "items": [null], "resources": [null], "gitVersion": null}',
)
OTHER_KINDS = (
    b'{"kind": "Status", "metadata": {"name": "x"}, "items": [], "resources": []}',
    b'{"kind": "NamespaceList", "metadata": {"name": "x"}, "items": []}',
    b'{"kind": 5, "metadata": {"name": "x"}, "items": []}',
)
TYPED = {name: call for name, call in READS.items() if name not in ("document", "resources")} | {
    name: WRITES[name]
    for name in ("set_update_strategy", "scale_deployment", "apply_secret", "apply_config_map")
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", NOT_FOUND, ids=lambda each: repr(each.body[:30]))
def test_a_404_that_no_api_server_has_given_does_not_say_that_something_is_not_there(
    cluster: Cluster, stranger: Stranger, answer: Response, call: Callable[[Cluster], object]
) -> None:
    stranger.answer = answer
    with raises("not-an-api-server", CallFailed, context="cluster-paris") as caught:
        call(cluster)
    assert caught.value.status is None
    assert caught.value.may_pass


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("body", ODD, ids=lambda each: repr(each[:30]))
def test_an_answer_of_another_form_is_none(
    cluster: Cluster, stranger: Stranger, body: bytes, call: Callable[[Cluster], object]
) -> None:
    stranger.answer = Response(body, 200, PLAIN)
    with raises("not-an-api-server", CallFailed):
        call(cluster)


@pytest.mark.parametrize("call", TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("body", OTHER_KINDS, ids=lambda each: repr(each[:30]))
def test_an_object_of_another_kind_is_no_answer(
    cluster: Cluster, stranger: Stranger, body: bytes, call: Callable[[Cluster], object]
) -> None:
    stranger.answer = Response(body, 200, PLAIN)
    with raises("not-an-api-server", CallFailed):
        call(cluster)


@pytest.mark.parametrize("body", [*ODD, *OTHER_KINDS], ids=lambda each: repr(each[:30]))
def test_whatever_answers_in_another_form_is_no_cluster_that_answers(
    cluster: Cluster, stranger: Stranger, body: bytes
) -> None:
    stranger.answer = Response(body, 200, PLAIN)
    with raises("cluster-unreachable", ClusterUnreachable):
        cluster.check_answers()


@pytest.mark.parametrize("answer", NOT_FOUND, ids=lambda each: repr(each.body[:30]))
def test_a_balancers_404_does_not_tell_whether_the_cluster_lives(
    cluster: Cluster, stranger: Stranger, answer: Response
) -> None:
    stranger.answer = answer
    with raises("cluster-busy", CallFailed) as caught:
        cluster.check_answers()
    assert caught.value.may_pass


def test_an_api_servers_own_404_says_that_something_is_not_there(
    cluster: Cluster, stranger: Stranger
) -> None:
    stranger.answer = Response(failure(404, "NotFound", "not found").content, 404, PLAIN)
    assert not cluster.has_namespace(NAMESPACE)
    assert cluster.stateful_set(NAMESPACE, "x") is None
    assert cluster.document("/api/v1/nodes") is None
    assert cluster.pods(NAMESPACE, "a=b") == []
    cluster.delete_secret(NAMESPACE, "x")


def test_an_api_that_is_not_served_is_told_as_an_api_server_tells_it(
    cluster: Cluster, stranger: Stranger
) -> None:
    """A path of no API at all has no Status: there it answers in plain text."""
    text = {"Content-Type": "text/plain; charset=utf-8"}
    stranger.answer = Response(b"404 page not found\n", 404, text)
    with raises("call-refused", CallFailed, status=404) as caught:
        cluster.resources("example.com/v1")
    assert caught.value.status == 404
    with raises("not-an-api-server", CallFailed):
        cluster.has_namespace(NAMESPACE)


@pytest.mark.parametrize("status", [400, 403, 409, 422, 500, 503])
@pytest.mark.parametrize("body", [DEEP, b"\xff", b"[1]", b"", b'{"message": {"a": 1}}'], ids=repr)
def test_an_error_of_any_form_is_told(
    cluster: Cluster, stranger: Stranger, status: int, body: bytes
) -> None:
    stranger.answer = Response(body, status, PLAIN)
    for call in (READS["identity"], READS["document"], WRITES["apply_config_map"]):
        with pytest.raises(CallFailed) as caught:
            call(cluster)
        assert caught.value.status == status


TARGET = Target(NAMESPACE, "services", "x", 8080)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500])
def test_documents_nested_without_end_end_nothing_behind_the_proxy(
    cluster: Cluster, stranger: Stranger, status: int
) -> None:
    stranger.answer = Response(DEEP, status, PLAIN)
    zeebe = LiveInstallation(cluster, NAMESPACE, "camunda").zeebe
    calls: tuple[Callable[[], Any], ...] = (
        lambda: cluster.ask("GET", TARGET, "/x").json(),
        zeebe.view,
        lambda: zeebe.exporting_of("camunda-zeebe-0"),
        SearchEngine(cluster, NAMESPACE, "camunda").health,
    )
    for call in calls:
        with pytest.raises(DualRegionError):
            call()
    assert not Answer(status, DEEP.decode()).is_api_servers
    if status != 401:
        zeebe.pause()
        zeebe.refuses_commands(1)
