"""Which Spring profiles brokers run with: web apps are profiles of theirs from Camunda 8.8 on. Pure."""

from collections.abc import Mapping
from typing import Any

import yaml

VARIABLE = "SPRING_PROFILES_ACTIVE"
"""The environment variable that outranks the configuration."""
_FILES = ("application.yaml", "application.yml")
"""The keys of the ConfigMap under which Spring looks for the configuration."""


def profiles_of(text: str) -> frozenset[str]:
    """Return the profiles that a list with commas names."""
    return frozenset(each.strip() for each in text.split(",") if each.strip())


def configured_profiles(files: Mapping[str, str]) -> frozenset[str] | None:
    """Return the profiles that a ConfigMap's `spring.profiles.active` names; None if it has none, or is not readable.

    :param files: its texts by their keys.
    """
    for name in _FILES:
        try:
            documents = list(yaml.safe_load_all(files.get(name) or ""))
        except yaml.YAMLError:
            continue
        found = (_active(each) for each in documents)
        if (active := next((each for each in found if each is not None), None)) is not None:
            return active
    return None


def _active(document: Any) -> frozenset[str] | None:
    for key in ("spring", "profiles", "active"):
        document = document.get(key) if isinstance(document, Mapping) else None
    if isinstance(document, list):
        document = ",".join(map(str, document))
    return profiles_of(document) if isinstance(document, str) else None
