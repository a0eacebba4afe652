"""What is left of Camunda where nothing may be, each thing by its name.

A recreated region that starts with old data contradicts what the surviving one decided meanwhile. So every
kind of leftover is found, alone, and an empty place is told from one that cannot be looked at.
"""

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from clients.installation import LiveInstallation
from dualregion.errors import DeadlineExceeded
from dualregion.state.progress import Stack
from messages.steps import releases as messages
from steps.polling import Waiting
from steps.releases import clean_slate
from tests.fakes.kubernetes import (
    Document,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    search_engine,
)
from tests.fakes.leftovers import helm_record, named, volume, workload
from tests.fakes.search_engines import health
from tests.raising import fails_with, raises

NAMESPACE = "camunda-paris"
CORE, APPS = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/apps/v1/namespaces/{NAMESPACE}"
ENGINE = f"{NAMESPACE}/services/camunda-elasticsearch-master-hl:9200"


def indices(*names: str) -> Reply:
    return health(dict.fromkeys(names, "done"))


@pytest.fixture
def there(kubernetes: FakeKubernetes) -> FakeKubernetes:
    """The namespace exists and is empty."""
    kubernetes.put("/api/v1/namespaces", named(NAMESPACE))
    return kubernetes


def here(cluster: Cluster) -> LiveInstallation:
    return LiveInstallation(cluster, NAMESPACE, "camunda")


def leftovers(cluster: Cluster) -> list[str]:
    return clean_slate.leftovers(here(cluster))


def test_a_namespace_that_does_not_exist_is_clean(cluster: Cluster) -> None:
    assert leftovers(cluster) == []
    assert clean_slate.nothing_left(cluster, NAMESPACE) is None


def test_an_empty_namespace_is_clean_but_not_gone(cluster: Cluster, there: FakeKubernetes) -> None:
    there.put("/api/v1/persistentvolumes", volume("pv-1", "elsewhere"), volume("pv-2", None))
    there.put(f"{CORE}/secrets", named("elasticsearch-env-secret"))
    assert leftovers(cluster) == []
    assert clean_slate.nothing_left(cluster, NAMESPACE) == messages.namespace_exists(NAMESPACE, [])


@pytest.mark.parametrize(
    ("collection", "documents", "told"),
    [
        pytest.param(
            f"{CORE}/secrets", [helm_record("camunda", 1)], "release/camunda", id="a Helm release"
        ),
        pytest.param(
            f"{CORE}/secrets",
            [helm_record("other", revision) for revision in (1, 2, 3)],
            "release/other",
            id="a release of another name, once for all of its revisions",
        ),
        pytest.param(
            f"{APPS}/statefulsets",
            [workload("camunda-zeebe")],
            "statefulset/camunda-zeebe",
            id="brokers scaled to nothing",
        ),
        pytest.param(
            f"{APPS}/deployments",
            [workload("camunda-operate")],
            "deployment/camunda-operate",
            id="a web app",
        ),
        pytest.param(
            f"{CORE}/pods",
            broker_pods(NAMESPACE, 1),
            "pod/camunda-zeebe-0",
            id="a pod that is still ending",
        ),
        pytest.param(
            f"{CORE}/persistentvolumeclaims",
            [named("data-camunda-zeebe-0")],
            "claim/data-camunda-zeebe-0",
            id="a claim, which Helm leaves behind",
        ),
        pytest.param(
            "/api/v1/persistentvolumes",
            [volume("pv-1", NAMESPACE), volume("pv-2", "elsewhere")],
            "volume/pv-1",
            id="a volume that is retained",
        ),
    ],
)
def test_every_kind_of_leftover_is_named(
    cluster: Cluster,
    there: FakeKubernetes,
    collection: str,
    documents: list[Document],
    told: str,
) -> None:
    there.put(collection, *documents)
    assert leftovers(cluster) == [told]


def test_a_retained_volume_outlives_its_namespace(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put("/api/v1/persistentvolumes", volume("pv-1", NAMESPACE))
    assert leftovers(cluster) == ["volume/pv-1"]
    left = clean_slate.nothing_left(cluster, NAMESPACE)
    assert left == messages.volumes_left(NAMESPACE, ["pv-1"])


def test_what_a_namespace_holds_while_it_goes_is_told(
    cluster: Cluster, there: FakeKubernetes
) -> None:
    there.put(f"{CORE}/pods", *broker_pods(NAMESPACE, 1))
    there.put(f"{CORE}/persistentvolumeclaims", named("data-camunda-zeebe-0"))
    held = ["pod/camunda-zeebe-0", "claim/data-camunda-zeebe-0"]
    assert clean_slate.nothing_left(cluster, NAMESPACE) == messages.namespace_exists(
        NAMESPACE, held
    )


ENGINE_ITSELF = "statefulset/camunda-elasticsearch-master"


def test_a_namespace_that_ends_is_waited_for_and_one_that_stays_is_not(
    cluster: Cluster, there: FakeKubernetes
) -> None:
    clean_slate.wait_until_ended(cluster, NAMESPACE, Waiting("F1", lambda _: None, 0.1))
    ending = {"name": NAMESPACE, "deletionTimestamp": "2026-11-29T02:00:00Z"}
    there.put("/api/v1/namespaces", {"metadata": ending})
    there.put(f"{CORE}/persistentvolumeclaims", named("data-0"))
    left = messages.namespace_exists(NAMESPACE, ["claim/data-0"])
    with raises("deadline-exceeded", DeadlineExceeded, last_seen=left):
        clean_slate.wait_until_ended(cluster, NAMESPACE, Waiting("F1", lambda _: None, 0.1))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            indices("zeebe-record_job_8.5.8_2026-01-01", ".security-7", "operate-list-view-8.3.0_"),
            ["index/operate-list-view-8.3.0_", "index/zeebe-record_job_8.5.8_2026-01-01"],
            id="Camunda's indices, not the engine's own",
        ),
        pytest.param(indices(), [], id="an empty engine"),
        pytest.param(
            failure(503, "ServiceUnavailable", "no endpoints"), [], id="an engine that is down"
        ),
        pytest.param(Reply(401, "who are you?"), [], id="an engine that refuses"),
        pytest.param(Reply(200, "<html>"), [], id="an unexpected answer"),
    ],
)
def test_the_indices_of_an_engine_that_is_there_are_named(
    cluster: Cluster, there: FakeKubernetes, reply: Reply, told: list[str]
) -> None:
    there.put(f"{APPS}/statefulsets", search_engine(1, 1))
    there.behind(ENGINE, "/_cluster/health", reply)
    assert leftovers(cluster) == [ENGINE_ITSELF, *told]


def test_no_engine_is_asked_where_there_is_none(cluster: Cluster, there: FakeKubernetes) -> None:
    leftovers(cluster)
    assert not any("/proxy/" in each for each in there.asked)


WORKLOADS = [f"{APPS}/statefulsets", f"{APPS}/deployments", f"{CORE}/pods"]
CLAIMS, VOLUMES = f"{CORE}/persistentvolumeclaims", "/api/v1/persistentvolumes"


@pytest.mark.parametrize(
    "path", [CORE, *WORKLOADS, CLAIMS, VOLUMES, f"{CORE}/secrets"], ids=lambda path: path[-12:]
)
def test_what_may_not_be_looked_at_is_not_taken_for_clean(
    cluster: Cluster, there: FakeKubernetes, path: str
) -> None:
    there.broken[path] = failure(403, "Forbidden", "you cannot list this")
    with fails_with("you cannot list this", kind=CallFailed):
        leftovers(cluster)


@pytest.mark.parametrize("path", [CORE, *WORKLOADS, CLAIMS], ids=lambda path: path[-12:])
def test_what_may_not_be_looked_at_is_not_taken_for_gone(
    cluster: Cluster, there: FakeKubernetes, path: str
) -> None:
    there.broken[path] = failure(403, "Forbidden", "you cannot list this")
    with fails_with("you cannot list this", kind=CallFailed):
        clean_slate.nothing_left(cluster, NAMESPACE)


GATE = {
    "metadata": {"name": "dual-region-b1", "labels": {"camunda-dual-region/step": "B1"}},
    "data": {},
}


def test_a_recreated_region_may_have_an_empty_namespace(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    """Its administrator makes it, with the rights in it."""
    assert clean_slate.is_recreated(here(cluster))
    kubernetes.put("/api/v1/namespaces", named(NAMESPACE))
    kubernetes.put(f"{CORE}/configmaps", named("kube-root-ca.crt"))
    kubernetes.put(f"{CORE}/secrets", named("elasticsearch-env-secret"))
    assert clean_slate.is_recreated(here(cluster))


def test_of_a_recreated_region_a_stack_holds_nothing_but_its_history(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    history = {"1-region1-lost": {"B1": {"seconds": "3"}}}
    nodes = frozenset({"normal", "N", "dns-chain"})
    own = Stack(nodes=nodes, gates={"N": "none"}, history=history, chain_writes=1)
    assert clean_slate.still_held(own, here(cluster)) == Stack(history=history)
    kubernetes.put("/api/v1/namespaces", named(NAMESPACE))
    kubernetes.put(f"{CORE}/configmaps", GATE)
    assert clean_slate.still_held(own, here(cluster)) == own


def test_a_namespace_that_has_no_rights_yet_keeps_no_stack_that_holds_nothing(
    cluster: Cluster, there: FakeKubernetes
) -> None:
    """The run before was stopped when it had made the namespace, and nothing in it: this one goes on."""
    there.broken[f"{CORE}/secrets"] = failure(403, "Forbidden", "secrets is forbidden")
    assert clean_slate.still_held(Stack(), here(cluster)) == Stack()
    with fails_with("secrets is forbidden", kind=CallFailed):
        clean_slate.still_held(Stack(nodes=frozenset({"normal"})), here(cluster))


@pytest.mark.parametrize(
    ("collection", "document"),
    [
        (f"{CORE}/configmaps", GATE),
        (f"{CORE}/secrets", helm_record("camunda", 1)),
        (f"{APPS}/statefulsets", workload("camunda-zeebe")),
        (CLAIMS, named("data-camunda-zeebe-0")),
    ],
    ids=["a gate", "a release", "brokers", "a claim"],
)
def test_a_region_of_which_anything_is_left_is_the_one_that_is_remembered(
    cluster: Cluster, there: FakeKubernetes, collection: str, document: Document
) -> None:
    there.put(collection, document)
    assert not clean_slate.is_recreated(here(cluster))


def test_volumes_that_may_not_be_looked_at_are_not_taken_for_gone(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.broken[VOLUMES] = failure(403, "Forbidden", "you cannot list this")
    with fails_with("you cannot list this", kind=CallFailed):
        clean_slate.nothing_left(cluster, NAMESPACE)
