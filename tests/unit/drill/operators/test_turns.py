"""Whose turn it is: the stacks take turns until neither waits, and not for ever."""

import copy
from typing import Any

import pytest

from drill.errors import DrillError
from drill.operators.turns import take_turns
from drill.regions import REGIONS, Region

LONDON, PARIS = REGIONS
Json = dict[str, Any]

PENDING = "failback-pending"


class Stacks:
    """Two stacks of which each `up` says what the script gives next: what it waits for, None for nothing."""

    def __init__(self, says: dict[Region, list[str | None]], phase: str = PENDING) -> None:
        self.turns: list[str] = []
        self._says = copy.deepcopy(says)
        self._phase = phase

    def up(self, region: Region) -> Json:
        self.turns.append(region.city)
        return {"phase": self._phase, "waitingFor": self._says[region].pop(0)}


def test_turns_end_as_soon_as_neither_stack_waits() -> None:
    stacks = Stacks({LONDON: ["B1", None], PARIS: ["B2 to B4", None]})
    said = take_turns((LONDON, PARIS), PENDING, stacks.up)
    assert stacks.turns == ["london", "paris", "london", "paris"]
    assert said == {region: {"phase": PENDING, "waitingFor": None} for region in REGIONS}


def test_each_stack_has_a_turn_though_the_first_waits_for_nothing() -> None:
    stacks = Stacks({LONDON: [None], PARIS: [None]})
    take_turns((PARIS, LONDON), PENDING, stacks.up)
    assert stacks.turns == ["paris", "london"]


def test_a_stack_that_waited_is_asked_again_even_if_the_other_is_done() -> None:
    stacks = Stacks({LONDON: ["R", None], PARIS: [None, None]})
    take_turns((LONDON, PARIS), PENDING, stacks.up)
    assert stacks.turns == ["london", "paris", "london"]


@pytest.mark.parametrize("at_once", [False, True])
def test_stacks_that_wait_for_each_other_come_to_an_end(at_once: bool) -> None:
    stacks = Stacks({LONDON: ["gate B1"] * 9, PARIS: ["gate B0"] * 9})
    with pytest.raises(DrillError, match=r"gate B1.*gate B0"):
        take_turns((LONDON, PARIS), PENDING, stacks.up, most=6, at_once=at_once)
    assert len(stacks.turns) == (12 if at_once else 6)


def test_a_stack_in_another_phase_has_not_arrived() -> None:
    stacks = Stacks({LONDON: [None] * 2, PARIS: [None] * 2}, phase="failover")
    with pytest.raises(DrillError):
        take_turns((LONDON, PARIS), PENDING, stacks.up, most=4)


def test_at_once_both_stacks_go_on_until_both_have_arrived() -> None:
    stacks = Stacks({LONDON: [None, None], PARIS: ["N", None]})
    take_turns((LONDON, PARIS), PENDING, stacks.up, at_once=True)
    assert sorted(stacks.turns) == ["london", "london", "paris", "paris"]
