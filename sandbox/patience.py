"""How long the sandbox, the drill and the tests wait before they take something for broken, on slow machines too."""

import os

from sandbox.errors import SandboxError

VARIABLE = "DUAL_REGION_TIME_FACTOR"
"""The environment variable by which every deadline is multiplied; 1 unless it is set."""


def allowed(seconds: float) -> float:
    """Return how long something may take on this machine that may take so many seconds on a usual one.

    :raises SandboxError: the variable is no number from 1 on.
    """
    text = os.environ.get(VARIABLE) or "1"
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 <= factor < float("inf"):
        raise SandboxError(
            f"environment variable {VARIABLE} is {text!r}: a number from 1 on is needed, such as 4 on a machine that "
            f"is four times as slow as usual; or `unset {VARIABLE}`"
        )
    return seconds * factor
