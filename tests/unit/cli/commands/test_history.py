"""The recovery record, put together out of what both stacks' states keep."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.report.record import incidents_of, namespace_of
from cli.stacks.read import Both, State
from dualregion.state.progress import Stack
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.unit.cli.stacks.test_stacks import GATE, resource


def record(
    step: str, minute: int, incident: str = "1-region1-lost", **evidence: str
) -> dict[str, str]:
    """Return what a gate records: 30 seconds from that minute on."""
    return {
        "step": step,
        "incident": incident,
        "start": f"2026-01-02T03:{minute:02}:00.000+00:00",
        "end": f"2026-01-02T03:{minute:02}:30.000+00:00",
        "seconds": "30.0",
        "evidence": json.dumps(evidence),
    }


def holding(stacks: Both, **records: dict[str, dict[str, dict[str, str]]]) -> Both:
    """Return the stacks with histories: `here` and `there`."""
    here, there = stacks
    return (
        replace(here, state=replace(here.state, held=Stack(history=records.get("here", {})))),
        replace(there, state=replace(there.state, held=Stack(history=records.get("there", {})))),
    )


def test_incidents_are_put_together_from_both_stacks_and_in_order() -> None:
    stacks = holding(
        world.normal(),
        here={
            "2-region0-lost": {"B1": record("B1", 40, "2-region0-lost")},
            "1-region1-lost": {"F2": record("F2", 2), "F1": record("F1", 1)},
        },
        there={"1-region1-lost": {"B1": record("B1", 9)}},
    )
    first, second = incidents_of(stacks)
    assert [each.name for each in (first, second)] == ["1-region1-lost", "2-region0-lost"]
    assert [(each.step, each.stack) for each in first.entries] == [
        ("F1", "region0"),
        ("F2", "region0"),
        ("B1", "region1"),
    ]
    assert first.entries[0].seconds == 30
    assert first.paused is None


def test_a_gate_is_newer_than_the_outputs() -> None:
    here, there = holding(world.normal(), here={"1-region1-lost": {"F1": record("F1", 1)}})
    here = replace(here, state=State(here.state.held, records={"F2": record("F2", 2)}))
    (incident,) = incidents_of((here, there))
    assert [each.step for each in incident.entries] == ["F1", "F2"]


def test_a_gate_whose_hook_was_interrupted_is_no_entry() -> None:
    unfinished = {"step": "F1", "incident": "1-region1-lost", "title": "x"}
    stacks = holding(world.normal(), here={"1-region1-lost": {"F1": unfinished}})
    assert incidents_of(stacks)[0].entries == ()


def test_the_paused_window_is_known_by_b2_and_b5() -> None:
    b2 = record("B2", 20, pausedAt="2026-01-02T03:20:10+00:00")
    b5 = record("B5", 30, resumedAt="2026-01-02T03:30:20+00:00")
    paused = incidents_of(holding(world.normal(), here={"1-region1-lost": {"B2": b2}}))[0].paused
    assert paused is not None
    assert paused[1] is None
    stacks = holding(world.normal(), here={"1-region1-lost": {"B2": b2, "B5": b5}})
    whole = incidents_of(stacks)[0].paused
    assert whole is not None
    assert whole[1] is not None
    assert (whole[1] - whole[0]).total_seconds() == 610


def test_the_command_shows_incidents_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    run = {
        "kind": "update",
        "startTime": "2026-01-02T03:00:00.000Z",
        "message": "incident 4711",
        "environment": {},
        "config": {},
        "result": "succeeded",
    }
    pulumi.answers("stack history", [run], "region0")
    brokers = "0 zeebe-0.zeebe.camunda-london.svc, 2 zeebe-1.zeebe.camunda-london.svc"
    seen = {"policies": "both", "brokers": brokers}
    pulumi.holds("region0", {"resources": [resource(GATE, "F1", data=record("F1", 1, **seen))]})
    arguments = ["-C", str(tmp_path), "history"]
    shown = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"}).output
    for text in ("Incident 1-region1-lost", "F1", "2026-01-02 03:01:00", "policies: both", "4711"):
        assert text in shown
    assert "brokers 0 in camunda-london, 2 in camunda-london" in shown
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    (step,) = found["incidents"][0]["steps"]
    assert (step["step"], step["seconds"], step["evidence"]) == ("F1", 30.0, seen)
    assert found["updates"]["region0"][0]["start"] == "2026-01-02T03:00:00+00:00"


def test_at_a_terminal_long_evidence_is_cut_and_in_a_pipe_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    templates = ", ".join(f"template-{each}" for each in range(60))
    gate = resource(GATE, "B3", data=record("B3", 1, templates=templates))
    pulumi.holds("region0", {"resources": [gate]})
    arguments = ["-C", str(tmp_path), "history"]
    assert "template-59" in CliRunner().invoke(app, arguments).output
    shown = CliRunner().invoke(app, arguments, env={"FORCE_COLOR": "1", "COLUMNS": "120"}).output
    assert "template-9" in shown
    assert "template-59" not in shown
    assert "(all of it: --json)" in shown


def test_without_any_incident_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi_command.install(tmp_path, monkeypatch)
    result = CliRunner().invoke(app, ["-C", str(tmp_path), "history"])
    assert (result.exit_code, "no incident so far" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("host", "namespace"),
    [
        ("camunda-zeebe-0.camunda-zeebe.camunda-london.svc", "camunda-london"),
        ("camunda-zeebe-0.camunda-zeebe.camunda-london.svc.cluster.local", "camunda-london"),
        (
            "camunda-zeebe-0.eu-west-2.zeebe.example.com",
            "camunda-zeebe-0.eu-west-2.zeebe.example.com",
        ),
        ("10.0.0.1", "10.0.0.1"),
        ("", ""),
    ],
)
def test_an_advertised_address_is_a_namespaces_only_if_the_chart_gave_it(
    host: str, namespace: str
) -> None:
    assert namespace_of(host) == namespace
