"""A look at both regions: what the real client makes of living and dead API servers.

Pinned is that a region that answers nothing neither hides nor delays the other one.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from cli.status.observed.observe import RegionStatus, look
from clients.zeebe import Zeebe
from dualregion.observed.zeebe_answers import Exporting
from dualregion.procedure.topology import Kind
from tests.fakes.kubernetes import (
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    kubeconfig_of,
    serving,
    stateful_set,
)
from tests.inputs.examples import region, settings
from tests.raising import assert_message

SIZES = {"clusterSize": 4, "partitionCount": 1, "replicationFactor": 4}
STATE = {
    "role": "LEADER",
    "exporterPhase": "EXPORTING",
    "exportedPosition": 9,
    "processedPosition": 9,
}
HIT = {"key": 1, "doc_count": 7, "lowest": {"value": 1.0}, "highest": {"value": 9.0}}


def install(fake: FakeKubernetes, namespace: str, count: int = 2) -> None:
    """Put an installation into a cluster: brokers, search engine, gateway, web apps."""
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    engine = stateful_set(2)
    engine["metadata"]["name"] = "camunda-elasticsearch-master"
    fake.put(f"{apps}/statefulsets", stateful_set(count), engine)
    fake.put(
        f"{apps}/deployments",
        {
            "metadata": {"name": "camunda-operate"},
            "spec": {"replicas": 1, "selector": {}, "template": {}},
            "status": {},
        },
    )
    fake.put(f"/api/v1/namespaces/{namespace}/pods", *broker_pods(namespace, count))
    node = {"nodeId": 0, "host": f"x.y.{namespace}", "partitions": []}
    fake.behind(
        f"{namespace}/services/camunda-zeebe-gateway:8080",
        "/v1/topology",
        Reply(200, {"brokers": [node]}),
    )
    for ordinal in range(count):
        fake.behind(
            f"{namespace}/pods/camunda-zeebe-{ordinal}:9600",
            "/actuator/partitions",
            Reply(200, {"1": STATE}),
        )
    found = {"_shards": {"failed": 0}, "aggregations": {"partitions": {"buckets": [HIT]}}}
    for path in ("_refresh", "_search"):
        fake.behind(
            f"{namespace}/services/camunda-elasticsearch-master-hl:9200",
            f"/zeebe-record*/{path}",
            Reply(200, found),
            method="POST",
        )


@pytest.fixture
def london(kubernetes: FakeKubernetes) -> FakeKubernetes:
    install(kubernetes, "camunda-london")
    return kubernetes


@pytest.fixture
def paris() -> Iterator[FakeKubernetes]:
    with serving() as fake:
        install(fake, "camunda-paris")
        yield fake


def regions(
    folder: Path, first: str, second: str, patience: float = 20
) -> tuple[RegionStatus, ...]:
    urls = {"cluster-london": first, "cluster-paris": second}
    given = settings(kubeconfig=kubeconfig_of(folder, urls), **SIZES)
    return look((given, given), patience=patience)


def test_both_regions_are_seen(
    london: FakeKubernetes, paris: FakeKubernetes, tmp_path: Path
) -> None:
    here, there = regions(tmp_path, london.url, paris.url)
    assert (here.error, there.error) == (None, None)
    assert here.installations[Kind.FAILOVER].value is None
    assert here.installations[Kind.FAILOVER].error is None
    (seen,) = here.seen
    assert {each.name: (each.ready, each.wanted) for each in seen.workloads} == {
        "camunda-zeebe": (2, 2),
        "camunda-elasticsearch-master": (2, 2),
        "camunda-operate": (0, 1),
    }
    assert [each.broker for each in seen.brokers] == [0, 2]
    assert [each.broker for each in there.seen[0].brokers] == [1, 3]
    assert seen.brokers[0].exporting.value is not None
    assert seen.brokers[0].exporting.value[0].pod == "camunda-london/camunda-zeebe-0"
    assert seen.records.value is not None
    assert seen.records.value[1].highest == 9
    assert seen.view.value is not None
    assert seen.view.value.ids == {0}


def test_web_apps_are_profiles_of_the_brokers_from_8_8_on(
    london: FakeKubernetes, paris: FakeKubernetes, tmp_path: Path
) -> None:
    variable = {"name": "SPRING_PROFILES_ACTIVE", "value": "broker,operate"}
    london.put("/apis/apps/v1/namespaces/camunda-london/statefulsets", stateful_set(2))
    found = london.objects["/apis/apps/v1/namespaces/camunda-london/statefulsets"]
    spec = found["camunda-zeebe"]["spec"]["template"]["spec"]
    spec["containers"] = [{"name": "orchestration", "image": "camunda", "env": [variable]}]
    urls = {"cluster-london": london.url, "cluster-paris": paris.url}
    places = [region(each) for each in (0, 1)]
    for each in places:
        del each["failoverNamespace"]
    given = settings(
        kubeconfig=kubeconfig_of(tmp_path, urls), camundaVersion="8.8", regions=places, **SIZES
    )
    (seen,) = look((given, given), patience=20)[0].seen
    assert seen.profiles is not None
    assert seen.profiles.value == frozenset({"broker", "operate"})
    (earlier,) = regions(tmp_path, london.url, paris.url)[0].seen
    assert earlier.profiles is None


ENGINE = "camunda-london/services/camunda-elasticsearch-master-hl:9200"
SEARCHED = f"POST /api/v1/namespaces/{ENGINE}/proxy/zeebe-record*/_search"


def test_of_millions_of_records_only_the_last_ones_are_looked_at(
    london: FakeKubernetes, tmp_path: Path
) -> None:
    """Each partition's from what its brokers have exported, by the one that knows of most."""
    for ordinal, exported in enumerate((5_000_000, 4_000_000)):
        states = {"1": STATE | {"exportedPosition": exported}, "2": STATE | {"exportedPosition": 7}}
        broker = f"camunda-london/pods/camunda-zeebe-{ordinal}:9600"
        london.behind(broker, "/actuator/partitions", Reply(200, states))
    regions(tmp_path, london.url, "http://127.0.0.1:9")
    asked = london.bodies[SEARCHED]["query"]["bool"]["should"]
    positions = [each["bool"]["filter"][1]["range"]["position"]["gte"] for each in asked]
    assert positions == [4_990_000, -9993]


def test_without_a_broker_that_knows_where_they_end_no_record_is_looked_at(
    london: FakeKubernetes, tmp_path: Path
) -> None:
    """An engine that answers is known to, and one that does not has an error."""
    for ordinal, reply in enumerate((Reply(404, {}), Reply(200, {"1": {"role": "INACTIVE"}}))):
        broker = f"camunda-london/pods/camunda-zeebe-{ordinal}:9600"
        london.behind(broker, "/actuator/partitions", reply)
    for answered, is_known in (
        (Reply(200, {"_shards": {"failed": 0}}), True),
        (Reply(503, {}), False),
    ):
        london.behind(ENGINE, "/zeebe-record*/_stats/docs", answered)
        (seen,) = regions(tmp_path, london.url, "http://127.0.0.1:9")[0].seen
        assert seen.records.value == ({} if is_known else None)
        assert (seen.records.error is None) is is_known
    assert SEARCHED not in london.bodies


def test_a_broker_that_never_answers_hides_nothing_else(
    london: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, released = Zeebe.exporting_of, Event()

    def answer(asked: Zeebe, pod: str) -> tuple[Exporting, ...]:
        if pod == "camunda-zeebe-1":
            released.wait()
        return ask(asked, pod)

    monkeypatch.setattr(Zeebe, "exporting_of", answer)
    here, _ = regions(tmp_path, london.url, "http://127.0.0.1:9", patience=2)
    released.set()
    (seen,) = here.seen
    assert_message(seen.brokers[1].exporting.error, "not-in-time")
    assert seen.brokers[0].exporting.value is not None
    assert seen.records.value is not None
    assert seen.view.value is not None


def test_a_failover_installation_has_the_lost_regions_ids_and_no_gateway_to_ask(
    london: FakeKubernetes, tmp_path: Path
) -> None:
    install(london, "camunda-london-failover", 1)
    here, _ = regions(tmp_path, london.url, "http://127.0.0.1:9")
    failover = here.installations[Kind.FAILOVER].value
    assert failover is not None
    assert [each.broker for each in failover.brokers] == [1]
    assert_message(failover.view.error, "not-asked")


def test_a_region_that_refuses_connections_is_unreachable(
    london: FakeKubernetes, tmp_path: Path
) -> None:
    here, there = regions(tmp_path, london.url, "http://127.0.0.1:9")
    assert here.seen
    assert_message(there.error, "cluster-unreachable", context="cluster-paris")


def test_a_region_that_never_answers_is_given_up(london: FakeKubernetes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        here, there = regions(tmp_path, london.url, url, patience=2)
    assert here.error is None
    assert_message(there.error, "not-in-time")


def test_each_part_that_cannot_be_asked_has_its_error(
    london: FakeKubernetes, paris: FakeKubernetes, tmp_path: Path
) -> None:
    gateway = "camunda-london/services/camunda-zeebe-gateway:8080"
    london.behind(gateway, "/v1/topology", failure(503, "ServiceUnavailable", "no endpoints"))
    broker = "camunda-london/pods/camunda-zeebe-1:9600"
    london.behind(broker, "/actuator/partitions", Reply(404, {}))
    broker = "camunda-london/pods/camunda-zeebe-0:9600"
    london.behind(broker, "/actuator/partitions", Reply(200, {"one": STATE}))
    london.behind(ENGINE, "/zeebe-record*/_stats/docs", Reply(503, {}))
    (seen,) = regions(tmp_path, london.url, paris.url)[0].seen
    assert_message(seen.view.error, "service-failed", status=503, details="no endpoints")
    other_form, refused = (each.exporting.error for each in seen.brokers)
    assert_message(other_form, "unexpected-form", error="ValueError")
    assert_message(refused, "unexpected-status", status=404, path="/actuator/partitions")
    assert_message(seen.records.error, "service-failed", status=503)


def test_a_broker_that_is_not_ready_is_not_asked(london: FakeKubernetes, tmp_path: Path) -> None:
    sleeping = broker_pods("camunda-london", 2)
    sleeping[0]["status"]["conditions"] = []
    london.put("/api/v1/namespaces/camunda-london/pods", *sleeping)
    (seen,) = regions(tmp_path, london.url, "http://127.0.0.1:9")[0].seen
    assert [each.ready for each in seen.brokers] == [False, True]
    assert_message(seen.brokers[0].exporting.error, "not-ready")
    assert not any("camunda-zeebe-0:9600" in each for each in london.asked)


def test_a_context_that_the_kubeconfig_does_not_have_is_that_regions_error(
    london: FakeKubernetes, tmp_path: Path
) -> None:
    given = settings(kubeconfig=kubeconfig_of(tmp_path, {"cluster-london": london.url}), **SIZES)
    here, there = look((given, given))
    assert here.seen
    assert_message(there.error, "no-such-context", context="cluster-paris")
