"""Brokers outside of a cluster, and what their configuration shows: they run without ever becoming ready."""

import pytest

from clients.cluster import pods
from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from messages.clients import installations as messages
from tests.fakes.kubernetes import Document, FakeKubernetes, broker_pods, stateful_set
from tests.raising import assert_same

NAMESPACE = "camunda-london"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
UNREADY = [{"type": "Ready", "status": "False"}]


def here(cluster: Cluster) -> LiveInstallation:
    return LiveInstallation(cluster, NAMESPACE, "camunda")


def test_brokers_that_run_need_not_be_ready(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    found = broker_pods(NAMESPACE, 2)
    for each in found:
        each["status"]["conditions"] = UNREADY
    kubernetes.put(STATEFUL_SETS, stateful_set(2, readyReplicas=0))
    kubernetes.put(PODS, *found)
    assert here(cluster).brokers_not_running() is None


def test_brokers_that_are_not_there(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    told = messages.no_stateful_set("camunda-zeebe", NAMESPACE)
    assert_same(here(cluster).brokers_not_running(), told)
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1))
    told = messages.broker_missing("camunda-zeebe-1", NAMESPACE)
    assert_same(here(cluster).brokers_not_running(), told)


@pytest.mark.parametrize("why", ["ending", "old", "crashing"])
def test_a_broker_that_does_not_run_in_the_newest_revision(
    cluster: Cluster, kubernetes: FakeKubernetes, why: str
) -> None:
    first, second = broker_pods(NAMESPACE, 2)
    told = messages.broker_replaced("camunda-zeebe-1", NAMESPACE)
    match why:
        case "ending":
            second["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        case "old":
            second["metadata"]["labels"]["controller-revision-hash"] = "old"
        case "crashing":
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "exit 3"}}
            second["status"]["containerStatuses"][0]["state"] = waiting
            trouble = messages.container_waits("camunda-zeebe-1", "CrashLoopBackOff", "exit 3")
            told = messages.broker_does_not_run("camunda-zeebe-1", NAMESPACE, trouble)
    kubernetes.put(STATEFUL_SETS, stateful_set(2))
    kubernetes.put(PODS, first, second)
    assert_same(here(cluster).brokers_not_running(), told)


def test_how_often_a_broker_was_started_again(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    (found,) = broker_pods(NAMESPACE, 1)
    status = found["status"]["containerStatuses"][0]
    sidecar = status | {"name": "proxy", "restartCount": 9}
    found["status"]["containerStatuses"] = [sidecar, status | {"restartCount": 3}]
    kubernetes.put(PODS, found)
    (pod,) = here(cluster).broker_pods()
    assert pods.restarts_of(pod) == 3
    pod.status.container_statuses = None
    assert pods.restarts_of(pod) == 0


@pytest.mark.parametrize("where", ["StatefulSet", "pod", "nowhere", "not there"])
def test_a_variable_that_is_left(cluster: Cluster, kubernetes: FakeKubernetes, where: str) -> None:
    env = [{"name": "LEFT", "value": "false"}, {"name": "OTHER", "value": "x"}]
    if where != "not there":
        kubernetes.put(STATEFUL_SETS, stateful_set(1, env=env if where == "StatefulSet" else ()))
    kubernetes.put(PODS, *broker_pods(NAMESPACE, 1, env=env if where == "pod" else ()))
    told = {
        "StatefulSet": messages.variable_left("StatefulSet camunda-zeebe", "LEFT"),
        "pod": messages.variable_left("camunda-zeebe-0", "LEFT"),
        "not there": messages.no_stateful_set("camunda-zeebe", NAMESPACE),
    }
    assert_same(here(cluster).variables_left({"LEFT", "ALSO"}), told.get(where))


def mounting(*config_maps: str, env: tuple[Document, ...] = ()) -> Document:
    """Return the brokers' StatefulSet, whose pods mount these ConfigMaps."""
    found = stateful_set(1, env=env)
    found["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "emptyDir": {}},
        *({"name": name, "configMap": {"name": name}} for name in config_maps),
    ]
    return found


def test_the_profiles_that_brokers_run_with(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    text = "spring: {profiles: {active: 'broker,operate'}}"
    named = {"metadata": {"name": "configuration"}, "data": {"application.yaml": text}}
    other = {"metadata": {"name": "scripts"}, "data": {"startup.sh": "exec camunda"}}
    kubernetes.put(CONFIG_MAPS, named, other)
    assert here(cluster).active_profiles() is None
    kubernetes.put(STATEFUL_SETS, mounting("scripts", "gone"))
    assert here(cluster).active_profiles() is None
    kubernetes.put(STATEFUL_SETS, mounting("scripts", "configuration"))
    assert here(cluster).active_profiles() == frozenset({"broker", "operate"})
    variable = {"name": "SPRING_PROFILES_ACTIVE", "value": "broker"}
    kubernetes.put(STATEFUL_SETS, mounting("configuration", env=(variable,)))
    assert here(cluster).active_profiles() == frozenset({"broker"})
