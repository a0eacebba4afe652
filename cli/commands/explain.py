"""`dualregion explain`."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from cli.common import ending_clearly, output
from cli.completion import explained
from dualregion.errors import ConfigError
from dualregion.procedure import CAMUNDA_8_5, CLUSTER_API, Procedure, R
from messages import CATALOGUE
from messages.command import driving as messages
from messages.explained import meaning, modules, sample

_PROCEDURES = {"Camunda 8.5": CAMUNDA_8_5, "Camunda 8.6 and later": CLUSTER_API}


def explain(
    name: Annotated[
        str,
        typer.Argument(
            help="A code, such as no-survivor, or a step, such as F2.", autocompletion=explained
        ),
    ],
) -> None:
    """Say what a message's code, or a step of the procedure, means. It asks no stack and no cluster.

    The code stands in brackets at the end of each error, and in every JSON document.

    For example:

        dualregion explain no-survivor
    """
    with ending_clearly():
        output().print(_explained(name.strip("[]")), markup=False, soft_wrap=True)


def _explained(name: str) -> str:
    modules()
    steps = (*CAMUNDA_8_5.steps_by_id, R.id)
    if name.upper() in steps:
        return "\n\n".join(
            f"{versions}: {_of_step(procedure, name.upper())}"
            for versions, procedure in _PROCEDURES.items()
        )
    code = name.lower()
    if code in CATALOGUE:
        return f"{meaning(code)}\n\n{sample(code)}"
    raise ConfigError([messages.nothing_to_explain(name, _alike(code, steps))])


def _of_step(procedure: Procedure, name: str) -> str:
    step = next(each for turn in procedure.turns for each in turn.steps if each.id == name)
    turns = [turn for turn in procedure.turns if step in turn.steps]
    where = "\n".join(f"{turn.role}, phase {turn.phase}: {turn.task}" for turn in turns)
    return f"{step.id}: {step.title}.\n{where}"


def _alike(code: str, steps: Sequence[str]) -> list[str]:
    """Return the codes that are most like one that there is not; else the steps."""
    within = [each for each in CATALOGUE if code in each]
    return (within or get_close_matches(code, CATALOGUE, n=5, cutoff=0.5))[:5] or sorted(steps)
