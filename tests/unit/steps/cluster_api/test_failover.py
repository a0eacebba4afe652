"""The gates N, F1, F2 and F3 by the cluster API: each is proved, or fails for one thing and says so."""

from dataclasses import replace

import pytest

from dualregion.errors import Refused
from dualregion.procedure import N
from dualregion.procedure.versions import WebApps
from messages.steps import steps
from steps.cluster_api import failover
from steps.still_working import StillWorking
from tests.fakes.cluster_regions import MEMBER, QUIET, ApiWorld
from tests.fakes.gates.by_cluster_api import fails, waits
from tests.fakes.kubernetes import Reply
from tests.raising import assert_tells, fails_with, tells

MANAGEMENT = "services/camunda-zeebe-gateway:9600"


def leave_pending(here: ApiWorld) -> str:
    """Let a change pend whose broker is lost; return the code of what is told of it."""
    here.management.stuck = True
    here.management.change = 8
    here.management.pending = [{"operation": "BROKER_ADD", "brokerId": here.lost_ids[0]}]
    return "change-pends" if here.lost else "other-change-pending"


class TestN:
    """All brokers are members, and both exporters are enabled."""

    def test_it_is_proved_and_changes_nothing(self, here: ApiWorld) -> None:
        evidence = here.prove("N", MEMBER)
        assert evidence["exporters"] == ", ".join(
            f"{here.version.exporter.id_of(each)} ENABLED" for each in (0, 1)
        )
        assert here.orders() == []

    def test_a_broker_that_is_no_member(self, here: ApiWorld) -> None:
        here.management.states[here.lost_ids[0]] = "LEAVING"
        waits(here, "N", "all-members", "members-not-active", "LEAVING", role=MEMBER)

    def test_a_replica_that_is_missing(self, here: ApiWorld) -> None:
        """It is seen in the configuration, too; the topology is looked at before."""
        ctx = here.ctx("N", MEMBER)
        here.management.members[0][1].state = "JOINING"
        site = replace(ctx, gives_up_on="all-members")
        with fails_with("deadline-exceeded", "replica-not-active"):
            failover.prove_members_and_exporters(site, site.waiting(N))

    def test_a_change_that_pends(self, here: ApiWorld) -> None:
        self.leave_change(here)
        found = waits(here, "N", "all-members", "change-pends", role=MEMBER)
        assert_tells(found.facts["hint"], "look-at-change")

    def test_an_exporter_that_is_disabled(self, here: ApiWorld) -> None:
        here.management.set_exporter(here.lost_exporter, "DISABLED")
        waits(here, "N", "exporters-enabled", "exporter-not-as-wanted", role=MEMBER)

    def test_a_web_app_that_is_down(self, here: ApiWorld) -> None:
        here.has_web_apps(here.survivor.namespace, running=False)
        waits(here, "N", "web-apps-available", role=MEMBER)

    def leave_change(self, here: ApiWorld) -> None:
        here.management.stuck = True
        here.management.answer(
            "POST", f"/actuator/exporters/{here.lost_exporter}/disable", {}, None
        )


class TestF1:
    """The lost brokers are gone, those of this region there, and a dry run names exactly the lost ones."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.lose()
        return here

    def test_it_is_proved_and_changes_nothing(self, here: ApiWorld) -> None:
        evidence = here.prove("F1")
        assert evidence["toBeRemoved"] == ", ".join(map(str, here.lost_ids))
        assert here.orders() == []

    def test_run_again_after_the_removal(self, here: ApiWorld) -> None:
        here.management.keep(here.kept_ids)
        here.prove("F1")
        assert here.orders() == []

    def test_brokers_of_the_own_region_that_are_not_in_sight(self, here: ApiWorld) -> None:
        """The gateway sees some of them, so what it does not see of the lost ones counts."""
        here.unseen.add(here.kept_ids[1])
        here.brokers[here.survivor.namespace].never_ready(1)
        waits(here, "F1", "kept-in-sight", "brokers-not-joined")

    def test_a_region_that_lives(self, here: ApiWorld) -> None:
        here.reinstalls()
        waits(here, "F1", "lost-brokers-gone", "still-visible")

    def test_a_removal_that_would_take_others(self, here: ApiWorld) -> None:
        here.management.members[here.kept_ids[0]].pop(1)
        fails(here, "F1", "removal-would-harm", "replicas-not-split", kind=Refused)
        assert here.orders() == []

    def test_members_of_neither_region(self, here: ApiWorld) -> None:
        here.management.members[9], here.management.states[9] = {}, "ACTIVE"
        fails(here, "F1", "removal-would-harm", kind=Refused)
        assert here.orders() == []

    def test_a_kept_broker_that_is_no_member(self, here: ApiWorld) -> None:
        """A list of those to keep is refused by the cluster; of those to remove by the dry run's end."""
        del here.management.members[here.kept_ids[-1]]
        fails(here, "F1", kind=Refused)
        assert here.orders() == []

    def test_a_change_that_pends(self, here: ApiWorld) -> None:
        """It is shown, with what a person can do; while its coordinator is lost, the dry run says that there is one."""
        found = waits(here, "F1", "removal-shown", leave_pending(here))
        assert_tells(found.facts["hint"], "look-at-change")

    def test_a_zone_aware_cluster(self, here: ApiWorld) -> None:
        answer = here.management.document()
        answer["brokers"][0]["id"] = "zone-a_0"
        place = f"{here.survivor.namespace}/{MANAGEMENT}"
        here.near.behind(place, "/actuator/cluster", Reply(200, answer))
        with fails_with("zone-aware-cluster", "zone-a_0", kind=Refused):
            here.prove("F1")


class TestF2:
    """The lost brokers are removed, once, and those that remain lead every partition."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.lose()
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("F2")
        assert set(here.management.members) == set(here.kept_ids)
        assert evidence["changes"] == str(here.management.change)
        assert here.restarts() == {}

    def test_said_again_it_removes_nothing(self, here: ApiWorld) -> None:
        here.prove("F2")
        here.prove("F2")
        assert len(here.orders()) == 1

    def test_what_is_left_of_a_removal_that_was_cancelled(self, here: ApiWorld) -> None:
        gone = here.lost_ids[0]
        here.management.keep({*range(here.size)} - {gone})
        here.prove("F2")
        assert set(here.management.members) == set(here.kept_ids)

    def test_what_is_no_member_any_more_is_not_named(self, here: ApiWorld) -> None:
        """One form would be refused, and the other reconfigures every partition by force all the same."""
        gone, *left = here.lost_ids
        here.management.keep({*range(here.size)} - {gone})
        here.prove("F2")
        asked = [body for at, body in here.near.bodies.items() if "/actuator/cluster" in at]
        assert asked in ([{"brokers": {"remove": left}}], [list(here.kept_ids)])

    @pytest.mark.parametrize("status", [502, 504])
    @pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
    def test_an_answer_that_got_lost(self, here: ApiWorld, status: int, taken: bool) -> None:
        """Before it is asked again it is looked at what has become of it."""
        reply = Reply(status, {"message": "no answer"})
        if taken:
            here.management.swallow = [reply]
        else:
            here.management.deny = [reply]
        here.prove("F2")
        assert set(here.management.members) == set(here.kept_ids)
        assert len(here.orders()) == (1 if taken else 2)

    def test_a_removal_is_never_asked_for_while_another_change_pends(self, here: ApiWorld) -> None:
        told = leave_pending(here)
        waits(here, "F2", "lost-removed", told)
        assert here.orders() == []

    def test_a_removal_that_never_ends_is_not_asked_for_twice(self, here: ApiWorld) -> None:
        here.management.stuck = True
        found = waits(here, "F2", "lost-removed")
        assert_tells(found.facts["hint"], "look-at-change")
        assert len(here.orders()) == 1

    def test_a_removal_that_a_person_ends(self, here: ApiWorld) -> None:
        here.management.ends_as = "CANCELLED"
        fails(here, "F2", "change-not-completed", "CANCELLED")

    def test_a_removal_that_would_harm(self, here: ApiWorld) -> None:
        here.management.members[here.kept_ids[0]].pop(1)
        fails(here, "F2", "removal-would-harm", kind=Refused)
        assert here.orders() == []

    def test_it_works_for_a_while_before_anybody_may_restart(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failover, "STEADY_SECONDS", 0.2)
        here.prove("F2")
        assert tells(here.said, "seen-for-a-while")

    def test_a_partition_that_is_not_led(self, here: ApiWorld) -> None:
        here.prove("F2")
        here.brokers[here.survivor.namespace].never_ready(0)
        waits(here, "F2", "partitions-led-steadily", "no-leader")

    def test_a_lost_region_that_still_works_with_brokers_of_this_one(
        self, here: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.prove("F2")
        here.brokers[here.survivor.namespace].never_ready(0)
        told = steps.lost_region_works(1, "paris", "london")
        monkeypatch.setattr(StillWorking, "seen", lambda _: told)
        found = waits(here, "F2", "partitions-led-steadily", told.code)
        assert_tells(found.facts["hint"], "cut-what-policies-leave")

    def test_the_brokers_of_a_failback_that_is_backed_out_of(self, here: ApiWorld) -> None:
        """They run without web apps; one after the other gets the release's own configuration."""
        here.management.keep(here.kept_ids)
        here.runs(here.survivor.namespace, QUIET)
        here.opens(here.survivor.namespace)
        here.prove("F2")
        rolled = [1, 0] if here.version.web_apps is WebApps.PROFILES else []
        assert here.restarts().get(here.survivor.namespace, []) == rolled
        assert here.all_faults() == []
        strategy = here.brokers[here.survivor.namespace].strategy
        assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


class TestF3:
    """The lost region's exporter is disabled, and the survivor's goes on."""

    @pytest.fixture
    def here(self, here: ApiWorld) -> ApiWorld:
        here.lose()
        here.management.keep(here.kept_ids)
        return here

    def test_it_is_proved(self, here: ApiWorld) -> None:
        evidence = here.prove("F3")
        assert evidence["disabled"] == here.lost_exporter
        assert here.orders() == [f"POST /actuator/exporters/{here.lost_exporter}/disable"]

    def test_said_again_it_disables_nothing(self, here: ApiWorld) -> None:
        here.prove("F3")
        here.prove("F3")
        assert len(here.orders()) == 1

    def test_an_exporter_that_no_broker_has_any_more(self, here: ApiWorld) -> None:
        here.management.set_exporter(here.lost_exporter, "CONFIG_NOT_FOUND")
        here.prove("F3")
        assert here.orders() == []

    def test_one_of_another_version_is_disabled_too(self, here: ApiWorld) -> None:
        """A cluster that was migrated from 8.7 to 8.8 has both kinds for a while."""
        prefix = (
            "elasticsearchregion" if here.version.web_apps is WebApps.PROFILES else "camundaregion"
        )
        for region in (0, 1):
            here.management.set_exporter(f"{prefix}{region}", "ENABLED")
        evidence = here.prove("F3")
        older = f"{prefix}{here.lost}"
        assert evidence["disabled"] == f"{here.lost_exporter}, {older}"
        assert here.orders() == [
            f"POST /actuator/exporters/{each}/disable" for each in (here.lost_exporter, older)
        ]

    def test_an_exporter_that_is_not_known(self, here: ApiWorld) -> None:
        for held in here.management.members.values():
            for replica in held.values():
                replica.exporters.pop(here.lost_exporter)
        fails(here, "F3", "change-refused", "change-not-possible", kind=Refused)

    def test_positions_that_do_not_move(self, here: ApiWorld) -> None:
        here.stuck = True
        waits(here, "F3", "positions-move", "exporter-stands-still")

    def test_what_a_failback_has_done_is_undone(self, here: ApiWorld) -> None:
        """The exporter is disabled before exporting goes on."""
        here.management.say_phase("PAUSED")
        here.prove("F3")
        assert here.phases() == {"EXPORTING"}
        assert here.orders() == [
            f"POST /actuator/exporters/{here.lost_exporter}/disable",
            "POST /actuator/exporting/resume",
        ]

    def test_a_resumption_that_is_refused(self, here: ApiWorld) -> None:
        here.management.say_phase("PAUSED")
        refusal = {"body": {"message": "no"}, "status": 500, "contentType": None}
        here.management.refusals = [Reply(200, refusal)] * 1000
        waits(here, "F3", "exporters-resume", "order-refused")
