"""Comparing what two engines hold: documents in each index, templates, and lifecycle policies."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from messages import Message
from messages.observed import engines as messages


def counts_differ(survivor: Mapping[str, int], recreated: Mapping[str, int]) -> Message | None:
    """Return which indices do not hold the same number of documents, or None."""
    differing = [
        messages.documents_differ(index, survivor.get(index), recreated.get(index))
        for index in sorted({*survivor, *recreated})
        if survivor.get(index) != recreated.get(index)
    ]
    return messages.indices_differ(differing) if differing else None


def templates_of(
    composable: Mapping[str, Any], components: Mapping[str, Any], legacy: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names of all templates that the engine did not bring itself.

    :param composable: the answer of `_index_template`.
    :param components: the answer of `_component_template`.
    :param legacy: the answer of `_template`.
    """
    named = [
        ("index template", each["name"], each.get("index_template") or {})
        for each in composable.get("index_templates") or ()
    ]
    named += [
        ("component template", each["name"], each.get("component_template") or {})
        for each in components.get("component_templates") or ()
    ]
    named += [("legacy template", name, body) for name, body in legacy.items()]
    return tuple(
        sorted(
            f"{kind} {name}"
            for kind, name, body in named
            if not name.startswith(".") and not (body.get("_meta") or {}).get("managed")
        )
    )


def missing_templates(survivor: Iterable[str], recreated: Iterable[str]) -> Message | None:
    """Return which of the survivor's templates the recreated region lacks, or None."""
    missing = sorted(set(survivor) - set(recreated))
    return messages.templates_missing(missing) if missing else None


def is_opensearch(answer: Mapping[str, Any]) -> bool:
    """Return whether an engine is OpenSearch, by what it answers at its root."""
    return bool(answer["version"].get("distribution") == "opensearch")


def lifecycles_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what each lifecycle policy says that the engine did not bring itself.

    :param answer: the answer of `_ilm/policy`.
    """
    policies = {name: each["policy"] for name, each in answer.items()}
    return {
        name: json.dumps(policy.get("phases") or {}, sort_keys=True)
        for name, policy in sorted(policies.items())
        if not name.startswith(".") and not (policy.get("_meta") or {}).get("managed")
    }


def differing_lifecycles(
    survivor: Mapping[str, str], recreated: Mapping[str, str]
) -> Message | None:
    """Return which of the survivor's lifecycle policies the recreated region lacks, or has otherwise; or None."""
    differing = [name for name, phases in survivor.items() if recreated.get(name) != phases]
    return messages.lifecycles_differ(differing) if differing else None
