"""The table of where each step is (docs/develop/where.md) names files, folders and functions that are there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT

PAGE = CHECKOUT / "docs" / "develop" / "where.md"
COLUMNS = ("dualregion", "components", "")
"""Where the paths of each column begin, as the table's head says it."""
Named = tuple[str, str]
"""A file or folder of the checkout, and what of it is named; empty if it is the file alone."""


def named(text: str) -> Iterator[Named]:
    """Yield all that the table's rows name."""
    for row in re.findall(r"^\| (?!step \|).*\|$", text, re.MULTILINE):
        for begin, cell in zip(COLUMNS, row.split("|")[2:-1], strict=True):
            yield from named_in(cell, Path(begin))


def named_in(cell: str, begin: Path) -> Iterator[Named]:
    """Yield what one cell names: functions stand behind their file, and files' own names behind their folder."""
    folder, file = begin, begin
    for code in re.findall(r"`([^`]+)`", cell):
        if code.endswith("/"):
            folder = begin / code
            yield str(folder), ""
        elif code.endswith(".py"):
            file = (begin if "/" in code else folder) / code
            yield str(file), ""
        else:
            yield str(file), code


def is_there(path: str, name: str) -> bool:
    """Return whether a file or folder exists, and defines what is named."""
    place = CHECKOUT / path
    if not name:
        return place.exists()
    return place.is_file() and name in defined(ast.parse(place.read_text()))


def defined(tree: ast.AST, within: str = "") -> set[str]:
    """Return the classes and functions of a module, methods behind their class."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found |= {f"{within}{node.name}"} | defined(node, f"{within}{node.name}.")
    return found


def test_each_file_and_function_that_the_table_names_exists() -> None:
    found = [*named(PAGE.read_text())]
    assert {
        ("dualregion/config/settings.py", "Settings.parse"),
        ("components/gate.py", "Gate"),
        ("steps/cluster_api/failback.py", ""),
    } <= {*found}
    assert [each for each in found if not is_there(*each)] == []


@pytest.mark.parametrize(
    "row",
    [
        "| x | `config/dns.py`: the settings | | |",
        "| x | | `camunda.py`: `Camunda85` | |",
        "| x | | | `steps/cluster_api/`: `failover.py`, `faildown.py` |",
        "| x | `procedure/revisions/` | | |",
    ],
    ids=["file", "function", "file in a folder", "folder"],
)
def test_what_does_not_exist_is_found(row: str) -> None:
    assert not all(is_there(*each) for each in named(row))
