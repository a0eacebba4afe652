"""The layer that all our larger images share: a small Debian, made by mmdebstrap from the system's sources."""

import re
from pathlib import Path

from debian.deb822 import Deb822

from sandbox.errors import SandboxError
from sandbox.setup.machine import os_codename
from sandbox.setup.part import Part, key_of
from sandbox.setup.parts.archive import EPOCH
from sandbox.setup.run import run

# busybox-static serves the small images, haproxy asks for a search engine's password.
PACKAGES = (
    "bash",
    "curl",
    "ca-certificates",
    "busybox-static",
    "haproxy",
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
    written = []
    for suffix, own in ((".list", own_lines), (".sources", own_stanzas)):
        files = [etc / f"sources{suffix}", *sorted((etc / "sources.list.d").glob(f"*{suffix}"))]
        entries = [e for f in files if f.is_file() for e in own(codename, f.read_text())]
        if entries:
            path = target / f"apt{suffix}"
            path.write_text("\n".join(entries) + "\n")
            written.append(path)
    if not written:
        raise SandboxError(
            f"{etc} names no package source for {codename}: the images are made from the system's own "
            f"sources. Add one, for example: deb http://deb.debian.org/debian {codename} main"
        )
    return tuple(written)


def own_lines(codename: str, text: str) -> list[str]:
    """Those lines of apt's sources that are of the distribution's own packages, leaving other vendors' out."""
    suite = rf"{codename}(-updates|-security|/updates)?"
    entry = re.compile(rf"deb\s+(\[[^]]*\]\s+)?\S+\s+{suite}\s")
    return [line for line in text.splitlines() if entry.match(line)]


def own_stanzas(codename: str, text: str) -> list[str]:
    """The same of stanzas (`.sources`); one that is not enabled is left out."""
    suites = {codename, f"{codename}-updates", f"{codename}-security"}
    return [
        str(each)
        for each in Deb822.iter_paragraphs(text, use_apt_pkg=False)
        if each.get("Enabled", "yes").lower() != "no"
        and "deb" in each.get("Types", "").split()
        and set(each.get("Suites", "other").split()) <= suites
    ]
