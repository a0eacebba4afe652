"""The cluster's configuration, as the management API answers it, and what is judged of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dualregion import brokers
from dualregion.errors import Refused
from dualregion.observed import cluster_changes
from dualregion.observed.cluster_changes import (
    Configuration,
    EndedChange,
    Operation,
    PlannedChange,
    addition_problem,
    exporter_not_in,
    exporter_states,
    exporters_of,
    may_export,
    members_differ,
    removal_problem,
    replicas_differ,
    unconfirmed,
    untold,
)
from messages import Message
from messages.observed import cluster_changes as messages
from tests.fakes.cluster_management import FakeManagement, kept_after_loss
from tests.fakes.kubernetes import Document
from tests.raising import assert_message, assert_tells, raises

SIZES = [4, 6, 8, 12]
LOST = pytest.mark.parametrize("lost", [0, 1])
EACH_SIZE = pytest.mark.parametrize("size", SIZES)


def management(size: int = 4, version: str = "8.8") -> FakeManagement:
    return FakeManagement(version, size, ("camundaregion0", "camundaregion1"), lambda: range(size))


def ask(made: FakeManagement, method: str, path: str, body: Any, **query: str) -> Document:
    reply = made.answer(method, path, {name: [each] for name, each in query.items()}, body)
    assert reply is not None
    assert reply.status in (200, 202), reply
    return dict(reply.body)


def configuration(made: FakeManagement) -> Configuration:
    return Configuration.of(made.document())


def removal(made: FakeManagement, lost: int) -> PlannedChange:
    """Return the dry run of the removal of a region."""
    body = {"brokers": {"remove": [*brokers.region_broker_ids(made.size, lost)]}}
    answer = ask(made, "PATCH", "/actuator/cluster", body, force="true", dryRun="true")
    return PlannedChange.of(answer)


def addition(made: FakeManagement, lost: int) -> PlannedChange:
    """Return the dry run of the addition of a region."""
    body = {
        "brokers": {"add": [*brokers.region_broker_ids(made.size, lost)]},
        "partitions": {"replicationFactor": 4},
    }
    return PlannedChange.of(ask(made, "PATCH", "/actuator/cluster", body, dryRun="true"))


def judged_removal(planned: PlannedChange, size: int, lost: int) -> Message | None:
    return removal_problem(
        planned,
        brokers.region_broker_ids(size, lost),
        kept_after_loss(size, lost),
        partition_count=size,
        replicas=2,
    )


def judged_addition(planned: PlannedChange, size: int, lost: int) -> Message | None:
    added = brokers.region_broker_ids(size, lost)
    return addition_problem(planned, added, range(size), partition_count=size, replicas=4)


class TestReading:
    """What is read of an answer, and what is refused."""

    def test_members_replicas_and_exporters(self) -> None:
        found = configuration(management())
        assert (found.version, found.last, found.pending) == (1, None, None)
        assert [each.id for each in found.members] == [0, 1, 2, 3]
        assert {each.state for each in found.members} == {"ACTIVE"}
        replica = found.members[0].replicas[0]
        assert (replica.partition, replica.state) == (1, "ACTIVE")
        assert replica.exporters == {"camundaregion0": "ENABLED", "camundaregion1": "ENABLED"}

    def test_a_member_that_has_left_is_none(self) -> None:
        made = management()
        made.states[3] = "LEFT"
        assert [each.id for each in configuration(made).members] == [0, 1, 2]

    def test_ids_may_be_texts_of_numbers(self) -> None:
        answer = management().document()
        answer["brokers"] = [each | {"id": str(each["id"])} for each in answer["brokers"]]
        assert [each.id for each in Configuration.of(answer).members] == [0, 1, 2, 3]

    def test_a_zone_aware_cluster_is_refused(self) -> None:
        answer = management().document()
        answer["brokers"][1]["id"] = "zone-b_0"
        with raises("zone-aware-cluster", Refused, broker="zone-b_0"):
            Configuration.of(answer)

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"brokers": None},
            {"version": None},
            {"brokers": [{"state": "ACTIVE"}]},
            {"lastChange": {"status": "COMPLETED"}},
            {"pendingChange": {"id": None}},
        ],
        ids=str,
    )
    def test_an_answer_of_another_form_is_refused(self, spoilt: Document) -> None:
        with pytest.raises((KeyError, TypeError, ValueError)):
            Configuration.of(management().document() | spoilt)

    def test_a_change_under_way(self) -> None:
        made = management()
        path = "/actuator/exporters/camundaregion1/disable"
        answer = PlannedChange.of(ask(made, "POST", path, None))
        found = configuration(made)
        assert found.pending is not None
        assert (found.pending.id, found.pending.completed) == (answer.id, 0)
        assert found.pending.pending == answer.operations
        assert answer.operations[0] == Operation("PARTITION_DISABLE_EXPORTER", 0, 1)

    def test_an_operation_of_an_unknown_kind_is_kept(self) -> None:
        answer = management().document() | {
            "pendingChange": {"id": 7, "pending": [{"operation": "POST_SCALING"}]}
        }
        pending = Configuration.of(answer).pending
        assert pending is not None
        assert pending.pending == (Operation("POST_SCALING", -1),)
        assert_message(pending.message, "change-pends", change=7, completed=0)

    def test_the_state_of_each_exporter(self) -> None:
        made = management()
        made.set_exporter("camundaregion1", "DISABLED")
        reply = made.answer("GET", "/actuator/exporters", {}, None)
        assert reply is not None
        assert exporters_of(reply.body) == {
            "camundaregion0": "ENABLED",
            "camundaregion1": "DISABLED",
        }


class TestRemoval:
    """The dry run of a removal names the lost brokers, all of them, and nobody else."""

    @LOST
    @EACH_SIZE
    def test_of_the_lost_region(self, size: int, lost: int) -> None:
        assert judged_removal(removal(management(size), lost), size, lost) is None

    @LOST
    def test_of_the_surviving_region_is_seen(self, lost: int) -> None:
        planned = removal(management(), 1 - lost)
        assert_message(judged_removal(planned, 4, lost), "removal-keeps-others")

    def test_of_too_few(self) -> None:
        made = management(8)
        body = {"brokers": {"remove": [1, 3, 5]}}
        answer = ask(made, "PATCH", "/actuator/cluster", body, force="true", dryRun="true")
        found = judged_removal(PlannedChange.of(answer), 8, 1)
        assert_message(found, "removal-keeps-others", removed=[1, 3, 5], kept=[0, 2, 4, 6, 7])

    def test_with_members_of_neither_region(self) -> None:
        planned = removal(management(8), 1)
        found = removal_problem(planned, (1, 3), (0, 2), partition_count=8, replicas=2)
        assert_message(found, "members-of-neither-region", brokers=[4, 5, 6, 7])

    def test_with_replicas_that_are_not_split_evenly(self) -> None:
        made = management()
        made.members[2].pop(1)
        found = judged_removal(removal(made, 1), 4, 1)
        assert_message(found, "replicas-not-split", partitions=[1], replicas=[1], wanted=2)

    def test_that_does_more(self) -> None:
        planned = removal(management(), 1)
        more = replace(planned, operations=(*planned.operations, Operation("POST_SCALING", 0)))
        assert_message(judged_removal(more, 4, 1), "removal-does-more", operations=["POST_SCALING"])


class TestAddition:
    """The dry run of an addition lets the lost brokers join their partitions again, and nothing else."""

    @LOST
    @EACH_SIZE
    def test_of_the_lost_region(self, size: int, lost: int) -> None:
        made = management(size)
        made.keep(kept_after_loss(size, lost))
        planned = addition(made, lost)
        assert judged_addition(planned, size, lost) is None
        assert {each.kind for each in planned.operations} >= {"BROKER_ADD", "PARTITION_JOIN"}

    def test_that_lets_others_join(self) -> None:
        made = management()
        made.keep((0, 2))
        found = addition_problem(addition(made, 1), (1,), range(4), partition_count=4, replicas=4)
        assert_message(found, "addition-does-more")
        assert_tells(found, "BROKER_ADD by broker 3")

    def test_that_does_not_add_all(self) -> None:
        made = management()
        made.keep((0, 2))
        planned = addition(made, 1)
        found = judged_addition(replace(planned, expected=planned.expected[:-1]), 4, 1)
        assert_message(found, "addition-ends-otherwise", members=[0, 1, 2], wanted=[0, 1, 2, 3])

    def test_with_another_factor(self) -> None:
        made = management()
        made.keep((0, 2))
        body = {"brokers": {"add": [1, 3]}, "partitions": {"replicationFactor": 3}}
        answer = ask(made, "PATCH", "/actuator/cluster", body, dryRun="true")
        assert_message(judged_addition(PlannedChange.of(answer), 4, 1), "replicas-not-split")


class TestEnd:
    """A change is confirmed by its id, and by nothing that pends."""

    def found(self, last: EndedChange | None) -> Configuration:
        return Configuration(5, (), last)

    def test_that_completed(self) -> None:
        assert unconfirmed(self.found(EndedChange(4, "COMPLETED")), 4) is None

    def test_that_pends(self) -> None:
        made = management()
        answer = ask(made, "POST", "/actuator/exporters/camundaregion1/disable", None)
        found = unconfirmed(configuration(made), answer["changeId"])
        assert_message(found, "change-pends", change=answer["changeId"], completed=0)

    @pytest.mark.parametrize("last", [None, EndedChange(2, "COMPLETED")])
    def test_that_is_not_seen(self, last: EndedChange | None) -> None:
        found = unconfirmed(self.found(last), 4)
        assert_message(found, "another-change-ended", change=4, last=last and last.id)

    @pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "UNHEARD_OF"])
    def test_that_did_not_succeed(self, status: str) -> None:
        found = unconfirmed(self.found(EndedChange(4, status)), 4)
        assert_message(found, "change-ended-badly", change=4, status=status)


class TestState:
    """The state that a change leads to is judged besides."""

    def test_all_members(self) -> None:
        found = configuration(management())
        assert members_differ(found, range(4)) is None
        assert replicas_differ(found, partition_count=4, replicas=4) is None

    def test_other_members(self) -> None:
        found = members_differ(configuration(management()), [0, 2])
        assert_message(found, "other-members", members=[0, 1, 2, 3], wanted=[0, 2])

    def test_a_member_that_is_joining(self) -> None:
        made = management()
        made.states[1] = "JOINING"
        found = members_differ(configuration(made), range(4))
        assert_message(found, "members-not-active", brokers=[1], states=["JOINING"])

    def test_a_replica_that_is_joining(self) -> None:
        made = management()
        made.members[1][2].state = "JOINING"
        found = replicas_differ(configuration(made), partition_count=4, replicas=4)
        assert_message(found, "replica-not-active", partition=2, broker=1, state="JOINING")

    def test_too_few_replicas(self) -> None:
        made = management()
        made.keep((0, 2))
        found = replicas_differ(configuration(made), partition_count=4, replicas=4)
        assert_message(found, "replicas-not-split", partitions=[1, 2, 3, 4], wanted=4)

    def test_an_exporter_on_every_replica(self) -> None:
        made = management()
        assert exporter_not_in(configuration(made), "camundaregion1", "ENABLED") is None
        made.set_exporter("camundaregion1", "DISABLED", [2])
        found = configuration(made)
        assert exporter_states(found, "camundaregion1") == {"ENABLED", "DISABLED"}
        told = exporter_not_in(found, "camundaregion1", "ENABLED")
        assert_message(told, "exporter-not-as-wanted", exporter="camundaregion1", wanted="ENABLED")
        assert_tells(told, "DISABLED")

    @pytest.mark.parametrize(
        ("spoilt", "named", "counts"),
        [
            (lambda made: made.keep(()), [], [0] * 4),
            (lambda made: made.members.update({0: {}, 1: {}, 2: {}}), [*range(4)], [1] * 4),
            (
                lambda made: made.members.update({each: {} for each in range(4)}),
                [*range(4)],
                [0] * 4,
            ),
        ],
        ids=["no member", "members without partitions", "no replica at all"],
    )
    def test_an_answer_that_tells_nothing_proves_nothing(
        self, spoilt: Callable[[FakeManagement], None], named: list[int], counts: list[int]
    ) -> None:
        made = management()
        spoilt(made)
        found = untold(configuration(made), partition_count=4, least=2)
        facts = {"members": named, "partitions": [1, 2, 3, 4], "replicas": counts, "least": 2}
        assert_message(found, "configuration-untold", **facts)

    def test_an_answer_that_lacks_one_partition(self) -> None:
        made = management()
        for held in made.members.values():
            del held[3]
        found = untold(configuration(made), partition_count=4, least=2)
        assert_message(found, "configuration-untold", partitions=[3], replicas=[0])

    @pytest.mark.parametrize("kept", [(0, 2), (1, 3), (0, 1, 2, 3)])
    def test_an_answer_that_tells_of_a_region_or_of_both(self, kept: tuple[int, ...]) -> None:
        made = management()
        made.keep(kept)
        assert untold(configuration(made), partition_count=4, least=2) is None

    @pytest.mark.parametrize("state", ["DISABLED", "CONFIG_NOT_FOUND"])
    def test_a_replica_that_tells_of_no_exporter_may_have_any(self, state: str) -> None:
        made = management()
        made.set_exporter("camundaregion1", state)
        assert may_export(configuration(made), "camundaregion1") is None
        made.members[1][2].exporters.clear()
        told = may_export(configuration(made), "camundaregion1")
        assert_tells(told, "exporter-not-as-wanted", messages.exporter_state(2, 1, None))

    def test_an_exporter_that_nobody_knows(self) -> None:
        found = configuration(management())
        assert exporter_states(found, "elasticsearchregion1") == frozenset()
        told = exporter_not_in(found, "elasticsearchregion1", cluster_changes.DISABLED)
        assert_tells(told, "exporter-not-as-wanted", messages.exporter_state(1, 0, None))
