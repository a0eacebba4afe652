"""Waiting for something to become so, with a bound and with progress."""

import time
from collections.abc import Callable

from drill.errors import ClusterCallFailed, DrillError
from sandbox.patience import allowed

ASK_SECONDS = 0.5
"""How often is asked; half of it too late, on average, is an end seen."""
_REPORT_SECONDS = 5.0
_LONGEST = 160


def wait_for(
    what: str, missing: Callable[[], str | None], seconds: float, write: Callable[[str], None]
) -> float:
    """Wait until `missing` returns None; it otherwise returns what is still missing.

    A cluster that does not answer counts as something missing.

    :returns: how much too late, in seconds and on average, the end of the waiting was seen: 0 if it was so at once.
    :raises DrillError: it was still missing after `seconds`, or more on a slow machine.
    """
    limit = allowed(seconds)
    deadline = time.monotonic() + limit
    reported = time.monotonic()
    late = 0.0
    while True:
        try:
            lacking = missing()
        except ClusterCallFailed as error:
            lacking = str(error)
        if lacking is None:
            return late
        now = time.monotonic()
        if now > deadline:
            raise DrillError(f"waited {limit:.0f} s until {what}; still: {lacking}")
        if now - reported > _REPORT_SECONDS:
            write(f"  waiting until {what}: {lacking[:_LONGEST]}")
            reported = now
        late = ASK_SECONDS / 2
        time.sleep(ASK_SECONDS)
