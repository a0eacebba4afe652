"""A failback that is over: phase normal was proved after it, and a killed run has left some of its records.

Records are deleted from the last one on, so what is left looks like a failback in its midst.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.decision.guards import unsafe_change
from dualregion.errors import ConfigError
from dualregion.procedure import CAMUNDA_8_5, CLUSTER_API, Phase, Procedure, Role
from dualregion.state import claims
from dualregion.state.progress import Incident, Stack, current_incident, merged_history
from tests.inputs.examples import settings
from tests.raising import raises
from tests.unit.decision.test_cluster_api import settings as settings_by_api
from tests.unit.decision.test_turns import BACKUP

INCIDENT = "1-region0-lost"
PROCEDURES = pytest.mark.parametrize("procedure", [CAMUNDA_8_5, CLUSTER_API], ids=["8.5", "api"])


def asked(procedure: Procedure, region: int, phase: str, lost: int | None = 0) -> Settings:
    of_procedure = settings if procedure is CAMUNDA_8_5 else settings_by_api
    called: dict[str, Any] = {} if phase == "normal" else {"lostRegion": lost}
    return of_procedure(region=region, phase=phase, backup=BACKUP, **called)


def stack(region: int, gates: dict[str, str], phase: Phase = Phase.RESTORED) -> Stack:
    lost = None if phase is Phase.NORMAL else 0
    return Stack(phase, lost, frozenset({"normal", *gates}), region, gates)


def left(procedure: Procedure, role: Role) -> Iterable[dict[str, str]]:
    """Return what gates a stack has left after each deletion, and N, which names the incident."""
    turns = (turn for turn in procedure.turns_of(role, Phase.RESTORED))
    steps = list(dict.fromkeys(step.id for turn in turns for step in turn.steps))
    return [dict.fromkeys([*steps[:count], "N"], INCIDENT) for count in range(1, len(steps))]


def regions() -> tuple[tuple[int, Role], ...]:
    return (1, Role.SURVIVOR), (0, Role.RECREATED)


@PROCEDURES
@pytest.mark.parametrize(("region", "role"), regions())
def test_phase_normal_goes_on_whatever_records_are_left(
    procedure: Procedure, region: int, role: Role
) -> None:
    peer = stack(1 - region, {"N": INCIDENT}, Phase.NORMAL)
    for gates in left(procedure, role):
        topology = desired(asked(procedure, region, "normal"), {}, peer, stack(region, gates))
        assert [(gate.name, gate.incident) for gate in topology.gates] == [("N", INCIDENT)]


@PROCEDURES
@pytest.mark.parametrize(("region", "role"), regions())
@pytest.mark.parametrize("phase", ["failback-pending", "restored"])
def test_no_failback_goes_on_from_records_that_are_left(
    procedure: Procedure, region: int, role: Role, phase: str
) -> None:
    peer = stack(1 - region, {"N": INCIDENT}, Phase.NORMAL)
    refused = {"failback-is-over", "failback-cannot-be-undone"}
    for gates in left(procedure, role):
        found = unsafe_change(asked(procedure, region, phase), stack(region, gates), peer)
        assert found is not None
        assert found.code in refused


def test_a_failback_that_is_over_says_so() -> None:
    own = stack(1, {"B0": INCIDENT, "N": INCIDENT})
    with raises("failback-is-over", ConfigError, phase="restored", incident=INCIDENT):
        desired(asked(CAMUNDA_8_5, 1, "restored"), {}, stack(0, {}, Phase.NORMAL), own)


@PROCEDURES
@pytest.mark.parametrize("is_own", [False, True])
def test_the_recreated_region_does_not_join_a_failback_that_is_over(
    procedure: Procedure, is_own: bool
) -> None:
    """Its records are gone already, some of the survivor's are not."""
    own = stack(0, {"N": INCIDENT} if is_own else {}, Phase.NORMAL)
    peer = stack(1, {"B0": INCIDENT} if is_own else {"B0": INCIDENT, "N": INCIDENT})
    found = unsafe_change(asked(procedure, 0, "failback-pending"), own, peer)
    assert found is not None
    assert found.code == "failback-is-over"


@PROCEDURES
def test_the_same_region_lost_once_more_is_another_incident(procedure: Procedure) -> None:
    peer = stack(0, {"N": INCIDENT}, Phase.NORMAL)
    for gates in left(procedure, Role.SURVIVOR):
        found = current_incident(asked(procedure, 1, "failover"), stack(1, gates), peer)
        assert found == Incident(2, 0)


def test_the_survivor_lost_after_it_is_no_loss_on_top_of_a_loss() -> None:
    peer = stack(1, {"B0": INCIDENT, "B2": INCIDENT})
    assert claims.unfinished_failback(stack(0, {"B1": INCIDENT}), peer, 0) == Incident(1, 0)
    assert claims.unfinished_failback(stack(0, {"N": INCIDENT}), peer, 0) is None


@PROCEDURES
@pytest.mark.parametrize("last", [Phase.NORMAL, Phase.RESTORED])
def test_a_survivor_waits_for_the_recreated_region_whatever_phase_its_outputs_name(
    procedure: Procedure, last: Phase
) -> None:
    """Each of its runs may have been killed: its outputs are those of before the incident then."""
    gates = dict.fromkeys(("B0", "B5", "B6", "B7"), INCIDENT)
    found = unsafe_change(asked(procedure, 1, "normal"), stack(1, gates), stack(0, {}, last))
    assert found is not None
    assert found.code == "normal-before-failback-is-done"


def test_a_survivor_ends_its_own_failback_first() -> None:
    """By cluster API its brokers are restarted last: else they would run without web apps in phase normal."""
    gates = dict.fromkeys(("B0", "B5", "B6"), INCIDENT)
    peer = stack(0, {"N": INCIDENT}, Phase.NORMAL)
    found = unsafe_change(asked(CLUSTER_API, 1, "normal"), stack(1, gates), peer)
    assert found is not None
    assert found.code == "normal-before-failback-is-done"
    assert unsafe_change(asked(CLUSTER_API, 1, "restored"), stack(1, gates), peer) is None
    done = stack(1, gates | {"B7": INCIDENT})
    assert unsafe_change(asked(CLUSTER_API, 1, "normal"), done, peer) is None


def test_phase_normal_is_proved_again_after_each_failback() -> None:
    own = stack(1, dict.fromkeys(("B0", "B6", "B7"), "2-region0-lost") | {"N": INCIDENT})
    peer = stack(0, {"B1": "2-region0-lost", "B7": "2-region0-lost"})
    topology = desired(asked(CLUSTER_API, 1, "normal"), {}, peer, own)
    assert [gate.incident for gate in topology.gates] == ["2-region0-lost"]
    own = stack(1, {"N": "2-region0-lost"}, Phase.NORMAL)
    topology = desired(asked(CLUSTER_API, 1, "normal"), {}, peer, own)
    assert [gate.incident for gate in topology.gates] == ["2-region0-lost"]


def test_its_proof_is_no_record_of_the_incident() -> None:
    assert merged_history({}, {"N": {"incident": INCIDENT}}) == {}
