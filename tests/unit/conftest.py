"""Fake clusters for the tests of the hooks: one with the real client that leads to it, and two in a failback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import charts
from clients.cluster import forward
from clients.cluster.kubernetes import Cluster
from messages.chart.files import no_helm
from tests.fakes.kubernetes import FakeKubernetes, forwarded, kubeconfig, serving
from tests.fakes.regions import World, world
from tests.inputs.random_inputs import Seeds


@pytest.fixture
def seeds(pytestconfig: pytest.Config) -> Seeds:
    """The seeds of a property test."""
    return Seeds(pytestconfig)


@pytest.fixture(autouse=True)
def without_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a chart repository by a helm that this machine may have."""

    def none() -> str:
        raise charts.NoHelm(no_helm())

    monkeypatch.setattr(charts, "helm", none)


@pytest.fixture(autouse=True)
def into_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake API server forwards no connections; what is sent on one reaches its gateway all the same."""
    monkeypatch.setattr(forward, "_exchange", forwarded)


@pytest.fixture
def kubernetes() -> Iterator[FakeKubernetes]:
    with serving() as fake:
        yield fake


@pytest.fixture
def cluster(kubernetes: FakeKubernetes, tmp_path: Path) -> Cluster:
    return Cluster(kubeconfig(tmp_path, kubernetes.url, "cluster-london"), "cluster-london")


@pytest.fixture(params=[1, 0], ids=["region 1 recreated", "region 0 recreated"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Both regions at the beginning of a failback, either of them recreated in turn."""
    with world(request.param, tmp_path) as made:
        yield made
