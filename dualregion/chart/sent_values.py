"""What of a release's values reaches Helm, and how values that Helm has kept are compared with those sent.

The Kubernetes provider of Pulumi hands values on otherwise than `helm -f` does. Up to 4.29 its release drops
nulls everywhere, and empty lists unless it is told to allow nulls; from 4.30 on (pulumi-kubernetes PR 4293) it
keeps both, nulls only if they come in a file, as Pulumi's Python SDK drops them before the provider sees them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dualregion.chart.values import Values

KEEPS_NULLS_FROM = (4, 30)
"""The first provider that hands nulls of `valueYamlFiles` on to Helm."""
INSTALLATION_TYPE = "global.multiregion.installationType"
_NORMAL_TYPES = ("", "normal")
"""What `installationType` may say of a normal installation: the program sets the first, the chart's default is the second.

The chart's templates ask for `failOver` and `failBack` only, so both render alike.
"""


def keeps_nulls(provider: str) -> bool:
    """Whether a version of the Kubernetes provider hands nulls on to Helm.

    :param provider: such as `4.25.0`; a version that cannot be read is taken for an old one.
    """
    found = re.match(r"(\d+)\.(\d+)", provider)
    return found is not None and (int(found[1]), int(found[2])) >= KEEPS_NULLS_FROM


def nulls_of(document: Mapping[str, Any]) -> Values:
    """Return only the nulls of a values document, at their places.

    Pulumi's release drops nulls of its `values`, so they travel beside them, as a file.
    """
    nulls: Values = {}
    for key, value in document.items():
        if value is None:
            nulls[key] = None
        elif isinstance(value, Mapping) and (inner := nulls_of(value)):
            nulls[key] = inner
    return nulls


def has_empty_list(value: object) -> bool:
    """Whether there is an empty list anywhere in a value."""
    if isinstance(value, Mapping):
        return any(map(has_empty_list, value.values()))
    if isinstance(value, list):
        return not value or any(map(has_empty_list, value))
    return False


def dropped(base: Mapping[str, Any], defaults: Mapping[str, Any] | None) -> list[str]:
    """Return the keys of the nulls that would take a default of the chart away, and that an old provider drops.

    A null in a list counts as well: it never reaches Helm, whatever the chart's defaults are.

    :param base: the user's merged values.
    :param defaults: the chart's own values, of subcharts under their names; None if they cannot be read, and any null
        may take something away.
    """
    return sorted(_dropped("", base, _ANYTHING if defaults is None else defaults))


_ANYTHING, _NOTHING = object(), object()
"""Stand for a default that is not known, and for none."""


def _dropped(path: str, value: object, default: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _dropped(f"{path}.{key}".lstrip("."), each, _below(default, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _dropped(f"{path}[{index}]", each, _ANYTHING if each is None else _NOTHING)
    elif value is None and default is not None and default is not _NOTHING:
        yield path


def _below(default: object, key: str) -> object:
    if isinstance(default, Mapping):
        return default.get(key, _NOTHING)
    return _ANYTHING if default is _ANYTHING else _NOTHING


def same(one: object, other: object) -> bool:
    """Whether two values documents say the same, as far as any provider and Helm's record keep what they say.

    Nulls, empty lists and empty maps may be lost on the way, in lists as well, and a number may come back in another
    form. A number is no text: unlike in an adoption, which compares what templates print, with the chart's defaults
    beneath (`adoption.differences`).
    """
    return _kept(one) == _kept(other)


def differ(latest: object, recorded: object, wanted: object) -> bool:
    """Whether only one of two documents is as it is wanted.

    A provider that keeps empty lists can be told by them what one that drops them cannot.
    """
    exactly = _without_nulls(latest) == _without_nulls(wanted)
    return same(latest, wanted) != same(recorded, wanted) or (
        exactly != (_without_nulls(recorded) == _without_nulls(wanted))
    )


def means_normal(path: str, value: object) -> bool:
    """Whether a value is one of several for a normal installation, which the chart renders alike."""
    return path == INSTALLATION_TYPE and (value is None or value in _NORMAL_TYPES)


def _kept(value: object, path: str = "") -> object:
    """Return a value as it is after the longest way: through Pulumi's state and a provider into Helm's record."""
    if isinstance(value, Mapping):
        inner = {str(key): _kept(each, f"{path}.{key}".lstrip(".")) for key, each in value.items()}
        return {key: each for key, each in inner.items() if not _is_empty(each)}
    if isinstance(value, list):
        return [each for each in map(_kept, value) if not _is_empty(each)]
    return "" if path and means_normal(path, value) else _number(value)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, Mapping | list) and not value)


def _number(value: object) -> object:
    """Return a number as JSON and Go read it back, as a float; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        return float(value)
    except OverflowError:
        return value


def _without_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        inner = {key: _without_nulls(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each is not None and each != {}}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nulls(each) for each in value if each is not None]
    return _number(value)
