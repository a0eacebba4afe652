"""What is wrong with a configuration, as messages: each has the key, the value and what is allowed."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from dualregion.config.keys import alike, keys_at
from dualregion.secrets import HIDDEN, without_secrets
from messages import Message
from messages.config import forms
from messages.config import settings as messages

_HINTS: Mapping[str, Callable[[], Message]] = {
    "region": forms.region_id_needed,
    "regions": forms.two_regions_needed,
    "regions[1]": forms.two_regions_needed,
    "lostRegion": forms.lost_region_id_needed,
}
"""What is allowed where the type alone does not say it."""
_RULES: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "string_type": lambda _: forms.text_needed(),
    "bool_type": lambda _: forms.truth_value_needed(),
    "bool_parsing": lambda _: forms.truth_value_needed(),
    "enum": lambda found: forms.word_needed(found["expected"]),
    "too_short": lambda found: forms.more_entries_needed(found["min_length"]),
    "too_long": lambda found: forms.fewer_entries_needed(found["max_length"]),
}
"""What is allowed, by the kind of what is wrong; pydantic's own words are not for operators."""
_MAPS = ("dict_type", "model_type", "model_attributes_type", "mapping_type")
_LISTS = ("list_type", "tuple_type", "set_type", "iterable_type")
_MOST_SHOWN = 80
PLACEHOLDER = "CHANGE-ME"
"""What stands in a new project's files where only the operator knows the value."""


def placeholders(raw: Any, key: str = "") -> Iterator[str]:
    """Yield the keys at which a placeholder is left."""
    if isinstance(raw, Mapping):
        for part, inner in raw.items():
            yield from placeholders(inner, f"{key}.{_part(part)}".lstrip("."))
    elif isinstance(raw, list | tuple):
        for index, inner in enumerate(raw):
            yield from placeholders(inner, f"{key}[{index}]")
    elif raw == PLACEHOLDER:
        yield key


def problems_of(
    error: ValidationError, unseen: Collection[str], model: type[BaseModel]
) -> list[Message]:
    """Return what is wrong with a configuration.

    :param unseen: the keys of which no value is shown.
    :param model: what the configuration was held against.
    """
    items = [item for item in error.errors(include_url=False) if not _is_echo(item)]
    missing = [item for item in items if _is_missing_region(item)]
    if any(item["loc"][2:] == ("name",) for item in missing):
        # A region has a name wherever it was described: the whole list was replaced.
        keys = tuple(_key(item["loc"]) for item in missing)
        others = (_problem(item, unseen, model) for item in items if item not in missing)
        return [messages.regions_incomplete(keys), *dict.fromkeys(others)]
    return list(dict.fromkeys(_problem(item, unseen, model) for item in items))


def _is_missing_region(item: Any) -> bool:
    """Whether a region, or something that each one has, is missing."""
    return item["type"] == "missing" and item["loc"][0] == "regions" and 1 < len(item["loc"]) < 4


def _key(path: Sequence[Any]) -> str:
    """Return a key as the operator writes it."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(_part(each) for each in path))


def _is_echo(item: Any) -> bool:
    """Whether a list is called too short only because its entries are refused, each with an error of its own."""
    return item["type"] == "too_short" and bool(len(item["input"]) >= item["ctx"]["min_length"])


def _problem(item: Any, unseen: Collection[str], model: type[BaseModel]) -> Message:
    kind, path = item["type"], [each for each in item["loc"] if each != "[key]"]
    is_key, is_unseen = item["loc"][-1] == "[key]", path[0] in unseen
    if is_key and is_unseen:
        path = path[:-1]
    key = _key(path)
    if kind == "missing":
        return messages.setting_missing(key, _HINTS.get(key, forms.required)())
    if kind == "extra_forbidden":
        return messages.unknown_setting(key, alike(model, path))
    if kind in _MAPS:
        rule = forms.map_needed(keys_at(model, path))
    else:
        rule = _HINTS[key]() if key in _HINTS else _rule(kind, key, item.get("ctx", {}))
    if is_key:
        return messages.key_refused(key, rule)
    return messages.setting_refused(key, None if is_unseen else shown(item["input"]), rule)


def _part(part: object) -> str:
    """Return a part of a key as it may be shown: it is the operator's own text."""
    text = str(part)
    return text if text.isprintable() and text else json.dumps(text)


def _rule(kind: str, key: str, ctx: Mapping[str, Any]) -> Message:
    if kind in _LISTS:
        return forms.list_needed(key)
    if kind in _RULES:
        return _RULES[kind](ctx)
    # A check of our own raises its rule.
    rule = next(iter(getattr(ctx.get("error"), "args", ())), None)
    return rule if isinstance(rule, Message) else forms.other_form_needed()


def shown(value: object) -> str:
    """Return a value as it may be shown: on a line, not too long, and without what looks like a secret."""
    if isinstance(value, Mapping) and value:
        return "a map"
    if isinstance(value, list | tuple) and value:
        return "a list"
    text = without_secrets(repr(value))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def without_values(problem: Message, values: Sequence[Any]) -> Message:
    """Return a message that holds none of these values, nor a part of one.

    :param values: what Pulumi keeps as secrets.
    """
    secrets = sorted(_leaves(values), key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        return text

    return problem.redacted(redact)


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in _leaves(each)]
    return [str(value)] if len(str(value)) > 2 else []
