"""Write the tables of the fault matrix into its document: `python -m tools.matrix_tables`.

Each stands between two comments, of which the first one names it, and follows the results in the repository.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from drill.matrix import summary, table
from drill.matrix.results import read

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "develop" / "matrix.md"
RESULTS = ROOT / "tests" / "matrix" / "results.jsonl"
_PART = re.compile(
    r"(<!-- Made by `python -m tools\.matrix_tables`: (\w+)\. -->\n).*?(<!-- The end of that\. -->\n)",
    re.DOTALL,
)


def parts() -> Mapping[str, Callable[[], str]]:
    """Return what makes each table, by its name."""
    runs = read(RESULTS)
    return {
        "summary": lambda: summary.summary(runs),
        "covered": lambda: table.covered(runs),
        "outcomes": lambda: table.outcomes(runs),
    }


def renewed(text: str, names: Mapping[str, Callable[[], str]]) -> str:
    """Return a document's text with these tables as they are now; others stay.

    :raises ValueError: if it has no place for one of them.
    """
    found: set[str] = set()

    def make(part: re.Match[str]) -> str:
        if part[2] not in names:
            return part[0]
        found.add(part[2])
        return f"{part[1]}\n{names[part[2]]()}\n\n{part[3]}"

    text = _PART.sub(make, text)
    if missing := set(names) - found:
        raise ValueError(f"there is no place for {', '.join(sorted(missing))}")
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8"), parts()), encoding="utf-8")
