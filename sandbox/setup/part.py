"""A part of the set-up: something made once, kept in the cache under a key of all that went into it."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import cache_root

STAMP = "stamp.json"


@dataclass(frozen=True)
class Part:
    """One folder of the cache and how it is made.

    :ivar name: short name, also the beginning of the folder's name.
    :ivar says: what the user reads while it is made.
    :ivar key: hash of every input (see `key_of`): another input, another folder, so that checkouts of
        different versions share a cache without disturbing each other.
    :ivar build: fills the (existing, empty) folder that it is given; raises SandboxError.
    """

    name: str
    says: str
    key: str
    build: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """Where the finished part lies."""
        return parts_root() / f"{self.name}-{self.key[:12]}"

    @property
    def made(self) -> bool:
        """Whether the part is finished: folders appear under their final name only when complete."""
        return (self.folder / STAMP).is_file()


def parts_root() -> Path:
    """The folder of all parts."""
    return cache_root() / "parts"


def key_of(*inputs: str | bytes | Path) -> str:
    """Hash texts, bytes and files (a folder stands for all files in it) into one key."""
    digest = hashlib.sha256()
    for chunk in _chunks(inputs):
        digest.update(len(chunk).to_bytes(8, "big"))
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(inputs: Iterable[str | bytes | Path]) -> Iterable[bytes]:
    for item in inputs:
        if isinstance(item, Path):
            files = sorted(p for p in item.rglob("*") if p.is_file()) if item.is_dir() else [item]
            for file in files:
                yield file.relative_to(item.parent).as_posix().encode()
                yield file.read_bytes()
        else:
            yield item.encode() if isinstance(item, str) else item


def make(part: Part) -> float:
    """Make a part in a folder beside its final place, then rename it there; return the seconds taken.

    An interruption leaves only that folder, which `sweep` removes: the part is then made again.
    """
    begun = time.monotonic()
    unfinished = parts_root() / f".new-{part.folder.name}"
    _remove(unfinished)
    unfinished.mkdir(parents=True)
    try:
        part.build(unfinished)
        seconds = round(time.monotonic() - begun, 1)
        stamp = {"name": part.name, "key": part.key, "seconds": seconds}
        (unfinished / STAMP).write_text(json.dumps(stamp) + "\n")
        _remove(part.folder)
        os.rename(unfinished, part.folder)
    except BaseException:
        _remove(unfinished)
        raise
    return seconds


def sweep() -> None:
    """Remove what interrupted set-ups left unfinished. Call it only while holding the set-up's lock."""
    for unfinished in parts_root().glob(".new-*"):
        _remove(unfinished)


def prune(wanted: Iterable[Part]) -> tuple[str, ...]:
    """Remove finished parts of other versions than the wanted ones; return their folders' names."""
    keep = {part.folder.name for part in wanted}
    old = [p for p in parts_root().glob("*") if p.is_dir() and p.name not in keep]
    for folder in old:
        _remove(folder)
    return tuple(sorted(p.name for p in old))


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
