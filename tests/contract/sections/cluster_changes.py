"""The cluster management API of 8.6 and later: what it answers, and how changes are accepted and end."""

import time

from tests.contract.asking import topology
from tests.contract.cluster_api import (
    cluster,
    distribution,
    done,
    exporters,
    keep,
    pending,
    switch,
)
from tests.contract.expectations import (
    CLUSTER_API,
    CLUSTER_ENDPOINT,
    CLUSTER_SCALING,
    COORDINATOR,
    DUAL_REGION_8_9,
    EXPORTING_STATE,
    FORCED,
    OURS,
    expected,
)
from tests.contract.target import Need, Target, ask, eventually

_USED_BY = ("tests",)
_ALL = ("8.7", "8.9", "8.10")
_EXPORTER = "elasticsearchregion1"


@expected(relied_on=_USED_BY, sources=(CLUSTER_API, OURS))
def before_8_6_there_is_no_cluster_api(target: Target) -> None:
    """Up to 8.5 nothing answers under `/actuator/cluster`, `/actuator/exporters` and `/v2`: 404."""
    for method, url in (
        ("GET", f"{target.gateway.management}/actuator/cluster"),
        ("POST", f"{target.gateway.management}/actuator/cluster/brokers"),
        ("GET", f"{target.gateway.management}/actuator/exporters"),
        ("GET", f"{target.gateway.rest}/v2/topology"),
    ):
        assert ask(method, url, [] if method == "POST" else None).status == 404, url


@expected(relied_on=_USED_BY, sources=(CLUSTER_API, CLUSTER_ENDPOINT), versions=_ALL)
def the_cluster_names_members_partitions_and_exporters(target: Target) -> None:
    """`GET /actuator/cluster` gives version and members, each with state, partitions, priorities and exporters."""
    answer = cluster(target)
    assert answer["version"] >= 1, answer
    assert [broker["id"] for broker in answer["brokers"]] == sorted(target.brokers), answer
    for broker in answer["brokers"]:
        assert broker["state"] == "ACTIVE", broker
        for partition in broker["partitions"]:
            assert partition["state"] == "ACTIVE", partition
            states = {each["state"] for each in partition["config"]["exporting"]["exporters"]}
            assert states == {"ENABLED"}, partition
    factor = topology(target)["replicationFactor"]
    for partition, priorities in distribution(answer["brokers"]).items():
        assert sorted(priorities.values()) == list(range(1, factor + 1)), (partition, priorities)
    assert "pendingChange" not in answer, answer


@expected(relied_on=_USED_BY, sources=(DUAL_REGION_8_9,), versions=_ALL)
def the_second_rest_api_gives_the_topology(target: Target) -> None:
    """`GET /v2/topology` gives brokers and sizes as `/v1/topology` does in 8.5."""
    seen = topology(target)
    assert target.api == "v2"
    assert seen["clusterSize"] == len(target.brokers), seen
    assert {"partitionsCount", "replicationFactor", "gatewayVersion"} <= set(seen), seen
    assert {"nodeId", "host", "port", "version", "partitions"} <= set(seen["brokers"][0]), seen


@expected(
    Need.FREEZE,
    relied_on=_USED_BY,
    sources=(CLUSTER_API, COORDINATOR),
    versions=_ALL,
)
def a_change_is_asynchronous_and_known_by_its_id(target: Target) -> None:
    """A change is accepted by 202 with a `changeId`, is `pendingChange` while it lasts, and `lastChange` afterwards."""
    slow = max(target.brokers)
    target.hands.freeze(slow)
    answer = switch(target, _EXPORTER, "disable")
    assert answer.status == 202, answer
    assert {"currentTopology", "plannedChanges", "expectedTopology"} <= set(answer.content), answer
    change = cluster(target)["pendingChange"]
    assert change["id"] == answer.content["changeId"], change
    assert change["status"] == "IN_PROGRESS", change
    assert change["pending"], change
    target.hands.thaw(slow)
    first = done(target, answer)["changeId"]
    second = done(target, switch(target, _EXPORTER, "enable"))["changeId"]
    assert second > first + 1, (first, second)


@expected(relied_on=_USED_BY, sources=(CLUSTER_SCALING, COORDINATOR), versions=_ALL)
def a_dry_run_shows_a_change_and_makes_none(target: Target) -> None:
    """With `dryRun=true` the answer is that of the change, and nothing changes."""
    before = cluster(target)
    answer = keep(target, sorted(target.brokers)[::2], dry_run=True)
    assert answer.status == 202, answer
    operations = {each["operation"] for each in answer.content["plannedChanges"]}
    assert operations == {"PARTITION_FORCE_RECONFIGURE", "BROKER_REMOVE"}, answer
    expected_members = [each["id"] for each in answer.content["expectedTopology"]]
    assert expected_members == sorted(target.brokers)[::2], answer
    assert cluster(target) == before


@expected(relied_on=_USED_BY, sources=(COORDINATOR,), versions=_ALL)
def what_is_so_already_is_accepted_without_operations(target: Target) -> None:
    """A change to what is so already is accepted by 202, with no `plannedChanges` and the last change's id."""
    done(target, switch(target, _EXPORTER, "disable"))
    last = done(target, switch(target, _EXPORTER, "enable"))["changeId"]
    url = f"{target.gateway.management}/actuator/cluster/brokers"
    answer = ask("POST", url, sorted(target.brokers))
    assert answer.status == 202, answer
    assert answer.content["plannedChanges"] == [], answer
    assert answer.content["changeId"] == last, answer


@expected(
    Need.RESTART,
    relied_on=_USED_BY,
    sources=(CLUSTER_API, COORDINATOR),
    versions=_ALL,
    changes_members=True,
)
def one_change_at_a_time_and_one_that_pends_can_be_cancelled(target: Target) -> None:
    """While a change pends, every other one is refused by 409, forced ones too; `DELETE` of its id ends it as CANCELLED."""
    lacking = max(target.brokers)
    target.hands.stop(lacking)
    change = switch(target, _EXPORTER, "disable").content["changeId"]
    eventually(lambda: None if _completed(target) else "nothing done", 30)
    assert switch(target, _EXPORTER, "disable").status == 409
    assert keep(target, sorted(target.brokers)[::2]).status == 409
    url = f"{target.gateway.management}/actuator/cluster/changes"
    for wrong in (change + 1, "soon"):
        assert ask("DELETE", f"{url}/{wrong}").status == 400, wrong
    assert pending(target)
    answer = ask("DELETE", f"{url}/{change}")
    assert answer.status == 200, answer
    after = cluster(target)
    assert after["lastChange"] | {"id": change, "status": "CANCELLED"} == after["lastChange"], after
    assert "pendingChange" not in after, after
    # What was applied stays so.
    assert exporters(target)[_EXPORTER] == "UNKNOWN"
    assert ask("DELETE", f"{url}/{change}").status == 400


@expected(Need.FAULTS, relied_on=_USED_BY, sources=(OURS,), versions=("8.7",))
def a_change_told_so_is_stuck(target: Target) -> None:
    """`stuckChange`: no broker carries out an operation, and a change pends until that is over."""
    target.ours.faults(stuckChange=True)
    answer = switch(target, _EXPORTER, "disable")
    assert answer.status == 202, answer
    time.sleep(2)
    assert pending(target)
    assert exporters(target)[_EXPORTER] == "DISABLING"
    target.ours.faults()
    done(target, answer)
    done(target, switch(target, _EXPORTER, "enable"))


def _completed(target: Target) -> bool:
    change = cluster(target).get("pendingChange", {})
    return bool(change.get("completed"))


@expected(relied_on=_USED_BY, sources=(CLUSTER_ENDPOINT, FORCED), versions=_ALL)
def what_cannot_be_is_refused_by_status_400(target: Target) -> None:
    """Unknown brokers to keep, fewer brokers than replicas, unknown exporters, an add by force: 400 with a `message`."""
    url = f"{target.gateway.management}/actuator/cluster"
    for answer in (
        ask("POST", f"{url}/brokers?force=true", [0, 99]),
        ask("POST", f"{url}/brokers", [0]),
        ask("POST", f"{url}/brokers?replicationFactor=99", sorted(target.brokers)),
        ask("PATCH", f"{url}?force=true", {"brokers": {"add": [1], "remove": [0]}}),
        ask("PATCH", f"{url}?force=true", {"brokers": {"remove": []}}),
        ask(
            "PATCH",
            f"{url}?force=true",
            {"brokers": {"remove": [1]}, "partitions": {"replicationFactor": 3}},
        ),
        switch(target, "nobodys-exporter", "disable"),
        switch(target, _EXPORTER, "enable"),
    ):
        assert answer.status == 400, answer
        assert answer.content["message"], answer


@expected(relied_on=_USED_BY, sources=(CLUSTER_ENDPOINT,), versions=("8.10",))
def an_unknown_query_parameter_is_refused(target: Target) -> None:
    """From 8.10 on the cluster's endpoints refuse query parameters that they do not know: 400."""
    url = f"{target.gateway.management}/actuator/cluster"
    answer = ask("PATCH", f"{url}?dryrun=true", {"brokers": {"add": [1]}})
    assert answer.status == 400, answer


@expected(relied_on=_USED_BY, sources=(CLUSTER_API,), versions=("8.10",))
def a_change_is_described_by_its_id(target: Target) -> None:
    """From 8.10 on `GET /actuator/cluster/changes/ID` says how a change stands; 404 if it is not known."""
    change = done(target, switch(target, _EXPORTER, "disable"))["changeId"]
    url = f"{target.gateway.management}/actuator/cluster/changes"
    answer = ask("GET", f"{url}/{change}")
    assert answer.content | {"id": change, "status": "COMPLETED", "pending": []} == answer.content
    assert ask("GET", f"{url}/{change + 1}").status == 404
    done(target, switch(target, _EXPORTER, "enable"))


@expected(
    Need.FREEZE,
    relied_on=_USED_BY,
    sources=(EXPORTING_STATE, COORDINATOR),
    versions=("8.10",),
)
def a_pause_is_a_change_that_clashes_with_others(target: Target) -> None:
    """From 8.10 on a pause is a change: refused behind HTTP 200 while another one pends, and by `/v2/exporting` too."""
    slow = max(target.brokers)
    target.hands.freeze(slow)
    answer = switch(target, _EXPORTER, "disable")
    assert answer.status == 202, answer
    refusal = ask("POST", f"{target.gateway.management}/actuator/exporting/pause")
    assert refusal.status == 200, refusal
    assert refusal.content["status"] == 500, refusal
    assert ask("POST", f"{target.gateway.rest}/v2/exporting/pause").status >= 400
    target.hands.thaw(slow)
    done(target, answer)
    done(target, switch(target, _EXPORTER, "enable"))
