"""The gates B6 and B7: nothing of the failover is left, and only then the sleeping brokers wake."""

from dataclasses import replace
from pathlib import Path

import pytest

from messages.clients import installations
from messages.observed import brokers as observed
from messages.steps import releases, steps
from steps.failback import wake
from tests.fakes.gates.failback import (
    ROLLS_BY_ITSELF,
    Gate,
    gateway,
    hint_on_gateway,
    hint_on_pods,
    hosts,
    takes_no_command,
    written,
)
from tests.fakes.kubernetes import Reply, broker_pods
from tests.fakes.leftovers import named, volume
from tests.fakes.regions import AWAKE, RECREATED, World, world
from tests.raising import fails_with, tells

B6, B7 = Gate("B6", RECREATED), Gate("B7", RECREATED)
LEFT_OVER = pytest.mark.parametrize("what", ["namespace", "pod", "claim", "volume"])


@pytest.fixture
def here(here: World) -> World:
    here.retires()
    return here


def left_over(here: World, what: str) -> str:
    """Let something of the failover installation be left; return what is said of it."""
    namespace = here.survivor.failover
    core = f"/api/v1/namespaces/{namespace}"
    if what == "volume":
        here.near.put("/api/v1/persistentvolumes", volume("pv-1", namespace))
        return releases.volumes_left(namespace, ["pv-1"])
    here.has_namespace(here.near, namespace)
    match what:
        case "pod":
            here.near.put(f"{core}/pods", *broker_pods(namespace, 1))
            return releases.namespace_exists(namespace, ["pod/camunda-zeebe-0"])
        case "claim":
            here.near.put(f"{core}/persistentvolumeclaims", named("data-0"))
            return releases.namespace_exists(namespace, ["claim/data-0"])
    return releases.namespace_exists(namespace, [])


class TestB6:
    """Nothing of the failover is left, so that the sleeping brokers may take their ids."""

    def test_it_is_proved_and_changes_nothing(self, here: World) -> None:
        assert B6.prove(here) == {
            "gone": f"namespace {here.survivor.failover}, its claims and volumes"
        }
        assert written(here) == []

    def test_by_a_state_restored_from_before_it_brokers_that_are_awake_are_no_failover_brokers(
        self, here: World
    ) -> None:
        B7.prove(here)
        assert B6.prove(here)["gone"]

    @LEFT_OVER
    def test_whatever_is_left_is_named(self, here: World, what: str) -> None:
        told, hint = left_over(here, what), steps.retire_failover(f"region{1 - here.lost}")
        B6.waits(here, "failover-namespace-gone", told, hint=hint)

    def test_a_failover_broker_that_is_still_in_sight(self, here: World) -> None:
        self.see_failover_broker(here)
        told = ("still-visible", here.survivor.failover)
        B6.waits(here, "failover-brokers-gone", *told, hint=hint_on_gateway(here))

    def test_a_failover_broker_that_leaves_is_waited_for(self, here: World) -> None:
        self.see_failover_broker(here, once=True)
        B6.prove(here)
        assert tells(here.said, "still-visible")

    def see_failover_broker(self, here: World, *, once: bool = False) -> None:
        before = here.view()
        taken = here.ids(here.survivor.failover)[0]
        host = f"camunda-zeebe-0.camunda-zeebe.{here.survivor.failover}.svc"
        seen = {"nodeId": taken, "host": host, "partitions": []}
        after = [Reply(200, before)] if once else []
        here.near.behind(
            gateway(here.survivor.namespace),
            "/v1/topology",
            Reply(200, before | {"brokers": [*before["brokers"], seen]}),
            *after,
        )


class TestB7:
    """The sleeping brokers wake first; then the others take the new configuration in turn."""

    def test_it_is_proved(self, here: World) -> None:
        seen, place = hosts(B7.prove(here)), here.recreated.namespace
        for id_ in here.ids(place):
            assert place in seen[str(id_)].split(".")
        assert sorted(seen) == ["0", "1", "2", "3"]
        assert here.restarts() == {place: [0, 1]}
        assert here.all_faults() == []
        assert here.brokers[place].revisions == [AWAKE, AWAKE]
        assert here.brokers[place].strategy == ROLLS_BY_ITSELF

    def test_said_again_it_restarts_nothing(self, here: World) -> None:
        B7.prove(here)
        B7.prove(here)
        assert here.restarts() == {here.recreated.namespace: [0, 1]}

    def test_all_sleepers_wake_before_another_broker_restarts(self, tmp_path: Path) -> None:
        with world(0, tmp_path, size=8) as large:
            large.retires()
            B7.prove(large)
            (restarts,) = large.restarts().values()
            assert sorted(restarts[:2]) == [0, 2]
            assert restarts[2:] == [3, 1]
            assert large.all_faults() == []

    @LEFT_OVER
    def test_no_broker_wakes_while_something_of_the_failover_is_left(
        self, here: World, what: str
    ) -> None:
        """Two brokers of one id would tear the cluster apart."""
        left_over(here, what)
        ctx = replace(here.ctx("B7", RECREATED), gives_up_on="failover-namespace-gone")
        with fails_with("failover-namespace-gone", here.survivor.failover):
            wake(ctx)
        assert here.restarts() == {}
        assert written(here) == []

    def test_a_sleeper_that_does_not_wake_keeps_the_others_as_they_are(self, here: World) -> None:
        """The ConfigMap still lets it sleep; partitions lack its replicas, so no other broker may go down."""
        place = here.recreated.namespace
        here.brokers[place].failing_back = True
        told = installations.sleepers_not_ready(0, 1, None)
        B7.waits(here, "sleepers-awake", told, hint=hint_on_pods(here, place))
        assert set(here.restarts().get(place, ())) <= {0}

    def test_a_partition_that_stays_incomplete(self, here: World) -> None:
        place = here.recreated.namespace
        here.unhealthy.add(here.ids(here.survivor.namespace)[0])
        B7.waits(here, "sleepers-awake", hint=hint_on_pods(here, place))
        assert 1 not in here.restarts().get(place, ()), "a living broker was restarted"

    def test_a_gateway_of_its_own_that_sees_no_broker(self, here: World) -> None:
        namespace = here.recreated.namespace
        here.far.behind(gateway(namespace), "/v1/topology", Reply(200, {}))
        told = observed.brokers_not_joined([0, 1, 2, 3])
        B7.waits(here, "gateway-sees-all", told, hint=steps.look_at_gateway_pod(namespace))

    def test_a_partition_that_takes_no_command(self, here: World) -> None:
        takes_no_command(here, 2, Reply(503, {"title": "RESOURCE_EXHAUSTED"}))
        B7.waits_for_command(here, "RESOURCE_EXHAUSTED")
