"""Metrics: a real parser reads them, what is unknown has no value, and rules, dashboard and document name no others."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from promql_parser import Matcher, VectorSelector, parse
from typer.testing import CliRunner

from cli.__main__ import app
from cli.checks import figures
from cli.commands import preflight
from cli.commands.status import answering as command
from cli.estimate import Held
from cli.metrics import families
from cli.metrics.families import COMMON, Metric
from cli.metrics.found import of_status
from cli.stacks.locks import Lock
from cli.stacks.read import Update
from cli.status.health import Status, judge
from dualregion.errors import ConfigError
from messages.command import driving as messages
from tests.checkout import CHECKOUT
from tests.fakes import command as world
from tests.unit.cli.commands.test_preflight import context

METRICS = {
    each.full_name: each
    for each in (*families.OF_RUNS, *families.OF_STATUS, *families.OF_PREFLIGHT)
}
MONITORING = CHECKOUT / "docs" / "prepare" / "monitoring"
RULES = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())

Labels = frozenset[tuple[str, str]]


def runs(monkeypatch: pytest.MonkeyPatch, status: Status, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(command, "look", lambda *_, **__: status)
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    monkeypatch.setattr(preflight, "_context", lambda *_: context())
    monkeypatch.setattr(preflight, "of_region", lambda *_, **__: iter(()))
    monkeypatch.setattr(figures, "_held", lambda *_: Held(12_300_000_000, 1_200_000))
    result = CliRunner().invoke(app, ["-C", str(CHECKOUT), *arguments])
    return result.exit_code, result.stdout


def parsed(text: str) -> dict[str, dict[Labels, float]]:
    """Return every value by metric and labels, as Prometheus' own parser reads the text."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation == METRICS[family.name].text
        for sample in family.samples:
            common = {each: sample.labels.pop(each) for each in COMMON}
            assert common == {"project": CHECKOUT.name, "stacks": "region0,region1"}
            assert set(sample.labels) == set(METRICS[family.name].labels)
            labels = frozenset(sample.labels.items())
            values = found.setdefault(family.name, {})
            assert labels not in values, "a collector refuses a value that is there twice"
            values[labels] = sample.value
    return found


def at(found: dict[str, dict[Labels, float]], name: str, **labels: str) -> float | None:
    return found.get(f"dualregion_{name}", {}).get(frozenset(labels.items()))


def whole() -> Status:
    """Return a healthy status of which all is known."""
    now = datetime.now(UTC)
    first, second = (
        replace(each, last=Update("update", "failed", "", now, now), locks=())
        for each in world.normal()
    )
    return judge((replace(first, locks=(Lock("ada", "desk", 1, now),)), second), world.whole())


def test_a_status_as_a_real_parser_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    exit_status, text = runs(monkeypatch, whole(), "status", "--prometheus", "-")
    found = parsed(text)
    lacking = {each.full_name for each in (*families.OF_RUNS, *families.OF_STATUS)} - set(found)
    assert lacking <= {"dualregion_findings"}
    assert at(found, "run_exit_status", command="status") == exit_status
    assert at(found, "phase", phase="normal") == 1
    assert at(found, "phase", phase="failover") == 0
    assert at(found, "region_answers", region="paris") == 1
    assert at(found, "partition_has_leader", partition="4") == 1
    assert at(found, "partition_exporting", partition="4") == 1
    assert at(found, "partition_lag_positions", partition="1") == 0
    assert at(found, "brokers_seen") == 4
    assert at(found, "stack_locked", stack="region0") == 1
    assert at(found, "stack_locked", stack="region1") == 0
    assert at(found, "stack_last_update_failed", stack="region1") == 1


def test_what_is_unknown_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = judge(world.normal(), (world.unreachable(0), world.unreachable(1)))
    found = parsed(runs(monkeypatch, silent, "status", "--prometheus", "-")[1])
    assert at(found, "health", health="cannot tell") == 1
    assert at(found, "health", health="healthy") == 0
    assert at(found, "region_answers", region="london") == 0
    assert at(found, "findings", health="cannot tell", code="both-regions-unreachable") == 1
    for each in ("brokers_seen", "partition_has_leader", "partition_exporting", "pods_ready"):
        assert f"dualregion_{each}" not in found
    for each in ("partition_lag_positions", "stack_locked", "stack_last_update_failed"):
        assert f"dualregion_{each}" not in found


def test_a_lost_region_and_paused_exporters(monkeypatch: pytest.MonkeyPatch) -> None:
    status = judge(world.failing_back(["B0"], ["B1"]), world.returned("PAUSED"))
    found = parsed(runs(monkeypatch, status, "status", "--prometheus", "-")[1])
    assert at(found, "region_lost", region="paris") == 1
    assert at(found, "region_lost", region="london") == 0
    assert at(found, "partition_exporting", partition="1") == 0


def test_a_preflight_as_a_real_parser_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    exit_status, text = runs(monkeypatch, whole(), "preflight", "--prometheus", "-")
    found = parsed(text)
    assert set(found) == {each.full_name for each in (*families.OF_RUNS, *families.OF_PREFLIGHT)}
    assert at(found, "run_exit_status", command="preflight") == exit_status == 1
    assert at(found, "to_copy_bytes") == 12_300_000_000
    assert at(found, "to_copy_documents") == 1_200_000
    assert (at(found, "recovery_estimate_seconds", what="failback") or 0) > 615
    isolation = {"procedure": "failover", "check": "check-isolation", "of": "paris"}
    assert at(found, "preflight_check", **isolation, outcome="failed") == 1
    assert at(found, "preflight_check", **isolation, outcome="ok") == 0
    assert (at(found, "preflight_checks", procedure="failover", outcome="failed") or 0) >= 2


def test_a_file_is_written_beside_the_usual_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "status.prom"
    file.write_text("old")
    # The short form tells no times, which would differ.
    run = ("status", "--short")
    seen = runs(monkeypatch, whole(), *run, "--prometheus", str(file))
    assert seen == runs(monkeypatch, whole(), *run)
    assert at(parsed(file.read_text()), "phase", phase="normal") == 1
    assert list(tmp_path.iterdir()) == [file]


def test_a_run_that_fails_does_not_leave_old_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: Any, **__: Any) -> Status:
        raise ConfigError([messages.two_stacks_needed("x")])

    file = tmp_path / "status.prom"
    runs(monkeypatch, whole(), "status", "--prometheus", str(file))
    monkeypatch.setattr("cli.stacks.project.Project", world.Unread)
    monkeypatch.setattr(command, "look", fails)
    done = CliRunner().invoke(app, ["-C", str(CHECKOUT), "status", "--prometheus", str(file)])
    found = parsed(file.read_text())
    assert done.exit_code == 13
    assert at(found, "run_exit_status", command="status") == 13
    assert at(found, "health", health="cannot tell") == 1
    assert "dualregion_phase" not in found


def test_a_file_that_cannot_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "status.prom"
    monkeypatch.setattr(command, "look", lambda *_, **__: whole())
    done = CliRunner().invoke(app, ["-C", str(CHECKOUT), "status", "--prometheus", str(nowhere)])
    assert done.exit_code == 13
    assert "[metrics-not-written]" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--json", "--prometheus", "-"),
        ("preflight", "--json", "--prometheus", "-"),
        ("status", "--watch", "--prometheus", "x.prom"),
    ],
)
def test_two_outputs_in_one_place_are_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    assert runs(monkeypatch, whole(), *arguments)[0] == 2


# --- Rules, dashboard, document ----------------------------------------------------------------------------------


def expressions() -> Iterator[str]:
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def selectors(node: Any) -> Iterator[VectorSelector]:
    """Yield what an expression selects, wherever it stands in it."""
    if isinstance(node, VectorSelector):
        yield node
        return
    parts = [getattr(node, each, None) for each in ("expr", "lhs", "rhs", "vector_selector", "arg")]
    for each in (*parts, *(getattr(node, "args", None) or ())):
        if each is not None:
            yield from selectors(each)


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_is_promql_about_metrics_and_labels_that_there_are(expression: str) -> None:
    found = list(selectors(parse(expression)))
    named = re.findall(r"\bdualregion_\w+", expression)
    assert named
    assert sorted(each.name or "" for each in found) == sorted(named)
    for each in found:
        metric = METRICS[each.name or ""]
        matchers: list[Matcher] = each.matchers.matchers
        assert {one.name for one in matchers} <= {*COMMON, *metric.labels}
        for one in matchers:
            assert_known(one.name, one.value)


def assert_known(label: str, value: str) -> None:
    """Demand that a label's value is a word of the program's; a variable of the dashboard is any."""
    words = {
        "health": set(cli_words("health")),
        "phase": set(cli_words("phase")),
        "outcome": {"ok", "failed", "unknown"},
        "command": {"status", "preflight"},
        "what": {"failover-commands", "failover", "failback-paused", "failback"},
    }
    assert value.startswith("$") or value in words[label]


def cli_words(label: str) -> Iterator[str]:
    sample: dict[str, Metric] = {"health": families.HEALTH, "phase": families.PHASE}
    status = judge(world.normal(), world.whole())
    return (each.labels[0] for each in of_status(status) if each.metric is sample[label])


def test_an_expression_about_no_metric_would_be_found() -> None:
    with pytest.raises(KeyError):
        test_an_expression_is_promql_about_metrics_and_labels_that_there_are("dualregion_gone == 1")


def test_rules_have_what_alertmanager_needs() -> None:
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        for page in re.findall(r"docs/[\w/.-]+\.md", rule["annotations"]["description"]):
            assert (CHECKOUT / page).is_file()


def test_labels_in_a_rules_sentence_are_those_of_its_expression() -> None:
    for rule in (rule for group in RULES["groups"] for rule in group["rules"]):
        known = {*COMMON}
        for each in selectors(parse(rule["expr"])):
            known |= set(METRICS[each.name or ""].labels)
        used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        assert used <= known


def test_the_document_has_every_metric_with_its_labels() -> None:
    text = (CHECKOUT / "docs" / "reference" / "metrics.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `dualregion_")]
    expected = [
        f"| `{each.full_name}` | {''.join(f'`{label}`, ' for label in each.labels)[:-2]} | {each.text} |"
        for each in METRICS.values()
    ]
    assert rows == [row.replace("|  |", "| |") for row in expected]
