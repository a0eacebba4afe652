"""What a run finds decides what it declares: looked at once, and then decided."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.chart import installations
from dualregion.chart.adoption import ChartVersion
from dualregion.config.settings import Settings
from dualregion.errors import ClusterUnreachable, ConfigError, DualRegionError, ProgramFault
from dualregion.procedure import F1, Phase, Role
from dualregion.procedure.topology import Kind, Topology
from dualregion.state.progress import Stack
from steps.before import situation
from steps.before.situation import Files, Observation
from steps.context import StepContext
from tests.fakes.kubernetes import FakeKubernetes, failure, kubeconfig, kubeconfig_of, serving
from tests.inputs.examples import chained_settings, failover, settings
from tests.raising import any_message, assert_message, fails_with, raises, tells
from tests.unit.steps.before.test_recovery import (
    EMPTIED,
    INCIDENT,
    LONDON,
    PAST,
    collection,
    found,
    step,
)
from tests.unit.steps.test_helm_records import record

CHART = ChartVersion("camunda-platform", "10.11.3")
FILES = Files(CHART, {}, None)
INSTALLED = frozenset({Kind.NORMAL.value})


@dataclass
class Told:
    """What a run told."""

    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def info(self, msg: str) -> None:
        self.infos.append(msg)

    def warn(self, msg: str) -> None:
        self.warnings.append(msg)


@pytest.fixture
def log() -> Told:
    return Told()


def looked(
    wanted: Settings,
    cluster: Cluster,
    log: Told,
    own: Stack | None = None,
    peer: Stack | None = None,
) -> Observation:
    return situation.of_cluster(wanted, cluster, own or Stack(), peer or Stack(), log)


def decided(
    wanted: Settings,
    cluster: Cluster,
    log: Told,
    own: Stack | None = None,
    peer: Stack | None = None,
) -> StepContext:
    seen = looked(wanted, cluster, log, own, peer)
    return situation.decide(wanted, FILES, cluster, seen, log)


def plugin_that_fails(folder: Path, context: str) -> str:
    """Write a kubeconfig whose credential plugin fails; return its path."""
    path = kubeconfig(folder, "https://127.0.0.1:1", context)
    document = yaml.safe_load(Path(path).read_text())
    document["users"][0]["user"] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "false",
            "interactiveMode": "Never",
        }
    }
    Path(path).write_text(yaml.safe_dump(document))
    return path


def silent(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raising() -> None:
        raise error

    monkeypatch.setattr(cluster, "check_answers", raising)


class TestTheFiles:
    def test_an_environment_that_decides_what_settings_must_is_refused(
        self, tmp_path: Path
    ) -> None:
        with fails_with("PULUMI_K8S_ENABLE_PATCH_FORCE", kind=ConfigError):
            situation.of_files(settings(), tmp_path, {"PULUMI_K8S_ENABLE_PATCH_FORCE": "true"})

    def test_values_that_cannot_work_are_refused_before_anything_is_asked(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.yaml").write_text("elasticsearch: {enabled: false}")
        with fails_with("elasticsearch.enabled", kind=ConfigError):
            situation.of_files(settings(values=["mine.yaml"]), tmp_path, {})

    def test_the_values_are_the_users(self, tmp_path: Path) -> None:
        (tmp_path / "failover.yaml").write_text("zeebe: {podLabels: {role: failover}}")
        files = situation.of_files(settings(failoverValues=["failover.yaml"]), tmp_path, {})
        assert files.failover_values == {"zeebe": {"podLabels": {"role": "failover"}}}
        assert str(files.chart) == "camunda-platform 10.11.3"


class TestTheCluster:
    def test_it_is_known_by_its_identity(self, cluster: Cluster, log: Told) -> None:
        seen = looked(settings(), cluster, log)
        assert seen == Observation(Stack(), Stack(), Stack(), cluster.identity())

    def test_what_must_not_follow_is_refused_before_it_is_asked(
        self, cluster: Cluster, kubernetes: FakeKubernetes, log: Told
    ) -> None:
        with raises("failback-without-failover", ConfigError):
            looked(found(), cluster, log, Stack(Phase.NORMAL, nodes=INSTALLED))
        assert kubernetes.asked == []

    def test_one_that_is_to_work_must_answer(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        silent(cluster, monkeypatch, ClusterUnreachable(any_message("it does not answer")))
        for wanted in (settings(), failover(0, 1)):
            with pytest.raises(ClusterUnreachable):
                looked(wanted, cluster, log)

    @pytest.mark.parametrize(
        "error",
        [
            ClusterUnreachable(any_message("it does not answer")),
            CallFailed(any_message("503"), 503),
        ],
    )
    def test_a_lost_one_need_not(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch, error: DualRegionError
    ) -> None:
        silent(cluster, monkeypatch, error)
        own, lost = (
            Stack(Phase.NORMAL, nodes=INSTALLED, values={"normal": {"a": 1}}),
            failover(1, 1),
        )
        ctx = decided(lost, cluster, log, own, Stack(Phase.FAILOVER, 1, frozenset({"F3"})))
        assert log.warnings == [error.message]
        assert ctx.topology.unchanged
        assert [each.values for each in ctx.topology.installations] == [{"a": 1}]

    def test_a_lost_one_may_have_taken_its_credential_plugin_along(
        self, log: Told, tmp_path: Path
    ) -> None:
        """What gives the login may lie in the region that is lost; of one that is to work it is needed."""
        cluster = Cluster(plugin_that_fails(tmp_path, "cluster-london"), "cluster-london")
        own = Stack(Phase.NORMAL, nodes=INSTALLED, values={"normal": {"a": 1}})
        peer = Stack(Phase.FAILOVER, 1, frozenset({"F3"}))
        ctx = decided(failover(1, 1), cluster, log, own, peer)
        assert ctx.topology.unchanged
        (warning,) = log.warnings
        assert_message(warning, "login-unavailable", context="cluster-london")
        assert tells(warning, "plugin-failed")
        for wanted in (settings(), failover(0, 1)):
            with fails_with("login-unavailable", "plugin-failed", kind=CallFailed):
                looked(wanted, cluster, log)

    def test_before_a_failback_the_other_regions_login_must_work(
        self, cluster: Cluster, log: Told, tmp_path: Path
    ) -> None:
        path = plugin_that_fails(tmp_path, "cluster-paris")
        wanted = found().model_copy(update={"kubeconfig": path})
        peer = Stack(Phase.FAILBACK_PENDING, 1, gates={"B1": str(INCIDENT)})
        held = Stack(Phase.FAILBACK_PENDING, 1, INSTALLED, gates={"B0": str(INCIDENT)})
        with raises("login-unavailable", CallFailed, context="cluster-paris"):
            looked(wanted, cluster, log, held, peer)

    def test_a_lost_one_that_refuses_is_no_silent_one(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        silent(cluster, monkeypatch, CallFailed(any_message("401"), 401))
        with pytest.raises(CallFailed):
            looked(failover(1, 1), cluster, log)

    @pytest.mark.parametrize(
        ("proved_in", "own", "counts"),
        [
            pytest.param("former", {"B0"}, False, id="recreated once more"),
            pytest.param("present", {"B0"}, True, id="the same"),
            pytest.param("", {"B0"}, True, id="an earlier version's, which names none"),
            pytest.param("former", {"B0", "B2"}, True, id="built on already"),
        ],
    )
    def test_what_was_proved_in_a_cluster_that_is_there_no_more_does_not_count(
        self,
        kubernetes: FakeKubernetes,
        log: Told,
        tmp_path: Path,
        proved_in: str,
        own: set[str],
        counts: bool,
    ) -> None:
        incident = {"incident": str(INCIDENT)}
        peer = Stack(
            Phase.FAILBACK_PENDING,
            1,
            frozenset({"B1"}),
            gates={"B1": str(INCIDENT)},
            records={"B1": incident | ({"cluster": proved_in} if proved_in else {})},
        )
        gates = dict.fromkeys(own, str(INCIDENT))
        held = Stack(Phase.FAILBACK_PENDING, 1, INSTALLED | own, gates=gates)
        with serving() as paris:
            paris.put("/api/v1/namespaces", {"metadata": {"name": "kube-system", "uid": "present"}})
            urls = {"cluster-london": kubernetes.url, "cluster-paris": paris.url}
            wanted = found().model_copy(update={"kubeconfig": kubeconfig_of(tmp_path, urls)})
            cluster = Cluster(wanted.kubeconfig, "cluster-london")
            seen = looked(wanted, cluster, log, held, peer)
        assert ("B1" in seen.peer.proved(INCIDENT)) is counts

    def test_a_recreated_region_that_is_silent_is_left_to_the_step_that_asks_it(
        self, kubernetes: FakeKubernetes, log: Told, tmp_path: Path
    ) -> None:
        gates = {"B1": str(INCIDENT)}
        record = {"incident": str(INCIDENT), "cluster": "former"}
        peer = Stack(Phase.FAILBACK_PENDING, 1, gates=gates, records={"B1": record})
        urls = {"cluster-london": kubernetes.url, "cluster-paris": "http://127.0.0.1:9"}
        wanted = found().model_copy(update={"kubeconfig": kubeconfig_of(tmp_path, urls)})
        held = Stack(Phase.FAILBACK_PENDING, 1, INSTALLED, gates={"B0": str(INCIDENT)})
        cluster = Cluster(wanted.kubeconfig, "cluster-london")
        assert looked(wanted, cluster, log, held, peer).peer == peer

    def test_a_state_that_was_emptied_is_found_again_and_that_is_told(
        self, cluster: Cluster, log: Told, kubernetes: FakeKubernetes, tmp_path: Path
    ) -> None:
        kubernetes.put(collection(LONDON, "configmaps"), *(step(each) for each in PAST))
        kubernetes.put(collection(LONDON, "secrets"), record(4, "deployed", {}))
        wanted = found().model_copy(
            update={"kubeconfig": kubeconfig(tmp_path, kubernetes.url, "cluster-paris")}
        )
        seen = looked(wanted, cluster, log, EMPTIED)
        assert seen.own.nodes >= {*PAST, "normal"}
        (warning,) = log.warnings
        assert_message(warning, "found-again", steps=tuple(PAST))


class TestWhatIsDecided:
    def test_the_first_installation(self, cluster: Cluster, log: Told) -> None:
        ctx = decided(settings(), cluster, log)
        assert [each.kind for each in ctx.topology.installations] == [Kind.NORMAL]
        assert (ctx.unrecorded, ctx.chain_writes, ctx.chart) == ({}, 0, str(CHART))
        assert (log.infos, log.warnings) == ([], [])

    def test_a_change_beside_the_procedure_is_refused(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            situation, "drift", lambda wanted, own, peer: [f"{wanted.chart} is new"]
        )
        with pytest.raises(ConfigError, match=r"camunda-platform 10\.11\.3 is new"):
            decided(settings(), cluster, log)

    def test_a_lost_region_that_falls_silent_meanwhile_is_left_as_it_is(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: Any) -> Any:
            raise ClusterUnreachable(any_message("gone"))

        monkeypatch.setattr("steps.before.situation.helm_records.unrecorded_upgrade", failing)
        own = Stack(Phase.NORMAL, nodes=INSTALLED, values={"normal": {}})
        seen = Observation(own, own, Stack(Phase.NORMAL, nodes=INSTALLED))
        ctx = situation.decide(failover(1, 1), FILES, cluster, seen, log)
        assert ctx.topology.unchanged
        assert log.warnings == ["gone"]
        with pytest.raises(ClusterUnreachable):
            situation.decide(settings(), FILES, cluster, seen, log)

    def test_what_contradicts_itself_ends_the_run(
        self, cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = Topology(Role.MEMBER, (installations.own(settings(), {}),) * 2)
        monkeypatch.setattr("steps.before.situation.desired", lambda *_: broken)
        with raises("contradiction", ProgramFault):
            decided(settings(), cluster, log)


class TestTheDnsChain:
    @pytest.fixture
    def corefile(self, kubernetes: FakeKubernetes) -> FakeKubernetes:
        kubernetes.put(
            "/api/v1/namespaces/kube-system/configmaps",
            {"metadata": {"name": "coredns"}, "data": {"Corefile": ".:53 {\n    errors\n}"}},
        )
        return kubernetes

    @pytest.mark.parametrize(("before", "after", "warned"), [(0, 1, False), (2, 3, True)])
    def test_it_is_written_again_where_it_is_missing(
        self,
        cluster: Cluster,
        log: Told,
        corefile: FakeKubernetes,
        before: int,
        after: int,
        warned: bool,
    ) -> None:
        own = Stack(chain_writes=before)
        assert decided(chained_settings(), cluster, log, own).chain_writes == after
        assert tells(log.warnings, "chain-written-again") is warned

    def test_a_cluster_that_cannot_be_asked_ends_the_run(
        self, cluster: Cluster, log: Told, corefile: FakeKubernetes
    ) -> None:
        corefile.broken["/api/v1/namespaces/kube-system/configmaps/coredns"] = failure(
            403, "Forbidden", "no"
        )
        with pytest.raises(DualRegionError):
            decided(chained_settings(), cluster, log)


def test_a_survivor_keeps_its_proofs(
    cluster: Cluster, log: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Topology] = []

    def proved_again(_: Any, __: Any, topology: Topology, *rest: Any) -> Topology:
        asked.append(topology)
        return topology

    monkeypatch.setattr("steps.before.situation.standing.proved_again", proved_again)
    ctx = decided(failover(0, 1), cluster, log)
    assert asked == [ctx.topology]
    assert F1 in {gate.step for gate in ctx.topology.gates}
