"""Checks on a cluster whose configuration is changed while it runs, on answers shaped as the management API's."""

from collections.abc import Iterator
from typing import Any

from drill.checks import checks, cluster_checks, failback_checks
from drill.observation import web_apps
from drill.procedure.versions import VERSIONS
from drill.regions import REGIONS, replicas
from drill.scenario import two_operators
from tests.unit.drill.checks.cases import Case, Json, fails, holds, spoilt

LONDON, PARIS = REGIONS
HALF = replicas(4, [0, 2])
"""What each broker holds once the brokers of region 1 are removed from a cluster of four."""


def member(id_: int, partitions: list[int]) -> Json:
    held = [{"id": each, "state": "ACTIVE", "priority": 1} for each in partitions]
    return {"id": id_, "state": "ACTIVE", "version": 1, "partitions": held}


CONFIGURATION: Json = {
    "version": 9,
    "brokers": [member(id_, partitions) for id_, partitions in HALF.items()],
    "lastChange": {"id": 4, "status": "COMPLETED"},
}
"""Region 1 is lost, and its brokers are removed."""


def set_to(place: str, value: Any) -> Any:
    return lambda answer: answer.update({place: value})


def of_broker(**change: Any) -> Any:
    return lambda answer: answer["brokers"][1].update(change)


def joins(answer: Json) -> None:
    answer["brokers"][0]["partitions"][0]["state"] = "JOINING"


def holds_less(answer: Json) -> None:
    del answer["brokers"][0]["partitions"][0]


def configurations() -> Iterator[Case]:
    are = cluster_checks.members_are
    yield holds(are, CONFIGURATION, HALF)
    yield holds(are, spoilt(CONFIGURATION, lambda answer: answer.pop("lastChange")), HALF)
    yield fails(are, CONFIGURATION, replicas(4, [0, 1, 2, 3]))
    yield fails(are, {"brokers": []}, HALF)
    for spoil in (
        lambda answer: answer["brokers"].append(member(1, [1])),
        of_broker(state="LEAVING"),
        of_broker(id=1),
        set_to("pendingChange", {"id": 5, "status": "IN_PROGRESS"}),
        set_to("lastChange", {"id": 4, "status": "FAILED"}),
        joins,
        holds_less,
    ):
        yield fails(are, spoilt(CONFIGURATION, spoil), HALF)
    sizes = {"clusterSize": 2, "replicationFactor": 2}
    yield holds(cluster_checks.sizes_are, sizes, 2, 2)
    yield fails(cluster_checks.sizes_are, sizes, 4, 2)
    yield fails(cluster_checks.sizes_are, sizes, 2, 4)
    yield fails(cluster_checks.sizes_are, {}, 2, 2)
    found = {"elasticsearchregion0": "ENABLED", "elasticsearchregion1": "DISABLED"}
    yield holds(cluster_checks.exporters_are, found, found)
    yield fails(cluster_checks.exporters_are, found | {"elasticsearchregion1": "UNKNOWN"}, found)
    yield fails(cluster_checks.exporters_are, {"elasticsearchregion0": "ENABLED"}, found)
    yield fails(cluster_checks.exporters_are, found | {"another": "ENABLED"}, found)


# --- brokers outside of the cluster ---------------------------------------------------------------------------


def listed(id_: int, city: str, *partitions: int) -> Json:
    held = [{"partitionId": each, "role": "follower", "health": "healthy"} for each in partitions]
    host = f"camunda-zeebe-{id_ // 2}.camunda-zeebe.camunda-{city}.svc"
    return {"nodeId": id_, "host": host, "partitions": held}


SEEN: Json = {
    "brokers": [
        listed(0, "london", 1, 2),
        listed(1, "paris"),
        listed(2, "london", 1, 2),
        listed(3, "paris"),
    ],
    "clusterSize": 2,
}


def takes_part(answer: Json) -> None:
    answer["brokers"][1] = listed(1, "paris", 2)


def away(answer: Json) -> None:
    del answer["brokers"][1]


def outsiders() -> Iterator[Case]:
    nothing = cluster_checks.outsiders_hold_nothing
    yield holds(nothing, SEEN, [1, 3])
    yield fails(nothing, spoilt(SEEN, takes_part), [1, 3])
    yield fails(nothing, spoilt(SEEN, away), [1, 3])
    back = cluster_checks.none_is_added_back
    yield holds(back, SEEN, CONFIGURATION, PARIS)
    yield fails(back, spoilt(SEEN, takes_part), CONFIGURATION, PARIS)
    added = spoilt(CONFIGURATION, lambda answer: answer["brokers"].append(member(3, [])))
    yield fails(back, SEEN, added, PARIS)
    yield fails(back, spoilt(SEEN, away, lambda seen: seen["brokers"].pop()), CONFIGURATION, PARIS)
    shared = cluster_checks.passwords_are_shared
    yield holds(shared, [])
    yield fails(shared, ["elasticsearch-es-password-region-1 in london"])
    hidden = cluster_checks.passwords_are_hidden
    yield holds(hidden, [])
    yield fails(hidden, ["out/drill/logs/07-pulumi-up-region0.log"])
    ended = cluster_checks.removed_brokers_end
    yield holds(ended, [pod(last=3), pod("camunda-zeebe-1", last=3)])
    yield fails(ended, [pod(last=3), pod("camunda-zeebe-1", last=137)])
    yield fails(ended, [pod(last=3), pod("camunda-zeebe-1")])
    yield fails(ended, [])
    yield holds(two_operators.none_was_removed, {"clusterSize": 4}, 4, PARIS)
    yield fails(two_operators.none_was_removed, {"clusterSize": 2}, 4, PARIS)


# --- restarts ---------------------------------------------------------------------------------------------------


def pod(
    name: str = "camunda-zeebe-0",
    uid: str = "u",
    created: int = 0,
    ready: int | None = 5,
    last: int | None = None,
) -> Json:
    """A broker's pod that was made and became ready at these seconds, and has ended so before."""
    at = "2026-01-02T03:04:{:02d}Z".format
    state = {} if last is None else {"terminated": {"exitCode": last}}
    condition = {
        "type": "Ready",
        "status": "False" if ready is None else "True",
        "lastTransitionTime": at(ready or 0),
    }
    return {
        "metadata": {
            "name": name,
            "namespace": "camunda-london",
            "uid": uid,
            "creationTimestamp": at(created),
            "labels": {"controller-revision-hash": "r1"},
        },
        "status": {
            "containerStatuses": [{"restartCount": int(last is not None), "lastState": state}],
            "conditions": [condition],
        },
    }


FORMER = [pod("camunda-zeebe-0"), pod("camunda-zeebe-1")]


def restarts() -> Iterator[Case]:
    untouched = cluster_checks.survivor_is_untouched
    yield holds(untouched, (3, 3), FORMER, FORMER)
    yield fails(untouched, (3, 4), FORMER, FORMER)
    yield fails(untouched, (0, 0), FORMER, FORMER)
    yield fails(untouched, (3, 3), [], [])
    yield fails(untouched, (3, 3), FORMER, [*FORMER, pod("camunda-zeebe-2")])
    for wrong in (FORMER[:1], [FORMER[0], pod("camunda-zeebe-1", "new")], [FORMER[0], pod(last=3)]):
        yield fails(untouched, (3, 3), FORMER, wrong)
    yield holds(checks.brokers_kept, FORMER, FORMER, "The copy", "no broker")
    one_by_one = cluster_checks.restarted_one_by_one
    first, second = pod("camunda-zeebe-0", "a", 10, 20), pod("camunda-zeebe-1", "b", 20, 30)
    yield holds(one_by_one, FORMER, [second, first], "The copy")
    for wrong in (
        [first, pod("camunda-zeebe-1", "b", 19, 30)],
        [pod("camunda-zeebe-0", "a", 10, None), second],
        [first, FORMER[1]],
        [first],
    ):
        yield fails(one_by_one, FORMER, wrong, "The copy")
    yield fails(one_by_one, [], [], "The copy")
    hard = cluster_checks.pauses_are_hard
    yield holds(hard, {"a": {"1": {"exporterPhase": "PAUSED"}}})
    yield fails(hard, {"a": {"1": {"exporterPhase": "SOFT_PAUSED"}}})
    yield fails(hard, {"a": {}})


# --- web applications in the brokers' pods ---------------------------------------------------------------------------


def stateful_set(revision: str = "r1", replicas: int = 2) -> Json:
    volumes = [{"name": "tmp"}, {"name": "config", "configMap": {"name": "configuration"}}]
    return {
        "spec": {"replicas": replicas, "template": {"spec": {"volumes": volumes}}},
        "status": {"updateRevision": revision},
    }


def configuration(*profiles: str) -> Json:
    active = ",".join(("broker", *profiles, "consolidated-auth"))
    return {"data": {"application.yaml": f"spring:\n  profiles:\n    active: {active!r}\n"}}


def of_brokers(*profiles: str, revision: str = "r1", pods: list[Json] = FORMER) -> Json:
    seen = web_apps.of_brokers(stateful_set(revision), configuration(*profiles), pods)
    return {"camunda-london": seen}


BOTH = ("operate", "tasklist")


def profiles() -> Iterator[Case]:
    ready, off = failback_checks.web_apps_ready, failback_checks.web_apps_off
    unready = [FORMER[0], pod("camunda-zeebe-1", ready=None)]
    yield holds(ready, of_brokers(*BOTH))
    yield fails(ready, of_brokers("operate"))
    yield fails(ready, of_brokers())
    yield fails(ready, of_brokers(*BOTH, revision="r2"))
    yield fails(ready, of_brokers(*BOTH, pods=unready))
    yield fails(ready, of_brokers(*BOTH, pods=FORMER[:1]))
    yield holds(off, of_brokers())
    # Brokers outside of the cluster are not ready.
    yield holds(off, of_brokers(pods=unready))
    yield fails(off, of_brokers("tasklist"))
    yield fails(off, of_brokers(revision="r2"))


# --- addresses --------------------------------------------------------------------------------------------------------


def broker_of(version: str, engine: str) -> Json:
    variable_of = VERSIONS[version].address_variable
    env = [
        {"name": variable_of(region), "value": f"http://{host}.svc.cluster.local:9200"}
        for region, host in ((0, "e.camunda-london"), (1, engine))
    ]
    return pod() | {"spec": {"containers": [{"name": "orchestration", "env": env}]}}


def addresses() -> Iterator[Case]:
    engines = {0: "camunda-london", 1: "camunda-paris"}
    for version, known in VERSIONS.items():
        right, wrong = (broker_of(version, f"e.{name}") for name in ("camunda-paris", "else"))
        yield holds(checks.exporters_point_at, [right], engines, known.address_variable)
        yield fails(checks.exporters_point_at, [right, wrong], engines, known.address_variable)
    older = broker_of("8.6", "e.camunda-paris")
    yield fails(checks.exporters_point_at, [older], engines, VERSIONS["8.8"].address_variable)


CASES = [*configurations(), *outsiders(), *restarts(), *profiles(), *addresses()]
