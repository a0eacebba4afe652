"""The table in docs/develop/contract.md, made from the register: `python -m tests.contract.table` writes it."""

import re
from collections.abc import Iterable
from itertools import groupby

from tests.checkout import CHECKOUT
from tests.contract.expectations import Expectation
from tests.contract.sections import SECTIONS, all_expectations

DOCUMENT = CHECKOUT / "docs" / "develop" / "contract.md"
BEGIN, END = "<!-- made by python -m tests.contract.table -->", "<!-- end -->"


def table() -> str:
    """Return the tables of all expectations, one for each section."""
    parts = []
    titles = {each.__name__.rpartition(".")[2]: each.__doc__ or "" for each in SECTIONS}
    for section, members in groupby(all_expectations(), key=lambda each: each.section):
        parts.append("\n".join(_lines(section, titles[section], members)))
    return "\n\n".join(parts)


def _lines(section: str, title: str, members: Iterable[Expectation]) -> Iterable[str]:
    yield f"### {title.rstrip('.')}"
    yield ""
    yield f"Checks in `tests/contract/sections/{section}.py`."
    yield ""
    yield "| expectation | source | counted on by | needs | check |"
    yield "|---|---|---|---|---|"
    for each in members:
        needs = ", ".join(sorted(need.name.lower().replace("_", " ") for need in each.needs))
        quirk = f" (quirk `{each.quirk}`)" if each.quirk else ""
        versions = f" ({', '.join(each.versions)})" if tuple(each.versions) != ("8.5",) else ""
        yield (
            f"| {each.sentence}{quirk}{versions} | {'; '.join(map(_shown, each.sources))} | "
            f"{', '.join(f'`{name}`' for name in each.relied_on)} | {needs} | `{each.name}` |"
        )


def _shown(source: str) -> str:
    if source.startswith("https://"):
        name = source.rstrip("/").rpartition("/")[2]
        return f"[{name}]({source})"
    repository, colon, path = source.partition(": ")
    return f"{repository}: `{path}`" if colon else source


def replaced(text: str) -> str:
    """Return the document with the table as it should be."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table()}\n\n{END}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(replaced(DOCUMENT.read_text()))
