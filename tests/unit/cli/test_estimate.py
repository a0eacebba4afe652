"""How long a recovery would take: what each step grows with, and where the figures of the last one come from."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from cli.checks import figures
from cli.checks.past import of_file, of_stacks
from cli.commands import preflight
from cli.commands.history import document as history_document
from cli.estimate import BYTES_PER_SECOND, RESTART_SECONDS, TURN_SECONDS, Held, Past, estimate
from cli.report.record import incidents_of
from cli.status.observed.observe import RegionStatuses
from dualregion.errors import DualRegionError
from messages.words import duration
from tests.checkout import CHECKOUT
from tests.fakes import command as world
from tests.raising import any_message, assert_message, raises
from tests.unit.cli.commands.test_history import holding, record
from tests.unit.cli.commands.test_preflight import context

HELD = Held(8_000_000_000, 1_000_000)
WHOLE = ("F1", "F2", "F3", "B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7")
PAST = Past("a rehearsal", dict.fromkeys(WHOLE, 30.0), 8, 1_000_000)


def test_by_reference_the_copy_takes_what_the_bytes_take() -> None:
    small, large = (estimate(8, Held(size, 1), None) for size in (0, BYTES_PER_SECOND * 100))
    assert small.failback is not None
    assert small.paused is not None
    assert large.failback == pytest.approx(small.failback + 200)
    assert large.paused == pytest.approx(small.paused + 200)
    assert (large.commands, large.failover) == (small.commands, small.failover)


def test_what_is_to_be_copied_and_unknown_leaves_a_failback_unknown() -> None:
    found = estimate(8, None, PAST)
    assert (found.failback, found.paused) == (None, None)
    assert found.failover > found.commands > 0


def test_by_reference_brokers_are_restarted_one_after_the_other() -> None:
    four, eight = (estimate(size, HELD, None) for size in (4, 8))
    assert (four.restarts, eight.restarts) == (4, 8)
    assert four.paused is not None
    assert eight.paused == pytest.approx(four.paused + 4 * RESTART_SECONDS)


def test_a_recovery_like_the_last_one_takes_as_long() -> None:
    found = estimate(8, HELD, PAST)
    # F0 is not recorded before 0.1.0, and R never: by reference.
    assert found.commands == pytest.approx(2 + 2 * 30 + TURN_SECONDS)
    assert found.paused == pytest.approx(4 * 30 + 4 * TURN_SECONDS)
    assert found.failback == pytest.approx(8 * 30 + 10 + 8 * TURN_SECONDS)


@pytest.mark.parametrize(
    ("size", "documents", "more"),
    [
        pytest.param(8, 2_000_000, 30, id="twice the documents"),
        pytest.param(8, 10, 0, id="fewer documents"),
        pytest.param(16, 1_000_000, 30, id="twice the brokers"),
    ],
)
def test_it_grows_with_what_there_is_now(size: int, documents: int, more: int) -> None:
    then, now = estimate(8, HELD, PAST), estimate(size, replace(HELD, documents=documents), PAST)
    assert then.paused is not None
    assert now.paused == pytest.approx(then.paused + more)


def test_without_the_documents_of_then_the_copy_is_by_reference() -> None:
    found = estimate(8, HELD, replace(PAST, documents=None))
    assert found.paused == pytest.approx(3 * 30 + 30 + 2 * 8e9 / 4e7 + 4 * TURN_SECONDS)


# --- The last recovery --------------------------------------------------------------------------------------------


def recovered(*steps: str) -> Any:
    """Return stacks with the record of an incident; each step took 30 seconds."""
    counted = {"B3": {"documents": "1000000 in 45 indices, the same in both regions"}}
    addresses = ", ".join(f"{each} host{each}" for each in range(8))
    seen = {"B7": {"brokers": addresses}}
    told = counted | seen
    records = {
        step: record(step, minute, **told.get(step, {})) for minute, step in enumerate(steps)
    }
    return holding(world.normal(), here={"1-region1-lost": records}, there={})


def test_the_last_incident_that_was_carried_to_its_end_counts() -> None:
    found = of_stacks(recovered(*WHOLE))
    assert found is not None
    assert found.seconds == dict.fromkeys(WHOLE, 30.0)
    assert (found.documents, found.name) == (1_000_000, "incident 1-region1-lost of 2026-01-02")
    assert of_stacks(recovered("F1", "F2", "F3", "B0")) is None
    assert of_stacks(world.normal()) is None


def test_the_history_of_other_stacks_counts_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    printed = history_document(incidents_of(recovered(*WHOLE)), {})
    file.write_text(json.dumps(printed))
    found = of_file(file)
    assert (found.seconds, found.cluster_size) == (dict.fromkeys(WHOLE, 30.0), 8)
    assert found.documents == 1_000_000


def test_a_drills_report_counts_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    steps = [{"id": "B4", "seconds": 20.0}, {"id": "B4", "seconds": 10.0}]
    phases = [
        {"incident": 0, "steps": [{"id": "N", "seconds": 500.0}]},
        {"incident": 1, "steps": [{"id": "B7", "seconds": 500.0}]},
        {"incident": 2, "steps": [*steps, {"id": "B7", "seconds": 5.0}]},
    ]
    file.write_text(json.dumps({"clusterSize": 4, "phases": phases}))
    found = of_file(file)
    assert (found.seconds, found.cluster_size) == ({"B4": 30.0, "B7": 5.0}, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "past-not-read"),
        ("{", "past-not-understood"),
        ("[]", "past-not-understood"),
        ("[" * 100_000, "past-not-understood"),
        ('{"phases": ' + "[" * 100_000, "past-not-understood"),
        ("1" * 5000, "past-not-understood"),
        ("\ufeff{", "past-not-understood"),
        ('{"health": "healthy"}', "past-not-understood"),
        ('{"phases": [{"incident": "x"}]}', "past-not-understood"),
        ('{"incidents": [], "updates": {}}', "past-incomplete"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str | None, code: str) -> None:
    file = tmp_path / "file.json"
    if text is not None:
        file.write_text(text)
    with raises(code, path=str(file)):
        of_file(file)


# --- Shown by preflight -------------------------------------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Held | None) -> None:
    """Let the search engines of both regions answer this; None: they do not."""

    def held(_: Any, region: int) -> Held:
        found = answers[region]
        if found is None:
            raise DualRegionError(any_message("silent"))
        return found

    monkeypatch.setattr(figures, "_held", held)


LARGER = Held(9_000_000_000, 1_000_001)


@pytest.mark.parametrize(
    ("answers", "regions", "expected"),
    [
        ((HELD, LARGER), world.whole(), LARGER),
        ((None, HELD), world.whole(), HELD),
        ((HELD, LARGER), (world.whole()[0], world.unreachable(1)), HELD),
    ],
)
def test_the_engine_that_holds_more_counts(
    monkeypatch: pytest.MonkeyPatch,
    answers: tuple[Held | None, ...],
    regions: RegionStatuses,
    expected: Held,
) -> None:
    answering(monkeypatch, *answers)
    assert figures.look(context(region_statuses=regions), None).held.value == expected


def test_engines_that_do_not_answer_leave_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, None, None)
    found = figures.look(context(), None)
    assert [each.code for each in found.sentences()] == [
        "estimate-of-failover",
        "failback-not-estimated",
        "estimated-by-reference",
    ]
    unreachable = (world.unreachable(0), world.unreachable(1))
    silent = figures.look(context(region_statuses=unreachable), None)
    assert_message(silent.held.error, "not-in-time")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    answering(monkeypatch, HELD, HELD)
    project = SimpleNamespace(folder=CHECKOUT, name="x")
    monkeypatch.setattr("cli.stacks.project.Project", lambda _: project)
    monkeypatch.setattr(preflight, "_context", lambda *_: context())
    monkeypatch.setattr(preflight, "of_region", lambda *_, **__: iter(()))
    return lambda *options: CliRunner().invoke(app, ["preflight", *options]).stdout


def test_preflight_shows_it(shown: Any, tmp_path: Path) -> None:
    text = shown()
    assert "a failover would take about " in text
    assert "8.0 GB in 1000000 documents to copy, 4 brokers to restart" in text
    assert "by reference figures" in text
    file = tmp_path / "history.json"
    file.write_text(json.dumps(history_document(incidents_of(recovered(*WHOLE)), {})))
    assert "estimated by incident 1-region1-lost in that file" in shown("--drill", str(file))


def test_preflight_tells_it_to_programs(shown: Any) -> None:
    found = json.loads(shown("--json"))["estimate"]
    assert found["failover"]["seconds"] > found["failover"]["commandsSeconds"] > 0
    assert found["failback"]["seconds"] > found["failback"]["pausedSeconds"] > 0
    assert (found["bytes"], found["documents"], found["restarts"]) == (8_000_000_000, 1_000_000, 4)
    assert (found["basedOn"], found["silence"], found["code"]) == (None, None, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((4, "10 s"), (84, "80 s"), (95, "2 min"), (1800, "30 min")),
        *((3600, "1 h"), (3720, "1 h 2 min")),
    ],
)
def test_how_long_is_told_in_units_that_suit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_document_has_the_figures_that_are_used() -> None:
    text = (CHECKOUT / "docs" / "reference" / "preflight.md").read_text()
    assert f"{RESTART_SECONDS:.0f} s for each broker" in text
    assert f"at {BYTES_PER_SECOND / 1e6:.0f} MB/s" in text
    assert f"For each turn come {TURN_SECONDS:.0f} s on top" in text
    row = dict(re.findall(r"^\| (.+?) \| .* \| (.+?) \|$", text, re.MULTILINE))
    reference = estimate(4, Held(0, 0), None)
    assert row["F0, F1, F2"] == "2 s, 20 s, 60 s"
    assert reference.commands == 2 + 20 + 60 + TURN_SECONDS
    assert reference.failover == 2 + 20 + 60 + 2 * 10 + 30 + 2 * TURN_SECONDS
