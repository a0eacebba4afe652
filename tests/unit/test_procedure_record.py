"""Every state of both stacks is answered as it was by the code before the procedure was a table.

The record was made by that code, which had a function for each stage of the failback. It holds a digest of the answers of
each configuration. Where a change of what is declared is meant, make it again: `python -m tests.unit.test_procedure_record`.
"""

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dualregion import values
from tests.unit.procedure_states import (
    GROUPS,
    Group,
    State,
    answer,
    chance,
    digest,
    grid,
    remembering,
)

RECORD = Path(__file__).parent / "golden" / "procedure.json"
ONE_IN = 199
"""Of so many states of the grid one is looked at in every run."""
CHANCES = 3000


@pytest.fixture(autouse=True)
def with_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "installation_values", remembering(values.installation_values))


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


@pytest.mark.property
@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_every_state_is_answered_as_before(group: Group, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--budget") is None:
        pytest.skip("a million states: with --budget")
    assert digest(map(answer, grid(group))) == recorded("every")[str(group)]


def main() -> None:
    """Make the record of what is declared now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "installation_values", remembering(values.installation_values))
        every = {str(group): digest(map(answer, grid(group))) for group in GROUPS}
        record = {"few": few_digests(), "chance": {"all": digest_by_chance()}, "every": every}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
