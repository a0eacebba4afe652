"""Before anything changes: the survivor must survive, and the region called lost must be lost.

Swapped regions are the mistake that costs a running cluster its quorum, and it is made under stress;
the guard asks the live gateway, whatever configuration and state say.
"""

import pytest

from dualregion.errors import Refused
from dualregion.settings import Settings
from dualregion.topology import Peer, desired
from hooks import preflight
from hooks.cluster import CallFailed, Cluster
from hooks.steps import Site
from tests.unit.examples import failover, settings
from tests.unit.fake_kubernetes import FakeKubernetes, Reply, failure, stateful_set, topology

LONDON, PARIS, FAILOVER = "camunda-london", "camunda-paris", "camunda-london-failover"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{LONDON}/statefulsets"
GATEWAY = f"{LONDON}/services/camunda-zeebe-gateway:8080"
SURVIVORS = {0: LONDON, 2: LONDON, 4: LONDON, 6: LONDON}
EVERYONE = SURVIVORS | {1: PARIS, 3: PARIS, 5: PARIS, 7: PARIS}


@pytest.fixture(autouse=True)
def settles_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr("time.sleep", lambda _: None)


def check(cluster: Cluster, found: Settings | None = None) -> list[str]:
    said: list[str] = []
    found = found or failover(0, lost=1)
    preflight.check(Site(cluster, found, desired(found, {}, Peer()), said.append))
    return said


def sees(kubernetes: FakeKubernetes, *views: dict[int, str]) -> None:
    kubernetes.behind(GATEWAY, "/v1/topology", *(Reply(200, topology(each)) for each in views))


@pytest.fixture
def survivor(kubernetes: FakeKubernetes) -> FakeKubernetes:
    kubernetes.put(STATEFUL_SETS, stateful_set(4))
    return kubernetes


@pytest.mark.parametrize("role", [settings(), failover(0, lost=0)], ids=["normal", "lost"])
def test_only_a_survivor_is_looked_at(
    cluster: Cluster, kubernetes: FakeKubernetes, role: Settings
) -> None:
    assert check(cluster, role) == []
    assert kubernetes.asked == []


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(SURVIVORS, id="lost region out of sight"),
        pytest.param(SURVIVORS | {1: FAILOVER, 5: FAILOVER}, id="failover brokers already there"),
        pytest.param({}, id="nobody in sight"),
    ],
)
def test_a_region_that_is_lost_may_be_failed_over(
    cluster: Cluster, survivor: FakeKubernetes, view: dict[int, str]
) -> None:
    sees(survivor, view)
    assert check(cluster) == []


def test_brokers_that_have_just_died_are_given_time_to_leave(
    cluster: Cluster, survivor: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 60)
    sees(survivor, EVERYONE, EVERYONE, SURVIVORS | {7: PARIS}, SURVIVORS)
    said = check(cluster)
    assert said[0].startswith("preflight: the brokers of paris leave the topology: 0 s; ")
    assert said[-1].startswith("preflight: the brokers of paris leave the topology: yes")


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(EVERYONE, id="all of it"),
        pytest.param(SURVIVORS | {7: PARIS}, id="one broker of it"),
    ],
)
def test_a_region_that_lives_is_not_failed_over(
    cluster: Cluster, survivor: FakeKubernetes, view: dict[int, str]
) -> None:
    sees(survivor, view)
    with pytest.raises(Refused) as caught:
        check(cluster)
    text = str(caught.value)
    assert "lostRegion is 1 (paris), but the gateway still sees broker" in text
    assert "7 (camunda-zeebe-" in text
    assert "set lostRegion 0 on both stacks" in text
    assert "Nothing was changed" in text
    assert {each.split()[0] for each in survivor.asked} == {"GET"}


def test_swapped_regions_are_refused_on_the_other_stack_alike(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    collection = f"/apis/apps/v1/namespaces/{PARIS}/statefulsets"
    kubernetes.put(collection, stateful_set(4))
    gateway = f"{PARIS}/services/camunda-zeebe-gateway:8080"
    kubernetes.behind(gateway, "/v1/topology", Reply(200, topology(EVERYONE)))
    with pytest.raises(Refused, match=r"lostRegion is 0 \(london\).*set lostRegion 1"):
        check(cluster, failover(1, lost=0))


def test_a_gateway_that_does_not_answer_is_left_to_the_gate(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    survivor.behind(GATEWAY, "/v1/topology", failure(503, "ServiceUnavailable", "no endpoints"))
    (said,) = check(cluster)
    assert "the survivor's gateway does not answer yet" in said
    assert "no endpoints" in said


def test_a_survivor_without_installation_is_refused_with_what_to_check(cluster: Cluster) -> None:
    with pytest.raises(Refused) as caught:
        check(cluster)
    text = str(caught.value)
    assert "region london is to survive" in text
    assert (
        "camunda-london of kube context 'cluster-london' holds no StatefulSet camunda-zeebe" in text
    )
    assert "check lostRegion" in text


def test_a_survivor_that_cannot_be_asked_is_not_taken_for_empty(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    path = f"{STATEFUL_SETS}/camunda-zeebe"
    kubernetes.broken[path] = failure(500, "InternalError", "etcdserver: leader changed")
    with pytest.raises(CallFailed, match="leader changed"):
        check(cluster)
