"""The list: one line for each thing that is fetched, with its licence and where that was read."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

LIST = Path(__file__).parent / "list.tsv"
KINDS = ("part", "go", "maven", "python", "debian")


@dataclass(frozen=True, order=True)
class Entry:
    """One line of the list.

    :ivar kind: one of `KINDS`.
    :ivar name: as its registry names it; Maven: `group:artifact`, or `group:artifact:classifier`.
    :ivar version: as the lock files pin it; of a Debian package the release, since packages follow the system.
    :ivar licence: an SPDX expression.
    :ivar use: what has it: a lock file, "linked" or "fetched" (Go), "machine" or "image" (Debian).
    :ivar read_in: the file or metadata in which the licence was read.
    """

    kind: str
    name: str
    version: str
    licence: str
    use: str
    read_in: str

    @property
    def key(self) -> str:
        """What it is called where it is demanded or fetched."""
        if self.kind == "maven":
            _, artifact, *classifier = self.name.split(":")
            return key("maven", "-".join([artifact, self.version, *classifier]) + ".jar")
        if self.kind == "debian":
            return key("debian", self.name)
        return key(self.kind, self.name, self.version)


def key(kind: str, name: str, version: str = "") -> str:
    """A thing's name across lock files, list and set-up. Maven's are known by their files' names."""
    return " ".join(filter(None, (kind, name, version)))


HEADER = "\t".join(field.name for field in fields(Entry))


def read(text: str) -> tuple[Entry, ...]:
    """Read a list; raises ValueError with the line that has not all columns."""
    head, *lines = text.splitlines()
    if head != HEADER:
        raise ValueError(f"{LIST.name}, line 1: expected {HEADER!r}. Run `make licences`.")
    return tuple(_entry(number, line) for number, line in enumerate(lines, 2))


def _entry(number: int, line: str) -> Entry:
    cells = line.split("\t")
    if len(cells) != len(fields(Entry)) or cells[0] not in KINDS:
        raise ValueError(
            f"{LIST.name}, line {number}: expected a kind ({', '.join(KINDS)}) and {len(fields(Entry))} columns: "
            f"{line!r}. Run `make licences`."
        )
    return Entry(*cells)


def write(entries: Iterable[Entry]) -> str:
    """The list as text, sorted, so that a change shows as the lines that changed."""
    rows = sorted(set(entries), key=lambda each: (KINDS.index(each.kind), each))
    return "\n".join([HEADER, *("\t".join(astuple(row)) for row in rows)]) + "\n"


def listed() -> tuple[Entry, ...]:
    """The list of this checkout."""
    return read(LIST.read_text())
