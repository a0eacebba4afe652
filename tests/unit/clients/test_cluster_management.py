"""The calls of the cluster management API: their forms by version, and what becomes of each answer."""

from pathlib import Path
from typing import Any

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from clients.cluster_management import (
    ChangeNotPossible,
    ClusterManagement,
    CoordinatorSilent,
    OtherChangePending,
)
from clients.installation import LiveInstallation
from clients.zeebe import Zeebe
from dualregion.procedure.versions import VERSIONS
from tests.fakes.cluster_management import FakeManagement
from tests.fakes.kubernetes import (
    NO_SUCH_TASK,
    FakeKubernetes,
    Reply,
    broker_pods,
    failure,
    gateway_pods,
    kubeconfig,
    topology,
)
from tests.raising import assert_message, raises

NAMESPACE = "camunda-london"
GATEWAY = f"{NAMESPACE}/services/camunda-zeebe-gateway"
PROXY = f"/api/v1/namespaces/{GATEWAY}:9600/proxy"
EACH = pytest.mark.parametrize("version", ["8.6", "8.7", "8.8", "8.9", "8.10"])


def management(cluster: Cluster, version: str) -> ClusterManagement:
    return LiveInstallation(cluster, NAMESPACE, "camunda", version=VERSIONS[version]).management


def living(kubernetes: FakeKubernetes, version: str, size: int = 4) -> FakeManagement:
    """Let the gateway know a cluster, all of whose brokers run."""
    made = FakeManagement(version, size, ("one", "two"), lambda: range(size))
    in_brokers = VERSIONS[version].brokers.serves_gateway
    pods = (broker_pods if in_brokers else gateway_pods)(NAMESPACE, 1)
    kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/pods", *pods)
    kubernetes.lives(
        f"{GATEWAY}:9600",
        lambda method, path, body: made.answer(method, path, kubernetes.query, body),
    )
    return made


@EACH
def test_the_removal_in_the_form_of_the_version(
    cluster: Cluster, kubernetes: FakeKubernetes, version: str
) -> None:
    made = living(kubernetes, version)
    shown = management(cluster, version).remove([1, 3], [0, 2], dry_run=True)
    assert kubernetes.query == {"force": ["true"], "dryRun": ["true"]}
    assert (made.is_over, [each.id for each in shown.expected]) == (True, [0, 2])
    asked = management(cluster, version).remove([3, 1], [2, 0])
    assert kubernetes.query == {"force": ["true"]}
    if version in ("8.6", "8.7"):
        assert kubernetes.bodies[f"POST {PROXY}/actuator/cluster/brokers"] == [0, 2]
    else:
        body = {"brokers": {"remove": [1, 3]}}
        assert kubernetes.bodies[f"PATCH {PROXY}/actuator/cluster"] == body
    assert made.change == asked.id == shown.id


@EACH
def test_the_addition_in_the_form_of_the_version(
    cluster: Cluster, kubernetes: FakeKubernetes, version: str
) -> None:
    made = living(kubernetes, version)
    made.keep([0, 2])
    shown = management(cluster, version).add([1, 3], range(4), 4, dry_run=True)
    assert made.is_over
    assert [each.id for each in shown.expected] == [0, 1, 2, 3]
    management(cluster, version).add([1, 3], range(4), 4)
    assert "force" not in kubernetes.query
    if version in ("8.6", "8.7"):
        assert kubernetes.query == {"replicationFactor": ["4"]}
        assert kubernetes.bodies[f"POST {PROXY}/actuator/cluster/brokers"] == [0, 1, 2, 3]
    else:
        assert kubernetes.query == {}
        body: Any = {"brokers": {"add": [1, 3]}, "partitions": {"replicationFactor": 4}}
        assert kubernetes.bodies[f"PATCH {PROXY}/actuator/cluster"] == body


def test_an_addition_of_replicas_alone(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    """All brokers are members, as after an addition that was cancelled."""
    living(kubernetes, "8.8")
    assert management(cluster, "8.8").add([], range(4), 4).operations == ()
    body = {"partitions": {"replicationFactor": 4}}
    assert kubernetes.bodies[f"PATCH {PROXY}/actuator/cluster"] == body


def test_exporters(cluster: Cluster, kubernetes: FakeKubernetes) -> None:
    made = living(kubernetes, "8.8")
    made.set_exporter("two", "DISABLED")
    asked = management(cluster, "8.8")
    assert asked.exporters() == {"one": "ENABLED", "two": "DISABLED"}
    enabled = asked.enable("two", "one")
    assert kubernetes.bodies[f"POST {PROXY}/actuator/exporters/two/enable"] == {
        "initializeFrom": "one"
    }
    pending = asked.configuration().pending
    assert pending is not None
    assert pending.id == enabled.id
    made.cancel()
    assert asked.disable("two").operations[0].kind == "PARTITION_DISABLE_EXPORTER"


class TestAnswers:
    """What becomes of an answer that does not accept."""

    def ask(self, cluster: Cluster, kubernetes: FakeKubernetes, reply: Reply) -> None:
        kubernetes.behind(f"{GATEWAY}:9600", "/actuator/cluster", reply, method="PATCH")
        management(cluster, "8.8").remove([1, 3], [0, 2])

    def test_not_possible(self, cluster: Cluster, kubernetes: FakeKubernetes) -> None:
        reply = Reply(400, {"message": "Cannot force add brokers"})
        call = "PATCH /actuator/cluster"
        told = {"namespace": NAMESPACE, "call": call, "reason": "Cannot force add brokers"}
        with raises("change-not-possible", ChangeNotPossible, **told):
            self.ask(cluster, kubernetes, reply)

    def test_another_change_pends(self, cluster: Cluster, kubernetes: FakeKubernetes) -> None:
        reply = Reply(409, {"message": "Another configuration change [4] is in progress."})
        with raises("other-change-pending", OtherChangePending) as caught:
            self.ask(cluster, kubernetes, reply)
        assert caught.value.may_pass

    @pytest.mark.parametrize("status", [502, 504])
    def test_the_coordinator_is_silent(
        self, cluster: Cluster, kubernetes: FakeKubernetes, status: int
    ) -> None:
        with raises("coordinator-silent", CoordinatorSilent) as caught:
            self.ask(cluster, kubernetes, Reply(status, {"message": "not the coordinator"}))
        assert (caught.value.status, caught.value.may_pass) == (status, True)

    def test_no_gateway_is_ready_for_a_dry_run(
        self, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        """That says nothing about the coordinator, which was never asked."""
        living(kubernetes, "8.8")
        pods = kubernetes.objects[f"/api/v1/namespaces/{NAMESPACE}/pods"]
        for each in pods.values():
            each["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        with raises("no-gateway-ready", CallFailed, namespace=NAMESPACE) as caught:
            management(cluster, "8.8").remove([1, 3], [0, 2], dry_run=True)
        assert type(caught.value) is CallFailed

    def test_nobody_answers(self, tmp_path: Path) -> None:
        silent = Cluster(kubeconfig(tmp_path, "http://127.0.0.1:1", "c"), "c")
        with raises("coordinator-silent", CoordinatorSilent):
            management(silent, "8.8").configuration()

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(500, {"message": "not the coordinator"}),
            Reply(404, "no such endpoint"),
            failure(404, "NotFound", "no service"),
            failure(503, "ServiceUnavailable", "no endpoints available"),
            failure(400, "BadRequest", "the API server's own"),
        ],
        ids=["broken", "unknown", "no service", "no endpoint", "the API server's own"],
    )
    def test_any_other_failure(
        self, cluster: Cluster, kubernetes: FakeKubernetes, reply: Reply
    ) -> None:
        with pytest.raises(CallFailed) as caught:
            self.ask(cluster, kubernetes, reply)
        assert type(caught.value) is CallFailed
        assert caught.value.status == reply.status

    def test_an_answer_of_another_form(self, cluster: Cluster, kubernetes: FakeKubernetes) -> None:
        with raises("unexpected-form", CallFailed):
            self.ask(cluster, kubernetes, Reply(202, {"changeId": 3}))

    def test_a_list_that_is_none(self, cluster: Cluster, kubernetes: FakeKubernetes) -> None:
        kubernetes.behind(f"{GATEWAY}:9600", "/actuator/exporters", Reply(200, {}))
        with raises("not-json", CallFailed):
            management(cluster, "8.8").exporters()


class TestZeebe:
    """The gateway by the version's REST API, in pods of its own or in the brokers'."""

    def zeebe(self, cluster: Cluster, version: str) -> Zeebe:
        return LiveInstallation(cluster, NAMESPACE, "camunda", version=VERSIONS[version]).zeebe

    @EACH
    def test_topology_and_commands(
        self, cluster: Cluster, kubernetes: FakeKubernetes, version: str
    ) -> None:
        kubernetes.behind(
            f"{GATEWAY}:8080", "/v2/topology", Reply(200, topology({0: NAMESPACE}, size=4))
        )
        path = f"/v2/user-tasks/{1 << 51}/completion"
        kubernetes.behind(f"{GATEWAY}:8080", path, NO_SUCH_TASK, method="POST")
        asked = self.zeebe(cluster, version)
        assert asked.view().ids == {0}
        assert asked.refuses_commands(1) is None

    def test_gateways_in_the_brokers_pods(
        self, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        """Those that are ready are asked, one by one."""
        found = broker_pods(NAMESPACE, 2)
        found[1]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/pods", *found)
        pod = f"{NAMESPACE}/pods/camunda-zeebe-0:8080"
        kubernetes.behind(pod, "/v2/topology", Reply(200, topology({0: NAMESPACE}, size=4)))
        (view,) = self.zeebe(cluster, "8.8").views()
        assert view.ids == {0}

    def test_no_gateway_is_ready(self, cluster: Cluster, kubernetes: FakeKubernetes) -> None:
        (found,) = broker_pods(NAMESPACE, 1)
        found["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        kubernetes.put(f"/api/v1/namespaces/{NAMESPACE}/pods", found)
        with raises("no-gateway-ready", CallFailed, namespace=NAMESPACE):
            self.zeebe(cluster, "8.8").views()

    def test_an_order_may_take_as_long_as_a_change(
        self, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        made = living(kubernetes, "8.10")
        assert self.zeebe(cluster, "8.10").pause() is None
        phases = {each.phase for held in made.members.values() for each in held.values()}
        assert phases == {"PAUSED"}
        made.pending = [{"operation": "POST_SCALING", "brokerId": 9}]
        assert_message(self.zeebe(cluster, "8.10").resume(), "order-refused", order="resume")
