"""What a stack waits for has a code and a message; programs read the first, people the second."""

import pytest

from dualregion.decision import planning
from dualregion.procedure import CAMUNDA_8_5, Role, Turn
from dualregion.procedure.model import Task
from dualregion.procedure.waits import Awaited, Wait
from messages import Message
from tests.inputs.examples import settings
from tests.raising import assert_message

BACKUP = {"type": "fs", "settings": {"location": "/backup"}}


def wait(awaited: Awaited, task: Task | None = None) -> Wait:
    return Wait(awaited, "london", "paris", "region1", 1, task)


@pytest.mark.parametrize("awaited", Awaited)
def test_the_message_s_code_is_that_of_what_is_awaited(awaited: Awaited) -> None:
    """The one stands in the output `waiting`, which scripts read, and the other one in its `waitingFor`."""
    assert_message(wait(awaited, Task.OPEN_WEB_APPS).message, awaited.value)


@pytest.mark.golden
@pytest.mark.parametrize("awaited", Awaited)
def test_each_says_what_to_type(awaited: Awaited) -> None:
    assert "run `pulumi up`" in wait(awaited, Task.OPEN_WEB_APPS).message


@pytest.mark.parametrize(
    "turn",
    # The survivor's first one awaits nothing: it begins with its phase.
    [
        turn
        for turn in CAMUNDA_8_5.turns
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
    assert_message(found.message, found.awaited.value)
    assert isinstance(found.message.facts["does"], Message)
