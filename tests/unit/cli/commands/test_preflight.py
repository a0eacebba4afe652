"""Preflight: each thing that would fail in the night is found by day, with its remedy."""

import json
from collections.abc import Iterable, Mapping, Sequence
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
from cli.stacks.project import Project
from cli.status.health import judge
from cli.status.observed.observe import RegionStatuses
from clients.files import read_values
from dualregion import rbac
from dualregion.chart import installations
from dualregion.chart.adoption import ChartVersion
from dualregion.chart.values import merge
from dualregion.config.chart_findings import Code, Finding
from dualregion.config.sections.rbac_subjects import RightsSettings
from dualregion.config.settings import RegionSettings, Settings
from dualregion.corefile import block_for
from messages import Message
from messages.chart.files import no_helm
from messages.command.checks import check_quorum, checks_made
from messages.command.status import not_in_time
from steps.releases.rendering import Seen
from tests.fakes import command as world
from tests.fakes import pulumi_command
from tests.fakes.kubernetes import FakeKubernetes, Reply, kubeconfig, search_engine, stateful_set
from tests.inputs.examples import ACLS, chained_settings, settings, with_acls
from tests.raising import assert_message

REFERENCE = read_values((), Path())
STATEFUL_SETS = "/apis/apps/v1/namespaces/camunda-london/statefulsets"
TAKEN_OVER = world.failing_over(["F1", "F2", "F3"], "failover")


def context(stacks: Any = None, region_statuses: Any = None, **more: Any) -> CheckContext:
    status = judge(stacks or world.normal(), region_statuses or world.whole())
    more.setdefault("values", REFERENCE)
    return CheckContext(status, more.pop("backend", "s3://states"), **more)


def failed(found: Iterable[Check]) -> dict[str, Message | str]:
    """Return what the checks that are not ok have found, by code; each has a remedy, and no other has."""
    checks = list(found)
    assert all(bool(each.remedy) == (each.outcome is not Outcome.OK) for each in checks)
    return {each.code: each.found or "" for each in checks if each.outcome is not Outcome.OK}


def of_one(found: Iterable[Check], code: str, **facts: Any) -> Check:
    """Return the one check of a code whose name has these facts: of a region, or of a stack."""
    (check,) = (
        each for each in found if each.code == code and facts.items() <= each.name.facts.items()
    )
    return check


def test_podless_isolation_is_all_that_is_found_of_the_reference_setup() -> None:
    found = [each for each in always(context()) if each.outcome is not Outcome.OK]
    assert [each.name.facts for each in found] == [{"region": "london"}, {"region": "paris"}]
    for each in found:
        assert_message(each.name, "check-isolation")
        assert_message(each.found, "pod-cidrs-missing")


def test_the_isolation_is_shown_with_the_network_acls_that_cut_the_region_off() -> None:
    stacks = [
        replace(each, settings=each.settings.model_copy(update={"regions": acls_of_region_0()}))
        for each in world.normal()
    ]
    checks = list(always(context(tuple(stacks))))
    london, paris = (of_one(checks, "check-isolation", region=name) for name in ("london", "paris"))
    assert {london.outcome, paris.outcome} == {Outcome.OK}
    assert_message(london.found, "isolated-by", rules=())
    rules = tuple(f"rules 10 to 11 of network ACL {each}" for each in ACLS[0])
    assert_message(paris.found, "isolated-by", rules=rules)


def acls_of_region_0() -> tuple[RegionSettings, ...]:
    first, second = settings(regions=with_acls()).regions
    return first, second.model_copy(update={"network_acls": None})


def test_stacks_that_are_configured_differently_are_found_by_their_keys() -> None:
    first, second = world.normal()
    other = second.settings.model_copy(update={"cluster_size": 8, "release": "x"})
    found = failed(always(context((first, replace(second, settings=other)))))
    keys = ("cluster_size", "release")
    assert_message(found["check-stacks-alike"], "stacks-differ", keys=keys)


def test_a_backend_on_this_machine_and_values_that_conflict_are_found() -> None:
    found = failed(always(context(backend="file:///s", values={"zeebe": {"clusterSize": 12}})))
    assert_message(found["check-backend"], "backend-on-this-machine", backend="file:///s")
    assert "check-values" in found
    broken = failed(always(context(values_problem="values: file x is not YAML")))
    assert broken["check-values"] == "values: file x is not YAML"


def test_keys_that_are_readable_are_found() -> None:
    keys = {"elasticsearchSecret": {"name": "s", "data": {"S3_ACCESS_KEY": "AK"}}}
    stacks = tuple(
        replace(each, settings=settings(region=index, **keys, **world.SIZES))
        for index, each in enumerate(world.normal())
    )
    assert "check-keys-encrypted" not in failed(always(context(stacks)))
    found = failed(always(context(stacks, plain_keys=("region1",))))["check-keys-encrypted"]
    assert_message(found, "keys-in-plain", stacks=("region1",))
    codes = [each.code for each in always(context())]
    assert "check-keys-encrypted" not in codes


@pytest.mark.parametrize(("secret", "plain"), [([], True), (["elasticsearchSecret"], False)])
def test_pulumi_tells_which_keys_are_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: list[str], plain: bool
) -> None:
    pulumi_command.make_project(tmp_path)
    pulumi = pulumi_command.install(tmp_path, monkeypatch)
    keys = {"name": "s", "data": {"S3_ACCESS_KEY": "AK"}}
    pulumi.stack("region0", 0, secret=secret, elasticsearchSecret=keys)
    found = {
        each: preflight._has_plain_keys(Project(tmp_path), each) for each in ("region0", "region1")
    }
    assert found == {"region0": plain, "region1": False}


def test_what_was_written_down_and_not_installed_is_found_by_day() -> None:
    """In an incident it would be refused."""
    chart = ChartVersion("camunda-platform", "10.11.3")
    first, second = world.normal()
    kept = values_of(first.settings)
    held = replace(first.state.held, values={"normal": kept})
    stacks = (replace(first, state=replace(first.state, held=held)), second)
    code = "check-as-installed"
    checks = list(always(context(stacks, chart=chart)))
    assert of_one(checks, code, stack="region0").outcome is Outcome.OK
    assert of_one(checks, code, stack="region1").outcome is Outcome.UNKNOWN
    changed = merge(REFERENCE, {"zeebe": {"image": {"tag": "8.5.7"}}})
    found = of_one(always(context(stacks, chart=chart, values=changed)), code, stack="region0")
    assert found.outcome is Outcome.FAILED
    assert_message(found.remedy, "fix-installed", stack="region0")
    assert code not in failed(always(context(TAKEN_OVER, world.taken_over(), chart=chart)))


def values_of(found: Settings) -> Mapping[str, Any]:
    return installations.own(found, REFERENCE).values


def test_a_region_that_does_not_answer_is_found() -> None:
    found = failed(always(context(region_statuses=(world.whole()[0], world.unreachable(1)))))
    assert_message(found["check-region-answers"], "not-in-time")


def test_two_whole_regions_are_fit_for_a_failover() -> None:
    assert failed(before_failover(context())) == {}


def test_gateways_that_do_not_see_each_others_brokers_are_found() -> None:
    view = world.view_of((0, 2))
    region_statuses = (world.region(0, normal=world.installation(0, view=view)), world.whole()[1])
    checks = list(before_failover(context(region_statuses=region_statuses)))
    london, paris = (of_one(checks, "check-gateway", region=name) for name in ("london", "paris"))
    assert_message(london.found, "brokers-not-seen", brokers=(1, 3))
    assert paris.outcome is Outcome.OK
    short = of_one(checks, "check-partitions").found
    assert_message(short, "partitions-not-complete", partitions=(1, 2, 3, 4))


def test_paused_exporters_are_found() -> None:
    region_statuses = (
        world.region(0, normal=world.installation(0, exporting="PAUSED")),
        world.whole()[1],
    )
    stacks = world.failing_over(["F0"])
    found = failed(before_failover(context(stacks=stacks, region_statuses=region_statuses)))
    paused = tuple(f"camunda-london/camunda-zeebe-{each}: PAUSED" for each in (0, 1))
    assert_message(found["check-exporting"], "not-exporting", replicas=paused)


@pytest.mark.parametrize("phase", ["PAUSED", "SOFT_PAUSED"])
def test_a_backup_of_camunda_is_told_as_such(phase: str) -> None:
    """What exports before and after it is not known while it runs; a nightly job goes by the code."""
    checks = before_failover(context(region_statuses=world.paused(phase)))
    (found,) = (each for each in checks if each.code == "check-exporting")
    assert found.outcome is Outcome.UNKNOWN
    assert_message(found.found, "exporters-paused-in-backup", softly=phase == "SOFT_PAUSED")
    assert_message(found.remedy, "fix-backup-pause")


def unknown(found: Iterable[Check]) -> dict[str, Message | str]:
    """Return why the checks are unknown that are not ok, by code: all of these are."""
    checks = [each for each in found if each.outcome is not Outcome.OK]
    assert {each.outcome for each in checks} <= {Outcome.UNKNOWN}
    return failed(checks)


def unanswered(*parts: str) -> RegionStatuses:
    """Return both regions, of neither of which these parts answer."""
    return (
        world.region(0, normal=world.unanswered(world.installation(0), *parts)),
        world.region(1, normal=world.unanswered(world.installation(1), *parts)),
    )


UNREACHABLE = (world.unreachable(0), world.unreachable(1))


@pytest.mark.parametrize(
    ("region_statuses", "codes"),
    [
        pytest.param(unanswered("exporting"), ["check-exporting"], id="brokers"),
        pytest.param(
            unanswered("view"),
            ["check-exporting", "check-gateway", "check-gateway", "check-partitions"],
            id="gateways",
        ),
        pytest.param(
            UNREACHABLE,
            ["check-exporting", "check-gateway", "check-gateway", "check-partitions"],
            id="everything",
        ),
    ],
)
def test_what_could_not_be_observed_is_unknown(
    region_statuses: RegionStatuses, codes: list[str]
) -> None:
    checks = list(before_failover(context(region_statuses=region_statuses)))
    assert sorted(each.code for each in checks if each.outcome is Outcome.UNKNOWN) == codes
    assert Outcome.FAILED not in {each.outcome for each in checks}


def test_replicas_that_were_not_asked_may_not_export() -> None:
    region_statuses = world.region(0, normal=world.installation(0, asleep=[0])), world.whole()[1]
    found = unknown(before_failover(context(region_statuses=region_statuses)))
    assert_message(found["check-exporting"], "replicas-not-asked", asked=12, seen=16)


QUORUM = "check-quorum"


def test_quorum_after_a_loss_is_computed_from_what_the_gateway_sees() -> None:
    assert of_one(always(context()), QUORUM).outcome is Outcome.OK
    assert of_one(always(context(TAKEN_OVER, world.taken_over())), QUORUM).outcome is Outcome.OK
    half = world.view_of((0, 2))
    region_statuses = tuple(
        world.region(each, normal=world.installation(each, view=half)) for each in (0, 1)
    )
    found = of_one(always(context(region_statuses=region_statuses)), QUORUM)
    assert found.outcome is Outcome.UNKNOWN
    assert_message(found.found, "copies-not-seen", partitions=(1, 2, 3, 4))
    found = of_one(always(context(region_statuses=UNREACHABLE)), QUORUM)
    assert found.outcome is Outcome.UNKNOWN
    assert_message(found.found, "holders-unknown")


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
    found = of_one(always(context(stacks, region_statuses)), QUORUM)
    assert found.outcome is Outcome.FAILED
    assert_message(found.remedy, "fix-distribution")


def test_what_a_removal_leaves_is_judged_where_nothing_takes_the_lost_brokers_place() -> None:
    """By cluster API: with four replicas, two in each region, every broker that is left knows all."""
    stacks = tuple(
        replace(each, settings=each.settings.model_copy(update={"camunda_version": "8.8"}))
        for each in world.normal()
    )
    found = of_one(always(context(stacks)), QUORUM)
    assert found.outcome is Outcome.OK
    assert_message(found.found, "quorum-kept", brokers_without_0=(1, 3), brokers_without_1=(0, 2))


def test_checks_of_a_region_that_does_not_answer_are_unknown_by_name() -> None:
    found = unknown(of_region(context(region_statuses=UNREACHABLE), 1, failback=False))
    assert found == dict.fromkeys(
        (
            "check-rights",
            "check-gitops",
            "check-secrets",
            "check-repository",
            "check-engine",
            "check-rendered",
            "check-room",
            "check-failover-clean",
        ),
        not_in_time(),
    )


@pytest.mark.parametrize(("version", "due"), [("8.5", False), ("8.8", False), ("8.9", True)])
def test_passwords_are_checked_where_an_engine_asks_for_one(version: str, due: bool) -> None:
    stacks = tuple(
        replace(each, settings=each.settings.model_copy(update={"camunda_version": version}))
        for each in world.normal()
    )
    asked: Any = context(stacks, UNREACHABLE)
    found = unknown(of_region(asked, 1, failback=False))
    assert ("check-passwords" in found) is due


def test_a_backend_that_does_not_show_locks_is_named() -> None:
    first, second = (replace(each, locks=()) for each in world.normal())
    for ctx, shown in ((context(), False), (context((first, second)), True)):
        found = of_one(always(ctx), "check-at-rest", stack="region0").found
        assert_message(found, "nothing-pending", locks_shown=shown)


def test_a_failback_needs_a_failover_and_a_place_for_the_snapshot() -> None:
    found = failed(before_failback(context()))
    assert_message(found["check-failover-complete"], "no-region-lost")
    assert failed(before_failback(context(TAKEN_OVER, world.taken_over()))) == {}
    early = failed(before_failback(context(world.failing_over(["F1"]), world.taken_over())))
    assert_message(early["check-failover-complete"], "step-missing", step="F3")


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
    allowed = {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": True}}
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
    engine_answers(kubernetes, "_data_stream", {"data_streams": []})
    engine_answers(kubernetes, "_cluster/state/blocks", {"blocks": {}})
    stacks = tuple(
        replace(
            each,
            settings=each.settings.model_copy(
                update={"kubeconfig": kubeconfig(tmp_path, kubernetes.url, "cluster-london")}
            ),
        )
        for each in world.normal()
    )
    return kubernetes, context(stacks, values={})


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
    fake.broken["/api/v1/nodes"] = Reply(200, {"kind": "NodeList", "items": nodes, "metadata": {}})
    pod = {
        "metadata": {"name": "p"},
        "spec": {
            "nodeName": "n",
            "containers": [{"name": "c", "resources": {"requests": {"memory": "1Gi"}}}],
        },
        "status": {"phase": "Running"},
    }
    fake.broken["/api/v1/pods"] = Reply(200, {"kind": "PodList", "items": [pod], "metadata": {}})


@pytest.mark.parametrize("missing", ["zeebe", "elasticsearch-master"])
def test_room_is_unknown_without_what_it_is_computed_from(
    london: tuple[FakeKubernetes, CheckContext], missing: str
) -> None:
    kubernetes, found = london
    del kubernetes.objects[STATEFUL_SETS][f"camunda-{missing}"]
    assert of_one(of_region(found, 0, failback=False), "check-room").outcome is Outcome.UNKNOWN
    own = replace(found, values={"elasticsearch": {"enabled": False}})
    room_of_own = of_one(of_region(own, 0, failback=False), "check-room").outcome
    assert room_of_own is (Outcome.UNKNOWN if missing == "zeebe" else Outcome.OK)


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
    refused = {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": False}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    fake.broken[path] = Reply(201, refused)
    missing = rights_missing(of_region(found, 0, failback=False))
    assert "list persistentvolumes" in missing
    assert "create services/proxy in camunda-london-failover" in missing


def rights_missing(found: Iterable[Check]) -> Sequence[str]:
    """Return the rights that a region's check finds missing."""
    message = failed(found)["check-rights"]
    assert_message(message, "rights-missing")
    assert isinstance(message, Message)
    rights: Sequence[str] = message.facts["rights"]
    return rights


def test_the_dns_chain_is_looked_for_in_the_live_corefile(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    first, second = found.status.stacks
    chained = chained_settings(kubeconfig=first.settings.kubeconfig)
    stacks = (replace(first, settings=chained), second)
    found = replace(found, status=replace(found.status, stacks=stacks))
    maps = "/api/v1/namespaces/kube-system/configmaps"

    def check(corefile: str) -> Check:
        fake.put(maps, {"metadata": {"name": "coredns"}, "data": {"Corefile": corefile}})
        return of_one(of_region(found, 0, failback=False), "check-dns-chain")

    assert check(block_for(chained, 0) + ".:53 {\n}\n").outcome is Outcome.OK
    assert_message(check(".:53 {\n}\n").found, "chain-missing")
    own = check("camunda-paris.svc.cluster.local {\n}\n")
    assert own.outcome is Outcome.FAILED
    assert_message(own.remedy, "fix-corefile")
    fake.broken["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = Reply(
        201, {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": False}}
    )
    lacking = rights_missing(of_region(found, 0, failback=False))
    assert {f"{each} configmaps coredns in kube-system" for each in ("get", "patch")} <= {*lacking}


def test_the_other_stacks_own_credentials_are_asked_for_its_rights(
    london: tuple[FakeKubernetes, CheckContext], tmp_path: Path
) -> None:
    fake, found = london
    first, second = found.status.stacks
    (tmp_path / "other").mkdir()
    stale = kubeconfig(tmp_path / "other", fake.url, "cluster-london", token="stale")
    other = second.settings.model_copy(update={"kubeconfig": stale})
    stacks = (first, replace(second, settings=other))
    checks = list(of_region(context(stacks), 0, failback=False))
    assert of_one(checks, "check-rights").outcome is Outcome.OK
    assert of_one(checks, "check-peer-rights").outcome is Outcome.UNKNOWN
    assert "check-stacks-alike" not in failed(always(context(stacks)))


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
    fake.broken[path] = Reply(
        201, {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": False}}
    )
    fake.put("/api/v1/namespaces", {"metadata": {"name": "camunda-london"}})
    missing = rights_missing(of_region(context(stacks), 0, failback=False))
    assert "create secrets in camunda-london" in missing
    assert not [each for each in missing if each.endswith("in camunda-london-failover")]
    assert "create rolebindings camunda-dual-region" in missing
    assert "bind clusterroles camunda-dual-region-camunda-london" in missing


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
    problems = failed(of_region(replace(found, values=values), 0, failback=False))
    namespaces = ("camunda-london", "camunda-london-failover")
    missing = {"secret": "keys", "namespaces": namespaces}
    assert_message(problems["check-secrets"], "secret-missing", **missing)
    assert "check-repository" in problems
    needs = "0.5 cpu and 1024 MiB"
    assert_message(problems["check-room"], "pod-does-not-fit", needs=needs)
    held = {"namespace": namespaces[1], "left": ("claim/data-old",)}
    assert_message(problems["check-failover-clean"], "namespace-holds", **held)


def engine_answers(fake: FakeKubernetes, path: str, body: Any) -> None:
    target = "camunda-london/services/camunda-elasticsearch-master-hl:9200"
    fake.behind(target, f"/{path}", Reply(200, body))


def test_indices_that_no_failback_could_copy_are_found_months_before(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    closed = {"4": {"description": "index closed", "levels": ["read", "write"]}}
    engine_answers(fake, "_cluster/state/blocks", {"blocks": {"indices": {"audit-2024": closed}}})
    engine_answers(fake, "_data_stream", {"data_streams": [{"name": "logs"}]})
    closed_index = of_one(of_region(found, 0, failback=False), "check-engine")
    assert closed_index.outcome is Outcome.FAILED
    assert_message(closed_index.remedy, "fix-engine")


def test_data_streams_are_named_and_an_engine_that_does_not_answer_is_unknown(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    engine_answers(fake, "_data_stream", {"data_streams": [{"name": "logs"}]})
    check = of_one(of_region(found, 0, failback=False), "check-engine")
    assert check.outcome is Outcome.OK
    assert_message(check.found, "streams-not-copied", streams="logs")
    engine_answers(fake, "_cluster/state/blocks", {})
    check = of_one(of_region(found, 0, failback=False), "check-engine")
    assert check.outcome is Outcome.UNKNOWN


def test_a_secret_that_is_there_is_not_missed_and_one_that_may_not_be_read_is_unknown(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    secrets = "/api/v1/namespaces/{}/secrets"
    fake.put(secrets.format("camunda-london"), {"metadata": {"name": "keys"}})
    given = replace(found, values={"elasticsearch": {"extraEnvVarsSecret": "keys"}})
    found_missing = failed(of_region(given, 0, failback=False))["check-secrets"]
    assert_message(found_missing, "secret-missing", namespaces=("camunda-london-failover",))
    for namespace in ("camunda-london", "camunda-london-failover"):
        fake.put("/api/v1/namespaces", {"metadata": {"name": namespace}})
        fake.broken[f"{secrets.format(namespace)}/keys"] = Reply(403, {"message": "forbidden"})
    secrets_check = of_one(of_region(given, 0, failback=False), "check-secrets")
    assert secrets_check.outcome is Outcome.UNKNOWN


def test_what_cannot_be_asked_is_unknown_and_keeps_nothing_else_from_being_asked(
    london: tuple[FakeKubernetes, CheckContext],
) -> None:
    fake, found = london
    fake.broken["/api/v1/nodes"] = Reply(403, {"message": "nodes is forbidden"})
    checks = list(of_region(found, 0, failback=False))
    assert [each.code for each in checks if each.outcome is Outcome.UNKNOWN] == ["check-room"]
    assert len(checks) == 8


UNNAMED = Finding(Code.NAME, no_helm(), ("normal",))
"""Something that the chart renders otherwise."""


@pytest.mark.parametrize(
    ("seen", "outcome", "shown"),
    [
        (Seen(), Outcome.OK, None),
        (Seen(findings=(UNNAMED,)), Outcome.FAILED, UNNAMED.message),
        (Seen(unknown=(no_helm(),)), Outcome.UNKNOWN, no_helm()),
    ],
)
def test_what_the_chart_renders_is_seen_seen_otherwise_or_not_seen(
    london: tuple[FakeKubernetes, CheckContext],
    monkeypatch: pytest.MonkeyPatch,
    seen: Seen,
    outcome: Outcome,
    shown: Message | None,
) -> None:
    monkeypatch.setattr("cli.checks.live.rendering.look", lambda *_: seen)
    found = of_one(of_region(london[1], 0, failback=False), "check-rendered")
    assert (found.outcome, found.found) == (outcome, shown)


def test_in_a_failback_nothing_is_rendered(
    london: tuple[FakeKubernetes, CheckContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Seen:
        raise AssertionError("rendered in an incident")

    monkeypatch.setattr("cli.checks.live.rendering.look", never)
    codes = [each.code for each in of_region(london[1], 0, failback=True)]
    assert "check-rendered" not in codes


def test_a_recreated_region_must_be_clean(kubernetes: FakeKubernetes, tmp_path: Path) -> None:
    config = kubeconfig(tmp_path, kubernetes.url, "cluster-paris")
    stacks = tuple(
        replace(each, settings=each.settings.model_copy(update={"kubeconfig": config}))
        for each in TAKEN_OVER
    )
    kubernetes.broken["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = Reply(
        201, {"kind": "SelfSubjectAccessReview", "spec": {}, "status": {"allowed": True}}
    )
    found = context(stacks, (world.taken_over()[0], world.region(1)))
    assert failed(of_region(found, 1, failback=True)) == {}
    kubernetes.put("/api/v1/namespaces", {"metadata": {"name": "camunda-paris"}})
    kubernetes.put("/apis/apps/v1/namespaces/camunda-paris/statefulsets", stateful_set(2))
    left = failed(of_region(found, 1, failback=True))["check-region-clean"]
    assert_message(left, "namespace-holds", namespace="camunda-paris")


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [(["ok"], 0), (["ok", "unknown"], 13), (["ok", "unknown", "failed"], 1)],
)
def test_the_exit_status_is_that_of_the_worst(outcomes: list[str], status: int) -> None:
    assert exit_status(tuple(Check(check_quorum(), Outcome(each)) for each in outcomes)) == status


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
    monkeypatch.setattr("cli.stacks.project.Project", lambda folder: SimpleNamespace(folder=folder))
    monkeypatch.setattr(preflight, "_context", lambda *_: context(stacks, world.taken_over()))
    monkeypatch.setattr(preflight, "of_region", lambda *_, **__: iter(()))
    run = ["preflight", *arguments]
    found = json.loads(CliRunner().invoke(app, [*run, "--json"]).output)
    assert found["procedure"] == procedure
    isolation = next(each for each in found["checks"] if each["code"] == "check-isolation")
    assert isolation["outcome"] == "failed"
    assert isolation["foundCode"] == "pod-cidrs-missing"
    assert isolation["remedyCode"] == "fix-isolation"
    assert isolation["about"] == {"region": "london"}
    amounts = [sum(each["outcome"] == kind for each in found["checks"]) for kind in Outcome]
    last = checks_made(sum(amounts), *amounts[1:])
    result = CliRunner().invoke(app, run, env={"COLUMNS": "160"})
    assert result.exit_code == 1
    assert "-> " in result.output
    assert result.output.splitlines()[-1] == last
