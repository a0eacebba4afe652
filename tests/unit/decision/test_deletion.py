"""Deletion is guarded: what a run declares is needed, and failover brokers go when the cluster can do without.

`pulumi destroy` was one command away from everything, and the failover brokers went unasked in a later
run, whatever had become of the others meanwhile.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from clients.cluster.kubernetes import CallFailed
from dualregion.config.settings import Settings
from dualregion.decision import deletion
from dualregion.decision.deletion import Doomed
from dualregion.decision.desired import desired, remembered
from dualregion.errors import DeadlineExceeded, Refused
from dualregion.observed.zeebe_answers import Broker, ClusterView, Replica
from dualregion.procedure import Phase
from dualregion.procedure.topology import Topology
from dualregion.state.progress import Stack
from messages import Message
from messages.decision import deletion as messages
from steps.releases import deletion as hooks
from tests.fakes.kubernetes import failure
from tests.fakes.regions import RECREATED, SURVIVOR, World
from tests.inputs.examples import failover, settings
from tests.raising import assert_message, assert_tells, fails_with, raises

BUCKET = {"settings": {"bucket": "b"}}
LABELS = {"camunda-dual-region/step": "F2", "camunda-dual-region/incident": "1-region1-lost"}
RELEASE, NAMESPACE, RECORD = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:ConfigMap",
)
PEER = Stack(Phase.NORMAL, nodes=frozenset({"normal"}))


def doomed(name: str, labels: Mapping[str, str] | None = None) -> Doomed:
    """Return a release, a namespace or a gate's record by its name."""
    kind = NAMESPACE if name.endswith("-namespace") else RELEASE if name.islower() else RECORD
    return Doomed(kind, name, labels or {})


def of_survivor() -> tuple[Settings, Topology]:
    found = failover(0, lost=1)
    return found, desired(found, {}, PEER)


def assert_not_deleted(found: Message | None, reason: str, **facts: str) -> None:
    """Demand that a resource is needed, and why."""
    assert_message(found, "not-deleted", **facts)
    assert found is not None
    assert found.facts["reason"].code == reason


@pytest.mark.parametrize("name", ["normal", "normal-namespace", "failover", "failover-namespace"])
def test_what_a_survivor_declares_is_needed(name: str) -> None:
    text = deletion.refusal(*of_survivor(), doomed(name))
    assert_not_deleted(text, "only-complete-data", name="london", namespace="camunda-london")


def test_a_member_is_needed_by_the_other_one() -> None:
    found = settings()
    text = deletion.refusal(found, desired(found, {}, PEER), doomed("normal"))
    assert_not_deleted(text, "half-of-the-brokers", resource="release camunda-london/camunda")


@pytest.mark.parametrize(("role", "step"), [(SURVIVOR, "B2"), (RECREATED, "B4"), (RECREATED, "B7")])
def test_both_regions_of_a_failback_are_needed(here: World, role: str, step: str) -> None:
    ctx = here.ctx(step, role)
    for name in ("normal", "normal-namespace"):
        text = deletion.refusal(ctx.settings, ctx.topology, doomed(name))
        reason = "only-complete-data" if role == SURVIVOR else "needed-for-quorum"
        assert_not_deleted(text, reason, name=ctx.settings.own.name)


def test_a_lost_region_that_does_not_answer_is_kept() -> None:
    found = failover(0, lost=0)
    kept = remembered(found, Stack(nodes=frozenset({"normal"})))
    text = deletion.refusal(found, kept, doomed("normal"))
    assert_not_deleted(text, "lost-region-kept")


def test_a_lost_region_that_is_to_be_cleaned_is_not_needed() -> None:
    found = failover(0, lost=0)
    for name in ("normal", "normal-namespace", "N"):
        assert deletion.refusal(found, Topology(role=found.role), doomed(name)) is None


def test_a_record_of_this_incident_is_needed_and_gives_way_to_one_of_another() -> None:
    found, wanted = of_survivor()
    text = deletion.refusal(found, wanted, doomed("F2", LABELS))
    assert_not_deleted(text, "only-complete-data", resource="record F2")
    other = LABELS | {"camunda-dual-region/incident": "1-region0-lost"}
    assert deletion.refusal(found, wanted, doomed("F2", other)) is None
    assert deletion.refusal(found, wanted, doomed("N", LABELS)) is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("kubernetes:core/v1:Secret", "normal-namespace"),
        ("dualregion:index:Camunda", "normal"),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "normal-isolation"),
        ("kubernetes:core/v1:Service", "F2"),
    ],
)
def test_what_gives_way_to_its_like_is_not_asked_about_by_itself(kind: str, name: str) -> None:
    """A Secret of another name is recreated, and has the name of the namespace in the program."""
    assert deletion.refusal(*of_survivor(), Doomed(kind, name, LABELS)) is None


class TestLettingFailoverBrokersGo:
    """At the end of the survivor's B5, in whatever run that is."""

    @pytest.fixture
    def here(self, here: World) -> World:
        here.opens()
        here.say_phase("EXPORTING")
        self.prove_b5(here, here.incident)
        return here

    def prove_b5(self, here: World, incident: str) -> None:
        records = f"/api/v1/namespaces/{here.survivor.namespace}/configmaps"
        here.near.put(
            records,
            {
                "metadata": {
                    "name": "dual-region-b5",
                    "labels": {"camunda-dual-region/step": "B5"},
                },
                "data": {"incident": incident},
            },
        )

    def check(self, here: World, *, live: bool = True, gives_up: bool = False) -> None:
        waits_for = "not-needed-any-more" if gives_up else None
        ctx = replace(here.ctx("B5", SURVIVOR), gives_up_on=waits_for)
        for name in ("failover", "failover-namespace"):
            hooks.check(ctx, doomed(name), live=live)

    def test_they_go_when_all_others_are_complete(self, here: World) -> None:
        self.check(here)
        assert_tells(here.said[-1], "wait-done", "deletion", "not-needed-any-more")

    def test_a_recreated_broker_that_is_down_keeps_them(self, here: World) -> None:
        awake = here.ids(here.recreated.namespace)[1]
        here.unseen = {awake}
        with fails_with(messages.brokers_unseen([awake]), kind=DeadlineExceeded):
            self.check(here, gives_up=True)

    def test_a_replica_that_lags_keeps_them(self, here: World) -> None:
        sick = here.ids(here.survivor.namespace)[0]
        here.unhealthy = {sick}
        told = messages.replicas_not_healthy(sick, [1, 2, 3, 4])
        with fails_with(told, kind=DeadlineExceeded):
            self.check(here, gives_up=True)

    def test_what_cannot_be_seen_keeps_them(self, here: World) -> None:
        target = f"{here.survivor.namespace}/services/camunda-zeebe-gateway:8080"
        here.near.lives(target, lambda *_: failure(503, "ServiceUnavailable", "no endpoints"))
        with fails_with("no endpoints", kind=DeadlineExceeded):
            self.check(here, gives_up=True)

    @pytest.mark.parametrize("incident", [None, "7-region1-lost"], ids=["none", "another's"])
    def test_before_b5_they_stay(self, here: World, incident: str | None) -> None:
        """As in a `pulumi destroy` between the turns."""
        here.near.objects.pop(f"/api/v1/namespaces/{here.survivor.namespace}/configmaps")
        if incident:
            self.prove_b5(here, incident)
        with raises("not-reopened", Refused, step="B5"):
            self.check(here)

    def test_failover_brokers_that_are_gone_need_nothing(self, here: World) -> None:
        here.drop_failover()
        here.unseen = {0, 1, 2, 3}
        self.check(here)

    def test_a_namespace_that_ends_already_is_not_looked_into(self, here: World) -> None:
        """A run was killed when it had begun its deletion, which takes the rights in it first."""
        namespace = here.ctx("B5", SURVIVOR).failover.namespace
        ending = {"name": namespace, "deletionTimestamp": "2026-11-30T02:00:00Z"}
        here.near.put("/api/v1/namespaces", {"metadata": ending})
        path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/camunda-zeebe"
        here.near.broken[path] = failure(403, "Forbidden", "cannot get resource")
        self.check(here)
        here.near.put("/api/v1/namespaces", {"metadata": {"name": namespace}})
        with pytest.raises(CallFailed):
            self.check(here)

    def test_a_preview_asks_no_cluster(self, here: World) -> None:
        asked = len(here.near.asked)
        self.check(here, live=False)
        assert len(here.near.asked) == asked

    def test_who_retires_the_installation_is_not_held_up(self, here: World) -> None:
        ctx = here.ctx("B2", SURVIVOR)
        found = ctx.settings.model_copy(update={"retire": here.survivor.namespace})
        hooks.check(replace(ctx, settings=found), doomed("normal"), live=True)
        other = ctx.settings.model_copy(update={"retire": here.recreated.namespace})
        with pytest.raises(Refused):
            hooks.check(replace(ctx, settings=other), doomed("normal"), live=True)


def test_partitions_are_counted_by_what_the_gateway_names() -> None:
    """Not by where replicas should be: a partition of two survivors only has no quorum without the others."""
    holders = [Broker(each, "h", (Replica(1, "follower", True),)) for each in (0, 1, 2)]
    thin = ClusterView((*holders, Broker(3, "h")))
    sizes = {"cluster_size": 4, "partition_count": 1, "replication_factor": 4}
    assert_message(
        deletion.incomplete_without(thin, (1,), **sizes),
        "too-few-replicas-stay",
        partitions=[1],
        replicas=[2],
        quorum=3,
    )


def test_brokers_that_stay_are_in_sight_and_healthy() -> None:
    sizes = {"cluster_size": 4, "partition_count": 2, "replication_factor": 4}
    sick = (Replica(1, "follower", True), Replica(2, "follower", False))
    seen = tuple(Broker(each, "h", sick[: 1 + (each > 1)]) for each in range(4))
    unseen = deletion.incomplete_without(ClusterView(seen[:2]), (1,), **sizes)
    assert_message(unseen, "brokers-unseen", brokers=[2, 3])
    several = deletion.incomplete_without(ClusterView(seen), (2,), **sizes)
    assert_message(several, "replicas-not-healthy", broker=3, partitions=[2])
