"""Helm's own records of a release, as Helm 3 stores them.

Source: Secrets `sh.helm.release.v1.<name>.v<revision>` with labels owner, name, status, version.
"""

import base64
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from dualregion import plain_json


@dataclass(frozen=True)
class HelmRecord:
    """What Helm has recorded of one revision of a release.

    :ivar secret: the Secret that holds it.
    """

    secret: Any

    @property
    def name(self) -> str:
        """The name of its Secret."""
        return str(self.secret.metadata.name)

    @property
    def revision(self) -> int:
        """Which revision it is of."""
        return int(self.secret.metadata.labels["version"])

    @property
    def status(self) -> str:
        """What Helm calls the revision's state, such as `deployed`."""
        return str(self.secret.metadata.labels.get("status", ""))

    @property
    def is_pending(self) -> bool:
        """Whether an operation has begun and not ended."""
        return self.status.startswith("pending-")

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        found: datetime | None = self.secret.metadata.creation_timestamp
        return found

    @cached_property
    def content(self) -> dict[str, Any]:
        """The record itself: `chart`, `config`, `info` and so on."""
        packed = base64.b64decode(base64.b64decode(self.secret.data["release"]))
        document: dict[str, Any] = plain_json.read(gzip.decompress(packed))
        return document

    @property
    def values(self) -> dict[str, Any]:
        """The values that the revision was given."""
        return self.content.get("config") or {}


def in_order(secrets: Iterable[Any]) -> list[HelmRecord]:
    """Return the records that Secrets hold, in the order of their revisions."""
    return sorted(map(HelmRecord, secrets), key=lambda each: each.revision)
