"""How the judgements word what an engine says: its reasons, long lists, amounts of bytes."""

import json
import re
from collections.abc import Sequence

_NAMED = 5
"""How many names a sentence holds before the rest is only counted."""


def error_reason(body: str) -> str:
    """Return an engine's own reasons out of an error document, outermost first, even if it is cut short.

    An engine repeats itself (root cause, error, chain of causes); each reason is said once.
    """
    reasons: list[str] = []
    for found in re.findall(r'"reason"\s*:\s*"((?:[^"\\]|\\.)+)', body):
        reason = _unescaped(found)
        if not any(reason in known for known in reasons):
            reasons.append(reason)
    return ": ".join(reasons[:4]) or body


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def some_of(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - _NAMED
    return separator.join([*names[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def amount(done: int, total: int) -> str:
    """Return how many of so many bytes, in the unit that suits their total."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if total >= size:
            return f"{done / size:.1f} of {total / size:.1f} {unit}"
    return f"{done} of {total} bytes"
