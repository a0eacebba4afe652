"""What the set-up has really fetched: the list of it, out of what lies there, not out of what was meant to.

Each part is asked for what it holds: its binaries for the Go modules that they were built from, its jars, the states of
Debian's packages in its file system. To these come the modules in Go's cache that were fetched with them, the Python
environment's packages, and the packages that apt-get has installed. `fetched.json` in the cache has all of it.
"""

import importlib.metadata
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from debian.deb822 import Packages

from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.setup.machine import os_codename
from sandbox.setup.modules import required
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts import gotools
from sandbox.setup.parts.gotools import ask_go
from sandbox.setup.run import which

# In a part's folder: what it holds never changes, so it is asked once; and again when it is read in another way.
NOTE = f"fetched-{key_of(Path(__file__))[:8]}.json"
SHOWN = {
    "go": "Go modules",
    "maven": "Maven artifacts",
    "python": "Python packages",
    "debian": "Debian packages",
}


@dataclass(frozen=True, order=True)
class Fetched:
    """One thing that was fetched, or a part that was made of such.

    :ivar kind: part, go, maven, python or debian.
    :ivar name: as its registry names it; of Maven the file's name.
    :ivar version: empty for a part and for Maven's files.
    :ivar used_by: the part that it is in, or what else has it.
    :ivar release: Debian's release; empty for other kinds.
    :ivar section: Debian's section ("libs", "non-free/libs"); empty for other kinds.
    """

    kind: str
    name: str
    version: str
    used_by: str
    release: str = ""
    section: str = ""


def path() -> Path:
    """Where the list lies."""
    return cache_root() / "fetched.json"


def note(parts: Iterable[Part]) -> tuple[Fetched, ...]:
    """Write the list for parts that are all made, and return it.

    :raises SandboxError: Go is missing and a part was made by a version of the project that noted nothing.
    """
    made = tuple(parts)
    found = [item for part in made for item in in_part(part)]
    built = {each.name for each in found if each.kind == "go"}
    found += [each for each in _ahead() if each.name not in built] if built else []
    found += [*_python(), *_installed()]
    listed = tuple(sorted(set(found)))
    _write(path(), listed)
    return listed


def load() -> tuple[Fetched, ...]:
    """The list that the last set-up wrote; raises SandboxError if none has."""
    if not path().is_file():
        raise SandboxError(
            f"{path()} is missing: it is what `make setup` fetched. Run `make setup`."
        )
    return _read(path())


def says(items: Iterable[Fetched]) -> str:
    """One sentence for the user: how much was fetched, and where the list is."""
    counts = Counter(kind for kind, _ in {(each.kind, (each.name, each.version)) for each in items})
    shown = ", ".join(f"{counts[kind]} {words}" for kind, words in SHOWN.items())
    return (
        f"Fetched: {shown}. The list: {path()} (python -m sandbox fetched shows it with licences)"
    )


def in_part(part: Part) -> tuple[Fetched, ...]:
    """What a finished part holds, and the part itself."""
    noted = part.folder / NOTE
    if not noted.is_file():
        _write(noted, [Fetched("part", part.name, "", "set-up"), *_held(part)])
    return _read(noted)


def _held(part: Part) -> Iterator[Fetched]:
    if (part.folder / "bin").is_dir():
        for module, version in go_modules(ask_go("version", "-m", str(part.folder / "bin"))):
            yield Fetched("go", module, version, part.name)
    for jar in part.folder.glob("lib/*.jar"):
        yield Fetched("maven", jar.name, "", part.name)
    # A wheel that was unpacked, with its metadata.
    for wheel in importlib.metadata.distributions(path=[str(part.folder)]):
        yield Fetched("python", wheel.name, wheel.version, part.name)
    if (root := part.folder / "root.tar").is_file():
        yield from debian_packages(_status(root), os_codename(), part.name)


def go_modules(text: str) -> Iterator[tuple[str, str]]:
    """Module and version of each module in what `go version -m` prints, Go's own library as `std`.

    A module that another one replaces is followed by its replacement, which is what was built. One that is replaced by a
    folder, a patched copy of it, was fetched as it is.
    """
    last: tuple[str, str] | None = None
    for line in text.splitlines():
        if not line.startswith("\t"):
            yield "std", line.rsplit(": ", 1)[-1]
            continue
        word, *rest = line.strip().split("\t")
        if word == "=>":
            last = last if rest[1] == "(devel)" else (rest[0], rest[1])
            continue
        if last is not None:
            yield last
        is_module = word in ("mod", "dep") and rest[1] != "(devel)"
        last = (rest[0], rest[1]) if is_module else None
    if last is not None:
        yield last


def debian_packages(status: str, release: str, used_by: str) -> Iterator[Fetched]:
    """The installed packages in a text as dpkg's file `status`."""
    for package in Packages.iter_paragraphs(status.splitlines(), use_apt_pkg=False):
        # Of a removed package its settings may be left.
        if not package["Status"].endswith(" installed"):
            continue
        yield Fetched(
            "debian", package["Package"], package["Version"], used_by, release, package["Section"]
        )


def _status(root: Path) -> str:
    with tarfile.open(root) as tar:
        names = ("./var/lib/dpkg/status", "var/lib/dpkg/status")
        member = next(m for m in tar if m.name in names)
        content = tar.extractfile(member)
        return content.read().decode() if content else ""


def _ahead() -> Iterator[Fetched]:
    """The modules that a go.mod of a tool asks for and that Go's cache has."""
    if which("go") is None:
        return
    cache = Path(ask_go("env", "GOMODCACHE")) / "cache" / "download"
    for folder in gotools.modules():
        for module, version in required((folder / "go.mod").read_text()).items():
            if (cache / _escaped(module) / "@v" / f"{_escaped(version)}.zip").is_file():
                yield Fetched("go", module, version, f"go.mod of {folder.name}")


def _escaped(text: str) -> str:
    """A module's name as Go's cache spells it: capitals as `!` and the small letter."""
    return "".join(f"!{c.lower()}" if c.isupper() else c for c in text)


def _python() -> Iterator[Fetched]:
    for each in importlib.metadata.distributions():
        yield Fetched("python", each.name, each.version, "the Python environment")


@contextmanager
def noting_packages() -> Iterator[None]:
    """Note which Debian packages the block installs on the machine, besides those of earlier set-ups."""
    before = set(_system())
    try:
        yield
    finally:
        # Also of an installation that failed: the next one would take its packages for the machine's own.
        _write(_packages(), sorted({*_installed(), *(set(_system()) - before)}))


def _packages() -> Path:
    return cache_root() / "installed-packages.json"


def _installed() -> tuple[Fetched, ...]:
    return _read(_packages()) if _packages().is_file() else ()


def _system() -> Iterator[Fetched]:
    status = Path("/var/lib/dpkg/status")
    if status.is_file():
        yield from debian_packages(status.read_text(), os_codename(), "the machine")


def _read(file: Path) -> tuple[Fetched, ...]:
    return tuple(Fetched(**each) for each in json.loads(file.read_text()))


def _write(file: Path, items: Iterable[Fetched]) -> None:
    unfinished = file.with_suffix(".new")
    rows = ",\n".join(json.dumps(asdict(each)) for each in items)
    unfinished.write_text(f"[\n{rows}\n]\n")
    unfinished.rename(file)
