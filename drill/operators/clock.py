"""An operator's machine whose clock is some minutes off from all others'.

The kernel has one clock for all that runs on this machine. What is deceived is the Python of the program and of the
runbook command, in every look at the time of day; not Pulumi's engine and provider, Helm, or anything in the regions. To
the program that is the same as regions whose clocks are off.
"""

import os
from collections.abc import Mapping
from pathlib import Path

_SKEWED = Path(__file__).with_name("skewed")
"""Python reads `sitecustomize` in it before anything else."""


def skewed(env: Mapping[str, str], seconds: float) -> dict[str, str]:
    """Return an environment in which Python's clock is so many seconds ahead; below 0, behind."""
    path = [str(_SKEWED), *filter(None, [env.get("PYTHONPATH")])]
    return {
        **env,
        "PYTHONPATH": os.pathsep.join(path),
        "DRILL_CLOCK_SKEW": f"{seconds:g}",
    }
