"""What the program asks the engine for of DNS: the record before all brokers, and hooks that are always known."""

import asyncio
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from clients.cluster.kubernetes import CallFailed
from components.dns import chain_hooks
from components.objects import FIELD_MANAGER
from dualregion.corefile import block_for
from dualregion.decision.desired import desired
from dualregion.procedure.topology import DNS_CHAIN, DNS_LOAD_BALANCER, Kind
from dualregion.state.progress import Stack
from steps import dns
from steps.context import StepContext
from tests.fakes.pulumi_engine import BASE, Recorder, behind, declared, run, site_of
from tests.inputs.examples import chained_settings, failover, settings
from tests.raising import any_message, raises

CHAIN, BALANCER = f"ConfigMap::{DNS_CHAIN}", f"Service::{DNS_LOAD_BALANCER}"
HOOKS = {"chain-dns", "follow-dns", "unchain-dns"}


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    found = chained_settings(dns={"loadBalancer": {"create": True}})
    return declared(site_of(found, peer=Stack(nodes=frozenset({Kind.NORMAL}))))


def test_the_record_shows_the_block_and_comes_before_the_release(recorder: Recorder) -> None:
    found = chained_settings()
    record = recorder.found[CHAIN]
    assert record.inputs["metadata"] == {
        "name": "dns-chain",
        "namespace": "camunda-london",
        "annotations": FIELD_MANAGER,
    }
    assert record.inputs["data"] == {
        "configMap": "kube-system/coredns",
        "key": "Corefile",
        "zones": "camunda-paris.svc.cluster.local camunda-paris-failover.svc.cluster.local",
        "forwarders": "10.181.0.53",
        "block": block_for(found, 0),
        "written": "1",
    }
    assert {"Namespace::normal-namespace"} <= behind(recorder, CHAIN)
    assert CHAIN in behind(recorder, "Release::normal")
    assert CHAIN in behind(recorder, "ConfigMap::N")


def test_its_hooks_put_it_follow_and_take_it_out(recorder: Recorder) -> None:
    record = recorder.found[CHAIN]
    assert record.before_create == ("chain-dns",)
    assert record.before_update == ("follow-dns",)
    assert record.before_delete == ("guard-deletion", "unchain-dns")


def test_the_hooks_are_known_in_runs_that_declare_nothing_of_it() -> None:
    """The engine deletes no record whose hook it does not know."""
    for found in (settings(), failover(0, lost=0)):
        seen = declared(site_of(found))
        assert CHAIN not in seen.found
        assert set(seen.hooks) >= HOOKS


def test_nothing_manages_the_corefile_itself(recorder: Recorder) -> None:
    """A resource of it would take the user's part with it when it is deleted."""
    maps = [each for key, each in recorder.found.items() if key.startswith("ConfigMap::")]
    assert {each.inputs["metadata"]["namespace"] for each in maps} == {"camunda-london"}


def test_the_load_balancer_is_the_reference_set_ups_and_not_waited_for(
    recorder: Recorder,
) -> None:
    inputs = recorder.found[BALANCER].inputs
    place = inputs["metadata"]
    assert (place["name"], place["namespace"]) == ("internal-dns-lb", "kube-system")
    assert place["annotations"] == {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
        "pulumi.com/skipAwait": "true",
        **FIELD_MANAGER,
    }
    assert inputs["spec"] == {
        "type": "LoadBalancer",
        "selector": {"k8s-app": "kube-dns"},
        "ports": [{"name": "dns-tcp", "protocol": "TCP", "port": 53, "targetPort": 53}],
    }


def test_by_udp_the_load_balancer_takes_both() -> None:
    found = settings(dns={"tcp": False, "loadBalancer": {"create": True}})
    ports = declared(site_of(found)).found[BALANCER].inputs["spec"]["ports"]
    assert [(each["name"], each["protocol"], each["port"]) for each in ports] == [
        ("dns-tcp", "TCP", 53),
        ("dns-udp", "UDP", 53),
    ]


def test_in_an_incident_the_record_is_declared_and_never_changed() -> None:
    found = chained_settings(phase="failover", lostRegion=1)
    own = Stack(nodes=frozenset({Kind.NORMAL, DNS_CHAIN}))
    seen = declared(site_of(found, topology=desired(found, BASE, Stack(), own)))
    assert seen.found[CHAIN].ignored == ("data",)
    assert seen.found[CHAIN].before_delete == ("guard-deletion", "unchain-dns")


class TestHooks:
    @pytest.fixture
    def done(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        did: list[Any] = []
        monkeypatch.setattr(dns, "chain", lambda _: did.append("chain"))
        monkeypatch.setattr(dns, "unchain", lambda _, *place: did.append(place))
        return did

    def call(self, name: str, ctx: StepContext, **data: dict[str, str]) -> None:
        """Call a hook as the engine does, with the data before and after."""
        _, seen = run(lambda: chain_hooks(ctx))
        given: dict[str, Any] = {key: {"data": value} for key, value in data.items()}
        hook: Any = seen.hooks[name].callback
        asyncio.run(hook(pulumi.ResourceHookArgs("urn", "", DNS_CHAIN, "t", **given)))

    def test_it_is_put_where_the_settings_say(self, done: list[Any]) -> None:
        self.call("chain-dns", site_of(chained_settings()))
        assert done == ["chain"]

    def test_it_is_taken_out_where_it_was_put(self, done: list[Any]) -> None:
        place = {"configMap": "kube-system/other", "key": "Corefile"}
        self.call("unchain-dns", site_of(settings()), old_inputs=place)
        self.call("unchain-dns", site_of(settings()), old_inputs={})
        assert done == [("kube-system/other", "Corefile"), ("kube-system/coredns", "Corefile")]

    def test_another_place_is_followed(self, done: list[Any]) -> None:
        old = {"configMap": "kube-system/other", "key": "a", "block": "x"}
        new = old | {"configMap": "kube-system/coredns"}
        ctx = site_of(chained_settings())
        self.call("follow-dns", ctx, old_inputs=old, new_inputs=new)
        assert done == [("kube-system/other", "a"), "chain"]
        done.clear()
        self.call("follow-dns", ctx, old_inputs=old, new_inputs=old | {"block": "y"})
        assert done == ["chain"]

    def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(_: StepContext) -> None:
            raise CallFailed(any_message("kube context cluster-london: timed out"))

        monkeypatch.setattr(dns, "chain", silent)
        with raises("call-failed", work="DNS"):
            self.call("chain-dns", replace(site_of(chained_settings())))
