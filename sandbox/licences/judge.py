"""The judgement of the list: complete, up to date, and open source throughout."""

from collections.abc import Iterable, Mapping

from sandbox.licences.by_hand import ByHand, Part
from sandbox.licences.entries import Entry
from sandbox.licences.osi import refusal, together
from sandbox.setup.parts.gotools import TOOLS

REMEDY = "Run `make licences`, and read what it changes in sandbox/licences/list.tsv."
_BY_HAND = "sandbox/licences/by_hand.yaml"


def complaints(
    entries: Iterable[Entry], demanded: Mapping[str, str], parts: Iterable[str], by_hand: ByHand
) -> tuple[str, ...]:
    """Everything that is wrong with the list, as sentences that say what to do.

    :param entries: the list.
    :param demanded: key -> the file that demands it.
    :param parts: names of the set-up's parts.
    :param by_hand: what was entered by hand.
    """
    listed = tuple(entries)
    return (
        *_differences(listed, demanded),
        *_wrong_parts(listed, set(parts), by_hand),
        *refused(listed, by_hand),
        *_idle(listed, by_hand),
    )


def refused(entries: Iterable[Entry], by_hand: ByHand) -> tuple[str, ...]:
    """A sentence for each entry whose licence is not open source."""
    return tuple(
        f"{entry.kind} {entry.name} {entry.version}: {why} (read in: {entry.read_in}). Use something else. If it is "
        f"open source all the same, say so in {_BY_HAND} with the reason, then run `make licences`."
        for entry in entries
        if (why := refusal(entry.licence, by_hand.accepted))
    )


def _differences(entries: tuple[Entry, ...], demanded: Mapping[str, str]) -> Iterable[str]:
    keys = {entry.key for entry in entries}
    for key, file in demanded.items():
        if key not in keys:
            yield f"{file} has {key}, which the list of licences lacks. {REMEDY}"
    for entry in entries:
        # Debian's dependencies stand in no file of ours, and Go's standard library comes with Go.
        if (
            entry.kind not in ("part", "debian")
            and entry.name != "std"
            and entry.key not in demanded
        ):
            yield f"the list of licences has {entry.key}, which no lock file has any more. {REMEDY}"


def _wrong_parts(entries: tuple[Entry, ...], parts: set[str], by_hand: ByHand) -> Iterable[str]:
    for name in sorted(parts - by_hand.parts.keys()):
        yield f"the set-up makes the part {name}, which {_BY_HAND} does not describe. Add it, then run `make licences`."
    for name in sorted(by_hand.parts.keys() - parts):
        yield f"{_BY_HAND} describes the part {name}, which the set-up does not make. Remove it, then run `make licences`."
    if set(part_entries(entries, by_hand)) != {each for each in entries if each.kind == "part"}:
        yield f"the list's parts are not those of the set-up and {_BY_HAND}. {REMEDY}"


def _idle(entries: tuple[Entry, ...], by_hand: ByHand) -> Iterable[str]:
    for answer in by_hand.licences:
        for name in answer.of:
            if not any(answer.answers(e.kind, name, e.version) and e.name == name for e in entries):
                yield f"{_BY_HAND} has a licence for {answer.kind} {name} {answer.version}, which is not in the list. Remove it."


def decided(entries: Iterable[Entry], by_hand: ByHand) -> tuple[Entry, ...]:
    """Entries with the answers by hand in the place of what was read."""
    return tuple(_decided(entry, by_hand) for entry in entries)


def _decided(entry: Entry, by_hand: ByHand) -> Entry:
    answer = by_hand.answer(entry.kind, entry.name, entry.version)
    if answer is None:
        return entry
    because = f"by hand: {' '.join(answer.because.split())}"
    return Entry(
        entry.kind, entry.name, entry.version, together([answer.licence]), entry.use, because
    )


def part_entries(entries: Iterable[Entry], by_hand: ByHand) -> tuple[Entry, ...]:
    """The parts' own entries, out of those of what they are made of."""
    others = [entry for entry in entries if entry.kind != "part"]
    said = {tool.name: tool.says.split()[-1] for tool in TOOLS}
    found = []
    for name, part in by_hand.parts.items():
        made_of = _made_of(part, others, said.get(name, ""))
        version = said.get(name) or next((each.version for each in made_of), "-")
        licence = together(_licences(part, made_of, others, by_hand))
        found.append(Entry("part", name, version, licence, "", part.of or "by hand"))
    return tuple(found)


def _made_of(part: Part, others: list[Entry], said: str) -> list[Entry]:
    """The entries that a part is one of: of several versions of a module the one that the set-up says."""
    found = [each for each in others if part.of == f"{each.kind} {each.name}"]
    return [each for each in found if each.version == f"v{said}"] or found


def _licences(part: Part, made_of: list[Entry], others: list[Entry], by_hand: ByHand) -> list[str]:
    own = [part.licence, *(each.licence for each in made_of)]
    own += [e.licence for e in others if e.kind == "debian" and part.packages in e.use.split()]
    for name in part.holds:
        held = by_hand.parts[name]
        own += _licences(held, _made_of(held, others, ""), others, by_hand)
    return [each for each in own if each]
