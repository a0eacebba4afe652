"""Every `dualregion` command that a document has can be typed: there are its verb, its options and their values."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.__main__ import app
from tests.unit.repository.test_docs import DOCUMENTS

_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:bin/)?dualregion [^`\n]+)`")
_ENDS = ("|", "||", "&&", ";", ">", "#", "<", ")", "do", "done")
_WORDS = {"CODE", "STEP", "CODE|STEP", "FOLDER", "..."}
"""What stands in a document for a reader's own word."""


def commands_of(document: Path) -> Iterator[list[str]]:
    """Yield the arguments of each command of a document."""
    text = document.read_text()
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    for line in (*lines, *_INLINE.findall(text)):
        with suppress(ValueError):  # a quotation that goes on in the next line
            yield from _typed_in(_words_of(line))


def _words_of(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split = True
    return list(lexer)


def _typed_in(words: list[str]) -> Iterator[list[str]]:
    for index, word in enumerate(words):
        first = index == 0 or words[index - 1] in (*_ENDS, "(", "do", "then")
        if word in ("dualregion", "bin/dualregion") and first:
            rest = words[index + 1 :]
            end = next((at for at, each in enumerate(rest) if each in _ENDS), len(rest))
            yield rest[:end]


def problem_of(arguments: list[str]) -> str | None:
    """Return why a command cannot be typed, or None."""
    command: Any = get_command(app)
    rest = [each for each in arguments if each not in _WORDS]
    while rest:
        word, *rest = rest
        if word.startswith("-"):
            name, has_value, _ = word.partition("=")
            option = next((each for each in command.params if name in each.opts), None)
            if option is None:
                return f"there is no option {name} of {command.name}"
            if not has_value and not getattr(option, "is_flag", False):
                rest = rest[1:]
        elif commands := getattr(command, "commands", None):
            if word not in commands:
                return f"there is no command {word}"
            command = commands[word]
    return None


def test_there_are_commands_to_be_tried() -> None:
    found = [each for document in DOCUMENTS for each in commands_of(document)]
    verbs = {each[0] for each in found if each}
    assert {"status", "failover", "failback", "init", "install", "config", "preflight"} <= verbs


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(each.relative_to(each.parents[2])) for each in DOCUMENTS]
)
def test_every_documented_command_can_be_typed(document: Path) -> None:
    wrong = {
        f"dualregion {' '.join(each)}": problem
        for each in commands_of(document)
        if "--help" not in each
        and not {"--install-completion", "-h", "--version"} & set(each)
        and (problem := problem_of(each))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "line",
    ["dualregion fail-over --lost 1", "dualregion failover --lose 1", "dualregion config chek"],
)
def test_a_command_that_there_is_not_is_found(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```bash\n{line}    # as it is\n```\n")
    (arguments,) = commands_of(page)
    assert problem_of(arguments)
