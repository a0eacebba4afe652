"""A `pulumi` on PATH that answers the few questions that the runbook asks, out of files."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.inputs.examples import raw

_SCRIPT = """#!/bin/sh
folder='@FOLDER@'
echo "$*" >> "$folder/asked"
words=$(echo " $* " | sed 's/ --non-interactive / /; s/ --show-secrets / /g; s/ --json / /g; s/ --page-size [0-9]* --page 1 / /')
stack=$(echo "$words" | sed -n 's/.* --stack \\([^ ]*\\).*/\\1/p')
what=$(echo "$words" | sed 's/ --stack [^ ]*//; s/^ *//; s/ *$//' | tr ' ' '-')
for name in "$what.$stack" "$what"; do
    if [ -f "$folder/$name.error" ]; then cat "$folder/$name.error" >&2; exit 255; fi
    if [ -f "$folder/$name" ]; then cat "$folder/$name"; exit 0; fi
done
echo "error: no stack named '$stack' found" >&2
exit 255
"""


def make_project(folder: Path) -> None:
    """Make a folder the project that the command works on."""
    (folder / "Pulumi.yaml").write_text("name: camunda-dual-region\nruntime: python\n")


@dataclass(frozen=True)
class FakePulumi:
    """The script's answers: one file for each question."""

    folder: Path

    def answers(self, what: str, document: Any, stack: str = "") -> None:
        """Let it answer a question with a JSON document."""
        (self.folder / self._name(what, stack)).write_text(json.dumps(document))

    def fails(self, what: str, message: str, stack: str = "") -> None:
        """Let it fail at a question."""
        (self.folder / f"{self._name(what, stack)}.error").write_text(message)

    def stack(self, name: str, region: int, *, secret: Collection[str] = (), **config: Any) -> None:
        """Give it a stack of a region that was never updated.

        :param secret: the keys that Pulumi keeps as secrets.
        """
        values = raw(region=region, **config)
        document = {
            f"camunda-dual-region:{key}": {
                "value": value if isinstance(value, str) else json.dumps(value),
                "secret": key in secret,
            }
            for key, value in values.items()
        }
        self.answers("config", document, name)
        self.answers("stack export", {"version": 3, "deployment": {}}, name)
        self.runs(name, [])

    def runs(self, name: str, found: Sequence[Any]) -> None:
        """Set which runs a stack has had, the latest first; it tells a hundred at a time."""
        self.answers("stack history", found[:100], name)
        for page in range(2, len(found) // 100 + 2):
            self.answers(
                f"stack history --page-size 100 --page {page}",
                found[(page - 1) * 100 : page * 100],
                name,
            )

    def holds(self, name: str, deployment: Mapping[str, Any]) -> None:
        """Set what a stack's state holds."""
        self.answers("stack export", {"version": 3, "deployment": deployment}, name)

    @property
    def asked(self) -> list[str]:
        """What it was asked, in order."""
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []

    @staticmethod
    def _name(what: str, stack: str) -> str:
        return what.replace(" ", "-") + (f".{stack}" if stack else "")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """Put a `pulumi` with two fresh stacks first on PATH."""
    script = folder / "bin" / "pulumi"
    answers = folder / "answers"
    for each in (script.parent, answers):
        each.mkdir(parents=True)
    script.write_text(_SCRIPT.replace("@FOLDER@", str(answers)))
    script.chmod(0o755)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join([str(script.parent), os.environ["PATH"]]))
    fake = FakePulumi(answers)
    (answers / "version").write_text("v3.259.0")
    fake.answers("whoami", {"user": "ada", "url": f"file://{folder}/state"})
    fake.answers("stack ls", [{"name": name, "current": False} for name in ("region0", "region1")])
    for region in (0, 1):
        fake.stack(f"region{region}", region)
    return fake
