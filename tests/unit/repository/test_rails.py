"""What holds the tests themselves: a hang is a failure that leaves nothing behind, and nothing passes by being skipped.

Tried on small tests beside a copy of the real settings, in a pytest of their own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.patience import VARIABLE
from tests.checkout import CHECKOUT

ALONE = pytest.mark.parametrize("spread", [(), ("-n", "1")], ids=["alone", "xdist"])
HANGS = """
import subprocess, sys, time
from pathlib import Path
import pytest

@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        yield
    finally:
        process.kill()
        Path("taken-down").write_text(str(process.wait()))

def test_it(child):
    time.sleep(599)
"""
WAITS_FOR_A_THREAD = """
import asyncio, time

def test_it():
    asyncio.run(asyncio.to_thread(time.sleep, 599))
"""


def pytest_in(
    folder: Path, *options: str, impatient: bool = False, **tests: str
) -> subprocess.CompletedProcess[str]:
    """Run a pytest in a folder with the checkout's settings; its only tests are these, by the folder they are in.

    :param impatient: whether its limits are seconds.
    """
    for name, text in tests.items():
        path = folder / "tests" / name / f"test_{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    conftest = (CHECKOUT / "tests" / "conftest.py").read_text()
    for usual in ('"unit": 300.0', "GRACE_SECONDS = 300.0"):
        assert usual in conftest
        conftest = conftest.replace(usual, usual.replace("300", "2") if impatient else usual)
    (folder / "tests" / "conftest.py").write_text(conftest)
    (folder / "pyproject.toml").write_text((CHECKOUT / "pyproject.toml").read_text())
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@ALONE
def test_a_test_that_hangs_fails_with_its_stack_and_takes_down_what_it_started(
    tmp_path: Path, spread: tuple[str, ...]
) -> None:
    done = pytest_in(tmp_path, *spread, impatient=True, unit=HANGS)
    assert done.returncode == 1, done.stdout
    assert "time.sleep(599)" in done.stdout
    assert "Failed: Timeout" in done.stdout
    assert (tmp_path / "taken-down").read_text() == "-9"


@ALONE
def test_one_that_hangs_on_ends_with_its_process_and_all_stacks(
    tmp_path: Path, spread: tuple[str, ...]
) -> None:
    """The end of an event loop waits for its threads, whatever was raised."""
    done = pytest_in(tmp_path, *spread, impatient=True, unit=WAITS_FOR_A_THREAD)
    assert done.returncode == 1, done.stdout
    assert "test_unit.py" in done.stdout
    assert "in test_it" in done.stdout
    assert "shutdown_default_executor" in done.stdout or "_run_once" in done.stdout


def test_a_bare_pytest_runs_the_unit_tests_and_says_how_to_run_the_others(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, unit="def test_it(): pass", engine="def test_it(): assert False")
    assert done.returncode == 0, done.stdout
    assert "unit tests only; `make help` lists the others" in done.stdout
    assert re.search(r"^\d+ workers? \[1 item\]", done.stdout, re.MULTILINE)
    done = pytest_in(tmp_path, "tests/unit")
    assert "unit tests only" not in done.stdout


def test_a_part_that_is_missing_skips_a_test_unless_it_is_demanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    needy = "from tests.parts import set_up\ndef test_it(): set_up()"
    done = pytest_in(tmp_path, unit=needy)
    assert done.returncode == 0, done.stdout
    assert re.search(r"SKIPPED .* missing: .*Run `make setup`", done.stdout)
    done = pytest_in(tmp_path, "--complete")
    assert done.returncode == 1, done.stdout
    assert re.search(r"SandboxError: .* missing: .*Run `make setup`", done.stdout)


def test_make_test_demands_every_part() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "test"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    runs = [line for line in done.stdout.splitlines() if "-m pytest" in line]
    assert len(runs) == 5
    assert [line for line in runs if "--complete" not in line or " tests/" not in line] == []


def test_pytest_does_not_begin_with_a_wrong_factor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "slow")
    done = pytest_in(tmp_path, unit="def test_it(): pass")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"{VARIABLE} is 'slow'" in done.stdout
