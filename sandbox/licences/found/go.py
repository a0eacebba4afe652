"""Licences of Go modules: those of the modules, and of folders in them that have their own."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.licences.entries import Entry
from sandbox.licences.found.texts import is_licence_file, licences_of
from sandbox.setup.parts.gotools import ask_go


@dataclass
class Module:
    """A module that a go.mod asks for.

    :ivar folder: where Go's module cache has it.
    :ivar packages: folders of those of its packages that are linked; empty if it is only fetched.
    """

    folder: Path
    packages: set[Path] = field(default_factory=set)


def entries(go_mods: Iterable[Path]) -> tuple[Entry, ...]:
    """An entry for each module of the given go.mod files, fetching what Go's cache lacks; raises SandboxError."""
    modules: dict[tuple[str, str], Module] = {}
    for path in go_mods:
        for answer in _documents(ask_go("mod", "download", "-json", cwd=path.parent)):
            place = (answer["Path"], answer["Version"])
            modules.setdefault(place, Module(Path(answer["Dir"])))
        for place, package in _linked(path):
            modules[place].packages.add(package)
    files = {place: licence_files(module) for place, module in modules.items()}
    licences = licences_of(files)
    standard = Entry("go", "std", "any", "", "linked", "")
    return (
        standard,
        *(
            Entry(
                "go",
                *place,
                licences[place],
                "linked" if module.packages else "fetched",
                " ".join(str(each.relative_to(module.folder)) for each in files[place]),
            )
            for place, module in modules.items()
        ),
    )


def _linked(go_mod: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Module and folder of each package that is linked into a go.mod's programs, by the very build's settings."""
    has_tools = re.search(r"^tool\b", go_mod.read_text(), re.MULTILINE)
    # -e: what the provider embeds is brought beside it only by the set-up.
    listing = ("list", "-e", "-deps", "-mod=readonly", "-json=Dir,Module")
    what = "tool" if has_tools else "./..."
    for package in _documents(ask_go(*listing, what, cwd=go_mod.parent)):
        module = package.get("Module", {})
        module = module.get("Replace", module)
        if module and not module.get("Main") and "Version" in module:
            yield (module["Path"], module["Version"]), Path(package["Dir"])


def licence_files(module: Module) -> tuple[Path, ...]:
    """The licence files at a module's root, and those nearest to each of its linked packages."""
    found = set(_licence_files(module.folder))
    for package in module.packages:
        folder = package
        while folder != module.folder and not _licence_files(folder):
            folder = folder.parent
        found.update(_licence_files(folder))
    return tuple(sorted(found))


def _licence_files(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_file() and is_licence_file(each.name)]


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """JSON documents that follow each other, as Go's commands print them."""
    decoder = json.JSONDecoder()
    rest = text.lstrip()
    while rest:
        document, end = decoder.raw_decode(rest)
        yield document
        rest = rest[end:].lstrip()
