"""What of the output of `pulumi up` belongs into the live progress."""

import re

_LONGEST = 200
_STACK = "pulumi:pulumi:Stack"

_RESOURCE = re.compile(r"^\s*\S{0,3}\s+(?P<type>\S+:\S+:\S+) (?P<name>\S+) ?(?P<rest>.*)$")
_STATE = re.compile(
    r"^(creating|created|updating|updated|running|refreshing|read)\s*(\([\d.]+s\))? ?"
)
_DONE = re.compile(r"\b(created|updated|deleted|replaced) \([\d.]+s\)")
_FAILED = re.compile(r"\*\*[a-z]+ failed\b|\berror:")
_NOISE = re.compile(
    r"^\s|^(Traceback|KeyboardInterrupt|error: update failed|\d+ (error|warning|message))"
)
_WAITED = re.compile(r": done: .* \((?!0\.0 s)[\d.]+ s\)$")
_UNTOLD = ("from $PATH", "pulumi:providers:")


class LiveLines:
    """Picks from one run's lines what the program says, what is done and what failed, each once.

    Pulumi shows what the program says on the stack's own line, and again whenever that line changes.
    """

    def __init__(self) -> None:
        self._last: dict[bool, str] = {}
        self._over = False

    def condensed(self, line: str) -> str | None:
        """Return what a line tells, or None."""
        # What follows repeats everything, for a person who comes back later.
        self._over = self._over or line.strip() == "Diagnostics:"
        text = None if self._over else _picked(line.rstrip())
        # The stack's line repeats what was said last, whatever other resources did in between.
        said = _STACK in line
        if not text or text == self._last.get(said):
            return None
        self._last[said] = text
        return text[:_LONGEST]


def said_by_program(line: str) -> str | None:
    """Return what a line repeats of the program's own words, which stand on the stack's line; or None."""
    found = _RESOURCE.match(line.rstrip())
    if not found or found["type"] != _STACK or any(text in line for text in _UNTOLD):
        return None
    said = _STATE.sub("", found["rest"]) if _STATE.match(found["rest"]) else found["rest"]
    said = said.removeprefix(" ") if found["rest"].startswith(" ") else said
    return None if not said or _NOISE.match(said) or "failed (" in said else said


def has_waited(told: str) -> bool:
    """Say whether a line tells that the program's waiting for something is over, and that it had to wait."""
    return _WAITED.search(told) is not None


def _picked(line: str) -> str | None:
    found = _RESOURCE.match(line)
    if not found or any(text in line for text in _UNTOLD):
        return None
    if found["type"] == _STACK:
        return said_by_program(line)
    if _DONE.search(found["rest"]) or _FAILED.search(found["rest"]):
        return " ".join(line.split())
    return None
