"""The procedure by the cluster API from the loss to the end in one world, and the way back out of it."""

import json
from pathlib import Path

import pytest

from dualregion.procedure import CLUSTER_API, Phase
from steps import cluster_api
from steps.cluster_api import webapps
from steps.context import Evidence
from tests.fakes.cluster_regions import ApiWorld, api_world, whole_incident
from tests.fakes.regions import RECREATED, SURVIVOR

REMOVAL = {"8.6": "POST /actuator/cluster/brokers", "8.8": "PATCH /actuator/cluster"}
"""How brokers are removed and added."""


def orders_of(here: ApiWorld) -> list[str]:
    """Return what is ordered in a whole incident, each once."""
    members = REMOVAL["8.6" if here.version.minor in ("8.6", "8.7") else "8.8"]
    exporter = f"POST /actuator/exporters/{here.lost_exporter}"
    exporting = "POST /actuator/exporting"
    return [
        members,
        f"{exporter}/disable",
        f"{exporting}/pause",
        f"{exporter}/enable",
        f"{exporting}/resume",
        members,
    ]


def test_every_step_has_its_work() -> None:
    with_gates = {step.id for step in CLUSTER_API.steps(*Phase)}
    assert set(cluster_api.PROOFS) == with_gates


def demand_whole(here: ApiWorld) -> None:
    """Go through a whole incident, and demand what must hold at its end."""
    done: list[tuple[str, Evidence]] = []
    whole_incident(here, lambda step, role: done.append((step, here.prove(step, role))))
    assert all(evidence and json.dumps(evidence) for _, evidence in done)
    assert here.orders() == orders_of(here)
    assert here.management.initialized == {here.lost_exporter: here.kept_exporter}
    assert set(here.management.members) == set(range(here.size))
    assert here.phases() == {"EXPORTING"}
    assert here.empty.held == here.own.held
    assert here.all_faults() == []


def test_every_step_from_the_loss_to_the_end(here: ApiWorld) -> None:
    demand_whole(here)


def test_where_a_pause_is_a_change(newest: ApiWorld) -> None:
    demand_whole(newest)


FAILBACK = (("B1", RECREATED), *((step, SURVIVOR) for step in ("B2", "B3", "B4", "B5")))
"""The steps that a failback can be backed out of, in order."""


@pytest.mark.parametrize("last", range(len(FAILBACK)), ids=[step for step, _ in FAILBACK])
def test_a_failback_is_backed_out_of_and_made_again(here: ApiWorld, last: int) -> None:
    """Wherever it stands before the add: nothing is removed again, exporting goes on, and the next one goes to the end."""
    here.fail_over()
    here.reinstalls()
    for step, role in FAILBACK[: last + 1]:
        if step == "B2":
            here.without_web_apps()
        here.prove(step, role)
    changed = here.orders()
    # Phase failover again: the recreated region goes, and the release is as it was.
    here.lose()
    here.opens(here.survivor.namespace)
    for step in ("F1", "F2", "F3"):
        here.prove(step)
    assert set(here.management.members) == set(here.kept_ids)
    assert here.phases() == {"EXPORTING"}
    assert [each for each in here.orders()[len(changed) :] if each.endswith(_REMOVES)] == []
    states = {
        replica.exporters[here.lost_exporter]
        for held in here.management.members.values()
        for replica in held.values()
    }
    assert states == {"DISABLED"}
    assert webapps.up_pending(here.ctx("F3")) is None
    here.reinstalls()
    here.prove("B1", RECREATED)
    here.without_web_apps()
    for step in ("B2", "B3", "B4", "B5", "B6"):
        here.prove(step)
    assert set(here.management.members) == set(range(here.size))
    assert here.empty.held == here.own.held
    assert here.all_faults() == []


_REMOVES = ("/actuator/cluster", "/actuator/cluster/brokers")
"""The calls by which brokers are removed."""


def test_a_larger_cluster(tmp_path: Path) -> None:
    with api_world(0, "8.8", tmp_path, size=8) as large:
        demand_whole(large)
