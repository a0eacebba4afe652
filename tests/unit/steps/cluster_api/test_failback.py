"""The gates B1 to B7 by the cluster API: each is proved, or fails for one thing and says so."""

from datetime import datetime
from typing import Any

import pytest

from dualregion.chart.values import ExporterSettings
from dualregion.errors import Refused
from dualregion.procedure.versions import WebApps
from steps.cluster_api import failback
from steps.search_engine import copying, engines
from tests.fakes.cluster_management import FakeManagement
from tests.fakes.cluster_regions import ALL, MEMBER, QUIET, ApiWorld
from tests.fakes.gates.by_cluster_api import fails, waits
from tests.fakes.kubernetes import Document, Reply
from tests.fakes.regions import RECREATED
from tests.raising import assert_tells, tells

REFUSED = Reply(200, {"body": {"message": "Expected 2 members"}, "status": 500})
"""What the gateway says to a pause that it refuses: under a status line that accepts."""
RELEASED = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


class _Later(datetime):
    """A clock that is far ahead: a new attempt takes a new snapshot."""

    @classmethod
    def now(cls, tz: Any = None) -> "_Later":
        return cls(2099, 1, 1, tzinfo=tz)


class TestB1:
    """The recreated brokers are in sight and no members; their engine is green and empty."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.joins()
        return here

    def test_it_is_proved_without_readiness_and_changes_nothing(self, here: ApiWorld) -> None:
        evidence = here.prove("B1", RECREATED)
        assert [each.split()[0] for each in evidence["brokers"].split(", ")] == list("0123")
        assert not any(here.brokers[here.recreated.namespace].answers(each) for each in (0, 1))
        assert here.orders() == []

    def test_where_outsiders_are_ready(self, newest: ApiWorld) -> None:
        newest.joins()
        newest.prove("B1", RECREATED)
        assert newest.brokers[newest.recreated.namespace].answers(0)

    def test_a_broker_that_is_not_in_sight(self, here: ApiWorld) -> None:
        here.unseen.add(here.lost_ids[1])
        found = waits(here, "B1", "outsiders-in-sight", "brokers-not-joined", role=RECREATED)
        assert_tells(found.facts["hint"], "look-at-recreated")

    def test_a_broker_that_does_not_run(self, here: ApiWorld) -> None:
        pod = here.brokers[here.recreated.namespace].pods[0]
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoop"}}
        waits(here, "B1", "outsiders-in-sight", "broker-does-not-run", "CrashLoop", role=RECREATED)

    def test_brokers_that_restart_again_and_again(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Those that meet the cluster that removed them end with code 3, and start again."""
        monkeypatch.setattr(failback, "STILL_SECONDS", 60.0)
        pod = here.brokers[here.recreated.namespace].pods[1]
        pod["status"]["containerStatuses"][0]["restartCount"] = 4
        told = ("restarts-seen", "4")
        waits(here, "B1", "outsiders-in-sight", *told, role=RECREATED)

    def test_brokers_that_are_members_already(self, here: ApiWorld) -> None:
        here.adds()
        here.empty.held.documents.clear()
        waits(here, "B1", "outsiders-in-sight", "holds-replicas", role=RECREATED)

    def test_a_member_without_partitions(self, here: ApiWorld) -> None:
        lost = here.lost_ids[1]
        here.management.members[lost], here.management.states[lost] = {}, "JOINING"
        waits(here, "B1", "outsiders-in-sight", "other-members", role=RECREATED)

    def test_an_engine_that_holds_something(self, here: ApiWorld) -> None:
        here.empty.held.documents["operate-list-view-8.3.0_"] = 0
        found = waits(here, "B1", "engine-empty", role=RECREATED)
        assert_tells(found.facts["hint"], "look-at-exporters")

    def test_a_broker_of_an_old_configuration_is_made_again(self, here: ApiWorld) -> None:
        """They hold nothing, and a rolling update would stop at the first that does not become ready."""
        here.brokers[here.recreated.namespace].update(ALL, failing_back=False)
        here.prove("B1", RECREATED)
        assert here.brokers[here.recreated.namespace].revisions == [ALL, ALL]

    def test_a_broker_that_hangs_at_its_start_is_restarted(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It runs, is not in sight, and its management port is silent."""
        monkeypatch.setattr(failback, "HANG_SECONDS", 0.0)
        monkeypatch.setattr(failback, "_answers", lambda _, broker: not broker.endswith("-1"))
        living = here.brokers[here.recreated.namespace]
        hanging = living.pods[1]["metadata"]["uid"]
        here.unseen.add(here.lost_ids[1])

        def seen_again() -> None:
            here.tick()
            if 1 in living.pods and living.pods[1]["metadata"]["uid"] != hanging:
                here.unseen.clear()

        here.near.tick = here.far.tick = seen_again
        here.prove("B1", RECREATED)
        assert living.restarts == [1]
        assert tells(here.said, "hangs-at-start")


class TestB2:
    """Web apps are down, exporters paused on every member, and the engine stands still."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.joins()
        here.without_web_apps()
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("B2")
        assert here.phases() == {"PAUSED"}
        assert here.orders() == ["POST /actuator/exporting/pause"]
        assert evidence["settled"]
        rolled = [1, 0] if here.version.web_apps is WebApps.PROFILES else []
        assert here.restarts().get(here.survivor.namespace, []) == rolled
        assert here.all_faults() == []
        assert here.brokers[here.survivor.namespace].strategy == RELEASED

    def test_said_again_it_changes_nothing(self, here: ApiWorld) -> None:
        here.prove("B2")
        here.brokers[here.survivor.namespace].restarts.clear()
        here.prove("B2")
        assert here.orders() == ["POST /actuator/exporting/pause"]
        assert here.restarts() == {}

    def test_where_a_pause_is_a_change(self, newest: ApiWorld) -> None:
        newest.joins()
        newest.without_web_apps()
        newest.prove("B2")
        assert (newest.phases(), newest.management.is_over) == ({"PAUSED"}, True)

    def test_a_change_that_pends_is_waited_for_before_the_pause(self, here: ApiWorld) -> None:
        here.management.stuck = True
        here.management.change, here.management.pending = 8, [_operation(here.kept_ids[0])]
        waits(here, "B2", "exporters-pause", "change-pends")
        assert here.orders() == []

    def test_a_refusal_behind_status_200(self, here: ApiWorld) -> None:
        here.management.refusals = [REFUSED, REFUSED]
        here.prove("B2")
        assert len(here.orders()) == 3

    def test_a_pause_that_is_always_refused(self, here: ApiWorld) -> None:
        here.management.refusals = [REFUSED] * 1000
        found = waits(here, "B2", "exporters-pause", "order-refused")
        assert_tells(found.facts["hint"], "look-at-members")

    def test_a_broker_that_no_pause_reaches(self, here: ApiWorld) -> None:
        here.management.deaf = {here.kept_ids[1]}
        waits(here, "B2", "exporters-pause", "exporter-in-other-phase", paused=True)

    def test_a_soft_pause(self, here: ApiWorld) -> None:
        here.management.say_phase("SOFT_PAUSED")
        fails(here, "B2", "paused-softly", kind=Refused, paused=True)
        assert here.orders() == []

    def test_web_apps_that_run(self, here: ApiWorld) -> None:
        here.has_web_apps(here.survivor.namespace)
        told = "app-still-wanted" if here.version.minor == "8.6" else "profiles-differ"
        waits(here, "B2", "web-apps-down", told)
        assert here.orders() == []

    def test_an_engine_that_goes_on(self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        """What exporters have buffered comes later; if more comes than a deadline lasts, exporting goes on again."""
        self.comes_later(here, monkeypatch, looks=10**6)
        fails(
            here,
            "B2",
            "exports-do-not-settle",
            "exports-still-come",
            "exporting-goes-on",
            gives_up_on="exports-stand-still",
        )
        assert here.phases() == {"EXPORTING"}

    def test_what_was_buffered_is_waited_for(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.comes_later(here, monkeypatch, looks=5)
        here.prove("B2")
        assert tells(here.said, "exports-still-come")
        assert here.own.held.rewritten == {"operate-list-view-8.3.0_": 5}

    def comes_later(self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        """Let so many more looks at the paused exporters find that something was written."""
        monkeypatch.setattr(here.own, "_shown", _writing(here, looks, here.own._shown))
        monkeypatch.setattr(engines, "exporters", lambda _: _Flushing())

    @pytest.mark.parametrize("spoilt", ["blocked", "repository"])
    def test_what_would_keep_the_copy_from_being_made(self, here: ApiWorld, spoilt: str) -> None:
        """It is found before anything is paused."""
        if spoilt == "blocked":
            read_only = {"description": "as it words it", "levels": ["write", "metadata_write"]}
            here.own.blocks = {"global": {"13": read_only}}
            fails(here, "B2", "copy-would-fail", kind=Refused)
        else:
            here.own.says("POST", "/_snapshot/camunda_backup", Reply(400, {"error": {}}))
            fails(here, "B2", "engine-refused-for-good")
        assert here.orders() == []


class TestB3:
    """The survivor's engine is restored in the recreated region, as long as no broker can write there."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.freezes()
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("B3")
        assert here.empty.held == here.own.held
        assert evidence["documents"].startswith("10 in 2 indices")
        if here.version.copies_global_state:
            assert evidence["lifecycles"] == "camunda-retention-policy"
        assert here.orders() == []
        assert here.empty.repositories == {}

    def test_said_again_it_copies_nothing(self, here: ApiWorld) -> None:
        here.prove("B3")
        evidence = here.prove("B3")
        assert "earlier attempt" in evidence["snapshot"]
        assert len(here.own.place) == 1

    def test_said_again_after_the_exporter_was_enabled(self, here: ApiWorld) -> None:
        here.prove("B3")
        here.management.set_exporter(here.lost_exporter, "ENABLED")
        here.prove("B3")

    def test_exporters_that_are_not_paused(self, here: ApiWorld) -> None:
        here.management.say_phase("EXPORTING")
        waits(here, "B3", "exporters-stay-paused", "exporter-in-other-phase")

    def test_one_replica_that_is_not_paused(self, here: ApiWorld) -> None:
        here.management.members[here.kept_ids[1]][1].phase = "EXPORTING"
        waits(here, "B3", "exporters-stay-paused", "exporter-in-other-phase", paused=True)

    def test_web_apps_that_run(self, here: ApiWorld) -> None:
        here.has_web_apps(here.survivor.namespace)
        waits(here, "B3", "web-apps-down", paused=True)

    @pytest.mark.parametrize("members", [1, 2], ids=["one broker", "all brokers"])
    def test_an_exporter_that_may_write_there(self, here: ApiWorld, members: int) -> None:
        here.management.set_exporter(here.lost_exporter, "ENABLED", here.kept_ids[:members])
        fails(here, "B3", "copy-not-apart", "exporter-not-as-wanted", kind=Refused, paused=True)
        assert here.empty.held.documents == {}

    def test_brokers_that_are_members_again(self, here: ApiWorld) -> None:
        lost = here.lost_ids[1]
        here.management.members[lost], here.management.states[lost] = {}, "ACTIVE"
        fails(here, "B3", "copy-not-apart", "other-members", kind=Refused, paused=True)
        assert here.empty.held.documents == {}

    def test_a_copy_that_lost_documents(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.empty.drops = 1
        fails(here, "B3", "copy-differs", "documents-differ", kind=Refused, paused=True)
        here.empty.drops = 0
        monkeypatch.setattr(copying, "datetime", _Later)
        here.prove("B3")
        assert len(here.own.place) == 2

    def test_templates_that_did_not_come_along(self, here: ApiWorld) -> None:
        here.empty.forgets_templates = True
        fails(here, "B3", "copy-lacks-templates", "templates-missing", kind=Refused, paused=True)

    def test_an_engine_that_has_no_lifecycles(self, here: ApiWorld) -> None:
        for each in (here.own, here.empty):
            each.distribution = {"distribution": "opensearch"}
        evidence = here.prove("B3")
        assert evidence.get("lifecycles", "none") == "none"

    def test_lifecycles_that_did_not_come_along(self, here: ApiWorld) -> None:
        here.prove("B3")
        here.empty.held.lifecycles["camunda-retention-policy"] = "7d"
        if here.version.copies_global_state:
            told = ("copy-lacks-templates", "lifecycles-differ")
            fails(here, "B3", *told, kind=Refused, paused=True)
        else:
            here.prove("B3")


class TestB4:
    """The recreated region's exporter begins where the survivor's stands, and nothing moves yet."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.copies()
        return here

    def enabled(self, here: ApiWorld) -> str:
        return f"POST /actuator/exporters/{here.lost_exporter}/enable"

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("B4")
        assert evidence["enabled"] == f"{here.lost_exporter} from {here.kept_exporter}"
        assert here.orders() == [self.enabled(here)]
        assert here.management.initialized == {here.lost_exporter: here.kept_exporter}
        assert here.phases() == {"PAUSED"}

    def test_said_again_it_enables_nothing(self, here: ApiWorld) -> None:
        here.prove("B4")
        here.prove("B4")
        assert here.orders() == [self.enabled(here)]

    @pytest.mark.parametrize("status", [502, 504])
    def test_an_answer_that_got_lost(self, here: ApiWorld, status: int) -> None:
        here.management.swallow = [Reply(status, {"message": "no answer"})]
        here.prove("B4")
        assert here.orders() == [self.enabled(here)]

    def test_a_change_that_was_ended_half_way(self, here: ApiWorld) -> None:
        """What is enabled anywhere is not enabled again: so it is disabled first."""
        here.management.set_exporter(here.lost_exporter, "ENABLED", here.kept_ids[:1])
        here.prove("B4")
        disabled = f"POST /actuator/exporters/{here.lost_exporter}/disable"
        assert here.orders() == [disabled, self.enabled(here)]

    def test_one_that_another_client_enables_meanwhile(self, here: ApiWorld) -> None:
        """From where it then stands is unknown: it is refused, and the next run looks again."""
        here.management.deny = [Reply(400, {"message": "exporter is enabled already"})]
        fails(here, "B4", "change-refused", "change-not-possible", kind=Refused, paused=True)

    def test_exporters_that_are_not_paused(self, here: ApiWorld) -> None:
        here.management.say_phase("EXPORTING")
        waits(here, "B4", "exporters-stay-paused", "exporter-in-other-phase")
        assert here.orders() == []

    def test_a_source_that_is_not_enabled(self, here: ApiWorld) -> None:
        here.management.set_exporter(here.kept_exporter, "DISABLED")
        fails(here, "B4", "change-refused", "change-not-possible", kind=Refused, paused=True)

    def test_a_change_that_does_not_end(self, here: ApiWorld) -> None:
        here.management.stuck = True
        found = waits(here, "B4", "exporter-enabled", "change-pends", paused=True)
        assert_tells(found.facts["hint"], "look-at-change")
        assert here.orders() == [self.enabled(here)]


class TestB5:
    """Exporting goes on, to both regions."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.enables()
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("B5")
        assert here.phases() == {"EXPORTING"}
        assert here.orders() == ["POST /actuator/exporting/resume"]
        assert evidence["exportedPositions"]

    def test_said_again_it_orders_nothing(self, here: ApiWorld) -> None:
        here.prove("B5")
        here.prove("B5")
        assert here.orders() == ["POST /actuator/exporting/resume"]

    def test_said_again_once_brokers_are_added(self, here: ApiWorld) -> None:
        here.adds()
        here.prove("B5")
        assert here.orders() == []

    def test_an_exporter_that_is_not_enabled(self, here: ApiWorld) -> None:
        """What is exported then the recreated region's engine would never get."""
        here.management.set_exporter(here.lost_exporter, "DISABLED")
        waits(here, "B5", "exporters-enabled", "exporter-not-as-wanted", paused=True)
        assert here.orders() == []

    def test_a_resumption_that_is_refused(self, here: ApiWorld) -> None:
        here.management.refusals = [REFUSED] * 1000
        waits(here, "B5", "exporters-resume", "order-refused", paused=True)

    def test_positions_that_do_not_move(self, here: ApiWorld) -> None:
        here.stuck = True
        waits(here, "B5", "positions-move", "exporter-stands-still")


class TestB6:
    """The recreated brokers are members again, with all replicas."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.resumes()
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("B6")
        assert set(here.management.members) == set(range(here.size))
        assert evidence["changes"] == str(here.management.change)
        assert len(here.orders()) == 1
        assert here.brokers[here.recreated.namespace].answers(0)

    def test_said_again_it_adds_nothing(self, here: ApiWorld) -> None:
        here.prove("B6")
        here.prove("B6")
        assert len(here.orders()) == 1

    def test_what_is_left_of_an_addition_that_was_cancelled(self, here: ApiWorld) -> None:
        here.management.keep(here.kept_ids)
        here.prove("B6")
        missing = here.management.members[here.lost_ids[0]]
        missing.pop(next(iter(missing)))
        here.prove("B6")
        assert all(len(here.management.holders(each)) == 4 for each in here.partitions)

    @pytest.mark.parametrize("status", [502, 504])
    def test_an_answer_that_got_lost(self, here: ApiWorld, status: int) -> None:
        here.management.swallow = [Reply(status, {"message": "no answer"})]
        here.prove("B6")
        assert len(here.orders()) == 1

    def test_a_broker_that_is_not_there_is_not_added(self, here: ApiWorld) -> None:
        here.unseen.add(here.lost_ids[1])
        waits(here, "B6", "lost-added", "brokers-not-joined")
        assert here.orders() == []

    def test_an_addition_that_would_harm(self, here: ApiWorld) -> None:
        here.management.members[9], here.management.states[9] = {}, "ACTIVE"
        fails(here, "B6", "addition-would-harm", kind=Refused)
        assert here.orders() == []

    def test_a_broker_that_does_not_join(self, here: ApiWorld) -> None:
        here.management.stuck = True
        found = waits(here, "B6", "lost-added", "change-pends")
        assert_tells(found.facts["hint"], "look-at-change")
        assert len(here.orders()) == 1

    def test_a_person_ends_the_change(self, here: ApiWorld) -> None:
        here.management.ends_as = "CANCELLED"
        here.management.looks = 1
        fails(here, "B6", "change-not-completed")

    def test_replicas_that_joined_paused_go_on(self, newest: ApiWorld) -> None:
        """From 8.10 on they take over the pause of a partition."""
        newest.enables()
        newest.prove("B6")
        assert newest.phases() == {"EXPORTING"}


class TestB7:
    """Brokers run what the release says, one restarted after the other over both regions."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.adds()
        here.opens(here.survivor.namespace)
        return here

    def test_of_the_survivor_and_then_of_the_recreated_region(self, here: ApiWorld) -> None:
        evidence = here.prove("B7")
        assert evidence["webApps"] == "up"
        here.opens(here.recreated.namespace)
        here.prove("B7", RECREATED)
        rolled = {each.namespace: [1, 0] for each in (here.survivor, here.recreated)}
        assert here.restarts() == (rolled if here.version.web_apps is WebApps.PROFILES else {})
        assert here.all_faults() == []
        assert here.orders() == []
        for living in here.brokers.values():
            assert living.strategy == RELEASED

    def test_said_again_it_restarts_nothing(self, here: ApiWorld) -> None:
        here.prove("B7")
        for living in here.brokers.values():
            living.restarts.clear()
        here.prove("B7")
        assert here.restarts() == {}

    def test_web_apps_that_are_not_up(self, here: ApiWorld) -> None:
        here.has_web_apps(here.survivor.namespace, running=False)
        waits(here, "B7", "web-apps-available")

    def test_what_is_left_of_the_copy(self, here: ApiWorld) -> None:
        """The archiver must work again, and the schema be made."""
        here.brokers[here.survivor.namespace].update(QUIET, failing_back=False)
        if here.version.archiver_argument:
            found = waits(here, "B7", "brokers-rolled-out", "variable-left")
            assert_tells(found, "HISTORY_PROCESSINSTANCEENABLED")
        else:
            here.prove("B7")

    def test_an_exporter_that_is_not_enabled(self, here: ApiWorld) -> None:
        here.management.set_exporter(here.lost_exporter, "DISABLED")
        waits(here, "B7", "exporters-enabled", "exporter-not-as-wanted")

    def test_a_broker_of_the_other_region_that_is_down(self, here: ApiWorld) -> None:
        """No broker is restarted meanwhile."""
        here.brokers[here.recreated.namespace].never_ready(0)
        waits(here, "B7", "broker-renewed", "too-few-healthy-replicas")
        assert here.restarts() == {}


def _operation(broker: int) -> dict[str, Any]:
    return {"operation": "POST_SCALING", "brokerId": broker}


class TestAnswersThatTellNothing:
    """What must be paused or enabled is counted by the answer that is judged: one that names nothing proved everything."""

    @pytest.fixture(params=["no member", "no partition", "no replica of one partition"])
    def untold(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every answer lack something from now on."""
        shown = FakeManagement.document

        def spoilt(made: FakeManagement) -> Document:
            found = shown(made)
            for each in found["brokers"]:
                if request.param == "no partition":
                    each["partitions"] = []
                else:
                    each["partitions"] = [p for p in each["partitions"] if p["id"] != 3]
            return found | ({"brokers": []} if request.param == "no member" else {})

        monkeypatch.setattr(FakeManagement, "document", spoilt)

    @pytest.fixture
    def frozen(self, here: ApiWorld) -> ApiWorld:
        here.joins()
        here.without_web_apps()
        return here

    def test_the_pause_waits(self, frozen: ApiWorld, untold: None) -> None:
        waits(frozen, "B2", "exporters-pause", "configuration-untold")
        assert frozen.orders() == []
        assert frozen.phases() == {"EXPORTING"}

    def test_the_copy_waits(self, here: ApiWorld, untold: None) -> None:
        here.freezes()
        waits(here, "B3", "exporters-stay-paused", "configuration-untold", paused=True)
        assert here.empty.held.documents == {}

    def test_the_enabling_waits(self, here: ApiWorld, untold: None) -> None:
        here.copies()
        waits(here, "B4", "exporters-stay-paused", "configuration-untold", paused=True)
        waits(here, "B5", "exporters-enabled", "configuration-untold", paused=True)
        assert here.orders() == []

    def test_the_failover_waits(self, here: ApiWorld, untold: None) -> None:
        here.lose()
        here.management.keep(here.kept_ids)
        waits(here, "F3", "exporter-disabled", "configuration-untold")
        assert here.orders() == []

    def test_nothing_is_normal(self, here: ApiWorld, untold: None) -> None:
        waits(here, "N", "all-members", role=MEMBER)


def test_an_engine_that_holds_nothing_of_what_was_exported_does_not_settle(here: ApiWorld) -> None:
    """It stands still, too."""
    here.joins()
    here.without_web_apps()
    here.own.held.documents.clear()
    told = ("exports-do-not-settle", "engine-holds-nothing", "exporting-goes-on")
    fails(here, "B2", *told, gives_up_on="exports-stand-still")
    assert here.phases() == {"EXPORTING"}


@pytest.mark.parametrize("delay", [450, 10**8])
def test_exporters_that_keep_records_beyond_the_deadline_are_not_paused(
    here: ApiWorld, monkeypatch: pytest.MonkeyPatch, delay: int
) -> None:
    here.joins()
    here.without_web_apps()
    found = ExporterSettings(flush_seconds=delay)
    monkeypatch.setattr(engines, "exporters", lambda _: found)
    fails(here, "B2", "copy-would-fail", "quiet-beyond-deadline", kind=Refused)
    assert here.orders() == []


class _Flushing:
    """Exporters that flush often."""

    prefix, quiet_seconds = "zeebe-record", 0.04


def _writing(here: ApiWorld, looks: int, shown: Any) -> Any:
    """Return what the engine shows, to which something is written with so many looks while exporters are paused."""
    left = looks

    def answer(asked: list[str]) -> Any:
        nonlocal left
        if asked[1:] == ["_stats", "docs"] and left and here.phases() == {"PAUSED"}:
            left -= 1
            name = "operate-list-view-8.3.0_"
            here.own.held.rewritten[name] = here.own.held.rewritten.get(name, 0) + 1
        return shown(asked)

    return answer
