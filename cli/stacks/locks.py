"""Who holds a stack: the locks of a state backend of plain files.

Pulumi has no command that shows a lock without trying to take it. A backend of files can be read; with any other one
the second operator learns of the first by being refused, by the same message.
"""

import json
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dualregion.errors import Refused
from messages.command import driving as messages

_CREATED = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")
"""How Pulumi words a lock when it refuses for it."""


@dataclass(frozen=True)
class Lock:
    """A lock that a run holds on a stack, or has left there.

    :ivar pid: the number of the process that took it, on `host`.
    """

    user: str
    host: str
    pid: int
    since: datetime

    @property
    def may_be_left(self) -> bool:
        """Whether a run that was killed may have left it: it names this machine, and no such process is here.

        That is no proof. Containers and machines share names, and a lock names neither its process's namespace nor the
        boot that it belongs to. Of one of another name nothing is known.
        """
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def __str__(self) -> str:
        return (
            f"{self.user}@{self.host} (process {self.pid}) since {self.since:%Y-%m-%d %H:%M:%S %Z}"
        )


def locks_of(backend: str, project: str, stack: str) -> tuple[Lock, ...] | None:
    """Return the locks on a stack, or None if this backend does not show them.

    :param backend: the backend's URL.
    :param stack: its name; that of its organization and project may stand before it.
    """
    if not backend.startswith("file://"):
        return None
    place = Path(backend.removeprefix("file://").partition("?")[0]).expanduser()
    folder = place / ".pulumi" / "locks" / "organization" / project / Path(stack).name
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return tuple(lock for lock in found if lock is not None)


def locks_in(text: str) -> tuple[Lock, ...]:
    """Return the locks that Pulumi names when it refuses for them."""
    return tuple(
        Lock(user, host, int(pid), datetime.fromisoformat(since))
        for user, host, pid, since in _CREATED.findall(text)
    )


def locked_by_others(stack: str, locks: Sequence[Lock]) -> Refused:
    """Return the refusal of a second operator.

    :param locks: on the stack; none if the backend does not show who holds it.
    """
    return Refused(messages.stack_locked(stack, tuple(map(str, locks))))


def _read(path: Path) -> Lock | None:
    """Read a lock; None if it was released meanwhile, or is just being written."""
    try:
        document = json.loads(path.read_text())
        return Lock(
            user=str(document["username"]),
            host=str(document["hostname"]),
            pid=int(document["pid"]),
            since=datetime.fromisoformat(document["timestamp"]),
        )
    except (OSError, ValueError, KeyError):
        return None
