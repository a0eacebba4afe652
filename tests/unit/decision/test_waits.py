"""What a stack waits for has a code and a sentence; programs read the first, people the second."""

import pytest

from dualregion.decision import planning
from dualregion.procedure import PROCEDURE, Role, Turn
from dualregion.procedure.model import Task
from dualregion.procedure.waits import Awaited, Wait
from tests.inputs.examples import settings

BACKUP = {"type": "fs", "settings": {"location": "/backup"}}


def wait(awaited: Awaited, task: Task | None = None) -> Wait:
    return Wait(awaited, "london", "paris", "region1", 1, task)


@pytest.mark.parametrize(
    "awaited", [Awaited.OTHER_INSTALLED, Awaited.TAKEN_OVER, Awaited.REACHABLE]
)
def test_each_names_a_region_and_what_to_type(awaited: Awaited) -> None:
    said = str(wait(awaited))
    assert "run `pulumi up`" in said
    assert "london" in said or "paris" in said
    assert "{" not in said


@pytest.mark.parametrize(
    "turn",
    # The survivor's first one awaits nothing: it begins with its phase.
    [
        turn
        for turn in PROCEDURE.turns
        if turn.phase.is_failback and turn.task is not Task.PROVE_CLEAN
    ],
    ids=lambda turn: str(turn.task),
)
def test_every_turn_of_a_failback_that_can_be_awaited_has_its_sentence(turn: Turn) -> None:
    region = 0 if turn.role is Role.SURVIVOR else 1
    found = planning.awaited(
        turn, settings(region=region, phase="restored", lostRegion=1, backup=BACKUP)
    )
    assert found.awaited in (Awaited.OTHER_TURN, Awaited.OWN_TURN)
    assert found.next_region == (region if found.awaited is Awaited.OWN_TURN else 1 - region)
    assert "run `pulumi up`" in str(found)
