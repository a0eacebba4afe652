"""Operate and Tasklist go down to the last pod, and come back with as many as they had.

While an engine is copied nothing may write to it. And an installation with three Operates must not have one afterwards.
"""

from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from clients.installation import LiveInstallation
from messages.clients import installations as messages
from messages.steps import progress
from steps.releases import webapps
from steps.releases.webapps import REPLICAS_ANNOTATION
from tests.fakes.kubernetes import Document, FakeKubernetes, owner

NAMESPACE = "camunda-london"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def deployment(
    app: str, replicas: int, *, remembered: str | None = None, **status: Any
) -> Document:
    """Return a web app's Deployment, all of its pods ready unless `status` says otherwise."""
    labels = {"app.kubernetes.io/component": app}
    annotations = {"kept": "as it is"} | ({REPLICAS_ANNOTATION: remembered} if remembered else {})
    return {
        "metadata": {"name": f"camunda-{app}", "generation": 2, "annotations": annotations},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
        },
        "status": {
            "observedGeneration": 2,
            "replicas": replicas,
            "readyReplicas": replicas,
            "updatedReplicas": replicas,
        }
        | status,
    }


def pod(
    app: str, release: str = "camunda", *, owned: bool = True, phase: str = "Running"
) -> Document:
    return {
        "metadata": {
            "name": f"{release}-{app}-7d4f",
            "labels": {
                "app.kubernetes.io/component": app,
                "app.kubernetes.io/instance": release,
            },
            "ownerReferences": [owner("ReplicaSet", f"{release}-{app}")] if owned else [],
        },
        "spec": {"containers": []},
        "status": {"phase": phase},
    }


def held(kubernetes: FakeKubernetes, app: str) -> tuple[int, str | None]:
    """Return how many pods a Deployment wants, and how many it remembers."""
    document = kubernetes.objects[DEPLOYMENTS][f"camunda-{app}"]
    assert document["metadata"]["annotations"]["kept"] == "as it is"
    return document["spec"]["replicas"], document["metadata"]["annotations"].get(
        REPLICAS_ANNOTATION
    )


def scale_down(cluster: Cluster) -> list[str]:
    said: list[str] = []
    webapps.scale_down(LiveInstallation(cluster, NAMESPACE, "camunda"), said.append)
    return said


def scale_back(cluster: Cluster) -> list[str]:
    said: list[str] = []
    webapps.scale_back(LiveInstallation(cluster, NAMESPACE, "camunda"), said.append)
    return said


def down_pending(cluster: Cluster) -> str | None:
    return webapps.down_pending(LiveInstallation(cluster, NAMESPACE, "camunda"))


def up_pending(cluster: Cluster, *wanted: str) -> str | None:
    return webapps.up_pending(LiveInstallation(cluster, NAMESPACE, "camunda"), wanted)


def test_they_go_down_and_come_back_with_as_many_pods(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("operate", 3), deployment("tasklist", 1))
    assert scale_down(cluster) == [
        progress.scaling_down("camunda-operate", NAMESPACE, 3),
        progress.scaling_down("camunda-tasklist", NAMESPACE, 1),
    ]
    assert (held(kubernetes, "operate"), held(kubernetes, "tasklist")) == ((0, "3"), (0, "1"))
    assert scale_back(cluster) == [
        progress.scaling_back("camunda-operate", NAMESPACE, 3),
        progress.scaling_back("camunda-tasklist", NAMESPACE, 1),
    ]
    assert (held(kubernetes, "operate"), held(kubernetes, "tasklist")) == ((3, None), (1, None))


def test_saying_it_twice_does_not_forget_how_many_there_were(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("operate", 3))
    scale_down(cluster)
    assert scale_down(cluster) == []
    assert held(kubernetes, "operate") == (0, "3")
    scale_back(cluster)
    assert scale_back(cluster) == []
    assert held(kubernetes, "operate") == (3, None)


def test_one_that_helm_scaled_up_in_between_goes_down_again(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("operate", 2, remembered="3"))
    scale_down(cluster)
    assert held(kubernetes, "operate") == (0, "2")


def test_one_that_its_owner_has_scaled_to_nothing_stays_so(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("tasklist", 0))
    assert scale_down(cluster) == []
    assert scale_back(cluster) == []
    assert up_pending(cluster, "tasklist") is None
    assert held(kubernetes, "tasklist") == (0, None)


def test_what_others_wrote_there_is_not_taken_for_a_number(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("operate", 0, remembered="three"))
    assert scale_back(cluster) == []


def test_without_web_apps_there_is_nothing_to_do(cluster: Cluster) -> None:
    assert scale_down(cluster) == []
    assert scale_back(cluster) == []
    assert down_pending(cluster) is None
    assert up_pending(cluster) is None


def test_one_that_the_values_enable_and_that_was_not_made_is_not_up(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    kubernetes.put(DEPLOYMENTS, deployment("operate", 1))
    assert up_pending(cluster, "operate") is None
    assert up_pending(cluster, "operate", "tasklist") == (
        messages.no_deployment("camunda-tasklist", NAMESPACE)
    )


@pytest.mark.parametrize(
    ("found", "pods", "told"),
    [
        pytest.param([deployment("operate", 0)], [], None, id="down"),
        pytest.param(
            [deployment("operate", 2)],
            [],
            messages.app_still_wanted("camunda-operate", NAMESPACE, 2),
            id="not scaled down",
        ),
        pytest.param(
            [deployment("operate", 0), deployment("tasklist", 0)],
            [pod("tasklist")],
            messages.app_pods_left(["camunda-tasklist-7d4f"], [], NAMESPACE),
            id="a pod that is still ending",
        ),
        pytest.param(
            [],
            [pod("operate")],
            messages.app_pods_left(["camunda-operate-7d4f"], [], NAMESPACE),
            id="a pod of a Deployment that Helm has deleted",
        ),
        pytest.param(
            [deployment("operate", 0)], [pod("operate", "other")], None, id="of another release"
        ),
        pytest.param(
            [deployment("operate", 0)],
            [pod("operate", owned=False)],
            messages.app_pods_left(["camunda-operate-7d4f"], ["camunda-operate-7d4f"], NAMESPACE),
            id="one made by hand, which no scaling ends",
        ),
        pytest.param(
            [deployment("operate", 0)],
            [pod("operate", phase="Failed")],
            None,
            id="one that was evicted, and writes nothing any more",
        ),
    ],
)
def test_whether_they_are_down(
    cluster: Cluster,
    kubernetes: FakeKubernetes,
    found: list[Document],
    pods: list[Document],
    told: str | None,
) -> None:
    kubernetes.put(DEPLOYMENTS, *found)
    kubernetes.put(PODS, *pods)
    assert down_pending(cluster) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(deployment("operate", 2), None, id="up"),
        pytest.param(
            deployment("operate", 2, readyReplicas=1),
            messages.app_not_ready(1, 2, "camunda-operate", NAMESPACE, None),
            id="one is not ready",
        ),
        pytest.param(
            deployment("tasklist", 1, readyReplicas=None),
            messages.app_not_ready(0, 1, "camunda-tasklist", NAMESPACE, None),
            id="none is ready",
        ),
        pytest.param(
            deployment("operate", 2, updatedReplicas=1),
            messages.app_not_ready(1, 2, "camunda-operate", NAMESPACE, None),
            id="one has the old configuration",
        ),
        pytest.param(
            deployment("operate", 2, observedGeneration=1),
            messages.not_yet_observed("Deployment", "camunda-operate", 2),
            id="only just changed",
        ),
        pytest.param(
            deployment("operate", 0, remembered="1"),
            messages.app_not_scaled_back("camunda-operate", NAMESPACE),
            id="still scaled down",
        ),
    ],
)
def test_whether_they_are_up(
    cluster: Cluster, kubernetes: FakeKubernetes, found: Document, told: str | None
) -> None:
    kubernetes.put(DEPLOYMENTS, found)
    app = found["metadata"]["name"].removeprefix("camunda-")
    assert up_pending(cluster, app) == told


def test_what_keeps_them_from_starting_is_told(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    stuck = pod("operate")
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    stuck["status"]["containerStatuses"] = [
        {
            "name": "operate",
            "image": "o",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
    ]
    kubernetes.put(DEPLOYMENTS, deployment("operate", 1, readyReplicas=0))
    kubernetes.put(PODS, stuck)
    trouble = messages.container_waits("camunda-operate-7d4f", "ImagePullBackOff", "no such image")
    expected = messages.app_not_ready(0, 1, "camunda-operate", NAMESPACE, trouble)
    assert up_pending(cluster, "operate") == expected
