"""Clusters of others as the ground of a drill: nothing of theirs is touched unasked.

Two API servers without nodes stand for them, so pods are objects here; that brokers die of it and come
back is shown by a drill.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.processes import MARK
from drill.regions import REGIONS
from drill.testbed.foreign import ForeignPair, ForeignSettings
from drill.waiting import wait_for
from sandbox.regions import Sandbox
from sandbox.setup.tools import Tools

pytestmark = pytest.mark.engine

LONDON, PARIS = REGIONS
CONTEXTS = ("cluster-london", "cluster-paris")


class Clusters:
    """The two clusters, as their owner sees them."""

    def __init__(self, sandbox: Sandbox, tools: Tools, folder: Path) -> None:
        self.kubectl, self.kubeconfig, self.folder = tools.kubectl, sandbox.kubeconfig, folder
        self.said: list[str] = []

    def pair(self, consent: str = "", **settings: tuple[str, ...]) -> ForeignPair:
        found = ForeignSettings(
            kubeconfig=str(self.kubeconfig),
            contexts=CONTEXTS,
            **settings,  # type: ignore[arg-type]
        )
        own = self.folder / "drills.kubeconfig"
        return ForeignPair(found, self.kubectl, own, consent, self.said.append)

    def do(self, context: str, *arguments: str) -> str:
        return subprocess.run(
            [
                str(self.kubectl),
                f"--kubeconfig={self.kubeconfig}",
                "--context",
                context,
                *arguments,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def install(self, context: str, namespace: str) -> None:
        """Let something run that makes pods of its own accord."""
        self.do(context, "create", "namespace", namespace)
        self.do(
            context, "create", "deployment", "broker", "--image=x", "--replicas=2", "-n", namespace
        )
        self.until_pods(2, context, namespace)

    def until_pods(self, count: int, context: str, namespace: str) -> None:
        """Wait until a namespace has so many pods."""

        def missing() -> str | None:
            found = self.names(context, "pods", namespace)
            return None if len(found) == count else f"{len(found)} of {count} pods"

        wait_for(f"{namespace} has {count} pods", missing, 120, self.said.append)

    def names(self, context: str, kind: str, namespace: str) -> list[str]:
        return self.do(context, "get", kind, "-n", namespace, "-o", "name").split()


@pytest.fixture
def clusters(sandbox: Sandbox, tools: Tools, tmp_path: Path) -> Iterator[Clusters]:
    made = Clusters(sandbox, tools, tmp_path)
    try:
        yield made
    finally:
        for region in REGIONS:
            for namespace in (region.namespace, region.failover_namespace, "theirs"):
                made.do(region.context, "delete", "namespace", namespace, "--ignore-not-found")


def test_a_namespace_that_holds_something_is_refused_and_left_alone(clusters: Clusters) -> None:
    clusters.install(PARIS.context, PARIS.namespace)
    for consent in ("", "cluster-paris", "cluster-paris,another"):
        pair = clusters.pair(consent)
        with pytest.raises(DrillError) as caught:
            pair.up()
        assert "camunda-paris of context cluster-paris holds pod/broker-" in str(caught.value)
        assert "--consent cluster-london,cluster-paris" in str(caught.value)
        # What the drill does at the end, whatever became of it.
        pair.down()
        assert pair.left() == []
        assert clusters.names(PARIS.context, "deployments", PARIS.namespace)


def test_with_consent_the_drills_namespaces_are_emptied_and_no_other(clusters: Clusters) -> None:
    clusters.install(PARIS.context, PARIS.namespace)
    clusters.install(PARIS.context, "theirs")
    clusters.pair("cluster-paris,cluster-london").up()
    found = clusters.do(PARIS.context, "get", "namespaces", "-o", "name").split()
    assert "namespace/camunda-paris" not in found
    assert clusters.names(PARIS.context, "deployments", "theirs")


def test_a_region_is_lost_and_recreated(clusters: Clusters) -> None:
    pair = clusters.pair()
    pair.up()
    clusters.install(PARIS.context, PARIS.namespace)
    clusters.install(LONDON.context, LONDON.namespace)
    view = ClusterView(pair.kubeconfig, PARIS.context)
    assert len(view.pods(PARIS.namespace)) == 2

    pair.lose(1)
    with pytest.raises(ClusterCallFailed):
        ClusterView(pair.kubeconfig, PARIS.context).namespaces()
    assert len(ClusterView(pair.kubeconfig, LONDON.context).pods(LONDON.namespace)) == 2
    clusters.until_pods(0, PARIS.context, PARIS.namespace)
    policy = json.loads(
        clusters.do(
            *(PARIS.context, "get", "networkpolicy", "drill-lost", "-n", PARIS.namespace),
            *("-o", "json"),
        )
    )
    assert sorted(policy["spec"]["policyTypes"]) == ["Egress", "Ingress"]

    pair.recreate(1)
    assert PARIS.namespace not in ClusterView(pair.kubeconfig, PARIS.context).namespaces()
    assert pair.left() == ["namespace camunda-london of context cluster-london"]
    pair.down()
    assert pair.left() == []


def test_commands_of_the_users_lose_and_recreate_a_region(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By its mark a drill knows what it has to end: what a recreated region runs on must not bear it.
    monkeypatch.setenv(MARK, "a drill's folder")
    told = clusters.folder / "told"
    script = ("sh", "-c", f'echo "$0 $DRILL_REGION $DRILL_CONTEXT${MARK}" >> {told}')
    pair = clusters.pair(lose_command=(*script, "lose"), recreate_command=(*script, "recreate"))
    pair.up()
    clusters.install(PARIS.context, PARIS.namespace)
    pair.lose(1)
    assert len(clusters.names(PARIS.context, "pods", PARIS.namespace)) == 2
    pair.recreate(1)
    assert told.read_text() == "lose 1 cluster-paris\nrecreate 1 cluster-paris\n"
    assert pair.left() == []


def test_a_command_that_fails_is_told(clusters: Clusters) -> None:
    pair = clusters.pair(lose_command=("sh", "-c", "echo no such machine >&2; exit 3"))
    pair.up()
    with pytest.raises(DrillError, match="exit status 3: no such machine"):
        pair.lose(1)


def test_a_context_that_is_not_there_is_told(clusters: Clusters) -> None:
    found = ForeignSettings(kubeconfig=str(clusters.kubeconfig), contexts=("cluster-london", "no"))
    pair = ForeignPair(found, clusters.kubectl, clusters.folder / "k", "", clusters.said.append)
    with pytest.raises(DrillError, match="cannot locate context no"):
        pair.up()
