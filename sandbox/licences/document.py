"""The tables of docs/develop/sandbox-parts.md that are made from the list."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.licences.by_hand import ByHand
from sandbox.licences.entries import KINDS, Entry
from sandbox.setup.fetched import SHOWN
from sandbox.setup.parts.gotools import TOOLS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "develop" / "sandbox-parts.md"


def with_tables(text: str, entries: Sequence[Entry], by_hand: ByHand) -> str:
    """A document with its tables made again; all around them stays.

    :raises ValueError: the document has not the places of all tables.
    """
    tables = {
        "parts": _parts(entries, by_hand),
        "debian": _debian(entries, by_hand),
        "licences": _licences(entries),
        "accepted": _table(("licence", "why it is taken"), sorted(by_hand.accepted.items())),
    }
    for name, table in tables.items():
        place = re.compile(
            rf"(<!-- made by make licences: {name} -->\n).*?(<!-- end -->)", re.DOTALL
        )
        if len(place.findall(text)) != 1:
            raise ValueError(
                f"{DOCUMENT.name} must have one place `<!-- made by make licences: {name} -->` ... `<!-- end -->`."
            )
        text = place.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", text)  # type: ignore[misc]
    return text


def _parts(entries: Sequence[Entry], by_hand: ByHand) -> str:
    binaries = {tool.name: ", ".join(name for name, _ in tool.binaries) for tool in TOOLS}
    rows = [
        (
            binaries.get(entry.name, entry.name),
            entry.version,
            part.licence_shown or entry.licence,
            part.made_from,
            part.what_for,
        )
        for entry in sorted(
            entries, key=lambda e: list(by_hand.parts).index(e.name) if e.kind == "part" else 0
        )
        if entry.kind == "part" and (part := by_hand.parts[entry.name])
    ]
    return _table(("part", "version", "licence", "made from", "what for"), rows)


def _debian(entries: Sequence[Entry], by_hand: ByHand) -> str:
    licences = {entry.name: entry.licence for entry in entries if entry.kind == "debian"}
    rows = [
        (names, "; ".join(dict.fromkeys(licences.get(n, "") for n in names.split(", "))), what_for)
        for names, what_for in by_hand.debian.items()
    ]
    return _table(("package", "licence (main part)", "what for"), rows)


def _licences(entries: Sequence[Entry]) -> str:
    kinds = [kind for kind in KINDS if kind != "part"]
    counts = Counter((entry.licence, entry.kind) for entry in entries)
    total = Counter(entry.licence for entry in entries if entry.kind != "part")
    rows = [
        (licence, *(str(counts[licence, kind] or "") for kind in kinds))
        for licence, _ in sorted(total.items(), key=lambda each: (-each[1], each[0]))
    ]
    sums = [str(sum(1 for entry in entries if entry.kind == kind)) for kind in kinds]
    return _table(("licence", *(SHOWN[kind] for kind in kinds)), [*rows, ("all", *sums)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
