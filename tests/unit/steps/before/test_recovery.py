"""A state that was emptied in the midst of an incident is no dead end.

A context that led to another cluster for one refresh, or an old copy of the state: the program then saw neither a
failover nor a release of its own, and said "set phase failover first" and "uninstall it" in turn, with the exporters
paused.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from clients.cluster.kubernetes import Cluster
from components import gate
from dualregion.chart import installations
from dualregion.chart.values import at, merge
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError, Refused
from dualregion.procedure import FAIL_BACK, Phase
from dualregion.procedure.topology import STEP_LABEL, Kind
from dualregion.state.progress import Incident, Release, Stack, current_incident
from steps.before import recovery
from steps.context import StepContext
from steps.releases import helm_records
from tests.fakes.kubernetes import Document, FakeKubernetes
from tests.fakes.pulumi_engine import declared
from tests.inputs.examples import settings
from tests.raising import assert_message, raises
from tests.unit.steps.test_helm_records import record

INCIDENT = Incident(1, 1)
PAST = ("B0", "B2", "B3", "B4")
LONDON, FAILOVER = "camunda-london", "camunda-london-failover"
EMPTIED = Stack(Phase.FAILBACK_PENDING, lost_region=1, region=0)
BASE: dict[str, Any] = {"zeebe": {"env": [{"name": "MINE", "value": "1"}]}, "x": {"y": []}}


def found(region: int = 0, phase: str = "failback-pending") -> Settings:
    bucket = {"settings": {"bucket": "b"}}
    return settings(region=region, phase=phase, lostRegion=1, backup=bucket)


def step(name: str, incident: str = str(INCIDENT)) -> Document:
    return {
        "metadata": {"name": f"dual-region-{name.lower()}", "labels": {STEP_LABEL: name}},
        "data": {"step": name, "incident": incident},
    }


def collection(namespace: str, kind: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{kind}"


@pytest.fixture
def past_b4(kubernetes: FakeKubernetes) -> FakeKubernetes:
    """London's cluster: past B4, with both installations as they were then."""
    kubernetes.put(collection(LONDON, "configmaps"), *(step(each) for each in PAST))
    wanted = found()
    own = installations.own(wanted, BASE, web_apps=False).values
    failover = installations.failover(wanted, installations.failover_base(BASE, {})).values
    kubernetes.put(collection(LONDON, "secrets"), record(4, "deployed", own))
    kubernetes.put(collection(FAILOVER, "secrets"), record(2, "deployed", failover))
    return kubernetes


def again(cluster: Cluster, own: Stack = EMPTIED, wanted: Settings | None = None) -> Stack:
    return recovery.found_again(wanted or found(), own, cluster, INCIDENT)


@pytest.mark.usefixtures("past_b4")
def test_steps_and_releases_are_found_again(cluster: Cluster) -> None:
    with raises("failback-without-failover", ConfigError):
        desired(found(), BASE, Stack(), EMPTIED)
    own = again(cluster)
    assert own.found_again
    assert own.gates == dict.fromkeys(PAST, str(INCIDENT))
    assert own.nodes == {*PAST, "normal", "failover"}
    topology = desired(found(), BASE, Stack(), own)
    assert [each.name for each in topology.gates] == list(PAST)
    assert not any(each.hold_updates for each in topology.installations)


def _site(cluster: Cluster, own: Stack, wanted: Settings, said: list[str]) -> StepContext:
    topology = desired(wanted, BASE, Stack(), own)
    incident = current_incident(wanted, own, Stack())
    return StepContext(cluster, wanted, topology, said.append, own, Stack(), incident)


def _hook(ctx: StepContext, name: str) -> Any:
    return declared(ctx).hooks[name].callback


@pytest.mark.usefixtures("past_b4")
def test_a_proved_step_is_not_done_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """B0 would find the recreated region at work, and B3 would copy everything once more."""
    proved: list[str] = []
    monkeypatch.setattr(gate, "_prove", lambda args, _: proved.append(args.spec.step.id))
    said: list[str] = []
    own = again(cluster)
    ctx = _site(cluster, own, found(), said)
    for each in PAST:
        asyncio.run(_hook(ctx, f"prove-{each}")(None))
    assert proved == []
    assert_message(said[0], "proved-before", step="B0")
    known = Stack(nodes=own.nodes, gates=own.gates)
    asyncio.run(_hook(_site(cluster, known, found(), said), "prove-B4")(None))
    assert proved == ["B4"], "a record that was deleted by hand makes its step be done again"


@pytest.mark.parametrize("stage", ["as wanted", "web apps on", "exporters elsewhere", "asleep"])
def test_releases_of_every_stage_are_taken_over(
    cluster: Cluster, past_b4: FakeKubernetes, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm_records, "PATIENCE_SECONDS", 0.05)
    changes: dict[str, dict[str, Any]] = {
        "as wanted": {"web_apps": False},
        "web apps on": {},
        "exporters elsewhere": {"replaced_region": 1},
        "asleep": {"installation_type": FAIL_BACK},
    }
    installed = installations.own(found(), BASE, **changes[stage]).values
    past_b4.objects[collection(LONDON, "secrets")].clear()
    past_b4.put(collection(LONDON, "secrets"), record(9, "deployed", installed))
    said: list[str] = []
    ctx = _site(cluster, again(cluster), found(), said)
    asyncio.run(_hook(ctx, "take-over-normal")(None))
    assert past_b4.objects[collection(LONDON, "secrets")] == {}
    assert_message(said[0], "taking-over-install")


def test_a_release_of_others_is_not(
    cluster: Cluster, past_b4: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm_records, "PATIENCE_SECONDS", 0.05)
    ctx = _site(cluster, again(cluster), found(), [])
    theirs = merge(BASE, {"zeebe": {"image": {"tag": "8.6.0"}}})
    past_b4.put(collection(LONDON, "secrets"), record(9, "deployed", theirs))
    with raises("release-of-others", Refused):
        asyncio.run(_hook(ctx, "take-over-normal")(None))


@pytest.mark.usefixtures("past_b4")
@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        pytest.param(Stack(), found(), id="never updated"),
        pytest.param(Stack(Phase.NORMAL, nodes=frozenset({"N"})), found(), id="holds something"),
        pytest.param(
            EMPTIED, found(0, "failover").model_copy(update={"lost_region": 0}), id="lost"
        ),
    ],
)
def test_a_state_that_knows_what_it_holds_is_believed(
    cluster: Cluster, own: Stack, wanted: Settings
) -> None:
    assert again(cluster, own, wanted) is own


def test_a_recreated_region_counts_what_this_incident_has_made_only(
    cluster: Cluster, kubernetes: FakeKubernetes
) -> None:
    """Anything else there is a leftover: old brokers must not come back."""
    paris = "camunda-paris"
    wanted = found(1)
    values: Mapping[str, Any] = installations.own(wanted, BASE, installation_type=FAIL_BACK).values
    kubernetes.put(collection(paris, "secrets"), record(1, "deployed", values))
    kubernetes.put(collection(paris, "configmaps"), step("N", "none"))
    assert not again(cluster, EMPTIED, wanted).found_again
    kubernetes.put(collection(paris, "configmaps"), step("B1"))
    assert again(cluster, EMPTIED, wanted).nodes == {"N", "B1", Kind.NORMAL}


def test_what_a_state_does_not_tell_of_its_releases_helm_tells(
    cluster: Cluster, past_b4: FakeKubernetes
) -> None:
    """Else a change of what cannot be seen would pass in an incident."""
    own = Stack(nodes=frozenset({"normal", "failover"}), values={"normal": {"kept": 1}})
    seen = recovery.completed(found(), own, cluster)
    assert seen.values["normal"] == {"kept": 1}
    assert at(seen.values["failover"], "connectors", "enabled") is False
    assert seen.releases["normal"] == Release("camunda", LONDON, "camunda-platform 10.11.3")
    before = len(past_b4.asked)
    assert recovery.completed(found(), seen, cluster) == seen
    assert len(past_b4.asked) == before, "what the state tells is not asked for"


def test_an_emptied_state_beside_an_empty_cluster_stays_empty(cluster: Cluster) -> None:
    assert again(cluster) is EMPTIED
