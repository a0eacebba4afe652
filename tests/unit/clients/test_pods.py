"""Rollouts, environments and restarts of brokers, as the cluster's own objects show them.

The proof of F3 rests on these: a StatefulSet that says "ready" of the old configuration, a pod that
still has the old address, a second entry of the same name that counts instead of the first. And no
broker may be restarted by hand while there is a quorum to lose.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from messages import Message
from messages.clients import installations as messages
from messages.steps import progress
from tests.fakes.kubernetes import (
    Document,
    FakeKubernetes,
    broker_pods,
    search_engine,
    stateful_set,
)
from tests.raising import assert_tells

NAMESPACE = "camunda-london"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
URL = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL"
WANTED = {URL: "http://new:9200"}


def entry(value: str, name: str = URL) -> Document:
    return {"name": name, "value": value}


def with_state(pod: Document, state: Document) -> Document:
    pod["status"]["containerStatuses"][0] |= {"ready": False, "state": state}
    return pod


def pending(cluster: Cluster) -> str | None:
    return LiveInstallation(cluster, NAMESPACE, "camunda").brokers_pending()


def test_a_rollout_is_done(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 2))
    assert pending(cluster) is None


def test_brokers_that_are_not_installed_are_not_rolled_out(cluster: Cluster) -> None:
    assert pending(cluster) == messages.no_stateful_set("camunda-zeebe", NAMESPACE)


def test_pods_of_other_components_and_releases_do_not_count(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1), *broker_pods(NAMESPACE, 1, release="other"))
    assert pending(cluster) == messages.brokers_not_updated(1, 2, NAMESPACE)


@pytest.mark.parametrize(
    ("status", "revisions", "told"),
    [
        pytest.param(
            {"observedGeneration": 2}, ("new", "new"), "not-yet-observed", id="just changed"
        ),
        pytest.param(
            {"observedGeneration": None}, ("new", "new"), "not-yet-observed", id="just created"
        ),
        pytest.param(
            {},
            ("old", "new"),
            messages.brokers_not_updated(1, 2, NAMESPACE),
            id="ready, but one has the old revision",
        ),
        pytest.param(
            {},
            ("old", "old"),
            messages.brokers_not_updated(0, 2, NAMESPACE),
            id="ready, but all have the old revision",
        ),
        pytest.param(
            {"readyReplicas": 1},
            ("new", "new"),
            messages.brokers_not_ready(1, 2, NAMESPACE, None),
            id="one is not ready",
        ),
        pytest.param(
            {"readyReplicas": None},
            ("new", "new"),
            messages.brokers_not_ready(0, 2, NAMESPACE, None),
            id="none is ready",
        ),
    ],
)
def test_why_a_rollout_is_not_done(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    status: dict[str, Any],
    revisions: Sequence[str],
    told: str,
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(2, **status))
    for ordinal, revision in enumerate(revisions):
        kubernetes.put(PODS, broker_pods(NAMESPACE, 2, revision=revision)[ordinal])
    assert_tells(pending(cluster), told)


def test_a_pod_on_its_way_out_does_not_count(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    first, second = broker_pods(NAMESPACE, 2)
    second["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, first, second)
    assert pending(cluster) == messages.brokers_not_updated(1, 2, NAMESPACE)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param(
            {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
            messages.container_waits("camunda-zeebe-0", "ImagePullBackOff", "no such image"),
            id="no image",
        ),
        pytest.param(
            {"waiting": {"reason": "CrashLoopBackOff"}},
            messages.container_waits("camunda-zeebe-0", "CrashLoopBackOff", ""),
            id="crashing",
        ),
        pytest.param(
            {"waiting": {"reason": "ContainerCreating"}},
            None,
            id="only starting",
        ),
    ],
)
def test_what_keeps_a_pod_from_starting_is_told(
    cluster: Cluster, kubernetes: FakeKubernetes, state: Document, told: Message | None
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(1, readyReplicas=0))
    kubernetes.put(PODS, with_state(broker_pods(NAMESPACE, 1)[0], state))
    assert pending(cluster) == messages.brokers_not_ready(0, 1, NAMESPACE, told)


def test_a_pod_that_no_node_takes_is_told(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    (pod,) = broker_pods(NAMESPACE, 1)
    pod["status"] = {
        "phase": "Pending",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient memory.",
            }
        ],
    }
    kubernetes.put(STATEFUL_SETS, stateful_set(1, readyReplicas=0))
    kubernetes.put(PODS, pod)
    reason = "0/1 nodes are available: 1 Insufficient memory."
    assert_tells(pending(cluster), messages.pod_not_scheduled("camunda-zeebe-0", reason))


@pytest.mark.parametrize(
    ("replicas", "ready", "told"),
    [
        pytest.param(2, 2, None, id="ready"),
        pytest.param(2, 1, messages.engine_nodes_not_ready(1, 2, NAMESPACE, None), id="half"),
        pytest.param(
            1, None, messages.engine_nodes_not_ready(0, 1, NAMESPACE, None), id="starting"
        ),
        pytest.param(
            0,
            None,
            messages.scaled_to_nothing("camunda-elasticsearch-master", NAMESPACE),
            id="scaled to nothing",
        ),
    ],
)
def test_whether_the_search_engine_is_ready(
    cluster: Cluster, kubernetes: FakeKubernetes, replicas: int, ready: int | None, told: str | None
) -> None:
    kubernetes.put(STATEFUL_SETS, search_engine(replicas, ready))
    assert LiveInstallation(cluster, NAMESPACE, "camunda").search_engine_pending() == told


def test_what_keeps_the_search_engine_from_starting_is_told(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    (pod,) = broker_pods(NAMESPACE, 1)
    pod["metadata"]["name"] = "camunda-elasticsearch-master-0"
    pod["metadata"]["labels"]["app.kubernetes.io/name"] = "elasticsearch"
    why = {"waiting": {"reason": "CreateContainerConfigError", "message": "secret not found"}}
    kubernetes.put(STATEFUL_SETS, search_engine(1, 0))
    kubernetes.put(PODS, with_state(pod, why))
    trouble = messages.container_waits(
        "camunda-elasticsearch-master-0", "CreateContainerConfigError", "secret not found"
    )
    found = LiveInstallation(cluster, NAMESPACE, "camunda").search_engine_pending()
    assert found == messages.engine_nodes_not_ready(0, 1, NAMESPACE, trouble)


@pytest.mark.parametrize("others", [(), (search_engine(3, 3, nodes="data"),)], ids=["none", "data"])
def test_a_search_engine_that_is_not_there_is_not_ready(
    cluster: Cluster, kubernetes: FakeKubernetes, others: tuple[Document, ...]
) -> None:
    kubernetes.put(STATEFUL_SETS, *others)
    told = messages.no_stateful_set("camunda-elasticsearch-master", NAMESPACE)
    assert LiveInstallation(cluster, NAMESPACE, "camunda").search_engine_pending() == told


def test_all_nodes_of_the_search_engine_are_looked_at_whatever_their_kind(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    """Values may give it data, coordinating and ingest nodes, each kind a StatefulSet of its own."""
    kubernetes.put(STATEFUL_SETS, search_engine(2, 2), search_engine(3, 1, nodes="data"))
    kubernetes.put(STATEFUL_SETS, search_engine(1, 1, release="other"), stateful_set(2))
    told = messages.engine_nodes_not_ready(3, 5, NAMESPACE, None)
    assert LiveInstallation(cluster, NAMESPACE, "camunda").search_engine_pending() == told


def test_brokers_that_are_scaled_to_nothing_are_not_rolled_out(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(0))
    assert pending(cluster) == messages.scaled_to_nothing("camunda-zeebe", NAMESPACE)


def test_the_environment_is_right_everywhere(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    env = [entry("http://new:9200"), entry("x", "OTHER")]
    kubernetes.put(STATEFUL_SETS, stateful_set(2, env=env))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 2, env=env))
    assert LiveInstallation(cluster, NAMESPACE, "camunda").wrong_environment(WANTED) is None


@pytest.mark.parametrize(
    ("of_set", "of_pod", "told"),
    [
        pytest.param(
            [entry("http://old:9200")],
            [entry("http://new:9200")],
            messages.wrong_environment(
                "StatefulSet camunda-zeebe", URL, "http://old:9200", "http://new:9200"
            ),
            id="the StatefulSet has the old address",
        ),
        pytest.param(
            [entry("http://new:9200")],
            [entry("http://old:9200")],
            messages.wrong_environment(
                "camunda-zeebe-0", URL, "http://old:9200", "http://new:9200"
            ),
            id="a running pod has the old address",
        ),
        pytest.param(
            [],
            [entry("http://new:9200")],
            messages.wrong_environment("StatefulSet camunda-zeebe", URL, None, "http://new:9200"),
            id="none at all",
        ),
        pytest.param(
            [entry("http://new:9200"), entry("http://old:9200")],
            [entry("http://new:9200")],
            "http://old:9200",
            id="a second entry of the name counts",
        ),
    ],
)
def test_where_the_environment_is_wrong(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    of_set: list[Document],
    of_pod: list[Document],
    told: str,
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(1, env=of_set))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1, env=of_pod))
    reason = LiveInstallation(cluster, NAMESPACE, "camunda").wrong_environment(WANTED)
    assert_tells(reason, told)


def test_the_first_of_two_entries_may_be_the_old_one(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    env = [entry("http://old:9200"), entry("http://new:9200")]
    kubernetes.put(STATEFUL_SETS, stateful_set(1, env=env))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1, env=env))
    assert LiveInstallation(cluster, NAMESPACE, "camunda").wrong_environment(WANTED) is None


def test_a_sidecar_that_a_service_mesh_puts_first_is_not_taken_for_the_broker(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    env = [entry("http://new:9200")]
    (pod,) = broker_pods(NAMESPACE, 1, env=env)
    pod["spec"]["containers"].insert(0, {"name": "linkerd-proxy", "image": "proxy"})
    kubernetes.put(STATEFUL_SETS, stateful_set(1, env=env))
    kubernetes.put(PODS, pod)
    assert LiveInstallation(cluster, NAMESPACE, "camunda").wrong_environment(WANTED) is None


def test_no_brokers_have_no_environment(cluster: Cluster) -> None:
    reason = LiveInstallation(cluster, NAMESPACE, "camunda").wrong_environment(WANTED)
    assert reason == messages.no_stateful_set("camunda-zeebe", NAMESPACE)


def restart(cluster: Cluster, *, leaderless: bool) -> list[str]:
    said: list[str] = []
    LiveInstallation(cluster, NAMESPACE, "camunda").restart_stale(
        leaderless=leaderless, say=said.append
    )
    return said


def test_without_quorum_brokers_of_the_old_configuration_are_restarted_at_once(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 2, revision="old"))
    said = restart(cluster, leaderless=True)
    assert kubernetes.deleted() == ["camunda-zeebe-0", "camunda-zeebe-1"]
    assert said[0] == progress.restarting(
        "camunda-zeebe-0", NAMESPACE, progress.no_quorum_to_lose()
    )


@pytest.mark.parametrize(
    ("state", "restarts", "told"),
    [
        pytest.param({"running": {"startedAt": "2026-01-01T00:00:00Z"}}, 3, [], id="runs"),
        pytest.param({"waiting": {"reason": "ContainerCreating"}}, 0, [], id="is being started"),
        pytest.param(
            {"waiting": {"reason": "CrashLoopBackOff"}}, 3, ["camunda-zeebe-0"], id="crashes"
        ),
        pytest.param({"terminated": {"exitCode": 1}}, 0, ["camunda-zeebe-0"], id="has ended"),
    ],
)
def test_with_quorum_or_if_it_cannot_be_told_only_what_does_not_run_is_restarted(
    cluster: Cluster, kubernetes: FakeKubernetes, state: Document, restarts: int, told: list[str]
) -> None:
    """The rolling update would wait for ever for a broker that cannot start with the old configuration."""
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    pods_of = broker_pods(NAMESPACE, 2, revision="old")
    pods_of[0]["status"]["containerStatuses"][0] |= {"state": state, "restartCount": restarts}
    kubernetes.put(PODS, *pods_of)
    restart(cluster, leaderless=False)
    assert kubernetes.deleted() == told


def test_brokers_that_run_the_new_configuration_are_never_restarted(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    current, stale = broker_pods(NAMESPACE, 1), broker_pods(NAMESPACE, 2, revision="old")[1:]
    leaving = broker_pods(NAMESPACE, 3, revision="old")[2]
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    kubernetes.put(STATEFUL_SETS, stateful_set(3))
    kubernetes.put(PODS, *current, *stale, leaving)
    restart(cluster, leaderless=True)
    assert kubernetes.deleted() == ["camunda-zeebe-1"]


def test_nothing_is_restarted_before_the_controller_has_seen_the_change(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    """Before that its revision is the old one, and the pods that it makes would be old again."""
    kubernetes.put(STATEFUL_SETS, stateful_set(1, observedGeneration=2, updateRevision="older"))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1, revision="old"))
    assert restart(cluster, leaderless=True) == []
    assert kubernetes.deleted() == []


def test_nothing_is_restarted_where_nothing_is_installed(cluster: Cluster) -> None:
    assert restart(cluster, leaderless=True) == []


def test_the_brokers_environment_is_read_as_helm_has_rendered_it(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    ref = {"configMapKeyRef": {"name": "prefixes", "key": "prefix"}}
    env = [entry("http://new:9200"), {"name": "FROM", "valueFrom": ref}]
    kubernetes.put(STATEFUL_SETS, stateful_set(2, env=env))
    assert LiveInstallation(cluster, NAMESPACE, "camunda").exporter_environment() == [
        {"name": URL, "value": "http://new:9200", "valueFrom": False},
        {"name": "FROM", "value": None, "valueFrom": True},
    ]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        pytest.param("camunda-zeebe-0-debug", None, id="a debug pod"),
        pytest.param("camunda-zeebe-7", None, id="one with a broker's name"),
        pytest.param("camunda-zeebe-x", "camunda-zeebe", id="no ordinal"),
        pytest.param("camunda-zeebe-1-0", "camunda-zeebe-1", id="of another StatefulSet"),
    ],
)
def test_who_bears_the_brokers_labels_is_not_therefore_a_broker(
    cluster: Cluster, kubernetes: FakeKubernetes, name: str, owner: str | None
) -> None:
    made = broker_pods(NAMESPACE, 1)[0]
    owners = [] if owner is None else [made["metadata"]["ownerReferences"][0] | {"name": owner}]
    strange = made | {"metadata": made["metadata"] | {"name": name, "ownerReferences": owners}}
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 2), strange)
    found = LiveInstallation(cluster, NAMESPACE, "camunda").broker_pods()
    assert [each.metadata.name for each in found] == ["camunda-zeebe-0", "camunda-zeebe-1"]
