"""The gate B3: the survivor's engine, copied to the recreated region document by document.

A copy is worth something only while every exporter stands still, and nothing else writes to either side.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from messages.clients import installations
from messages.observed import brokers as messages
from messages.observed import engines
from steps.search_engine import copying, engine_settings
from tests.fakes.gates.failback import EACH_INSTALLATION, REPOSITORY, Gate, last_broker
from tests.fakes.regions import BOTH, FAILED_OVER, WEB_APPS, World
from tests.fakes.search_engines import Held

B3 = Gate("B3")
EXCLUDE = "cluster.routing.allocation.exclude._ip"


@pytest.fixture
def here(here: World) -> World:
    here.freezes()
    return here


def refused(here: World, *told: str) -> None:
    B3.fails(here, *told, paused=True)
    assert here.orders() == []


def test_it_is_proved(here: World) -> None:
    evidence = B3.prove(here)
    ((name, (described, _)),) = here.own.place.items()
    assert name.startswith(f"failback-{here.incident}-2")
    assert described["metadata"]["incident"] == here.incident
    assert evidence["snapshot"] == f"{name} (uuid-of-{name}): SUCCESS, 3 of 3 shards, 3 indices"
    assert evidence["documents"] == "127 in 3 indices, the same in both regions"
    assert "index template zeebe-record" in evidence["templates"]
    assert here.empty.held == here.own.held
    assert here.orders() == []
    assert set(here.phases.values()) == {"PAUSED"}


class TestTheCopy:
    """A whole snapshot, restored whole; what is not is said, and made again."""

    def test_the_recreated_engine_knows_the_repository_only_for_reading_and_for_that_long(
        self, here: World
    ) -> None:
        B3.prove(here)
        assert here.empty.got(f"POST {REPOSITORY}")["settings"] == {
            "location": "/backup",
            "readonly": True,
        }
        assert here.empty.repositories == {}
        assert "camunda_backup" in here.own.repositories

    def test_the_recreated_engine_is_touched_only_after_the_snapshot(self, here: World) -> None:
        here.own.snapshots_are = {"state": "PARTIAL"}
        refused(here)
        assert here.empty.asked() == ["GET /_cluster/health"]

    def test_a_snapshot_that_is_not_whole_is_not_restored(self, here: World) -> None:
        here.own.snapshots_are = {
            "state": "PARTIAL",
            "shards": {"total": 3, "failed": 1, "successful": 2},
            "failures": [{"index": "operate-list-view", "shard_id": 0, "reason": "disk is full"}],
        }
        refused(
            here,
            "snapshot-unusable",
            "snapshot-not-whole",
            "PARTIAL",
            "shard 0 of operate-list-view: disk is full",
        )
        assert here.empty.asked() == ["GET /_cluster/health"]

    def test_what_a_half_done_restore_has_left_is_deleted_first(self, here: World) -> None:
        here.empty.held.documents = {"operate-list-view": 3, "half-done": 1}
        B3.prove(here)
        assert here.empty.held == here.own.held
        assert here.empty.asked("DELETE") == [
            "DELETE /half-done,operate-list-view",
            f"DELETE {REPOSITORY}",
        ]

    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            pytest.param(
                {"gives_up": True},
                (
                    "restore-failed",
                    "shard-given-up",
                    "NoSuchFileException[/backup/one]",
                    "look-at-engine-to-restore",
                ),
                id="a shard fails",
            ),
            pytest.param(
                {"drops": 1},
                (
                    "copy-differs",
                    engines.documents_differ("operate-list-view", 7, 6),
                    "copy-again",
                ),
                id="one document less",
            ),
            pytest.param(
                {"forgets_templates": True},
                ("copy-lacks-templates", "index template operate-list-view_template"),
                id="templates that did not come along",
            ),
        ],
    )
    def test_a_restore_that_does_not_bring_everything(
        self, here: World, fault: dict[str, Any], told: tuple[str, ...]
    ) -> None:
        for name, value in fault.items():
            setattr(here.empty, name, value)
        refused(here, *told)

    def test_records_newer_than_the_snapshot(self, here: World) -> None:
        """A buffer that was flushed late would be lost for good: exporters never go back."""
        here.takeover.held.positions[2].add(21)
        refused(
            here,
            "copy-lacks-records",
            engines.records_missing(2, 11, 21, 10, 20),
            "copy-again",
        )

    def test_a_record_that_came_to_both_engines_late_is_in_the_next_copy(self, here: World) -> None:
        """What a leader that could not reach either engine flushes later: the same `pulumi up` helps."""
        here.empty.held = deepcopy(here.own.held)
        for late in (here.own, here.takeover):
            late.held.positions[2].add(21)
        B3.prove(here)
        assert here.empty.held == here.own.held
        assert 21 in here.empty.held.positions[2]

    def test_the_recreated_engine_keeps_its_own_persistent_settings(self, here: World) -> None:
        """With the survivor's, of its own nodes, shards might go nowhere."""
        here.own.held.persistent = {EXCLUDE: "10.1.2.3", "cluster.routing.rebalance.enable": "none"}
        here.empty.held.persistent = {EXCLUDE: "10.9.9.9", "indices.recovery.max_bytes": "9mb"}
        B3.prove(here)
        assert here.empty.held.persistent == {
            EXCLUDE: "10.9.9.9",
            "indices.recovery.max_bytes": "9mb",
        }
        asked = here.empty.asked()
        restored = next(each for each in asked if each.endswith("/_restore"))
        assert asked.index("PUT /_cluster/settings") == asked.index(restored) + 2

    def test_they_are_kept_though_a_run_was_killed_before_they_were_back(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.own.held.persistent = {EXCLUDE: "10.1.2.3"}
        here.empty.held.persistent = {EXCLUDE: "10.9.9.9"}
        with monkeypatch.context() as killed:
            killed.setattr(engine_settings, "put_back", killing)
            with pytest.raises(SystemExit):
                B3.prove(here)
        assert here.empty.held.persistent == {EXCLUDE: "10.1.2.3"}
        B3.prove(here)
        assert here.empty.held.persistent == {EXCLUDE: "10.9.9.9"}

    def test_what_is_set_between_two_attempts_is_kept(self, here: World) -> None:
        here.empty.held.persistent = {EXCLUDE: "10.9.9.9"}
        B3.prove(here)
        here.empty.held.persistent = {EXCLUDE: "10.8.8.8"}
        here.own.held.rewritten["operate-list-view"] = 1
        B3.prove(here)
        assert here.empty.held.persistent == {EXCLUDE: "10.8.8.8"}

    def test_where_they_are_alike_nothing_is_set(self, here: World) -> None:
        B3.prove(here)
        assert here.empty.asked("PUT") == []

    def test_a_new_attempt_takes_a_new_snapshot(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.empty.drops = 1
        refused(here)
        here.empty.drops = 0
        monkeypatch.setattr(copying, "datetime", _Later)
        B3.prove(here)
        assert len(here.own.place) == 2
        assert here.empty.held == here.own.held


class TestLookingFirst:
    """What an attempt has copied whose record could not be written is not copied again: that may take hours."""

    @pytest.fixture
    def here(self, here: World) -> World:
        B3.prove(here)
        for fake in (here.near, here.far):
            fake.asked.clear()
        return here

    def test_it_is_proved_again_without_another_copy(self, here: World) -> None:
        evidence = B3.prove(here)
        assert (
            evidence["snapshot"] == "that of an earlier attempt, to which nothing was added since"
        )
        assert evidence["documents"] == "127 in 3 indices, the same in both regions"
        assert len(here.own.place) == 1
        assert here.empty.asked("DELETE") == [f"DELETE {REPOSITORY}"]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(
                lambda here: here.own.held.rewritten.update({"operate-list-view": 1}),
                id="a document was replaced, so that the counts are the same",
            ),
            pytest.param(
                lambda here: here.own.held.documents.update({"operate-list-view": 8}),
                id="a document more",
            ),
            pytest.param(lambda here: here.own.held.documents.update(new=0), id="an index more"),
            pytest.param(lambda here: here.empty.held.documents.pop("zeebe-record_job"), id="gone"),
            pytest.param(lambda here: setattr(here.empty, "held", Held()), id="all gone"),
        ],
    )
    def test_what_changed_since_is_copied_again(
        self, here: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[World], object]
    ) -> None:
        change(here)
        monkeypatch.setattr(copying, "datetime", _Later)
        evidence = B3.prove(here)
        assert "SUCCESS" in evidence["snapshot"]
        assert len(here.own.place) == 2
        assert here.empty.held == here.own.held

    def test_what_newer_came_is_refused_all_the_same(self, here: World) -> None:
        here.takeover.held.positions[2].add(21)
        refused(here, "copy-lacks-records")


def killing(*_: object) -> None:
    raise SystemExit


class _Later:
    """Another second than the present one."""

    @staticmethod
    def now(_: Any) -> "_Later":
        return _Later()

    def __format__(self, _: str) -> str:
        return "29990101000000"


class TestNothingMayMove:
    """Neither engine is touched while an exporter works, or a broker exports to the recreated region."""

    def check_untouched(self, here: World) -> None:
        assert here.own.place == {}, "a snapshot of a moving engine"
        assert here.empty.asked() == []

    @pytest.mark.parametrize("app", WEB_APPS)
    def test_a_web_app_that_was_scaled_up_again(self, here: World, app: str) -> None:
        """As a team does for the afternoon, once B3 has failed: what it changes in documents no count shows."""
        path = f"/apis/apps/v1/namespaces/{here.survivor.namespace}/deployments"
        here.near.objects[path][f"camunda-{app}"]["spec"]["replicas"] = 2
        B3.waits(
            here,
            "web-apps-stay-down",
            installations.app_still_wanted(f"camunda-{app}", here.survivor.namespace, 2),
            hint="scale-to-nothing",
            paused=True,
        )
        self.check_untouched(here)

    @EACH_INSTALLATION
    @pytest.mark.parametrize("phase", ["EXPORTING", "SOFT_PAUSED", ""])
    def test_one_broker_that_is_no_longer_paused(
        self, here: World, installation: int, phase: str
    ) -> None:
        namespace, ordinal = last_broker(here, installation)
        here.say_phase(phase, (namespace, ordinal))
        pod = f"{namespace}/camunda-zeebe-{ordinal}"
        told = messages.exporter_in_other_phase(1, pod, phase or None, "PAUSED")
        B3.waits_for_pause(here, told, paused=True)
        self.check_untouched(here)

    def test_exporters_that_were_resumed_meanwhile(self, here: World) -> None:
        here.say_phase("EXPORTING")
        B3.waits_for_pause(here, paused=False)
        self.check_untouched(here)

    @EACH_INSTALLATION
    def test_nothing_is_restored_where_a_broker_exports_to_already(
        self, here: World, installation: int
    ) -> None:
        namespace = here.namespaces[installation]
        here.runs(namespace, BOTH, failing_back=installation == 2)
        address = f"camunda-elasticsearch-master-hl.{here.recreated.namespace}.svc"
        refused(
            here,
            "brokers-export-to-copy",
            f"ELASTICSEARCHREGION{here.lost}_ARGS_URL",
            f"http://{address}",
            namespace,
        )
        self.check_untouched(here)

    def test_one_stale_pod_is_enough_not_to_restore(self, here: World) -> None:
        """The StatefulSet may be right already, and a pod not."""
        namespace = here.recreated.namespace
        here.runs(namespace, BOTH, failing_back=True)
        here.updates(namespace, FAILED_OVER, failing_back=True)
        refused(
            here,
            "wrong-environment",
            "camunda-zeebe-0",
            "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION",
        )
        self.check_untouched(here)
