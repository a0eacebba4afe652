"""Licences of Python packages, from the metadata and licence files of what is installed."""

import importlib.metadata
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.licences.by_hand import ByHand
from sandbox.licences.entries import Entry
from sandbox.licences.found.texts import is_licence_file, licences_of
from sandbox.licences.osi import normal


def entries(
    locked: Mapping[tuple[str, str], str], by_hand: ByHand, folders: Iterable[str] = ()
) -> tuple[Entry, ...]:
    """An entry for each locked package; its licence is empty where the installed one does not tell it.

    The packager's own expression counts first, then the licence files' texts, then what the metadata call it.

    :param locked: (package, version) -> the lock file.
    :param by_hand: how metadata spell licences.
    :param folders: where packages are installed, beside this environment.
    """
    path = [*sys.path, *folders]
    installed = {
        place: distribution
        for place in locked
        if (distribution := _installed(*place, path)) is not None
    }
    files = {place: _files(each) for place, each in installed.items()}
    texts = licences_of(files)
    found = []
    for (name, version), lock in locked.items():
        distribution = installed.get((name, version))
        licence, read_in = "", "not installed here"
        if distribution is not None:
            named = " ".join(path.name for path in files[name, version])
            licence, read_in = _read(distribution, texts[name, version], named, by_hand)
        found.append(Entry("python", name, version, licence, lock, read_in))
    return tuple(found)


def _installed(name: str, version: str, path: list[str]) -> importlib.metadata.Distribution | None:
    found = importlib.metadata.distributions(name=name, path=path)
    return next((each for each in found if each.version == version), None)


def _read(
    distribution: importlib.metadata.Distribution, text: str, files: str, by_hand: ByHand
) -> tuple[str, str]:
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return normal(metadata["License-Expression"]), "License-Expression"
    if text:
        return text, files
    named = (metadata.get_all("License") or [""])[0]
    return by_hand.spelled.get(named, normal(named) if named else ""), "License"


def _files(distribution: importlib.metadata.Distribution) -> tuple[Path, ...]:
    """The licence files among a package's metadata."""
    return tuple(
        Path(str(distribution.locate_file(file)))
        for file in distribution.files or ()
        if ".dist-info/" in str(file) and is_licence_file(file.name)
    )
