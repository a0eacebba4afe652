"""Faults are made on the survivor, for a while, and taken away again whatever happens meanwhile."""

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drill.errors import ClusterCallFailed, DrillError
from drill.matrix.faults import MADE, Site, engine, power
from drill.matrix.faults import site as sites
from drill.observation.access import USERS
from drill.observation.cluster import Led
from drill.operators.stacks import Stacks
from drill.procedure.model import Part
from drill.procedure.versions import VERSIONS
from drill.regions import REGIONS, Region
from drill.settings import Incident
from drill.testbed.context import DrillContext
from sandbox.errors import SandboxError
from sandbox.regions import Delayed, Sandbox

LONDON, PARIS = REGIONS
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


class View:
    """A region with two brokers, a gateway and an engine; what is refused first is done at a later try."""

    def __init__(self, refusals: int = 0) -> None:
        self.done: list[tuple[Any, ...]] = []
        self._refusals = refusals

    def broker_pods(self, _: object) -> list[dict[str, Any]]:
        return [{"metadata": {"name": f"camunda-zeebe-{each}"}, **READY} for each in (0, 1)]

    def pods(self, _: str, selector: str = "") -> list[dict[str, Any]]:
        if not selector:
            return [*self.broker_pods(_), *self.pods(_, "app=elasticsearch")]
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

    def __init__(self, done: Callable[[], None], again: int = 0) -> None:
        super().__init__()
        self._done, self._again = done, again

    def wait(self, timeout: float | None = None) -> bool:
        self._done()
        self._again -= 1
        return self._again < 0


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


def test_the_backend_cannot_be_reached_and_is_back_with_what_it_held(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "kept").write_text("x")

    def meanwhile() -> None:
        with pytest.raises(OSError, match="kept"):
            (folder / "kept").read_text()
        with pytest.raises(OSError, match="made"):
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
    refuses: int | None = None

    def delay(self, region: int, what: Delayed, milliseconds: int) -> None:
        self.done.append((region, what, milliseconds))
        if region == self.refuses and milliseconds:
            raise SandboxError("no device")

    def hold_names(self, region: int, names: Mapping[str, str]) -> None:
        self.done.append((region, dict(names)))

    def power_cycle(self, region: int) -> None:
        self.done.append(("power", region))

    def restart(self, region: int, process: str) -> None:
        self.done.append((region, process))

    def freeze(self, region: int, process: str, *, frozen: bool) -> None:
        self.done.append((region, process, frozen))

    def slow(self, region: int, namespace: str, pod: str, cores: float | None) -> None:
        self.done.append((region, namespace, pod, cores))

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


def test_the_older_state_is_that_of_before_the_up_which_is_killed_as_it_ends(
    tmp_path: Path,
) -> None:
    stacks = fake_stacks(tmp_path)
    found = with_state(stacks, "camunda-london")
    killed: list[str] = []

    def ends() -> None:
        assert not killed
        end(stacks, 19, "camunda-london")

    over = Meanwhile(ends, again=1)
    MADE["state-older"](found)(over, lambda: killed.append(stacks.state("region0").read_text()))
    assert killed == ["now"]
    assert stacks.state("region0").read_text() == state_with("camunda-london")
    assert [each.name for each in stacks.state("region0").parent.iterdir()] == ["region0.json"]


def test_a_state_of_which_a_namespace_is_gone_is_brought_up_by_the_administrator_once(
    tmp_path: Path,
) -> None:
    stacks = fake_stacks(tmp_path)
    found = with_state(stacks, "camunda-london", "camunda-london-failover")
    own, administrator = tmp_path / "own", tmp_path / "administrator"
    own.write_text("own")
    administrator.write_text("administrator")
    found.ctx.access = cast(Any, SimpleNamespace(kubeconfig=lambda _: own))
    found.ctx.clusters = cast(Any, SimpleNamespace(kubeconfig=administrator))
    seen: list[str] = []

    def ends() -> None:
        seen.append(own.read_text())
        end(stacks, 19 + len(seen), "camunda-london")

    MADE["state-older"](found)(Meanwhile(ends, again=2), lambda: None)
    assert (seen, own.read_text()) == (["own", "administrator"], "own")


def with_state(stacks: Stacks, *namespaces: str) -> Site:
    """Return a region whose stack's state of before has these namespaces."""
    found = site(View())
    found.ctx.stacks = cast(Any, stacks)
    stacks.former_state("region0").write_text(state_with(*namespaces))
    return found


def state_with(*namespaces: str) -> str:
    named = [{"metadata": {"name": each}} for each in namespaces]
    resources = [{"type": "kubernetes:core/v1:Namespace", "outputs": each} for each in named]
    return json.dumps({"checkpoint": {"latest": {"resources": [{"type": "else"}, *resources]}}})


def end(stacks: Stacks, number: int, *namespaces: str) -> None:
    """Let an `up` end, with these namespaces in its state."""
    ended = stacks.former_state("region0")
    ended.with_name(f"region0-{number}.checkpoint.json").write_text(state_with(*namespaces))


def test_an_up_that_does_not_end_is_told(tmp_path: Path) -> None:
    found = site(View())
    found.ctx.stacks = cast(Any, fake_stacks(tmp_path))
    with pytest.raises(DrillError):
        make("state-older", found)


def fake_stacks(backend: Path) -> Stacks:
    """Return stacks whose backend has a state, and those that two ups have left."""
    stacks = Stacks(
        Path("pulumi"), backend, {"PULUMI_BACKEND_URL": f"file://{backend}"}, backend, print
    )
    for name, text in (
        ("stacks/p/region0.json", "now"),
        ("history/p/region0/region0-17.checkpoint.json", "long ago"),
        ("history/p/region0/region0-18.checkpoint.json", "before"),
        ("history/p/region0/region0-18.history.json", "else"),
    ):
        path = backend / ".pulumi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return stacks


class Helm(View):
    """A region in which Helm works on a release at the third look."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self._namespace, self._looks = namespace, 0

    def pending_releases(self, namespace: str) -> set[str]:
        self._looks += namespace == self._namespace
        return {"uid"} if self._looks > 2 else set()


@pytest.mark.parametrize("namespace", [LONDON.namespace, LONDON.failover_namespace])
def test_the_up_is_killed_as_soon_as_helm_works(namespace: str) -> None:
    killed: list[int] = []
    MADE["helm-pending"](site(Helm(namespace)))(threading.Event(), lambda: killed.append(1))
    assert killed == [1]


def test_a_drill_in_which_helm_never_works_is_told() -> None:
    with pytest.raises(DrillError):
        make("helm-pending", site(Helm("elsewhere")))


def test_a_recreated_region_has_a_stack_of_its_own() -> None:
    found = site(View())
    assert found.acting_region is found.survivor is LONDON
    found.part = Part.RECREATED
    assert (found.acting_region, found.survivor) == (PARIS, LONDON)


def shard(repository: Path, number: int, *files: str) -> Path:
    folder = repository / "incident" / "indices" / f"index{number}" / "0"
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()
    return folder


def modes(repository: Path) -> dict[str, int]:
    found = repository.glob("**/indices/*/0")
    return {each.parent.name: each.stat().st_mode & 0o777 for each in found}


def test_a_shard_that_is_not_written_yet_is_closed_and_open_again(tmp_path: Path) -> None:
    repository = tmp_path / "backup"
    shard(repository, 1, "snap-before.dat")
    seen: list[dict[str, int]] = []

    class Writing(threading.Event):
        """Lets the search engine write its next shard while it is waited."""

        def wait(self, timeout: float | None = None) -> bool:
            if timeout != engine._LOOK_SECONDS:
                seen.append(modes(repository))
                return True
            if (tmp_path / "one").exists():
                shard(repository, 3, "__data")
            else:
                shard(repository, 2, "snap-now.dat")
                (tmp_path / "one").touch()
            return False

    MADE["snapshot-partial"](site(View(), tmp_path))(Writing(), lambda: None)
    assert seen == [{"index1": 0o755, "index2": 0o755, "index3": 0}]
    assert set(modes(repository).values()) == {0o755}


def test_a_shard_of_a_snapshot_that_has_ended_is_closed_and_open_again(tmp_path: Path) -> None:
    repository = tmp_path / "backup"
    for number in (1, 2):
        shard(repository, number, "snap-before.dat")
    (repository / "incident" / "snap-before.dat").touch()
    seen: list[list[int]] = []

    class Ending(threading.Event):
        """Lets the snapshot end while it is waited."""

        def wait(self, timeout: float | None = None) -> bool:
            if timeout == engine._LOOK_SECONDS:
                (repository / "incident" / "snap-now.dat").touch()
                return False
            seen.append(sorted(modes(repository).values()))
            return True

    MADE["restore-shards-failed"](site(View(), tmp_path))(Ending(), lambda: None)
    assert seen == [[0, 0o755]]
    assert set(modes(repository).values()) == {0o755}


@pytest.mark.parametrize("name", ["snapshot-partial", "restore-shards-failed"])
def test_a_snapshot_that_does_not_come_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DrillError):
        make(name, site(View(), tmp_path))


class Flows(View):
    """A region that has objects, and notes as whom a request lasts."""

    def call(self, *what: Any) -> None:
        self._do(*what)

    @contextmanager
    def unfinished(self, user: str) -> Iterator[None]:
        self.done.append(("lasts", user))
        yield
        self.done.append(("ends", user))


def test_the_stacks_are_throttled_and_nothing_is_left_of_it() -> None:
    view = Flows()
    make("api-server-throttles", site(view))
    what = [(each[0], each[1].rpartition("/")[2]) for each in view.done]
    assert what == [
        ("POST", "prioritylevelconfigurations"),
        ("POST", "flowschemas"),
        ("lasts", "system:serviceaccount:camunda-access:own-stack"),
        ("ends", "system:serviceaccount:camunda-access:own-stack"),
        ("DELETE", "drill-throttled"),
        ("DELETE", "drill-throttled"),
    ]
    subjects = view.done[1][2]["spec"]["rules"][0]["subjects"]
    assert {each["user"]["name"] for each in subjects} == set(USERS)


def sandboxed(view: View, regions: Regions) -> Site:
    found = site(view)
    found.ctx.clusters = regions
    return found


def test_half_of_a_round_trip_is_added_each_way() -> None:
    regions = Regions()
    make("link-slow", sandboxed(View(), regions))
    assert regions.done == [
        (0, Delayed.LINK, 50),
        (1, Delayed.LINK, 50),
        (1, Delayed.LINK, 0),
        (0, Delayed.LINK, 0),
    ]


def test_what_could_be_delayed_in_one_region_only_is_not_left_so() -> None:
    regions = Regions(refuses=1)
    with pytest.raises(SandboxError):
        make("link-slow", sandboxed(View(), regions))
    assert regions.done[-2:] == [(1, Delayed.LINK, 0), (0, Delayed.LINK, 0)]


@pytest.mark.parametrize(("which", "region"), [("", LONDON), ("recreated-", PARIS)])
def test_one_regions_api_server_alone_goes_wrong(which: str, region: Region) -> None:
    at, server = region.index, "kube-apiserver"
    wanted: dict[str, list[tuple[Any, ...]]] = {
        "slow": [(at, Delayed.API_SERVER, 2000), (at, Delayed.API_SERVER, 0)],
        "frozen": [(at, server, True), (at, server, False)],
        "flapping": [(at, server, True), (at, server, False)],
        "restarted": [(at, server)],
    }
    for fault, done in wanted.items():
        regions = Regions()
        make(f"{which}api-server-{fault}", sandboxed(View(), regions))
        assert regions.done == done, fault


def test_the_recreated_regions_api_server_throttles() -> None:
    asked: list[Region] = []

    def view(region: Region) -> Flows:
        asked.append(region)
        return Flows()

    found = site(View())
    cast(Any, found.ctx).view = view
    make("recreated-api-server-throttles", found)
    assert asked == [PARIS]


@pytest.mark.parametrize(
    ("name", "pod", "cores"),
    [("broker-slow", "camunda-zeebe-", 0.05), ("engine-slow", "elasticsearch", 0.1)],
)
def test_a_pod_is_slow_for_a_while(name: str, pod: str, cores: float) -> None:
    regions = Regions()
    make(name, sandboxed(View(), regions))
    (where, namespace, slow, given), after = regions.done
    assert (where, namespace, slow.startswith(pod), given) == (0, LONDON.namespace, True, cores)
    assert after == (0, LONDON.namespace, slow, None)


def test_a_slow_pod_that_is_gone_is_given_nothing_back() -> None:
    regions, view = Regions(), View()
    over = Meanwhile(lambda: setattr(view, "pods", lambda _: []))
    MADE["engine-slow"](sandboxed(view, regions))(over, lambda: None)
    assert len(regions.done) == 1


class Leading(View):
    """Each of two brokers leads a partition, and follows in the other; broker 2 follows in both."""

    namespaces: Sequence[str] = ()

    def topology(self, _: str) -> dict[str, Any]:
        roles = {0: ("leader", "follower"), 1: ("follower", "leader"), 2: ("follower", "follower")}
        return {
            "brokers": [
                {
                    "nodeId": broker,
                    "partitions": [
                        {"partitionId": number, "role": role} for number, role in enumerate(held, 1)
                    ],
                }
                for broker, held in roles.items()
            ]
        }

    def led(self, namespaces: Sequence[str]) -> Iterator[Led]:
        self.namespaces = namespaces
        return (Led(namespaces[0], f"camunda-zeebe-{each}", each + 1) for each in (0, 1))

    def give_leadership(self, led: Led, broker: int) -> None:
        self._do(led.partition, broker)


def test_every_leader_of_the_survivor_gives_its_partition_to_one_that_follows() -> None:
    view = Leading()
    make("leaders-change", site(view))
    assert view.namespaces == [LONDON.namespace, LONDON.failover_namespace]
    first, second = view.done
    assert first in {(1, 1), (1, 2)}
    assert second in {(2, 0), (2, 2)}


def test_leaders_change_several_times_while_the_up_lasts() -> None:
    view = Leading()
    MADE["leaders-change"](site(view))(Meanwhile(lambda: None, again=9), lambda: None)
    assert len(view.done) == 6


def test_a_leader_that_cannot_give_its_partition_is_passed_over() -> None:
    view = Leading(refusals=1)
    make("leaders-change", site(view))
    assert [partition for partition, _ in view.done] == [2]


def test_that_no_leader_has_changed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "_STARTING_SECONDS", 0.0)
    with pytest.raises(DrillError, match="no broker of london"):
        make("leaders-change", site(Leading(refusals=10**6)))


class Moving(View):
    """A region whose brokers have names and addresses."""

    def broker_pods(self, where: object) -> list[dict[str, Any]]:
        return [
            {
                "metadata": {**pod["metadata"], "namespace": LONDON.namespace},
                "spec": {"hostname": pod["metadata"]["name"], "subdomain": "brokers"},
                "status": {**pod["status"], "podIP": f"10.180.0.{number}"},
            }
            for number, pod in enumerate(super().broker_pods(where), start=7)
        ]


def test_dns_holds_the_addresses_that_brokers_had_while_one_gets_another() -> None:
    regions, view = Regions(), Moving()
    over = Meanwhile(lambda: None, again=1)
    MADE["dns-stale"](sandboxed(view, regions))(over, lambda: None)
    zone = f"brokers.{LONDON.namespace}.svc.cluster.local"
    held = {f"camunda-zeebe-{each}.{zone}": f"10.180.0.{7 + each}" for each in (0, 1)}
    assert regions.done == [(0, held), (0, {})]
    ((namespace, _),) = view.done
    assert namespace == LONDON.namespace


def test_a_seed_draws_the_same_pod() -> None:
    assert len({site(View()).broker() for _ in range(5)}) == 1
