"""The page on installing, typed as it stands: with the package installed, the real Pulumi, and real API servers.

Nothing runs in these clusters, so the installation goes as far as its first proof, N.
"""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.operators.stacks import environment
from drill.processes import MARK, end_marked
from sandbox.regions import Sandbox
from sandbox.setup.tools import Tools
from tests import quick_start
from tests.quick_start import (
    CHART,
    KEYS,
    PROJECT,
    READY,
    REGIONS,
    SETTINGS,
    STATE,
    installed,
    run,
    typed,
)

pytestmark = pytest.mark.engine

ARCHIVE = "camunda-platform-10.11.3.tgz"
NAMESPACES = ("camunda-london", "camunda-paris")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the reader works; whatever still runs there in the end is taken down."""
    yield tmp_path
    end_marked(MARK, str(tmp_path))


def test_the_page_installs_both_regions_as_far_as_clusters_without_nodes_go(
    place: Path, sandbox: Sandbox, tools: Tools, chart: Path
) -> None:
    env = environment(
        place / "pulumi", sandbox.kubeconfig, tools.pulumi_path, own_build=True, helm=tools.helm
    )
    # The page logs in, and keeps the passphrase in a file.
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"):
        env.pop(name)
    (place / "state").mkdir()
    env |= {MARK: str(place), "EDITOR": "edit", "CHART": ARCHIVE, "COLUMNS": "200"}
    with tarfile.open(place / ARCHIVE, "w:gz") as archive:
        archive.add(chart, "camunda-platform")
    own = place / "own"
    quick_start.program(own / "edit", quick_start.FILL_IN)
    pull = f'[ "$1" != pull ] || exec cp {place / ARCHIVE} .\nexec {tools.helm} "$@"\n'
    quick_start.program(own / "helm", f"#!/bin/sh\n{pull}")
    for name in ("access-key", "secret-key"):
        (place / "my-camunda").mkdir(exist_ok=True)
        (place / "my-camunda" / name).write_text("hush")
    impatient = "".join(
        f"pulumi config set --stack region{each} deadlineSeconds 3\n" for each in (0, 1)
    )
    script = typed(
        (PROJECT, CHART, SETTINGS, STATE, KEYS, REGIONS, READY),
        backend=f"file://{place / 'state'}",
        install=f"{impatient}dualregion install --yes || echo install $?\n",
        status="dualregion status --json > status.json || echo status $?",
        preflight="dualregion preflight || echo preflight $?",
    )
    done = run(script, place, env, own, installed(place / "dual-region"))
    assert done.returncode == 0, done.stdout
    said = done.stdout
    assert "the configuration of region0, region1 is well" in said
    assert f"install Camunda in {NAMESPACES[0]} of cluster-london" in said
    # Each stack in its turn: the first one can only wait for the second, which is the first that could prove N.
    assert "stack region1: N: timed out" in said
    assert "install 1\n" in said
    assert "preflight 1\n" in said
    found = json.loads((place / "my-camunda" / "status.json").read_text())
    assert found["next"]["dualregion"] == "dualregion install"
    for city, namespace in zip(("london", "paris"), NAMESPACES, strict=True):
        argv = [str(tools.kubectl), "--context", f"cluster-{city}", "get", "statefulsets"]
        listed = subprocess.run(
            [*argv, "-n", namespace, "-o", "name"],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "camunda-zeebe" in listed.stdout
    assert sys.prefix not in said
