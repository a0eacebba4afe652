"""The gates' proofs: each can succeed, each can fail, and a failure tells the operator what to do.

A survivor's cluster is set up as it is when everything went well; then one thing at a time is put
wrong, and the gate that is there for it must not let it pass. What it says must hold what it waited
for, what it saw last and the next thing to try. Either region is lost in turn.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from clients.cluster.kubernetes import Cluster
from clients.zeebe import Zeebe
from dualregion import brokers
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import DeadlineExceeded, Refused
from dualregion.names import POLICY_NAME
from dualregion.procedure import CAMUNDA_8_5, STEP_IDS
from dualregion.state.progress import Incident, Stack
from messages.clients import installations
from messages.observed import brokers as messages
from messages.steps import exporting, steps
from sandbox.patience import allowed
from steps import actions, broker_views
from steps import failover as failover_hooks
from steps.context import Evidence, StepContext
from tests.fakes.kubernetes import (
    NO_SUCH_TASK,
    Document,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    gateway_pods,
    kubeconfig,
    partition_states,
    search_engine,
    stateful_set,
    topology,
)
from tests.inputs.examples import NAMES, failover, settings, with_cidrs
from tests.inputs.quick import QuickSite
from tests.raising import assert_message, assert_tells, fails_with, raises, tells

PARTITIONS = 4
SIZE = 4


@dataclass
class Region:
    """A survivor's region in the fake cluster, and the site that works on it."""

    kubernetes: FakeKubernetes
    ctx: QuickSite
    said: list[str]

    @property
    def settings(self) -> Settings:
        return self.ctx.settings

    @property
    def own(self) -> str:
        return self.settings.own.namespace

    @property
    def takeover(self) -> str:
        return self.settings.own.failover

    @property
    def lost(self) -> int:
        return 1 - self.settings.region

    @property
    def hosts(self) -> dict[int, str]:
        """Every broker of the failed-over cluster and its namespace."""
        survivors = brokers.region_broker_ids(SIZE, self.settings.region)
        taken = brokers.failover_broker_ids(SIZE, self.lost)
        return dict.fromkeys(survivors, self.own) | dict.fromkeys(taken, self.takeover)

    def sees(self, *answers: Document | Reply) -> None:
        """Set what the survivor's gateway answers to /v1/topology, one after the other."""
        replies = [each if isinstance(each, Reply) else Reply(200, each) for each in answers]
        self.kubernetes.behind(
            f"{self.own}/services/camunda-zeebe-gateway:8080", "/v1/topology", *replies
        )

    def gateways(self, *views: dict[int, str], ready: int = 2) -> None:
        """Let the survivor have several gateways, each of which sees other brokers."""
        pods = gateway_pods(self.own, len(views))
        for pod in pods[ready:]:
            pod["status"]["conditions"] = []
        self.kubernetes.put(f"/api/v1/namespaces/{self.own}/pods", *pods)
        for pod, hosts in zip(pods, views, strict=True):
            answer = Reply(200, topology(hosts, size=SIZE, partitions=PARTITIONS))
            target = f"{self.own}/pods/{pod['metadata']['name']}:8080"
            self.kubernetes.behind(target, "/v1/topology", answer)

    def takes_commands(self, partition: int, *replies: Reply, at: str = "") -> None:
        self.kubernetes.behind(
            f"{at or self.own}/services/camunda-zeebe-gateway:8080",
            f"/v1/user-tasks/{partition << 51}/completion",
            *replies,
            method="POST",
        )

    def exports(self, *positions: int, phase: str = "EXPORTING") -> None:
        """Let the first survivor lead every partition and say these positions in turn."""
        roles = dict.fromkeys(range(1, PARTITIONS + 1), "LEADER")
        states = [
            partition_states(roles, exported=each, processed=1000, phase=phase)
            # asked first of all whether exporting is paused
            for each in (positions[0], *positions)
        ]
        for namespace, pod, replies in (
            (self.own, "camunda-zeebe-0", [Reply(200, each) for each in states]),
            (self.own, "camunda-zeebe-1", [Reply(200, {})]),
            (self.takeover, "camunda-zeebe-0", [Reply(200, {})]),
        ):
            self.kubernetes.behind(f"{namespace}/pods/{pod}:9600", "/actuator/partitions", *replies)

    def install(
        self, namespace: str, *, replaced: bool = True, other: dict[str, str] | None = None
    ) -> None:
        """Roll out the brokers of one namespace with the environment of the failover, or of before it."""
        count = 2 if namespace == self.own else 1
        region = self.lost if replaced else None
        wanted = broker_views.wanted_environment(self.settings, replaced_region=region) | (
            other or {}
        )
        env = [{"name": name, "value": value} for name, value in wanted.items()]
        collection = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
        self.kubernetes.put(collection, stateful_set(count, env=env), search_engine(2, 2))
        pods = f"/api/v1/namespaces/{namespace}/pods"
        self.kubernetes.put(pods, *broker_pods(namespace, count, env=env))

    @property
    def deployments(self) -> dict[str, Document]:
        """The Deployments of the region's own installation, by name."""
        path = f"/apis/apps/v1/namespaces/{self.own}/deployments"
        return self.kubernetes.objects.setdefault(path, {})

    def has_deployment(self, component: str, *, ready: int = 2) -> None:
        """Give the region's own installation a Deployment of two pods."""
        name = f"camunda-{component}"
        self.deployments[name] = {
            "metadata": {"name": name, "generation": 1},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": 2},
        }

    def isolated(self, *namespaces: str) -> None:
        for namespace in namespaces:
            policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
            self.kubernetes.put(policies, {"metadata": {"name": POLICY_NAME}})


@pytest.fixture(params=[1, 0], ids=["region 1 lost", "region 0 lost"])
def survivor(request: pytest.FixtureRequest, kubernetes: FakeKubernetes) -> Region:
    """A region that has been failed over well: every proof holds."""
    lost: int = request.param
    found = failover(
        1 - lost, lost=lost, clusterSize=SIZE, partitionCount=PARTITIONS, regions=with_cidrs()
    )
    folder = request.getfixturevalue("tmp_path")
    context = found.own.kube_context
    cluster = Cluster(kubeconfig(folder, kubernetes.url, context), context)
    said: list[str] = []
    confirmed = Stack(gates={"F0": f"1-region{lost}-lost"})
    ctx = QuickSite(
        cluster,
        found,
        desired(found, {}, Stack()),
        said.append,
        own=confirmed,
        incident=Incident(1, lost),
    )
    region = Region(kubernetes, ctx, said)
    region.sees(topology(region.hosts, size=SIZE, partitions=PARTITIONS))
    region.isolated(region.own, region.takeover)
    region.install(region.own)
    region.install(region.takeover)
    region.exports(10, 11)
    for partition in range(1, PARTITIONS + 1):
        region.takes_commands(partition, NO_SUCH_TASK)
    return region


def refusal(
    prove: Callable[[StepContext], Evidence], region: Region, deadline: float = 0.05
) -> object:
    """Return the message of a gate that gives up; one that must look twice before that needs a longer deadline."""
    with raises("deadline-exceeded", DeadlineExceeded) as caught:
        prove(replace(region.ctx, deadline=deadline))
    return caught.value.message


def test_every_step_has_its_proof() -> None:
    assert set(actions.PROOFS) == set(STEP_IDS)


class TestF1:
    """The lost region's brokers are out of sight, and the policies exist."""

    def test_it_is_proved(self, survivor: Region) -> None:
        evidence = failover_hooks.isolate(survivor.ctx)
        assert evidence["policies"] == (
            f"{survivor.takeover}/{POLICY_NAME}, {survivor.own}/{POLICY_NAME}"
        )
        for broker, namespace in survivor.hosts.items():
            assert f"{broker} camunda-zeebe-" in evidence["brokers"]
            assert namespace in evidence["brokers"]

    def test_it_waits_until_the_lost_brokers_have_left(self, survivor: Region) -> None:
        lost = dict.fromkeys(
            brokers.region_broker_ids(SIZE, survivor.lost), survivor.settings.peer.namespace
        )
        before = topology(survivor.hosts | lost, size=SIZE, partitions=PARTITIONS)
        after = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS)
        survivor.sees(before, after, before, after)
        failover_hooks.isolate(survivor.ctx)
        assert tells(survivor.said, "still-visible")

    def test_a_lost_region_in_sight_is_refused(self, survivor: Region) -> None:
        peer = survivor.settings.peer
        last = brokers.region_broker_ids(SIZE, survivor.lost)[-1]
        survivor.sees(topology(survivor.hosts | {last: peer.namespace}, size=SIZE))
        found = refusal(failover_hooks.isolate, survivor)
        assert_message(found, "deadline-exceeded", step="F1")
        assert_tells(found, steps.lost_brokers_gone(peer.name, peer.namespace), "cut-or-back-out")
        host = f"camunda-zeebe-0.camunda-zeebe.{peer.namespace}"
        assert_tells(found, "still-visible", str(last), host)

    def test_a_gateway_that_does_not_answer_proves_nothing(self, survivor: Region) -> None:
        survivor.sees(failure(503, "ServiceUnavailable", "no endpoints available for service"))
        told = ("GET /v1/topology of camunda-zeebe-gateway:8080", "no endpoints available")
        assert_tells(refusal(failover_hooks.isolate, survivor), *told)

    @pytest.mark.parametrize("answered", [{}, "others"], ids=["none", "others only"])
    def test_a_gateway_that_does_not_see_its_own_region_proves_nothing(
        self, survivor: Region, answered: object
    ) -> None:
        others = {id_: at for id_, at in survivor.hosts.items() if at == survivor.takeover}
        survivor.sees(topology(others if answered else {}, size=SIZE))
        told = ("gateway-blind", "ready-brokers-unseen")
        assert_tells(refusal(failover_hooks.isolate, survivor), *told)

    def test_one_gateway_of_two_that_has_forgotten_the_lost_region_proves_nothing(
        self, survivor: Region
    ) -> None:
        last = brokers.region_broker_ids(SIZE, survivor.lost)[-1]
        lives = survivor.hosts | {last: survivor.settings.peer.namespace}
        survivor.gateways(survivor.hosts, lives)
        assert_tells(refusal(failover_hooks.isolate, survivor), "still-visible", str(last))

    def test_all_gateways_that_are_ready_are_asked(self, survivor: Region) -> None:
        survivor.gateways(survivor.hosts, {})
        assert_tells(refusal(failover_hooks.isolate, survivor), "gateway-blind")
        survivor.gateways(survivor.hosts, survivor.hosts)
        assert "policies" in failover_hooks.isolate(survivor.ctx)

    def test_a_gateway_that_is_not_ready_is_not_asked(self, survivor: Region) -> None:
        survivor.gateways(survivor.hosts, {}, ready=1)
        assert "policies" in failover_hooks.isolate(survivor.ctx)
        survivor.gateways(survivor.hosts, ready=0)
        assert_tells(refusal(failover_hooks.isolate, survivor), "no-gateway-ready", survivor.own)

    @pytest.mark.parametrize("missing", ["own", "takeover"])
    def test_a_missing_policy_is_named(self, survivor: Region, missing: str) -> None:
        namespace = getattr(survivor, missing)
        path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        survivor.kubernetes.objects[path].clear()
        found = refusal(failover_hooks.isolate, survivor, deadline=1)
        missing_one = steps.policies_missing([f"{namespace}/{POLICY_NAME}"])
        assert_tells(found, "policies-exist", missing_one, "run-again")

    def test_without_addresses_the_isolation_is_the_operators_own(self, survivor: Region) -> None:
        found = failover(
            survivor.settings.region, lost=survivor.lost, clusterSize=4, partitionCount=4
        )
        ctx = replace(survivor.ctx, settings=found, topology=desired(found, {}, Stack()))
        assert failover_hooks.isolate(ctx)["policies"] == "none: no pod CIDRs are configured"


class TestF2:
    """Failover brokers run under the lost ids, and every partition has a leader and quorum."""

    def test_it_is_proved(self, survivor: Region) -> None:
        evidence = failover_hooks.take_over(survivor.ctx)
        (taken,) = brokers.failover_broker_ids(SIZE, survivor.lost)
        assert (
            f"{taken} camunda-zeebe-0.camunda-zeebe.{survivor.takeover}.svc" in evidence["brokers"]
        )
        assert survivor.kubernetes.deleted() == []

    def test_brokers_that_are_not_ready(self, survivor: Region) -> None:
        collection = f"/apis/apps/v1/namespaces/{survivor.takeover}/statefulsets"
        survivor.kubernetes.put(collection, stateful_set(1, readyReplicas=0))
        found = refusal(failover_hooks.take_over, survivor)
        assert_message(found, "deadline-exceeded", step="F2")
        assert_tells(found, steps.failover_brokers_ready(1, survivor.takeover))
        assert_tells(found, installations.brokers_not_ready(0, 1, survivor.takeover, None))
        context = survivor.settings.own.kube_context
        kubectl = f"kubectl --context {context} -n {survivor.takeover}"
        assert_tells(found, steps.look_at_pods(kubectl))

    def test_a_lost_region_that_still_works_with_brokers_of_this_one(
        self, survivor: Region, tmp_path: Path
    ) -> None:
        own, peer = survivor.settings.own.kube_context, survivor.settings.peer.kube_context
        path = kubeconfig(tmp_path, survivor.kubernetes.url, own, peer)
        collection = f"/apis/apps/v1/namespaces/{survivor.takeover}/statefulsets"
        survivor.kubernetes.put(collection, stateful_set(1, readyReplicas=0))
        survivor.takes_commands(1, NO_SUCH_TASK, at=survivor.settings.peer.namespace)
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            if tells([line], "lost-region-works"):
                # As if the network had been cut.
                survivor.install(survivor.takeover)

        found = failover(
            1 - survivor.lost,
            lost=survivor.lost,
            clusterSize=SIZE,
            partitionCount=PARTITIONS,
            regions=with_cidrs(),
            kubeconfig=path,
        )
        ctx = replace(survivor.ctx, cluster=Cluster(path, own), settings=found, say=say)
        failover_hooks.take_over(ctx)
        assert tells(said, "lost-region-works")

    def test_brokers_that_were_never_installed(self, survivor: Region) -> None:
        survivor.kubernetes.objects[
            f"/apis/apps/v1/namespaces/{survivor.takeover}/statefulsets"
        ].clear()
        told = installations.no_stateful_set("camunda-zeebe", survivor.takeover)
        assert_tells(refusal(failover_hooks.take_over, survivor), told)

    def test_a_search_engine_that_is_not_ready(self, survivor: Region) -> None:
        collection = f"/apis/apps/v1/namespaces/{survivor.takeover}/statefulsets"
        survivor.kubernetes.put(collection, search_engine(2, 1))
        found = refusal(failover_hooks.take_over, survivor)
        assert_tells(found, steps.engine_ready(survivor.takeover), f"-n {survivor.takeover}")
        assert_tells(found, installations.engine_nodes_not_ready(1, 2, survivor.takeover, None))

    def test_brokers_that_have_not_joined(self, survivor: Region) -> None:
        alone = {id_: host for id_, host in survivor.hosts.items() if host == survivor.own}
        survivor.sees(topology(alone, size=SIZE, partitions=PARTITIONS))
        (taken,) = brokers.failover_broker_ids(SIZE, survivor.lost)
        found = refusal(failover_hooks.take_over, survivor)
        assert_tells(found, steps.failover_brokers_joined([taken]))
        assert_tells(found, messages.brokers_not_joined([taken]))
        assert_tells(found, steps.look_at_broker_log("camunda-zeebe-0", survivor.takeover))

    def test_a_broker_that_joined_under_a_wrong_id(self, survivor: Region) -> None:
        (taken,) = brokers.failover_broker_ids(SIZE, survivor.lost)
        wrong = {id_ + 2 if id_ == taken else id_: host for id_, host in survivor.hosts.items()}
        survivor.sees(topology(wrong, size=SIZE, partitions=PARTITIONS))
        told = messages.brokers_not_joined([taken])
        assert_tells(refusal(failover_hooks.take_over, survivor), told)

    def test_a_partition_without_leader(self, survivor: Region) -> None:
        answer = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS, leaderless=(2,))
        survivor.sees(answer)
        found = refusal(failover_hooks.take_over, survivor)
        assert_tells(found, "partitions-have-quorum", "look-at-brokers-of-survivor")
        assert_tells(found, messages.no_leader([2]))

    def test_a_leader_without_quorum(self, survivor: Region) -> None:
        (taken,) = brokers.failover_broker_ids(SIZE, survivor.lost)
        answer = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS, unhealthy=(taken,))
        survivor.sees(answer)
        assert_tells(refusal(failover_hooks.take_over, survivor), "too-few-healthy-replicas")

    def test_without_quorum_the_survivors_stale_brokers_are_restarted(
        self, survivor: Region
    ) -> None:
        answer = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS, leaderless=(1,))
        survivor.sees(answer)
        pods = f"/api/v1/namespaces/{survivor.own}/pods"
        survivor.kubernetes.put(pods, *broker_pods(survivor.own, 2, revision="old"))
        refusal(failover_hooks.take_over, survivor)
        assert survivor.kubernetes.deleted() == ["camunda-zeebe-0", "camunda-zeebe-1"]

    @pytest.mark.parametrize(
        "unseen",
        [
            pytest.param(failure(503, "ServiceUnavailable", "no endpoints"), id="no gateway"),
            pytest.param(failure(429, "TooManyRequests", "busy"), id="busy"),
            pytest.param(topology({}, size=SIZE), id="none in sight"),
        ],
    )
    def test_stale_brokers_are_not_restarted_for_what_could_not_be_seen(
        self, survivor: Region, unseen: Document | Reply
    ) -> None:
        """They may lead every partition. Without quorum once, too: it must be seen twice in a row."""
        without = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS, leaderless=(1,))
        survivor.sees(without, unseen, without, unseen)
        pods = f"/api/v1/namespaces/{survivor.own}/pods"
        survivor.kubernetes.put(pods, *broker_pods(survivor.own, 2, revision="old"))
        refusal(failover_hooks.take_over, survivor)
        assert survivor.kubernetes.deleted() == []

    def test_stale_brokers_are_not_restarted_while_one_gateway_sees_leaders(
        self, survivor: Region
    ) -> None:
        survivor.sees(topology(survivor.hosts, size=SIZE, partitions=PARTITIONS, leaderless=(1,)))
        pods = f"/api/v1/namespaces/{survivor.own}/pods"
        survivor.kubernetes.put(pods, *broker_pods(survivor.own, 2, revision="old"))
        survivor.gateways(survivor.hosts, survivor.hosts)
        refusal(failover_hooks.take_over, survivor)
        assert survivor.kubernetes.deleted() == []

    def test_with_quorum_stale_brokers_are_left_to_their_rolling_update(
        self, survivor: Region
    ) -> None:
        pods = f"/api/v1/namespaces/{survivor.own}/pods"
        survivor.kubernetes.put(pods, *broker_pods(survivor.own, 2, revision="old"))
        failover_hooks.take_over(survivor.ctx)
        assert survivor.kubernetes.deleted() == []


class TestF3:
    """Rolled out, repointed everywhere, commands accepted, exported positions moving."""

    def test_it_is_proved(self, survivor: Region) -> None:
        evidence = failover_hooks.repoint(survivor.ctx)
        assert evidence["exportedPositions"] == ", ".join(
            f"{partition}: 10 -> 11" for partition in range(1, PARTITIONS + 1)
        )
        assert set(evidence) == {"brokers", "exportedPositions"}

    def test_a_rollout_that_is_not_done(self, survivor: Region) -> None:
        pods = f"/api/v1/namespaces/{survivor.own}/pods"
        survivor.kubernetes.put(pods, broker_pods(survivor.own, 1, revision="old")[0])
        found = refusal(failover_hooks.repoint, survivor)
        assert_message(found, "deadline-exceeded", step="F3")
        assert_tells(found, steps.brokers_rolled_out(survivor.own), "look-at-pods")
        assert_tells(found, installations.brokers_not_updated(1, 2, survivor.own))

    def test_brokers_that_lost_their_contact_points(self, survivor: Region) -> None:
        """Helm merges a list in which a name stands twice into an order that cannot be foreseen."""
        name = "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"
        survivor.install(survivor.own, other={name: "camunda-zeebe-0.camunda-zeebe:26502"})
        found = refusal(failover_hooks.repoint, survivor)
        assert_tells(found, "wrong-environment", name, "camunda-zeebe-0.camunda-zeebe:26502")

    @pytest.mark.parametrize("place", ["own", "takeover"])
    def test_brokers_that_still_export_to_the_lost_region(
        self, survivor: Region, place: str
    ) -> None:
        namespace = getattr(survivor, place)
        survivor.install(namespace, replaced=False)
        found = refusal(failover_hooks.repoint, survivor)
        assert_tells(found, steps.exporters_repointed(namespace), "compare-values")
        assert_tells(found, "wrong-environment", f"ELASTICSEARCHREGION{survivor.lost}_ARGS_URL")
        wanted = f"http://camunda-elasticsearch-master-hl.{survivor.takeover}.svc"
        assert_tells(found, f".camunda-{NAMES[survivor.lost]}.svc", wanted)

    def test_a_partition_that_takes_no_command(self, survivor: Region) -> None:
        survivor.takes_commands(3, Reply(504, {"title": "DEADLINE_EXCEEDED"}))
        place = f"--context cluster-{NAMES[survivor.ctx.settings.region]} -n {survivor.own}"
        hint = steps.look_at_gateway(f"kubectl {place}", "camunda-zeebe-gateway")
        found = refusal(failover_hooks.repoint, survivor)
        assert_tells(found, "commands-accepted", "504", hint)

    def test_positions_that_do_not_move(self, survivor: Region) -> None:
        survivor.exports(10)
        found = refusal(failover_hooks.repoint, survivor)
        assert_tells(found, exporting.positions_move(True), "look-at-engines-here")
        for partition in (1, 4):
            assert_tells(found, messages.exporter_stands_still(partition, 10))

    def test_exporters_that_are_paused(self, survivor: Region) -> None:
        """A failback that is backed out of: each broker is asked by itself to go on."""
        survivor.exports(10, 11, phase="PAUSED")
        assert_tells(refusal(failover_hooks.repoint, survivor), "resumption-refused")
        for namespace, pod in (
            (survivor.own, "camunda-zeebe-0"),
            (survivor.own, "camunda-zeebe-1"),
            (survivor.takeover, "camunda-zeebe-0"),
        ):
            survivor.kubernetes.behind(
                f"{namespace}/pods/{pod}:9600",
                "/actuator/partitions/resumeExporting",
                Reply(200, {}),
                method="POST",
            )
        assert_tells(refusal(failover_hooks.repoint, survivor), "exporters-paused-on")

    def test_partitions_that_no_broker_leads(self, survivor: Region) -> None:
        for ordinal in (0, 1):
            survivor.kubernetes.behind(
                f"{survivor.own}/pods/camunda-zeebe-{ordinal}:9600",
                "/actuator/partitions",
                Reply(200, partition_states({1: "FOLLOWER"})),
            )
        told = messages.leader_not_among(1)
        assert_tells(refusal(failover_hooks.repoint, survivor), told)

    def test_a_broker_that_does_not_answer_once_is_asked_again(self, survivor: Region) -> None:
        """A long wait must not end because one call of hundreds failed."""
        survivor.exports(10, 10, 11)  # once more, as all are asked at the same time
        survivor.kubernetes.behind(
            f"{survivor.takeover}/pods/camunda-zeebe-0:9600",
            "/actuator/partitions",
            failure(502, "BadGateway", "connection refused"),
            Reply(200, {}),
        )
        assert "exportedPositions" in failover_hooks.repoint(survivor.ctx)

    def test_a_gateway_that_does_not_answer_once_for_the_evidence_is_asked_again(
        self, survivor: Region
    ) -> None:
        answer = topology(survivor.hosts, size=SIZE, partitions=PARTITIONS)
        survivor.sees(failure(502, "BadGateway", "connection refused"), answer)
        assert "brokers" in failover_hooks.repoint(survivor.ctx)


@pytest.fixture(params=[0, 1], ids=["region 0", "region 1"])
def member(request: pytest.FixtureRequest, kubernetes: FakeKubernetes) -> Region:
    """A region of a cluster that works normally."""
    found = settings(region=request.param, clusterSize=SIZE, partitionCount=PARTITIONS)
    context = found.own.kube_context
    folder = request.getfixturevalue("tmp_path")
    cluster = Cluster(kubeconfig(folder, kubernetes.url, context), context)
    said: list[str] = []
    topology_wanted = desired(found, {}, Stack(found.phase, nodes=frozenset({"normal"})))
    region = Region(kubernetes, QuickSite(cluster, found, topology_wanted, said.append), said)
    region.install(region.own)
    region.sees(topology(everyone(region), size=SIZE, partitions=PARTITIONS))
    for partition in range(1, PARTITIONS + 1):
        region.takes_commands(partition, NO_SUCH_TASK)
    region.exports(10, 11)
    for name in COMPONENTS:
        region.has_deployment(name)
    return region


COMPONENTS = ("zeebe-gateway", "operate", "tasklist")


def everyone(region: Region) -> dict[int, str]:
    return {
        broker: found.namespace
        for index, found in enumerate(region.settings.regions)
        for broker in brokers.region_broker_ids(SIZE, index)
    }


class TestN:
    """All brokers of both regions work together and every partition is complete."""

    def test_it_is_proved(self, member: Region) -> None:
        evidence = failover_hooks.prove_normal(member.ctx)
        assert evidence["exportedPositions"] == ", ".join(
            f"{partition}: 10 -> 11" for partition in range(1, PARTITIONS + 1)
        )
        assert [each.split(" ")[0] for each in evidence["brokers"].split(", ")] == list("0123")

    def test_own_brokers_that_are_not_ready(self, member: Region) -> None:
        collection = f"/apis/apps/v1/namespaces/{member.own}/statefulsets"
        member.kubernetes.put(collection, stateful_set(2, readyReplicas=1))
        found = refusal(failover_hooks.prove_normal, member)
        assert_message(found, "deadline-exceeded", step="N")
        assert_tells(found, steps.brokers_ready(2, member.own))
        assert_tells(found, installations.brokers_not_ready(1, 2, member.own, None))
        context = member.settings.own.kube_context
        assert_tells(found, steps.look_at_pods(f"kubectl --context {context} -n {member.own}"))

    def test_a_search_engine_that_is_not_ready(self, member: Region) -> None:
        collection = f"/apis/apps/v1/namespaces/{member.own}/statefulsets"
        member.kubernetes.put(collection, search_engine(1, 0))
        found = refusal(failover_hooks.prove_normal, member)
        assert_tells(found, steps.engine_ready(member.own))
        assert_tells(found, installations.engine_nodes_not_ready(0, 1, member.own, None))

    def test_a_search_engine_that_is_not_there(self, member: Region) -> None:
        path = f"/apis/apps/v1/namespaces/{member.own}/statefulsets"
        del member.kubernetes.objects[path]["camunda-elasticsearch-master"]
        told = installations.no_stateful_set("camunda-elasticsearch-master", member.own)
        assert_tells(refusal(failover_hooks.prove_normal, member), told)

    def test_a_search_engine_that_is_the_users_own_is_theirs_to_watch(self, member: Region) -> None:
        path = f"/apis/apps/v1/namespaces/{member.own}/statefulsets"
        del member.kubernetes.objects[path]["camunda-elasticsearch-master"]
        peer = Stack(member.settings.phase, nodes=frozenset({"normal"}))
        wanted = desired(member.settings, {"elasticsearch": {"enabled": False}}, peer)
        assert failover_hooks.prove_normal(replace(member.ctx, topology=wanted))
        assert tells(member.said, "engine-not-watched")

    def test_brokers_of_the_other_region_that_have_not_joined(self, member: Region) -> None:
        own = {id_: host for id_, host in everyone(member).items() if host == member.own}
        member.sees(topology(own, size=SIZE, partitions=PARTITIONS))
        found = refusal(failover_hooks.prove_normal, member)
        missing = brokers.region_broker_ids(SIZE, 1 - member.settings.region)
        assert_tells(found, messages.brokers_not_joined(missing), "look-at-region-and-dns")

    def test_a_failover_that_could_not_reach_a_quorum_is_found_out_now(
        self, member: Region, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By who really holds the partitions; with four brokers of four copies there is but one way."""
        asked: list[int] = []

        def problem(lost: int, size: int, holders: brokers.Holders) -> str:
            assert (size, {len(each) for each in holders.values()}) == (SIZE, {4})
            asked.append(lost)
            return f"after a failover of region {lost} partition 2 has no quorum"

        monkeypatch.setattr(brokers, "failover_problem", problem)
        with fails_with("unsafe-distribution", "partition 2 has no quorum", kind=Refused):
            failover_hooks.prove_normal(member.ctx)
        assert asked == [0]

    def test_exporters_that_are_paused(self, member: Region) -> None:
        member.exports(10, 11, phase="PAUSED")
        pod = f"{member.own}/camunda-zeebe-0"
        told = messages.exporters_paused_on(pod, "PAUSED", [1, 2, 3, 4])
        assert_tells(refusal(failover_hooks.prove_normal, member), told)

    def test_a_follower_that_is_paused(self, member: Region) -> None:
        """It may lead next."""
        states = partition_states({1: "FOLLOWER"}, phase="SOFT_PAUSED")
        target = f"{member.own}/pods/camunda-zeebe-1:9600"
        member.kubernetes.behind(target, "/actuator/partitions", Reply(200, states))
        paused = messages.exporters_paused_on(f"{member.own}/camunda-zeebe-1", "SOFT_PAUSED", [1])
        assert_tells(refusal(failover_hooks.prove_normal, member), paused)

    def test_positions_that_do_not_move(self, member: Region) -> None:
        """An exporter writes to nowhere, or a firewall lets brokers through and the search engine not."""
        member.exports(10)
        found = refusal(failover_hooks.prove_normal, member)
        assert_tells(found, exporting.positions_move(False), "look-at-engines-and-network")
        assert_tells(found, messages.exporter_stands_still(1, 10))

    def test_an_idle_cluster_that_has_exported_all_is_proved_at_once(self, member: Region) -> None:
        member.exports(1000)
        assert "1: 1000 -> 1000" in failover_hooks.prove_normal(member.ctx)["exportedPositions"]

    def test_brokers_that_do_not_tell(self, member: Region) -> None:
        target = f"{member.own}/pods/camunda-zeebe-1:9600"
        member.kubernetes.behind(target, "/actuator/partitions", failure(502, "BadGateway", "eof"))
        assert_tells(refusal(failover_hooks.prove_normal, member), "exported-positions-known")

    def test_a_partition_that_is_led_in_the_other_region_is_proved_there(
        self, member: Region
    ) -> None:
        states = partition_states({1: "LEADER", 2: "FOLLOWER"}, exported=10, processed=10)
        target = f"{member.own}/pods/camunda-zeebe-0:9600"
        member.kubernetes.behind(target, "/actuator/partitions", Reply(200, states))
        assert "exportedPositions" in failover_hooks.prove_normal(member.ctx)

    @pytest.mark.parametrize("component", COMPONENTS)
    def test_a_component_that_is_not_available(self, member: Region, component: str) -> None:
        member.exports(1000)
        member.has_deployment(component, ready=1)
        found = refusal(failover_hooks.prove_normal, member)
        name = f"camunda-{component}"
        assert_tells(found, steps.web_apps_available(member.own))
        assert_tells(found, installations.app_not_ready(1, 2, name, member.own, None))
        del member.deployments[f"camunda-{component}"]
        told = installations.no_deployment(name, member.own)
        assert_tells(refusal(failover_hooks.prove_normal, member), told)

    def test_a_web_app_that_the_values_switch_off_is_not_waited_for(self, member: Region) -> None:
        values = {"operate": {"enabled": False}, "tasklist": {"enabled": False}}
        peer = Stack(member.settings.phase, nodes=frozenset({"normal"}))
        wanted = desired(member.settings, values, peer)
        for name in ("camunda-operate", "camunda-tasklist"):
            del member.deployments[name]
        assert failover_hooks.prove_normal(replace(member.ctx, topology=wanted))

    def test_quorum_alone_is_not_complete(self, member: Region) -> None:
        answer = topology(everyone(member), size=SIZE, partitions=PARTITIONS, unhealthy=(3,))
        member.sees(answer)
        assert_tells(refusal(failover_hooks.prove_normal, member), "too-few-healthy-replicas")

    def test_a_partition_that_takes_no_command(self, member: Region) -> None:
        member.takes_commands(4, Reply(503, {"title": "RESOURCE_EXHAUSTED"}))
        found = refusal(failover_hooks.prove_normal, member)
        assert_tells(found, "commands-accepted", "503")

    def test_several_partitions_that_take_no_command(self, member: Region) -> None:
        for partition in (2, 3, 4):
            member.takes_commands(partition, Reply(503, {"title": "RESOURCE_EXHAUSTED"}))
        found = refusal(failover_hooks.prove_normal, member)
        assert_tells(found, "several-refuse-commands", "command-unanswered", "2")

    def test_partitions_are_asked_at_once(
        self, member: Region, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One after the other, each dead connection of the gateway would be waited for by itself."""
        together = threading.Barrier(PARTITIONS, timeout=allowed(30))

        def processed_with_all_others(*_: object) -> None:
            together.wait()

        monkeypatch.setattr(Zeebe, "refuses_commands", processed_with_all_others)
        failover_hooks.prove_normal(member.ctx)


def test_steps_wait_as_long_as_the_user_says(cluster: Cluster) -> None:
    found = failover(0, lost=1, deadlineSeconds=77)
    said: list[str] = []
    waiting = StepContext(cluster, found, desired(found, {}, Stack()), said.append).waiting(
        CAMUNDA_8_5.steps_by_id["F2"]
    )
    assert (waiting.step, waiting.deadline_seconds) == ("F2", 77)
