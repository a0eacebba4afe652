"""Names the licences that texts are made of, by Google's licensecheck (`sandbox/toolchain/licences`)."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sandbox.licences.osi import together
from sandbox.setup.parts.gotools import TOOLCHAIN, ask_go

T = TypeVar("T")

# Below, too much of a text is something else than a licence; pkg.go.dev draws the line there too.
ENOUGH_PERCENT = 75.0
_NAME = re.compile(r"^(un)?licen[sc]e|^copying", re.IGNORECASE)
# Code and tables that are only called like that, blanks to be filled in, and the licence of documents.
_OTHER = re.compile(r"\.(go|py|pyc|csv|docs)$|template|header", re.IGNORECASE)


def is_licence_file(name: str) -> bool:
    """Whether a file is called like one that holds a licence of code."""
    return bool(_NAME.search(name)) and not _OTHER.search(name)


def licences(texts: Sequence[str]) -> tuple[str, ...]:
    """Each text's licence as an SPDX expression; empty where it is not one that is known.

    Several in one text count together: stricter than a choice, which no text says in a form that a program
    understands. Give many texts at once: starting the program costs more than its work.

    :raises SandboxError: Go is missing, or the program cannot be built.
    """
    program = ("run", "-mod=readonly", "-buildvcs=false", ".")
    named = ask_go(*program, cwd=TOOLCHAIN / "licences", given=json.dumps(texts))
    return tuple(_said(answer) for answer in json.loads(named))


def _said(answer: dict[str, Any]) -> str:
    return together(answer["licences"]) if answer["percent"] >= ENOUGH_PERCENT else ""


def licences_of(things: Mapping[T, Iterable[Path]]) -> dict[T, str]:
    """What each thing's licence files say together; empty if there is none, or one of them is not known."""
    wanted = sorted({path for files in things.values() for path in files})
    known = dict(
        zip(wanted, licences([path.read_text(errors="replace") for path in wanted]), strict=True)
    )
    return {thing: _all(known[path] for path in files) for thing, files in things.items()}


def _all(found: Iterable[str]) -> str:
    said = list(found)
    return together(said) if all(said) else ""
