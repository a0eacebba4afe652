"""Write docs/errors.md from the catalogue of messages: `python -m tools.errors_page`."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, get_args, get_origin, get_type_hints

import messages
from messages import CATALOGUE, Message

DOCUMENT = Path(__file__).parents[1] / "docs" / "errors.md"
_HEAD = """# Messages by code

For operators who have a message before them, and scripts that go by its code.

Every refusal, finding, check and wait has a code that never changes: look for it here, and let scripts go by it. What
stands in `<...>` differs from case to case. This page is written by `python -m tools.errors_page`.
"""


def rooms() -> list[ModuleType]:
    """Return the modules that hold messages."""
    found = pkgutil.walk_packages(messages.__path__, f"{messages.__name__}.")
    names = sorted(each.name for each in found if not each.ispkg)
    read = [importlib.import_module(name) for name in names]
    holders = {made.__module__ for made in CATALOGUE.values()}
    return [each for each in read if each.__name__ in holders]


def sample(code: str) -> Message:
    """Return a message with the names of its facts in their places.

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


def page() -> str:
    """Return the page as it is now."""
    return _HEAD + "".join(part for room in rooms() for part in _of(room))


def _of(room: ModuleType) -> Iterator[str]:
    yield f"\n## {(room.__doc__ or '').splitlines()[0].rstrip('.')}\n"
    for code, made in CATALOGUE.items():
        if made.__module__ == room.__name__:
            yield f"\n### `{code}`\n\n{inspect.getdoc(made)}\n\n> {'<br>'.join(_escaped(sample(code)).splitlines())}\n"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(page())
