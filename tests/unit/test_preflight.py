"""Before anything changes: the survivor must survive, and the region called lost must be lost.

Swapped regions are the mistake that costs a running cluster its quorum, and it is made under stress;
the guard asks the live gateway, whatever configuration and state say.
"""

from dataclasses import replace
from threading import Event

import pytest

from dualregion.desired import desired, remembered
from dualregion.errors import Refused
from dualregion.procedure import Phase
from dualregion.progress import Incident, Stack
from dualregion.settings import Settings
from hooks import preflight, zeebe
from hooks.cluster import CallFailed, Cluster
from hooks.site import Site
from tests.unit.examples import failover, settings
from tests.unit.fake_kubernetes import (
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    partition_states,
    stateful_set,
    topology,
)

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
    preflight.check(Site(cluster, found, desired(found, {}, Stack()), said.append))
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
    changing = {each for each in survivor.asked if not each.startswith("GET")}
    assert changing
    assert all("/v1/user-tasks/" in each for each in changing), "a command that leaves nothing"


def test_a_command_that_needs_the_other_region_proves_at_once_that_it_lives(
    cluster: Cluster, survivor: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 600)
    sees(survivor, EVERYONE)
    carried_out = Reply(404, {"title": "NOT_FOUND"})
    survivor.behind(GATEWAY, f"/v1/user-tasks/{3 << 51}/completion", carried_out, method="POST")
    with pytest.raises(Refused) as caught:
        check(cluster)
    text = str(caught.value)
    assert "lostRegion is 1 (paris), but partition 3 has just carried out a command" in text
    assert "that region is not lost" in text
    assert "Nothing was changed" in text


def test_commands_that_nobody_answers_hold_the_guard_up_no_longer_than_before(
    cluster: Cluster, survivor: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 60)
    monkeypatch.setattr(zeebe, "refuses_commands", lambda *_: Event().wait(30) and None)
    sees(survivor, EVERYONE, EVERYONE, SURVIVORS)
    assert check(cluster)[-1].startswith("preflight: the brokers of paris leave the topology: yes")


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


@pytest.mark.parametrize(
    ("proved", "installed", "refused"),
    [
        pytest.param(True, False, True, id="worked together, and is empty now"),
        pytest.param(True, True, False, id="at work"),
        pytest.param(False, False, False, id="never installed"),
    ],
)
def test_a_region_that_was_lost_does_not_come_back_empty_without_a_failback(
    cluster: Cluster, kubernetes: FakeKubernetes, proved: bool, installed: bool, refused: bool
) -> None:
    """Empty brokers could outvote those that hold what was acknowledged."""
    found, said = settings(), list[str]()
    peer = Stack(Phase.NORMAL, nodes=frozenset({"normal", "N"} if proved else {"normal"}))
    if installed:
        kubernetes.put(STATEFUL_SETS, stateful_set(4))
    site = Site(cluster, found, desired(found, {}, peer), said.append, peer=peer)
    if not refused:
        preflight.check(site)
        return
    with pytest.raises(Refused) as caught:
        preflight.check(site)
    assert "without their data could lose acknowledged work" in str(caught.value)
    assert "set phase failover and lostRegion 0 on both stacks" in str(caught.value)


def test_a_failback_may_be_backed_out_of_though_the_recreated_brokers_are_in_sight(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    sees(survivor, EVERYONE)
    name, found = "1-region1-lost", failover(0, lost=1)
    incident = Incident.parse(name)

    def site(*gates: str) -> Site:
        own = Stack(
            nodes=frozenset({"normal", "failover", *gates}), gates=dict.fromkeys(gates, name)
        )
        topology = desired(found, {}, Stack(), own)
        return Site(cluster, found, topology, print, own=own, incident=incident)

    preflight.check(site("B0", "B2"))
    with pytest.raises(Refused, match="that region is not lost"):
        preflight.check(site("B0", "B2", "B3", "B4", "B5"))


def test_paused_exporters_are_told_in_every_run(cluster: Cluster, survivor: FakeKubernetes) -> None:
    pods = f"/api/v1/namespaces/{LONDON}/pods"
    survivor.put(pods, *broker_pods(LONDON, 4))
    survivor.put(f"/api/v1/namespaces/{FAILOVER}/pods")
    found = failover(0, lost=1)
    site = Site(cluster, found, desired(found, {}, Stack()), print)
    assert preflight.warnings(site) == [], "brokers that do not answer are no news"
    for phase, told in (("EXPORTING", 0), ("PAUSED", 1)):
        for ordinal in range(4):
            survivor.behind(
                f"{LONDON}/pods/camunda-zeebe-{ordinal}:9600",
                "/actuator/partitions",
                Reply(200, partition_states({1: "LEADER"}, phase=phase)),
            )
        warnings = preflight.warnings(site)
        assert len(warnings) == told
    assert "EXPORTERS ARE PAUSED" in warnings[0]
    assert "to back out" in warnings[0]


def test_a_lost_region_that_was_silent_when_it_was_asked_about_is_spared(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audit 21: who is slow is not gone; it may answer a moment after the command has looked."""
    found = failover(0, lost=0)
    taken_over = Stack(Phase.FAILOVER, 0, frozenset({"failover", "F3"}), 1)
    own = Stack(Phase.NORMAL, nodes=frozenset({"normal"}))
    site = Site(cluster, found, desired(found, {}, taken_over, own), print, own, taken_over)
    preflight.check(site)
    monkeypatch.setenv(preflight.SPARE_LIVING, "1")
    with pytest.raises(Refused, match=r"answers now.*nothing of it was deleted.*it asks first"):
        preflight.check(site)
    held = replace(site, topology=remembered(found, own))
    preflight.check(held)
    preflight.check(replace(site, own=Stack()))


def test_an_installation_that_may_be_deleted_is_told_in_every_run(cluster: Cluster) -> None:
    for named, told in (("camunda-london", 1), ("camunda-paris", 0), (None, 0)):
        found = settings(retire=named)
        warned = preflight.warnings(Site(cluster, found, desired(found, {}, Stack()), print))
        assert [each.startswith("retire is 'camunda-london': ") for each in warned] == [True] * told
