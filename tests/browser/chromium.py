"""A page in a real browser, Debian's Chromium, without a driver: the page itself runs axe-core and leaves what it found."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

_FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>frame</title></head><body>
<iframe title="page" style="border:0;width:{width}px;height:3000px" srcdoc="{page}"></iframe><pre id="seen"></pre>
</body></html>"""
_LOOK = """<script>{axe}</script><script>
const rules = {{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}};
if ({open}) document.querySelectorAll("details").forEach(each => each.open = true);
const found = (each) => [each.id, each.nodes.map(node => node.html + ": " + node.failureSummary)];
addEventListener("load", () => axe.run(document, rules).then(result => {{
  const root = document.documentElement;
  parent.document.getElementById("seen").textContent = JSON.stringify({{
    wrong: result.violations.map(found), unsure: result.incomplete.map(found),
    passed: result.passes.map(each => each.id), beyond: root.scrollWidth - root.clientWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
  }});
}}));
</script>"""
_SEEN = re.compile(r'<pre id="seen">(.*?)</pre>', re.DOTALL)


@dataclass(frozen=True)
class Seen:
    """What axe-core and the browser say of a page.

    :ivar wrong: each rule that is broken, with where.
    :ivar unsure: what axe-core could not decide.
    :ivar passed: the rules that hold.
    :ivar beyond: how many pixels the page is wider than its window.
    """

    wrong: list[Any]
    unsure: list[Any]
    passed: list[str]
    beyond: int
    dark: bool


def found() -> str | None:
    """Return where the browser is."""
    return shutil.which("chromium")


def look(page: str, axe: Path, folder: Path, *, width: int, dark: bool, unfolded: bool) -> Seen:
    """Open a page in a window of a width, and check it.

    :param axe: the file with axe-core.
    :param folder: what is written goes there.
    """
    script = _LOOK.format(axe=axe.read_text(), open=json.dumps(unfolded))
    wrapped = _FRAME.format(width=width, page=escape(page.replace("</body>", script + "</body>")))
    path = folder / "frame.html"
    path.write_text(wrapped, encoding="utf-8")
    scheme = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    dumped = _run(folder, *scheme, "--virtual-time-budget=20000", "--dump-dom", str(path))
    text = _SEEN.search(dumped)
    assert text is not None, dumped[:500]
    return Seen(**json.loads(unescape(text[1])))


def printed(page: str, folder: Path) -> Path:
    """Return a page as it is printed, as PDF."""
    path, pdf = folder / "page.html", folder / "page.pdf"
    path.write_text(page, encoding="utf-8")
    _run(folder, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", str(path))
    return pdf


def _run(folder: Path, *arguments: str) -> str:
    # As root there is no sandbox of Chromium's; the page is the project's own and fetches nothing.
    apart = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [
        *(str(found()), "--headless", "--disable-gpu", "--disable-background-networking", *apart),
        *(f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900", *arguments),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, cwd=folder
    ).stdout
