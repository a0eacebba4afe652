"""The last recovery that there are figures of: on these stacks, or in a file of a drill or of a rehearsal on others."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.estimate import Past
from cli.report.record import incidents_of
from cli.stacks.read import Both
from dualregion import plain_json
from dualregion.errors import ConfigError
from dualregion.procedure import B3, B7
from messages.command import checks as messages

_Step = tuple[str, float, Mapping[str, str]]
"""A step, how long it took in seconds, and what it saw."""


def of_stacks(stacks: Both) -> Past | None:
    """Return the last incident of these stacks that was carried to its failback's last step, or None."""
    for each in reversed(incidents_of(stacks)):
        steps = [(entry.step, entry.seconds, entry.evidence) for entry in each.entries]
        if any(step == B7.id for step, _, _ in steps):
            return _past(f"incident {each.name} of {each.entries[0].start:%Y-%m-%d}", steps)
    return None


def of_file(path: Path) -> Past:
    """Return what a file tells: `report.json` of a drill, or what `dualregion history --json` has printed.

    :raises ConfigError: if it cannot be read, or tells nothing of a whole recovery.
    """
    try:
        document = plain_json.read(path.expanduser().read_bytes())
        found = _of_drill(document) if "phases" in document else _of_history(document)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError([messages.past_not_read(str(path), reason)]) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError([messages.past_not_understood(str(path))]) from None
    if B7.id not in found.seconds:
        raise ConfigError([messages.past_incomplete(str(path))])
    return found


def _of_drill(document: Mapping[str, Any]) -> Past:
    """Read a drill's report: the steps of its last incident."""
    last = max(phase["incident"] for phase in document["phases"])
    steps: list[_Step] = [
        (str(step["id"]), float(step["seconds"]), {})
        for phase in document["phases"]
        if phase["incident"] == last
        for step in phase["steps"]
    ]
    return _past("that drill", steps, int(document["clusterSize"]))


def _of_history(document: Mapping[str, Any]) -> Past:
    """Read the last incident of a history that is whole; its brokers are those that its B7 has seen."""
    for each in reversed(document["incidents"]):
        steps = [
            (str(step["step"]), float(step["seconds"]), dict(step["evidence"]))
            for step in each["steps"]
        ]
        of_last = next((evidence for step, _, evidence in steps if step == B7.id), None)
        if of_last is not None:
            seen = str(of_last.get("brokers") or "")
            size = len([one for one in seen.split(", ") if one]) or None
            return _past(f"incident {each['incident']} in that file", steps, size)
    return Past("")


def _past(
    name: str,
    steps: Iterable[_Step],
    cluster_size: int | None = None,
) -> Past:
    """Put together what is known of a recovery; steps of both stacks come one after the other."""
    listed: Sequence[_Step] = list(steps)
    seconds: dict[str, float] = {}
    for step, took, _ in listed:
        seconds[step] = seconds.get(step, 0.0) + took
    copied = next((evidence for step, _, evidence in listed if step == B3.id), {})
    told = re.match(r"(\d+) in ", str(copied.get("documents") or ""))
    return Past(name, seconds, cluster_size, int(told[1]) if told else None)
