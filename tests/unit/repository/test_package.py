"""The project as an installed package: the command, its version, and all that it imports."""

import importlib
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

import dualregion
from tests.checkout import CHECKOUT
from tests.unit.repository.test_layers import PACKAGES

PYPROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
INSTALLED = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]


def command(*options: str, cwd: Path = CHECKOUT) -> str:
    """Run the entry point as an installed command does."""
    module, _, function = PYPROJECT["project"]["scripts"]["dualregion"].partition(":")
    program = f"import sys; from {module} import {function}; sys.exit({function}())"
    done = subprocess.run(
        [sys.executable, "-c", program, *options],
        cwd=cwd,
        env={"PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_program_is_in_it_and_the_rehearsal_is_not() -> None:
    taken = {name for name in PACKAGES if any(fnmatch(name, each) for each in INSTALLED)}
    assert taken == set(PACKAGES) - {"sandbox", "drill"}


def test_every_folder_of_modules_is_a_package() -> None:
    """Only then an installed package has it."""
    lacking = {
        folder
        for package in PACKAGES
        for module in (CHECKOUT / package).rglob("*.py")
        if not (folder := module.parent).joinpath("__init__.py").exists()
    }
    assert lacking == set()


def test_the_command_tells_its_version(tmp_path: Path) -> None:
    assert command("--version", cwd=tmp_path) == f"dualregion {dualregion.VERSION}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_both_ways_to_ask_for_help(option: str) -> None:
    assert "failback" in command(option)


def test_what_it_imports_is_installed_with_it() -> None:
    entry = PYPROJECT["project"]["scripts"]["dualregion"].partition(":")[0]
    importlib.import_module(entry)
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["dependencies"]["file"] == ["requirements.in"]


def test_every_file_beside_the_modules_is_installed_with_them() -> None:
    """What is missing there is missing only on the machines of others."""
    taken = PYPROJECT["tool"]["setuptools"]["package-data"]
    lacking = {
        file
        for package in set(PACKAGES) - {"sandbox", "drill"}
        for file in (CHECKOUT / package).rglob("*")
        if file.is_file()
        and file.suffix not in (".py", ".pyc")
        and not any(
            file.relative_to(CHECKOUT / package).match(each) for each in taken.get(package, ())
        )
    }
    assert lacking == set()
