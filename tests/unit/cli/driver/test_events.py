"""What the engine's events become, and the settings of a preview that touches no file of the user's."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.automation import EngineEvent

from cli.driver import previews
from cli.driver.events import EventCollector, Line
from cli.driver.previews import preview
from cli.stacks.project import Project
from dualregion.procedure import STEP_IDS, Phase
from tests.fakes import pulumi_command
from tests.raising import assert_message


def reported(message: str, severity: str = "info") -> EngineEvent:
    return EngineEvent.from_json(
        {"diagnosticEvent": {"message": message, "color": "never", "severity": severity}}
    )


def made(operation: str, name: str = "failover") -> EngineEvent:
    metadata = {
        "op": operation,
        "urn": f"urn:pulumi:s::p::kubernetes:helm.sh/v3:Release::{name}",
        "type": "kubernetes:helm.sh/v3:Release",
        "provider": "",
    }
    return EngineEvent.from_json({"resOutputsEvent": {"metadata": metadata}})


def stack_outputs(outputs: dict[str, Any] | None) -> EngineEvent:
    metadata = {
        "op": "same",
        "urn": "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s",
        "type": "pulumi:pulumi:Stack",
        "provider": "",
        "new": None if outputs is None else {"type": "", "urn": "", "outputs": outputs},
    }
    return EngineEvent.from_json({"resOutputsEvent": {"metadata": metadata}})


def test_the_stacks_outputs_are_kept() -> None:
    collector = EventCollector()
    assert collector.outputs == {}
    collector(stack_outputs(None))
    collector(stack_outputs({"phase": "failover"}))
    assert (collector.outputs, collector.changes) == ({"phase": "failover"}, [])


def test_progress_lines_name_their_step() -> None:
    lines: list[Line] = []
    collector = EventCollector(on_line=lines.append)
    collector(
        reported(
            "<{%reset%}>F2: waiting until 2 failover brokers in x are ready: 12 s; 1 of 2 ready<{%reset%}>"
        )
    )
    collector(reported("restarting camunda-zeebe-0"))
    collector(reported("noise", "debug"))
    collector(reported("using pulumi-resource-kubernetes from $PATH at x", "warning"))
    assert lines == [
        Line("F2", "waiting until 2 failover brokers in x are ready: 12 s; 1 of 2 ready"),
        Line("", "restarting camunda-zeebe-0"),
    ]


@pytest.mark.parametrize("step", sorted(STEP_IDS))
def test_a_line_of_any_step_names_it(step: str) -> None:
    assert Line.of(f"{step}: the gateway answers: 0 s") == Line(step, "the gateway answers: 0 s")


@pytest.mark.parametrize(
    "empty",
    ["Resource is always ready", "Resource is current", "Resource scheduled for deletion"],
)
def test_what_the_provider_reports_of_nothing_in_particular_is_left_out(empty: str) -> None:
    lines: list[Line] = []
    collector = EventCollector(on_line=lines.append)
    collector(reported(f"<{{%reset%}}>{empty}<{{%reset%}}>\n"))
    assert (lines, collector.lines) == ([], [])
    more = f"{empty}: finalizers might be preventing deletion (x)"
    collector(reported(more, "warning"))
    assert [each.text for each in lines] == [more]


def test_a_refusal_is_the_programs_own_message_once() -> None:
    collector = EventCollector()
    for _ in range(2):
        collector(reported("nothing was changed:\nthat region is not lost", "error"))
    collector(reported("preview failed", "error"))
    collector(
        reported("an unhandled error occurred: program exited with non-zero exit code: 1", "error")
    )
    assert collector.refusal == "nothing was changed:\nthat region is not lost"


def test_a_refusal_with_a_code_is_a_message() -> None:
    collector = EventCollector()
    collector(reported("nothing was changed:\nthat region is up [lost-region-alive]", "error"))
    assert_message(collector.refusal, "lost-region-alive")


def test_a_gate_that_fails_speaks_for_itself() -> None:
    collector = EventCollector()
    collector(reported('before hook "prove-F1" failed: F1: waited 900 s until x', "error"))
    assert collector.refusal == "F1: waited 900 s until x"


def test_changes_are_reported_and_what_stays_is_not() -> None:
    collector = EventCollector()
    for operation in ("same", "refresh", "create", "delete"):
        collector(made(operation))
    assert [str(each) for each in collector.changes] == [
        "create Release failover",
        "delete Release failover",
    ]


@pytest.mark.parametrize("name", ["region0", "organization/camunda-dual-region/region0"])
def test_a_preview_reads_a_copy_of_the_stacks_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi_command.install(tmp_path, monkeypatch)
    own = tmp_path / "Pulumi.region0.yaml"
    own.write_text("encryptionsalt: s\nconfig:\n  camunda-dual-region:region: 0\n")
    before = own.read_bytes()
    seen = []

    def run(_: Project, stack: str, settings: Path, collector: EventCollector) -> None:
        seen.append((stack, yaml.safe_load(settings.read_text()), settings))
        collector(made("create"))
        collector(stack_outputs({"waitingFor": "region london has to take over"}))

    monkeypatch.setattr(previews, "_run", run)
    found = preview(Project(tmp_path), name, Phase.FAILOVER, 1)
    ((stack, document, path),) = seen
    assert (stack, path.name) == (name, own.name)
    assert document == {
        "encryptionsalt": "s",
        "config": {
            "camunda-dual-region:region": 0,
            "camunda-dual-region:phase": "failover",
            "camunda-dual-region:lostRegion": 1,
        },
    }
    assert not path.exists()
    assert own.read_bytes() == before
    assert found.waiting_for == "region london has to take over"
    assert [str(each) for each in found.changes] == ["create Release failover"]
