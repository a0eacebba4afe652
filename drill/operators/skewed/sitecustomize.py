"""A clock that is wrong, for each Python that finds this module on its path: `drill.operators.clock` puts it there.

The clock that never jumps is right, and so is that of whatever does not ask Python for the time: other programs, the times
of files, the validity of certificates.
"""

import datetime
import os
import time
from typing import Any

_SECONDS = float(os.environ["DRILL_CLOCK_SKEW"])
_REAL = datetime.datetime
_time, _time_ns = time.time, time.time_ns


class _Meta(type):
    """Every moment is one of the class that takes the real one's place, by whatever it was made."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _REAL) if cls is Skewed else super().__instancecheck__(instance)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _REAL) if cls is Skewed else super().__subclasscheck__(other)


class Skewed(datetime.datetime, metaclass=_Meta):
    """`datetime.datetime`, whose now is another."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """Return the moment of the wrong clock."""
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        """Return the moment of the wrong clock, without its zone."""
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        """Return the moment of the wrong clock, in local time."""
        return cls.fromtimestamp(time.time())


Skewed.__name__ = Skewed.__qualname__ = "datetime"
Skewed.__module__ = "datetime"
time.time = lambda: _time() + _SECONDS
time.time_ns = lambda: _time_ns() + int(_SECONDS * 1e9)
datetime.datetime = Skewed  # type: ignore[misc]
