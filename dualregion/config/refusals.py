"""What is wrong with a configuration, in the operator's words: each sentence has the key, the value and what is allowed."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from dualregion.secrets import HIDDEN, without_secrets

HINTS = {
    "phase": "allowed are normal, failover, failback-pending, restored",
    "region": "set it to 0 or 1 in Pulumi.<stack>.yaml",
    "regions": "two entries are needed, each with name, kubeContext and namespace",
    "lostRegion": "allowed are 0 and 1, the id of the region that is gone",
    "clusterSize": "a number of brokers divisible by 4 is needed, 4 or more",
    "isolation": "allowed are policies, own",
}
"""What is allowed where the type alone does not say it."""
_RULES = {
    "string_type": "a text is needed",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_parsing_size": "a whole number is needed, and a smaller one",
    "int_from_float": "a whole number is needed",
    "finite_number": "a whole number is needed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "dict_type": "a map is needed",
    "model_type": "a map is needed",
    "model_attributes_type": "a map is needed",
    "mapping_type": "a map is needed",
    "missing": "it is required",
    "enum": "allowed are {expected}",
    "literal_error": "allowed are {expected}",
    "greater_than": "a number greater than {gt} is needed",
    "greater_than_equal": "a number of {ge} or more is needed",
    "less_than": "a number less than {lt} is needed",
    "less_than_equal": "a number of {le} or less is needed",
    "too_short": "at least {min_length} needed",
    "too_long": "at most {max_length} allowed",
    "string_too_short": "a text of at least {min_length} characters is needed",
    "string_too_long": "a text of at most {max_length} characters is needed",
    "string_pattern_mismatch": "it must match {pattern}",
    "recursion_loop": "it must not hold itself",
}
"""What is allowed, by the kind of what is wrong; pydantic's own words are not for operators."""
_LISTS = ("list_type", "tuple_type", "set_type", "iterable_type")
_MOST_SHOWN = 80


def sentences(error: ValidationError, unseen: Collection[str]) -> list[str]:
    """Return what is wrong with a configuration.

    :param unseen: the keys of which no value is shown.
    """
    items = error.errors(include_url=False)
    return list(dict.fromkeys(_sentence(item, unseen) for item in items))


def _sentence(item: Any, unseen: Collection[str]) -> str:
    kind, path = item["type"], [each for each in item["loc"] if each != "[key]"]
    unknown, is_unseen = item["loc"][-1] == "[key]", path[0] in unseen
    if unknown and is_unseen:
        path = path[:-1]
    key = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(_part(each) for each in path))
    if kind == "missing":
        return f"{key} is not set: {HINTS.get(key, 'it is required')}"
    if kind == "extra_forbidden":
        return f"{key} is not a setting of this program: check its spelling (docs/configuration.md)"
    rule = HINTS.get(key) or _rule(kind, key, item)
    if unknown:
        return f"{key} has a key that is not allowed there: {rule}"
    return f"{key} is {'set' if is_unseen else _shown(item['input'])}: {rule}"


def _part(part: object) -> str:
    """Return a part of a key as it may be shown: it is the operator's own text."""
    text = str(part)
    return text if text.isprintable() and text else json.dumps(text)


def _rule(kind: str, key: str, item: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return _line(str(item["ctx"]["error"]))
    if kind in _LISTS:
        return f"a list is needed: `pulumi config set --path '{key}[0]' VALUE`"
    found = _RULES.get(kind, "it has another form than this setting (docs/configuration.md)")
    return found.format(**item.get("ctx", {}))


def _shown(value: object) -> str:
    if isinstance(value, Mapping) and value:
        return "a map"
    if isinstance(value, list | tuple) and value:
        return "a list"
    text = without_secrets(repr(value))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _line(text: str) -> str:
    return without_secrets(" ".join(text.split()))


def without_values(problem: str, values: Sequence[Any]) -> str:
    """Return a sentence that holds none of these values, nor a part of one.

    :param values: what Pulumi keeps as secrets.
    """
    for text in sorted(_leaves(values), key=len, reverse=True):
        problem = problem.replace(text, HIDDEN)
    return problem


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in _leaves(each)]
    return [str(value)] if len(str(value)) > 2 else []
