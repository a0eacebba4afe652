"""Faults are made on the survivor, for a while, and taken away again whatever happens meanwhile."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drill.errors import ClusterCallFailed, DrillError
from drill.matrix.faults import MADE, Site, power
from drill.matrix.faults import site as sites
from drill.procedure.versions import VERSIONS
from drill.regions import REGIONS
from drill.settings import Incident
from drill.testbed.context import DrillContext
from sandbox.regions import Sandbox

LONDON, PARIS = REGIONS
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class View:
    """A region with two brokers, a gateway and an engine; what is refused first is done at a later try."""

    def __init__(self, refusals: int = 0) -> None:
        self.done: list[tuple[Any, ...]] = []
        self._refusals = refusals

    def broker_pods(self, _: object) -> list[dict[str, Any]]:
        return [{"metadata": {"name": f"camunda-zeebe-{each}"}, **READY} for each in (0, 1)]

    def pods(self, _: str, selector: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": selector.rpartition("=")[2]}, **READY}]

    def refuse(self, times: int) -> None:
        self._refusals = times

    def _do(self, *what: Any) -> None:
        if self._refusals:
            self._refusals -= 1
            raise ClusterCallFailed("connection refused")
        self.done.append(what)

    def set_faults(self, namespace: str, pod: str, found: dict[str, Any]) -> None:
        self._do(namespace, pod, found)

    def kill_pod(self, namespace: str, pod: str) -> None:
        self._do(namespace, pod)

    def ask_engine(self, *what: Any) -> None:
        self._do(*what)


class Meanwhile(threading.Event):
    """What is waited on while a fault lasts: in that time something is done."""

    def __init__(self, done: Callable[[], None]) -> None:
        super().__init__()
        self._done = done

    def wait(self, timeout: float | None = None) -> bool:
        self._done()
        return True


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(power, "_PATIENCE_SECONDS", 0.0)


def site(view: View, tmp_path: Path = Path(), version: str = "8.5") -> Site:
    settings = SimpleNamespace(version=VERSIONS[version])
    stacks = SimpleNamespace(backend=tmp_path / "state")
    paths = SimpleNamespace(backup=tmp_path / "backup")
    ctx = SimpleNamespace(
        view=lambda _: view,
        settings=settings,
        stacks=stacks,
        paths=paths,
        clusters=object(),
        read_audit=lambda _: None,
    )
    return Site(cast(DrillContext, ctx), Incident(1, PARIS), random.Random(3))


def make(name: str, found: Site, kill: Callable[[], None] = lambda: None) -> None:
    over = threading.Event()
    over.set()
    MADE[name](found)(over, kill)


@pytest.mark.parametrize(
    ("name", "pod"),
    [
        ("gateway-restarted", "zeebe-gateway"),
        ("engine-restarted", "elasticsearch"),
        ("broker-killed", "camunda-zeebe-"),
    ],
)
def test_a_pod_of_the_survivor_is_killed(name: str, pod: str) -> None:
    view = View()
    make(name, site(view))
    ((namespace, killed),) = view.done
    assert (namespace, killed.startswith(pod)) == (LONDON.namespace, True)


def test_from_8_8_on_a_broker_is_the_gateway() -> None:
    view = View()
    make("gateway-restarted", site(view, version="8.8"))
    assert view.done[0][1].startswith("camunda-zeebe-")


def test_from_8_9_on_the_engine_is_no_part_of_the_chart() -> None:
    view = View()
    make("engine-restarted", site(view, version="8.9"))
    assert view.done[0][1] == VERSIONS["8.9"].own_engine.selector.rpartition("=")[2]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["gateway-stale", "management-hangs", "exporter-stuck"])
def test_what_a_pod_does_wrong_on_purpose_is_taken_back(name: str) -> None:
    view = View()
    make(name, site(view))
    (_, pod, wrong), (_, same, right) = view.done
    assert (pod, right) == (same, {})
    assert wrong


def test_a_pod_that_starts_is_waited_for() -> None:
    view = View(refusals=3)
    make("management-hangs", site(view))
    assert len(view.done) == 2


def test_a_pod_that_never_starts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "_STARTING_SECONDS", 0.0)
    with pytest.raises(ClusterCallFailed):
        make("broker-killed", site(View(refusals=10**6)))


def test_both_exporters_are_stuck() -> None:
    view = View()
    make("exporter-stuck", site(view, version="8.8"))
    assert view.done[0][2] == {"stuckExporter": {"camundaregion0": True, "camundaregion1": True}}


def test_the_engine_is_read_only_and_again_as_it_was() -> None:
    view = View()
    make("engine-read-only", site(view))
    assert [what[-1] for what in view.done] == [
        {"index.blocks.read_only_allow_delete": True},
        {"index.blocks.read_only_allow_delete": None},
    ]


def test_the_repository_is_closed_to_its_user_and_open_again(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir(mode=0o755)
    modes: list[int] = []
    over = Meanwhile(lambda: modes.append(folder.stat().st_mode & 0o777))
    MADE["repository-unreachable"](site(View(), tmp_path))(over, lambda: None)
    assert (modes, folder.stat().st_mode & 0o777) == ([0], 0o755)


def test_the_backend_is_away_and_back_with_what_it_held(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "kept").write_text("x")

    def meanwhile() -> None:
        assert not folder.exists()
        (folder / "made meanwhile").mkdir(parents=True)

    over = Meanwhile(meanwhile)
    MADE["backend-unreachable"](site(View(), tmp_path))(over, lambda: None)
    assert [each.name for each in folder.iterdir()] == ["kept"]


def test_the_engine_of_pulumi_is_killed() -> None:
    killed: list[int] = []
    make("engine-killed", site(View()), lambda: killed.append(1))
    assert killed == [1]


def test_a_disk_stays_full_whatever_restarts_meanwhile() -> None:
    view, refusals = View(), cycle((1, 0))

    class Seconds(threading.Event):
        """Time passes; in every second one the broker does not answer."""

        def wait(self, timeout: float | None = None) -> bool:
            view.refuse(next(refusals))
            return False

    MADE["disk-full"](site(view))(Seconds(), lambda: None)
    *full, last = [what[-1] for what in view.done]
    assert len({what[1] for what in view.done}) == 1
    assert (set(map(str, full)), last) == ({"{'diskFull': True}"}, {})
    assert len(full) > 3


@dataclass
class Regions(Sandbox):
    """A sandbox of which nothing is there but a record of what was done to it."""

    done: list[tuple[Any, ...]] = field(default_factory=list)

    def power_cycle(self, region: int) -> None:
        self.done.append(("power", region))

    def lose(self, region: int) -> float:
        self.done.append(("lost", region))
        return 0.0

    def restore_link(self) -> None:
        self.done.append(("link",))


@pytest.mark.parametrize(
    ("name", "done"),
    [("survivor-power", ("power", LONDON.index)), ("zombie-each-step", ("link",))],
)
def test_a_region_as_a_whole_goes_wrong(name: str, done: tuple[Any, ...]) -> None:
    found, regions = site(View()), Regions()
    found.ctx.clusters = regions
    make(name, found)
    assert regions.done == [done]


@pytest.mark.parametrize("hangs", [False, True])
def test_an_up_that_hangs_by_a_lost_region_is_killed(hangs: bool) -> None:
    found, regions, killed = site(View()), Regions(), list[int]()
    found.ctx.clusters = regions
    over = threading.Event() if hangs else Meanwhile(lambda: None)
    MADE["recreated-lost-midway"](found)(over, lambda: killed.append(1))
    assert (regions.done, killed) == ([("lost", PARIS.index)], [1] if hangs else [])


@pytest.mark.parametrize(
    "name", ["link-lossy", "api-server-frozen", "broker-slow", "survivor-power", "zombie-each-step"]
)
def test_on_clusters_of_others_nothing_is_broken(name: str) -> None:
    with pytest.raises(DrillError):
        make(name, site(View()))


def test_a_seed_draws_the_same_pod() -> None:
    assert len({site(View()).broker() for _ in range(5)}) == 1
