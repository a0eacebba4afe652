"""The gate B5: web apps are up, and the survivor lets exporting go on, but only to both regions."""

from collections.abc import Iterable

import pytest

from clients import installation
from clients.cluster.kubernetes import CallFailed
from clients.installation import LiveInstallation
from dualregion.observed.zeebe_answers import RUNNING, Exporting
from messages.clients import installations
from messages.observed import brokers as messages
from messages.observed import engines
from messages.steps import exporting
from tests.fakes.gates.failback import (
    EACH_INSTALLATION,
    REFUSED_IN_BODY,
    ROLLS_BY_ITSELF,
    Gate,
    hint_on_pods,
    last_broker,
)
from tests.fakes.regions import BOTH, FAILED_OVER, RECREATED, SURVIVOR, WEB_APPS, World
from tests.fakes.search_engines import Held

OF_THE_SURVIVOR, OF_THE_RECREATED = Gate("B5", SURVIVOR), Gate("B5", RECREATED)


@pytest.fixture
def here(here: World) -> World:
    here.opens()
    return here


def app_not_ready(here: World, namespace: str, app: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    here.fake_of(namespace).objects[path][f"camunda-{app}"]["status"]["readyReplicas"] = 0


def refused(gate: Gate, here: World, what: str, *told: str, hint: str) -> None:
    gate.waits(here, what, *told, hint=hint, paused=True)
    assert here.orders() == [], "exporting must not go on yet"


def web_apps_not_up(gate: Gate, here: World, told: str) -> None:
    region = here.survivor if gate.role == SURVIVOR else here.recreated
    refused(gate, here, "web-apps-up", told, hint=hint_on_pods(here, region.namespace))


@pytest.mark.parametrize("app", WEB_APPS)
@pytest.mark.parametrize("gate", [OF_THE_SURVIVOR, OF_THE_RECREATED], ids=lambda gate: gate.role)
def test_web_apps_that_are_not_ready(here: World, gate: Gate, app: str) -> None:
    place = (here.survivor if gate.role == SURVIVOR else here.recreated).namespace
    app_not_ready(here, place, app)
    told = installations.app_not_ready(0, WEB_APPS[app], f"camunda-{app}", place, None)
    web_apps_not_up(gate, here, told)


class TestTheRecreatedRegion:
    """Its web apps are up; it is not for it to let exporting go on."""

    B5 = OF_THE_RECREATED

    def test_it_is_proved_and_resumes_nothing(self, here: World) -> None:
        assert self.B5.prove(here) == {"webApps": "up"}
        assert here.orders() == []
        assert set(here.phases.values()) == {"PAUSED"}

    def test_the_survivors_web_apps_are_not_its_business(self, here: World) -> None:
        app_not_ready(here, here.survivor.namespace, "operate")
        assert self.B5.prove(here) == {"webApps": "up"}

    def test_a_broker_that_dies_afterwards_comes_back_with_the_right_addresses(
        self, here: World
    ) -> None:
        place = here.recreated.namespace
        living = here.brokers[place]
        here.updates(place, "again", failing_back=True)  # Helm's update of the web apps, held
        living.stateful_set["status"]["currentRevision"] = FAILED_OVER  # sleepers keep it there
        self.B5.prove(here)
        here.end(living.pods[1])
        for _ in range(30):
            here.tick()
        assert living.revisions[1] == "again"


class TestTheSurvivor:
    """Web apps up, exporting goes on everywhere, but only when every broker has both addresses."""

    B5 = OF_THE_SURVIVOR
    GOES_ON, NEEDS_EVERYBODY = "exporters-resume", "look-at-topology"

    def test_it_is_proved(self, here: World) -> None:
        evidence = self.B5.prove(here)
        assert evidence["webApps"] == "up"
        assert evidence["resumedAt"].endswith("+00:00")
        assert here.orders() == ["resume"]
        assert set(here.phases.values()) == {"EXPORTING"}
        assert here.restarts() == {}

    def test_said_again_it_resumes_nothing_twice(self, here: World) -> None:
        self.B5.prove(here)
        self.B5.prove(here)
        assert here.orders() == ["resume"]

    def has_a_gap(self, here: World, *told: str) -> None:
        """Let it find the copy short of something: exporting does not go on, and the way on is named."""
        self.B5.fails(here, *told, "back-out", paused=True)
        assert set(here.phases.values()) == {"PAUSED"}
        assert here.orders() == []

    def test_what_a_leader_flushed_late_to_the_failover_engine(self, here: World) -> None:
        """Between turn 3 and its own restart in turn 4: here nothing can come any more."""
        here.takeover.held.positions[1].add(21)
        self.has_a_gap(here, engines.records_missing(1, 11, 21, 10, 20))

    def test_what_a_leader_flushed_late_to_the_survivor_s_engine(self, here: World) -> None:
        here.own.held.documents["zeebe-record_job"] += 1
        self.has_a_gap(here, engines.documents_differ("zeebe-record_job", 41, 40))

    def test_a_copy_that_was_lost_between_the_turns(self, here: World) -> None:
        here.empty.held = Held()
        self.has_a_gap(here, engines.records_missing(1, 10, 20, 0, None))

    def test_a_copy_whose_older_records_were_lost(self, here: World) -> None:
        """Those from before the loss, which the failover engine does not hold either."""
        here.empty.held.documents.pop("zeebe-record_job")
        self.has_a_gap(here, engines.documents_differ("zeebe-record_job", 40, None))

    def test_what_web_apps_have_written_since_is_no_gap(self, here: World) -> None:
        here.own.held.documents["operate-list-view"] += 5
        here.empty.held.documents["operate-imports"] = 3
        assert self.B5.prove(here)["recordsCopied"] == "120 in 2 indices, the same in both regions"

    def test_said_again_in_the_midst_of_the_resumption_it_goes_on(self, here: World) -> None:
        """Some broker exports already: both engines get records, of which counts may differ for a moment."""
        here.say_phase("EXPORTING", last_broker(here, 0))
        here.own.held.documents["zeebe-record_job"] += 1
        self.B5.prove(here)
        assert set(here.phases.values()) == {"EXPORTING"}

    def test_in_the_midst_of_the_resumption_the_failover_engine_still_counts(
        self, here: World
    ) -> None:
        here.say_phase("EXPORTING", last_broker(here, 0))
        here.takeover.held.positions[1].add(21)
        self.B5.fails(here, engines.records_missing(1, 11, 21, 10, 20), paused=True)
        assert here.orders() == []

    def test_a_record_that_was_deleted_by_hand_afterwards_is_proved_again(
        self, here: World
    ) -> None:
        """The failover installation is gone already, so that a replica of each partition is missing."""
        here.say_phase("EXPORTING")
        here.drop_failover()
        evidence = self.B5.prove(here)
        assert evidence == {"webApps": "up", "exporters": "went on before this run"}
        assert here.orders() == []

    def test_a_failover_installation_that_was_deleted_too_early_lets_nothing_go_on(
        self, here: World
    ) -> None:
        here.drop_failover()
        told = ("exporters-paused-on", "PAUSED")
        hint = "back-out-if-deleted"
        self.B5.waits(here, "exporters-went-on", *told, hint=hint, paused=True)
        assert here.orders() == []

    def test_web_apps_that_are_still_scaled_down(self, here: World) -> None:
        place = here.survivor.namespace
        here.has_web_apps(place, running=False)
        told = installations.app_not_scaled_back("camunda-operate", place)
        web_apps_not_up(self.B5, here, told)

    @EACH_INSTALLATION
    @pytest.mark.parametrize("what_is_left", ["StatefulSet", "pod"])
    def test_one_installation_that_exports_elsewhere_keeps_all_paused(
        self, here: World, installation: int, what_is_left: str
    ) -> None:
        namespace = here.namespaces[installation]
        here.runs(namespace, "wrong", failing_back=installation == 2)
        if what_is_left == "pod":
            here.updates(namespace, BOTH, failing_back=installation == 2)
        owner = "StatefulSet camunda-zeebe" if what_is_left == "StatefulSet" else "camunda-zeebe-0"
        refused(
            self.B5,
            here,
            "exporters-as-before",
            owner,
            "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH",
            f"-hl.{here.survivor.failover}.svc",
            hint="each-stack-repoints",
        )

    def test_a_resumption_that_is_refused_in_its_body_is_asked_for_again(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY, REFUSED_IN_BODY]
        self.B5.prove(here)
        assert here.orders() == ["resume"] * 3
        assert set(here.phases.values()) == {"EXPORTING"}

    def test_a_resumption_that_is_refused_for_good(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        told = ("order-refused", "500 in a body of status 200: Expected 4")
        self.B5.waits(here, self.GOES_ON, *told, hint=self.NEEDS_EVERYBODY, paused=True)

    @EACH_INSTALLATION
    def test_one_broker_that_the_resumption_has_not_reached(
        self, here: World, installation: int
    ) -> None:
        namespace, ordinal = last_broker(here, installation)
        here.deaf.add((namespace, ordinal))
        pod = f"{namespace}/camunda-zeebe-{ordinal}"
        told = messages.exporter_in_other_phase(1, pod, "PAUSED", "EXPORTING")
        self.B5.waits(here, self.GOES_ON, told, hint=self.NEEDS_EVERYBODY, paused=True)

    def test_positions_that_do_not_move(self, here: World) -> None:
        here.stuck = True
        told = messages.exporter_stands_still(4, 100)
        self.B5.waits(here, "positions-move", told, hint="look-at-engines-of-both-regions")
        assert here.orders() == ["resume"]

    def test_brokers_that_the_update_changed_are_restarted_once_exporting_goes_on(
        self, here: World
    ) -> None:
        own = here.survivor.namespace
        here.updates(own, "again")
        self.B5.prove(here)
        assert here.restarts() == {own: [1, 0]}
        assert here.all_faults() == []
        assert here.brokers[own].strategy == ROLLS_BY_ITSELF
        orders = [
            "resume" if each.endswith("/exporting/resume") else "restart"
            for each in here.near.asked
            if each.endswith("/exporting/resume") or each.startswith("DELETE")
        ]
        assert orders == ["resume", "restart", "restart"]


@pytest.mark.parametrize("gone", [False, True], ids=["just resumed", "resumed before"])
def test_one_answer_that_is_lost_after_the_resumption_is_waited_for(
    here: World, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    """It ended the `up`, though exporting went on and nothing was wrong."""
    if gone:
        here.say_phase("EXPORTING")
        here.drop_failover()
    ask, due = installation.exporting, [gone]
    lost: list[CallFailed] = []

    def once_lost(asked: Iterable[LiveInstallation]) -> tuple[Exporting, ...]:
        if due == [True] and not lost:
            lost.append(CallFailed(exporting.no_broker_answered()))
            raise lost[0]
        found = ask(asked)
        due[0] = all(each.phase == RUNNING for each in found)
        return found

    monkeypatch.setattr(installation, "exporting", once_lost)
    OF_THE_SURVIVOR.prove(here)
    assert len(lost) == 1
