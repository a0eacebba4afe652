"""What the components ask the engine for, phase by phase: seen as the engine receives it.

The registrations are recorded where they leave the Python SDK, so names, dependencies, secrets and
hooks are those that a real run has. Names are pinned because another name is a replacement, and a
replaced release is an outage; dependencies, because they alone keep failover brokers behind F1.
"""

import asyncio
import ipaddress
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime import rpc

from clients.cluster.kubernetes import CallFailed, Cluster
from components import gate, stacks
from components.camunda import chart_source, isolation_policy
from components.gate import GateArgs, record_name
from components.objects import FIELD_MANAGER
from components.region import Region, RegionArgs
from dualregion import VERSION, procedure
from dualregion.chart import helm_yaml
from dualregion.config.settings import ChartSettings, Settings
from dualregion.decision.desired import desired, remembered
from dualregion.errors import BackendError, ConfigError, Refused
from dualregion.procedure import Phase
from dualregion.procedure.topology import CLAIM
from dualregion.procedure.topology import Gate as GateSpec
from dualregion.state.progress import Stack
from steps import actions
from steps.context import Evidence, StepContext
from tests.fakes.kubernetes import FakeKubernetes, failure, kubeconfig
from tests.fakes.pulumi_engine import (
    BASE,
    CONFIG_MAP,
    NAMESPACE,
    NORMAL_PEER,
    POLICY,
    PROJECT,
    PROVIDER,
    RELEASE,
    SECRETS,
    Engine,
    Recorder,
    behind,
    declared,
    exported,
    in_cluster,
    key_of,
    of_type,
    run,
    site_of,
)
from tests.inputs.examples import POD_CIDRS, failover, settings, with_cidrs
from tests.raising import any_message, assert_tells, fails_with, raises

SECRET = {"name": "elasticsearch-env-secret", "data": {"S3_SECRET_KEY": "hush"}}
RIGHTS = {"subject": "group:operators"}


@pytest.fixture(scope="module", params=[(0, 1), (1, 0)], ids=["region 1 lost", "region 0 lost"])
def survivor(request: pytest.FixtureRequest) -> tuple[Settings, Recorder]:
    region, lost = request.param
    found = failover(region, lost=lost, regions=with_cidrs(), elasticsearchSecret=SECRET)
    return found, declared(site_of(found))


def test_a_region_alone_has_a_namespace_and_a_release_and_proves_nothing_yet() -> None:
    found = declared(site_of(settings()))
    assert in_cluster(found) == {"Namespace::normal-namespace", "Release::normal"}
    assert {each.type for each in found.found.values()} == {
        "dualregion:index:Region",
        "dualregion:index:Space",
        "dualregion:index:Camunda",
        "pulumi:providers:kubernetes",
        "kubernetes:core/v1:Namespace",
        "kubernetes:helm.sh/v3:Release",
    }


def test_a_normal_region_proves_itself_after_its_release() -> None:
    found = declared(site_of(settings(), peer=NORMAL_PEER))
    assert in_cluster(found) == {"Namespace::normal-namespace", "Release::normal", "ConfigMap::N"}
    assert "Release::normal" in found.found["ConfigMap::N"].depends_on


def test_a_survivor_has_both_installations_policies_secrets_the_claim_and_four_gates(
    survivor: tuple[Settings, Recorder],
) -> None:
    found, recorder = survivor
    assert {
        name: each.inputs["namespace"] for name, each in of_type(recorder, RELEASE).items()
    } == {
        "normal": found.own.namespace,
        "failover": found.own.failover,
    }
    assert {
        name: each.inputs["metadata"]["name"] for name, each in of_type(recorder, NAMESPACE).items()
    } == {"normal-namespace": found.own.namespace, "failover-namespace": found.own.failover}
    assert set(of_type(recorder, POLICY)) == {"normal-isolation", "failover-isolation"}
    assert set(of_type(recorder, SECRETS)) == {"normal-namespace", "failover-namespace"}
    assert set(of_type(recorder, CONFIG_MAP)) == {CLAIM, "F0", "F1", "F2", "F3"}


def test_a_lost_region_declares_nothing_in_its_cluster() -> None:
    assert in_cluster(declared(site_of(failover(0, lost=0)))) == set()


def test_a_lost_region_that_does_not_answer_keeps_the_names_that_it_has() -> None:
    lost = failover(0, lost=0, regions=with_cidrs())
    names = frozenset({"normal", "normal-isolation", "N"})
    before = declared(site_of(settings(regions=with_cidrs()), peer=NORMAL_PEER))
    kept = declared(site_of(lost, topology=remembered(lost, Stack(nodes=names))))
    assert in_cluster(kept) == in_cluster(before) | {"NetworkPolicy::normal-isolation"}
    for key in in_cluster(before):
        assert kept.found[key].parent == before.found[key].parent, "another parent is another URN"


def test_the_engine_is_told_the_order_of_the_procedure(
    survivor: tuple[Settings, Recorder],
) -> None:
    _, recorder = survivor
    releases = {"Release::normal", "Release::failover"}
    proved = [f"ConfigMap::{step}" for step in ("F1", "F2", "F3")]
    for kind in ("normal", "failover"):
        assert f"NetworkPolicy::{kind}-isolation" in behind(recorder, proved[0])
        assert {"ConfigMap::F0", f"ConfigMap::{CLAIM}"} <= behind(
            recorder, f"NetworkPolicy::{kind}-isolation"
        )
        assert {
            proved[0],
            f"Namespace::{kind}-namespace",
            f"Secret::{kind}-namespace",
            f"NetworkPolicy::{kind}-isolation",
        } <= behind(recorder, f"Release::{kind}")
    assert releases.isdisjoint(behind(recorder, proved[0]))
    assert releases | {proved[0]} <= behind(recorder, proved[1])
    assert releases | set(proved[:2]) <= behind(recorder, proved[2])


def test_the_isolation_waits_for_its_namespace_and_the_claim_only(
    survivor: tuple[Settings, Recorder],
) -> None:
    _, recorder = survivor
    for kind in ("normal", "failover"):
        assert behind(recorder, f"NetworkPolicy::{kind}-isolation") == {
            f"Namespace::{kind}-namespace",
            "Namespace::normal-namespace",
            "Secret::normal-namespace",
            f"ConfigMap::{CLAIM}",
            "ConfigMap::F0",
        }


def test_nothing_is_deleted_unasked(survivor: tuple[Settings, Recorder]) -> None:
    """The engine deletes what a refused thing stands on all the same, so everything has the guard."""
    _, recorder = survivor
    assert {each.before_delete[:1] for each in recorder.found.values()} == {("guard-deletion",)}


def test_what_holds_data_is_asked_about_before_anything_is_made_in_its_place(
    survivor: tuple[Settings, Recorder],
) -> None:
    _, recorder = survivor
    holding = [*of_type(recorder, RELEASE).values(), *of_type(recorder, NAMESPACE).values()]
    assert len(holding) == 4
    assert all(each.deleted_first for each in holding)


@pytest.mark.parametrize(
    "wanted",
    [settings(), failover(0, lost=0), failover(0, lost=1)],
    ids=["member", "lost", "survivor"],
)
def test_the_guard_is_registered_in_every_run(wanted: Settings) -> None:
    """The engine deletes nothing whose hook it does not know, and asks it in a preview."""
    guard = declared(site_of(wanted)).hooks["guard-deletion"]
    assert guard.opts is not None
    assert guard.opts.on_dry_run


def test_what_was_refused_once_stops_every_deletion_after_it() -> None:
    """All else may go by itself, as a network policy that is no longer wanted."""
    guard = declared(site_of(failover(0, lost=1))).hooks["guard-deletion"].callback

    def ask(kind: str, name: str, inputs: dict[str, Any] | None = None) -> None:
        args = pulumi.ResourceHookArgs("urn", "", name, f"kubernetes:{kind}", old_inputs=inputs)
        asyncio.run(guard(args))  # type: ignore[arg-type]

    ask(POLICY, "normal-isolation")
    ask(CONFIG_MAP, "F2", {"metadata": {"labels": {"camunda-dual-region/incident": "another"}}})
    with raises("not-deleted", Refused, resource="release camunda-london/camunda"):
        ask(RELEASE, "normal")
    with raises("not-deleted-either", Refused, name="normal-isolation"):
        ask(POLICY, "normal-isolation")


def test_nothing_is_cut_off_before_it_is_out_of_sight(survivor: tuple[Settings, Recorder]) -> None:
    """Afterwards the isolation itself takes a healthy region out of sight."""
    _, recorder = survivor
    for name, policy in of_type(recorder, POLICY).items():
        assert policy.before_create == (f"out-of-sight-{name}",)


def test_everything_goes_to_the_regions_own_cluster(survivor: tuple[Settings, Recorder]) -> None:
    found, recorder = survivor
    providers = {recorder.found[key].provider for key in in_cluster(recorder)}
    assert providers == {f"kubernetes::region{found.region}"}


def test_the_provider_outlives_its_cluster() -> None:
    """The identifier keeps all in place when a region is recreated at another address."""
    found = settings(region=1, kubeconfig="/home/op/kubeconfig")
    (provider,) = of_type(declared(site_of(found)), PROVIDER).values()
    assert provider.inputs == {
        "kubeconfig": "/home/op/kubeconfig",
        "context": "cluster-paris",
        "clusterIdentifier": "region1",
        "skipUpdateUnreachable": "true",
        "deleteUnreachable": "false",
        "enableConfigMapMutable": "true",
        "enableSecretMutable": "false",
        "enableServerSideApply": "true",
        "helmReleaseSettings": '{"driver": "secret"}',
        "kubeClientSettings": '{"burst": 120, "qps": 50.0, "timeout": 0}',
        "suppressDeprecationWarnings": "false",
        "suppressHelmHookWarnings": "false",
    }


def test_releases_have_the_users_chart_the_wanted_values_and_no_waiting_of_helm(
    survivor: tuple[Settings, Recorder],
) -> None:
    found, recorder = survivor
    wanted = {each.name: each for each in desired(found, BASE, Stack()).installations}
    for name, release in of_type(recorder, RELEASE).items():
        inputs = release.inputs
        assert inputs["name"] == "camunda"
        assert inputs["chart"] == "camunda-platform"
        assert inputs["version"] == "10.11.3"
        assert inputs["repositoryOpts"] == {"repo": "https://helm.camunda.io"}
        assert inputs["skipAwait"] is True
        assert inputs["values"] == wanted[name].values


@pytest.mark.parametrize(
    ("provider", "allowed"), [("4.25.0", {"allowNullValues"}), ("4.30.0", set())]
)
def test_nulls_travel_in_a_file_which_providers_from_4_30_on_hand_to_helm(
    monkeypatch: pytest.MonkeyPatch, provider: str, allowed: set[str]
) -> None:
    """A null removes a default of the chart. Older providers drop it: then it is refused (test_rendering.py)."""
    monkeypatch.setattr("components.camunda.provider_version", lambda: provider)
    # To Helm `y` is a boolean, and `08` a number, unless they are in quotes.
    base = {"zeebe": {"limits": None, "requests": {"y": None, "08": None}}, "mine": None}
    found = settings()
    ctx = site_of(found, topology=desired(found, base, Stack()))
    inputs = declared(ctx).found["Release::normal"].inputs
    assert inputs.keys() & {"allowNullValues"} == allowed
    (file,) = inputs["valueYamlFiles"]
    assert helm_yaml.read(file.text.encode()) == base


@pytest.mark.parametrize(("provider", "allowed"), [("4.25.0", True), ("4.30.0", None)])
def test_an_empty_list_reaches_helm_with_older_providers_too(
    monkeypatch: pytest.MonkeyPatch, provider: str, allowed: bool | None
) -> None:
    monkeypatch.setattr("components.camunda.provider_version", lambda: provider)
    found = settings()
    ctx = site_of(found, topology=desired(found, {"zeebe": {"tolerations": []}}, Stack()))
    inputs = declared(ctx).found["Release::normal"].inputs
    assert inputs.get("allowNullValues") is allowed
    assert "valueYamlFiles" not in inputs


def test_without_nulls_the_release_has_no_files_that_could_change() -> None:
    inputs = declared(site_of(settings())).found["Release::normal"].inputs
    assert {"allowNullValues", "valueYamlFiles"}.isdisjoint(inputs)


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        pytest.param({"name": "./charts/c"}, {"chart": "/srv/project/./charts/c"}, id="relative"),
        pytest.param({"name": "/opt/c.tgz"}, {"chart": "/opt/c.tgz"}, id="absolute"),
        pytest.param(
            {"name": "oci://registry.example/c", "version": "1"},
            {"chart": "oci://registry.example/c", "version": "1"},
            id="OCI",
        ),
        pytest.param(
            {"name": "c", "version": "1", "repository": "https://charts.example"},
            {"chart": "c", "version": "1", "repository_opts": {"repo": "https://charts.example"}},
            id="repository",
        ),
        pytest.param(
            {"name": "local/c", "version": "1", "repository": None},
            {"chart": "local/c", "version": "1"},
            id="a repository that helm knows",
        ),
    ],
)
def test_where_the_chart_is_taken_from(chart: dict[str, Any], expected: dict[str, Any]) -> None:
    assert chart_source(ChartSettings.model_validate(chart), PROJECT) == expected


def test_the_search_engines_secret_is_in_every_namespace_and_secret_to_the_engine(
    survivor: tuple[Settings, Recorder],
) -> None:
    found, recorder = survivor
    places = {"normal-namespace": found.own.namespace, "failover-namespace": found.own.failover}
    for name, secret in of_type(recorder, SECRETS).items():
        assert secret.inputs["metadata"] == {
            "name": "elasticsearch-env-secret",
            "namespace": places[name],
            "annotations": FIELD_MANAGER,
        }
        assert rpc.is_rpc_secret(secret.inputs["stringData"])
        assert rpc.unwrap_rpc_secret(secret.inputs["stringData"]) == {"S3_SECRET_KEY": "hush"}


def test_a_namespace_begins_with_the_rights_in_it() -> None:
    """Nothing can be made in a namespace before its RoleBindings are there, nor removed after them."""
    rights = {"subject": "group:operators", "peerSubject": "group:others"}
    found = failover(0, lost=1, regions=with_cidrs(), elasticsearchSecret=SECRET, rights=rights)
    recorder = declared(site_of(found))
    for kind, place in (("normal", found.own.namespace), ("failover", found.own.failover)):
        made = [
            recorder.found[f"RoleBinding::{kind}-namespace-{name}"]
            for name in ("camunda-dual-region", "camunda-dual-region-peer")
        ]
        assert {each.inputs["metadata"]["namespace"] for each in made} == {place}
        assert [each.inputs["subjects"][0]["name"] for each in made] == ["operators", "others"]
        assert all(each.retained for each in made)
        bindings = {f"RoleBinding::{each.name}" for each in made}
        for inside in (f"Secret::{kind}-namespace", f"NetworkPolicy::{kind}-isolation"):
            assert bindings <= recorder.found[inside].depends_on
        assert bindings <= recorder.found[f"Release::{kind}"].depends_on
        assert all(f"Namespace::{kind}-namespace" in each.depends_on for each in made)


@pytest.mark.parametrize(("version", "stays"), [("8.8", False), ("8.9", True), ("8.10", True)])
def test_a_namespace_with_a_search_engine_of_another_owner_stays(version: str, stays: bool) -> None:
    """It may be the recreated region's, installed anew before the stack has removed what it remembers."""
    regions = [
        {key: text for key, text in each.items() if key != "failoverNamespace"}
        for each in with_cidrs()
    ]
    recorder = declared(site_of(settings(camundaVersion=version, regions=regions)))
    assert recorder.found["Namespace::normal-namespace"].retained is stays


def test_who_may_do_everything_needs_no_binding() -> None:
    assert of_type(declared(site_of(settings())), "rbac.authorization.k8s.io/v1:RoleBinding") == {}


def test_without_a_secret_none_is_made() -> None:
    assert of_type(declared(site_of(settings())), SECRETS) == {}


def test_each_namespace_is_cut_from_the_other_regions_addresses_only(
    survivor: tuple[Settings, Recorder],
) -> None:
    found, recorder = survivor
    for policy in of_type(recorder, POLICY).values():
        assert policy.inputs["metadata"]["name"] == "isolate-lost-region"
        peers = policy.inputs["spec"]["egress"][0]["to"]
        cut = [each for peer in peers for each in peer["ipBlock"].get("except", [])]
        assert cut == list(POD_CIDRS[1 - found.region])


@pytest.mark.parametrize(
    ("cut", "v4", "v6"),
    [
        pytest.param(("10.181.0.0/16",), ["10.181.0.0/16"], [], id="IPv4"),
        pytest.param(("fd00:181::/64",), [], ["fd00:181::/64"], id="IPv6"),
        pytest.param(
            ("10.1.0.0/16", "fd00::/64", "10.2.0.0/16"),
            ["10.1.0.0/16", "10.2.0.0/16"],
            ["fd00::/64"],
            id="both",
        ),
    ],
)
def test_the_policy_lets_all_through_but_what_is_cut(
    cut: tuple[str, ...], v4: list[str], v6: list[str]
) -> None:
    spec = isolation_policy(cut)
    assert spec["podSelector"] == {}, "a pod would stay connected"
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    (ingress,), (egress,) = spec["ingress"], spec["egress"]
    assert list(ingress) == ["from"]
    assert list(egress) == ["to"]
    assert ingress["from"] == egress["to"]
    blocks = {each["ipBlock"]["cidr"]: each["ipBlock"].get("except") for each in egress["to"]}
    assert blocks == {"0.0.0.0/0": v4 or None, "::/0": v6 or None}
    for cidr, excepted in blocks.items():
        for each in excepted or ():
            inner, outer = ipaddress.ip_network(each), ipaddress.ip_network(cidr)
            assert inner.version == outer.version


def test_gates_record_step_title_and_incident(survivor: tuple[Settings, Recorder]) -> None:
    found, recorder = survivor
    for step in (procedure.F0, procedure.F1, procedure.F2, procedure.F3):
        inputs = recorder.found[f"ConfigMap::{step.id}"].inputs
        assert inputs["metadata"] == {
            "name": f"dual-region-{step.id.lower()}",
            "namespace": found.own.namespace,
            "labels": {
                "camunda-dual-region/step": step.id,
                "camunda-dual-region/incident": f"1-region{found.lost_region}-lost",
            },
        }
        assert inputs["data"] == {
            "step": step.id,
            "title": step.title,
            "incident": f"1-region{found.lost_region}-lost",
        }


def test_a_gates_proof_is_held_before_its_record_is_created(
    survivor: tuple[Settings, Recorder],
) -> None:
    """An after-hook that fails would leave the record, and the step would never run again."""
    _, recorder = survivor
    for name, found in of_type(recorder, CONFIG_MAP).items():
        assert found.before_create == (() if name == CLAIM else (f"prove-{name}",))
    for name, found in of_type(recorder, RELEASE).items():
        assert found.before_create == (f"take-over-{name}",)
        assert found.before_update == (f"clear-pending-{name}",)
    spaces = {name: each.before_create for name, each in of_type(recorder, NAMESPACE).items()}
    assert spaces == {"normal-namespace": (), "failover-namespace": ("ended-failover-namespace",)}
    used = {
        hook
        for each in recorder.found.values()
        for hook in (*each.before_create, *each.before_update)
    }
    assert used <= set(recorder.hooks), "a hook is named that was never registered"


def test_a_second_incident_proves_every_step_again() -> None:
    """The record of another region's loss must not pass for this one's."""
    records = []
    for region, lost in ((0, 1), (1, 0)):
        recorder = declared(site_of(failover(region, lost=lost)))
        records.append(recorder.found["ConfigMap::F1"].inputs["data"])
    assert records[0] != records[1]


def test_the_gate_of_another_incident_gives_way() -> None:
    """What is kept is the record; what counts is the incident that its label names."""
    labels = []
    for number in (1, 2):
        earlier = Stack(history={f"{number}-region0-lost": {}})
        found = failover(0, lost=1)
        ctx = site_of(found, topology=desired(found, BASE, Stack(), earlier))
        labels.append(declared(ctx).found["ConfigMap::F1"].inputs["metadata"]["labels"])
    assert [each["camunda-dual-region/incident"] for each in labels] == [
        "2-region1-lost",
        "3-region1-lost",
    ]


def test_a_survivors_outputs() -> None:
    found = exported(site_of(failover(0, lost=1, clusterSize=4, partitionCount=4)))
    record = found.pop("record")
    assert found.pop("history") == {"1-region1-lost": record}
    assert {step: each["step"] for step, each in record.items()} == {
        "F0": "F0",
        "F1": "F1",
        "F2": "F2",
        "F3": "F3",
    }
    assert found == {
        "phase": "failover",
        "region": 0,
        "role": "survivor",
        "lostRegion": 1,
        "incident": "1-region1-lost",
        "progress": ["F0", "F1", "F2", "F3"],
        "waitingFor": None,
        "waiting": None,
        "rendered": "",
        "gatewayAddress": "camunda-zeebe-gateway.camunda-london.svc.cluster.local:26500",
        "contactPoints": [
            f"camunda-zeebe-{ordinal}.camunda-zeebe.{namespace}.svc.cluster.local:26502"
            for ordinal in (0, 1)
            for namespace in ("camunda-london", "camunda-paris")
        ],
        "exporterUrls": [
            f"http://camunda-elasticsearch-master-hl.{namespace}.svc.cluster.local:9200"
            for namespace in ("camunda-london", "camunda-london-failover")
        ],
        "clusterId": None,
        "programVersion": VERSION,
        "camundaVersion": "8.5",
        "chart": "",
        "sizes": {"clusterSize": 4, "partitionCount": 4, "replicationFactor": 4},
        "namespaces": [
            {
                "namespace": f"camunda-{city}",
                "failoverNamespace": f"camunda-{city}-failover",
            }
            for city in ("london", "paris")
        ],
    }


@pytest.mark.parametrize(
    ("ctx", "expected"),
    [
        pytest.param(
            site_of(settings()),
            {"phase": "normal", "role": "member", "progress": []},
            id="normal, the other region not installed yet",
        ),
        pytest.param(
            site_of(settings(), peer=NORMAL_PEER),
            {"phase": "normal", "role": "member", "progress": ["N"]},
            id="normal",
        ),
        pytest.param(
            site_of(failover(0, lost=0)),
            {"phase": "failover", "role": "lost", "progress": []},
            id="lost and cleaned",
        ),
        pytest.param(
            site_of(
                failover(0, lost=0),
                topology=remembered(failover(0, lost=0), Stack(nodes=frozenset({"normal", "N"}))),
            ),
            {"phase": "failover", "role": "lost"},
            id="lost and silent",
        ),
    ],
)
def test_outputs_of_the_other_roles(ctx: StepContext, expected: dict[str, Any]) -> None:
    found = exported(ctx)
    assert {key: found[key] for key in expected} == expected
    assert found["waitingFor"] == ctx.topology.waiting_for
    wait = ctx.topology.waiting
    assert found["waiting"] == (
        wait and {"code": wait.awaited, "turn": wait.task, "region": wait.next_region}
    )


def test_what_a_stack_says_of_itself_is_what_the_other_one_reads() -> None:
    for ctx in (
        site_of(settings(), peer=NORMAL_PEER),
        site_of(failover(0, lost=1)),
        site_of(failover(0, lost=0)),
    ):
        peer = Stack.of(exported(ctx), frozenset({"F3"}))
        assert peer.phase is ctx.settings.phase
        assert peer.lost_region == ctx.settings.lost_region
        assert peer.nodes == {"F3"}


def registered_urns(ctx: StepContext) -> dict[str, dict[str, Any]]:
    """Return what the state holds after an update, as the engine's function gives it."""
    name = f"region{ctx.settings.region}"
    recorder = run(lambda: Region(name, RegionArgs(ctx, PROJECT)))[1]
    data = {key: each.inputs.get("data") for key, each in recorder.found.items()}
    return {
        urn: {"type": "t", "outputs": {"data": data.get(key_of(urn))}}
        for urn in recorder.get_registered_resources()
    }


def test_an_unrecorded_upgrade_is_done_again_once() -> None:
    """Pulumi may see no difference: the description makes one."""
    described = [
        declared(replace(site_of(settings()), unrecorded=unrecorded, own=own))
        .found["Release::normal"]
        .inputs.get("description")
        for unrecorded, own in (
            ({}, Stack()),
            ({"normal": 3}, Stack()),
            ({}, Stack(descriptions={"normal": "as it was"})),
        )
    ]
    assert described == [None, "upgrade done again after unrecorded revision 3", "as it was"]


class TestInterruptedRuns:
    """The hooks of the releases: what they let happen, and what they never let happen."""

    def hook(self, ctx: StepContext, name: str) -> Any:
        return declared(ctx).hooks[name].callback

    def fire(self, hook: Any) -> None:
        asyncio.run(hook(pulumi.ResourceHookArgs("urn", "", "normal", "t")))

    def kept(self) -> Recorder:
        """Return all that a silent lost region keeps, made on AWS and of DNS included."""
        found = failover(0, lost=0, elasticsearchSecret=SECRET, regions=with_cidrs(), rights=RIGHTS)
        names = ("normal", "normal-isolation", "failover", "N", "dns-chain", "dns-load-balancer")
        return declared(site_of(found, topology=remembered(found, Stack(nodes=frozenset(names)))))

    def test_nothing_is_made_or_changed_in_a_region_that_stays_as_it_is(self) -> None:
        """Its API server may answer the provider and not the program; the state may remember what is gone."""
        recorder = self.kept()
        kept = [recorder.found[key] for key in in_cluster(recorder)]
        assert {each.type.rpartition(":")[2] for each in kept} == {
            *("Namespace", "NetworkPolicy", "Secret", "RoleBinding", "Release", "ConfigMap"),
            "Service",
        }
        for each in kept:
            assert each.before_create[0] == "make-nothing", each
            assert each.before_update[0] == "change-nothing", each
            assert set(each.inputs) <= set(each.ignored), each
        release = recorder.found["Release::normal"]
        assert {"chart", "version", "repositoryOpts", "valueYamlFiles"} <= set(release.ignored)

    @pytest.mark.parametrize("name", ["make-nothing", "change-nothing"])
    def test_what_would_be_made_or_changed_there_is_refused_by_name(self, name: str) -> None:
        with pytest.raises(Refused) as caught:
            self.fire(self.kept().hooks[name].callback)
        assert caught.value.code in ("not-made-in-lost-region", "not-changed-in-lost-region")
        assert_tells(caught.value.message, "normal", "london")

    def test_the_provider_of_a_region_that_stays_as_it_is_may_change(self) -> None:
        """A recreated region has another address."""
        (provider,) = of_type(self.kept(), PROVIDER).values()
        assert (provider.before_update, provider.ignored) == ((), ())

    def test_every_other_region_is_made_and_changed(
        self, survivor: tuple[Settings, Recorder]
    ) -> None:
        for recorder in (survivor[1], declared(site_of(settings(), peer=NORMAL_PEER))):
            assert "make-nothing" not in recorder.hooks
            assert recorder.found["Release::normal"].ignored == ()

    @pytest.mark.parametrize("name", ["take-over-normal", "clear-pending-normal"])
    def test_helms_records_of_the_own_release_are_looked_at_first(
        self, name: str, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        self.fire(self.hook(site_of(settings(), cluster), name))
        assert kubernetes.asked[0] == "GET /api/v1/namespaces/camunda-london/secrets"
        assert set(kubernetes.asked[1:]) <= {
            kubernetes.asked[0],
            "PATCH /api/v1/namespaces/camunda-london/configmaps/dual-region-helm",
        }

    def test_the_failovers_namespace_is_made_when_its_former_one_is_gone(
        self, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        """Its deletion is not waited for, so it may still be going on."""
        ctx = site_of(failover(0, lost=1), cluster)
        (space,) = (
            each
            for each in of_type(declared(ctx), NAMESPACE).values()
            if each.name == "failover-namespace"
        )
        assert space.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
        ending = {"name": "camunda-london-failover", "deletionTimestamp": "2026-11-29T02:00:00Z"}
        kubernetes.put("/api/v1/namespaces", {"metadata": ending})
        looked = "GET /api/v1/namespaces/camunda-london-failover"

        def tick() -> None:
            if kubernetes.asked.count(looked) > 3:
                kubernetes.objects["/api/v1/namespaces"].clear()

        kubernetes.tick = tick
        self.fire(self.hook(ctx, "ended-failover-namespace"))
        assert kubernetes.objects["/api/v1/namespaces"] == {}


class TestProof:
    """The hook behind a gate: it does the step, then writes what proves it into the record."""

    @pytest.fixture
    def args(self, kubernetes: FakeKubernetes, tmp_path: Path) -> GateArgs:
        cluster = Cluster(kubeconfig(tmp_path, kubernetes.url, "cluster-london"), "cluster-london")
        return GateArgs(GateSpec(procedure.F1), site_of(failover(0, lost=1), cluster))

    def prove(
        self,
        monkeypatch: pytest.MonkeyPatch,
        args: GateArgs,
        proof: Callable[[StepContext], Evidence],
    ) -> None:
        monkeypatch.setattr(actions, "PROOFS", {"F1": proof})
        hook = gate._proof(args, record_name("F1"))
        asyncio.run(hook(pulumi.ResourceHookArgs("urn", "", "F1", "t")))

    def test_start_end_and_evidence_are_on_the_cluster(
        self, monkeypatch: pytest.MonkeyPatch, args: GateArgs, kubernetes: FakeKubernetes
    ) -> None:
        self.prove(monkeypatch, args, lambda _: {"brokers": "0 a, 2 b"})
        maps = kubernetes.objects["/api/v1/namespaces/camunda-london/configmaps"]
        data = maps["dual-region-f1"]["data"]
        assert set(data) == {"start", "end", "seconds", "evidence", "standsOn"}
        assert json.loads(data["evidence"]) == {"brokers": "0 a, 2 b"}
        assert data["start"] <= data["end"]
        assert data["start"].endswith("+00:00")

    def test_a_step_that_fails_leaves_no_record(
        self, monkeypatch: pytest.MonkeyPatch, args: GateArgs, kubernetes: FakeKubernetes
    ) -> None:
        problem = any_message("POST /x of gateway: 503 no endpoints")

        def refuse(_: StepContext) -> Evidence:
            raise CallFailed(problem)

        with raises("call-failed", work="F1", problem=problem):
            self.prove(monkeypatch, args, refuse)
        assert kubernetes.asked == []

    def test_a_record_that_cannot_be_written_fails_the_step(
        self, monkeypatch: pytest.MonkeyPatch, args: GateArgs, kubernetes: FakeKubernetes
    ) -> None:
        path = "/api/v1/namespaces/camunda-london/configmaps/dual-region-f1"
        kubernetes.broken[path] = failure(403, "Forbidden", "configmaps is forbidden")
        with fails_with("record-not-written", "F1", "dual-region-f1", "403"):
            self.prove(monkeypatch, args, lambda _: {})

    def test_a_step_ends_with_the_engine_that_asked_for_it(
        self, monkeypatch: pytest.MonkeyPatch, args: GateArgs, kubernetes: FakeKubernetes
    ) -> None:
        """A killed `pulumi up` leaves the program behind, and two runs must not do one step."""

        class EngineGone(grpc.RpcError):
            pass

        class Ended(BaseException):
            pass

        def say(_: StepContext) -> Evidence:
            raise EngineGone

        def end(status: int) -> None:
            raise Ended(status)

        monkeypatch.setattr("os._exit", end)
        with pytest.raises(Ended):
            self.prove(monkeypatch, args, say)
        assert kubernetes.asked == []


class Backend:
    """What the state backend answers, by stack."""

    PREFIX = "organization/camunda-dual-region"

    @classmethod
    def engine(
        cls,
        stack: str,
        outputs: dict[str, Any] | None = None,
        resources: dict[str, Any] | None = None,
        failures: int = 0,
    ) -> Engine:
        name = f"{cls.PREFIX}/{stack}"
        states = {
            ("pulumi:pulumi:readStackOutputs", name): outputs or {},
            ("pulumi:pulumi:readStackResourceOutputs", name): resources or {},
        }
        return Engine(states, failures)


class TestStacks:
    """What the state backend says of the other stack and of this one."""

    def test_the_other_stacks_outputs_and_resources_are_read(self) -> None:
        """A failed update saves no outputs, but what it made is in the state."""
        held = registered_urns(site_of(failover(1, lost=0, regions=with_cidrs())))
        engine = Backend.engine("region1", {"phase": "failover", "lostRegion": 0}, held)
        peer, _ = run(lambda: stacks.read_peer("region1"), engine)
        assert set(peer.records) == {"F0", "F1", "F2", "F3"}
        assert replace(peer, records={}) == Stack(
            Phase.FAILOVER,
            0,
            frozenset(
                {
                    "normal",
                    "failover",
                    "normal-isolation",
                    "failover-isolation",
                    CLAIM,
                    "F0",
                    "F1",
                    "F2",
                    "F3",
                }
            ),
            gates=dict.fromkeys(("F0", "F1", "F2", "F3"), "1-region0-lost"),
            claim="1-region0-lost",
        )
        assert peer.has_taken_over(0)

    def test_a_stack_that_was_never_updated_has_said_nothing(self) -> None:
        engine = Backend.engine("region1")
        assert run(lambda: stacks.read_peer("region1"), engine)[0] == Stack()

    def test_a_stack_that_does_not_exist_is_named_with_the_remedy(self) -> None:
        with raises("peer-stack-unreadable", ConfigError, stack="region1") as caught:
            run(lambda: stacks.read_peer("region1"))
        assert len(str(caught.value).splitlines()) == 1

    def test_a_backend_that_is_caught_in_the_middle_of_a_write_is_read_again(self) -> None:
        engine = Backend.engine("region1", failures=2)
        assert run(lambda: stacks.read_peer("region1"), engine)[0] == Stack()

    def test_only_what_was_really_made_counts_as_held(self) -> None:
        """A component is in the state before anything of it exists."""
        prefix = "urn:pulumi:region0::camunda-dual-region::"
        region = "dualregion:index:Region"
        held = (
            "pulumi:pulumi:Stack::camunda-dual-region-region0",
            f"{region}::region0",
            f"{region}$pulumi:providers:kubernetes::region0",
            f"{region}$dualregion:index:Camunda::failover",
            f"{region}$dualregion:index:Camunda$kubernetes:helm.sh/v3:Release::normal",
            f"{region}$dualregion:index:Gate::F2",
            f"{region}$dualregion:index:Gate$kubernetes:core/v1:ConfigMap::F1",
            f"{region}$dualregion:index:Space$kubernetes:core/v1:Namespace::normal-namespace",
            f"{region}$dualregion:index:Space$kubernetes:networking.k8s.io/v1:NetworkPolicy"
            "::normal-isolation",
            "kubernetes:core/v1:ConfigMap::F9",
        )
        engine = Backend.engine(
            "region0", resources={prefix + urn: {"outputs": {}} for urn in held}
        )
        assert run(stacks.read_own, engine)[0].nodes == {"normal", "F1", "normal-isolation"}

    def test_a_backend_that_does_not_answer_is_an_error_of_ours(self) -> None:
        with pytest.raises(BackendError):
            run(stacks.read_own)
