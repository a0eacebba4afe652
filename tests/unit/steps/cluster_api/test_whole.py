"""The procedure by the cluster API from the loss to the end in one world, and the way back out of it."""

import json

from dualregion.procedure import CLUSTER_API, Phase
from steps import cluster_api
from steps.context import Evidence
from tests.fakes.cluster_regions import ApiWorld, whole_incident

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
