"""Before anything changes: the survivor must survive, and the region called lost must be lost.

Swapped regions are the mistake that costs a running cluster its quorum, and it is made under stress;
the guard asks the live gateway, whatever configuration and state say.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from clients.cluster import kubernetes as kubernetes_client
from clients.cluster.kubernetes import CallFailed, Cluster
from clients.zeebe import Zeebe
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.errors import CredentialsDemanded, DeadlineExceeded, Refused
from dualregion.procedure import Phase
from dualregion.state.progress import Incident, Stack
from messages import Message
from messages.steps import preflight as messages
from messages.steps import steps as waits
from steps import preflight
from steps.before import standstill
from steps.context import StepContext
from tests.fakes.kubernetes import (
    Document,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    kubeconfig,
    kubeconfig_of,
    partition_states,
    stateful_set,
    topology,
)
from tests.inputs.examples import failover, settings, with_cidrs
from tests.inputs.quick import QuickSite
from tests.raising import assert_message, assert_tells, fails_with, raises, tells

LONDON, PARIS, FAILOVER = "camunda-london", "camunda-paris", "camunda-london-failover"
STATEFUL_SETS = f"/apis/apps/v1/namespaces/{LONDON}/statefulsets"
PODS = f"/api/v1/namespaces/{LONDON}/pods"
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
    preflight.check(StepContext(cluster, found, desired(found, {}, Stack()), said.append))
    return said


def quick(cluster: Cluster, deadline: float = 0.05) -> QuickSite:
    """Return the site of a failover whose steps give up soon."""
    found = failover(0, lost=1, regions=with_cidrs())
    return QuickSite(cluster, found, desired(found, {}, Stack()), print, deadline=deadline)


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
    ],
)
def test_a_region_that_is_lost_may_be_failed_over(
    cluster: Cluster, survivor: FakeKubernetes, view: dict[int, str]
) -> None:
    sees(survivor, view)
    if FAILOVER in view.values():
        survivor.put(f"/api/v1/namespaces/{FAILOVER}/pods", *broker_pods(FAILOVER, 2))
    assert check(cluster) == []


def test_brokers_with_ids_of_the_lost_region_are_its_own_as_long_as_no_failover_broker_is_there(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    """Whatever their advertised addresses say: these are the user's to choose."""
    sees(survivor, SURVIVORS | {1: FAILOVER, 5: FAILOVER})
    with fails_with("region-not-lost", "still-visible", "1", "5", kind=Refused):
        check(cluster)


def test_a_healthy_region_with_advertised_addresses_of_the_users_is_not_failed_over(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    """No label of them is a namespace."""
    answer = topology(dict.fromkeys(range(4), LONDON), size=4, partitions=1)
    for broker in answer["brokers"]:
        region = 2 + broker["nodeId"] % 2
        broker["host"] = f"camunda-zeebe-0.eu-west-{region}.zeebe.example.com"
    survivor.behind(GATEWAY, "/v1/topology", Reply(200, answer))
    hosts = ("camunda-zeebe-0.eu-west-3.zeebe.example.com",)
    with fails_with("region-not-lost", "still-visible", "1", "3", *hosts, kind=Refused):
        check(cluster, failover(0, lost=1, clusterSize=4, partitionCount=1))


def test_a_gateway_that_demands_credentials_is_told_at_once(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    """It is not one that does not answer yet."""
    unauthorized = {"type": "about:blank", "title": "Unauthorized", "status": 401}
    survivor.behind(GATEWAY, "/v1/topology", Reply(401, unauthorized))
    with raises("credentials-demanded", CredentialsDemanded, status=401):
        check(cluster)
    with pytest.raises(CredentialsDemanded):
        preflight.wait_until_lost_region_gone(quick(cluster, deadline=600))


UNSEEN = {
    "no gateway": failure(503, "ServiceUnavailable", "no endpoints"),
    "none in sight": Reply(200, topology({})),
    "own brokers forgotten": Reply(200, topology({0: LONDON, 2: LONDON})),
    "a broken answer": Reply(200, "<html>"),
}


@pytest.mark.parametrize("answer", UNSEEN.values(), ids=UNSEEN)
class TestWhatCannotBeSeen:
    """It is no evidence: neither that the other region is lost, nor that it is not."""

    @pytest.fixture
    def blinded(self, survivor: FakeKubernetes, answer: Reply) -> FakeKubernetes:
        survivor.put(PODS, *broker_pods(LONDON, 4))
        survivor.behind(GATEWAY, "/v1/topology", answer)
        return survivor

    @pytest.fixture
    def both(self, kubernetes: FakeKubernetes, tmp_path: Path) -> Cluster:
        """A cluster whose kubeconfig leads to the other region's, too."""
        path = kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris")
        return Cluster(path, "cluster-london")

    def test_it_is_told_and_nothing_is_cut_off(
        self, cluster: Cluster, blinded: FakeKubernetes, answer: Reply
    ) -> None:
        (said,) = check(cluster)
        assert_message(said, "loss-not-visible", region="paris")
        hint = "look-behind-service" if answer.status == 503 else "cut-by-hand"
        with raises("deadline-exceeded", DeadlineExceeded, step="F1") as caught:
            preflight.wait_until_lost_region_gone(quick(cluster))
        assert_tells(caught.value.message, waits.out_of_sight("paris"), hint)
        assert all(each.startswith("GET") for each in blinded.asked)

    def test_the_other_regions_cluster_is_asked_too(
        self, both: Cluster, blinded: FakeKubernetes, tmp_path: Path
    ) -> None:
        there = broker_pods(PARIS, 2)
        there[1]["status"]["conditions"] = []
        blinded.put(f"/api/v1/namespaces/{PARIS}/pods", *there)
        found = failover(0, lost=1, kubeconfig=str(tmp_path / "kubeconfig"))
        ready = messages.brokers_ready_there(["camunda-zeebe-0"], PARIS)
        reason = messages.cluster_answers_there(ready)
        with raises("region-not-lost", Refused, lost_name="paris", reason=reason):
            check(both, found)


def test_the_lost_region_must_be_out_of_sight_twice_before_it_is_cut_off(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    sees(survivor, SURVIVORS, EVERYONE, SURVIVORS, SURVIVORS)
    preflight.wait_until_lost_region_gone(quick(cluster, deadline=30))
    assert survivor.asked.count(f"GET /api/v1/namespaces/{GATEWAY}/proxy/v1/topology") == 4
    sees(survivor, SURVIVORS | {7: PARIS})
    with fails_with("still-visible", "7", kind=DeadlineExceeded):
        preflight.wait_until_lost_region_gone(quick(cluster))


def test_what_was_proved_to_be_gone_is_cut_off_again_at_once(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    """The policy was deleted, say, and the lost region is back, alive."""
    sees(survivor, EVERYONE)
    name = "1-region1-lost"
    for nodes in ({"normal", "F1"}, {"normal", "failover", "F1"}):
        own = Stack(nodes=frozenset(nodes), gates={"F1": name})
        ctx = replace(quick(cluster), own=own, incident=Incident.parse(name))
        preflight.wait_until_lost_region_gone(ctx)
    assert survivor.asked == []


def test_a_region_that_lives_though_it_is_cut_off_is_told(
    kubernetes: FakeKubernetes, survivor: FakeKubernetes, tmp_path: Path
) -> None:
    path = kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris")
    sees(survivor, SURVIVORS)
    survivor.put(f"/api/v1/namespaces/{PARIS}/pods", *broker_pods(PARIS, 4))
    (said,) = check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))
    assert_tells(said, "lost-region-cut-off", "camunda-zeebe-3", PARIS)


def test_brokers_that_have_just_died_are_given_time_to_leave(
    cluster: Cluster, survivor: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 60)
    sees(survivor, EVERYONE, EVERYONE, SURVIVORS | {7: PARIS}, SURVIVORS)
    said = check(cluster)
    assert_tells(said[0], "wait-goes-on", "preflight", messages.brokers_leave("paris"))
    assert_tells(said[-1], "wait-done", "preflight", messages.brokers_leave("paris"))


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
    with raises("region-not-lost", Refused, lost_region=1, lost_name="paris", region=0) as caught:
        check(cluster)
    assert_tells(caught.value.message, "still-visible", "7")
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
    with raises("region-not-lost", Refused, reason=messages.command_carried_out(3)):
        check(cluster)


def test_commands_that_are_not_answered_hold_the_guard_up_no_longer_than_before(
    cluster: Cluster, survivor: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "SETTLE_SECONDS", 60)
    monkeypatch.setattr(Zeebe, "refuses_commands", lambda *_: Event().wait(30) and None)
    sees(survivor, EVERYONE, EVERYONE, SURVIVORS)
    assert_tells(check(cluster)[-1], "wait-done", messages.brokers_leave("paris"))


class TestStandstill:
    """A dead region's brokers are listed for a while: what needs them stands still, and nobody answers there."""

    LED_THERE = Reply(200, topology(EVERYONE, leaderless=(1, 3, 5, 7)))
    """No broker of London's leads; Paris's are listed as leaders still."""

    @pytest.fixture(autouse=True)
    def patient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(preflight, "SETTLE_SECONDS", 0.5)
        monkeypatch.setattr(standstill, "STILL_SECONDS", 0.1)
        monkeypatch.setattr(standstill, "_AGAIN_SECONDS", 0.0)
        monkeypatch.setattr(kubernetes_client, "RETRY_SECONDS", 0)

    @pytest.fixture
    def path(self, kubernetes: FakeKubernetes, tmp_path: Path) -> str:
        """A kubeconfig in which nothing listens at the other region's address."""
        nothing = "http://127.0.0.1:1"
        return kubeconfig_of(tmp_path, {"cluster-london": kubernetes.url, "cluster-paris": nothing})

    def refused(self, path: str) -> None:
        with raises("region-not-lost", Refused, lost_name="paris"):
            check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))

    def test_it_is_enough_to_look_ahead_and_is_told(
        self, survivor: FakeKubernetes, path: str
    ) -> None:
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        said = check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))
        told = [each for each in said if tells(each, "lost-brokers-still-listed")]
        assert_tells(told, "still-visible", "7", "london", "paris")

    def test_nothing_is_cut_off_on_it(self, survivor: FakeKubernetes, path: str) -> None:
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        site = replace(quick(Cluster(path, "cluster-london")))
        with fails_with("still-visible", "7", kind=DeadlineExceeded):
            preflight.wait_until_lost_region_gone(site)

    def test_it_must_last(
        self, survivor: FakeKubernetes, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standstill, "STILL_SECONDS", 60)
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        self.refused(path)

    def test_a_leader_here_needs_the_other_region(
        self, survivor: FakeKubernetes, path: str
    ) -> None:
        one = Reply(200, topology(EVERYONE, leaderless=(1, 3, 5)))
        survivor.behind(GATEWAY, "/v1/topology", one)
        self.refused(path)

    def test_a_break_begins_it_again(self, survivor: FakeKubernetes, path: str) -> None:
        led_here = Reply(200, topology(EVERYONE, leaderless=(1, 3, 5)))
        survivor.behind(GATEWAY, "/v1/topology", *([self.LED_THERE, led_here] * 5000))
        self.refused(path)

    def test_a_command_that_is_carried_out_refuses_it_whatever_else_is_seen(
        self, survivor: FakeKubernetes, path: str
    ) -> None:
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        done = Reply(404, {"title": "NOT_FOUND"})
        survivor.behind(GATEWAY, f"/v1/user-tasks/{2 << 51}/completion", done, method="POST")
        with raises("region-not-lost", Refused, reason=messages.command_carried_out(2)):
            check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))

    def test_a_partition_that_refused_in_an_election_and_works_again_lives(
        self, survivor: FakeKubernetes, path: str
    ) -> None:
        """Its leader is over there; what was refused once is asked again."""
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        refused, done = Reply(503, {"title": "UNAVAILABLE"}), Reply(404, {"title": "NOT_FOUND"})
        where = f"/v1/user-tasks/{2 << 51}/completion"
        survivor.behind(GATEWAY, where, refused, done, method="POST")
        with raises("region-not-lost", Refused, reason=messages.command_carried_out(2)):
            check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))

    @pytest.mark.parametrize("status", [401, 403, 429, 503])
    def test_an_api_server_that_answers_whatever_is_not_silent(
        self, kubernetes: FakeKubernetes, survivor: FakeKubernetes, tmp_path: Path, status: int
    ) -> None:
        answering = kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris")
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        kubernetes.broken["/api/v1/namespaces/kube-system"] = failure(status, "Busy", "not now")
        self.refused(answering)

    def test_one_that_cannot_be_asked_is_not_silent(
        self, cluster: Cluster, survivor: FakeKubernetes
    ) -> None:
        """The kubeconfig has no such context."""
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        with raises("region-not-lost", Refused):
            check(cluster)

    def test_gateways_that_do_not_see_their_own_brokers_show_nothing(
        self, survivor: FakeKubernetes, path: str
    ) -> None:
        survivor.put(PODS, *broker_pods(LONDON, 4))
        half = Reply(200, topology({0: LONDON, 7: PARIS}, leaderless=range(1, 9)))
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE, half)
        said = check(Cluster(path, "cluster-london"), failover(0, lost=1, kubeconfig=path))
        assert not tells(said, "lost-brokers-still-listed")

    def test_commands_that_wait_show_nothing_at_first(
        self, survivor: FakeKubernetes, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gateway in trouble lets them wait, too."""
        monkeypatch.setattr(Zeebe, "refuses_commands", lambda *_: Event().wait(30) and None)
        monkeypatch.setattr(standstill, "STILL_SECONDS", 60)
        survivor.behind(GATEWAY, "/v1/topology", self.LED_THERE)
        self.refused(path)


def test_swapped_regions_are_refused_on_the_other_stack_alike(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    collection = f"/apis/apps/v1/namespaces/{PARIS}/statefulsets"
    kubernetes.put(collection, stateful_set(4))
    gateway = f"{PARIS}/services/camunda-zeebe-gateway:8080"
    kubernetes.behind(gateway, "/v1/topology", Reply(200, topology(EVERYONE)))
    with raises("region-not-lost", Refused, lost_region=0, lost_name="london", region=1):
        check(cluster, failover(1, lost=0))


def test_a_survivor_without_installation_is_refused_with_what_to_check(cluster: Cluster) -> None:
    with raises(
        "no-survivor",
        Refused,
        region="london",
        namespace=LONDON,
        context="cluster-london",
        stateful_set="camunda-zeebe",
    ):
        check(cluster)


def test_a_survivor_that_cannot_be_asked_is_not_taken_for_empty(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    path = f"{STATEFUL_SETS}/camunda-zeebe"
    kubernetes.broken[path] = failure(500, "InternalError", "etcdserver: leader changed")
    with fails_with("leader changed", kind=CallFailed):
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
    ctx = StepContext(cluster, found, desired(found, {}, peer), said.append, peer=peer)
    if not refused:
        preflight.check(ctx)
        return
    with raises("empty-return", Refused, region=0):
        preflight.check(ctx)


def test_a_failback_may_be_backed_out_of_though_the_recreated_brokers_are_in_sight(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    sees(survivor, EVERYONE)
    name, found = "1-region1-lost", failover(0, lost=1)
    incident = Incident.parse(name)

    def ctx(*gates: str) -> StepContext:
        own = Stack(
            nodes=frozenset({"normal", "failover", *gates}), gates=dict.fromkeys(gates, name)
        )
        topology = desired(found, {}, Stack(), own)
        return StepContext(cluster, found, topology, print, own=own, incident=incident)

    preflight.check(ctx("B0", "B2"))
    with raises("region-not-lost", Refused):
        preflight.check(ctx("B0", "B2", "B3", "B4", "B5"))


def test_paused_exporters_are_told_in_every_run(cluster: Cluster, survivor: FakeKubernetes) -> None:
    pods = f"/api/v1/namespaces/{LONDON}/pods"
    survivor.put(pods, *broker_pods(LONDON, 4))
    survivor.put(f"/api/v1/namespaces/{FAILOVER}/pods")
    found = failover(0, lost=1)
    ctx = StepContext(cluster, found, desired(found, {}, Stack()), print)
    assert preflight.warnings(ctx) == [], "brokers that do not answer are no news"
    for phase, told in (("EXPORTING", 0), ("PAUSED", 1)):
        for ordinal in range(4):
            survivor.behind(
                f"{LONDON}/pods/camunda-zeebe-{ordinal}:9600",
                "/actuator/partitions",
                Reply(200, partition_states({1: "LEADER"}, phase=phase)),
            )
        warnings = preflight.warnings(ctx)
        assert len(warnings) == told
    assert_message(warnings[0], "exporters-paused")


def test_a_lost_region_that_was_silent_when_it_was_asked_about_is_spared(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is slow is not gone; it may answer a moment after the command has looked."""
    found = failover(0, lost=0)
    taken_over = Stack(Phase.FAILOVER, 0, frozenset({"failover", "F3"}), 1)
    own = Stack(Phase.NORMAL, nodes=frozenset({"normal"}))
    ctx = StepContext(cluster, found, desired(found, {}, taken_over, own), print, own, taken_over)
    preflight.check(ctx)
    monkeypatch.setenv(preflight.SPARE_LIVING, "1")
    with raises("region-answers-now", Refused):
        preflight.check(ctx)
    held = replace(ctx, topology=remembered(found, own))
    preflight.check(held)
    preflight.check(replace(ctx, own=Stack()))


def test_an_installation_that_may_be_deleted_is_told_in_every_run(cluster: Cluster) -> None:
    for named, told in (("camunda-london", 1), ("camunda-paris", 0), (None, 0)):
        found = settings(retire=named)
        warned = preflight.warnings(StepContext(cluster, found, desired(found, {}, Stack()), print))
        assert warned == [messages.retired("camunda-london")] * told


def grown_up(*, without: Iterable[int] = ()) -> Document:
    """Return the topology of 12 brokers that began on a version that sorted ids as texts, without some of them."""
    order = sorted(range(12), key=str)
    answer = topology(dict.fromkeys(set(range(12)) - set(without), LONDON), partitions=12, size=12)
    for broker in answer["brokers"]:
        place = order.index(broker["nodeId"])
        broker["partitions"] = [
            {"partitionId": (place - offset) % 12 + 1, "role": "follower", "health": "healthy"}
            for offset in range(4)
        ]
    return answer


@pytest.mark.parametrize(("lost", "stuck"), [(0, [2, 3]), (1, [3, 4])])
def test_a_failover_without_quorum_is_refused_by_who_really_holds_the_partitions(
    cluster: Cluster, survivor: FakeKubernetes, lost: int, stuck: list[int]
) -> None:
    """Computed as for a new cluster, every partition would have one."""
    found = failover(1 - lost, lost=lost, clusterSize=12, partitionCount=12)
    own = found.own.namespace
    survivor.put(f"/apis/apps/v1/namespaces/{own}/statefulsets", stateful_set(6))
    gateway = f"{own}/services/camunda-zeebe-gateway:8080"
    survivor.behind(gateway, "/v1/topology", Reply(200, grown_up()))
    with raises("unsafe-distribution", Refused, cluster_size=12, replication_factor=4) as caught:
        check(cluster, found)
    assert isinstance(caught.value.message, Message)
    problem = caught.value.message.facts["problem"]
    assert_message(problem, "no-quorum-after-failover", lost_region=lost)
    assert list(problem.facts["partitions"]) == stuck


def test_what_of_the_distribution_is_out_of_sight_already_is_told_and_refuses_nothing(
    cluster: Cluster, survivor: FakeKubernetes
) -> None:
    found = failover(0, lost=1, clusterSize=12, partitionCount=12)
    survivor.behind(GATEWAY, "/v1/topology", Reply(200, grown_up(without=range(1, 12, 2))))
    said = check(cluster, found)
    assert tells(said, "distribution-unknown")
