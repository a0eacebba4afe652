"""Rights that were just given are waited for: an API server acts on a RoleBinding only a little later."""

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.errors import DeadlineExceeded
from steps.releases import rbac
from tests.fakes.kubernetes import FakeKubernetes, failure
from tests.raising import fails_with

NAMESPACE = "camunda-london-failover"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"


@pytest.fixture
def refusing(kubernetes: FakeKubernetes) -> FakeKubernetes:
    """The namespace is there; nothing in it may be looked at yet."""
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    kubernetes.broken[SECRETS] = failure(403, "Forbidden", "secrets is forbidden")
    return kubernetes


def test_rights_that_come_a_little_later_are_waited_for(
    cluster: Cluster, refusing: FakeKubernetes
) -> None:
    def tick() -> None:
        if len(refusing.asked) > 3:
            refusing.broken.clear()

    refusing.tick = tick
    rbac.wait_until_granted(cluster, NAMESPACE, lambda _: None)
    assert refusing.asked.count(f"GET {SECRETS}") > 1


def test_rights_that_never_come_are_told_with_what_to_look_at(
    cluster: Cluster, refusing: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rbac, "GRANT_SECONDS", 0.1)
    with fails_with("secrets is forbidden", "look-at-subject", kind=DeadlineExceeded):
        rbac.wait_until_granted(cluster, NAMESPACE, lambda _: None)


def test_credentials_without_rights_are_seen(cluster: Cluster, refusing: FakeKubernetes) -> None:
    assert not rbac.is_granted(cluster, NAMESPACE)
    refusing.broken.clear()
    assert rbac.is_granted(cluster, NAMESPACE)


def test_a_cluster_in_trouble_shows_nothing_of_rights(
    cluster: Cluster, refusing: FakeKubernetes
) -> None:
    refusing.broken[SECRETS] = failure(503, "Unavailable", "later")
    with pytest.raises(CallFailed):
        rbac.is_granted(cluster, NAMESPACE)
