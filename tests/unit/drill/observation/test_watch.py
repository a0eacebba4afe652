"""What the drill takes down while it runs: samples of exporting, and what pulumi's output tells."""

import json
from pathlib import Path
from typing import Any

import pytest

from drill.errors import ClusterCallFailed
from drill.observation.cluster import ClusterView
from drill.observation.measure import ExportSample
from drill.observation.watch import ExportWatch
from drill.observation.web_apps import WebApps

Json = dict[str, Any]


class View(ClusterView):
    """A cluster with one broker in each namespace, which is silent where no phase is given."""

    def __init__(self, phases: dict[str, str], ready: int = 1, documents: int | None = 7) -> None:
        self._phases = phases
        self._ready = ready
        self._documents = documents

    def document_count(self, namespace: str) -> int:
        if self._documents is None:
            raise ClusterCallFailed("the engine is away")
        return self._documents

    def web_apps(self, namespace: str) -> WebApps:
        return WebApps(() if self._ready else ("camunda-operate has 0 of 1 ready",), ())

    def broker_pods(self, namespaces: Any) -> list[Json]:
        return [{"metadata": {"namespace": each, "name": "camunda-zeebe-0"}} for each in namespaces]

    def partitions(self, namespace: str, pod: str) -> Json:
        if namespace not in self._phases:
            raise ClusterCallFailed("asleep")
        return {"1": {"exporterPhase": self._phases[namespace], "exportedPosition": 5}}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "exports.jsonl"


def sampled(watch: ExportWatch) -> ExportSample:
    watch.sample()
    return watch.samples[-1]


def test_a_sample_tells_positions_documents_pauses_and_applications(log: Path) -> None:
    watch = ExportWatch(View({"own": "EXPORTING"}), "own", ["failover"], log)
    seen = sampled(watch)
    assert (seen.documents, seen.positions) == (7, {1: 5})
    assert (seen.paused, seen.web_apps_down) == (False, False)
    written = json.loads(log.read_text())
    assert (written["documents"], written["paused"], written["web_apps_down"]) == (7, False, False)


def test_a_pause_in_a_region_that_came_later_is_seen(log: Path) -> None:
    watch = ExportWatch(View({"own": "EXPORTING"}, ready=0), "own", ["failover"], log)
    assert sampled(watch).paused is False
    watch.add_brokers(View({"recreated": "PAUSED"}), "recreated")
    seen = sampled(watch)
    assert (seen.paused, seen.web_apps_down) == (True, True)


def test_who_does_not_answer_is_left_out(log: Path) -> None:
    watch = ExportWatch(View({}, documents=None), "own", [], log)
    seen = sampled(watch)
    assert (seen.documents, seen.positions, seen.paused) == (None, {}, None)
