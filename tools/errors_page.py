"""Write docs/errors.md from the catalogue of messages: `python -m tools.errors_page`."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from messages import CATALOGUE
from messages.explained import meaning, modules, sample

DOCUMENT = Path(__file__).parents[1] / "docs" / "errors.md"
_HEAD = """# Messages by code

For operators who have a message before them, and scripts that go by its code.

Every refusal, finding, check and wait has a code that never changes: look for it here, and let scripts go by it. What
stands in `<...>` differs from case to case. This page is written by `python -m tools.errors_page`.
"""


def page() -> str:
    """Return the page as it is now."""
    return _HEAD + "".join(part for each in modules() for part in _of(each))


def _of(module: ModuleType) -> Iterator[str]:
    yield f"\n## {(module.__doc__ or '').splitlines()[0].rstrip('.')}\n"
    for code, made in CATALOGUE.items():
        if made.__module__ == module.__name__:
            yield f"\n### `{code}`\n\n{meaning(code)}\n\n> {'<br>'.join(_escaped(sample(code)).splitlines())}\n"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(page())
