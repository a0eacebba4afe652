"""The recovery record: what each step of each incident saw, out of both stacks' outputs and present gates. Pure.

A gate is newer than the outputs after a failed update, and is gone after its phase; the output `history`
keeps it. Both together are all there is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cli.stacks.read import Both
from dualregion.state.progress import Incident, merged_history


def namespace_of(host: str) -> str:
    """Return a broker's namespace by the address that the chart gives it; of any other, the address."""
    _, _, namespace, *rest = (*host.split("."), "", "", "")
    return namespace if rest[0] == "svc" else host


_LABELS = {
    "policies": "network policies",
    "exportedPositions": "exported positions of each partition, before and after",
    "records": "records of each partition, and their positions",
    "documents": "documents in both regions",
    "recordsCopied": "records in both regions",
    "rendered": "digest of what the chart renders",
    "clean": "empty",
}
"""What evidence is called, where its key does not say it."""


def _words(key: str) -> str:
    """Return a key of the evidence in words: `pausedAt` is `paused at`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", key)


@dataclass(frozen=True)
class Entry:
    """A step that was proved.

    :ivar evidence: what was seen.
    :ivar title: what is true once it is proved.
    """

    region: int
    stack: str
    step: str
    start: datetime
    end: datetime
    evidence: Mapping[str, str]
    title: str = ""

    @property
    def seconds(self) -> float:
        """How long its work and proof took."""
        return (self.end - self.start).total_seconds()

    @property
    def brokers(self) -> Mapping[str, str]:
        """The brokers that the step has seen: id -> address; none if it did not look."""
        listed = str(self.evidence.get("brokers") or "")
        found = (one.partition(" ") for one in listed.split(", ") if one)
        return {id_: host for id_, _, host in found}

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The evidence in words, without the brokers, which have a table of their own."""
        return tuple(
            (_LABELS.get(key, _words(key)), str(value))
            for key, value in self.evidence.items()
            if key != "brokers"
        )


@dataclass(frozen=True)
class IncidentRecord:
    """All steps of an incident, in the order in which they ended."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def lost_region(self) -> int | None:
        """The region that was lost, if the incident's name has it."""
        found = Incident.parse(self.name)
        return None if found is None else found.lost_region

    @property
    def paused(self) -> tuple[datetime, datetime | None] | None:
        """From when until when exporters were paused, as B2 and B5 have seen it; None if they were not."""
        began, ended = self._moment("pausedAt"), self._moment("resumedAt")
        return None if began is None else (began, ended)

    def proved_at(self, step: str) -> datetime | None:
        """Return when a step was proved; None if it was not.

        With F2 every partition had a leader and quorum again, at the latest; with F3 every broker exported.
        """
        return next((each.end for each in self.entries if each.step == step), None)

    @property
    def moves(self) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """The steps after which the brokers were others than before, with the address of each."""
        return tuple(self._moves())

    def _moves(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        before: Mapping[str, str] | None = None
        for each in self.entries:
            seen = each.brokers
            if seen and seen != before:
                yield each.step, seen
                before = seen

    def _moment(self, key: str) -> datetime | None:
        moments = (each.evidence.get(key) for each in self.entries)
        return next((_utc(text) for text in moments if text), None)


def incidents_of(stacks: Both) -> tuple[IncidentRecord, ...]:
    """Return every incident that the stacks know of, the first one first."""
    entries: dict[str, list[Entry]] = {}
    for stack in stacks:
        known = merged_history(stack.state.held.history, stack.state.records)
        for incident, steps in known.items():
            found = (_entry(stack.settings.region, stack.name, each) for each in steps.values())
            entries.setdefault(incident, []).extend(each for each in found if each)
    return tuple(
        IncidentRecord(name, tuple(sorted(found, key=lambda each: each.end)))
        for name, found in sorted(entries.items(), key=lambda pair: int(pair[0].split("-")[0]))
    )


def _entry(region: int, stack: str, data: Mapping[str, str]) -> Entry | None:
    """Read a gate's record; None if it holds no times: its hook was interrupted before it wrote them."""
    try:
        evidence = json.loads(data.get("evidence") or "{}")
        return Entry(
            region,
            stack,
            data["step"],
            _utc(data["start"]),
            _utc(data["end"]),
            dict(evidence),
            str(data.get("title") or ""),
        )
    except (KeyError, ValueError):
        return None


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text)
