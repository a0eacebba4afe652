"""A note of the Helm operation that a run of this program is about to begin. Pure.

Helm's record of an operation that never ended does not tell who began it: an operator's `helm upgrade --wait` is as
`pending` for minutes as what a killed run of ours has left. So each run notes beforehand what Helm's record will be.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Begun:
    """What a run is about to do with a namespace's release.

    :ivar incident: the incident that it belongs to.
    :ivar revision: Helm's number of the operation.
    :ivar values: the fingerprint of the values that it gives the release.
    """

    incident: str
    revision: int
    values: str

    @classmethod
    def of(cls, incident: str, values: Mapping[str, Any], revision: int = 1) -> "Begun":
        """Return the note of an operation that gives a release these values; of an install, unless it is said."""
        return cls(incident, revision, fingerprint(values))

    @classmethod
    def read(cls, data: Mapping[str, str]) -> "Begun | None":
        """Return the note that a ConfigMap's data hold; None if it was made unreadable."""
        try:
            return cls(data["incident"], int(data["revision"]), data["values"])
        except (KeyError, ValueError):
            return None

    @property
    def data(self) -> dict[str, str]:
        """It, as a ConfigMap's data."""
        return {
            "incident": self.incident,
            "revision": str(self.revision),
            "values": self.values,
        }

    def is_of(self, revision: int, values: Mapping[str, Any]) -> bool:
        """Return whether Helm's record of a revision with these values is of this operation."""
        return self.revision == revision and self.values == fingerprint(values)


def fingerprint(values: Mapping[str, Any]) -> str:
    """Return what tells values apart, whatever Pulumi and Helm make of nulls, empty lists and fractions on the way."""
    text = json.dumps(_plain(values), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {str(key): _plain(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each not in (None, {}, [])}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value if each is not None]
    return int(value) if isinstance(value, float) and value.is_integer() else value
