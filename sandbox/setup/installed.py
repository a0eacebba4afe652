"""Tools that the user already has: which are used, and which versions fit."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import cache_root
from sandbox.setup.parts.gotools import KUBERNETES

Version = tuple[int, int, int]
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Rule:
    """When the user's own tool is used instead of ours.

    :ivar command: its name on PATH.
    :ivar ask: arguments that make it say its version.
    :ivar version: the lowest that fits.
    :ivar same_minor: only this very minor version fits, since what is tested elsewhere may differ.
    :ivar beside: other commands that must lie in the same folder or on PATH.
    """

    command: str
    ask: tuple[str, ...]
    version: Version
    same_minor: bool = False
    beside: tuple[str, ...] = ()


RULES = (
    # The official Pulumi brings its language hosts beside it, and fetches its plugins itself.
    Rule("pulumi", ("version",), (3, 259, 0), beside=("pulumi-language-python",)),
    Rule("kubectl", ("version", "--client"), (1, 32, 0)),
    Rule("helm", ("version", "--short"), (3, 14, 0)),
    Rule("etcd", ("--version",), (3, 6, 0), same_minor=True),
    *(
        Rule(name, ("--version",), (1, 34, 0), same_minor=True)
        for name, _ in KUBERNETES.binaries
        if name != "kubectl"
    ),
    Rule("coredns", ("-version",), (1, 12, 0), same_minor=True),
)


def fits(rule: Rule, text: str) -> bool:
    """Whether the version in what a tool printed fits the rule; a text without version never does."""
    found = VERSION.search(text)
    if found is None:
        return False
    version: Version = (int(found[1]), int(found[2]), int(found[3] or 0))
    if rule.same_minor:
        return version[:2] == rule.version[:2] and version >= rule.version
    # The next major version may change anything.
    return version[0] == rule.version[0] and version >= rule.version


def find() -> dict[str, Path]:
    """The user's own tools that fit, by command."""
    return {rule.command: path for rule in RULES if (path := _fitting(rule)) is not None}


def _fitting(rule: Rule) -> Path | None:
    path = shutil.which(rule.command)
    # A command run by the sandbox has our own tools on PATH: those are not the user's.
    if path is None or Path(path).resolve().is_relative_to(cache_root().resolve()):
        return None
    folder = Path(path).absolute().parent
    if not all((folder / name).exists() or shutil.which(name) for name in rule.beside):
        return None
    return Path(path).absolute() if fits(rule, _said(path, rule.ask)) else None


def _said(path: str, ask: tuple[str, ...]) -> str:
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [path, *ask], capture_output=True, text=True, timeout=20, check=False, env=quiet
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
