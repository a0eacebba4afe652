"""What was really fetched, held against the list: nothing that it lacks, and nothing of the vendor's."""

import re
from collections.abc import Iterable, Iterator

from sandbox.licences.demanded import canonical
from sandbox.licences.entries import Entry, key
from sandbox.setup.fetched import Fetched

# The vendor's broker, and whatever it would come in under another name of theirs.
_VENDOR = re.compile(r"camunda|zeebe", re.IGNORECASE)
# Clients, no brokers, and open source: one in Python by its users (MIT), and the vendor's in Go, whose description of the
# protocol our broker serves (Apache-2.0). Their licences are on the list like everybody's.
_CLIENTS = frozenset({"pyzeebe", "github.com/camunda/zeebe/clients/go/v8"})
# They come with Python itself: nothing is fetched.
_WITH_PYTHON = frozenset({"pip", "setuptools"})
_MAIN = "main, the part of Debian that is free software"


def complaints(items: Iterable[Fetched], entries: Iterable[Entry]) -> tuple[str, ...]:
    """A sentence for each fetched thing that must not be there or whose licence is not known.

    The list has Debian's packages of one release. Of another one, dependencies may be called otherwise: there a
    package must be of Debian's main section.
    """
    listed = tuple(entries)
    # The set-up knows a part by its name alone.
    known = {key("part", e.name) if e.kind == "part" else e.key for e in listed}
    releases = {entry.version for entry in listed if entry.kind == "debian"}
    return tuple(
        f"{each.kind} {each.name} {each.version} ({each.used_by}): {why}."
        for each in items
        if (why := _wrong(each, known, releases))
    )


def _wrong(item: Fetched, known: set[str], releases: set[str]) -> str:
    if _VENDOR.search(item.name) and item.name not in _CLIENTS:
        return "it is the vendor's, under terms that are not open source; the sandbox must not fetch it"
    if item.kind == "python" and item.name in _WITH_PYTHON:
        return ""
    if "/" in item.section:
        return f"it is not of Debian {_MAIN}, but of {item.section}"
    if item.kind == "debian" and item.release not in releases:
        return ""
    if item_key(item) in known:
        return ""
    return "the list of licences lacks it; run `make licences`, and read what that adds"


def item_key(item: Fetched) -> str:
    """What the list calls a fetched thing."""
    if item.kind == "python":
        return key("python", canonical(item.name), item.version)
    if item.kind == "go" and item.name == "std":
        return key("go", "std", "any")
    return key(item.kind, item.name, "" if item.kind == "debian" else item.version)


def with_licences(items: Iterable[Fetched], entries: Iterable[Entry]) -> Iterator[str]:
    """One line for each fetched thing, with its licence if that is known."""
    licences = {key("part", e.name) if e.kind == "part" else e.key: e.licence for e in entries}
    for kind, name, version, licence in sorted(
        {(i.kind, i.name, i.version, licences.get(item_key(i), "?")) for i in items}
    ):
        yield "\t".join((kind, name, version or "-", licence))
