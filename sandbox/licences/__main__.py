"""`python -m sandbox.licences [FOLDER...]`: make the list and the document's tables again, and judge the list.

The folders hold Python packages that are installed beside this environment.
"""

import sys
from collections.abc import Sequence

from sandbox.errors import SandboxError
from sandbox.licences import by_hand as by_hand_file
from sandbox.licences import demanded
from sandbox.licences.document import DOCUMENT, with_tables
from sandbox.licences.entries import LIST, Entry, write
from sandbox.licences.found import debian, go, maven, python
from sandbox.licences.judge import complaints, decided, part_entries
from sandbox.setup.modules import go_mods
from sandbox.setup.parts import java
from sandbox.setup.plan import plan


def main(folders: Sequence[str]) -> int:
    """Return the exit status: 1 if something is refused, missing or cannot be read."""
    known = by_hand_file.load()
    try:
        entries = decided(_read(known, folders), known)
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    entries += part_entries(entries, known)
    LIST.write_text(write(entries))
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(), entries, known))
    wrong = complaints(entries, demanded.all_of(), (p.name for p in plan({}).parts), known)
    for each in wrong:
        print(each, file=sys.stderr)
    print(f"{LIST}: {len(entries)} entries, {len(wrong)} complaints")
    return 1 if wrong else 0


def _read(known: by_hand_file.ByHand, folders: Sequence[str]) -> tuple[Entry, ...]:
    return (
        *go.entries(go_mods()),
        *maven.entries(java.checksums(), known),
        *python.entries(demanded.locked(), known, folders),
        *debian.entries(known),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
