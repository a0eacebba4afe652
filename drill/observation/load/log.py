"""The load client's log: one JSON object a line, written as it happens, readable while it grows.

Events: `start`, `deployed`, `ack` (key, sent, at), `errors` (counts by kind within a second),
`tunnel` (the port-forward ended), `late` (the client itself was held up), `end` (totals).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from drill.observation.measure import Ack


class LogWriter:
    """Appends events to the log and flushes each, so that a killed client has lost none."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, event: str, **fields: Any) -> None:
        """Append one event."""
        self._file.write(json.dumps({"event": event, **fields}, separators=(",", ":")) + "\n")
        self._file.flush()


@dataclass(frozen=True)
class LoadLog:
    """What the load client has written so far."""

    acks: tuple[Ack, ...] = ()
    errors: Mapping[str, int] = field(default_factory=dict)
    tunnels_ended: int = 0
    late_seconds: tuple[float, ...] = ()
    ended: str | None = None
    """Why the client stopped; None while it runs, or when it was killed."""

    @property
    def moments(self) -> list[float]:
        """When each command was accepted."""
        return [ack.at for ack in self.acks]

    def sent_after(self, moment: float) -> list[Ack]:
        """Return the acknowledged commands that were sent only after a moment."""
        return [ack for ack in self.acks if ack.sent > moment]

    def partitions_since(self, moment: float) -> set[int]:
        """Return the partitions that accepted a command sent after a moment."""
        return {ack.partition for ack in self.sent_after(moment)}


def merged(logs: Iterable[LoadLog]) -> LoadLog:
    """Return the logs of several clients, one after the other, as one."""
    kept = list(logs)
    errors: Counter[str] = Counter()
    for log in kept:
        errors.update(log.errors)
    return LoadLog(
        acks=tuple(ack for log in kept for ack in log.acks),
        errors=dict(errors),
        tunnels_ended=sum(log.tunnels_ended for log in kept),
        late_seconds=tuple(seconds for log in kept for seconds in log.late_seconds),
        ended=kept[-1].ended if kept else None,
    )


def parse(lines: Iterable[str]) -> LoadLog:
    """Return what is in the lines; a last line that is still being written is left out."""
    acks: list[Ack] = []
    errors: Counter[str] = Counter()
    late: list[float] = []
    tunnels = 0
    ended = None
    for line in lines:
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        match entry["event"]:
            case "ack":
                acks.append(Ack(key=entry["key"], sent=entry["sent"], at=entry["at"]))
            case "errors":
                errors.update(entry["counts"])
            case "late":
                late.append(entry["seconds"])
            case "tunnel":
                tunnels += 1
            case "end":
                ended = entry["reason"]
    return LoadLog(tuple(acks), dict(errors), tunnels, tuple(late), ended)


def read(path: Path) -> LoadLog:
    """Return what the client has written to its log; an empty log when there is no file yet."""
    if not path.exists():
        return LoadLog()
    with path.open(encoding="utf-8") as file:
        return parse(file)
