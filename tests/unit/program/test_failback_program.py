"""The failback's program: what it asks the engine for, and what its hooks do in the clusters.

The registrations are recorded where they leave the SDK, as in `tests.fakes.pulumi_engine`; the releases' hooks run
against the two fake clusters of `failback_world`. A recreated region must start from nothing, an update
must restart no broker by itself, and no record of an incident may get lost.
"""

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.region import Region, RegionArgs
from dualregion.chart.begun import Begun
from dualregion.errors import Refused
from messages.steps.preflight import not_yet_granted
from steps import preflight
from steps.context import StepContext
from steps.releases import helm_records
from tests.fakes import pulumi_engine
from tests.fakes.kubernetes import Document, FakeKubernetes, broker_pods, failure, stateful_set
from tests.fakes.pulumi_engine import Recorder, behind, declared, exported, in_cluster, of_type
from tests.fakes.regions import BOTH, RECREATED, SURVIVOR, World, world
from tests.raising import assert_message, assert_tells, raises, tells

POLICY = "networking.k8s.io/v1:NetworkPolicy"
CONFIG_MAP = "core/v1:ConfigMap"
PENDING, RESTORED = "failback-pending", "restored"


@pytest.fixture(params=[1, 0], ids=["region 1 recreated", "region 0 recreated"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world(request.param, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm_records, "PATIENCE_SECONDS", 0.05)


def fire(ctx: StepContext, name: str) -> None:
    """Let the engine call a hook."""
    hook = declared(ctx).hooks[name].callback
    asyncio.run(hook(pulumi.ResourceHookArgs("urn", "", "normal", "t")))  # type: ignore[arg-type]


def config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def note(fake: FakeKubernetes, namespace: str, begun: Begun) -> None:
    """Let a run have noted what it was about to do with a namespace's release."""
    fake.put(config_maps(namespace), {"metadata": {"name": helm_records.NOTE}, "data": begun.data})


def record(namespace: str, version: int, status: str, values: Mapping[str, Any]) -> Document:
    """Return Helm's record of a release of these values."""
    document = {"name": "camunda", "namespace": namespace, "version": version, "config": values}
    packed = base64.b64encode(gzip.compress(json.dumps(document).encode()))
    labels = {"name": "camunda", "owner": "helm", "status": status, "version": str(version)}
    return {
        "metadata": {"name": f"sh.helm.release.v1.camunda.v{version}", "labels": labels},
        "data": {"release": base64.b64encode(packed).decode()},
    }


# --- Installing in a recreated region ------------------------------------------------------------


class TestInstalling:
    """Never over what is left there, unless an interrupted run of ours has left it."""

    @pytest.fixture
    def here(self, here: World) -> World:
        # The namespace is the stack's own, made just before.
        here.has_namespace(here.far, here.recreated.namespace)
        return here

    def install(self, here: World) -> None:
        fire(here.ctx("B1", RECREATED), "take-over-normal")

    def leave(self, here: World, kind: str) -> str:
        place = here.recreated.namespace
        core, apps = f"/api/v1/namespaces/{place}", f"/apis/apps/v1/namespaces/{place}"
        match kind:
            case "claim":
                here.far.put(
                    f"{core}/persistentvolumeclaims", {"metadata": {"name": "data-camunda-zeebe-0"}}
                )
                return "claim/data-camunda-zeebe-0"
            case "statefulset":
                here.far.put(f"{apps}/statefulsets", stateful_set(2))
                return "statefulset/camunda-zeebe"
        here.far.put(f"{core}/pods", *broker_pods(place, 1))
        return "pod/camunda-zeebe-0"

    def test_an_empty_region_is_installed_in_and_only_that_is_noted_before(
        self, here: World
    ) -> None:
        self.install(here)
        assert here.far.asked[0].startswith("GET")
        writes = [each for each in here.far.asked if not each.startswith("GET")]
        assert writes == [f"PATCH {config_maps(here.recreated.namespace)}/dual-region-helm"]
        assert here.near.asked == []

    @pytest.mark.parametrize("kind", ["claim", "statefulset", "pod"])
    def test_what_is_left_there_is_refused_by_its_name(self, here: World, kind: str) -> None:
        name = self.leave(here, kind)
        peer = here.recreated
        with raises(
            "leftovers",
            Refused,
            namespace=peer.namespace,
            context=peer.kube_context,
            left=[name],
            is_failover=False,
        ):
            self.install(here)
        assert here.far.deleted() == []

    @pytest.mark.parametrize("status", ["deployed", "pending-install", "failed"])
    def test_what_an_interrupted_install_of_ours_has_left_is_taken_over(
        self, here: World, status: str
    ) -> None:
        for kind in ("claim", "statefulset", "pod"):
            self.leave(here, kind)
        place = here.recreated.namespace
        (wanted,) = here.ctx("B1", RECREATED).topology.installations
        ours = record(place, 1, status, wanted.values)
        here.far.put(f"/api/v1/namespaces/{place}/secrets", ours)
        note(here.far, place, Begun.of(here.incident, wanted.values))
        self.install(here)
        assert here.far.deleted() == ["sh.helm.release.v1.camunda.v1"]
        assert tells(here.said, "taking-over-install")

    def test_a_release_of_other_values_is_no_interrupted_install_of_ours(self, here: World) -> None:
        """As the one that was there before the region was lost: its exporters are others."""
        place = here.recreated.namespace
        theirs = record(place, 1, "deployed", {"zeebe": {"clusterSize": "8"}})
        here.far.put(f"/api/v1/namespaces/{place}/secrets", theirs)
        with raises("release-of-others", Refused):
            self.install(here)
        assert here.far.deleted() == []

    def test_a_run_killed_before_helm_knows_of_it_goes_on(self, here: World) -> None:
        """The records of an interrupted install were deleted, and the run was killed again."""
        for kind in ("claim", "statefulset", "pod"):
            self.leave(here, kind)
        note(here.far, here.recreated.namespace, Begun.of(here.incident, {"former": "values"}))
        self.install(here)
        assert here.far.deleted() == []

    def test_what_another_incident_has_begun_is_refused(self, here: World) -> None:
        self.leave(here, "claim")
        note(here.far, here.recreated.namespace, Begun.of("0-region1-lost", {}))
        with raises("leftovers", Refused):
            self.install(here)

    def test_a_refused_install_is_not_noted(self, here: World) -> None:
        """Or it would be taken for an interrupted one the next time."""
        self.leave(here, "claim")
        for _ in range(2):
            with pytest.raises(Refused):
                self.install(here)


class TestInstallingTheFailover:
    """Claims of the last incident would come back under the ids of now."""

    def leave_claim(self, here: World) -> None:
        here.drop_failover()
        place = here.survivor.failover
        here.has_namespace(here.near, place)
        claims = f"/api/v1/namespaces/{place}/persistentvolumeclaims"
        here.near.put(claims, {"metadata": {"name": "data-camunda-zeebe-0"}})
        secrets = f"/api/v1/namespaces/{place}/secrets"
        here.near.put(secrets, {"metadata": {"name": "elasticsearch-env-secret"}})

    @pytest.mark.parametrize("incident", [None, "0-region1-lost"], ids=["unknown", "the last one"])
    def test_old_claims_are_refused_by_name(self, here: World, incident: str | None) -> None:
        self.leave_claim(here)
        place = here.survivor.failover
        if incident:
            note(here.near, place, Begun.of(incident, {}))
        with raises(
            "leftovers",
            Refused,
            namespace=place,
            context=here.survivor.kube_context,
            left=["claim/data-camunda-zeebe-0"],
            is_failover=True,
        ):
            fire(here.failing_over("F1"), "take-over-failover")

    def test_a_volume_that_outlived_its_claim_is_refused_with_its_command(
        self, here: World
    ) -> None:
        here.drop_failover()
        place = here.survivor.failover
        claim = {"namespace": place, "name": "data-camunda-zeebe-0"}
        here.near.put(
            "/api/v1/persistentvolumes",
            {"metadata": {"name": "pvc-1"}, "spec": {"claimRef": claim}},
        )
        with raises("leftovers", Refused, volumes=["pvc-1"]):
            fire(here.failing_over("F1"), "take-over-failover")

    def test_it_is_refused_before_anything_begins(self, here: World) -> None:
        self.leave_claim(here)
        ctx = here.failing_over("F1")
        first = replace(ctx, own=replace(ctx.own, nodes=frozenset({"normal"})))
        with raises("leftovers", Refused):
            preflight._refuse_old_failover(first)
        # Once it is there its claims are its own.
        preflight._refuse_old_failover(ctx)

    def test_without_rights_in_the_namespace_it_is_looked_at_later(self, here: World) -> None:
        """A run was killed between making the namespace and giving the program its rights in it."""
        self.leave_claim(here)
        ctx = here.failing_over("F1")
        first = replace(ctx, own=replace(ctx.own, nodes=frozenset({"normal"})))
        inside = f"/api/v1/namespaces/{here.survivor.failover}"
        for kind in ("secrets", "configmaps", "persistentvolumeclaims"):
            here.near.broken[f"{inside}/{kind}"] = failure(403, "Forbidden", f"{kind} is forbidden")
        preflight._refuse_old_failover(first)
        assert not_yet_granted(here.survivor.failover) in here.said

    def test_an_interrupted_install_of_this_incident_goes_on(self, here: World) -> None:
        """Or one whose release was taken away: its disks are of this incident."""
        self.leave_claim(here)
        note(here.near, here.survivor.failover, Begun.of(here.incident, {}))
        fire(here.failing_over("F1"), "take-over-failover")
        assert here.near.deleted() == []


# --- Updates -------------------------------------------------------------------------------------

HELD = [
    pytest.param(SURVIVOR, PENDING, "F1 F2 F3", "", "", id="B0"),
    pytest.param(RECREATED, PENDING, "", "B0", "", id="B1"),
    pytest.param(SURVIVOR, PENDING, "B0", "B1", "normal failover", id="B2 to B4"),
    pytest.param(SURVIVOR, PENDING, "B0 B2 B3", "B1", "normal failover", id="B4 run again"),
    pytest.param(SURVIVOR, PENDING, "B0 B2 B3 B4", "B1", "", id="past the survivor's B4"),
    pytest.param(RECREATED, PENDING, "B1", "B0 B2 B3 B4", "normal", id="B4, recreated"),
    pytest.param(RECREATED, PENDING, "B1 B4", "B0 B2 B3 B4", "", id="past the recreated one's B4"),
    pytest.param(RECREATED, RESTORED, "B1 B4", "B0 B2 B3 B4", "normal", id="B5, recreated"),
    pytest.param(SURVIVOR, RESTORED, "B0 B2 B3 B4", "B1 B4 B5", "normal", id="B5"),
    pytest.param(SURVIVOR, RESTORED, "B0 B2 B3 B4 B5", "B1 B4 B5", "", id="past B5"),
    pytest.param(RECREATED, RESTORED, "B1 B4 B5", "B0 B2 B3 B4 B5", "normal", id="B6 and B7"),
    pytest.param(
        RECREATED, RESTORED, "B1 B4 B5 B6 B7", "B0 B2 B3 B4 B5", "", id="past the last step"
    ),
]
"""Role, phase, own gates and the other stack's, and which releases an update of is held."""


class TestUpdating:
    """An update restarts nothing by itself where a gate restarts one broker after the other."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.joins()
        return here

    @pytest.mark.parametrize(("role", "phase", "mine", "theirs", "held"), HELD)
    def test_which_updates_are_held(
        self, here: World, role: str, phase: str, mine: str, theirs: str, held: str
    ) -> None:
        ctx = here.site_after(role, phase, mine, theirs)
        for installation in ctx.topology.installations:
            living = here.brokers[installation.namespace]
            fire(ctx, f"clear-pending-{installation.name}")
            wanted = living.count if installation.name in held.split() else 0
            assert living.strategy["rollingUpdate"]["partition"] == wanted, installation.name

    def test_an_update_that_is_held_restarts_no_broker(self, here: World) -> None:
        ctx = here.ctx("B4")
        for installation in ctx.topology.installations:
            fire(ctx, f"clear-pending-{installation.name}")
            here.brokers[installation.namespace].update(BOTH, failing_back=False)
        for _ in range(60):
            here.tick()
        assert here.restarts() == {}

    def test_an_update_that_is_not_held_restarts_brokers(self, here: World) -> None:
        """The test above can fail."""
        ctx = here.site_after(SURVIVOR, PENDING, "B0 B2 B3 B4", "B1")
        fire(ctx, "clear-pending-normal")
        here.brokers[ctx.namespace].update(BOTH, failing_back=False)
        for _ in range(60):
            here.tick()
        assert here.restarts() == {ctx.namespace: [1, 0]}

    def test_an_interrupted_upgrade_is_cleared_as_well(self, here: World) -> None:
        ctx = here.ctx("B4")
        place = here.survivor.failover
        pending = record(place, 2, "pending-upgrade", {})
        here.near.put(
            f"/api/v1/namespaces/{place}/secrets", record(place, 1, "deployed", {}), pending
        )
        note(here.near, place, Begun.of(here.incident, {}, 2))
        fire(ctx, "clear-pending-failover")
        assert here.near.deleted() == ["sh.helm.release.v1.camunda.v2"]
        assert here.brokers[place].strategy["rollingUpdate"]["partition"] == 1


# --- What is declared ----------------------------------------------------------------------------


def gates_of(recorder: Recorder) -> list[str]:
    return sorted(of_type(recorder, CONFIG_MAP))


def releases_of(recorder: Recorder) -> set[str]:
    return {each for each in in_cluster(recorder) if each.startswith("Release::")}


class TestDeclared:
    """The order of the procedure, as the engine is told it."""

    def test_the_isolation_goes_only_behind_the_proof_that_the_region_is_clean(
        self, here: World
    ) -> None:
        """Pulumi deletes what is no longer declared last of all, when every gate has passed."""
        before = declared(here.failing_over())
        assert set(of_type(before, POLICY)) == {"normal-isolation", "failover-isolation"}
        after = declared(here.ctx("B0"))
        assert of_type(after, POLICY) == {}
        assert gates_of(after) == ["B0"]
        assert releases_of(after) == {"Release::normal", "Release::failover"}

    def test_the_survivors_releases_are_repointed_only_behind_the_copy(self, here: World) -> None:
        recorder = declared(here.ctx("B2"))
        both = {"Release::normal", "Release::failover"}
        assert releases_of(recorder) == both
        for release in both:
            assert {f"ConfigMap::{each}" for each in ("B0", "B2", "B3")} <= behind(
                recorder, release
            )
        assert both <= behind(recorder, "ConfigMap::B4")
        assert "ConfigMap::B2" in behind(recorder, "ConfigMap::B3")
        assert both.isdisjoint(behind(recorder, "ConfigMap::B3"))

    def test_the_failover_installation_is_dropped_with_b5(self, here: World) -> None:
        recorder = declared(here.ctx("B5"))
        assert releases_of(recorder) == {"Release::normal"}
        assert "Namespace::failover-namespace" not in recorder.found
        assert "ConfigMap::B4" in behind(recorder, "Release::normal")
        assert "Release::normal" in behind(recorder, "ConfigMap::B5")

    @pytest.mark.parametrize(
        ("step", "before", "after"),
        [("B1", set(), {"B1"}), ("B4", {"B1"}, {"B4"}), ("B5", {"B1", "B4"}, {"B5"})],
    )
    def test_the_recreated_regions_release_stands_between_its_gates(
        self, here: World, step: str, before: set[str], after: set[str]
    ) -> None:
        recorder = declared(here.ctx(step, RECREATED))
        ahead = behind(recorder, "Release::normal")
        assert {each for each in ahead if each.startswith("ConfigMap::")} == {
            f"ConfigMap::{each}" for each in before
        }
        for each in after:
            assert "Release::normal" in behind(recorder, f"ConfigMap::{each}")

    def test_no_broker_is_woken_before_the_failover_brokers_are_proved_gone(
        self, here: World
    ) -> None:
        recorder = declared(here.ctx("B6", RECREATED))
        assert "ConfigMap::B6" in behind(recorder, "Release::normal")
        assert "Release::normal" in behind(recorder, "ConfigMap::B7")
        assert "Release::normal" not in behind(recorder, "ConfigMap::B6")

    def test_before_b0_the_recreated_region_declares_nothing_in_its_cluster(
        self, here: World
    ) -> None:
        assert in_cluster(declared(here.site_after(RECREATED, PENDING, "", "F1 F2 F3"))) == set()


class _Requests(Recorder):
    """Keeps the whole requests too."""

    kept: dict[str, Any]

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        kind = request.type.rpartition(":")[2]
        self.__dict__.setdefault("kept", {})[f"{kind}::{request.name}"] = request
        return super().RegisterResource(request)


class TestGates:
    """A gate names its incident: of another one it is recreated, of the same it stays as it is."""

    @pytest.fixture
    def requests(self, here: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        here.number = 2
        monkeypatch.setattr(pulumi_engine, "Recorder", _Requests)
        ctx = here.ctx("B4")
        recorder = pulumi_engine.run(lambda: Region("region", RegionArgs(ctx, "/srv")))[1]
        assert isinstance(recorder, _Requests)
        found = {key: each for key, each in recorder.kept.items() if key.startswith("ConfigMap::")}
        assert set(found) == {"ConfigMap::B0", "ConfigMap::B2", "ConfigMap::B3", "ConfigMap::B4"}
        return found

    def test_each_is_labelled_with_its_step_and_incident(
        self, here: World, requests: dict[str, Any]
    ) -> None:
        for key, request in requests.items():
            step = key.removeprefix("ConfigMap::")
            assert dict(request.object["metadata"]["labels"]) == {
                "camunda-dual-region/step": step,
                "camunda-dual-region/incident": f"2-region{here.lost}-lost",
            }

    def test_another_incident_replaces_it_and_nothing_else_changes_it(
        self, requests: dict[str, Any]
    ) -> None:
        """Deleted first: the proof writes into the record, and a replacement has the same name."""
        for request in requests.values():
            assert list(request.replaceOnChanges) == ["metadata.labels"]
            assert list(request.ignoreChanges) == ["data"]
            assert request.deleteBeforeReplace
            assert request.deleteBeforeReplaceDefined

    def test_every_step_is_proved_before_its_record_is_made(self, requests: dict[str, Any]) -> None:
        for key, request in requests.items():
            step = key.removeprefix("ConfigMap::")
            assert list(request.hooks.before_create) == [f"prove-{step}"]
            assert list(request.hooks.after_create) == []


# --- Outputs -------------------------------------------------------------------------------------


def addresses(*namespaces: str) -> list[str]:
    return [
        f"http://camunda-elasticsearch-master-hl.{each}.svc.cluster.local:9200"
        for each in namespaces
    ]


OUTPUTS = [
    pytest.param(SURVIVOR, PENDING, "F1 F2 F3", "", "B0", "joins", True, id="survivor, B0"),
    pytest.param(SURVIVOR, PENDING, "B0", "B1", "B0 B2 B3 B4", None, False, id="survivor, B4"),
    pytest.param(
        SURVIVOR,
        RESTORED,
        "B0 B2 B3 B4",
        "B1 B4",
        "B0 B2 B3 B4",
        "opens-web-apps",
        False,
        id="survivor, restored too early",
    ),
    pytest.param(
        SURVIVOR,
        RESTORED,
        "B0 B2 B3 B4",
        "B1 B4 B5",
        "B0 B2 B3 B4 B5",
        None,
        False,
        id="survivor, B5",
    ),
    pytest.param(
        RECREATED,
        PENDING,
        "",
        "F1 F2 F3",
        "",
        "proves-clean",
        False,
        id="recreated, before B0",
    ),
    pytest.param(
        RECREATED,
        PENDING,
        "",
        "B0",
        "B1",
        "copies",
        True,
        id="recreated, B1",
    ),
    pytest.param(RECREATED, PENDING, "B1", "B0 B2 B3 B4", "B1 B4", None, False, id="recreated, B4"),
    pytest.param(
        RECREATED,
        RESTORED,
        "B1 B4",
        "B0 B2 B3 B4",
        "B1 B4 B5",
        "resumes",
        False,
        id="recreated, B5",
    ),
    pytest.param(
        RECREATED,
        RESTORED,
        "B1 B4 B5",
        "B0 B2 B3 B4 B5",
        "B1 B4 B5 B6 B7",
        None,
        False,
        id="recreated, B7",
    ),
]
"""Role, phase, own gates, the other stack's; progress, what is waited for, whether exporters are replaced."""


class TestOutputs:
    """What a stack says of itself in a failback."""

    @pytest.mark.parametrize(
        ("role", "phase", "mine", "theirs", "progress", "waits", "replaced"), OUTPUTS
    )
    def test_progress_turn_and_exporters(
        self,
        here: World,
        role: str,
        phase: str,
        mine: str,
        theirs: str,
        progress: str,
        waits: str | None,
        replaced: bool,
    ) -> None:
        ctx = here.site_after(role, phase, mine, theirs)
        found = exported(ctx)
        assert (found["phase"], found["role"]) == (phase, role)
        assert (found["region"], found["lostRegion"]) == (ctx.settings.region, here.lost)
        assert found["incident"] == here.incident
        assert found["progress"] == progress.split()
        if waits is None:
            assert found["waitingFor"] is None
        else:
            peer = ctx.settings.peer
            facts = {"peer": peer.name, "peer_stack": ctx.settings.peer_stack_name}
            assert_message(found["waitingFor"], "other-turn", **facts)
            assert_tells(found["waitingFor"], waits)
        regions = [each.namespace for each in ctx.settings.regions]
        if replaced:
            regions[here.lost] = here.survivor.failover
        assert found["exporterUrls"] == addresses(*regions)

    def test_each_record_is_in_the_history_under_its_incident(self, here: World) -> None:
        found = exported(here.ctx("B4"))
        assert found["history"] == {here.incident: found["record"]}
        assert {each["incident"] for each in found["record"].values()} == {here.incident}

    @pytest.mark.parametrize(("step", "role"), [("B5", SURVIVOR), ("B7", RECREATED)])
    def test_earlier_incidents_and_earlier_steps_stay_in_it(
        self, here: World, step: str, role: str
    ) -> None:
        """The failover's gates are gone by now, and the namespaces of the lost region as well."""
        here.number = 2
        ctx = here.ctx(step, role)
        earlier = {f"1-region{1 - here.lost}-lost": {"F1": {"step": "F1", "seconds": "17.0"}}}
        before = {here.incident: {"F1": {"step": "F1"}, "F3": {"step": "F3", "evidence": "{}"}}}
        own = replace(ctx.own, history=earlier | before)
        found = exported(replace(ctx, own=own))
        assert found["history"] == earlier | {
            here.incident: before[here.incident] | found["record"]
        }
        assert set(found["record"]) == set(found["progress"])
        assert step in found["record"]
