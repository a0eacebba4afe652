"""The failback's gates, B0 to B7: each can succeed, each can fail, and a failure says how to go on or back.

Both regions live in two fake clusters (`failback_world`). They are as they are when all goes well; then one
thing at a time is put wrong, and the gate that is there for it must not let it pass. Whatever fails while
exporters are paused must say so. Either region is recreated in turn.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dualregion import values
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError, Refused
from dualregion.procedure import FAILBACK_STEPS
from hooks import failback, failover, steps
from hooks.site import Evidence
from hooks.webapps import REPLICAS_ANNOTATION
from tests.unit.failback_world import (
    AWAKE,
    BOTH,
    FAILED_OVER,
    RECREATED,
    SURVIVOR,
    WEB_APPS,
    PickySite,
    World,
    flushing_after,
    web_app_pod,
    world,
)
from tests.unit.fake_kubernetes import (
    Document,
    Reply,
    broker_pods,
    failure,
    kubeconfig,
    kubeconfig_of,
    search_engine,
)
from tests.unit.search_engines import refusal as engine_refusal

REFUSED_IN_BODY = Reply(
    200,
    {
        "body": {"message": "Expected 4 members of partition 2 but found 3, current topology: ..."},
        "status": 500,
        "contentType": None,
    },
)
"""What the gateway says to a pause while a broker is missing: refused, under a status line that accepts."""
ROLLS_BY_ITSELF = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
REPOSITORY = "/_snapshot/camunda_backup"


@pytest.fixture(params=[1, 0], ids=["region 1 recreated", "region 0 recreated"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world(request.param, tmp_path) as made:
        yield made


def prove(site: PickySite, step: str) -> Evidence:
    return steps.PROOFS[step](site)


def refusal(site: PickySite, step: str, what: str, *, hint: str) -> str:
    """Let a gate wait in vain for one thing; return what it says."""
    with pytest.raises(DualRegionError) as caught:
        prove(replace(site, gives_up_on=what), step)
    text = str(caught.value)
    assert text.startswith(f"{step}: waited "), text
    assert what in text.partition("Last seen: ")[0], text
    assert hint in text.partition("Last seen: ")[2], text
    assert "The same `pulumi up` goes on from here." in text, text
    return text


def says_how_to_go_on_and_back(text: str) -> bool:
    """Whether a message leaves no doubt that exporters are paused."""
    return all(
        part in text
        for part in (
            "EXPORTERS ARE PAUSED (",
            "the brokers' disks fill",
            "`pulumi up` on the survivor's stack goes on",
            "to back out, `pulumi config set phase failover` on both stacks and `pulumi up` on the survivor's",
            "possible until step B5",
        )
    )


def written(asked: list[str]) -> list[str]:
    return [each for each in asked if not each.startswith("GET")]


def hint_on_pods(here: World, namespace: str) -> str:
    region = here.recreated if namespace == here.recreated.namespace else here.survivor
    return f"Look at the pods: kubectl --context {region.kube_context} -n {namespace} get pods. The"


# --- The whole of it -----------------------------------------------------------------------------


def test_every_step_of_the_failback_is_exercised_from_its_first_to_its_last(here: World) -> None:
    """The world is one and the same throughout: what a step leaves is what the next one finds."""
    survivor, failover_namespace, recreated = here.namespaces
    done = [("B0", prove(here.site("B0"), "B0"))]
    here.joins()
    done.append(("B1", prove(here.site("B1", RECREATED), "B1")))
    done.append(("B2", prove(here.site("B2"), "B2")))
    done.append(("B3", prove(here.site("B3"), "B3")))
    here.near.objects.pop(f"/apis/apps/v1/namespaces/{survivor}/deployments")
    for namespace in (survivor, failover_namespace):
        here.updates(namespace, BOTH)
    done.append(("B4", prove(here.site("B4"), "B4")))
    here.updates(recreated, BOTH, failing_back=True)
    done.append(("B4", prove(here.site("B4", RECREATED), "B4")))
    assert set(here.phases.values()) == {"PAUSED"}
    here.has_web_apps(recreated)
    done.append(("B5", prove(here.site("B5", RECREATED), "B5")))
    assert here.orders() == ["pause"]
    here.has_web_apps(survivor)
    done.append(("B5", prove(here.site("B5"), "B5")))
    here.drop_failover()
    done.append(("B6", prove(here.site("B6", RECREATED), "B6")))
    for living in here.brokers.values():
        living.restarts.clear()
    here.updates(recreated, AWAKE)
    done.append(("B7", prove(here.site("B7", RECREATED), "B7")))
    assert {step for step, _ in done} == {step.id for step in FAILBACK_STEPS}
    assert all(evidence and json.dumps(evidence) for _, evidence in done)
    assert here.orders() == ["pause", "resume"]
    assert here.empty.held == here.own.held
    assert here.all_faults() == []
    assert here.restarts() == {recreated: [0, 1]}


# --- B0 ------------------------------------------------------------------------------------------


def named(name: str, /, **labels: str) -> Document:
    return {"metadata": {"name": name, "labels": labels}}


def workload(name: str) -> Document:
    template: Document = {"metadata": {}, "spec": {"containers": []}}
    spec = {"replicas": 0, "serviceName": name, "selector": {}, "template": template}
    return named(name) | {"spec": spec}


def volume(namespace: str) -> Document:
    claim = {"namespace": namespace, "name": "data-camunda-zeebe-0"}
    return named("pv-1") | {"spec": {"claimRef": claim}}


def leave(here: World, kind: str) -> None:
    """Leave one thing behind in the recreated region."""
    place = here.recreated.namespace
    core, apps = f"/api/v1/namespaces/{place}", f"/apis/apps/v1/namespaces/{place}"
    record = named("sh.helm.release.v1.camunda.v1", owner="helm", name="camunda", version="1")
    match kind:
        case "release":
            here.far.put(f"{core}/secrets", record)
        case "statefulset":
            here.far.put(f"{apps}/statefulsets", workload("camunda-zeebe"))
        case "deployment":
            here.far.put(f"{apps}/deployments", workload("camunda-operate"))
        case "pod":
            here.far.put(f"{core}/pods", *broker_pods(place, 1))
        case "claim":
            here.far.put(f"{core}/persistentvolumeclaims", named("data-camunda-zeebe-0"))
        case "volume":
            here.far.put("/api/v1/persistentvolumes", volume(place))
        case "index":
            here.far.put(f"{apps}/statefulsets", search_engine(2, 2))
            listed = [{"index": "operate-list-view"}, {"index": ".own"}]
            here.far.behind(here.empty.target, "/_cat/indices", Reply(200, listed))


LEFTOVERS = {
    "release": "release/camunda",
    "statefulset": "statefulset/camunda-zeebe",
    "deployment": "deployment/camunda-operate",
    "pod": "pod/camunda-zeebe-0",
    "claim": "claim/data-camunda-zeebe-0",
    "volume": "volume/pv-1",
    "index": "index/operate-list-view",
}


class TestB0:
    """The recreated region answers, and nothing of Camunda is left there."""

    @pytest.mark.parametrize("namespace_exists", [False, True])
    def test_it_is_proved_and_nothing_is_changed(self, here: World, namespace_exists: bool) -> None:
        if namespace_exists:
            here.has_namespace(here.far, here.recreated.namespace)
        assert prove(here.site("B0"), "B0") == {
            "clean": f"namespace {here.recreated.namespace} behind kube context "
            f"{here.recreated.kube_context}"
        }
        assert written([*here.near.asked, *here.far.asked]) == []

    @pytest.mark.parametrize("kind", LEFTOVERS)
    def test_every_kind_of_leftover_is_refused_by_its_name(self, here: World, kind: str) -> None:
        here.has_namespace(here.far, here.recreated.namespace)
        leave(here, kind)
        text = self.refused(here)
        assert LEFTOVERS[kind] in text
        assert "index/.own" not in text

    def test_all_leftovers_are_told_at_once(self, here: World) -> None:
        here.has_namespace(here.far, here.recreated.namespace)
        for kind in LEFTOVERS:
            leave(here, kind)
        text = self.refused(here)
        assert all(name in text for name in LEFTOVERS.values())

    def test_a_volume_that_outlived_its_namespace_is_found(self, here: World) -> None:
        leave(here, "volume")
        assert "volume/pv-1" in self.refused(here)

    def refused(self, here: World) -> str:
        with pytest.raises(Refused) as caught:
            prove(here.site("B0"), "B0")
        text, peer = str(caught.value), here.recreated
        assert text.startswith(
            f"B0: region {peer.name} is not clean, its namespace {peer.namespace} holds "
        )
        assert "`pulumi config set phase failover` and `pulumi up` on stack region" in text
        assert f"kubectl --context {peer.kube_context} delete namespace {peer.namespace}" in text
        assert "Then run `pulumi up` again" in text
        assert written([*here.near.asked, *here.far.asked]) == []
        return text

    def test_the_survivors_own_brokers_are_no_leftovers(self, here: World) -> None:
        """It looks at the other region's cluster, not at its own."""
        assert here.near.objects[f"/api/v1/namespaces/{here.survivor.namespace}/pods"]
        prove(here.site("B0"), "B0")
        assert here.near.asked == []

    def test_a_region_that_does_not_answer_is_an_error_that_names_it(self, here: World) -> None:
        site = here.site("B0")
        away = {here.survivor.kube_context: here.near.url}
        kubeconfig_of(here.folder, away | {here.recreated.kube_context: "http://127.0.0.1:9"})
        with pytest.raises(ClusterUnreachable) as caught:
            prove(site, "B0")
        text = str(caught.value)
        assert f"kube context {here.recreated.kube_context!r} does not answer" in text
        assert "127.0.0.1:9" in text

    def test_a_region_that_the_kubeconfig_does_not_know_is_named(self, here: World) -> None:
        site = here.site("B0")
        kubeconfig(here.folder, here.near.url, here.survivor.kube_context)
        with pytest.raises(ConfigError) as caught:
            prove(site, "B0")
        assert f"kubeContext is {here.recreated.kube_context!r}" in str(caught.value)

    def test_a_place_that_cannot_be_looked_at_is_not_clean(self, here: World) -> None:
        path = "/api/v1/persistentvolumes"
        here.far.broken[path] = failure(403, "Forbidden", "persistentvolumes is forbidden")
        with pytest.raises(DualRegionError, match="persistentvolumes is forbidden"):
            prove(here.site("B0"), "B0")


# --- B1 ------------------------------------------------------------------------------------------


class TestB1:
    """Half of the recreated region's brokers have joined, the others sleep; the engine is empty."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.joins()
        return here

    def refused(self, here: World, what: str, *, hint: str) -> str:
        text = refusal(here.site("B1", RECREATED), "B1", what, hint=hint)
        assert here.restarts() == {}
        return text

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B1", RECREATED), "B1")
        place = here.recreated.namespace
        _, awake = here.ids(place)
        hosts = dict(each.split(" ") for each in evidence["brokers"].split(", "))
        assert sorted(hosts) == ["0", "1", "2", "3"]
        assert place in hosts[str(awake)].split(".")
        assert here.survivor.failover in hosts[str(here.ids(place)[0])].split(".")
        assert here.restarts() == {}
        gateways = [each for each in here.far.asked if "camunda-zeebe-gateway" in each]
        assert gateways == [], "its own gateway may have met a sleeping broker, and see nobody"

    def test_an_even_broker_that_is_awake(self, here: World) -> None:
        """Its id is a failover broker's: two of one id would tear the cluster apart."""
        here.runs(here.recreated.namespace, FAILED_OVER, failing_back=False)
        text = self.refused(
            here,
            f"the odd brokers of {here.recreated.namespace} are ready, the even ones asleep",
            hint=hint_on_pods(here, here.recreated.namespace),
        )
        assert (
            f"Last seen: camunda-zeebe-0 in {here.recreated.namespace} is ready, but should sleep"
            in text
        )

    def test_an_odd_broker_that_is_not_ready(self, here: World) -> None:
        here.brokers[here.recreated.namespace].never_ready(1)
        text = self.refused(
            here,
            "are ready, the even ones asleep",
            hint=hint_on_pods(here, here.recreated.namespace),
        )
        assert f"Last seen: camunda-zeebe-1 in {here.recreated.namespace} is not ready" in text

    def test_search_engine_nodes_that_are_not_ready(self, here: World) -> None:
        place = here.recreated.namespace
        here.far.put(f"/apis/apps/v1/namespaces/{place}/statefulsets", search_engine(2, 1))
        text = self.refused(
            here, f"the search engine of {place} is ready", hint=hint_on_pods(here, place)
        )
        assert f"Last seen: 1 of 2 search engine nodes in {place} ready" in text

    @pytest.mark.parametrize(
        ("documents", "status", "told"),
        [
            pytest.param(
                {"operate-list-view": 3},
                "green",
                "it holds 1 indices: operate-list-view",
                id="not empty",
            ),
            pytest.param({"operate-list-view": 0}, "green", "it holds 1 indices", id="no document"),
            pytest.param({}, "yellow", "its health is yellow", id="yellow"),
            pytest.param({}, "red", "its health is red", id="red"),
        ],
    )
    def test_an_engine_that_is_not_green_and_empty(
        self, here: World, documents: dict[str, int], status: str, told: str
    ) -> None:
        here.empty.held.documents, here.empty.status = documents, status
        text = self.refused(
            here,
            f"the search engine of {here.recreated.namespace} is green and empty",
            hint="Brokers must not export there yet; look at its indices and at the exporters' URLs.",
        )
        assert f"Last seen: {told}" in text

    def test_it_is_the_recreated_regions_own_engine_that_is_looked_at(self, here: World) -> None:
        prove(here.site("B1", RECREATED), "B1")
        assert here.empty.asked() == ["GET /_cluster/health"]
        assert here.own.asked() == []

    def test_a_broker_that_has_not_joined(self, here: World) -> None:
        (_, awake) = here.ids(here.recreated.namespace)
        here.unseen.add(awake)
        text = self.refused(
            here,
            f"broker {awake} joined and every partition is complete",
            hint="Look at the DNS and the network between the regions, and at the brokers' logs.",
        )
        assert f"Last seen: broker {awake} of namespace {here.recreated.namespace} not in" in text

    def test_a_broker_of_the_failover_that_is_not_in_sight(self, here: World) -> None:
        (taken,) = here.ids(here.survivor.failover)
        here.unseen.add(taken)
        text = self.refused(here, "joined and every partition is complete", hint="Look at the DNS")
        assert f"Last seen: broker {taken} not in the topology yet" in text

    def test_a_partition_that_is_not_complete(self, here: World) -> None:
        here.unhealthy.add(here.ids(here.recreated.namespace)[1])
        text = self.refused(here, "joined and every partition is complete", hint="Look at the DNS")
        assert "Last seen: healthy replicas of partition 1: 3 of 4" in text


# --- B2 ------------------------------------------------------------------------------------------


class TestB2:
    """Web apps down, exporters paused everywhere, and every record in the survivor's engine."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.joins()
        return here

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B2"), "B2")
        assert evidence["exporters"] == "paused on every partition of every broker"
        assert evidence["records"] == ", ".join(
            f"{each}: 20 records at 1 to 20" for each in here.partitions
        )
        assert evidence["pausedAt"].endswith("+00:00")
        assert here.orders() == ["pause"]
        assert self.asked_for_phases(here) == {
            (namespace, ordinal)
            for namespace, living in here.brokers.items()
            for ordinal in range(living.count)
            if not living.sleeps(ordinal)
        }
        assert self.web_apps(here) == dict.fromkeys(WEB_APPS, 0)
        for document in self.deployments(here).values():
            assert document["metadata"]["annotations"][REPLICAS_ANNOTATION] in ("2", "1")
        assert here.own.repositories == {
            "camunda_backup": {"type": "fs", "settings": {"location": "/backup"}}
        }
        assert here.empty.asked() == []

    def test_said_again_it_pauses_nothing_twice(self, here: World) -> None:
        prove(here.site("B2"), "B2")
        prove(here.site("B2"), "B2")
        assert here.orders() == ["pause"]
        assert self.web_apps(here) == dict.fromkeys(WEB_APPS, 0)

    @pytest.mark.parametrize("app", WEB_APPS)
    def test_web_apps_that_do_not_go(self, here: World, app: str) -> None:
        """A web app that still writes would change the engine after the snapshot."""
        place = here.survivor.namespace
        here.near.put(f"/api/v1/namespaces/{place}/pods", web_app_pod(place, app))
        text = refusal(
            here.site("B2"),
            "B2",
            f"Operate and Tasklist of {place} are down",
            hint=hint_on_pods(here, place),
        )
        assert f"Last seen: camunda-{app}-7d4f in {place} not gone yet" in text
        assert here.orders() == []
        assert "EXPORTERS ARE PAUSED" not in text

    def test_a_pause_that_is_refused_in_its_body_is_asked_for_again(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY, REFUSED_IN_BODY]
        prove(here.site("B2"), "B2")
        assert here.orders() == ["pause"] * 3
        assert any("Expected 4 members of partition 2 but found 3" in line for line in here.said)

    def test_a_pause_that_is_refused_for_good(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        text = refusal(
            here.site("B2"),
            "B2",
            "exporting is paused on every partition of every broker",
            hint="The pause needs every broker: look at the topology and the brokers' logs.",
        )
        place = here.survivor.namespace
        assert (
            f"Last seen: the gateway of {place} refuses to pause exporting: 500 in a body" in text
        )
        assert "EXPORTERS ARE PAUSED" not in text, "none is"
        assert self.web_apps(here) == WEB_APPS
        assert "resume" not in here.orders()

    @pytest.mark.parametrize("installation", [0, 1, 2], ids=["own", "failover", "recreated"])
    def test_one_broker_that_the_pause_has_not_reached(
        self, here: World, installation: int
    ) -> None:
        """The gateway has accepted: only the broker's own word tells."""
        namespace = here.namespaces[installation]
        ordinal = len(here.ids(namespace)) - 1
        here.deaf.add((namespace, ordinal))
        text = refusal(
            here.site("B2"),
            "B2",
            "exporting is paused on every partition of every broker",
            hint="The pause needs every broker",
        )
        assert (
            f"partition 1: {namespace}/camunda-zeebe-{ordinal} says EXPORTING, not PAUSED" in text
        )
        assert says_how_to_go_on_and_back(text)
        assert f"{namespace}/camunda-zeebe-{ordinal} says PAUSED" not in text
        assert self.web_apps(here) == dict.fromkeys(WEB_APPS, 0), "others are paused"

    def test_a_broker_that_does_not_answer_is_not_taken_for_paused(self, here: World) -> None:
        namespace = here.survivor.namespace
        target = f"{namespace}/pods/camunda-zeebe-1:9600"
        here.near.behind(target, "/actuator/partitions", failure(503, "Unavailable", "refused"))
        text = refusal(
            here.site("B2"),
            "B2",
            "exporting is paused on every partition of every broker",
            hint="The pause needs every broker",
        )
        assert "it cannot be told which exporters are paused" in text
        assert says_how_to_go_on_and_back(text)

    def lacking(self, here: World) -> str:
        site = replace(here.site("B2"), gives_up_on="holds every record")
        with pytest.raises(DualRegionError) as caught:
            prove(site, "B2")
        return str(caught.value)

    def check_undone(self, here: World, text: str) -> None:
        """Check that the failure left the survivor as it was before the step, and says so."""
        assert text.startswith("B2: the survivor's search engine does not hold all that")
        assert "Exporting was resumed, and the web apps are scaled back" in text
        assert f"load of the search engine in {here.survivor.namespace}" in text
        assert "the same `pulumi up` tries again" in text
        assert "EXPORTERS ARE PAUSED" not in text
        assert here.orders() == ["pause", "resume"]
        assert set(here.phases.values()) == {"EXPORTING"}
        assert self.web_apps(here) == WEB_APPS
        for document in self.deployments(here).values():
            assert REPLICAS_ANNOTATION not in document["metadata"]["annotations"]
        assert here.own.place == {}, "no snapshot is taken"

    def test_records_that_only_the_failover_engine_holds(self, here: World) -> None:
        here.takeover.held.positions[3].add(33)
        text = self.lacking(here)
        assert (
            "partition 3: the failover engine holds 11 records up to position 33, the other engine 10 of "
            "them, up to position 20" in text
        )
        self.check_undone(here, text)

    def test_a_gap_in_the_survivors_records(self, here: World) -> None:
        here.own.held.positions[2].remove(15)
        text = self.lacking(here)
        assert (
            "partition 2: the failover engine holds 10 records up to position 20, the other engine 9 of "
            "them, up to position 20" in text
        )
        self.check_undone(here, text)

    def test_a_partition_of_which_the_survivor_holds_nothing(self, here: World) -> None:
        del here.own.held.positions[4]
        text = self.lacking(here)
        assert "partition 4: " in text
        assert "the other engine none of them" in text
        self.check_undone(here, text)

    def test_records_that_come_late_are_waited_for(self, here: World) -> None:
        """What is buffered is written after the pause, each exporter on its own schedule."""
        here.takeover.held.positions[2] |= {21, 22}
        here.own.arriving = [(1, 21), (2, 21), (1, 22), (2, 22)]
        evidence = prove(here.site("B2"), "B2")
        assert "2: 22 records at 1 to 22" in evidence["records"]
        assert here.orders() == ["pause"]

    @pytest.mark.parametrize(("setting", "quiet"), [(None, 10), (7, 14)])
    def test_both_engines_must_be_quiet_for_twice_the_exporters_delay(
        self, here: World, setting: int | None, quiet: int
    ) -> None:
        here.base = flushing_after(setting)
        text = self.lacking(here)
        assert f"waiting until nothing new has come for {quiet} s" in text
        self.check_undone(here, text)

    def test_brokers_that_export_under_a_name_where_nobody_looks(self, here: World) -> None:
        """A wrong prefix must not pass for engines that agree."""
        name = values.exporter_variable(0, "ARGS_INDEX_PREFIX")
        here.base["zeebe"]["env"].append({"name": name, "value": "mine"})
        text = self.lacking(here)
        assert "brokers have exported, but no index mine* holds a record" in text
        self.check_undone(here, text)

    def test_a_cluster_that_never_exported_anything_has_nothing_to_hold(self, here: World) -> None:
        here.position, here.stuck = 0, True
        here.own.held.positions, here.takeover.held.positions = {}, {}
        assert prove(here.site("B2"), "B2")["records"] == ""

    @pytest.mark.parametrize(
        ("reply", "told"),
        [
            pytest.param(
                engine_refusal(400, "illegal_argument_exception", "[bucket] is not set"),
                "[bucket] is not set",
                id="for good",
            ),
            pytest.param(
                engine_refusal(
                    500, "repository_verification_exception", "[camunda_backup] is not accessible"
                ),
                "[camunda_backup] is not accessible",
                id="on every attempt",
            ),
        ],
    )
    def test_a_repository_that_cannot_be_registered_stops_nothing(
        self, here: World, reply: Reply, told: str
    ) -> None:
        here.own.says("POST", REPOSITORY, reply)
        site = replace(here.site("B2"), gives_up_on="knows snapshot repository camunda_backup (fs)")
        with pytest.raises(DualRegionError) as caught:
            prove(site, "B2")
        text = str(caught.value)
        assert text.startswith("B2: ")
        assert told in text
        assert "Check `backup` in the configuration" in text
        assert here.orders() == []
        assert self.web_apps(here) == WEB_APPS
        assert "PATCH" not in " ".join(here.near.asked)

    def web_apps(self, here: World) -> dict[str, int]:
        return here.web_app_counts()

    def deployments(self, here: World) -> dict[str, Document]:
        return here.near.objects[f"/apis/apps/v1/namespaces/{here.survivor.namespace}/deployments"]

    def asked_for_phases(self, here: World) -> set[tuple[str, int]]:
        found = set()
        for each in (*here.near.asked, *here.far.asked):
            if each.endswith("/proxy/actuator/partitions"):
                parts = each.split("/")
                found.add((parts[4], int(parts[6].removesuffix(":9600")[-1])))
        return found

    # --- B3 ------------------------------------------------------------------------------------------

    def test_an_engine_that_answers_no_more_is_no_reason_to_stay_paused(self, here: World) -> None:
        here.own.says(
            "POST", "/zeebe-record*/_refresh", engine_refusal(503, "x", "all shards failed")
        )
        text = self.lacking(here)
        assert "all shards failed" in text
        self.check_undone(here, text)


class TestB3:
    """The survivor's engine, copied to the recreated region document by document."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        return here

    def refused(self, here: World) -> str:
        with pytest.raises(DualRegionError) as caught:
            prove(here.site("B3"), "B3")
        text = str(caught.value)
        assert text.startswith("B3: ")
        assert says_how_to_go_on_and_back(text)
        assert here.orders() == []
        return text

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B3"), "B3")
        ((name, (described, _)),) = here.own.place.items()
        assert name.startswith(f"failback-{here.incident}-2")
        assert described["metadata"]["incident"] == here.incident
        assert evidence["snapshot"] == (
            f"{name} (uuid-of-{name}): SUCCESS, 3 of 3 shards, 3 indices"
        )
        assert evidence["documents"] == "127 in 3 indices, the same in both regions"
        assert "index template zeebe-record" in evidence["templates"]
        assert here.empty.held == here.own.held
        assert here.orders() == []
        assert set(here.phases.values()) == {"PAUSED"}

    def test_the_recreated_engine_knows_the_repository_only_for_reading_and_for_that_long(
        self, here: World
    ) -> None:
        prove(here.site("B3"), "B3")
        assert here.empty.got(f"POST {REPOSITORY}")["settings"] == {
            "location": "/backup",
            "readonly": True,
        }
        assert here.empty.repositories == {}
        assert "camunda_backup" in here.own.repositories

    def test_the_recreated_engine_is_touched_only_after_the_snapshot(self, here: World) -> None:
        here.own.snapshots_are = {"state": "PARTIAL"}
        self.refused(here)
        assert here.empty.asked() == []

    def test_a_snapshot_that_is_not_whole_is_not_restored(self, here: World) -> None:
        here.own.snapshots_are = {
            "state": "PARTIAL",
            "shards": {"total": 3, "failed": 1, "successful": 2},
            "failures": [{"index": "operate-list-view", "shard_id": 0, "reason": "disk is full"}],
        }
        text = self.refused(here)
        assert "is PARTIAL, 1 of 3 shards failed" in text
        assert "shard 0 of operate-list-view: disk is full" in text
        assert "It is not restored from" in text
        assert "The same `pulumi up` takes a new one" in text
        assert here.empty.asked() == []

    def test_what_a_half_done_restore_has_left_is_deleted_first(self, here: World) -> None:
        here.empty.held.documents = {"operate-list-view": 3, "half-done": 1}
        prove(here.site("B3"), "B3")
        assert here.empty.held == here.own.held
        assert here.empty.asked("DELETE") == [
            "DELETE /half-done,operate-list-view",
            f"DELETE {REPOSITORY}",
        ]

    def test_a_restore_of_which_a_shard_fails(self, here: World) -> None:
        here.empty.gives_up = True
        text = self.refused(here)
        assert "cannot restore shard 0 of index operate-list-view" in text
        assert "NoSuchFileException[/backup/one]" in text
        assert "2 of 3 shards were restored" in text
        assert "the same `pulumi up`" in text

    def test_engines_that_differ_in_one_document(self, here: World) -> None:
        here.empty.drops = 1
        text = self.refused(here)
        assert (
            "index operate-list-view: 7 documents in the survivor, 6 documents in the recreated "
            "region" in text
        )
        assert "The same `pulumi up` takes a new snapshot" in text

    def test_templates_that_did_not_come_along(self, here: World) -> None:
        here.empty.forgets_templates = True
        text = self.refused(here)
        assert "missing: index template operate-list-view_template" in text

    def test_records_newer_than_the_snapshot(self, here: World) -> None:
        """A buffer that was flushed late would be lost for good: exporters never go back."""
        here.takeover.held.positions[2].add(21)
        what = "the recreated region's search engine holds every record that the failover one does"
        text = refusal(here.site("B3"), "B3", what, hint="back out (set phase failover on both")
        assert (
            "partition 2: the failover engine holds 11 records up to position 21, the other engine 10 of "
            "them, up to position 20" in text
        )
        assert "nothing is lost as long as exporting is paused" in text
        assert says_how_to_go_on_and_back(text)

    @pytest.mark.parametrize("installation", [0, 1, 2], ids=["own", "failover", "recreated"])
    @pytest.mark.parametrize("phase", ["EXPORTING", "SOFT_PAUSED", ""])
    def test_one_broker_that_is_no_longer_paused(
        self, here: World, installation: int, phase: str
    ) -> None:
        namespace = here.namespaces[installation]
        ordinal = len(here.ids(namespace)) - 1
        here.say_phase(phase, (namespace, ordinal))
        text = self.not_paused(here)
        said = phase or "nothing yet"
        assert f"{namespace}/camunda-zeebe-{ordinal} says {said}, not PAUSED" in text
        assert says_how_to_go_on_and_back(text)

    def test_exporters_that_were_resumed_meanwhile(self, here: World) -> None:
        here.say_phase("EXPORTING")
        assert "EXPORTERS ARE PAUSED" not in self.not_paused(here), "none is"

    def not_paused(self, here: World) -> str:
        what = "exporting is still paused on every partition"
        hint = "If somebody resumed exporting, back out: set phase failover on both stacks"
        text = refusal(here.site("B3"), "B3", what, hint=hint)
        assert here.own.place == {}, "a snapshot of a moving engine"
        assert here.empty.asked() == []
        return text

    @pytest.mark.parametrize("installation", [0, 1, 2], ids=["own", "failover", "recreated"])
    def test_nothing_is_restored_where_a_broker_exports_to_already(
        self, here: World, installation: int
    ) -> None:
        namespace = here.namespaces[installation]
        here.runs(namespace, BOTH, failing_back=installation == 2)
        text = self.refused(here)
        address = f"camunda-elasticsearch-master-hl.{here.recreated.namespace}.svc"
        assert "nothing is restored into the search engine of" in text
        assert f"ELASTICSEARCHREGION{here.lost}_ARGS_URL='http://{address}" in text
        assert f"({namespace}). Run `pulumi up` on both stacks again" in text
        assert here.own.place == {}
        assert here.empty.asked() == []

    def test_one_stale_pod_is_enough_not_to_restore(self, here: World) -> None:
        """The StatefulSet may be right already, and a pod not."""
        namespace = here.recreated.namespace
        here.runs(namespace, BOTH, failing_back=True)
        here.updates(namespace, FAILED_OVER, failing_back=True)
        text = self.refused(here)
        assert "camunda-zeebe-0 has ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION" in text
        assert here.empty.asked() == []

    def test_a_new_attempt_takes_a_new_snapshot(
        self, here: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here.empty.drops = 1
        self.refused(here)
        here.empty.drops = 0
        monkeypatch.setattr(failback, "datetime", _Later)
        prove(here.site("B3"), "B3")
        assert len(here.own.place) == 2
        assert here.empty.held == here.own.held


class _Later:
    """Another second than the present one."""

    @staticmethod
    def now(_: Any) -> "_Later":
        return _Later()

    def __format__(self, _: str) -> str:
        return "29990101000000"


# --- B4 ------------------------------------------------------------------------------------------


class TestB4OfTheSurvivor:
    """The survivor's brokers and the failover ones, restarted one after the other, still paused."""

    ROLE = SURVIVOR

    @pytest.fixture
    def here(self, here: World) -> World:
        here.copies()
        return here

    def places(self, here: World) -> tuple[str, ...]:
        return here.namespaces[:2]

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B4", self.ROLE), "B4")
        assert evidence["exporters"] == "still paused"
        assert [each.split(" ")[0] for each in evidence["brokers"].split(", ")] == list("0123")
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
        prove(here.site("B4", self.ROLE), "B4")
        before = here.restarts()
        prove(here.site("B4", self.ROLE), "B4")
        assert here.restarts() == before

    def test_nothing_is_restarted_while_a_partition_is_not_complete(self, here: World) -> None:
        here.unhealthy.add(here.ids(here.survivor.failover)[0])
        name = here.brokers[self.places(here)[0]].count - 1
        place = self.places(here)[0]
        text = refusal(
            here.site("B4", self.ROLE),
            "B4",
            f"camunda-zeebe-{name} in {place} runs the new configuration",
            hint=hint_on_pods(here, place),
        )
        assert f"camunda-zeebe-{name} is not restarted before that: healthy replicas of" in text
        assert here.restarts() == {}
        assert says_how_to_go_on_and_back(text)

    def test_a_broker_that_does_not_come_back_ends_it(self, here: World) -> None:
        """The next one is not restarted: two that are down cost the quorum."""
        place = self.places(here)[0]
        living = here.brokers[place]
        last = living.count - 1

        def come_back_never() -> None:
            here.__class__.tick(here)
            if living.restarts and last in living.pods and not living.down():
                living.never_ready(last)

        for fake in (here.near, here.far):
            fake.tick = come_back_never
        text = refusal(
            here.site("B4", self.ROLE),
            "B4",
            f"camunda-zeebe-{last} in {place} runs the new configuration",
            hint=hint_on_pods(here, place),
        )
        assert "Last seen: camunda-zeebe-" in text
        assert here.restarts() == {place: [last]}
        assert says_how_to_go_on_and_back(text)

    def test_brokers_with_wrong_addresses(self, here: World) -> None:
        place = self.places(here)[-1]
        here.updates(place, "wrong", failing_back=self.ROLE == RECREATED)
        text = refusal(
            here.site("B4", self.ROLE),
            "B4",
            f"StatefulSet and pods of {place} have the exporters' original addresses",
            hint="Each stack has to pass step B4 first.",
        )
        address = f"camunda-elasticsearch-master-hl.{here.survivor.failover}.svc"
        assert "Last seen: StatefulSet camunda-zeebe has ZEEBE_BROKER_EXPORTERS" in text
        assert f"ELASTICSEARCHREGION{here.lost}_ARGS_URL='http://{address}" in text
        assert (
            f"wanted is 'http://camunda-elasticsearch-master-hl.{here.recreated.namespace}" in text
        )
        assert says_how_to_go_on_and_back(text)

    def test_one_broker_that_is_no_longer_paused(self, here: World) -> None:
        place = self.places(here)[0]
        here.say_phase("EXPORTING", (place, 1))
        text = self.not_paused(here)
        assert f"{place}/camunda-zeebe-1 says EXPORTING, not PAUSED" in text
        assert says_how_to_go_on_and_back(text)

    def test_exporters_that_were_resumed_meanwhile(self, here: World) -> None:
        here.say_phase("EXPORTING")
        assert "EXPORTERS ARE PAUSED" not in self.not_paused(here), "none is"

    def not_paused(self, here: World) -> str:
        what = "exporting is still paused on every partition"
        hint = "If somebody resumed exporting, back out: set phase failover on both stacks"
        return refusal(here.site("B4", self.ROLE), "B4", what, hint=hint)

    def test_a_partition_that_takes_no_command(self, here: World) -> None:
        namespace = here.survivor.namespace
        here.fake_of(namespace).behind(
            f"{namespace}/services/camunda-zeebe-gateway:8080",
            f"/v1/user-tasks/{3 << 51}/completion",
            Reply(504, {"title": "DEADLINE_EXCEEDED"}),
            method="POST",
        )
        what = "a command is accepted on every partition"
        text = refusal(here.site("B4", self.ROLE), "B4", what, hint="Look at the gateway's log.")
        assert "DEADLINE_EXCEEDED" in text
        assert says_how_to_go_on_and_back(text)


class TestB4OfTheSurvivorAlone:
    """What only the survivor can see: whether the recreated engine lacks what the failover one holds."""

    def test_records_newer_than_the_snapshot(self, here: World) -> None:
        here.copies()
        here.takeover.held.positions[1].add(21)
        what = "the recreated region's search engine holds every record that the failover one does"
        text = refusal(here.site("B4"), "B4", what, hint="begin the failback anew")
        assert "partition 1: the failover engine holds 11 records up to position 21" in text
        assert says_how_to_go_on_and_back(text)

    def test_never_are_two_brokers_down_at_once(self, tmp_path: Path) -> None:
        """At size 8 there are six to restart, in two installations."""
        with world(1, tmp_path, size=8) as here:
            here.copies()
            prove(here.site("B4"), "B4")
            own, failover_namespace, _ = here.namespaces
            assert here.restarts() == {own: [3, 2, 1, 0], failover_namespace: [1, 0]}
            assert here.all_faults() == []


class TestB4OfTheRecreatedRegion(TestB4OfTheSurvivor):
    """The recreated region's brokers: awake ones in turn, sleeping ones go on sleeping."""

    ROLE = RECREATED

    @pytest.fixture
    def here(self, here: World) -> World:
        here.repoints()
        return here

    def places(self, here: World) -> tuple[str, ...]:
        return here.namespaces[2:]

    def test_sleeping_brokers_get_the_new_configuration_and_sleep_on(self, here: World) -> None:
        prove(here.site("B4", RECREATED), "B4")
        living = here.brokers[here.recreated.namespace]
        assert [living.answers(ordinal) for ordinal in (0, 1)] == [False, True]
        assert living.revisions == [BOTH, BOTH]


# --- B5 ------------------------------------------------------------------------------------------


def app_not_ready(here: World, namespace: str, app: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    here.fake_of(namespace).objects[path][f"camunda-{app}"]["status"]["readyReplicas"] = 0


class TestB5OfTheRecreatedRegion:
    """Its web apps are up; it is not for it to let exporting go on."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.opens()
        return here

    def test_it_is_proved_and_resumes_nothing(self, here: World) -> None:
        assert prove(here.site("B5", RECREATED), "B5") == {"webApps": "up"}
        assert here.orders() == []
        assert set(here.phases.values()) == {"PAUSED"}

    @pytest.mark.parametrize("app", WEB_APPS)
    def test_web_apps_that_are_not_ready(self, here: World, app: str) -> None:
        place = here.recreated.namespace
        app_not_ready(here, place, app)
        what = f"Operate and Tasklist of {place} are up"
        text = refusal(here.site("B5", RECREATED), "B5", what, hint=hint_on_pods(here, place))
        assert f"Last seen: 0 of {WEB_APPS[app]} pods of camunda-{app} in {place} ready" in text
        assert says_how_to_go_on_and_back(text)

    def test_the_survivors_web_apps_are_not_its_business(self, here: World) -> None:
        app_not_ready(here, here.survivor.namespace, "operate")
        assert prove(here.site("B5", RECREATED), "B5") == {"webApps": "up"}

    def test_a_broker_that_dies_afterwards_comes_back_with_the_right_addresses(
        self, here: World
    ) -> None:
        place = here.recreated.namespace
        living = here.brokers[place]
        here.updates(place, "again", failing_back=True)  # Helm's update of the web apps, held
        living.stateful_set["status"]["currentRevision"] = FAILED_OVER  # sleepers keep it there
        prove(here.site("B5", RECREATED), "B5")
        here.end(living.pods[1])
        for _ in range(30):
            here.tick()
        assert living.revisions[1] == "again"


class TestB5OfTheSurvivor:
    """Web apps up, exporting goes on everywhere, but only when every broker has both addresses."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.opens()
        return here

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B5"), "B5")
        assert evidence["webApps"] == "up"
        assert evidence["resumedAt"].endswith("+00:00")
        assert here.orders() == ["resume"]
        assert set(here.phases.values()) == {"EXPORTING"}
        assert here.restarts() == {}

    def test_said_again_it_resumes_nothing_twice(self, here: World) -> None:
        prove(here.site("B5"), "B5")
        prove(here.site("B5"), "B5")
        assert here.orders() == ["resume"]

    def refused(self, here: World, what: str, *, hint: str) -> str:
        text = refusal(here.site("B5"), "B5", what, hint=hint)
        assert here.orders() == [], "exporting must not go on yet"
        assert says_how_to_go_on_and_back(text)
        return text

    @pytest.mark.parametrize("app", WEB_APPS)
    def test_web_apps_that_are_not_ready(self, here: World, app: str) -> None:
        place = here.survivor.namespace
        app_not_ready(here, place, app)
        what = f"Operate and Tasklist of {place} are up"
        text = self.refused(here, what, hint=hint_on_pods(here, place))
        assert f"Last seen: 0 of {WEB_APPS[app]} pods of camunda-{app} in {place} ready" in text

    def test_web_apps_that_are_still_scaled_down(self, here: World) -> None:
        place = here.survivor.namespace
        here.has_web_apps(place, running=False)
        what = f"Operate and Tasklist of {place} are up"
        text = self.refused(here, what, hint=hint_on_pods(here, place))
        assert f"Last seen: camunda-operate in {place} is not scaled back yet" in text

    @pytest.mark.parametrize("installation", [0, 1, 2], ids=["own", "failover", "recreated"])
    @pytest.mark.parametrize("what_is_left", ["StatefulSet", "pod"])
    def test_one_installation_that_exports_elsewhere_keeps_all_paused(
        self, here: World, installation: int, what_is_left: str
    ) -> None:
        namespace = here.namespaces[installation]
        here.runs(namespace, "wrong", failing_back=installation == 2)
        if what_is_left == "pod":
            here.updates(namespace, BOTH, failing_back=installation == 2)
        what = f"StatefulSet and pods of {namespace} have the exporters' original addresses"
        text = self.refused(here, what, hint="Each stack has to pass step B4 first.")
        owner = "StatefulSet camunda-zeebe" if what_is_left == "StatefulSet" else "camunda-zeebe-0"
        assert f"Last seen: {owner} has ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH" in text
        assert f"-hl.{here.survivor.failover}.svc" in text

    def test_a_resumption_that_is_refused_in_its_body_is_asked_for_again(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY, REFUSED_IN_BODY]
        prove(here.site("B5"), "B5")
        assert here.orders() == ["resume"] * 3
        assert set(here.phases.values()) == {"EXPORTING"}

    def test_a_resumption_that_is_refused_for_good(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        what = "exporting goes on on every partition of every broker"
        text = refusal(here.site("B5"), "B5", what, hint="The resumption needs every broker")
        assert "refuses to resume exporting: 500 in a body of status 200: Expected 4" in text
        assert says_how_to_go_on_and_back(text)

    @pytest.mark.parametrize("installation", [0, 1, 2], ids=["own", "failover", "recreated"])
    def test_one_broker_that_the_resumption_has_not_reached(
        self, here: World, installation: int
    ) -> None:
        namespace = here.namespaces[installation]
        ordinal = len(here.ids(namespace)) - 1
        here.deaf.add((namespace, ordinal))
        what = "exporting goes on on every partition of every broker"
        text = refusal(here.site("B5"), "B5", what, hint="The resumption needs every broker")
        assert f"{namespace}/camunda-zeebe-{ordinal} says PAUSED, not EXPORTING" in text
        assert says_how_to_go_on_and_back(text)

    def test_positions_that_do_not_move(self, here: World) -> None:
        here.stuck = True
        what = "exported positions move on every partition"
        text = refusal(here.site("B5"), "B5", what, hint="Look at both search engines")
        assert "partition 4: exported position stays at 100" in text
        assert here.orders() == ["resume"]

    def test_brokers_that_the_update_changed_are_restarted_once_exporting_goes_on(
        self, here: World
    ) -> None:
        own = here.survivor.namespace
        here.updates(own, "again")
        prove(here.site("B5"), "B5")
        assert here.restarts() == {own: [1, 0]}
        assert here.all_faults() == []
        assert here.brokers[own].strategy == ROLLS_BY_ITSELF
        orders = [
            "resume" if each.endswith("/exporting/resume") else "restart"
            for each in here.near.asked
            if each.endswith("/exporting/resume") or each.startswith("DELETE")
        ]
        assert orders == ["resume", "restart", "restart"]


# --- B6 and B7 -----------------------------------------------------------------------------------


def left_over(here: World, what: str) -> str:
    """Let something of the failover installation be left; return what is said of it."""
    namespace = here.survivor.failover
    core = f"/api/v1/namespaces/{namespace}"
    if what == "volume":
        here.near.put("/api/v1/persistentvolumes", volume(namespace))
        return f"of namespace {namespace}, which is gone, volume pv-1 is left"
    here.has_namespace(here.near, namespace)
    match what:
        case "pod":
            here.near.put(f"{core}/pods", *broker_pods(namespace, 1))
            return f"namespace {namespace} still exists with pod/camunda-zeebe-0"
        case "claim":
            here.near.put(f"{core}/persistentvolumeclaims", named("data-0"))
            return f"namespace {namespace} still exists with claim/data-0"
    return f"namespace {namespace} still exists"


LEFT_OVER = pytest.mark.parametrize("what", ["namespace", "pod", "claim", "volume"])


class TestB6:
    """Nothing of the failover is left, so that the sleeping brokers may take their ids."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.retires()
        return here

    def test_it_is_proved_and_changes_nothing(self, here: World) -> None:
        assert prove(here.site("B6", RECREATED), "B6") == {
            "gone": f"namespace {here.survivor.failover}, its claims and volumes"
        }
        assert written([*here.near.asked, *here.far.asked]) == []

    @LEFT_OVER
    def test_whatever_is_left_is_named(self, here: World, what: str) -> None:
        told, peer = left_over(here, what), here.survivor
        text = refusal(
            here.site("B6", RECREATED),
            "B6",
            f"namespace {peer.failover} and its volumes are gone from region {peer.name}",
            hint=f"Run `pulumi up` on stack region{1 - here.lost}; look at what keeps the namespace.",
        )
        assert f"Last seen: {told}" in text

    def test_a_failover_broker_that_is_still_in_sight(self, here: World) -> None:
        self.see_failover_broker(here)
        what = "no failover broker is in the topology"
        text = refusal(here.site("B6", RECREATED), "B6", what, hint="Look at the gateway's log.")
        assert "Last seen: the gateway still sees broker" in text
        assert here.survivor.failover in text

    def test_a_failover_broker_that_leaves_is_waited_for(self, here: World) -> None:
        self.see_failover_broker(here, once=True)
        prove(here.site("B6", RECREATED), "B6")
        assert any("the gateway still sees broker" in line for line in here.said)

    def see_failover_broker(self, here: World, *, once: bool = False) -> None:
        before = here.view()
        taken = here.ids(here.survivor.failover)[0]
        host = f"camunda-zeebe-0.camunda-zeebe.{here.survivor.failover}.svc"
        seen = {"nodeId": taken, "host": host, "partitions": []}
        after = [Reply(200, before)] if once else []
        here.near.behind(
            f"{here.survivor.namespace}/services/camunda-zeebe-gateway:8080",
            "/v1/topology",
            Reply(200, before | {"brokers": [*before["brokers"], seen]}),
            *after,
        )


class TestB7:
    """The sleeping brokers wake first; then the others take the new configuration in turn."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.retires()
        return here

    def test_it_is_proved(self, here: World) -> None:
        evidence = prove(here.site("B7", RECREATED), "B7")
        place = here.recreated.namespace
        hosts = dict(each.split(" ") for each in evidence["brokers"].split(", "))
        for id_ in here.ids(place):
            assert place in hosts[str(id_)].split(".")
        assert sorted(hosts) == ["0", "1", "2", "3"]
        assert here.restarts() == {place: [0, 1]}
        assert here.all_faults() == []
        assert here.brokers[place].revisions == [AWAKE, AWAKE]
        assert here.brokers[place].strategy == ROLLS_BY_ITSELF

    def test_said_again_it_restarts_nothing(self, here: World) -> None:
        prove(here.site("B7", RECREATED), "B7")
        prove(here.site("B7", RECREATED), "B7")
        assert here.restarts() == {here.recreated.namespace: [0, 1]}

    def test_all_sleepers_wake_before_another_broker_restarts(self, tmp_path: Path) -> None:
        with world(0, tmp_path, size=8) as here:
            here.retires()
            prove(here.site("B7", RECREATED), "B7")
            (restarts,) = here.restarts().values()
            assert sorted(restarts[:2]) == [0, 2]
            assert restarts[2:] == [3, 1]
            assert here.all_faults() == []

    @LEFT_OVER
    def test_nobody_wakes_while_something_of_the_failover_is_left(
        self, here: World, what: str
    ) -> None:
        """Two brokers of one id would tear the cluster apart."""
        left_over(here, what)
        site = replace(here.site("B7", RECREATED), gives_up_on="are gone from region")
        with pytest.raises(DualRegionError, match=f"{here.survivor.failover} and its volumes"):
            prove(site, "B7")
        assert here.restarts() == {}
        assert written(here.far.asked) == []

    def test_a_sleeper_that_does_not_wake_keeps_the_others_as_they_are(self, here: World) -> None:
        """The ConfigMap still lets it sleep; partitions lack its replicas, so nobody else may go down."""
        place = here.recreated.namespace
        here.brokers[place].failing_back = True
        what = f"1 sleeping brokers of {place} are awake and every partition is complete"
        text = refusal(here.site("B7", RECREATED), "B7", what, hint=hint_on_pods(here, place))
        assert "Last seen: 0 of 1 of them are ready" in text
        assert set(here.restarts().get(place, ())) <= {0}

    def test_a_partition_that_stays_incomplete(self, here: World) -> None:
        place = here.recreated.namespace
        here.unhealthy.add(here.ids(here.survivor.namespace)[0])
        text = refusal(
            here.site("B7", RECREATED),
            "B7",
            "are awake and every partition is complete",
            hint=hint_on_pods(here, place),
        )
        assert 1 not in here.restarts().get(place, ()), "a living broker was restarted"
        assert "Last seen: " in text

    def test_a_gateway_of_its_own_that_sees_nobody(self, here: World) -> None:
        namespace = here.recreated.namespace
        here.far.behind(
            f"{namespace}/services/camunda-zeebe-gateway:8080", "/v1/topology", Reply(200, {})
        )
        what = f"the gateway of {namespace} sees all 4 brokers, too"
        text = refusal(here.site("B7", RECREATED), "B7", what, hint="delete its pod")
        assert "it does not see broker 0, 1, 2, 3" in text

    def test_a_partition_that_takes_no_command(self, here: World) -> None:
        here.near.behind(
            f"{here.survivor.namespace}/services/camunda-zeebe-gateway:8080",
            f"/v1/user-tasks/{2 << 51}/completion",
            Reply(503, {"title": "RESOURCE_EXHAUSTED"}),
            method="POST",
        )
        what = "a command is accepted on every partition"
        text = refusal(here.site("B7", RECREATED), "B7", what, hint="Look at the gateway's log.")
        assert "RESOURCE_EXHAUSTED" in text


# --- Backing out ---------------------------------------------------------------------------------


class TestBackingOut:
    """Phase failover again: exporting goes on and the web apps are back, whatever the failback had done."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.freezes()
        here.far.objects.clear()
        del here.brokers[here.recreated.namespace]
        here.phases = {
            place: phase
            for place, phase in here.phases.items()
            if place[0] != here.recreated.namespace
        }
        return here

    def test_each_broker_is_asked_by_itself_as_the_gateway_would_refuse(self, here: World) -> None:
        here.refusals = [REFUSED_IN_BODY] * 1000
        evidence = failover.repoint(here.failing_over("B0 B2 B3"))
        assert set(here.phases.values()) == {"EXPORTING"}
        assert here.orders() == []
        assert set(evidence) == {"brokers", "exportedPositions"}

    def test_the_web_apps_are_back_with_as_many_pods_as_they_had(self, here: World) -> None:
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)
        failover.repoint(here.failing_over("B0 B2 B3"))
        assert here.web_app_counts() == WEB_APPS

    def test_the_incident_stays_the_same(self, here: World) -> None:
        assert str(here.failing_over("B0 B2 B3").incident) == here.incident

    def test_a_broker_that_does_not_resume_holds_it(self, here: World) -> None:
        namespace = here.survivor.failover
        here.near.behind(
            f"{namespace}/pods/camunda-zeebe-0:9600",
            "/actuator/partitions/resumeExporting",
            Reply(404, "nothing here"),
            method="POST",
        )
        with pytest.raises(DualRegionError) as caught:
            failover.repoint(
                replace(here.failing_over("B0 B2"), gives_up_on="no exporter is paused")
            )
        text = str(caught.value)
        assert text.startswith("F3: waited")
        assert f"camunda-zeebe-0 in {namespace} refuses to resume exporting: 404" in text
        assert "Look at the broker pods and their logs" in text
        assert here.web_app_counts() == dict.fromkeys(WEB_APPS, 0)

    @pytest.mark.parametrize(
        "strategy",
        [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}],
        ids=["by hand", "held"],
    )
    def test_the_hold_on_the_brokers_is_let_go(self, here: World, strategy: Document) -> None:
        """Else the repointing of F3 would never reach them."""
        for name in here.namespaces[:2]:
            here.brokers[name].stateful_set["spec"]["updateStrategy"] = strategy
        failover.take_over(here.failing_over("B0 B2 B3"))
        for name in here.namespaces[:2]:
            assert here.brokers[name].strategy == ROLLS_BY_ITSELF
