"""An interrupted drill: points are read off the engine's events, each is hit once, and what was missed is named."""

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drill.errors import ClusterCallFailed, DrillError
from drill.observation.cluster import ClusterView
from drill.observation.events import Event, Moment
from drill.operators.interrupter import MOST_UPS, Interrupter
from drill.operators.points import (
    Interruption,
    Point,
    PointReader,
    Turn,
    already_there,
    every_point_was_hit,
    named_points,
    no_release_is_pending,
)
from drill.operators.stacks import OnEvent, Run, Stacks
from drill.procedure.camunda_8_5 import CAMUNDA_8_5
from drill.procedure.cluster_api import CLUSTER_API
from drill.procedure.model import Part, Procedure, Until
from drill.procedure.subjects import (
    DNS_RECORD,
    INSTALL,
    INSTALL_FAILOVER,
    REMOVAL_FAILOVER,
    REMOVAL_NAMESPACE,
    UPDATE,
)
from drill.progress import Progress
from drill.regions import REGIONS
from drill.settings import DrillSettings

LONDON, PARIS = REGIONS
PARTS = {Part.SURVIVOR: "region0", Part.RECREATED: "region1"}
NAMED = CAMUNDA_8_5.points
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"


def begun(operation: str, type_: str, name: str) -> Event:
    return Event(Moment.BEGUN, operation, type_, name)


def done(operation: str, type_: str, name: str) -> Event:
    return Event(Moment.DONE, operation, type_, name)


def failed(operation: str, type_: str, name: str) -> Event:
    return Event(Moment.FAILED, operation, type_, name)


def message(text: str) -> Event:
    return Event(Moment.MESSAGE, text=text)


def points_of(*events: Event) -> list[Point]:
    reader = PointReader()
    return [point for event in events if (point := reader.point_of(event))]


@pytest.mark.parametrize(
    ("event", "point"),
    [
        (message("B2: waiting until exporting is paused: 0 s; broker 1"), Point("gate B2", False)),
        (done("create", CONFIG_MAP, "B7"), Point("gate B7", True)),
        (done("create-replacement", CONFIG_MAP, "F1"), Point("gate F1", True)),
        (begun("create", CONFIG_MAP, "F1"), None),
        (done("delete", CONFIG_MAP, "F1"), None),
        (failed("create", CONFIG_MAP, "F1"), None),
        (message("N: waiting until the brokers are ready"), None),
        (done("create", CONFIG_MAP, "N"), None),
        (begun("create", RELEASE, "normal"), Point(INSTALL, False)),
        (done("create", RELEASE, "normal"), Point(INSTALL, True)),
        (begun("update", RELEASE, "normal"), Point(UPDATE, False)),
        (begun("refresh", RELEASE, "normal"), None),
        (done("same", RELEASE, "normal"), None),
        (failed("update", RELEASE, "normal"), None),
        (begun("delete", RELEASE, "failover"), Point(REMOVAL_FAILOVER, False)),
        (done("delete", RELEASE, "failover"), Point(REMOVAL_FAILOVER, True)),
        (begun("delete", NAMESPACE, "failover-namespace"), Point(REMOVAL_NAMESPACE, False)),
        (done("delete", NAMESPACE, "failover-namespace"), Point(REMOVAL_NAMESPACE, True)),
        (done("create", NAMESPACE, "failover-namespace"), None),
        (done("create", BINDING, "failover-namespace-x-peer"), Point("binding failover", True)),
        (done("delete", BINDING, "failover-namespace-x-peer"), None),
        (
            message("DNS: waiting until the Corefile is written"),
            Point(f"record {DNS_RECORD}", False),
        ),
        (done("create", CONFIG_MAP, DNS_RECORD), Point(f"record {DNS_RECORD}", True)),
        (message("rights: waiting, for something else"), None),
    ],
)
def test_one_event_means_one_point_or_none(event: Event, point: Point | None) -> None:
    assert points_of(event) == ([point] if point else [])


def test_rights_are_waited_for_in_the_work_of_the_binding_that_was_begun_last() -> None:
    made = begun("create", BINDING, "failover-namespace-x")
    assert points_of(made, message("rights: waiting")) == [Point("binding failover", False)]


@pytest.mark.parametrize(
    ("event", "there"),
    [
        (done("same", BINDING, "failover-namespace-x"), "binding failover"),
        (done("same", CONFIG_MAP, DNS_RECORD), f"record {DNS_RECORD}"),
        (done("same", CONFIG_MAP, "F1"), "gate F1"),
        (done("same", RELEASE, "normal"), "release normal"),
        (done("same", NAMESPACE, "normal-namespace"), None),
        (done("refresh", RELEASE, "normal"), None),
        (done("create", CONFIG_MAP, "F1"), None),
    ],
)
def test_what_a_run_finds_done_already(event: Event, there: str | None) -> None:
    assert already_there(event) == there


@pytest.mark.parametrize("procedure", [CAMUNDA_8_5, CLUSTER_API], ids=["8.5", "cluster API"])
def test_every_step_of_every_part_is_named(procedure: Procedure) -> None:
    proved = {
        (phase, part): steps
        for phase, parts in procedure.steps.items()
        for part, steps in parts.items()
        if part is not Part.LOST
    }
    for place, steps in proved.items():
        assert [each for each in procedure.points[place] if each.startswith("gate")] == [
            f"gate {step}" for step in steps
        ]
    assert set(procedure.points) == set(proved)


def test_by_cluster_api_no_release_is_worked_on_in_a_failover() -> None:
    settings = DrillSettings(until=Until.FAILOVER, interrupt=True, camunda="8.8")
    points = named_points(settings, PARTS)
    assert {point.resource.split()[0] for _, _, point in points} == {"gate"}
    assert len(points) == 2 * 4


def test_points_are_named_as_far_as_the_drill_goes() -> None:
    first = named()
    assert {(phase, stack) for phase, stack, _ in first} == {("failover", "region0")}
    assert len(first) == 2 * 7
    assert len(named(Until.RESTORED)) == 2 * (7 + 6 + 6 + 5 + 4)


def test_no_point_is_named_of_what_the_stacks_do_not_declare() -> None:
    def kinds(**how: Any) -> set[str]:
        settings = DrillSettings(interrupt=True, **how)
        return {point.resource.split()[0] for _, _, point in named_points(settings, PARTS)}

    always = {"gate", "release", "namespace"}
    assert kinds() == always | {"binding", "record"}
    assert kinds(adopt=True) == always | {"binding"}
    assert kinds(on=Path("clusters.yaml")) == always


# --- judging -------------------------------------------------------------------------------------------


def hit(number: int, subject: str, *, after: bool) -> Interruption:
    return Interruption(Point(subject, after), 10.0 * number, number)


def whole(turn: Turn, *subjects: str) -> Turn:
    """Let a turn be interrupted at both points of each piece of work."""
    for subject in subjects:
        for after in (False, True):
            turn.interruptions.append(hit(len(turn.interruptions) + 1, subject, after=after))
    return turn


def failover_turn() -> Turn:
    return whole(Turn(1, "failover", "region0"), *NAMED[Until.FAILOVER, Part.SURVIVOR])


def named(until: Until = Until.FAILOVER) -> list[tuple[str, str, Point]]:
    return named_points(DrillSettings(until=until, interrupt=True), PARTS)


def test_a_removal_that_a_killed_run_carried_out_all_the_same_leaves_nothing_to_kill() -> None:
    turn = Turn(1, "restored", "region0", [hit(1, REMOVAL_FAILOVER, after=False)])
    assert turn.not_reachable == []
    turn.there[2] = {"release normal"}
    assert turn.not_reachable == [Point(REMOVAL_FAILOVER, True)]


def test_every_point_hit_holds() -> None:
    check = every_point_was_hit([failover_turn()], named(), 1)
    assert (check.ok, check.detail) == (True, "14 interruptions")


def test_a_point_never_hit_fails() -> None:
    turn = failover_turn()
    turn.interruptions = [each for each in turn.interruptions if each.point.subject != "gate F3"]
    check = every_point_was_hit([turn], named(), 1)
    assert not check.ok
    assert "region0 in phase failover was never killed in the work of gate F3" in check.detail
    assert "never killed just after gate F3" in check.detail


def test_a_point_that_was_passed_for_good_is_not_reachable() -> None:
    """The run killed in the gate's work had recorded it: the next one finds it there."""
    turn = failover_turn()
    *_, work, _ = turn.interruptions
    turn.interruptions.pop()
    assert work.point == Point("gate F3", False)
    # Nothing proves that it was passed: it may only not have been recognised.
    assert not every_point_was_hit([turn], named(), 1).ok
    # It was there already in the run that was then killed in its work: that is another work.
    turn.there = {work.number: {"gate F3"}, work.number + 1: {"gate F2", "release normal"}}
    assert not every_point_was_hit([turn], named(), 1).ok
    turn.there[work.number + 1].add("gate F3")
    check = every_point_was_hit([turn], named(), 1)
    assert check.ok
    assert "just after gate F3 not reachable" in check.detail


def test_the_same_work_of_two_turns_is_interrupted_in_both() -> None:
    subjects = NAMED[Until.RESTORED, Part.RECREATED]
    wanted = [each for each in named(Until.RESTORED) if each[:2] == ("restored", "region1")]
    opened = whole(Turn(1, "restored", "region1"), "gate B5", UPDATE)
    # After both of its points the release is there, which says nothing of the next turn's update.
    opened.there = {5: {"release normal"}}
    awake = whole(Turn(1, "restored", "region1"), "gate B6", "gate B7")
    assert subjects.count(UPDATE) == 2
    check = every_point_was_hit([opened, awake], wanted, 1)
    assert not check.ok
    assert "in the work of the update of release normal" in check.detail
    assert every_point_was_hit([opened, whole(awake, UPDATE)], wanted, 1).ok


def test_an_earlier_incident_proves_nothing_of_a_later_one() -> None:
    check = every_point_was_hit([failover_turn()], named(), 2)
    assert not check.ok
    assert "nothing was interrupted" in check.detail


def test_a_release_left_in_the_middle_fails() -> None:
    assert no_release_is_pending({"camunda-london": set(), "camunda-paris": set()}).ok
    check = no_release_is_pending({"camunda-london": set(), "camunda-paris": {"1-2"}})
    assert (check.ok, check.detail) == (False, "a release in camunda-paris is still pending")


# --- killing -----------------------------------------------------------------------------------------------


class Cluster:
    """Helm's pending records."""

    def __init__(self) -> None:
        self.pending: set[str] = set()

    def pending_releases(self, namespace: str) -> set[str]:
        if namespace != LONDON.failover_namespace:
            raise ClusterCallFailed("no answer")
        return set(self.pending)


class Pulumi(Stacks):
    """Proves F1, installs the failover release and proves F2; what a killed run has done stays, and its lock."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.there: set[str] = set()
        self.is_locked = False
        self.fails_in = ""

    def cancel(self, stack: str) -> Run:
        assert self.is_locked
        self.is_locked = False
        return self._ended(0)

    def up(self, stack: str, message: str, on_event: OnEvent | None = None) -> Run:
        assert not self.is_locked
        assert on_event is not None
        killed = threading.Event()

        def is_killed(event: Event) -> bool:
            on_event(event, killed.set)
            return killed.is_set()

        works: tuple[tuple[str, str, Callable[[], Event]], ...] = (
            (CONFIG_MAP, "F1", lambda: Event(Moment.MESSAGE, text="F1: waiting")),
            (RELEASE, "failover", lambda: begun("create", RELEASE, "failover")),
            (CONFIG_MAP, "F2", lambda: Event(Moment.MESSAGE, text="F2: waiting")),
        )
        for type_, name, begin in works:
            if name in self.there:
                on_event(done("same", type_, name), killed.set)
                continue
            if name == self.fails_in:
                return self._ended(255)
            if is_killed(begin()) or (type_ == RELEASE and self._is_killed_in_helm(killed)):
                return self._killed()
            self.there.add(name)
            if is_killed(done("create", type_, name)):
                return self._killed()
        return self._ended(0)

    def _is_killed_in_helm(self, killed: threading.Event) -> bool:
        self.cluster.pending.add(f"record {len(self.cluster.pending)}")
        return killed.wait(0.5)

    def _killed(self) -> Run:
        self.is_locked = True
        return self._ended(-9)

    def _ended(self, status: int) -> Run:
        return Run(("up",), status, 1.0, "", self.folder)


def interrupter(folder: Path, fails_in: str = "") -> Interrupter:
    cluster = Cluster()
    pulumi = Pulumi(cluster, folder)
    pulumi.fails_in = fails_in
    progress = Progress(Console(file=StringIO()), folder / "drill.log")
    return Interrupter(pulumi, lambda _: cluster, progress, [])


def test_an_up_is_killed_at_each_point_and_run_again_until_it_goes_through(tmp_path: Path) -> None:
    made = interrupter(tmp_path)
    assert made.up(LONDON, "failover", 1, "region 1 is lost").exit_status == 0
    (turn,) = made.turns
    assert turn.points == [
        Point("gate F1", False),
        Point("gate F1", True),
        Point(INSTALL_FAILOVER, False),
        Point(INSTALL_FAILOVER, True),
        Point("gate F2", False),
        Point("gate F2", True),
    ]
    assert [each.number for each in turn.interruptions] == [1, 2, 3, 4, 5, 6]


def test_an_up_that_fails_by_itself_is_not_run_again(tmp_path: Path) -> None:
    made = interrupter(tmp_path, fails_in="F2")
    assert made.up(LONDON, "failover", 1, "region 1 is lost").exit_status == 255
    assert len(made.turns[0].points) == 4


def test_ups_that_never_go_through_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drill.operators.interrupter.MOST_UPS", 2)
    with pytest.raises(DrillError, match="2 attempts"):
        interrupter(tmp_path).up(LONDON, "failover", 1, "region 1 is lost")
    assert 2 * len(NAMED[Until.FAILBACK_PENDING, Part.SURVIVOR]) < MOST_UPS


def test_helms_pending_records_are_asked_by_their_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def call(self: ClusterView, method: str, path: str, body: object = None) -> object:
        asked.append(path)
        return {"items": [{"metadata": {"uid": "1-2"}}]}

    monkeypatch.setattr(ClusterView, "__init__", lambda self: None)
    monkeypatch.setattr(ClusterView, "call", call)
    assert ClusterView().pending_releases("camunda-paris") == {"1-2"}  # type: ignore[call-arg]
    assert asked == [
        "/api/v1/namespaces/camunda-paris/secrets?labelSelector="
        "owner%3Dhelm%2Cstatus%20in%20%28pending-install%2Cpending-upgrade%2Cuninstalling%29"
    ]
