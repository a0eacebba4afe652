"""Licences of Debian packages: the main part's, from their copyright files."""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from debian.copyright import Copyright, Error, License

from sandbox.errors import SandboxError
from sandbox.licences.by_hand import ByHand
from sandbox.licences.entries import Entry
from sandbox.licences.osi import together
from sandbox.setup import debian
from sandbox.setup.machine import os_codename
from sandbox.setup.parts import debian_root


def entries(by_hand: ByHand) -> tuple[Entry, ...]:
    """An entry for each package that the set-up installs or puts into images, with all that these depend on.

    :raises SandboxError: apt does not know them; `apt-get update` is the remedy.
    """
    machine = _closure(debian.PACKAGES)
    image = _closure([*debian_root.PACKAGES, "?essential"])
    release = os_codename()
    found = []
    for name in sorted(machine | image):
        licence, read_in = _read(name, by_hand)
        use = " ".join(u for u, all_ in (("machine", machine), ("image", image)) if name in all_)
        found.append(Entry("debian", name, release, licence, use, read_in))
    return tuple(found)


def _closure(packages: Iterable[str]) -> set[str]:
    """What apt would install on a machine that has nothing: the packages and all that they depend on."""
    argv = ["apt-get", "-s", "-o", "Dir::State::status=/dev/null", "--no-install-recommends"]
    done = subprocess.run(
        [*argv, "install", *packages], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxError(
            f"apt cannot say what the packages depend on: {done.stderr.strip()}. Run `apt-get update` first."
        )
    return set(re.findall(r"^Inst ([^\s:]+)", done.stdout, re.MULTILINE))


def _read(package: str, by_hand: ByHand) -> tuple[str, str]:
    text = _copyright(package)
    try:
        parsed = Copyright(text.splitlines(keepends=True), strict=False)
        main = [each for each in parsed.all_files_paragraphs() if "*" in each.files]
    except (Error, ValueError):
        return "", "copyright (prose)"
    found = [cast(License | None, each.license) for each in main]
    named = [each.synopsis for each in found if each is not None]
    spelled = [by_hand.spelled.get(name, "") for name in named]
    read_in = f"copyright, Files: * {'; '.join(named)}"
    return (together(spelled) if all(spelled) else ""), read_in


def _copyright(package: str) -> str:
    """A package's copyright file: the system's, or else out of the package, which apt fetches into a passing folder."""
    installed = Path("/usr/share/doc") / package / "copyright"
    if installed.is_file():
        return installed.read_text(errors="replace")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["apt-get", "-q", "download", package], cwd=folder, capture_output=True, check=True
            )
            archive = next(Path(folder).glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, folder], capture_output=True, check=True)
        except (subprocess.CalledProcessError, StopIteration) as error:
            raise SandboxError(f"apt cannot fetch {package}, whose copyright is wanted") from error
        return Path(folder, *installed.parts[1:]).read_text(errors="replace")
