"""Pausing and resuming the exporters, and asking every broker whether they are paused.

A pause that was refused answers 200, with the refusal in its body, as seen of the real gateway while a broker
was still joining. Trusting the status line means copying a moving target.
"""

from typing import Any

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from clients.installation import LiveInstallation, exporting, resume_each
from clients.zeebe import Zeebe
from messages.clients.installations import resumption_refused
from tests.fakes.kubernetes import (
    Document,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    partition_states,
)
from tests.raising import assert_message, assert_tells, raises

SURVIVOR, FAILOVER, RECREATED = "camunda-london", "camunda-london-failover", "camunda-paris"
ACCEPTED = {"body": None, "status": 204, "contentType": None}
TOO_FEW = "Expected 4 members of partition 2 but found 3"
STACK_TRACE = (
    f"java.util.concurrent.CompletionException: io.camunda.zeebe.gateway.admin.IncompleteTopologyException: {TOO_FEW}, "
    "current topology: BrokerClusterState{clusterSize=4}\\n\\tat java.base/java.util.concurrent.CompletableFuture"
)


def in_body(body: Any, status: int = 500) -> Reply:
    return Reply(200, {"body": body, "status": status, "contentType": None})


ANSWERS = [
    pytest.param(Reply(200, ACCEPTED), None, id="accepted as Zeebe 8.5 does"),
    pytest.param(Reply(204, ""), None, id="accepted as documented"),
    pytest.param(Reply(200, ""), None, id="accepted with nothing to say"),
    pytest.param(
        in_body({"message": STACK_TRACE, "stackTrace": [{"methodName": "pause"}] * 40}),
        f"500 in a body of status 200: {TOO_FEW}",
        id="refused in the body, as an exception",
    ),
    pytest.param(
        in_body(STACK_TRACE),
        f"500 in a body of status 200: {TOO_FEW}",
        id="refused in the body, as a text",
    ),
    pytest.param(
        in_body(
            {
                "message": "CompletionException",
                "cause": {"message": "no broker answers", "cause": None},
            },
            503,
        ),
        "503 in a body of status 200: no broker answers",
        id="refused for an unforeseen reason",
    ),
    pytest.param(in_body(None, 400), "400 in a body of status 200: {", id="refused without a word"),
    pytest.param(in_body(None, 302), "302 in a body of status 200", id="neither yes nor no"),
    pytest.param(
        Reply(200, {"status": "failed"}), "failed in a body of status 200", id="no number"
    ),
    pytest.param(Reply(404, "no such endpoint"), "404 no such endpoint", id="no such endpoint"),
    pytest.param(
        Reply(500, {"status": 500, "message": STACK_TRACE}),
        TOO_FEW,
        id="refused on the status line",
    ),
    pytest.param(
        failure(503, "ServiceUnavailable", 'no endpoints available for service "gw"'),
        "no endpoints available",
        id="no gateway",
    ),
]


@pytest.mark.parametrize("order", ["pause", "resume"])
@pytest.mark.parametrize(("reply", "told"), ANSWERS)
def test_whether_an_order_is_accepted_is_read_from_status_line_and_body(
    cluster: Cluster, kubernetes: FakeKubernetes, order: str, reply: Reply, told: str | None
) -> None:
    gateway = f"{SURVIVOR}/services/camunda-zeebe-gateway:9600"
    kubernetes.behind(gateway, f"/actuator/exporting/{order}", reply, method="POST")
    ask = {"pause": Zeebe.pause, "resume": Zeebe.resume}[order]
    refusal = ask(LiveInstallation(cluster, SURVIVOR, "camunda").zeebe)
    if told is None:
        assert refusal is None
    else:
        assert_message(refusal, "order-refused", namespace=SURVIVOR, order=order)
        assert_tells(refusal, told)
        assert len(str(refusal)) < 300, "a stack trace is nothing to read in a progress line"
    assert len(kubernetes.asked) == 1


def answering(kubernetes: FakeKubernetes, namespace: str, *states: Document | None) -> None:
    """Put brokers that answer, or sleep if they have no states."""
    for ordinal, pod in enumerate(broker_pods(namespace, len(states))):
        answer = states[ordinal]
        if answer is None:
            pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        else:
            kubernetes.behind(
                f"{namespace}/pods/camunda-zeebe-{ordinal}:9600",
                "/actuator/partitions",
                Reply(200, answer),
            )
        kubernetes.put(f"/api/v1/namespaces/{namespace}/pods", pod)


def even(ordinal: int) -> bool:
    return ordinal % 2 == 0


def test_every_broker_of_every_installation_is_asked_but_those_asleep(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    leading, following = partition_states({1: "LEADER"}), partition_states({1: "FOLLOWER"})
    answering(kubernetes, SURVIVOR, leading, following)
    answering(kubernetes, FAILOVER, partition_states({1: "FOLLOWER"}, phase="PAUSED"))
    answering(kubernetes, RECREATED, None, following)
    found = exporting(
        [
            LiveInstallation(cluster, SURVIVOR, "camunda"),
            LiveInstallation(cluster, FAILOVER, "camunda"),
            LiveInstallation(cluster, RECREATED, "camunda", even),
        ],
    )
    assert [(each.pod, each.phase) for each in found] == [
        ("camunda-london/camunda-zeebe-0", "EXPORTING"),
        ("camunda-london/camunda-zeebe-1", "EXPORTING"),
        ("camunda-london-failover/camunda-zeebe-0", "PAUSED"),
        ("camunda-paris/camunda-zeebe-1", "EXPORTING"),
    ]


def test_a_broker_that_should_sleep_and_does_not_is_asked(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    answering(kubernetes, RECREATED, partition_states({1: "LEADER"}))
    (found,) = exporting([LiveInstallation(cluster, RECREATED, "camunda", even)])
    assert found.pod == "camunda-paris/camunda-zeebe-0"


def test_a_broker_that_is_awake_and_does_not_answer_is_an_error(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    answering(kubernetes, RECREATED, None, None)
    asked = "camunda-zeebe-1 in camunda-paris"
    with raises("unexpected-status", CallFailed, asked=asked, status=404):
        exporting([LiveInstallation(cluster, RECREATED, "camunda", even)])


def test_how_far_every_broker_has_exported(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    others = broker_pods(SURVIVOR, 1, release="other")
    kubernetes.put(f"/api/v1/namespaces/{SURVIVOR}/pods", *others)
    states = (
        partition_states({1: "LEADER", 2: "FOLLOWER"}, exported=7, processed=9),
        partition_states({2: "LEADER"}, exported=5, processed=5),
    )
    answering(kubernetes, SURVIVOR, *states)
    found = exporting([LiveInstallation(cluster, SURVIVOR, "camunda")])
    assert [
        (each.pod, each.partition, each.leader, each.exported_position, each.processed_position)
        for each in found
    ] == [
        ("camunda-london/camunda-zeebe-0", 1, True, 7, 9),
        ("camunda-london/camunda-zeebe-0", 2, False, 7, 9),
        ("camunda-london/camunda-zeebe-1", 2, True, 5, 5),
    ]


def test_brokers_of_another_release_are_not_asked(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(
        f"/api/v1/namespaces/{SURVIVOR}/pods", *broker_pods(SURVIVOR, 1, release="other")
    )
    assert exporting([LiveInstallation(cluster, SURVIVOR, "camunda")]) == ()


RESUME = "/actuator/partitions/resumeExporting"


def test_each_broker_is_asked_by_itself_to_resume(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(f"/api/v1/namespaces/{SURVIVOR}/pods", *broker_pods(SURVIVOR, 2))
    for ordinal in range(2):
        pod = f"{SURVIVOR}/pods/camunda-zeebe-{ordinal}:9600"
        answer = Reply(200, partition_states({1: "LEADER"}))
        kubernetes.behind(pod, RESUME, answer, method="POST")
    assert resume_each([LiveInstallation(cluster, SURVIVOR, "camunda")]) is None
    # All at once, so in any order.
    assert sorted(each for each in kubernetes.asked if each.startswith("POST")) == [
        f"POST /api/v1/namespaces/{SURVIVOR}/pods/camunda-zeebe-{ordinal}:9600/proxy{RESUME}"
        for ordinal in range(2)
    ]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            in_body("no such partition"),
            "500 in a body of status 200: no such partition",
            id="in the body",
        ),
        pytest.param(Reply(404, "nothing here"), "404 nothing here", id="on the status line"),
    ],
)
def test_a_broker_that_does_not_resume_is_named(
    cluster: Cluster, kubernetes: FakeKubernetes, reply: Reply, told: str
) -> None:
    kubernetes.put(f"/api/v1/namespaces/{SURVIVOR}/pods", *broker_pods(SURVIVOR, 1))
    kubernetes.behind(f"{SURVIVOR}/pods/camunda-zeebe-0:9600", RESUME, reply, method="POST")
    found = resume_each([LiveInstallation(cluster, SURVIVOR, "camunda")])
    assert found == resumption_refused("camunda-zeebe-0", SURVIVOR, told)
