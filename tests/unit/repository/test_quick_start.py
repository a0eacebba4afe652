"""The page on installing is complete: what needs no cluster is typed as it stands, with Pulumi and helm played.

The whole of it, with the real Pulumi on real API servers, is typed in tests/engine/operator/test_quick_start.py.
"""

import os
import re
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests import quick_start
from tests.checkout import CHECKOUT
from tests.fakes.kubernetes import kubeconfig
from tests.quick_start import CHART, KEYS, PROJECT, SETTINGS, STATE, blocks, program, run, typed

STAND_IN = CHECKOUT / "sandbox" / "charts" / "camunda-platform"
COMMAND = f"""#!{sys.executable}
import os, sys
sys.path[0] = {str(CHECKOUT)!r}
os.environ["DUALREGION_PROJECT"] = "."
from cli.start import run
run()
"""
"""The command as it is installed: its project is the folder in which it runs."""
NOTING = '#!/bin/sh\necho "$*" >> "$NOTES"\ncat >> "$NOTES.given"\n'


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs: helm that pulls the stand-in chart, an editor, a pulumi that notes what it is asked."""
    folder = tmp_path / "bin"
    archive = tmp_path / "chart.tgz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(STAND_IN, "camunda-platform")
    program(folder / "helm", f"#!/bin/sh\ncp {archive} camunda-platform-10.11.3.tgz\n")
    program(folder / "edit", quick_start.FILL_IN)
    program(folder / "pulumi", NOTING)
    program(folder / "dualregion", COMMAND)
    return folder


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "EDITOR": "edit",
        "CHART": "camunda-platform-10.11.3.tgz",
        "NOTES": str(tmp_path / "notes"),
        "KUBECONFIG": kubeconfig(tmp_path, "http://127.0.0.1:9", "cluster-london", "cluster-paris"),
    }


def test_the_page_has_the_blocks_that_are_typed() -> None:
    assert len(blocks()) == quick_start.READY + 1
    first, last = blocks()[quick_start.TOOLS], blocks()[quick_start.READY]
    assert "requirements.lock" in first
    assert "dualregion preflight" in last
    for number, word in ((PROJECT, "init"), (CHART, "helm pull"), (STATE, "PASSPHRASE_FILE")):
        assert word in blocks()[number]


def test_from_an_empty_folder_to_two_stacks_with_a_configuration_that_is_well(
    tmp_path: Path, tools: Path, env: dict[str, str]
) -> None:
    place = tmp_path / "home"
    place.mkdir()
    script = typed((PROJECT, CHART, SETTINGS, STATE))
    keys = blocks()[KEYS].replace("< access-key", "<<< AKIA").replace("< secret-key", "<<< hush")
    done = run(f"{script}\n{keys}", place, env, tools)
    assert done.returncode == 0, done.stdout
    assert "the configuration of region0, region1 is well" in done.stdout
    asked = (tmp_path / "notes").read_text().splitlines()
    assert asked[:3] == ["login s3://my-state-bucket", "stack init region0", "stack init region1"]
    assert len(asked) == 9
    assert (tmp_path / "notes.given").read_text() == "AKIA\nhush\n" * 2
    passphrase = place / ".dual-region-passphrase"
    assert passphrase.stat().st_mode & 0o077 == 0
    assert len(passphrase.read_text().strip()) > 40


def test_what_was_not_filled_in_stops_it_there(
    tmp_path: Path, tools: Path, env: dict[str, str]
) -> None:
    place = tmp_path / "home"
    place.mkdir()
    program(tools / "edit", "#!/bin/sh\n")
    done = run(typed((PROJECT, CHART, SETTINGS, STATE)), place, env, tools)
    assert done.returncode == 1
    assert done.stdout.count("[placeholder-left]") == 3
    assert not (tmp_path / "notes").exists()


def test_the_readme_has_the_same_in_brief(tmp_path: Path, tools: Path, env: dict[str, str]) -> None:
    place = tmp_path / "home"
    place.mkdir()
    lines = quick_start.of_readme().splitlines()
    assert lines[0].startswith("python3 -m venv")
    assert "requirements.lock" in lines[1]
    assert [line.split("#")[0].strip() for line in lines[-2:]] == [
        "dualregion install",
        "dualregion preflight",
    ]
    del env["CHART"]
    done = run("\n".join(lines[2:-2]), place, env, tools)
    assert done.returncode == 0, done.stdout
    assert "the configuration of region0, region1 is well" in done.stdout
    assert "[chart-of-repository]" in done.stdout
    assert len((tmp_path / "notes").read_text().splitlines()) == 3


def test_the_chart_is_the_one_that_a_new_project_names() -> None:
    made = yaml.safe_load((CHECKOUT / "sandbox/charts/camunda-platform/Chart.yaml").read_text())
    (version,) = re.findall(r"helm pull .*--version (\S+)", blocks()[CHART])
    assert version == made["version"]
