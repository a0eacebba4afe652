"""Preflight: each thing that would fail in the night is found by day, with its remedy."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client
from typer.testing import CliRunner

from cli.__main__ import app
from cli.check import Check, Outcome
from cli.checks.capacity import Node, Planned, Resources, does_not_fit
from cli.checks.live import of_region
from cli.checks.offline import CheckContext, always, before_failback, before_failover
from cli.commands import preflight
from cli.commands.preflight import exit_status
from cli.status.health import judge
from cli.status.observe import RegionStatuses
from clients.files import read_values
from dualregion import rbac
from dualregion.chart import installations
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.values import merge
from dualregion.config.chart_findings import Code, Finding
from dualregion.config.rbac_subjects import RightsSettings
from dualregion.config.settings import RegionSettings, Settings
from dualregion.corefile import block_for
from steps.releases.rendering import Seen
from tests.fakes import command as world
from tests.fakes.kubernetes import FakeKubernetes, Reply, kubeconfig, search_engine, stateful_set
from tests.inputs.examples import ACLS, chained_settings, settings, with_acls

REFERENCE = read_values((), Path())
STATEFUL_SETS = "/apis/apps/v1/namespaces/camunda-london/statefulsets"
TAKEN_OVER = world.failing_over(["F1", "F2", "F3"], "failover")


def ground(stacks: Any = None, region_statuses: Any = None, **more: Any) -> CheckContext:
    status = judge(stacks or world.normal(), region_statuses or world.whole())
    more.setdefault("values", REFERENCE)
    return CheckContext(status, more.pop("backend", "s3://states"), **more)


def failed(found: Iterable[Check]) -> dict[str, str]:
    """Return what the checks that did not hold have found; each has a remedy, and no other has."""
    checks = list(found)
    assert all(bool(each.remedy) == (each.outcome is not Outcome.OK) for each in checks)
    return {each.name: each.found for each in checks if each.outcome is not Outcome.OK}


def test_podless_isolation_is_all_that_is_found_of_the_reference_setup() -> None:
    found = failed(always(ground()))
    assert set(found) == {"isolation of region london", "isolation of region paris"}


def test_the_isolation_is_told_with_the_network_acls_that_cut_the_region_off() -> None:
    stacks = [
        replace(each, settings=each.settings.model_copy(update={"regions": acls_of_region_0()}))
        for each in world.normal()
    ]
    found = {each.name: each for each in always(ground(tuple(stacks)))}
    london, paris = (found[f"isolation of region {name}"] for name in ("london", "paris"))
    assert {london.outcome, paris.outcome} == {Outcome.OK}
    assert london.found == "network policies"
    assert paris.found.split("; ") == [
        "network policies",
        *(f"rules 10 to 11 of network ACL {each}" for each in ACLS[0]),
    ]


def acls_of_region_0() -> tuple[RegionSettings, ...]:
    first, second = settings(regions=with_acls()).regions
    return first, second.model_copy(update={"network_acls": None})


def test_stacks_that_are_configured_differently_are_told_by_their_keys() -> None:
    first, second = world.normal()
    other = second.settings.model_copy(update={"cluster_size": 8, "release": "x"})
    found = failed(always(ground((first, replace(second, settings=other)))))
    assert found["both stacks are configured alike"] == "they differ in cluster_size, release"


def test_a_backend_on_this_machine_and_values_that_conflict_are_found() -> None:
    found = failed(always(ground(backend="file:///s", values={"zeebe": {"clusterSize": 12}})))
    assert "a folder of this machine" in found["the state backend outlasts either region"]
    assert "zeebe.clusterSize is 12" in found["Helm values"]
    broken = failed(always(ground(values_problem="values: file x is not YAML")))
    assert broken["Helm values"] == "values: file x is not YAML"


def test_what_was_written_down_and_not_installed_is_found_by_day() -> None:
    """In an incident it would be refused."""
    chart = ChartVersion("camunda-platform", "10.11.3")
    first, second = world.normal()
    kept = values_of(first.settings)
    held = replace(first.state.held, values={"normal": kept})
    stacks = (replace(first, state=replace(first.state, held=held)), second)
    london, paris = (
        f"stack {each} is installed as it is configured" for each in ("region0", "region1")
    )
    checks = {each.name: each for each in always(ground(stacks, chart=chart))}
    assert checks[london].outcome is Outcome.OK
    assert checks[paris].outcome is Outcome.UNKNOWN
    changed = merge(REFERENCE, {"zeebe": {"image": {"tag": "8.5.7"}}})
    found = failed(always(ground(stacks, chart=chart, values=changed)))
    assert "zeebe.image" in found[london]
    assert london not in failed(always(ground(TAKEN_OVER, world.taken_over(), chart=chart)))


def values_of(found: Settings) -> Mapping[str, Any]:
    return installations.own(found, REFERENCE).values


def test_a_region_that_does_not_answer_is_found() -> None:
    found = failed(always(ground(region_statuses=(world.whole()[0], world.silent(1)))))
    assert found["region paris answers"] == "no answer in time"


def test_two_whole_regions_are_fit_for_a_failover() -> None:
    assert failed(before_failover(ground())) == {}


def test_gateways_that_do_not_see_each_others_brokers_are_found() -> None:
    view = world.view_of((0, 2))
    region_statuses = (world.region(0, normal=world.installation(0, view=view)), world.whole()[1])
    found = failed(before_failover(ground(region_statuses=region_statuses)))
    assert found["the gateway of region london sees all brokers"] == "it does not see broker 1, 3"
    assert "partition 1, 2, 3, 4 is not" in found["every partition is complete"]
    assert "the gateway of region paris sees all brokers" not in found


def test_paused_exporters_are_found() -> None:
    region_statuses = (
        world.region(0, normal=world.installation(0, exporting="PAUSED")),
        world.whole()[1],
    )
    assert (
        "PAUSED"
        in failed(before_failover(ground(region_statuses=region_statuses)))["every broker exports"]
    )


def outcomes(found: Iterable[Check]) -> dict[str, tuple[Outcome, str]]:
    """Return what was found of each check that does not hold."""
    return {
        each.name: (each.outcome, each.found) for each in found if each.outcome is not Outcome.OK
    }


def hushed(*parts: str) -> RegionStatuses:
    """Return both regions, of neither of which these parts answer."""
    return (
        world.region(0, normal=world.hushed(world.installation(0), *parts)),
        world.region(1, normal=world.hushed(world.installation(1), *parts)),
    )


SILENT = (world.silent(0), world.silent(1))


@pytest.mark.parametrize(
    ("region_statuses", "names"),
    [
        pytest.param(hushed("exporting"), {"every broker exports"}, id="brokers"),
        pytest.param(
            hushed("view"),
            {
                "every broker exports",
                "every partition is complete",
                "the gateway of region london sees all brokers",
                "the gateway of region paris sees all brokers",
            },
            id="gateways",
        ),
        pytest.param(
            SILENT,
            {
                "every broker exports",
                "every partition is complete",
                "the gateway of region london sees all brokers",
                "the gateway of region paris sees all brokers",
            },
            id="everything",
        ),
    ],
)
def test_what_could_not_be_observed_is_unknown(
    region_statuses: RegionStatuses, names: set[str]
) -> None:
    found = outcomes(before_failover(ground(region_statuses=region_statuses)))
    assert set(found) == names
    assert {outcome for outcome, _ in found.values()} == {Outcome.UNKNOWN}


def test_replicas_that_were_not_asked_do_not_export_for_all_that_is_known() -> None:
    region_statuses = world.region(0, normal=world.installation(0, asleep=[0])), world.whole()[1]
    outcome, found = outcomes(before_failover(ground(region_statuses=region_statuses)))[
        "every broker exports"
    ]
    assert (outcome, found) == (Outcome.UNKNOWN, "12 of 16 replicas in sight were asked")


QUORUM = "quorum after either loss"


def test_quorum_after_a_loss_is_computed_from_what_the_gateway_says() -> None:
    assert QUORUM not in outcomes(always(ground()))
    assert QUORUM not in outcomes(always(ground(TAKEN_OVER, world.taken_over())))
    half = world.view_of((0, 2))
    region_statuses = tuple(
        world.region(each, normal=world.installation(each, view=half)) for each in (0, 1)
    )
    assert outcomes(always(ground(region_statuses=region_statuses)))[QUORUM] == (
        Outcome.UNKNOWN,
        "not all copies of partition 1, 2, 3, 4 are in sight",
    )
    outcome, found = outcomes(always(ground(region_statuses=SILENT)))[QUORUM]
    assert outcome is Outcome.UNKNOWN
    assert "no gateway says who holds which partition" in found


def test_a_distribution_without_quorum_after_a_loss_is_found() -> None:
    """Four brokers can hold four copies in one way only; with six, partitions may lie badly."""
    sizes = {"cluster_size": 6, "partition_count": 4}
    stacks = tuple(
        replace(each, settings=each.settings.model_copy(update=sizes)) for each in world.normal()
    )
    view = world.view_of((0, 2, 3, 5))
    region_statuses = tuple(
        world.region(each, normal=world.installation(each, view=view)) for each in (0, 1)
    )
    outcome, found = outcomes(always(ground(stacks, region_statuses)))[QUORUM]
    assert outcome is Outcome.FAILED
    assert "after a failover of region 1 partition 1, 2, 3, 4 has no quorum" in found
    assert "1 by broker 0, 2, 3, 5" in found


def test_checks_of_a_region_that_does_not_answer_are_unknown_by_name() -> None:
    found = outcomes(of_region(ground(region_statuses=SILENT), 1, failback=False))
    assert found == dict.fromkeys(
        (
            "rights in region paris",
            "Secrets in region paris",
            "the snapshot repository from region paris",
            "the search engine of region paris can be copied",
            "what the chart renders in region paris",
            "room for failover brokers in region paris",
            "the failover namespace of region paris is clean",
        ),
        (Outcome.UNKNOWN, "no answer in time"),
    )


def test_a_backend_that_does_not_show_locks_is_told() -> None:
    found = {each.name: each.found for each in always(ground())}
    assert "this backend does not show locks" in found["stack region0 is at rest"]
    first, second = (replace(each, locks=()) for each in world.normal())
    found = {each.name: each.found for each in always(ground((first, second)))}
    assert found["stack region0 is at rest"] == "nothing is pending"


def test_a_failback_needs_a_failover_and_a_place_for_the_snapshot() -> None:
    assert "a failover is complete" in failed(before_failback(ground()))
    assert failed(before_failback(ground(TAKEN_OVER, world.taken_over()))) == {}
    early = failed(before_failback(ground(world.failing_over(["F1"]), world.taken_over())))
    assert early["the failover is complete"] == "F3 is not proved"


def node(memory: int, taints: tuple[Any, ...] = (), **labels: str) -> Node:
    """Return a node with labels of `kubernetes.io/`."""
    named = {f"kubernetes.io/{key}": value for key, value in labels.items()}
    return Node(Resources(Decimal(2), Decimal(memory)), named, taints)


def planned(memory: int, spec: Any = None, cpu: int = 1, **labels: str) -> Planned:
    return Planned(Resources(Decimal(cpu), Decimal(memory)), labels, spec)


def test_pods_are_placed_by_what_they_ask_for() -> None:
    small, large = planned(1), planned(4)
    nodes = [node(5), Node(Resources(Decimal(1), Decimal(2)))]
    assert does_not_fit([small, large, small], nodes) is None
    assert does_not_fit([large, large], nodes) == large
    assert str(Resources.of({"cpu": "1500m", "memory": "2Gi"})) == "1.5 cpu and 2048 MiB"


def pod_spec(**parts: Any) -> client.V1PodSpec:
    return client.V1PodSpec(containers=[], **parts)


def apart(key: str, **labels: str) -> client.V1PodSpec:
    """Return the spec of a pod that must not be where one with these labels is, as the chart's brokers."""
    expressions = [
        client.V1LabelSelectorRequirement(key=name, operator="In", values=[value])
        for name, value in labels.items()
    ]
    term = client.V1PodAffinityTerm(
        label_selector=client.V1LabelSelector(match_expressions=expressions), topology_key=key
    )
    away = client.V1PodAntiAffinity(required_during_scheduling_ignored_during_execution=[term])
    return pod_spec(affinity=client.V1Affinity(pod_anti_affinity=away))


@pytest.mark.parametrize(
    ("nodes", "fits"),
    [
        pytest.param([node(9, hostname="a")], False, id="one node, however large"),
        pytest.param([node(9, hostname="a"), node(1, hostname="b")], True, id="one node for each"),
    ],
)
def test_brokers_that_keep_away_from_each_other_need_nodes_of_their_own(
    nodes: list[Node], fits: bool
) -> None:
    """The chart's brokers do, by a required anti-affinity."""
    broker = planned(1, apart("kubernetes.io/hostname", app="broker"), app="broker")
    assert (does_not_fit([broker, broker], nodes) is None) is fits
    engine = planned(1, app="engine")
    assert does_not_fit([broker, engine], nodes) is None, "it keeps away from brokers only"


def test_pods_keep_away_from_whom_others_keep_away_from() -> None:
    broker = planned(2, apart("kubernetes.io/zone", app="engine"), app="broker")
    engine = planned(1, app="engine")
    nodes = [node(9, hostname="a", zone="z"), node(9, hostname="b", zone="z")]
    assert does_not_fit([broker, engine], nodes) == engine


TAINTED = (client.V1Taint(key="only", value="camunda", effect="NoSchedule"),)


@pytest.mark.parametrize(
    ("spec", "taints", "fits"),
    [
        pytest.param(pod_spec(), (), True, id="anywhere"),
        pytest.param(pod_spec(), TAINTED, False, id="a taint"),
        pytest.param(
            pod_spec(
                tolerations=[client.V1Toleration(key="only", operator="Equal", value="camunda")]
            ),
            TAINTED,
            True,
            id="tolerated",
        ),
        pytest.param(
            pod_spec(tolerations=[client.V1Toleration(key="only", value="other")]),
            TAINTED,
            False,
            id="another value tolerated",
        ),
        pytest.param(pod_spec(node_selector={"kubernetes.io/pool": "zeebe"}), (), True, id="pool"),
        pytest.param(pod_spec(node_selector={"kubernetes.io/pool": "x"}), (), False, id="no pool"),
        *(
            pytest.param(
                pod_spec(
                    affinity=client.V1Affinity(
                        node_affinity=client.V1NodeAffinity(
                            required_during_scheduling_ignored_during_execution=client.V1NodeSelector(
                                node_selector_terms=[
                                    client.V1NodeSelectorTerm(
                                        match_expressions=[
                                            client.V1NodeSelectorRequirement(
                                                key="kubernetes.io/pool",
                                                operator=operator,
                                                values=values,
                                            )
                                        ]
                                    )
                                ]
                            )
                        )
                    )
                ),
                (),
                fits,
                id=f"{operator} {values}",
            )
            for operator, values, fits in (
                ("In", ["zeebe"], True),
                ("NotIn", ["zeebe"], False),
                ("Exists", None, True),
                ("DoesNotExist", None, False),
                ("Gt", ["1"], False),
            )
        ),
    ],
)
def test_pods_are_placed_where_they_may_be(spec: Any, taints: tuple[Any, ...], fits: bool) -> None:
    found = does_not_fit([planned(1, spec)], [node(9, taints, pool="zeebe")])
    assert (found is None) is fits


@pytest.fixture
def london(
    kubernetes: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[FakeKubernetes, CheckContext]:
    """A cluster that allows everything and has room, and region 0 in it, whose chart renders what it should."""
    monkeypatch.setattr("cli.checks.live.rendering.look", lambda *_: Seen())
    reviews = "/apis/authorization.k8s.io/v1"
    allowed = {"spec": {}, "status": {"allowed": True}}
    kubernetes.broken[f"{reviews}/selfsubjectaccessreviews"] = Reply(201, allowed)
    broker = stateful_set(2)
    containers = broker["spec"]["template"]["spec"]["containers"]
    containers[0]["resources"] = {"requests": {"cpu": "500m", "memory": "1Gi"}}
    kubernetes.put(STATEFUL_SETS, broker, search_engine(1, 1))
    room(kubernetes, "4Gi")
    kubernetes.put("/api/v1/persistentvolumes")
    for path in ("", "/_verify"):
        for method in ("GET", "POST", "DELETE"):
            kubernetes.behind(
                "camunda-london/services/camunda-elasticsearch-master-hl:9200",
                f"/_snapshot/camunda_backup-preflight{path}",
                Reply(200, {}),
                method=method,
            )
    engine_says(kubernetes, "_data_stream", {"data_streams": []})
    engine_says(kubernetes, "_cluster/state/blocks", {"blocks": {}})
    stacks = tuple(
        replace(
            each,
            settings=each.settings.model_copy(
                update={"kubeconfig": kubeconfig(tmp_path, kubernetes.url, "cluster-london")}
            ),
        )
        for each in world.normal()
    )
    return kubernetes, ground(stacks, values={})


def room(fake: FakeKubernetes, memory: str) -> None:
    """Give the cluster one node."""
    fake.put(
        "/api/v1/nodes",
        {
            "metadata": {"name": "n"},
            "spec": {},
            "status": {"allocatable": {"cpu": "4", "memory": memory}},
        },
    )
    nodes = list(fake.objects["/api/v1/nodes"].values())
    fake.broken["/api/v1/nodes"] = Reply(200, {"items": nodes, "metadata": {}})
    pod = {
        "metadata": {"name": "p"},
        "spec": {
            "nodeName": "n",
            "containers": [{"name": "c", "resources": {"requests": {"memory": "1Gi"}}}],
        },
        "status": {"phase": "Running"},
    }
    fake.broken["/api/v1/pods"] = Reply(200, {"items": [pod], "metadata": {}})


@pytest.mark.parametrize("missing", ["zeebe", "elasticsearch-master"])
def test_room_is_unknown_without_what_it_is_reckoned_by(
    london: tuple[FakeKubernetes, CheckContext], missing: str
) -> None:
    kubernetes, found = london
    del kubernetes.objects[STATEFUL_SETS][f"camunda-{missing}"]
    room = outcomes(of_region(found, 0, failback=False))[
        "room for failover brokers in region london"
    ]
    assert room[0] is Outcome.UNKNOWN
    own = replace(found, values={"elasticsearch": {"enabled": False}})
    room_of_own = outcomes(of_region(own, 0, failback=False)).get(
        "room for failover brokers in region london"
    )
    assert (room_of_own is None) is (missing != "zeebe")


def test_a_region_that_is_fit_passes_and_nothing_stays_behind(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    assert failed(of_region(found, 0, failback=False)) == {}
    engine = "camunda-elasticsearch-master-hl:9200/proxy/_snapshot/camunda_backup-preflight"
    written = [each for each in fake.asked if engine in each and not each.startswith("GET")]
    assert [each.split()[0] for each in written] == ["POST", "DELETE"]
    reviews = [each for each in fake.asked if "selfsubjectaccessreviews" in each]
    given = found.settings
    everywhere = sum(
        len(each.verbs) * (len(rbac.names(each, given, 0)) or 1)
        for each in rbac.cluster_wide(given, rbac.Side.OWN)
    )
    inside = sum(len(each.verbs) for each in rbac.namespaced(given, rbac.Side.OWN))
    assert len(reviews) == everywhere + 2 * inside


def test_missing_rights_are_named(london: tuple[FakeKubernetes, CheckContext]) -> None:
    fake, found = london
    refused = {"spec": {}, "status": {"allowed": False}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    fake.broken[path] = Reply(201, refused)
    said = failed(of_region(found, 0, failback=False))["rights in region london"]
    assert "list persistentvolumes, " in said
    assert "create services/proxy in camunda-london-failover" in said


def test_the_dns_chain_is_looked_for_in_the_live_corefile(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    first, second = found.status.stacks
    chained = chained_settings(kubeconfig=first.settings.kubeconfig)
    stacks = (replace(first, settings=chained), second)
    found = replace(found, status=replace(found.status, stacks=stacks))
    name = "DNS chain of region london"
    maps = "/api/v1/namespaces/kube-system/configmaps"

    def said(corefile: str) -> str | None:
        fake.put(maps, {"metadata": {"name": "coredns"}, "data": {"Corefile": corefile}})
        return failed(of_region(found, 0, failback=False)).get(name)

    assert said(block_for(chained, 0) + ".:53 {\n}\n") is None
    assert said(".:53 {\n}\n") == "it is not in the Corefile as it should be"
    own = "camunda-paris.svc.cluster.local {\n}\n"
    assert "a server block for camunda-paris.svc.cluster.local of its own" in str(said(own))
    fake.broken["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = Reply(
        201, {"spec": {}, "status": {"allowed": False}}
    )
    lacking = failed(of_region(found, 0, failback=False))["rights in region london"]
    assert (
        "get configmaps coredns in kube-system, patch configmaps coredns in kube-system" in lacking
    )


def test_the_other_stacks_own_credentials_are_asked_for_its_rights(
    london: tuple[FakeKubernetes, CheckContext], tmp_path: Path
) -> None:
    fake, found = london
    first, second = found.status.stacks
    (tmp_path / "other").mkdir()
    stale = kubeconfig(tmp_path / "other", fake.url, "cluster-london", token="stale")
    other = second.settings.model_copy(update={"kubeconfig": stale})
    stacks = (first, replace(second, settings=other))
    checks = {each.name: each for each in of_region(ground(stacks), 0, failback=False)}
    assert checks["rights in region london"].outcome is Outcome.OK
    theirs = checks["rights of the other stack in region london"]
    assert theirs.outcome is Outcome.UNKNOWN
    assert "401" in theirs.found
    assert "both stacks are configured alike" not in failed(always(ground(stacks)))


def test_a_namespace_that_the_program_makes_when_it_needs_it_is_not_asked_for_rights(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    given = {"rights": RightsSettings(subject="group:operators")}
    stacks: Any = tuple(
        replace(each, settings=each.settings.model_copy(update=given))
        for each in found.status.stacks
    )
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    fake.broken[path] = Reply(201, {"spec": {}, "status": {"allowed": False}})
    fake.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london"}})
    said = failed(of_region(ground(stacks), 0, failback=False))["rights in region london"]
    assert "create secrets in camunda-london" in said
    assert "in camunda-london-failover" not in said
    assert "create rolebindings camunda-dual-region," in said
    assert "bind clusterroles camunda-dual-region-camunda-london," in said


def test_too_little_room_a_missing_secret_a_dead_repository_and_leftovers_are_found(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    room(fake, "1500Mi")
    fake.behind(
        "camunda-london/services/camunda-elasticsearch-master-hl:9200",
        "/_snapshot/camunda_backup-preflight",
        Reply(500, {"error": {"reason": "bucket is gone"}}),
        method="POST",
    )
    fake.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london-failover"}})
    claims = "/api/v1/namespaces/camunda-london-failover/persistentvolumeclaims"
    fake.put(claims, {"metadata": {"name": "data-old"}})
    values = {"elasticsearch": {"extraEnvVarsSecret": "keys"}}
    said = failed(of_region(replace(found, values=values), 0, failback=False))
    assert said["Secrets in region london"] == (
        "keys is not in camunda-london and camunda-london-failover"
    )
    assert "bucket is gone" in said["the snapshot repository from region london"]
    assert (
        "no node has 0.5 cpu and 1024 MiB left"
        in said["room for failover brokers in region london"]
    )
    assert "claim/data-old" in said["the failover namespace of region london is clean"]


def engine_says(fake: FakeKubernetes, path: str, body: Any) -> None:
    target = "camunda-london/services/camunda-elasticsearch-master-hl:9200"
    fake.behind(target, f"/{path}", Reply(200, body))


def test_indices_that_no_failback_could_copy_are_found_months_before(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    closed = {"4": {"description": "index closed", "levels": ["read", "write"]}}
    engine_says(fake, "_cluster/state/blocks", {"blocks": {"indices": {"audit-2024": closed}}})
    engine_says(fake, "_data_stream", {"data_streams": [{"name": "logs"}]})
    said = failed(of_region(found, 0, failback=False))
    assert "index audit-2024 is closed" in said["the search engine of region london can be copied"]


def test_data_streams_are_told_and_an_engine_that_does_not_tell_is_unknown(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    engine_says(fake, "_data_stream", {"data_streams": [{"name": "logs"}]})
    name = "the search engine of region london can be copied"
    check = {each.name: each for each in of_region(found, 0, failback=False)}[name]
    assert (check.outcome, check.found) == (Outcome.OK, "data streams logs are not copied")
    engine_says(fake, "_cluster/state/blocks", {})
    check = {each.name: each for each in of_region(found, 0, failback=False)}[name]
    assert check.outcome is Outcome.UNKNOWN


def test_a_secret_that_is_there_is_not_missed_and_one_that_may_not_be_read_is_unknown(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    secrets = "/api/v1/namespaces/{}/secrets"
    fake.put(secrets.format("camunda-london"), {"metadata": {"name": "keys"}})
    given = replace(found, values={"elasticsearch": {"extraEnvVarsSecret": "keys"}})
    said = failed(of_region(given, 0, failback=False))
    assert said["Secrets in region london"] == "keys is not in camunda-london-failover"
    for namespace in ("camunda-london", "camunda-london-failover"):
        fake.put("/api/v1/namespaces", {"metadata": {"name": namespace}})
        fake.broken[f"{secrets.format(namespace)}/keys"] = Reply(403, {"message": "forbidden"})
    checks = {each.name: each for each in of_region(given, 0, failback=False)}
    assert checks["Secrets in region london"].outcome is Outcome.UNKNOWN


def test_what_cannot_be_asked_is_unknown_and_keeps_nothing_else_from_being_asked(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    fake.broken["/api/v1/nodes"] = Reply(403, {"message": "nodes is forbidden"})
    checks = list(of_region(found, 0, failback=False))
    assert [each.name for each in checks if each.outcome is Outcome.UNKNOWN] == [
        "room for failover brokers in region london"
    ]
    assert len(checks) == 7


@pytest.mark.parametrize(
    ("seen", "outcome", "told"),
    [
        (Seen(), Outcome.OK, ""),
        (
            Seen(findings=(Finding(Code.NAME, "no x", ("normal",)),)),
            Outcome.FAILED,
            "[name] no x (normal)",
        ),
        (Seen(unknown=("there is no helm",)), Outcome.UNKNOWN, "there is no helm"),
    ],
)
def test_what_the_chart_renders_is_seen_seen_otherwise_or_not_seen(
    london: tuple[FakeKubernetes, CheckContext],
    monkeypatch: pytest.MonkeyPatch,
    seen: Seen,
    outcome: Outcome,
    told: str,
) -> None:
    monkeypatch.setattr("cli.checks.live.rendering.look", lambda *_: seen)
    checks = {each.name: each for each in of_region(london[1], 0, failback=False)}
    found = checks["what the chart renders in region london"]
    assert (found.outcome, found.found) == (outcome, told)


def test_in_a_failback_nothing_is_rendered(
    london: tuple[FakeKubernetes, CheckContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Seen:
        raise AssertionError("rendered in an incident")

    monkeypatch.setattr("cli.checks.live.rendering.look", never)
    names = [each.name for each in of_region(london[1], 0, failback=True)]
    assert "what the chart renders in region london" not in names


def test_a_recreated_region_must_be_clean(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    config = kubeconfig(tmp_path, kubernetes.url, "cluster-paris")
    stacks = tuple(
        replace(each, settings=each.settings.model_copy(update={"kubeconfig": config}))
        for each in TAKEN_OVER
    )
    kubernetes.broken["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = Reply(
        201, {"spec": {}, "status": {"allowed": True}}
    )
    found = ground(stacks, (world.taken_over()[0], world.region(1)))
    assert failed(of_region(found, 1, failback=True)) == {}
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": "camunda-paris"}})
    kubernetes.put("/apis/apps/v1/namespaces/camunda-paris/statefulsets", stateful_set(2))
    said = failed(of_region(found, 1, failback=True))
    assert "statefulset/camunda-zeebe" in said["region paris is clean"]


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [(["ok"], 0), (["ok", "unknown"], 13), (["ok", "unknown", "failed"], 1)],
)
def test_the_exit_status_is_that_of_the_worst(outcomes: list[str], status: int) -> None:
    assert exit_status(tuple(Check("x", Outcome(each)) for each in outcomes)) == status


@pytest.mark.parametrize(
    ("arguments", "stacks", "procedure"),
    [
        ([], world.normal(), "failover"),
        ([], TAKEN_OVER, "failback"),
        (["failover"], TAKEN_OVER, "failover"),
    ],
)
def test_the_command_chooses_by_the_phase_and_shows_remedies(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], stacks: Any, procedure: str
) -> None:
    monkeypatch.setattr(
        "cli.commands.common.Project", lambda folder: SimpleNamespace(folder=folder)
    )
    monkeypatch.setattr(preflight, "_context", lambda *_: ground(stacks, world.taken_over()))
    monkeypatch.setattr(preflight, "of_region", lambda *_, **__: iter(()))
    run = ["preflight", *arguments]
    found = json.loads(CliRunner().invoke(app, [*run, "--json"]).output)
    assert found["procedure"] == procedure
    result = CliRunner().invoke(app, run, env={"COLUMNS": "160"})
    assert result.exit_code == 1
    assert "-> set podCidrs" in result.output
