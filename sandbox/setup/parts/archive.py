"""Container images as docker-archive tars: deterministic layers, a config each, one manifest for all."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

# One fixed time for every file of our own, so that equal inputs make equal layers (2023-11-14).
EPOCH = 1_700_000_000


@dataclass(frozen=True)
class Layer:
    """One layer: an uncompressed tar."""

    path: Path
    digest: str

    @staticmethod
    def of(path: Path) -> "Layer":
        """The layer that an existing tar is."""
        with path.open("rb") as tar:
            return Layer(path, hashlib.file_digest(tar, "sha256").hexdigest())


@dataclass(frozen=True)
class Image:
    """An image: its names and what its config says.

    Attributes:
        names: full references, each with a tag; all name the same image.
        user: uid:gid that its process runs as.
    """

    names: tuple[str, ...]
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...]
    user: str = "0:0"
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()

    def config(self, architecture: str) -> bytes:
        """The image's config as JSON; its SHA-256 is the image's id."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        env = {"PATH": path, **self.env}
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": "2023-11-14T22:13:20Z",
            "config": {
                "User": self.user,
                "WorkingDir": self.workdir,
                "Entrypoint": list(self.entrypoint),
                "Env": [f"{name}={value}" for name, value in env.items()],
                "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{x.digest}" for x in self.layers]},
        }
        return json.dumps(config, sort_keys=True).encode()


class LayerWriter:
    """Writes one layer, entry by entry; folders above an entry are made as needed."""

    def __init__(self, path: Path) -> None:
        """Begin a layer at `path`; use it as a context manager, then take `layer`."""
        self._path = path
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed in __exit__)
        self._folders: set[str] = {""}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    @property
    def layer(self) -> Layer:
        """The finished layer."""
        return Layer.of(self._path)

    def folder(self, name: str, mode: int = 0o755, uid: int = 0) -> None:
        """Add a folder (once)."""
        name = name.strip("/")
        if name in self._folders:
            return
        self._folders.add(name)
        self._add(_entry(name, tarfile.DIRTYPE, mode, uid))

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        info = _entry(name, tarfile.SYMTYPE, 0o777)
        info.linkname = target
        self._add(info)

    def text(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file of the given content."""
        info = _entry(name, tarfile.REGTYPE, mode)
        info.size = len(content)
        self._add(info, io.BytesIO(content))

    def file(self, name: str, source: Path, uid: int = 0) -> None:
        """Add a copy of a file, executable if the source is."""
        state = source.stat()
        info = _entry(name, tarfile.REGTYPE, 0o755 if state.st_mode & 0o100 else 0o644, uid)
        info.size = state.st_size
        with source.open("rb") as content:
            self._add(info, content)

    def tree(self, name: str, source: Path, uid: int = 0) -> None:
        """Add a folder with all that is in it."""
        self.folder(name, uid=uid)
        for entry in sorted(source.iterdir()):
            below = f"{name.rstrip('/')}/{entry.name}"
            if entry.is_symlink():
                self.link(below, str(entry.readlink()))
            elif entry.is_dir():
                self.tree(below, entry, uid)
            else:
                self.file(below, entry, uid)

    def _add(self, info: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
        self.folder(info.name.rpartition("/")[0])
        self._tar.addfile(info, content)


def _entry(name: str, kind: bytes, mode: int, uid: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name.strip("/"))
    info.type, info.mode, info.mtime = kind, mode, EPOCH
    info.uid = info.gid = uid
    return info


def write_archive(images: Iterable[Image], architecture: str, out: IO[bytes]) -> None:
    """Write images as one docker-archive to a stream; layers that several share are written once."""
    images = list(images)
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for layer in {x.digest: x for image in images for x in image.layers}.values():
            archive.add(layer.path, arcname=f"{layer.digest}.tar", filter=_plain)
        manifest = []
        for image in images:
            config = image.config(architecture)
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add_bytes(archive, config_name, config)
            manifest.append(
                {
                    "Config": config_name,
                    "RepoTags": list(image.names),
                    "Layers": [f"{x.digest}.tar" for x in image.layers],
                }
            )
        _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode, info.mtime = 0o644, EPOCH
    return info


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o644, EPOCH
    archive.addfile(info, io.BytesIO(content))
