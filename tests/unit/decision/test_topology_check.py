"""What must hold of every topology is checked at run time; that it holds in each state: test_procedure_record."""

from dataclasses import replace

import pytest

from dualregion.decision.desired import desired
from dualregion.procedure import F1, N, Role
from dualregion.procedure.topology import Gate, Installation, Kind, Topology
from dualregion.state.progress import Stack
from messages import Message
from messages.decision import guards as messages
from tests.fakes.pulumi_engine import BASE
from tests.inputs.examples import failover
from tests.raising import assert_same

NORMAL = Installation(Kind.NORMAL, "camunda-london", {})
FAILOVER = Installation(Kind.FAILOVER, "camunda-london-failover", {})


def test_what_a_failover_declares_holds() -> None:
    found = desired(failover(0, 1), BASE, Stack())
    assert found.contradiction() is None
    assert Kind.FAILOVER in {each.kind for each in found.installations}


@pytest.mark.parametrize(
    ("topology", "expected"),
    [
        (Topology(Role.MEMBER, (NORMAL, NORMAL)), messages.declared_twice("normal")),
        (
            Topology(Role.MEMBER, (Gate(N, after=("normal",)), NORMAL)),
            messages.out_of_order("N", ["normal"]),
        ),
        (
            Topology(Role.MEMBER, (NORMAL, Gate(N, after=("elsewhere",)))),
            messages.out_of_order("N", ["elsewhere"]),
        ),
        (
            Topology(Role.SURVIVOR, (replace(NORMAL, hold_updates=True),)),
            messages.held_behind_no_gate("normal"),
        ),
        (Topology(Role.SURVIVOR, (NORMAL, FAILOVER)), messages.failover_not_isolated()),
    ],
)
def test_a_contradiction_is_found(topology: Topology, expected: Message) -> None:
    assert_same(topology.contradiction(), expected)


def test_failover_brokers_stand_behind_the_isolations_gate() -> None:
    found = Topology(Role.SURVIVOR, (Gate(F1), replace(FAILOVER, after=("F1",))))
    assert found.contradiction() is None
