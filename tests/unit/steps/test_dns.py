"""The DNS chain on the cluster: written with the Corefile that is there, and never over another's change.

A Corefile that loses the user's part takes the names away from everything in the cluster.
"""

from collections.abc import Callable
from typing import Any

import pytest

from clients.cluster.kubernetes import CallFailed, Cluster
from dualregion.config.settings import Settings
from dualregion.corefile import block_for
from dualregion.decision import dns_chain
from dualregion.decision.desired import desired, remembered
from dualregion.errors import DeadlineExceeded, Refused
from dualregion.procedure import Phase
from dualregion.procedure.topology import DNS_CHAIN, DNS_LOAD_BALANCER, NO_NAMES, Names, Topology
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.progress import Stack
from steps import dns
from steps.context import StepContext
from tests.fakes.kubernetes import FakeKubernetes, failure
from tests.inputs.examples import chained_settings, settings
from tests.raising import fails_with, raises

MAPS = "/api/v1/namespaces/kube-system/configmaps"
OWN = ".:53 {\n    errors # mine\n    reload\n}"
HELD = Stack(nodes=frozenset({"normal", DNS_CHAIN, DNS_LOAD_BALANCER}))
BALANCED = {"loadBalancer": {"create": True}}
INCIDENT = {"lostRegion": 1, "backup": {"settings": {"bucket": "b"}}}


def names(found: Settings, own: Stack, peer: Stack | None = None) -> Names:
    return desired(found, {}, peer or Stack(), own).names


class TestWhatIsDeclared:
    def test_nothing_unless_it_is_wanted(self) -> None:
        assert names(settings(), Stack()) == NO_NAMES
        assert names(settings(), HELD) == NO_NAMES

    @pytest.mark.parametrize("region", [0, 1])
    def test_each_region_holds_the_block_for_the_other_one(self, region: int) -> None:
        found = chained_settings(region=region, dns=BALANCED)
        assert names(found, Stack()) == Names(block_for(found, region), load_balancer=True)
        assert f"camunda-{('paris', 'london')[region]}." in str(block_for(found, region))

    def test_a_load_balancer_alone(self) -> None:
        assert names(settings(dns=BALANCED), Stack()) == Names(load_balancer=True)

    def test_in_an_incident_the_survivors_stays_as_it_is(self) -> None:
        incident = {"phase": "failover", "lostRegion": 1}
        assert names(chained_settings(**incident), HELD).kept
        assert names(chained_settings(**incident), Stack()) == NO_NAMES
        assert names(settings(**incident), HELD).block is not None

    def test_the_survivors_follows_as_soon_as_the_failback_begins(self) -> None:
        own = Stack(
            Phase.FAILOVER,
            1,
            HELD.nodes | {"failover", "F1", "F2", "F3"},
            gates=dict.fromkeys(("F1", "F2", "F3"), "1-region1-lost"),
        )
        found = chained_settings(phase="failback-pending", **INCIDENT)
        assert names(found, own) == Names(block_for(found, 0))

    def test_a_recreated_region_has_it_with_its_first_brokers(self) -> None:
        found = chained_settings(region=1, phase="failback-pending", **INCIDENT)
        nothing = names(found, Stack(), Stack(Phase.FAILBACK_PENDING, 1))
        assert nothing == NO_NAMES
        cleared = Stack(Phase.FAILBACK_PENDING, 1, gates={"B0": "1-region1-lost"})
        assert names(found, Stack(), cleared) == Names(block_for(found, 1))

    def test_a_lost_region_that_is_cleaned_has_none(self) -> None:
        found = chained_settings(region=1, phase="failover", lostRegion=1, dns=BALANCED)
        taken_over = Stack(Phase.FAILOVER, 1, frozenset({"F3"}))
        assert names(found, HELD, taken_over) == NO_NAMES

    def test_a_lost_region_that_cannot_be_cleaned_keeps_what_it_has(self) -> None:
        found = chained_settings(region=1, phase="failover", lostRegion=1, dns=BALANCED)
        kept = remembered(found, HELD).names
        assert kept == Names(block_for(found, 1), kept=True, load_balancer=True)
        assert remembered(found, Stack(nodes=frozenset({"normal"}))).names == NO_NAMES

    def test_without_installations_there_is_no_dns(self) -> None:
        found = chained_settings()
        empty = Topology(desired(found, {}, Stack()).role)
        assert dns_chain.names(found, empty, HELD) == NO_NAMES

    def test_how_often_it_was_written_is_read_from_its_record(self) -> None:
        urn = (
            "urn:pulumi:region0::camunda-dual-region::dualregion:index:Region$dualregion:index:Dns$"
        )
        made = {
            f"{urn}kubernetes:core/v1:ConfigMap::{DNS_CHAIN}": {"data": {"written": "3"}},
            f"{urn}kubernetes:core/v1:Service::{DNS_LOAD_BALANCER}": {},
        }
        found = stack_of({}, nodes_of(made))
        assert found.nodes == {DNS_CHAIN, DNS_LOAD_BALANCER}
        assert found.chain_writes == 3
        assert Stack().chain_writes == 0


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def ctx(cluster: Cluster, kubernetes: FakeKubernetes) -> StepContext:
    put(kubernetes, {"Corefile": OWN, "NodeHosts": "10.0.0.1 mine"})
    return site_of(cluster, chained_settings(deadlineSeconds=60))


def site_of(cluster: Cluster, found: Settings) -> StepContext:
    return StepContext(cluster, found, desired(found, {}, Stack()), lambda _: None)


def put(fake: FakeKubernetes, data: dict[str, str] | None, name: str = "coredns") -> None:
    document: dict[str, Any] = {
        "metadata": {"name": name, "namespace": "kube-system", "resourceVersion": "1"}
    }
    fake.put(MAPS, document | ({} if data is None else {"data": data}))


def data(fake: FakeKubernetes, name: str = "coredns") -> dict[str, str]:
    return dict(fake.objects[MAPS][name].get("data", {}))


def writes(fake: FakeKubernetes) -> list[str]:
    return [each for each in fake.asked if not each.startswith("GET")]


class TestTheLiveCorefile:
    def test_the_chain_goes_in_and_out_and_all_else_stays(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        assert dns.missing(ctx.cluster, ctx.settings, 0)
        dns.chain(ctx)
        assert not dns.missing(ctx.cluster, ctx.settings, 0)
        assert data(kubernetes) == {
            "Corefile": block_for(ctx.settings, 0) + OWN,
            "NodeHosts": "10.0.0.1 mine",
        }
        dns.chain(ctx)
        assert len(writes(kubernetes)) == 1, "what is there already was written again"
        dns.unchain(ctx, "kube-system/coredns", "Corefile")
        assert data(kubernetes) == {"Corefile": OWN, "NodeHosts": "10.0.0.1 mine"}

    def test_only_that_key_is_written_and_only_onto_what_was_read(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        dns.chain(ctx)
        body = kubernetes.bodies[f"PATCH {MAPS}/coredns"]
        assert set(body["data"]) == {"Corefile"}
        assert body["metadata"] == {"resourceVersion": "1"}

    def test_by_udp(self, ctx: StepContext, kubernetes: FakeKubernetes) -> None:
        dns.chain(ctx)
        by_udp = chained_settings(dns={"tcp": False})
        assert dns.missing(ctx.cluster, by_udp, 0)
        dns.chain(site_of(ctx.cluster, by_udp))
        assert data(kubernetes)["Corefile"] == block_for(by_udp, 0) + OWN

    def test_a_change_that_comes_between_is_not_lost(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        changed = OWN + "\nstub.example {\n}\n"
        meanwhile(kubernetes, lambda: put_changed(kubernetes, changed))
        dns.chain(ctx)
        assert data(kubernetes)["Corefile"] == block_for(ctx.settings, 0) + changed

    def test_one_that_is_always_undone_fails_and_says_so(
        self, ctx: StepContext, kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kubernetes.tick = lambda: put(kubernetes, {"Corefile": OWN})
        impatient = site_of(ctx.cluster, chained_settings(deadlineSeconds=1))
        with fails_with("corefile-overwritten", kind=DeadlineExceeded):
            dns.chain(impatient)

    def test_another_address_is_followed(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        dns.chain(ctx)
        moved = chained_settings(
            regions=[
                each | {"dnsAddresses": [address]}
                for each, address in zip(
                    ctx.settings.model_dump(by_alias=True)["regions"],
                    ("10.180.0.53", "10.9.9.9"),
                    strict=True,
                )
            ]
        )
        assert dns.missing(ctx.cluster, moved, 0)
        dns.chain(site_of(ctx.cluster, moved))
        assert data(kubernetes)["Corefile"] == block_for(moved, 0) + OWN
        assert "10.9.9.9" in data(kubernetes)["Corefile"]

    def test_a_zone_of_the_users_own_is_refused_by_place_and_name(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        put(kubernetes, {"Corefile": OWN + "\ncamunda-paris.svc.cluster.local {\n}\n"})
        for work in (
            lambda: dns.missing(ctx.cluster, ctx.settings, 0),
            lambda: dns.chain(ctx),
        ):
            told = ("corefile-not-edited", "Corefile", "kube-system/coredns")
            with fails_with(*told, "camunda-paris.svc.cluster.local", kind=Refused):
                work()
        assert writes(kubernetes) == []

    @pytest.mark.parametrize("there", [None, {"other": "x"}], ids=["no data", "no such key"])
    def test_a_cluster_without_corefile_is_refused(
        self, ctx: StepContext, kubernetes: FakeKubernetes, there: dict[str, str] | None
    ) -> None:
        put(kubernetes, there)
        with raises("no-corefile", Refused):
            dns.chain(ctx)
        assert writes(kubernetes) == []

    def test_a_cluster_without_that_config_map_is_refused_but_needs_no_undoing(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        kubernetes.objects[MAPS].clear()
        with fails_with("no-corefile", "kube-system/coredns", kind=Refused):
            dns.missing(ctx.cluster, ctx.settings, 0)
        dns.unchain(ctx, "kube-system/coredns", "Corefile")

    def test_a_key_of_coredns_custom_is_made_and_taken_away(
        self, cluster: Cluster, kubernetes: FakeKubernetes
    ) -> None:
        put(kubernetes, None, "coredns-custom")
        custom = {"configMap": "kube-system/coredns-custom", "key": "camunda.server"}
        ctx = site_of(cluster, chained_settings(dns=custom))
        dns.chain(ctx)
        assert data(kubernetes, "coredns-custom") == {"camunda.server": block_for(ctx.settings, 0)}
        dns.unchain(ctx, custom["configMap"], custom["key"])
        assert data(kubernetes, "coredns-custom") == {}

    def test_missing_rights_are_told_at_once(
        self, ctx: StepContext, kubernetes: FakeKubernetes
    ) -> None:
        kubernetes.broken[f"{MAPS}/coredns"] = failure(403, "Forbidden", "configmaps is forbidden")
        with raises("corefile-forbidden"):
            dns.chain(ctx)
        # Once for the ConfigMap, once for its namespace: if that were gone, so would be the rights in it.
        assert len(kubernetes.asked) == 2
        with fails_with("403", kind=CallFailed):
            dns.missing(ctx.cluster, ctx.settings, 0)


def meanwhile(fake: FakeKubernetes, change: Callable[[], None]) -> None:
    """Let a change happen between the first look and the write that follows it."""
    seen: list[None] = []

    def tick() -> None:
        seen.append(None)
        if len(seen) == 2:
            change()

    fake.tick = tick


def put_changed(fake: FakeKubernetes, corefile: str) -> None:
    put(fake, {"Corefile": corefile})
    fake.objects[MAPS]["coredns"]["metadata"]["resourceVersion"] = "2"
