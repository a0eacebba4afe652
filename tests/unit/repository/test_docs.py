"""The documents say what is there: links, commands, settings, outputs, options; and no machine of ours.

A reader in an incident has no time for a link that leads nowhere or a setting that has another name.
"""

import ast
import inspect
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import BaseModel

from components import outputs
from drill.__main__ import main as drill_command
from dualregion.config.sections.backup import BackupSettings, BucketSettings, StorageSettings
from dualregion.config.sections.dns import DnsSettings, LoadBalancerSettings
from dualregion.config.sections.network_acls import NetworkAclSettings
from dualregion.config.sections.notifications import (
    AnnouncementSettings,
    HookSettings,
    ServiceSettings,
)
from dualregion.config.sections.rbac_subjects import RightsSettings
from dualregion.config.settings import ChartSettings, RegionSettings, SecretSettings, Settings
from tests.checkout import CHECKOUT
from tools import procedure_tables

README = CHECKOUT / "README.md"
DOCS = CHECKOUT / "docs"
INDEX = DOCS / "README.md"
CONFIGURATION = DOCS / "reference" / "configuration.md"
DOCUMENTS = [
    *sorted(CHECKOUT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((CHECKOUT / "sandbox").rglob("*.md")),
]
WRAPPED = [each for each in DOCUMENTS if each.name != "CHANGELOG.md"]
PAGES = [page for page in DOCUMENTS if page.is_relative_to(DOCS)]
"""What the index leads to."""
DECISIONS = DOCS / "develop" / "adr"

_WIDTH = 120
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")

# In two pieces each, so that this file does not hold what it looks for.
_MACHINE = re.compile(
    r"(?<![\w.$}-])/"
    + r"(?:work|root|tmp)/"
    + "|proxy.golang"
    + r"\.org|pypi"
    + r"\.org|repo\.mav"
    + "en"
)
_INSIDE_CONTAINERS = ("sandbox/charts/", "sandbox/images/")
"""What lies here is read inside a container, whose paths are no machine's."""


def _ids(paths: Iterable[Path]) -> list[str]:
    return [str(path.relative_to(CHECKOUT)) for path in paths]


def _slug(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def _anchors(document: Path) -> set[str]:
    text = _FENCE.sub("", document.read_text())
    return {_slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def _section(document: Path, heading: str) -> str:
    """Return a section's text: from its heading to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)",
        document.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"{document.name} has no section {heading!r}"
    return found[1]


def _first_column(section: str) -> set[str]:
    """Return what stands as code in the first column of a section's tables."""
    cells = (line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
    return {code for cell in cells for code in _CODE.findall(cell)}


def _listed() -> list[str]:
    """Return the files that git tracks, or would track."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in done.stdout.split("\0") if name]


def _keys(model: type[BaseModel]) -> set[str]:
    return {str(field.alias) for field in model.model_fields.values()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids(DOCUMENTS))
def test_links_within_the_project_resolve(document: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def test_documents_that_messages_and_comments_name_exist() -> None:
    named = {
        (source, name)
        for source in _listed()
        if source.endswith(".py")
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", (CHECKOUT / source).read_text())
    }
    assert named
    assert {each for each in named if not (CHECKOUT / each[1]).is_file()} == set()


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE)
    }
    assert {"drill", "test", "setup"} <= named
    assert named - targets == set()


def test_the_layout_in_the_readme_is_the_checkouts() -> None:
    named = _first_column(_section(README, "Layout"))
    assert {"__main__.py", "dualregion/", "clients/", "steps/", "components/"} <= named
    assert {path for path in named if not (CHECKOUT / path).exists()} == set()


@pytest.mark.parametrize(
    ("heading", "model"), [("Settings", Settings), ("A region", RegionSettings)]
)
def test_every_setting_is_documented_and_no_other(heading: str, model: type[BaseModel]) -> None:
    assert _first_column(_section(CONFIGURATION, heading)) == _keys(model)


@pytest.mark.parametrize(
    ("key", "model", "page"),
    [
        ("chart", ChartSettings, "reference/configuration"),
        ("elasticsearchSecret", SecretSettings, "prepare/backup"),
        ("backup", BackupSettings, "prepare/backup"),
        ("backup.storage", StorageSettings, "prepare/backup"),
        ("backup.storage.buckets", BucketSettings, "prepare/backup"),
        ("regions.networkAcls", NetworkAclSettings, "prepare/isolation"),
        ("dns", DnsSettings, "prepare/dns"),
        ("dns.loadBalancer", LoadBalancerSettings, "prepare/dns"),
        ("hooks", AnnouncementSettings, "prepare/hooks"),
        ("hooks.notify", HookSettings, "prepare/hooks"),
        ("hooks.services", ServiceSettings, "prepare/hooks"),
        ("rights", RightsSettings, "prepare/rights"),
    ],
)
def test_every_part_of_a_setting_is_documented(key: str, model: type[BaseModel], page: str) -> None:
    text = (DOCS / f"{page}.md").read_text()
    parts = _keys(model)
    assert {
        part for part in parts if f"{key}.{part}" not in text and f"`{part}`" not in text
    } == set()


def test_every_output_is_documented_and_no_other() -> None:
    tree = ast.parse(inspect.getsource(outputs.outputs))
    answers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    made = {
        str(key.value)
        for answer in answers
        if isinstance(answer, ast.Dict)
        for key in answer.keys
        if isinstance(key, ast.Constant)
    }
    assert "progress" in made
    assert _first_column(_section(DOCS / "reference" / "outputs.md", "Outputs")) == made


@pytest.mark.parametrize(
    "document", procedure_tables.DOCUMENTS, ids=_ids(procedure_tables.DOCUMENTS)
)
def test_tables_and_diagrams_of_the_procedure_are_the_procedures(document: Path) -> None:
    text = document.read_text()
    assert procedure_tables.renewed(text) == text, "run `python -m tools.procedure_tables`"


def test_each_step_has_a_row_that_tells_what_it_looks_at() -> None:
    text = (DOCS / "reference" / "steps.md").read_text()
    rows = re.findall(r"^\| ([NRFB]\d?) \|", text, re.MULTILINE)
    made, later = (
        re.findall(r"^\| ([NRFB]\d?) \|", table(), re.MULTILINE)
        for table in (procedure_tables.steps, procedure_tables.steps_by_cluster_api)
    )
    assert rows == [*made, *later, *made]


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    for index in (INDEX, DECISIONS / "README.md"):
        links = _LINK.findall(index.read_text())
        reached.update((index.parent / link.partition("#")[0]).resolve() for link in links)
    assert set(PAGES) - reached == {INDEX, DECISIONS / "template.md"}


@pytest.mark.parametrize("page", PAGES, ids=_ids(PAGES))
def test_a_page_begins_with_whom_it_is_for(page: Path) -> None:
    if page.parent == DECISIONS and page.name != "README.md":
        return
    title, first = page.read_text().split("\n\n")[:2]
    assert title.startswith("# ")
    assert first.startswith("For ")


@pytest.mark.parametrize("document", WRAPPED, ids=_ids(WRAPPED))
def test_prose_wraps(document: Path) -> None:
    prose = _FENCE.sub("", document.read_text()).splitlines()
    too_long = [
        line
        for line in prose
        if len(line) > _WIDTH
        and not line.startswith(("|", "#", ">"))
        and " " in line.strip()[:_WIDTH].removeprefix("- ")
    ]
    assert too_long == []


def test_every_option_of_the_drill_is_documented_and_no_other() -> None:
    options = {
        f"--{name.replace('_', '-')}" for name in inspect.signature(drill_command).parameters
    }
    text = (CHECKOUT / "docs" / "prepare" / "drill.md").read_text()
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", text, re.MULTILINE)) == options


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids(DOCUMENTS))
def test_no_figure_is_left_to_be_filled_in(document: Path) -> None:
    assert re.findall(r"@[A-Z0-9_]+@|^TIMES$", document.read_text(), re.MULTILINE) == []


def test_no_file_names_a_developers_machine_or_a_registrys_host() -> None:
    listed = _listed()
    assert "README.md" in listed
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in listed
        if not name.startswith(_INSIDE_CONTAINERS)
        for number, line in enumerate((CHECKOUT / name).read_text(errors="replace").splitlines(), 1)
        if _MACHINE.search(line)
    ]
    assert found == []
