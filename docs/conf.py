"""The site of the documents, by Sphinx: `make docs`.

Its source is the checkout, so that a link between two pages is the same in the site and on the forge. Its navigation is
what docs/README.md lists: a page that no line there names is a warning of Sphinx, and warnings are errors.

Diagrams are drawn by the browser, which fetches Mermaid for it; without a network it shows their text.
"""

import re
from pathlib import Path
from typing import Any

INDEX = Path(__file__).parent / "README.md"

project = "camunda-dual-region"
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "sandbox/**.md"]
exclude_patterns = ["docs/develop/adr/template.md"]
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
myst_heading_anchors = 5
myst_fence_as_directive = ["mermaid"]
mermaid_height = "auto"
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_title = "Camunda 8 in two regions"
html_show_sphinx = False
html_show_copyright = False
highlight_language = "none"

_TREE = "\n```{{toctree}}\n:hidden:\n{options}\n{pages}\n```\n"


def contents(index: str, folder: str) -> str:
    """Return an index's sections as hidden tables of contents, with the pages that they link to."""
    sections = re.split(r"^## (.+)\n", index, flags=re.MULTILINE)[1:]
    made = [_TREE.format(options="", pages=f"/{folder}/README")]
    for caption, text in zip(sections[::2], sections[1::2], strict=True):
        pages = [f"/{folder}/{page}" for page in re.findall(r"\]\(([^)#]+)\.md\)", text)]
        made.append(_TREE.format(options=f":caption: {caption}\n", pages="\n".join(pages)))
    return "".join(made)


def _add_contents(app: Any, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] += contents(INDEX.read_text(), INDEX.parent.relative_to(app.srcdir).as_posix())
    elif page == "docs/develop/adr/README":
        source[0] += _TREE.format(options=":glob:\n", pages="0*")
    elif page == "sandbox/charts/README":
        source[0] += _TREE.format(options=":glob:\n", pages="*/README")


def setup(app: Any) -> None:
    """Let Sphinx find the contents at the end of the page that lists them."""
    app.connect("source-read", _add_contents)
