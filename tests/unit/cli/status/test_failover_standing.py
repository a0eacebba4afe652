"""A failover whose brokers were deleted by hand is not called done: the command notices as `pulumi up` does."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cli.driver.driver import Driver
from cli.driver.operations import PulumiOperations
from cli.stacks.project import Project
from cli.stacks.read import Both
from cli.stacks.run_message import RunMessage
from cli.status.failover_standing import without
from cli.status.health import Health, judge
from cli.status.observed.observe import RegionStatuses, look
from cli.status.observed.results import Result
from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.names import POLICY_NAME
from dualregion.procedure import Phase
from dualregion.state.standing import Uids
from messages.command.status import not_asked, not_in_time
from steps.before import standing
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.fakes.kubernetes import FakeKubernetes, kubeconfig_of, stateful_set
from tests.fakes.pulumi_command import FakePulumi
from tests.inputs.examples import failover
from tests.raising import assert_message, raises
from tests.unit.cli.driver.test_driver import Played
from tests.unit.cli.stacks.test_stacks import GATE, RELEASE, resource

STEPS = ("F0", "F1", "F2", "F3")
BROKERS = "statefulset camunda-london-failover/camunda-zeebe"
STOOD_ON = {"statefulset camunda-london/camunda-zeebe": "1", BROKERS: "2"}


def proved(record: str | None = json.dumps(STOOD_ON)) -> Both:
    """Return both stacks after a failover of region 1, with what its proofs stood on."""
    survivor, lost = world.failing_over(STEPS, "failover")
    records = {step: {"standsOn": record} for step in STEPS[1:]}
    held = replace(survivor.state.held, records=records)
    return replace(survivor, state=replace(survivor.state, held=held)), lost


def seen(found: dict[str, str] | None) -> RegionStatuses:
    """Return both regions, and what the proofs stand on; None if that could not be observed."""
    here, there = world.taken_over()
    stands_on: Result[Uids] = Result(error=not_in_time()) if found is None else Result(found)
    return replace(here, stands_on=stands_on), there


def test_a_failover_that_stands_is_complete() -> None:
    status = judge(proved(), seen(STOOD_ON))
    assert status.health is Health.MID_PROCEDURE
    assert (status.ahead, world.codes(status)[-1]) == ((), "phase-complete")


@pytest.mark.parametrize("now", ["gone", "another"])
def test_brokers_that_are_gone_are_found_and_the_next_step_proves_them_again(now: str) -> None:
    found = {name: uid for name, uid in STOOD_ON.items() if name != BROKERS}
    status = judge(proved(), seen(found if now == "gone" else STOOD_ON | {BROKERS: "3"}))
    assert status.health is Health.DEGRADED
    outdated = world.finding(status, "proofs-outdated")
    assert outdated.health is Health.DEGRADED
    assert_message(outdated.message, "proofs-outdated", steps=STEPS[1:], gone=(BROKERS,))
    assert [step.id for step in status.ahead] == ["F1", "F2", "F3"]
    assert status.next is not None
    assert status.next.dualregion == "dualregion failover --lost 1"
    assert status.next.command == "pulumi up --stack region0"
    assert list(status.stacks[0].state.held.gates) == ["F0"]


def test_what_could_not_be_observed_is_not_called_complete_and_well() -> None:
    status = judge(proved(), seen(None))
    assert status.health is Health.CANNOT_TELL
    unknown = world.finding(status, "proofs-unknown").message
    assert_message(unknown, "proofs-unknown", steps=STEPS[1:], reason=not_in_time())


def test_what_was_not_asked_is_unknown() -> None:
    """Proofs are there, and no look has asked what they stand on."""
    status = judge(proved(), world.taken_over())
    assert status.health is Health.CANNOT_TELL
    unknown = world.finding(status, "proofs-unknown").message
    assert_message(unknown, "proofs-unknown", steps=STEPS[1:], reason=not_asked())


def test_of_an_unreachable_survivor_that_is_the_reason() -> None:
    status = judge(proved(), (world.unreachable(0), world.unreachable(1)))
    unknown = world.finding(status, "proofs-unknown").message
    assert_message(unknown, "proofs-unknown", reason=not_in_time())


def test_records_without_what_they_stood_on_are_believed() -> None:
    assert judge(proved(None), seen({})).ahead == ()


def test_a_failback_looks_for_itself() -> None:
    here, there = proved()
    failing_back = tuple(
        replace(each, settings=each.settings.model_copy(update={"phase": Phase.FAILBACK_PENDING}))
        for each in (here, there)
    )
    status = judge((failing_back[0], failing_back[1]), seen({}))
    assert not {"proofs-outdated", "proofs-unknown"} & set(world.codes(status))


def test_a_failover_takes_the_turn_that_proves_it_again() -> None:
    class Deleted(Played):
        """The failover namespace is deleted before the third `up`."""

        is_gone = False

        def stacks(self) -> Both:
            gone = self.is_gone and len(self.ups) < 3
            return without(super().stacks(), ["F1"] if gone else [])

    deleted = Deleted()
    Driver(deleted).failover(1)
    deleted.is_gone = True
    Driver(deleted).failover(1)
    assert deleted.ups[2:] == ["region0: F1 F2 F3"]
    Driver(deleted).failover(1)
    assert len(deleted.ups) == 3


@pytest.fixture
def pulumi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubernetes: FakeKubernetes
) -> FakePulumi:
    """Both stacks in phase failover, whose states remember a failover that is proved."""
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    path = kubeconfig_of(tmp_path, {"cluster-london": kubernetes.url})
    for region in (0, 1):
        pulumi.stack(f"region{region}", region, phase="failover", lostRegion=1, kubeconfig=path)
    make(kubernetes)
    settings = failover(0, lost=1)
    uids = json.dumps(standing.there(Cluster(path, "cluster-london"), settings))
    record = {"incident": "1-region1-lost"}
    gates = [resource(GATE, "F0", data=record)]
    gates += [resource(GATE, step, data=record | {"standsOn": uids}) for step in STEPS[1:]]
    stack = resource("pulumi:pulumi:Stack", "s", phase="failover", lostRegion=1, region=0)
    releases = [resource(RELEASE, each) for each in ("normal", "failover")]
    pulumi.holds("region0", {"resources": [stack, *gates, *releases]})
    return pulumi


def make(kubernetes: FakeKubernetes) -> None:
    """Make both installations' brokers and policies."""
    for number, namespace in enumerate(("camunda-london", "camunda-london-failover")):
        brokers = stateful_set(2)
        brokers["metadata"]["uid"] = f"{number}-brokers"
        kubernetes.put(f"/apis/apps/v1/namespaces/{namespace}/statefulsets", brokers)
        policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
        policy = {"metadata": {"name": POLICY_NAME, "uid": f"{number}-policy"}}
        kubernetes.put(policies, policy)


def operations(folder: Path) -> PulumiOperations:
    console = Console(file=io.StringIO())
    return PulumiOperations(
        Project(folder), ("region0", "region1"), console, frozenset(), RunMessage("test", "ada")
    )


def test_both_stacks_are_read_as_their_proofs_stand(
    pulumi: FakePulumi, tmp_path: Path, kubernetes: FakeKubernetes
) -> None:
    assert list(operations(tmp_path).stacks()[0].state.held.gates) == list(STEPS)
    for path in [each for each in kubernetes.objects if "camunda-london-failover" in each]:
        kubernetes.objects.pop(path)
    survivor, lost = operations(tmp_path).stacks()
    assert list(survivor.state.held.gates) == ["F0"]
    assert survivor.state.held.nodes == {"F0", "normal", "failover"}
    assert lost.state.held.gates == {}


def test_a_cluster_that_does_not_answer_does_not_let_a_failover_be_done(
    pulumi: FakePulumi, tmp_path: Path, kubernetes: FakeKubernetes
) -> None:
    kubeconfig_of(tmp_path, {"cluster-london": "http://127.0.0.1:9"})
    with raises("proofs-not-checked", CallFailed, steps=STEPS[1:]):
        operations(tmp_path).stacks()


@pytest.mark.parametrize("phase", ["failover", "normal"])
def test_a_look_asks_a_survivor_only(
    tmp_path: Path, kubernetes: FakeKubernetes, phase: str
) -> None:
    make(kubernetes)
    path = kubeconfig_of(
        tmp_path, dict.fromkeys(("cluster-london", "cluster-paris"), kubernetes.url)
    )
    first, second = (
        failover(region, lost=1, kubeconfig=path).model_copy(update={"phase": Phase(phase)})
        for region in (0, 1)
    )
    here, there = look((first, second), patience=20)
    assert there.stands_on == Result(error=not_asked())
    if phase == "normal":
        assert here.stands_on == Result(error=not_asked())
        return
    assert here.stands_on.value is not None
    assert sorted(here.stands_on.value.values()) == [
        "0-brokers",
        "0-policy",
        "1-brokers",
        "1-policy",
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_a_survivor_is_asked_whichever_stack_was_set_to_the_phase_first(
    tmp_path: Path, kubernetes: FakeKubernetes, first: int
) -> None:
    make(kubernetes)
    contexts = ("cluster-london", "cluster-paris")
    path = kubeconfig_of(tmp_path, dict.fromkeys(contexts, kubernetes.url))
    phases = [Phase.FAILOVER if region == first else Phase.NORMAL for region in (0, 1)]
    london, paris = (
        failover(region, lost=1, kubeconfig=path).model_copy(update={"phase": phases[region]})
        for region in (0, 1)
    )
    here, there = look((london, paris), patience=20)
    assert here.stands_on.value
    assert there.stands_on.value is None
