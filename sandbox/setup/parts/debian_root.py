"""The layer that all our larger images share: a small Debian, made by mmdebstrap from the system's sources."""

import re
from collections.abc import Iterable
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.setup.machine import os_codename
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts.archive import EPOCH
from sandbox.setup.run import run

# busybox-static serves the small images.
PACKAGES = (
    "bash",
    "curl",
    "ca-certificates",
    "busybox-static",
)
UNWANTED = ("man", "doc", "locale", "info", "lintian")
# The official images run as this user too; Java likes to find it in /etc/passwd.
USER = "camunda:x:1001:1001::/tmp:/bin/sh"
HOOKS = (
    (
        "--customize-hook",
        f'echo "{USER}" >>"$1/etc/passwd"; echo "camunda:x:1001:" >>"$1/etc/group"',
    ),
    (
        "--customize-hook",
        'rm -rf "$1"/var/lib/apt "$1"/var/cache/* "$1"/var/log/* "$1"/usr/share/man',
    ),
)


def part() -> Part:
    """The part: `root.tar` in its folder."""
    codename = os_codename()
    return Part(
        name="debian-root",
        says=f"Making a small Debian ({codename}) for the images (a minute)",
        key=key_of(codename, str(PACKAGES), str(UNWANTED), str(HOOKS)),
        build=lambda target: build(codename, target),
    )


def build(codename: str, target: Path) -> None:
    """Write `root.tar`; raises SandboxError when apt's sources or mmdebstrap fail."""
    sources = _write_sources(codename, target)
    options = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNWANTED]
    options += [f"{option}={script}" for option, script in HOOKS]
    run(
        # The namespaces take mmdebstrap's many processes and its mounts with them, should it be killed.
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("mmdebstrap", "--variant=essential"),
            f"--include={','.join(PACKAGES)}",
            *options,
            codename,
            target / "root.tar",
            *sources,
        ],
        what="making a small Debian",
        remedy="Run it again. If packages could not be fetched, check that `apt-get update` works.",
        # Files in the tar are not newer than this; and what is left after a kill is swept away with the rest.
        env={"SOURCE_DATE_EPOCH": str(EPOCH), "TMPDIR": str(target)},
    )
    for source in sources:
        source.unlink()


def _write_sources(codename: str, target: Path, etc: Path = Path("/etc/apt")) -> tuple[Path, ...]:
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    texts = [
        (f.suffix, f.read_text())
        for f in files
        if f.suffix in {".list", ".sources"} and f.is_file()
    ]
    written = []
    for suffix in (".list", ".sources"):
        own = own_sources(codename, suffix, (text for s, text in texts if s == suffix))
        if own:
            path = target / f"apt{suffix}"
            path.write_text(own)
            written.append(path)
    if not written:
        raise SandboxError(
            f"{etc} names no package source for {codename}: the images are made from the system's own "
            f"sources. Add one, for example: deb http://deb.debian.org/debian {codename} main"
        )
    return tuple(written)


def own_sources(codename: str, suffix: str, texts: Iterable[str]) -> str:
    """Those entries of apt's sources that are the distribution's own, leaving other vendors' out.

    :param codename: the release ("bookworm").
    :param suffix: `.list` (one entry a line) or `.sources` (stanzas separated by empty lines).
    :param texts: contents of files of that kind.
    """
    separator = "\n" if suffix == ".list" else "\n\n"
    entries = [
        e for text in texts for e in (text.split("\n") if suffix == ".list" else _stanzas(text))
    ]
    kept = [e for e in entries if _is_own(codename, suffix, e)]
    return separator.join(kept) + "\n" if kept else ""


def _stanzas(text: str) -> list[str]:
    lines = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    return [s.strip("\n") for s in re.split(r"\n\s*\n", lines)]


def _is_own(codename: str, suffix: str, entry: str) -> bool:
    suite = rf"{re.escape(codename)}(-updates|-security)?"
    if suffix == ".list":
        pattern = rf"^deb\s+(\[[^]]*\]\s+)?\S+\s+({suite}|{re.escape(codename)}/updates)\s"
        return re.match(pattern, entry) is not None
    if re.search(r"^Enabled:\s*no", entry, re.MULTILINE | re.IGNORECASE):
        return False
    is_binary = re.search(r"^Types:.*\bdeb\b(?!-)", entry, re.MULTILINE)
    named = re.search(r"^Suites:\s*(.*)$", entry, re.MULTILINE)
    return bool(is_binary and named and all(re.fullmatch(suite, s) for s in named[1].split()))
