"""What the lock files, the checksums and the set-up's parts demand to be in the list."""

import re
from pathlib import Path

from sandbox.licences.entries import key
from sandbox.setup import debian
from sandbox.setup.modules import go_mods, required
from sandbox.setup.parts import debian_root, java

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON_LOCKS = (
    "requirements.lock",
    "requirements-aws.lock",
    "requirements-dev.lock",
    "requirements-docs.lock",
    "requirements-browser.lock",
    "sandbox/toolchain/java/requirements.txt",
)


def all_of() -> dict[str, str]:
    """Everything that must be in the list but the parts: key -> the file that demands it."""
    found = {key("python", *place): lock for place, lock in locked().items()}
    for path in go_mods():
        for place in required(path.read_text()).items():
            found.setdefault(key("go", *place), str(path.relative_to(CHECKOUT)))
    found |= {key("maven", file): java.CHECKSUMS.name for file in java.checksums()}
    named = (*debian.PACKAGES, *debian_root.PACKAGES)
    return found | {key("debian", name): "sandbox/setup" for name in named}


def locked() -> dict[tuple[str, str], str]:
    """Python's packages and their versions -> the first lock file that has them."""
    found: dict[tuple[str, str], str] = {}
    for name in PYTHON_LOCKS:
        for place in python((CHECKOUT / name).read_text()).items():
            found.setdefault(place, name)
    return found


def python(lock: str) -> dict[str, str]:
    """Package -> version, from a lock file of pip."""
    return {
        canonical(name): version
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)
    }


def canonical(name: str) -> str:
    """A Python package's name in the index's spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()
