"""What an image archive holds, as `docker save`, `podman save` and `skopeo copy` write them."""

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from sandbox.errors import SandboxError
from sandbox.own.images import Reference

_GZIP = b"\x1f\x8b"
_OCI_MARK, _OCI_INDEX = "oci-layout", "index.json"
_DOCKER_MANIFEST = "manifest.json"
_NAME = "io.containerd.image.name"
"""The annotation of an OCI archive by which containerd gives an image its full name; of others it makes one up."""
_UNREADABLE = (OSError, EOFError, ValueError, tarfile.TarError, zlib.error)
REMEDY = "Write it again with `docker save IMAGE -o FILE`"


@dataclass(frozen=True)
class Content:
    """The images of an archive: how many, and those full names that it gives."""

    count: int
    names: frozenset[Reference]


def opened(path: Path) -> IO[bytes]:
    """Open an archive for reading, and decompress it if it was compressed by gzip."""
    with path.open("rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def content_of(path: Path) -> Content:
    """Look into an archive.

    :raises SandboxError: it cannot be read, or is no archive of images.
    """
    try:
        found = _described(path)
        # Newer archives are of both kinds: containerd then reads them as OCI's.
        if _OCI_MARK in found and _OCI_INDEX in found:
            return _of_index(found[_OCI_INDEX])
        if _DOCKER_MANIFEST in found:
            return _of_manifest(found[_DOCKER_MANIFEST])
    except (*_UNREADABLE, AttributeError, TypeError) as error:
        raise SandboxError(f"{path} is no archive of images: {error}. {REMEDY}.") from None
    raise SandboxError(
        f"{path} is no archive of images: it has neither {_DOCKER_MANIFEST} nor {_OCI_INDEX}. {REMEDY}."
    )


def _described(path: Path) -> dict[str, Any]:
    """Return those documents of an archive that describe it, by name."""
    found: dict[str, Any] = {}
    with opened(path) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            known = name in (_OCI_MARK, _OCI_INDEX, _DOCKER_MANIFEST)
            if known and (file := tar.extractfile(member)):
                found[name] = json.load(file)
    return found


def _of_index(index: Mapping[str, Any]) -> Content:
    entries = index.get("manifests") or []
    named = ((entry.get("annotations") or {}).get(_NAME, "") for entry in entries)
    return Content(len({entry.get("digest") for entry in entries}), _references(named))


def _of_manifest(manifest: Iterable[Mapping[str, Any]]) -> Content:
    entries = list(manifest)
    named = (name for entry in entries for name in entry.get("RepoTags") or [])
    return Content(len({entry.get("Config") for entry in entries}), _references(named))


def _references(names: Iterable[str]) -> frozenset[Reference]:
    """Return the full ones among the names; an OCI archive may give a tag alone, or nothing."""
    found = set()
    for name in names:
        try:
            found.add(Reference.parse(name))
        except ValueError:
            continue
    return frozenset(found)
