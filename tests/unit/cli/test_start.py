"""How the command begins: it reads only what it needs, and says what is missing instead of a trace."""

import subprocess
import sys
import typing
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from cli import lazy, start
from cli.__main__ import Commands, app
from cli.errors import Exit
from tests.checkout import CHECKOUT

HEAVY = ("pulumi", "kubernetes", "pydantic", "requests", "grpc")
"""What takes most of a second to be read."""


def begun(*arguments: str, before: str = "", after: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as `bin/dualregion` does, with this Python before it, and after it."""
    program = f"import sys\n{before}\nfrom cli import start\nsys.argv[1:] = {arguments!r}\n"
    program += (
        f"import os\nos._exit = sys.exit\ntry:\n    start.run()\nfinally:\n    {after or 'pass'}"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_the_help_reads_neither_pulumi_nor_a_cluster_client() -> None:
    done = begun("--help", after=f"print([each for each in {HEAVY} if each in sys.modules])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "failback" in done.stdout


def test_status_lets_pulumi_begin_before_it_reads_what_judges() -> None:
    """And it never reads Pulumi's own Python, with which it would wait half a second more."""
    program = "import sys\n" + "".join(
        f"import {module}\nprint([each for each in {(*HEAVY, 'pydantic')} if each in sys.modules])\n"
        for module in ("cli.commands.status, cli.stacks.project", "cli.commands.status.answering")
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "[]"
    assert "'pulumi'" not in second


def test_the_help_lists_of_each_command_what_its_own_help_begins_with() -> None:
    group = get_command(app)
    assert isinstance(group, Commands)
    for name, command in group.commands.items():
        (module,) = {each[name] for each in Commands.MODULES.values() if name in each}
        summary = lazy.summary_of(module, name)
        assert summary.help, name
        assert command.help == summary.help
        assert command.name == summary.name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
@pytest.mark.parametrize("options", [("explain", "F2"), ("--help",)])
def test_a_full_disk_is_named(options: tuple[str, ...]) -> None:
    """As is what the output goes to, if that takes no more."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *options],
            cwd=CHECKOUT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == Exit.FAILED
    assert done.stderr.endswith("[no-room-left]\n")


def test_a_command_that_there_is_not_is_a_wrong_option() -> None:
    done = CliRunner().invoke(app, ["fail-over"])
    assert done.exit_code == 2
    assert "failover" in done.output


@pytest.mark.parametrize("options", [("--help",), ("dns",)])
@pytest.mark.parametrize("module", ["typer", "pydantic", "pulumi"])
def test_a_missing_module_is_one_sentence(module: str, options: tuple[str, ...]) -> None:
    done = begun(*options, before=f"sys.modules[{module!r}] = None")
    if "--help" in options and module != "typer":
        assert done.returncode == 0
        return
    assert done.returncode == Exit.FAILED
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"error: {sys.executable} has no module {module}, ")
    assert sentence.endswith("[module-missing]")


def test_an_older_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as ended:
        start.run()
    assert str(ended.value).startswith("error: Python 3.11 or newer is needed; this is 3.9, ")


def test_the_oldest_python_is_that_of_the_package() -> None:
    oldest = ".".join(map(str, start.OLDEST_PYTHON))
    assert f'requires-python = ">={oldest}"' in (CHECKOUT / "pyproject.toml").read_text()


def test_every_module_has_what_the_table_names() -> None:
    for name, command in typing.cast(Commands, get_command(app)).commands.items():
        assert callable(command.callback) or isinstance(command, typer.core.TyperGroup), name
