"""Write the tables and diagrams in the documents that come from the procedure's table: `python -m tools.procedure_tables`.

Each stands in a document between two comments, of which the first one names it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from dualregion.procedure import (
    CAMUNDA_8_5,
    CLUSTER_API,
    FAIL_BACK,
    Phase,
    Procedure,
    Release,
    Role,
    Step,
    Turn,
)

ROOT = Path(__file__).parents[1]
DOCUMENTS = tuple(
    ROOT / each
    for each in (
        "README.md",
        "docs/incident/failback-by-pulumi.md",
        "docs/reference/steps.md",
        "docs/reference/configuration.md",
        "docs/develop/architecture.md",
    )
)
STACK_OF = {
    Role.MEMBER: "each region",
    Role.SURVIVOR: "the survivor",
    Role.LOST: "the lost region",
    Role.RECREATED: "the recreated region",
}
_PART = re.compile(
    r"(<!-- Made by `python -m tools\.procedure_tables`: (\w+)\. -->\n).*?(<!-- The end of that\. -->\n)",
    re.DOTALL,
)
_REGION_IN_EXAMPLES = {Role.SURVIVOR: 0, Role.RECREATED: 1}


def renewed(text: str) -> str:
    """Return a document's text with its tables and diagrams as they are now.

    :raises ValueError: if it has no place for any.
    """
    found, count = _PART.subn(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)
    if not count:
        raise ValueError("there is no place for a table of the procedure")
    return found


def turns() -> str:
    """Return the turns of 8.5, with all that the planner goes by."""
    return _turns(CAMUNDA_8_5)


def turns_by_cluster_api() -> str:
    """Return the turns of 8.6 and later."""
    return _turns(CLUSTER_API)


def _turns(procedure: Procedure) -> str:
    headings = ("turn", "stack", "phase", "begins when", "proves first", "declares", "proves then")
    return _table(headings, (_cells(each, procedure) for each in procedure.turns))


def steps() -> str:
    """Return the steps of 8.5 in their order, on whose stacks, and what is true once they are proved."""
    return _steps(CAMUNDA_8_5)


def steps_by_cluster_api() -> str:
    """Return the steps of 8.6 and later."""
    return _steps(CLUSTER_API)


def _steps(procedure: Procedure) -> str:
    stacks: dict[Step, list[str]] = {}
    for turn in procedure.turns:
        for step in turn.steps:
            stacks.setdefault(step, []).append(STACK_OF[turn.role])
    rows = ((each.id, ", then ".join(roles), each.title) for each, roles in stacks.items())
    return _table(("step", "on the stack of", "what is true once it is proved"), rows)


def phases() -> str:
    """Return the steps of each phase, on either stack."""
    headings = ("phase", "on the survivor's stack", "on the lost, then recreated region's")
    return _table(headings, ((f"`{phase}`", *_both(phase)) for phase in Phase))


def failback() -> str:
    """Return the turns of a failback as the operator takes them, with region 1 lost."""
    return _table(("turn", "run", "proves", "what is true then"), _failback_rows())


def diagram() -> str:
    """Return the phases as a state diagram in Mermaid."""
    failover, pending, restored = (
        _ids(_distinct(phase)) for phase in (Phase.FAILOVER, Phase.FAILBACK_PENDING, Phase.RESTORED)
    )
    return f"""```mermaid
stateDiagram-v2
    direction LR
    failback: failback-pending
    [*] --> normal
    normal --> failover: a region is lost ({failover})
    failover --> failback: it is recreated ({pending})
    failback --> failover: backing out
    failback --> restored: {restored}
    restored --> normal: the same topology
```
"""


def order() -> str:
    """Return a diagram in Mermaid of which turn of a failback waits for which."""
    taken = [turn for turn in CAMUNDA_8_5.turns if turn.phase.is_failback]
    lines = ["```mermaid", "flowchart LR"]
    for role in (Role.SURVIVOR, Role.RECREATED):
        own = [turn for turn in taken if turn.role is role]
        lines.append(f"    subgraph {role}")
        lines += [f'        {_name(turn)}["{turn.task}: {_ids(turn.steps)}"]' for turn in own]
        lines.append("    end")
        lines += [f"    {_name(one)} --> {_name(two)}" for one, two in pairwise(own)]
    lines += [
        f"    {_name(other)} -->|{step.id}| {_name(turn)}"
        for turn in taken
        for step in turn.needs_other
        for other in taken
        if other.role is not turn.role and step in other.steps
    ]
    return "\n".join([*lines, "```", ""])


PARTS: dict[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        *(turns, turns_by_cluster_api, steps, steps_by_cluster_api),
        *(phases, failback, diagram, order),
    )
}


def _failback_rows() -> Iterator[tuple[str, ...]]:
    phase, number = Phase.FAILBACK_PENDING, 0
    for turn in CAMUNDA_8_5.turns:
        if not turn.phase.is_failback:
            continue
        if turn.phase is not phase:
            phase = turn.phase
            yield "", f"`phase {phase}` on both stacks", "", ""
        number += 1
        stack = f"`pulumi up --stack region{_REGION_IN_EXAMPLES[turn.role]}`"
        yield str(number), stack, _ids(turn.steps), "; ".join(each.title for each in turn.steps)
    yield "", f"`phase {Phase.NORMAL}` on both stacks", "", ""
    (normal,) = (turn for turn in CAMUNDA_8_5.turns if turn.phase is Phase.NORMAL)
    yield str(number + 1), "`pulumi up` on each", _ids(normal.steps), normal.steps[0].title


def _both(phase: Phase) -> tuple[str, str]:
    """Return the steps of a phase on the survivor's stack and on the other one."""
    found = {True: "", False: ""}
    for turn in CAMUNDA_8_5.turns:
        if turn.phase is phase:
            for side in (
                (True, False) if turn.role is Role.MEMBER else (turn.role is Role.SURVIVOR,)
            ):
                found[side] = f"{found[side]} {_ids(turn.steps)}".strip()
    return found[True], found[False]


def _distinct(phase: Phase) -> tuple[Step, ...]:
    """Return the steps of a phase, each once."""
    found = (step for turn in CAMUNDA_8_5.turns if turn.phase is phase for step in turn.steps)
    return tuple(dict.fromkeys(found))


def _name(turn: Turn) -> str:
    return turn.task.replace("-", "_")


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(map(_row, (headings, ("---",) * len(headings), *rows)))


def _row(cells: tuple[str, ...]) -> str:
    return (
        "|"
        + "|".join(f" {cell} " if cell else " " for cell in cells).replace(" --- ", "---")
        + "|\n"
    )


def _cells(turn: Turn, procedure: Procedure) -> tuple[str, ...]:
    return (
        turn.task,
        turn.role,
        turn.phase,
        ", ".join(_needs(turn)),
        _first(turn),
        "; ".join(_release(each, procedure) for each in turn.releases) or "nothing",
        _ids(turn.then),
    )


def _first(turn: Turn) -> str:
    """Return what is proved first, with the isolation in its place."""
    behind = {turn.isolated_after: " isolation"}
    return " ".join(f"{step.id}{behind.get(step, '')}" for step in turn.first)


def _needs(turn: Turn) -> Iterator[str]:
    if turn.needs:
        yield f"{_ids(turn.needs)} here"
    if turn.needs_other:
        yield f"{_ids(turn.needs_other)} there"
    if turn.needs_failover_gone:
        yield "no failover release there"


def _release(release: Release, procedure: Procedure) -> str:
    """Return what is particular about a release."""
    if not procedure.has_failover_installation:
        empty = "no schema, no Connectors" if release.is_empty else ""
        parts = ["" if release.has_web_apps else "no web apps, no archiver", empty]
        return f"own: {', '.join(filter(None, parts)) or 'as the values say'}"
    parts = [
        "half of the brokers asleep" if release.installation_type == FAIL_BACK else "",
        "" if release.has_web_apps else "no web apps",
        "exports to the failover engine"
        if release.exports_to_failover
        else "exports to both regions",
    ]
    name = "failover" if release.is_failover else "own"
    return f"{name}: {', '.join(part for part in parts if part)}"


def _ids(found: tuple[Step, ...]) -> str:
    return " ".join(step.id for step in found)


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(renewed(document.read_text()))
