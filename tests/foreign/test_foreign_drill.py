"""A drill on two clusters that are there already (`make foreign`): the checkout's sandbox belongs to others here.

Whole drills: too long for `make test`.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.regions import REGIONS
from drill.settings import (
    BACKUP_LOCATION,
    CHECKOUT,
    SECRET_DATA,
    SECRET_NAME,
    Paths,
    backup_values,
)
from sandbox.regions import ROOT
from sandbox.versions import OLDEST, shape_of
from tests.drill.runs import whole_drill

pytestmark = [pytest.mark.drill]

_SANDBOX = (sys.executable, "-m", "sandbox")


def sandbox(*arguments: str) -> None:
    subprocess.run([*_SANDBOX, *arguments], cwd=CHECKOUT, check=True)


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Two clusters, and what a settings file says of them."""
    backup = tmp_path / "backup"
    backup.mkdir()
    # The search engines have a user of their own.
    backup.chmod(0o777)
    (tmp_path / "backup.yaml").write_text(yaml.safe_dump(backup_values(backup)))
    shape = shape_of(OLDEST)
    sandbox("up")
    try:
        yield {
            "kubeconfig": str(ROOT / "kubeconfig"),
            "contexts": [each.context for each in REGIONS],
            "podCidrs": [[each.pod_cidr] for each in REGIONS],
            "program": {
                "chart": {"name": str(shape.chart)},
                "values": [*map(str, (Paths().reference_values, *shape.values)), "backup.yaml"],
                "backup": {"type": "fs", "settings": {"location": BACKUP_LOCATION}},
                "elasticsearchSecret": {"name": SECRET_NAME, "data": SECRET_DATA},
            },
        }
    finally:
        sandbox("down")


def rehearse(folder: Path, settings: dict[str, Any]) -> None:
    """Run a whole drill there, which must pass."""
    path = folder / "staging.yaml"
    path.write_text(yaml.safe_dump(settings))
    whole_drill("--on", str(path))


def test_a_region_is_lost_by_killing_its_pods_and_cutting_it_off(
    tmp_path: Path, clusters: dict[str, Any]
) -> None:
    rehearse(tmp_path, clusters)


def test_a_region_is_lost_and_recreated_by_commands_of_ones_own(
    tmp_path: Path, clusters: dict[str, Any]
) -> None:
    commands = {
        "loseCommand": [*_SANDBOX, "lose", "1"],
        "recreateCommand": [*_SANDBOX, "recreate", "1"],
    }
    rehearse(tmp_path, {**clusters, **commands})
