"""Waiting for something to become so, with a bound and with progress."""

import time
from collections.abc import Callable

from drill.errors import ClusterCallFailed, DrillError

_ASK_SECONDS = 0.5
_SAY_SECONDS = 5.0
_LONGEST = 160


def wait_for(
    what: str, missing: Callable[[], str | None], seconds: float, say: Callable[[str], None]
) -> None:
    """Wait until `missing` returns None; it otherwise says what is still missing.

    A cluster that does not answer counts as something missing.

    Raises:
        DrillError: it was still missing after `seconds`.
    """
    deadline = time.monotonic() + seconds
    said = time.monotonic()
    while True:
        try:
            lacking = missing()
        except ClusterCallFailed as error:
            lacking = str(error)
        if lacking is None:
            return
        now = time.monotonic()
        if now > deadline:
            raise DrillError(f"waited {seconds:.0f} s until {what}; still: {lacking}")
        if now - said > _SAY_SECONDS:
            say(f"  waiting until {what}: {lacking[:_LONGEST]}")
            said = now
        time.sleep(_ASK_SECONDS)
