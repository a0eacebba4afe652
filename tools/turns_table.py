"""Write the table of turns in docs/architecture.md from the procedure's table: `python -m tools.turns_table`."""

from collections.abc import Iterator
from pathlib import Path

from dualregion.procedure import FAIL_BACK, PROCEDURE, Release, Step, Turn

DOCUMENT = Path(__file__).parents[1] / "docs" / "architecture.md"
_BEGIN = "<!-- From dualregion/procedure/camunda_8_5.py, by `python -m tools.turns_table`. -->\n\n"
_END = "\n<!-- The end of that. -->\n"
_HEADINGS = ("turn", "stack", "phase", "begins when", "proves first", "declares", "proves then")


def table() -> str:
    """Return the turns as a table in Markdown."""
    rows = (_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, PROCEDURE.turns))
    return "".join(_row(cells) for cells in rows)


def renewed(text: str) -> str:
    """Return a document's text with the table as it is now.

    :raises ValueError: if it has no place for it.
    """
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def _row(cells: tuple[str, ...]) -> str:
    return (
        "|"
        + "|".join(f" {cell} " if cell else " " for cell in cells).replace(" --- ", "---")
        + "|\n"
    )


def _cells(turn: Turn) -> tuple[str, ...]:
    return (
        turn.task,
        turn.role,
        turn.phase,
        ", ".join(_needs(turn)),
        _first(turn),
        "; ".join(map(_release, turn.releases)) or "nothing",
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


def _release(release: Release) -> str:
    """Return what is particular about a release."""
    parts = [
        "half of the brokers asleep" if release.installation_type == FAIL_BACK else "",
        "" if release.has_web_apps else "no web apps",
        "exports to the failover engine"
        if release.exports_to_failover
        else "exports to both regions",
    ]
    name = "failover" if release.is_failover else "own"
    return f"{name}: {', '.join(part for part in parts if part)}"


def _ids(steps: tuple[Step, ...]) -> str:
    return " ".join(step.id for step in steps)


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
