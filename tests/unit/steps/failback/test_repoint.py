"""The gate B4: each stack restarts its brokers one after the other, while everything stays paused."""

from dataclasses import replace
from pathlib import Path

import pytest

from dualregion.state.progress import Stack
from messages.clients import installations
from messages.observed import brokers as messages
from messages.observed import engines
from steps import actions
from tests.fakes.gates.failback import ROLLS_BY_ITSELF, Gate, hint_on_pods, hosts, takes_no_command
from tests.fakes.kubernetes import Reply
from tests.fakes.regions import BOTH, RECREATED, SURVIVOR, World, world
from tests.fakes.search_engines import Held, refusal
from tests.raising import assert_tells


class TestTheSurvivor:
    """The survivor's brokers and the failover ones, restarted one after the other, still paused."""

    B4 = Gate("B4", SURVIVOR)

    @pytest.fixture
    def here(self, here: World) -> World:
        here.copies()
        return here

    def places(self, here: World) -> tuple[str, ...]:
        return here.namespaces[:2]

    def test_it_is_proved(self, here: World) -> None:
        evidence = self.B4.prove(here)
        assert evidence["exporters"] == "still paused"
        assert list(hosts(evidence)) == list("0123")
        assert here.restarts() == {
            name: list(reversed(range(here.brokers[name].count))) for name in self.places(here)
        }
        assert here.all_faults() == []
        for name in self.places(here):
            living = here.brokers[name]
            assert living.revisions == [living.revision] * living.count
            assert living.strategy == ROLLS_BY_ITSELF
        assert here.orders() == []
        assert set(here.phases.values()) == {"PAUSED"}

    def test_said_again_it_restarts_nothing(self, here: World) -> None:
        self.B4.prove(here)
        before = here.restarts()
        self.B4.prove(here)
        assert here.restarts() == before

    def test_nothing_is_restarted_while_a_partition_is_not_complete(self, here: World) -> None:
        here.unhealthy.add(here.ids(here.survivor.failover)[0])
        _, last = self.first_to_restart(here)
        told = ("restart-delayed", f"camunda-zeebe-{last}", "too-few-healthy-replicas")
        self.never_rolls(here, *told)
        assert here.restarts() == {}

    def test_a_broker_that_does_not_come_back_ends_it(self, here: World) -> None:
        """The next one is not restarted: two that are down cost the quorum."""
        place, last = self.first_to_restart(here)
        living = here.brokers[place]

        def come_back_never() -> None:
            here.__class__.tick(here)
            if living.restarts and last in living.pods and not living.down():
                living.never_ready(last)

        for fake in (here.near, here.far):
            fake.tick = come_back_never
        self.never_rolls(here, "camunda-zeebe-")
        assert here.restarts() == {place: [last]}

    def first_to_restart(self, here: World) -> tuple[str, int]:
        place = self.places(here)[0]
        return place, here.brokers[place].count - 1

    def never_rolls(self, here: World, *told: str) -> None:
        """Let it wait in vain for the first broker to come back with the new configuration."""
        place, last = self.first_to_restart(here)
        hint = hint_on_pods(here, place)
        found = self.B4.waits(here, "broker-renewed", *told, hint=hint, paused=True)
        assert_tells(found.facts["what"], f"camunda-zeebe-{last}", place)

    def test_brokers_with_wrong_addresses(self, here: World) -> None:
        place = self.places(here)[-1]
        here.updates(place, "wrong", failing_back=self.B4.role == RECREATED)
        engine = "http://camunda-elasticsearch-master-hl"
        self.B4.waits(
            here,
            "exporters-as-before",
            "wrong-environment",
            "StatefulSet camunda-zeebe",
            f"ELASTICSEARCHREGION{here.lost}_ARGS_URL",
            f"{engine}.{here.survivor.failover}.svc",
            f"{engine}.{here.recreated.namespace}",
            hint="each-stack-repoints",
            paused=True,
        )

    def test_one_broker_that_is_no_longer_paused(self, here: World) -> None:
        place = self.places(here)[0]
        here.say_phase("EXPORTING", (place, 1))
        told = messages.exporter_in_other_phase(
            1, f"{place}/camunda-zeebe-1", "EXPORTING", "PAUSED"
        )
        self.B4.waits_for_pause(here, told, paused=True)

    def test_exporters_that_were_resumed_meanwhile(self, here: World) -> None:
        here.say_phase("EXPORTING")
        self.B4.waits_for_pause(here, paused=False)

    def test_a_web_app_that_runs(self, here: World) -> None:
        place = here.survivor.namespace if self.B4.role == SURVIVOR else here.recreated.namespace
        here.has_web_apps(place)
        told = installations.app_still_wanted("camunda-operate", place, 2)
        self.B4.waits(here, "web-apps-stay-down", told, hint="scale-to-nothing", paused=True)

    def has_a_gap(self, here: World, *told: str) -> None:
        """Let it find the copy short of something: exporting stays paused, and the way on is named."""
        self.B4.fails(here, *told, "back-out", paused=True)
        assert set(here.phases.values()) == {"PAUSED"}
        assert here.orders() == []

    def test_what_a_leader_flushed_late_to_the_failover_engine(self, here: World) -> None:
        """It reached neither engine while B2 waited for quiet, and exporters never go back."""
        here.takeover.held.positions[1].add(21)
        self.has_a_gap(
            here,
            "copy-lacks-records",
            engines.records_missing(1, 11, 21, 10, 20),
        )

    def test_what_a_leader_flushed_late_to_the_survivor_s_engine(self, here: World) -> None:
        here.own.held.documents["zeebe-record_job"] += 1
        self.has_a_gap(here, engines.documents_differ("zeebe-record_job", 41, 40))

    def test_a_copy_that_was_lost(self, here: World) -> None:
        here.empty.held = Held()
        self.has_a_gap(here, engines.documents_differ("operate-list-view", 7, None))

    def test_an_index_that_retention_has_deleted_in_the_survivor_alone(self, here: World) -> None:
        here.own.held.documents.pop("zeebe-record_job")
        self.B4.prove(here)

    def test_an_engine_that_does_not_tell_is_not_taken_for_whole(self, here: World) -> None:
        here.empty.says("GET", "/*,-.*/_stats/docs", refusal(503, "x", "no master"))
        self.B4.fails(here, "no master", paused=True, gives_up_on="documents-counted")

    def test_a_partition_that_takes_no_command(self, here: World) -> None:
        takes_no_command(here, 3, Reply(504, {"title": "DEADLINE_EXCEEDED"}))
        self.B4.waits_for_command(here, "DEADLINE_EXCEEDED", paused=True)


class TestAtSizeEight:
    """Six brokers of the survivor's stack, in two installations."""

    B4 = Gate("B4", SURVIVOR)

    def test_never_are_two_brokers_down_at_once(self, tmp_path: Path) -> None:
        """At size 8 there are six to restart, in two installations."""
        with world(1, tmp_path, size=8) as here:
            here.copies()
            self.B4.prove(here)
            own, failover_namespace, _ = here.namespaces
            assert here.restarts() == {own: [3, 2, 1, 0], failover_namespace: [1, 0]}
            assert here.all_faults() == []


class TestTheRecreatedRegion(TestTheSurvivor):
    """The recreated region's brokers: awake ones in turn, sleeping ones go on sleeping."""

    B4 = Gate("B4", RECREATED)

    @pytest.fixture
    def here(self, here: World) -> World:
        here.repoints()
        return here

    def places(self, here: World) -> tuple[str, ...]:
        return here.namespaces[2:]

    def test_where_the_survivor_has_reopened_already_nothing_restarts(self, here: World) -> None:
        """The record of B4 went as the region was called lost meanwhile; nothing is paused any more."""
        here.runs(self.places(here)[0], BOTH, failing_back=True)
        here.say_phase("EXPORTING")
        before = here.restarts()
        ctx = here.ctx("B4", RECREATED)
        reopened = replace(ctx, peer=Stack(gates={"B5": str(ctx.incident)}))
        evidence = actions.PROOFS["B4"](reopened)
        assert evidence["exporters"] == "went on before this run"
        assert here.restarts() == before

    def test_sleeping_brokers_get_the_new_configuration_and_sleep_on(self, here: World) -> None:
        self.B4.prove(here)
        living = here.brokers[here.recreated.namespace]
        assert [living.answers(ordinal) for ordinal in (0, 1)] == [False, True]
        assert living.revisions == [BOTH, BOTH]
