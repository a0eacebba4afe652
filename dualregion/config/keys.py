"""The keys that a configuration may have: to name them, and one that is spelt alike."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

_ALIKE = 0.65
"""How alike two keys must be for one to be meant by the other, from 0 to 1."""


def keys_at(model: type[BaseModel], path: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that the map at a path may have; none if there is no map of known keys.

    :param path: keys and indices, from the model on.
    """
    found: type[BaseModel] | None = model
    for part in path:
        if not isinstance(part, int):
            found = None if found is None else _fields(found).get(str(part))
    return () if found is None else tuple(_fields(found))


def alike(model: type[BaseModel], path: Sequence[Any]) -> str | None:
    """Return the key that is meant by an unknown one: one of the same map, or else of any other; None without one.

    :param path: of the unknown key.
    """
    *parents, last = path
    beside = {each: each for each in keys_at(model, parents)}
    elsewhere = {each.rpartition(".")[2]: each for each in _all(model)}
    for keys in (beside, elsewhere):
        lowered = {key.lower(): whole for key, whole in keys.items()}
        close = difflib.get_close_matches(str(last).lower(), lowered, 1, _ALIKE)
        if close:
            own = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in parents)
            return f"{own}.{lowered[close[0]]}".lstrip(".") if keys is beside else lowered[close[0]]
    return None


def _fields(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Return a map's keys, each with the map that is its value, or that the entries of its list are."""
    return {
        str(field.alias or name): _model_in(field.annotation)
        for name, field in model.model_fields.items()
    }


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


def _all(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key with its path; an entry of a list is shown as its first one."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield key
        inner = _model_in(field.annotation)
        if inner is not None:
            is_list = "tuple" in str(field.annotation)
            yield from _all(inner, f"{key}[0]." if is_list else f"{key}.")
