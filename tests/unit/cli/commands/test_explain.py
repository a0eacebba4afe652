"""`dualregion explain`: what a code or a step means, without any stack or cluster."""

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.errors import Exit
from dualregion.procedure import CAMUNDA_8_5, CLUSTER_API, Procedure
from messages import CATALOGUE, explained

explained.modules()


def explain(name: str) -> Result:
    return CliRunner().invoke(app, ["explain", name])


@pytest.mark.parametrize("code", sorted(CATALOGUE)[::40])
def test_a_code_is_explained(code: str) -> None:
    shown = explain(code)
    assert shown.exit_code == Exit.HEALTHY
    assert explained.meaning(code) in shown.stdout
    assert str(explained.sample(code)) in shown.stdout


def test_a_code_may_be_copied_with_its_brackets() -> None:
    assert explain("[no-survivor]").stdout == explain("no-survivor").stdout


@pytest.mark.parametrize("procedure", [CAMUNDA_8_5, CLUSTER_API])
@pytest.mark.parametrize("name", CAMUNDA_8_5.steps_by_id)
def test_a_step_is_explained_with_its_turns(name: str, procedure: Procedure) -> None:
    shown = explain(name.lower()).stdout
    step = procedure.steps_by_id[name]
    assert step.title in shown
    assert all(turn.task in shown for turn in procedure.turns if step in turn.steps)


def test_what_there_is_not_is_answered_with_what_is_alike() -> None:
    shown = explain("nosurvivor")
    assert shown.exit_code == Exit.FAILED
    assert "nothing-to-explain" in shown.stderr
