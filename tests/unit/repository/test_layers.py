"""The layers hold: the core is pure, only clients and steps talk to clusters, the sandbox knows no program.

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

PACKAGES = ("messages", "dualregion", "clients", "steps", "components", "cli", "sandbox", "drill")
PROMISES = (
    "the core is pure",
    "the core's rooms",
    "components carry out, steps act, clients talk, the core decides",
    "only steps and clients talk to clusters",
    "steps on releases and on search engines do not know each other",
    "the sandbox knows nothing of the program",
    "the sandbox's rooms",
    "the command stands on top",
    "the command's rooms",
    "the command shares no code with the drill",
    "the drill's rooms",
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
        ("dualregion/brokers.py", "from clients import pods", "the core is pure"),
        (
            "dualregion/config/sections/dns.py",
            "from dualregion.chart import values",
            "the core's rooms",
        ),
        ("clients/cluster/pods.py", "from components import region", "components carry out"),
        ("clients/cluster/pods.py", "from steps import polling", "components carry out"),
        ("components/outputs.py", "import kubernetes", "only steps and clients talk to clusters"),
        ("sandbox/errors.py", "from dualregion import brokers", "the sandbox knows nothing"),
        ("sandbox/setup/plan.py", "from sandbox.regions import machine", "the sandbox's rooms"),
        ("clients/cluster/pods.py", "from cli import errors", "the command stands on top"),
        ("cli/stacks/read.py", "from cli.status import health", "the command's rooms"),
        ("steps/releases/rbac.py", "from steps.search_engine import engines", "steps on releases"),
        ("drill/checks/checks.py", "from drill.report import report", "the drill's rooms"),
        ("cli/errors.py", "from drill import errors", "the command shares no code"),
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


def test_no_folder_has_more_than_a_dozen_modules_side_by_side() -> None:
    crowded = {
        str(folder.relative_to(CHECKOUT)): len(modules)
        for package in (*PACKAGES, "tests", "tools")
        for folder in [CHECKOUT / package, *(CHECKOUT / package).rglob("*/")]
        if len(modules := [each for each in folder.glob("*.py") if each.name != "__init__.py"]) > 12
    }
    assert crowded == {}
