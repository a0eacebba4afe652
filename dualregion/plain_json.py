"""JSON, of which whatever cannot be read is one kind of error. Pure."""

import json
import math
from typing import Any


def read(text: str | bytes) -> Any:
    """Return a JSON document.

    :raises ValueError: if it is none, or nested deeper than Python reads.
    """
    try:
        return json.loads(text, parse_constant=_number, parse_float=_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _number(text: str) -> float:
    """Return a fraction; one that is infinite or none is no JSON, and no reader foresees it."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number
