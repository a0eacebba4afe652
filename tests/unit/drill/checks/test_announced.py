"""What the drill makes of the calls of its hooks, and its script itself."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.notify.events import Point
from drill.checks import announced
from drill.checks.announced import NOTIFY, POINTS, REROUTE, Announcement, hooks_were_called
from drill.procedure.model import Until
from drill.regions import GATEWAY_SERVICE, REGIONS, Region
from drill.settings import Incident
from dualregion.config.sections.notifications import AnnouncementSettings
from dualregion.procedure.model import Milestone

INCIDENT = Incident(1, REGIONS[1])


def place(region: Region) -> dict[str, Any]:
    return {
        "region": region.index,
        "name": region.city,
        "stack": region.stack,
        "gatewayAddress": f"{GATEWAY_SERVICE}.{region.namespace}.svc.cluster.local:26500",
    }


def told(hook: str, point: str, minute: int = 0, **other: Any) -> Announcement:
    to = {"traffic-to-survivor": REGIONS[:1], "traffic-to-both": REGIONS}.get(point)
    document = {
        "id": f"1-region1-lost/{point}",
        "point": point,
        "title": "what is the case",
        "incident": "1-region1-lost",
        "phase": "failover",
        "lostRegion": {**place(REGIONS[1]), "gatewayAddress": None}
        if point != "traffic-to-both"
        else place(REGIONS[1]),
        "survivor": place(REGIONS[0]),
        "trafficTo": [place(each) for each in to] if to else None,
        "who": announced.OPERATOR,
        "when": f"2026-01-02T03:{minute:02d}:00+00:00",
        "error": None,
    }
    return Announcement(hook, document | other)


def calls() -> list[Announcement]:
    return [
        told(hook, point, minute) for minute, (hook, point) in enumerate(POINTS[Until.RESTORED])
    ]


def stopped() -> Announcement:
    return told(NOTIFY, "stopped", 1, id="1-region1-lost/stopped/now", error="interrupted")


def test_all_points_in_their_order_are_well() -> None:
    assert hooks_were_called(calls(), INCIDENT, Until.RESTORED, stopped=False).ok
    assert hooks_were_called(calls()[:3], INCIDENT, Until.FAILOVER, stopped=False).ok
    first, *others = calls()
    with_stop = [first, stopped(), told(NOTIFY, "failover-begun", 1), *others]
    assert hooks_were_called(with_stop, INCIDENT, Until.RESTORED, stopped=True).ok
    assert not hooks_were_called(with_stop, INCIDENT, Until.RESTORED, stopped=False).ok
    assert not hooks_were_called(calls(), INCIDENT, Until.RESTORED, stopped=True).ok


def test_calls_of_another_incident_are_not_its_own() -> None:
    other = told(NOTIFY, "failover-begun", 0, incident="2-region0-lost")
    assert hooks_were_called([*calls(), other], INCIDENT, Until.RESTORED, stopped=False).ok
    assert not hooks_were_called([other], INCIDENT, Until.FAILOVER, stopped=False).ok


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"who": "another"}, "who is 'another'"),
        ({"id": "1-region1-lost/other"}, "has the id '1-region1-lost/other'"),
        ({"survivor": place(REGIONS[1])}, "survivor is"),
        ({"lostRegion": place(REGIONS[0])}, "lostRegion is"),
        ({"trafficTo": None}, "trafficTo is None"),
        ({"error": "trouble"}, "error is 'trouble'"),
        ({"title": ""}, "has no title"),
        ({"when": "2026-01-02T02:00:00+00:00"}, "moments are not in order"),
    ],
)
def test_a_document_that_tells_something_else_fails(change: dict[str, Any], problem: str) -> None:
    every = calls()
    every[1] = told(REROUTE, "traffic-to-survivor", 1, **change)
    check = hooks_were_called(every, INCIDENT, Until.RESTORED, stopped=False)
    assert not check.ok
    assert problem in check.detail


def test_a_point_left_out_swapped_or_told_by_the_other_hook_fails() -> None:
    every = calls()
    for wrong in (
        every[1:],
        [every[1], every[0], *every[2:]],
        [told(REROUTE, "failover-begun"), *every[1:]],
    ):
        assert not hooks_were_called(wrong, INCIDENT, Until.RESTORED, stopped=False).ok


def test_the_points_are_those_of_the_command() -> None:
    known = [point for _, point in POINTS[Until.RESTORED]]
    assert [Point(point).value for point in known] == known
    assert {*known, "failed", "stopped", "test"} == {point.value for point in Point}
    assert {*known} == set(Milestone)
    assert all(Point(point).hook == hook for hook, point in POINTS[Until.RESTORED])


def test_none_was_called() -> None:
    assert announced.none_was_called([]).ok
    assert not announced.none_was_called(calls()).ok


def test_the_script_notes_each_call(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    announced.install(project)
    config = announced.config()
    for hook, point in ((NOTIFY, "failover-begun"), (REROUTE, "traffic-to-both")):
        command = [config[f"hooks.{hook}.command[{index}]"] for index in (0, 1)]
        AnnouncementSettings.model_validate({hook: {"command": command}})
        document = json.dumps({"point": point, "title": "100% \\n 'quoted'"})
        subprocess.run(command, cwd=project, input=document, text=True, check=True)
    noted = announced.read(tmp_path / "announcements.jsonl")
    assert [(each.hook, each.point) for each in noted] == [
        (NOTIFY, "failover-begun"),
        (REROUTE, "traffic-to-both"),
    ]
    assert noted[0].document["title"] == "100% \\n 'quoted'"
    assert announced.read(tmp_path / "none.jsonl") == []
