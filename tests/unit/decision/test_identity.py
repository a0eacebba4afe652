"""A kube context that leads to another living cluster: everything of the state would be refreshed away.

Contexts are edited in the midst of a failback ("update the context in your kubeconfig"), and two swapped ones lead to
clusters that both answer. Only a lost region may come back as another cluster.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.driver.confirm import Consent
from cli.driver.operations import PulumiOperations
from cli.stacks.project import Project
from cli.stacks.run_message import RunMessage
from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.config.settings import Settings
from dualregion.errors import Refused
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.identity import (
    is_fixed,
    other_cluster,
    remembered_cluster,
    without_elsewhere,
)
from dualregion.state.progress import Incident, Stack
from steps.before import identity
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.fakes.kubernetes import FakeKubernetes, failure, kubeconfig
from tests.inputs.examples import failover, settings
from tests.raising import assert_message, raises

INCIDENT = Incident(1, 1)
KNOWN = Stack(cluster_id="a-1")
JOINED = Stack(cluster_id="a-1", gates={"B1": str(INCIDENT)})
BUCKET = {"settings": {"bucket": "b"}}


def failing_back(region: int) -> Settings:
    return settings(region=region, phase="failback-pending", lostRegion=1, backup=BUCKET)


@pytest.mark.parametrize(
    ("found", "own"),
    [
        pytest.param(settings(), KNOWN, id="member"),
        pytest.param(failover(0, lost=1), KNOWN, id="survivor"),
        pytest.param(failing_back(0), KNOWN, id="survivor in a failback"),
        pytest.param(failing_back(1), JOINED, id="recreated, joined"),
    ],
)
def test_another_cluster_is_refused_with_both_identities_and_the_ways_out(
    found: Settings, own: Stack
) -> None:
    problem = other_cluster(found, own, INCIDENT, "b-2")
    assert_message(problem, "another-cluster", seen="b-2", known="a-1", region=found.region)
    assert other_cluster(found, own, INCIDENT, "a-1") is None


@pytest.mark.parametrize(
    ("found", "own"),
    [
        pytest.param(failover(1, lost=1), KNOWN, id="lost"),
        pytest.param(failing_back(1), KNOWN, id="recreated, not joined yet"),
        pytest.param(
            failing_back(1),
            Stack(cluster_id="a-1", gates={"B1": str(Incident(7, 1))}),
            id="recreated, joined in an earlier incident",
        ),
        pytest.param(settings(), Stack(), id="nothing known: an earlier version's state"),
        pytest.param(settings(acceptCluster="b-2"), KNOWN, id="accepted"),
    ],
)
def test_a_region_that_may_be_another_cluster_is_let_through(found: Settings, own: Stack) -> None:
    assert other_cluster(found, own, INCIDENT, "b-2") is None


@pytest.mark.parametrize(
    ("peer", "refused"),
    [
        pytest.param({"B0": 1}, True, id="the first failback"),
        pytest.param({"B0": 2}, False, id="begun again, and not built on yet"),
        pytest.param({"B0": 2, "B2": 2}, True, id="begun again, and built on"),
        pytest.param({"B0": 2, "B2": 1}, False, id="built on before it was backed out of"),
    ],
)
def test_a_region_that_was_lost_again_may_be_another_cluster_until_it_is_built_on(
    peer: dict[str, int], refused: bool
) -> None:
    """Its stack could not be updated meanwhile: its state holds what was proved in the former cluster."""
    survivor = Stack(gates=dict.fromkeys(peer, str(INCIDENT)), rounds=peer)
    problem = other_cluster(failing_back(1), JOINED, INCIDENT, "b-2", survivor)
    assert (problem is not None) is refused
    remembered = remembered_cluster(failing_back(1), JOINED, INCIDENT, "b-2", survivor)
    assert remembered == ("b-2" if refused else "a-1")


def test_what_was_proved_in_another_cluster_is_left_out() -> None:
    held = _held(
        {},
        N={"incident": "none"},
        B1={"incident": str(INCIDENT), "cluster": "a-1", "round": "2"},
        B4={"incident": str(INCIDENT), "cluster": "b-2"},
    )
    assert without_elsewhere(held, "a-1").gates == {"N": "none", "B1": str(INCIDENT)}
    left = without_elsewhere(held, "b-2")
    assert (set(left.gates), left.nodes, set(left.records), left.rounds) == (
        {"N", "B4"},
        frozenset({"N", "B4"}),
        {"N", "B4"},
        {},
    )
    assert without_elsewhere(left, "b-2") is left


def test_accepting_one_cluster_accepts_no_other() -> None:
    assert other_cluster(settings(acceptCluster="c-3"), KNOWN, INCIDENT, "b-2") is not None


def test_a_lost_region_keeps_the_identity_that_its_stack_knew() -> None:
    """A region called lost by a slip goes back to phase normal: its own cluster must not be refused then."""
    lost, held = failover(1, lost=1), replace(KNOWN, nodes=frozenset({"normal"}))
    assert not is_fixed(lost, KNOWN, INCIDENT)
    assert remembered_cluster(lost, held, INCIDENT, "b-2") == "a-1"
    # Nothing is left that could be in another cluster.
    assert remembered_cluster(lost, KNOWN, INCIDENT, None) is None
    assert remembered_cluster(settings(), KNOWN, None, "b-2") == "b-2"
    assert remembered_cluster(settings(), KNOWN, None, None) == "a-1"


def _held(outputs: dict[str, Any], **records: dict[str, str]) -> Stack:
    urn = "urn:pulumi:region0::p::dualregion:index:Gate$kubernetes:core/v1:ConfigMap::{}"
    resources = {urn.format(step): {"data": data} for step, data in records.items()}
    return stack_of(
        {"phase": "normal", "region": 0} | outputs if outputs else {}, nodes_of(resources)
    )


def test_the_last_proved_step_knows_the_cluster_better_than_outputs() -> None:
    """Outputs are saved by an `up` that succeeds only: after B1 and a failure they tell of the lost cluster."""
    old = {"cluster": "a-1", "end": "2026-11-28T10:00:00.000+00:00"}
    new = {"cluster": "b-2", "end": "2026-11-28T12:00:00.000+00:00"}
    assert _held({"clusterId": "a-1"}, N=old, B1=new).cluster_id == "b-2"
    assert _held({"clusterId": "a-1"}, N={"step": "N"}).cluster_id == "a-1"
    assert _held({}, B1=new).cluster_id == "b-2"
    assert _held({"clusterId": None}).cluster_id is None


@pytest.mark.parametrize("region_id", [0, 1])
def test_the_command_refuses_another_cluster_before_pulumi_refreshes_its_state_away(
    region_id: int, kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    pulumi_command.make_project(tmp_path)
    file = kubeconfig(tmp_path, kubernetes.url, "cluster-london", "cluster-paris")
    stacks = tuple(
        replace(
            each,
            settings=each.settings.model_copy(update={"kubeconfig": file}),
            state=replace(each.state, held=replace(each.state.held, cluster_id=known)),
        )
        for each, known in zip(world.normal(), ("a-1", "1"), strict=True)
    )
    hands = PulumiOperations(
        Project(tmp_path),
        ("region0", "region1"),
        Console(),
        frozenset(Consent),
        RunMessage("x", "ada"),
    )
    if region_id == 0:
        with raises("another-cluster", Refused, name="london"):
            hands.check_cluster((stacks[0], stacks[1]), 0)
    else:
        hands.check_cluster((stacks[0], stacks[1]), 1)
    # One that does not answer is the program's affair: its region may be the lost one.
    kubernetes.broken["/api/v1/namespaces/kube-system"] = failure(503, "Unavailable", "")
    hands.check_cluster((stacks[0], stacks[1]), region_id)


def test_the_identity_is_asked_of_the_api_server(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    assert identity.check(cluster, settings(), Stack(), None) == "1"
    with raises("another-cluster", Refused, seen="1", known="a-1"):
        identity.check(cluster, settings(), KNOWN, None)
    assert identity.check(cluster, settings(), replace(KNOWN, cluster_id="1"), None) == "1"
    kubernetes.broken["/api/v1/namespaces/kube-system"] = failure(503, "Unavailable", "")
    with pytest.raises(CallFailed):
        identity.check(cluster, settings(), KNOWN, None)
    assert identity.check(cluster, failover(1, lost=1), KNOWN, None) is None
