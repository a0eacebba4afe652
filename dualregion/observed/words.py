"""An engine's own reasons, out of its error documents."""

import json
import re


def error_reason(body: str) -> str:
    """Return an engine's own reasons out of an error document, outermost first, even if it is cut short.

    An engine repeats itself (root cause, error, chain of causes); each reason is given once.
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
