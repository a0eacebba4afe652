"""What Pulumi's engine logs of a run while it runs (`--event-log`): work on resources, and messages of the program."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

UNCHANGED = ("same", "refresh", "read")
"""Operations that leave a resource as it is."""
CREATIONS = ("create", "create-replacement")
_CLUSTERS = "kubernetes:"
"""The types of what lies in a cluster begin so; the rest is Pulumi's own bookkeeping."""
_SEVERITIES = ("info", "warning")
"""Of the program's messages that people read; others are for those who develop Pulumi, or stack traces of an interrupted run."""
_NOISE = "using pulumi-"
"""Which plugin is used."""
_LOOK_SECONDS = 0.005
"""A kill must come before the work that it is meant for is over."""
_LONGEST = 200


class Moment(StrEnum):
    """Where the work on a resource is; MESSAGE is none of it, but a message of the program or a provider."""

    BEGUN = "resourcePreEvent"
    DONE = "resOutputsEvent"
    FAILED = "resOpFailedEvent"
    MESSAGE = "diagnosticEvent"


@dataclass(frozen=True)
class Event:
    """One event of a run.

    :ivar operation: such as `create`; empty for a message.
    :ivar type: of the resource.
    :ivar name: of the resource in the program.
    :ivar inputs: what it is to be, empty if it is deleted.
    :ivar former: what it was, empty if it is new.
    :ivar at: when it was read, on the clock that never jumps; 0 if it was not read while the run went on.
    """

    moment: Moment
    operation: str = ""
    type: str = ""
    name: str = ""
    text: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    former: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default=0.0, compare=False)

    @property
    def is_change(self) -> bool:
        """Whether something was made of a resource in a cluster, or could not be."""
        ended = self.moment in (Moment.DONE, Moment.FAILED)
        return ended and self.operation not in UNCHANGED and self.type.startswith(_CLUSTERS)

    @property
    def progress(self) -> str:
        """What people read of it while it runs; empty: nothing."""
        if self.is_change:
            failed = " FAILED" if self.moment is Moment.FAILED else ""
            return f"{self.operation} {self.type} {self.name}{failed}"
        return "" if self.text.startswith(_NOISE) else " ".join(self.text.split())[:_LONGEST]


def event_of(line: str) -> Event | None:
    """Return the event of a line of the log; None for those that concern neither a resource nor people."""
    document = json.loads(line)
    for moment in (Moment.BEGUN, Moment.DONE, Moment.FAILED):
        if moment in document:
            made = document[moment]["metadata"]
            return Event(
                moment,
                made["op"],
                made["type"],
                made["urn"].rpartition("::")[2],
                inputs=_inputs(made.get("new")),
                former=_inputs(made.get("old")),
            )
    message = document.get(Moment.MESSAGE, {})
    severity = message.get("severity")
    # What a provider reports of a resource it awaits is of no interest, unless it is an error.
    if severity == "error" or (severity in _SEVERITIES and "urn" not in message):
        return Event(Moment.MESSAGE, text=message["message"].strip())
    return None


def _inputs(state: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (state or {}).get("inputs") or {}


@contextmanager
def followed(log: Path, on_event: Callable[[Event], None]) -> Iterator[None]:
    """Hand on each event of a log as soon as it is written, by a thread; what is left of it when the block ends."""
    log.touch()
    is_over = threading.Event()
    thread = threading.Thread(target=_follow, args=(log, on_event, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _follow(log: Path, on_event: Callable[[Event], None], is_over: threading.Event) -> None:
    """Read until the run is over; a line that does not end then was cut off by a kill."""
    rest = ""
    with log.open(encoding="utf-8") as file:
        while True:
            is_last = is_over.is_set()
            *lines, rest = (rest + file.read()).split("\n")
            for event in filter(None, map(event_of, lines)):
                on_event(replace(event, at=time.monotonic()))
            if is_last:
                return
            is_over.wait(_LOOK_SECONDS)
