"""All messages: those that there are, what each means, and its sentence with the names of its facts in their places."""

import importlib
import inspect
import pkgutil
from types import ModuleType, NoneType
from typing import Any, get_args, get_origin, get_type_hints

import messages
from messages.catalogue import CATALOGUE, Message


def modules() -> list[ModuleType]:
    """Read every module of the catalogue, and return those that hold messages."""
    found = pkgutil.walk_packages(messages.__path__, f"{messages.__name__}.")
    read = [
        importlib.import_module(name)
        for name in sorted(each.name for each in found if not each.ispkg)
    ]
    holders = {made.__module__ for made in CATALOGUE.values()}
    return [each for each in read if each.__name__ in holders]


def meaning(code: str) -> str:
    """Return what a message means."""
    return inspect.getdoc(CATALOGUE[code]) or ""


def sample(code: str) -> Message:
    """Return a message with the names of its facts in their places, such as `<namespace>`.

    :raises TypeError: if a fact is of a kind that is none of text, number, yes or no, or several of these.
    """
    made = CATALOGUE[code]
    hints = get_type_hints(inspect.unwrap(made))
    return made(**{name: _value(name, hints[name]) for name in inspect.signature(made).parameters})


def _value(name: str, kind: Any) -> Any:
    shown = f"<{name}>"
    choices = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) is not None and NoneType in get_args(kind):
        return _value(name, choices[0])
    if get_origin(kind) is not None:
        return (f"{shown[:-1]} 1>", f"{shown[:-1]} 2>") if choices[0] is str else (1, 2)
    plain: dict[Any, Any] = {str: shown, Message: shown, int: 2, float: 2.0, bool: True}
    if kind not in plain:
        raise TypeError(
            f"{name} is {kind}: facts are texts, numbers, yes or no, or several of these"
        )
    return plain[kind]
