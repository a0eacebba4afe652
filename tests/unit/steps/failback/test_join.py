"""The gates B0 and B1: the recreated region begins with nothing, and half of its brokers join.

Old data would contradict what the survivor decided meanwhile, and two brokers of one id would tear the
cluster apart: so everything that is left is named, and every broker that should sleep must sleep.
"""

import pytest

from dualregion.errors import ClusterUnreachable, ConfigError, Refused
from messages.clients import installations
from messages.observed import brokers as observed
from messages.observed import engines
from messages.steps import progress
from steps.failback import prove_clean
from tests.fakes.gates.failback import Gate, hint_on_pods, hosts, written
from tests.fakes.kubernetes import broker_pods, failure, kubeconfig, kubeconfig_of, search_engine
from tests.fakes.leftovers import helm_record, named, volume, workload
from tests.fakes.regions import FAILED_OVER, RECREATED, World
from tests.raising import assert_tells, fails_with, raises, tells

B0, B1 = Gate("B0"), Gate("B1", RECREATED)

LEFTOVERS = {
    "release": "release/camunda",
    "statefulset": "statefulset/camunda-zeebe",
    "deployment": "deployment/camunda-operate",
    "pod": "pod/camunda-zeebe-0",
    "claim": "claim/data-camunda-zeebe-0",
    "volume": "volume/pv-1",
    "index": "index/operate-list-view",
}
SEEN_FROM_AFAR = {kind: name for kind, name in LEFTOVERS.items() if kind != "release"}
"""What the survivor's stack looks for in the other region."""


def leave(here: World, kind: str) -> None:
    """Leave one thing behind in the recreated region."""
    place = here.recreated.namespace
    core, apps = f"/api/v1/namespaces/{place}", f"/apis/apps/v1/namespaces/{place}"
    match kind:
        case "release":
            here.far.put(f"{core}/secrets", helm_record("camunda"))
        case "statefulset":
            here.far.put(f"{apps}/statefulsets", workload("camunda-zeebe"))
        case "deployment":
            here.far.put(f"{apps}/deployments", workload("camunda-operate"))
        case "pod":
            here.far.put(f"{core}/pods", *broker_pods(place, 1))
        case "claim":
            here.far.put(f"{core}/persistentvolumeclaims", named("data-camunda-zeebe-0"))
        case "volume":
            here.far.put("/api/v1/persistentvolumes", volume("pv-1", place))
        case "index":
            here.far.put(f"{apps}/statefulsets", search_engine(2, 2))
            here.empty.held.documents = {"operate-list-view": 3}


class TestB0:
    """The recreated region answers, and nothing of Camunda is left there."""

    @pytest.mark.parametrize("namespace_exists", [False, True])
    def test_it_is_proved_and_nothing_is_changed(self, here: World, namespace_exists: bool) -> None:
        if namespace_exists:
            here.has_namespace(here.far, here.recreated.namespace)
        assert B0.prove(here) == {
            "clean": f"namespace {here.recreated.namespace} behind kube context "
            f"{here.recreated.kube_context}"
        }
        assert written(here) == []

    def test_it_says_what_it_does(self, here: World) -> None:
        """As every gate: an operator sees where it is, and the interrupted drill kills it there."""
        B0.prove(here)
        region = here.recreated
        line = progress.looking_for_leftovers("B0", region.namespace, region.name)
        assert here.said == [line]

    @pytest.mark.parametrize("kind", SEEN_FROM_AFAR)
    def test_every_kind_of_leftover_is_refused_by_its_name(self, here: World, kind: str) -> None:
        here.has_namespace(here.far, here.recreated.namespace)
        leave(here, kind)
        assert not tells(self.refused(here, LEFTOVERS[kind]), "index/.own")

    def test_all_leftovers_are_told_at_once(self, here: World) -> None:
        here.has_namespace(here.far, here.recreated.namespace)
        for kind in LEFTOVERS:
            leave(here, kind)
        self.refused(here, *SEEN_FROM_AFAR.values())

    def test_no_secret_of_the_other_region_is_asked_for(self, here: World) -> None:
        """Helm's records are Secrets: listing them shows every password. The region's own stack looks for them."""
        here.has_namespace(here.far, here.recreated.namespace)
        B0.prove(here)
        assert not [each for each in here.far.asked if "/secrets" in each]

    def test_a_volume_that_outlived_its_namespace_is_found(self, here: World) -> None:
        leave(here, "volume")
        self.refused(here, "volume/pv-1")

    def refused(self, here: World, *told: str) -> object:
        peer = here.recreated
        with raises(
            "region-not-clean",
            Refused,
            region=peer.name,
            namespace=peer.namespace,
            context=peer.kube_context,
            stack=f"region{here.lost}",
        ) as caught:
            B0.prove(here)
        assert_tells(caught.value.message, *told)
        assert written(here) == []
        return caught.value.message

    def test_the_survivors_own_brokers_are_no_leftovers(self, here: World) -> None:
        """It looks at the other region's cluster, not at its own."""
        assert here.near.objects[f"/api/v1/namespaces/{here.survivor.namespace}/pods"]
        B0.prove(here)
        assert here.near.asked == []

    def test_a_region_that_does_not_answer_is_an_error_that_names_it(self, here: World) -> None:
        ctx = here.ctx("B0")
        away = {here.survivor.kube_context: here.near.url}
        kubeconfig_of(here.folder, away | {here.recreated.kube_context: "http://127.0.0.1:9"})
        named = ("cluster-unreachable", here.recreated.kube_context, "127.0.0.1:9")
        with fails_with("lost-region-unreachable", *named, kind=ClusterUnreachable):
            prove_clean(ctx)

    def test_a_region_that_the_kubeconfig_does_not_know_is_named(self, here: World) -> None:
        ctx = here.ctx("B0")
        kubeconfig(here.folder, here.near.url, here.survivor.kube_context)
        with raises("no-such-context", ConfigError, context=here.recreated.kube_context):
            prove_clean(ctx)

    def test_a_place_that_cannot_be_looked_at_is_not_clean(self, here: World) -> None:
        path = "/api/v1/persistentvolumes"
        here.far.broken[path] = failure(403, "Forbidden", "persistentvolumes is forbidden")
        with fails_with("call-refused", "persistentvolumes is forbidden"):
            B0.prove(here)


class TestB1:
    """Half of the recreated region's brokers have joined, the others sleep; the engine is empty."""

    JOINED, SLEEPS = "awake-brokers-joined", "half-of-the-brokers-asleep"

    @pytest.fixture
    def here(self, here: World) -> World:
        here.joins()
        return here

    def refused(self, here: World, what: str, *told: str, hint: str | None = None) -> None:
        on_pods = hint_on_pods(here, here.recreated.namespace)
        B1.waits(here, what, *told, hint=hint or on_pods)
        assert here.restarts() == {}

    def test_it_is_proved(self, here: World) -> None:
        seen, place = hosts(B1.prove(here)), here.recreated.namespace
        taken, awake = here.ids(place)
        assert sorted(seen) == ["0", "1", "2", "3"]
        assert place in seen[str(awake)].split(".")
        assert here.survivor.failover in seen[str(taken)].split(".")
        assert here.restarts() == {}
        gateways = [each for each in here.far.asked if "camunda-zeebe-gateway" in each]
        assert gateways == [], "its own gateway may have met a sleeping broker, and see no broker"

    def test_an_even_broker_that_is_awake(self, here: World) -> None:
        """Its id is a failover broker's: two of one id would tear the cluster apart."""
        place = here.recreated.namespace
        here.runs(place, FAILED_OVER, failing_back=False)
        self.refused(here, self.SLEEPS, installations.broker_awake("camunda-zeebe-0", place))

    def test_an_odd_broker_that_is_not_ready(self, here: World) -> None:
        place = here.recreated.namespace
        here.brokers[place].never_ready(1)
        self.refused(here, self.SLEEPS, "broker-not-ready", "camunda-zeebe-1", place)

    def test_search_engine_nodes_that_are_not_ready(self, here: World) -> None:
        place = here.recreated.namespace
        here.far.put(f"/apis/apps/v1/namespaces/{place}/statefulsets", search_engine(2, 1))
        told = installations.engine_nodes_not_ready(1, 2, place, None)
        self.refused(here, "engine-ready", told)

    @pytest.mark.parametrize(
        ("documents", "status", "told"),
        [
            pytest.param(
                {"operate-list-view": 3},
                "green",
                engines.engine_not_empty(["operate-list-view"]),
                id="not empty",
            ),
            pytest.param({"operate-list-view": 0}, "green", "engine-not-empty", id="no document"),
            pytest.param({}, "yellow", engines.engine_not_green("yellow"), id="yellow"),
            pytest.param({}, "red", engines.engine_not_green("red"), id="red"),
        ],
    )
    def test_an_engine_that_is_not_green_and_empty(
        self, here: World, documents: dict[str, int], status: str, told: str
    ) -> None:
        here.empty.held.documents, here.empty.status = documents, status
        self.refused(here, "engine-empty", told, hint="look-at-exporters")

    def test_it_is_the_recreated_regions_own_engine_that_is_looked_at(self, here: World) -> None:
        B1.prove(here)
        assert here.empty.asked() == ["GET /_cluster/health"]
        assert here.own.asked() == []

    def test_a_broker_that_has_not_joined(self, here: World) -> None:
        place = here.recreated.namespace
        (_, awake) = here.ids(place)
        here.unseen.add(awake)
        told = observed.brokers_not_joined([awake])
        self.refused(here, self.JOINED, told, hint="look-at-dns-and-network")

    def test_a_broker_of_the_failover_that_is_not_in_sight(self, here: World) -> None:
        (taken,) = here.ids(here.survivor.failover)
        here.unseen.add(taken)
        told = observed.brokers_not_joined([taken])
        self.refused(here, self.JOINED, told, hint="look-at-dns-and-network")

    def test_a_partition_that_is_not_complete(self, here: World) -> None:
        here.unhealthy.add(here.ids(here.recreated.namespace)[1])
        self.refused(here, self.JOINED, "too-few-healthy-replicas", hint="look-at-dns-and-network")
