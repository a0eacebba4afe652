"""The layers hold: the core is pure, only hooks talk to clusters, the sandbox knows no program.

The contracts stand in pyproject.toml. Here they are enforced, and it is tried that they can fail: a
contract whose modules have been renamed would otherwise keep a promise about nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT

PACKAGES = ("dualregion", "hooks", "components", "runbook", "sandbox", "drill")
PROMISES = (
    "the core is pure",
    "components carry out, hooks act, the core decides",
    "only hooks talk to clusters",
    "the sandbox knows nothing of the program",
    "the command stands on top",
    "the command shares no code with the drill",
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in a folder, without its cache, which would be left in the checkout."""
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "lint-imports"),
            "--no-cache",
            "--config",
            "pyproject.toml",
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_keeps_to_its_layer() -> None:
    found = lint_imports(CHECKOUT)
    assert found.returncode == 0, found.stdout + found.stderr
    said = " ".join(found.stdout.split())
    for promise in PROMISES:
        assert promise in said
    assert "0 broken" in said


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("dualregion/brokers.py", "import pulumi", "the core is pure"),
        ("dualregion/brokers.py", "from hooks import pods", "the core is pure"),
        ("hooks/pods.py", "from components import region", "components carry out"),
        ("components/outputs.py", "import kubernetes", "only hooks talk to clusters"),
        ("sandbox/errors.py", "from dualregion import brokers", "the sandbox knows nothing"),
        ("hooks/pods.py", "from runbook import errors", "the command stands on top"),
        ("runbook/errors.py", "from drill import errors", "the command shares no code"),
    ],
)
def test_an_import_against_the_layers_is_found(
    tmp_path: Path, module: str, line: str, broken: str
) -> None:
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        skipped = shutil.ignore_patterns("__pycache__", "toolchain", "charts")
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=skipped)
    path = tmp_path / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    found = lint_imports(tmp_path)
    assert found.returncode != 0
    verdicts = [each for each in found.stdout.splitlines() if each.endswith(" BROKEN")]
    assert any(each.startswith(broken) for each in verdicts), found.stdout
