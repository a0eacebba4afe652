"""Both regions by the cluster API: each version's shape, and either of them lost in turn; nothing waits for long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steps.cluster_api import failback, failover
from tests.fakes.cluster_regions import ApiWorld, api_world

SHAPES = [("8.6", 1), ("8.6", 0), ("8.8", 1), ("8.9", 0)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must stay so for a while need not here; tests of that say otherwise."""
    monkeypatch.setattr(failover, "STEADY_SECONDS", 0.0)
    monkeypatch.setattr(failback, "STILL_SECONDS", 0.0)


@pytest.fixture(params=SHAPES, ids=[f"{version}, region {lost} lost" for version, lost in SHAPES])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiWorld]:
    """Both regions at work."""
    version, lost = request.param
    with api_world(lost, version, tmp_path) as made:
        yield made


@pytest.fixture(params=[1, 0], ids=["region 1 lost", "region 0 lost"])
def newest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiWorld]:
    """Both regions at work, where a pause is a change, and outsiders are ready."""
    with api_world(request.param, "8.10", tmp_path) as made:
        yield made
