"""Every state of both stacks is answered as it was by the code before the procedure was a table.

That code had a function for each stage of the failback; both were compared in all 1,179,648 states of the grid before it
was deleted, and nothing differed. The record holds a digest of the answers in some of them, for each configuration. Where
a change of what is declared is meant, make it again: `python -m tests.unit.decision.test_procedure_record`.
"""

import itertools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from dualregion.chart import values
from dualregion.config.settings import Settings
from dualregion.procedure import (
    B1,
    B5,
    CAMUNDA_8_5,
    F0,
    F1,
    FAIL_BACK,
    FAIL_OVER,
    Phase,
    Procedure,
    Release,
    Task,
)
from tests.checkout import GOLDEN
from tests.inputs.procedure_states import (
    GROUPS,
    Group,
    State,
    answer,
    chance,
    digest,
    grid,
    remembering,
)

RECORD = GOLDEN / "procedure.json"
ONE_IN = 199
"""Of so many states of the grid one is looked at in every run."""
CHANCES = 3000


@pytest.fixture(autouse=True)
def with_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "installation_values", remembering(values.installation_values))


MUTATIONS: tuple[tuple[Task, Mapping[str, Any]], ...] = (
    (Task.FAIL_OVER, {"isolated_after": None}),
    (Task.FAIL_OVER, {"first": (F1, F0)}),
    (Task.PROVE_CLEAN, {"releases_wait": True}),
    (Task.JOIN, {"releases": (Release(FAIL_BACK, has_web_apps=False),)}),
    (Task.COPY, {"releases": (Release(), Release(FAIL_OVER))}),
    (Task.COPY, {"needs_other": (B5,)}),
    (Task.OPEN_WEB_APPS, {"phase": Phase.FAILBACK_PENDING}),
    (Task.RESUME, {"needs_other": (B1,)}),
    (Task.RESUME, {"releases": (Release(), Release(FAIL_OVER))}),
    (Task.RESUME, {"task": Task.COPY}),
    (Task.WAKE, {"needs_failover_gone": False}),
    (Task.WAKE, {"needs": ()}),
)
"""Mistakes in the table: what is otherwise in the turn of which task."""


def changed(task: Task, /, **change: Any) -> Procedure:
    """Return the procedure with one turn that is otherwise."""
    turns = (replace(each, **change) if each.task is task else each for each in CAMUNDA_8_5.turns)
    return replace(CAMUNDA_8_5, turns=tuple(turns))


def recorded(name: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = json.loads(RECORD.read_text())
    return found[name]


def few(group: Group) -> Iterator[State]:
    return itertools.islice(grid(group), 0, None, ONE_IN)


def few_digests() -> dict[str, str]:
    return {str(group): digest(map(answer, few(group))) for group in GROUPS}


def digest_by_chance() -> str:
    return digest(answer(chance(random.Random(seed))) for seed in range(CHANCES))


def test_what_is_declared_is_what_was_declared_before() -> None:
    assert few_digests() == recorded("few")


def test_states_that_came_about_by_chance_are_answered_as_before() -> None:
    assert digest_by_chance() == recorded("chance")["all"]


@pytest.mark.parametrize(("task", "change"), MUTATIONS)
def test_a_change_of_the_table_is_noticed(
    task: Task, change: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutated = changed(task, **change)
    monkeypatch.setattr(Settings, "procedure", mutated)
    before = recorded("few")
    assert any(digest(map(answer, few(group))) != before[str(group)] for group in reversed(GROUPS))


def main() -> None:
    """Make the record of what is declared now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "installation_values", remembering(values.installation_values))
        record = {"few": few_digests(), "chance": {"all": digest_by_chance()}}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
