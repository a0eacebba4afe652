"""The transcript of runs: what was asked, shown, answered and proved, a JSON document a line.

One process is one run of one command, so there is one transcript; without a file nothing is kept. It never stops a
command: a procedure is worth more than its transcript. No secrets get into it.
"""

import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from dualregion.errors import ConfigError
from dualregion.secrets import without_secrets
from messages import Message, code_of, with_code
from messages.command import driving as messages


class Event(StrEnum):
    """What a line is about."""

    BEGIN = "begin"
    LINE = "line"
    QUESTION = "question"
    ANSWER = "answer"
    UP = "up"
    PROGRESS = "progress"
    CHANGE = "change"
    UP_ENDED = "up-ended"
    HEALTH = "health"
    FINDING = "finding"
    NEXT = "next"
    CHECK = "check"
    ERROR = "error"
    END = "end"

    @property
    def meaning(self) -> str:
        """What such a line tells."""
        return _MEANINGS[self]


_MEANINGS = {
    Event.BEGIN: "a command begins: `arguments`, `version`, `who`",
    Event.LINE: "a line that was shown",
    Event.QUESTION: "a question to the operator; `option` is what would answer it",
    Event.ANSWER: "its answer: `yes`, and `by`, the option or `terminal`",
    Event.UP: "a run of `pulumi up` on `stack` begins; `steps` are those that it is to prove",
    Event.PROGRESS: "what the program reports while it runs: of which `step`, how grave (`severity`)",
    Event.CHANGE: "a resource was changed: `operation`, `kind`, `name`",
    Event.UP_ENDED: "that run has ended, after `seconds`, with `result`: `succeeded`, `failed` or `stopped`",
    Event.HEALTH: "what `status` has seen: `health`, `phase`, `incident`",
    Event.FINDING: "something that `status` has found, and what `health` it amounts to",
    Event.NEXT: "what is next: whose turn it is (`turn`), and what to type (`type`)",
    Event.CHECK: "a check of `preflight`: `outcome`, what was `found`, the `remedy`",
    Event.ERROR: "why the command has failed, or stopped",
    Event.END: "the command ends: `exitStatus`, after `seconds`",
}

KEYS = ("time", "run", "command", "event", "code", "facts", "sentence")
"""What each line has; after these come those of its event."""


@dataclass
class _Transcript:
    """A file that lines are added to.

    :ivar run: tells the lines of one run from those of others in the same file.
    """

    file: int
    path: str
    command: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    began: float = field(default_factory=monotonic)
    lock: Lock = field(default_factory=Lock)
    is_broken: bool = False

    def add(self, event: Event, text: str | None, more: Mapping[str, Any]) -> None:
        line = json.dumps(self._line(event, text, more), ensure_ascii=False) + "\n"
        with self.lock:
            if self.is_broken:
                return
            try:
                # In one call: lines of several runs do not mix.
                os.write(self.file, line.encode())
            except OSError as error:
                self.is_broken = True
                reason = error.strerror or type(error).__name__
                print(with_code(messages.transcript_broken(self.path, reason)), file=sys.stderr)

    def _line(self, event: Event, text: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "run": self.run,
            "command": self.command,
            "event": event.value,
            "code": code_of(text),
            "facts": _plain(text.facts) if isinstance(text, Message) else None,
            "sentence": None if text is None else without_secrets(str(text)),
            **{key: _plain(value) for key, value in more.items()},
        }


_current: _Transcript | None = None


def begin(path: Path, command: str, arguments: Sequence[str], **more: Any) -> None:
    """Begin the transcript of this process at the end of a file, which only its owner can read if it is new.

    :param command: the command's name.
    :param arguments: what was typed.
    :raises ConfigError: if the file cannot be written.
    """
    global _current  # noqa: PLW0603 (one process is one run)
    try:
        file = os.open(path.expanduser(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([messages.transcript_not_written(str(path), reason)]) from None
    _current = _Transcript(file, str(path), command)
    note(Event.BEGIN, arguments=arguments, **more)


def note(event: Event, text: str | None = None, **more: Any) -> None:
    """Add a line, if there is a transcript.

    :param text: what was shown; a message tells its code and facts, too.
    :param more: what belongs to such an event.
    """
    if _current is not None:
        _current.add(event, text, more)


def end(exit_status: int) -> None:
    """End the transcript, if there is one."""
    global _current  # noqa: PLW0603 (one process is one run)
    if _current is None:
        return
    note(Event.END, exitStatus=exit_status, seconds=round(monotonic() - _current.began, 3))
    os.close(_current.file)
    _current = None


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, without secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return without_secrets(str(value))
