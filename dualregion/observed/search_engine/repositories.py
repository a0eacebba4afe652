"""Snapshot repositories: how they are registered, and whether they are registered as wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

READONLY_TYPES = frozenset({"azure", "fs", "gcs", "hdfs", "s3"})
"""The repository types that know the setting `readonly`; `url` can only be read anyway."""


@dataclass(frozen=True)
class Repository:
    """A snapshot repository, as it is registered in a search engine.

    :ivar type: e.g. `s3` or `fs`.
    :ivar settings: the type's own settings, e.g. bucket, client and base path.
    """

    name: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def definition(self, *, readonly: bool) -> dict[str, Any]:
        """Return the body that registers it, for reading only where the type allows that."""
        settings = dict(self.settings)
        if readonly and self.type in READONLY_TYPES:
            settings["readonly"] = True
        return {"type": self.type, "settings": settings}


def same_definition(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Return whether a repository is registered as wanted; engines answer every setting as text."""
    if found is None or found.get("type") != wanted["type"]:
        return False
    return _texts(found.get("settings") or {}) == _texts(wanted["settings"])


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in settings.items()
    }
