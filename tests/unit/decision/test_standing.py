"""A proof does not outlive what it proved: a failover namespace that is deleted by hand while F2 and F3 stay proved."""

import json
from dataclasses import replace
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from dualregion.decision.desired import desired
from dualregion.names import POLICY_NAME
from dualregion.procedure import B2, F0, F2, Phase
from dualregion.procedure.topology import Topology
from dualregion.state import standing as pure
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.progress import Stack
from steps.before import standing
from steps.context import StepContext
from tests.fakes.kubernetes import FakeKubernetes, stateful_set
from tests.inputs.examples import failover, with_cidrs
from tests.raising import assert_tells

FOUND = failover(0, lost=1, regions=with_cidrs())
OWN, TAKEOVER = FOUND.own.namespace, FOUND.own.failover
INCIDENT = "1-region1-lost"
STEPS = ("F1", "F2", "F3")


def sets(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets"


def make(kubernetes: FakeKubernetes, namespace: str, uid: str) -> None:
    """Make an installation's brokers and its policy."""
    brokers = stateful_set(2)
    brokers["metadata"]["uid"] = f"{uid}-brokers"
    kubernetes.put(sets(namespace), brokers)
    policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    kubernetes.put(policies, {"metadata": {"name": POLICY_NAME, "uid": f"{uid}-policy"}})


def topology_after(own: Stack) -> Topology:
    return desired(FOUND, {}, Stack(), own)


@pytest.fixture
def proved(cluster: Cluster, kubernetes: FakeKubernetes) -> Stack:
    """A survivor that has proved its failover on what is there."""
    make(kubernetes, OWN, "1")
    make(kubernetes, TAKEOVER, "2")
    ctx = StepContext(cluster, FOUND, topology_after(Stack()), print)
    record = {"incident": INCIDENT} | standing.entry(ctx, F2)
    return Stack(
        Phase.FAILOVER,
        1,
        frozenset({"normal", "failover", *STEPS}),
        0,
        dict.fromkeys(STEPS, INCIDENT),
        records=dict.fromkeys(STEPS, record),
    )


def proofs(cluster: Cluster, own: Stack, said: list[str] | None = None) -> list[int]:
    """Return which proof of F1, F2 and F3 the next `up` wants."""
    warned = said if said is not None else []
    wanted = standing.proved_again(cluster, FOUND, topology_after(own), own, warned.append)
    first, *behind = wanted.gates
    assert (first.step, first.proof) == (F0, 1)
    return [gate.proof for gate in behind]


def test_what_is_there_still_is_not_proved_again(cluster: Cluster, proved: Stack) -> None:
    said: list[str] = []
    assert proofs(cluster, proved, said) == [1, 1, 1]
    assert said == []


@pytest.mark.parametrize("recreated", [False, True], ids=["gone", "recreated"])
def test_a_namespace_that_was_deleted_by_hand_is_proved_again(
    cluster: Cluster, kubernetes: FakeKubernetes, proved: Stack, *, recreated: bool
) -> None:
    """Recreated by an `up` that then failed, too: the need for a proof must not be forgotten."""
    for path in [each for each in kubernetes.objects if f"/{TAKEOVER}/" in each]:
        kubernetes.objects.pop(path)
    if recreated:
        make(kubernetes, TAKEOVER, "3")
    said: list[str] = []
    assert proofs(cluster, proved, said) == [2, 2, 2]
    assert_tells(said[-1], "proved-on-what-is-gone", f"statefulset {TAKEOVER}/camunda-zeebe")


def test_brokers_that_are_about_to_go_prove_nothing(
    cluster: Cluster, kubernetes: FakeKubernetes, proved: Stack
) -> None:
    found = kubernetes.objects[sets(TAKEOVER)]["camunda-zeebe"]
    found["metadata"]["deletionTimestamp"] = "2026-11-29T02:00:00Z"
    assert proofs(cluster, proved) == [2, 2, 2]


def test_a_second_proof_stays_and_a_third_one_counts_on(
    cluster: Cluster, kubernetes: FakeKubernetes, proved: Stack
) -> None:
    again = {step: {**record, "proof": "2"} for step, record in proved.records.items()}
    own = replace(proved, records=again)
    assert proofs(cluster, own) == [2, 2, 2]
    make(kubernetes, TAKEOVER, "3")
    assert proofs(cluster, own) == [3, 3, 3]


def test_what_stands_behind_it_is_proved_again(cluster: Cluster, proved: Stack) -> None:
    """F3 behind F2, and both behind F1, whatever their own records say."""
    held = dict(proved.records)
    for steps, again in ((["F2"], [1, 1, 2, 2]), (["F3", "F1"], [1, 2, 2, 2]), ([], [1] * 4)):
        wanted = pure.proved_again(topology_after(proved), proved, steps)
        assert [gate.proof for gate in wanted.gates] == again
    left = pure.without(proved, ["F2"])
    assert list(left.gates) == ["F1"]
    assert left.nodes == {"normal", "failover", "F1"}
    del held["F3"]
    assert proofs(cluster, replace(proved, records=held)) == [1, 1, 1]


@pytest.mark.parametrize(
    "record", [{}, {"standsOn": "{"}, {"standsOn": "[]"}, {"standsOn": None}, {"proof": "x"}]
)
def test_a_record_that_does_not_say_is_believed_as_before(
    cluster: Cluster, proved: Stack, record: dict[str, Any]
) -> None:
    """As those that were made before records said what they stand on; the cluster is not asked then."""
    held = dict.fromkeys(STEPS, {"incident": INCIDENT} | record)
    assert proofs(cluster, replace(proved, records=held)) == [1, 1, 1]


def test_a_record_of_another_incident_is_none(cluster: Cluster, proved: Stack) -> None:
    other = dict.fromkeys(STEPS, "1-region0-lost")
    assert proofs(cluster, replace(proved, gates=other)) == [1, 1, 1]


def test_another_proof_is_another_gate() -> None:
    gate = topology_after(Stack()).gates[2]
    assert set(gate.labels) == {"camunda-dual-region/step", "camunda-dual-region/incident"}
    assert replace(gate, proof=2).labels == gate.labels | {"camunda-dual-region/proof": "2"}


def test_steps_of_the_failback_look_for_themselves(cluster: Cluster, proved: Stack) -> None:
    ctx = StepContext(cluster, FOUND, topology_after(proved), print)
    assert standing.entry(ctx, B2) == {}
    assert set(json.loads(standing.entry(ctx, F2)["standsOn"]).values()) == {
        "1-brokers",
        "1-policy",
        "2-brokers",
        "2-policy",
    }


def test_the_records_are_read_from_the_state() -> None:
    urn = (
        "urn:pulumi:region0::camunda-dual-region::dualregion:index:Region$dualregion:index:Gate$"
        "kubernetes:core/v1:ConfigMap::F2"
    )
    data = {"incident": INCIDENT, "proof": "2", "standsOn": "{}"}
    assert stack_of({}, nodes_of({urn: {"data": data}})).records == {"F2": data}
