"""Licences of Maven artifacts, from their poms or, where these inherit them, from their parents'."""

import hashlib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from sandbox.errors import SandboxError
from sandbox.licences.by_hand import ByHand
from sandbox.licences.entries import Entry
from sandbox.licences.osi import together

_NAMESPACE = "{http://maven.apache.org/POM/4.0.0}"


def repository() -> Path:
    """Maven's own cache; Java's home folder is the account's, whatever HOME says."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".m2" / "repository"


def entries(checksums: Mapping[str, str], by_hand: ByHand) -> tuple[Entry, ...]:
    """An entry for each file of the checksums (file -> SHA-256), from Maven's cache; raises SandboxError."""
    jars = {path.name: path for path in repository().rglob("*.jar") if path.name in checksums}
    missing = [
        name
        for name, digest in checksums.items()
        if name not in jars or hashlib.sha256(jars[name].read_bytes()).hexdigest() != digest
    ]
    if missing:
        raise SandboxError(
            f"Maven's cache has not the files that maven.sha256 lists: {', '.join(missing)}. Run `make setup`."
        )
    return tuple(_entry(jars[name], by_hand) for name in checksums)


def _entry(jar: Path, by_hand: ByHand) -> Entry:
    version, artifact = jar.parent.name, jar.parent.parent.name
    group = ".".join(jar.parent.parent.parent.relative_to(repository()).parts)
    classifier = jar.stem.removeprefix(f"{artifact}-{version}").removeprefix("-")
    name = ":".join(filter(None, (group, artifact, classifier)))
    licence, read_in = _read(_pom(group, artifact, version), by_hand)
    return Entry("maven", name, version, licence, "opensearch", read_in)


def _pom(group: str, artifact: str, version: str) -> Path:
    folder = repository().joinpath(*group.split("."), artifact, version)
    return folder / f"{artifact}-{version}.pom"


def _read(pom: Path, by_hand: ByHand) -> tuple[str, str]:
    """A pom's licences, or its parent's; Maven leaves the choice among several to the user."""
    root = ElementTree.parse(pom).getroot()  # noqa: S314 (see above)
    named = [
        each.text.strip()
        for each in root.findall(f"{_NAMESPACE}licenses/{_NAMESPACE}license/{_NAMESPACE}name")
        if each.text
    ]
    if named:
        known = [by_hand.spelled.get(" ".join(name.split()), "") for name in named]
        unknown = [n for n, expression in zip(named, known, strict=True) if not expression]
        licence = "" if unknown else together(known, "OR")
        return licence, pom.name + (f": {'; '.join(unknown)}" if unknown else "")
    parent = root.find(f"{_NAMESPACE}parent")
    if parent is None:
        return "", f"{pom.name} names none"
    place = [
        parent.findtext(f"{_NAMESPACE}{tag}", "") for tag in ("groupId", "artifactId", "version")
    ]
    return _read(_pom(*place), by_hand)
