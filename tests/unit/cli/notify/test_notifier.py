"""At which points the user's own hooks are called, with what, and what a failing one does.

The stacks are played, and so are the hooks; how hooks are called is test_transport.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.commands import plan
from cli.driver.driver import Driver
from cli.driver.previews import Preview
from cli.errors import HookFailed, PulumiFailed, Stopped
from cli.notify.notifier import Notifier
from cli.stacks.read import Both, RegionStack
from cli.stacks.region_steps import RegionStep
from dualregion.config.sections.notifications import AnnouncementSettings, HookSettings
from dualregion.errors import DualRegionError, Refused
from dualregion.procedure import Phase
from messages import Message, code_of
from messages.command import driving as messages
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.raising import assert_message, raises
from tests.unit.cli.driver.test_driver import WAY, Played

HOOKS = {"notify": {"command": ["page"]}, "trafficReroute": {"command": ["reroute"]}}
POINTS = [
    "failover-begun",
    "traffic-to-survivor",
    "failover-complete",
    "failback-begun",
    "exporters-pausing",
    "exporters-resumed",
    "traffic-to-both",
    "failback-complete",
]
FAILURE = messages.hook_exit_status(1, "")
"""Why a played hook fails."""
GATEWAY = "camunda-zeebe-gateway.camunda-london.svc.cluster.local:26500"


@dataclass
class Hooked(Played):
    """Played stacks with hooks, which fail at the points that `failing` names.

    :ivar errors: what an `up` ends with, by its number; once.
    """

    hooks: Mapping[str, Any] = field(default_factory=lambda: HOOKS)
    failing: tuple[str, ...] = ()
    documents: list[dict[str, Any]] = field(default_factory=list)
    ups_before: dict[str, int] = field(default_factory=dict)
    errors: dict[int, DualRegionError] = field(default_factory=dict)

    def _stack(self, region: int) -> RegionStack:
        made = super()._stack(region)
        hooks = AnnouncementSettings.model_validate(self.hooks)
        outputs = {**made.state.outputs, "gatewayAddress": GATEWAY}
        return replace(
            made,
            settings=made.settings.model_copy(update={"hooks": hooks}),
            state=replace(made.state, outputs=outputs),
        )

    def up(self, stack: str, steps: Sequence[RegionStep], *, spare: bool = False) -> None:
        error = self.errors.pop(len(self.ups), None)
        if error is not None:
            raise error
        super().up(stack, steps, spare=spare)

    def driver(self, until: str | None = None) -> Driver:
        """Return a command of its own, which remembers nothing."""
        return Driver(self, until, Notifier(self._call, self.shown.append, "ada@desk"))

    def way(self) -> None:
        """Run the commands that are next, up to the end."""
        if len(self.ups) < 2:
            self.driver().failover(1)
        self.driver().failback()

    def _call(self, hook: HookSettings, document: Mapping[str, Any]) -> Message | None:
        self.documents.append(dict(document))
        self.ups_before.setdefault(document["point"], len(self.ups))
        traffic = document["point"].startswith("traffic")
        assert str(hook) == ("command reroute" if traffic else "command page")
        return FAILURE if document["point"] in self.failing else None

    @property
    def points(self) -> list[str]:
        return [each["point"] for each in self.documents]


def test_each_point_is_notified_once_between_the_right_ups() -> None:
    played = Hooked()
    played.way()
    assert played.points == POINTS
    assert played.ups == WAY
    following = {point: WAY[ups : ups + 1] for point, ups in played.ups_before.items()}
    assert following == {
        "failover-begun": ["region0: F0 F1 F2 F3"],
        "traffic-to-survivor": ["region1: R"],
        "failover-complete": ["region0: B0"],
        "failback-begun": ["region0: B0"],
        "exporters-pausing": ["region0: B2 B3 B4"],
        "exporters-resumed": ["region1: B6 B7"],
        "traffic-to-both": ["region0: N"],
        "failback-complete": [],
    }


def test_a_document_holds_what_where_who_and_when() -> None:
    played = Hooked()
    played.way()
    found = {each["point"]: each for each in played.documents}
    first = found["failover-begun"]
    assert first.pop("when").endswith("+00:00")
    assert first == {
        "id": "1-region1-lost/failover-begun",
        "point": "failover-begun",
        "title": "a region is lost, and the failover begins",
        "incident": "1-region1-lost",
        "phase": "failover",
        "lostRegion": _region(1),
        "survivor": _region(0),
        "trafficTo": None,
        "who": "ada@desk",
        "error": None,
        "code": None,
    }
    assert found["traffic-to-survivor"]["trafficTo"] == [_region(0)]
    assert found["traffic-to-both"]["trafficTo"] == [_region(0), _region(1)]
    assert {each["incident"] for each in played.documents} == {"1-region1-lost"}
    assert [each["id"] for each in played.documents] == [
        f"1-region1-lost/{each}" for each in POINTS
    ]


def _region(number: int) -> dict[str, Any]:
    return {
        "region": number,
        "name": ("london", "paris")[number],
        "stack": f"region{number}",
        "gatewayAddress": GATEWAY,
    }


@pytest.mark.parametrize("number", range(len(WAY)))
def test_interrupted_anywhere_nothing_is_left_out_and_what_is_repeated_has_its_id(
    number: int,
) -> None:
    played = Hooked(stop_at=number)
    with pytest.raises(Stopped):
        played.way()
    assert played.points[-1] == "stopped"
    played.way()
    reached = [each for each in played.documents if each["point"] != "stopped"]
    assert list(dict.fromkeys(each["point"] for each in reached)) == POINTS
    assert len({each["id"] for each in reached}) == len(POINTS)
    assert played.points.count("stopped") == 1


def test_a_command_killed_before_it_could_notify_is_made_up_for_by_the_next_one() -> None:
    played = Hooked()
    Driver(played, "F3").failover(1)
    assert played.points == []
    played.driver().failover(1)
    assert played.points == ["traffic-to-survivor", "failover-complete"]


def test_a_failing_hook_is_reported_and_all_continues() -> None:
    played = Hooked(failing=tuple(POINTS))
    played.way()
    assert played.ups == WAY
    failures = [each for each in played.shown if code_of(each) == "hook-failed"]
    for point, failure in zip(POINTS, failures, strict=True):
        assert_message(failure, "hook-failed", point=point, reason=FAILURE)


@pytest.mark.parametrize("point", POINTS)
def test_a_failing_hook_that_is_required_stops_there_and_is_called_again(point: str) -> None:
    required = {key: each | {"required": True} for key, each in HOOKS.items()}
    played = Hooked(hooks=required, failing=(point,))
    code = "last-hook-failed" if point == "failback-complete" else "required-hook-failed"
    with raises(code, HookFailed, point=point, reason=FAILURE):
        played.way()
    assert len(played.ups) == played.ups_before[point]
    assert played.points.count("failed") == point.startswith("traffic")
    if point == "failback-complete":
        return
    played.failing = ()
    if point == "failover-complete":
        played.driver().failover(1)
    played.way()
    assert played.ups == WAY
    assert played.points.count(point) >= 2


def test_a_failure_is_notified_with_its_error_and_each_is_an_event_of_its_own() -> None:
    failed = messages.up_failed("region0", "F1: waited 900 s")
    played = Hooked(errors={0: PulumiFailed(failed)})
    with raises("up-failed", PulumiFailed):
        played.way()
    last = played.documents[-1]
    assert (last["point"], last["error"], last["code"]) == ("failed", failed, "up-failed")
    assert last["id"] == f"1-region1-lost/failed/{last['when']}"


def test_of_a_second_operator_who_is_refused_no_hook_is_called() -> None:
    played = Hooked(errors={0: Refused(messages.stack_locked("region0", ("ada",)))})
    with raises("stack-locked", Refused):
        played.way()
    assert played.points == ["failover-begun"]


def test_a_refusal_in_the_middle_is_notified_as_a_failure() -> None:
    question = messages.question_not_answered("begin?", "--yes")
    played = Hooked(errors={1: Refused(question)})
    with raises("question-not-answered", Refused):
        played.way()
    assert played.points == ["failover-begun", "traffic-to-survivor", "failed"]


@pytest.mark.parametrize(
    "hooked", [Hooked(no="ask-to-begin"), Hooked(refusal="that region is not lost")]
)
def test_of_what_ends_before_it_begins_no_hook_is_called(hooked: Hooked) -> None:
    with pytest.raises((Stopped, Refused)):
        hooked.way()
    assert hooked.documents == []


def test_without_hooks_none_is_called() -> None:
    played = Hooked(hooks={})
    played.way()
    assert (played.documents, played.ups) == ([], WAY)


def test_a_plan_shows_who_would_be_called_and_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    for region in (0, 1):
        pulumi.stack(f"region{region}", region, hooks=HOOKS)
    monkeypatch.setattr(plan, "preview", lambda _, stack, *__: Preview(stack))
    run = ["-C", str(tmp_path), "plan", "failover", "--lost", "1"]
    document = json.loads(CliRunner().invoke(app, [*run, "--json"]).output)
    assert [
        (each["step"], hook["when"], hook["hook"], hook["point"])
        for each in document["steps"]
        for hook in each["hooks"]
    ] == [
        ("F1", "before", "notify", "failover-begun"),
        ("F3", "after", "trafficReroute", "traffic-to-survivor"),
        ("R", "after", "notify", "failover-complete"),
    ]
    shown = CliRunner().invoke(app, run).output
    assert "before it hook notify: failover-begun, command page" in shown
    assert "after it hook trafficReroute: traffic-to-survivor, command reroute" in shown


def test_a_plan_of_a_failback_shows_each_point_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = AnnouncementSettings.model_validate(HOOKS)
    first, second = (
        replace(each, settings=each.settings.model_copy(update={"hooks": hooks}))
        for each in world.failing_over(["F0", "F1", "F2", "F3"], "failover")
    )
    phases = (Phase.FAILBACK_PENDING, Phase.RESTORED, Phase.NORMAL)
    steps = list(plan._steps((first, second), 1, phases))
    points = [hook["point"] for each in steps for hook in each["hooks"]]
    assert points == POINTS[3:]


@pytest.mark.parametrize(("options", "calls"), [([], True), (["--no-hooks"], False)])
def test_the_command_calls_hooks_unless_that_is_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], calls: bool
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi_command.install(tmp_path, monkeypatch)
    given: list[Driver] = []

    def failback(driver: Driver) -> Both:
        given.append(driver)
        return driver.operations.stacks()

    monkeypatch.setattr(Driver, "failback", failback)
    result = CliRunner().invoke(app, ["-C", str(tmp_path), "failback", *options])
    assert result.exit_code == 0, result.output
    assert (given[0].notifier.call is not None) is calls
