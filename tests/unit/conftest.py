"""A fake Kubernetes API for the tests of the hooks, and the real client on a kubeconfig that leads to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hooks.cluster import Cluster
from tests.unit.fake_kubernetes import FakeKubernetes, kubeconfig, serving


@pytest.fixture
def kubernetes() -> Iterator[FakeKubernetes]:
    with serving() as fake:
        yield fake


@pytest.fixture
def cluster(kubernetes: FakeKubernetes, tmp_path: Path) -> Cluster:
    return Cluster(kubeconfig(tmp_path, kubernetes.url, "cluster-london"), "cluster-london")
