"""Which indices are Camunda's or the user's, and not the engine's own."""

from collections.abc import Iterable

USER_INDICES = "*,-.*"
"""The index expression for all that `user_indices` keeps."""


def user_indices(names: Iterable[str]) -> tuple[str, ...]:
    """Return the indices that are Camunda's or the user's: an engine's own begin with a dot."""
    return tuple(sorted(name for name in names if not name.startswith(".")))
