"""Exporters that are disabled and enabled, and pauses, from 8.6 on."""

import time

from tests.contract.asking import (
    all_in,
    create_on_each,
    demand,
    deployed,
    idle,
    led,
    order,
    refused,
    refusing,
    unready,
)
from tests.contract.cluster_api import (
    cluster,
    done,
    exporters,
    fail_over,
    switch,
)
from tests.contract.expectations import (
    DISABLE,
    DUAL_REGION,
    ENABLE,
    EXPORTER_API,
    EXPORTERS_ENDPOINT,
    EXPORTING_STATE,
    EXPORTING_STATUS,
    PAUSING,
    expected,
)
from tests.contract.target import Need, Target, ask, eventually

_USED_BY = ("tests",)
_ALL = ("8.7", "8.9", "8.10")
_LOST, _KEPT = "elasticsearchregion1", "elasticsearchregion0"


@expected(relied_on=_USED_BY, sources=(EXPORTER_API, EXPORTERS_ENDPOINT), versions=_ALL)
def exporters_are_listed_with_their_status(target: Target) -> None:
    """`GET /actuator/exporters` lists every exporter by id, in lower case, and its status over all replicas."""
    assert exporters(target) == {_KEPT: "ENABLED", _LOST: "ENABLED"}
    answer = switch(target, _LOST, "disable")
    done(target, answer)
    planned = answer.content["plannedChanges"]
    assert {each["operation"] for each in planned} == {"PARTITION_DISABLE_EXPORTER"}, planned
    assert exporters(target) == {_KEPT: "ENABLED", _LOST: "DISABLED"}
    # Twice does no harm.
    done(target, switch(target, _LOST, "disable"))
    done(target, switch(target, _LOST, "enable"))
    assert exporters(target) == {_KEPT: "ENABLED", _LOST: "ENABLED"}


@expected(
    Need.TWO_ENGINES,
    Need.BREAK,
    relied_on=_USED_BY,
    sources=(DISABLE, DUAL_REGION),
    versions=_ALL,
)
def a_disabled_exporter_holds_nothing_back(target: Target) -> None:
    """An exporter that is disabled writes nothing, and the exported position moves on although its engine is gone."""
    process = deployed(target)
    target.engines[1].stop()
    create_on_each(target, process)
    time.sleep(target.timing.bulk_delay + 1)
    assert idle(target), "the exporter of the engine that is gone holds nothing back"
    done(target, switch(target, _LOST, "disable"))
    eventually(lambda: idle(target), target.timing.exported)
    target.engines[1].start()
    keys = create_on_each(target, process).values()
    eventually(lambda: idle(target), target.timing.exported)
    assert all(target.engines[0].documents(key) for key in keys)
    time.sleep(target.timing.bulk_delay + 1)
    assert not any(target.engines[1].documents(key) for key in keys)
    done(target, switch(target, _LOST, "enable"))


@expected(
    Need.RESTART,
    Need.TWO_ENGINES,
    relied_on=_USED_BY,
    sources=(DISABLE, DUAL_REGION),
    versions=_ALL,
)
def a_disabled_exporter_stays_so_over_restarts(target: Target) -> None:
    """That an exporter is disabled is a part of the cluster's configuration: it is so after all have restarted."""
    process = deployed(target)
    done(target, switch(target, _LOST, "disable"))
    target.hands.stop(*target.brokers)
    target.hands.start(*target.brokers)
    eventually(lambda: unready(target), target.timing.patience)
    eventually(
        lambda: None if exporters(target)[_LOST] == "DISABLED" else str(exporters(target)), 30
    )
    eventually(lambda: refusing(target), target.timing.patience + 3 * target.timing.dead_connection)
    keys = create_on_each(target, process).values()
    eventually(lambda: idle(target), target.timing.exported)
    assert all(target.engines[0].documents(key) for key in keys)
    time.sleep(target.timing.bulk_delay + 1)
    assert not any(target.engines[1].documents(key) for key in keys)
    done(target, switch(target, _LOST, "enable"))


@expected(Need.TWO_ENGINES, relied_on=_USED_BY, sources=(ENABLE, DUAL_REGION), versions=_ALL)
def an_enabled_exporter_begins_where_the_other_stands(target: Target) -> None:
    """`initializeFrom` copies the other exporter's position at that moment: what that one has written is not written again."""
    process = deployed(target)
    done(target, switch(target, _LOST, "disable"))
    missed = create_on_each(target, process).values()
    eventually(lambda: idle(target), target.timing.exported)
    demand(target, "pause")
    eventually(lambda: all_in(target, "PAUSED"), 30)
    held = create_on_each(target, process).values()
    time.sleep(target.timing.bulk_delay + 1)
    before = {partition: each.exported for partition, each in led(target).items()}
    answer = switch(target, _LOST, "enable", _KEPT)
    done(target, answer)
    assert {each["operation"] for each in answer.content["plannedChanges"]} == {
        "PARTITION_ENABLE_EXPORTER"
    }
    # The lowest position of all exporters: that of the new one is not below the other's.
    assert {partition: each.exported for partition, each in led(target).items()} == before
    demand(target, "resume")
    eventually(
        lambda: None if all(map(target.engines[1].documents, held)) else "not exported",
        target.timing.exported,
    )
    assert all(target.engines[0].documents(key) for key in missed)
    assert not any(target.engines[1].documents(key) for key in missed)


@expected(
    Need.KILL,
    relied_on=_USED_BY,
    sources=(PAUSING, DUAL_REGION),
    versions=("8.7", "8.9"),
    changes_members=True,
)
def a_pause_counts_the_replicas_that_there_are_now(target: Target) -> None:
    """After a removal a pause is accepted with the replicas that are left, and refused while one of them is gone."""
    _, kept, surviving = fail_over(target, 1)
    demand(surviving, "pause")
    phases = [
        state["exporterPhase"]
        for broker in kept
        for state in ask("GET", f"{target.brokers[broker]}/actuator/partitions").content.values()
    ]
    assert set(phases) == {"PAUSED"}, phases
    demand(surviving, "resume")
    target.hands.stop(kept[1])
    eventually(lambda: None if refused(order(surviving, "pause")) else "accepted", 30)
    assert order(surviving, "pause").status == 200


@expected(relied_on=_USED_BY, sources=(EXPORTING_STATE, EXPORTING_STATUS), versions=("8.10",))
def the_second_rest_api_pauses_and_says_so(target: Target) -> None:
    """From 8.10 on `POST /v2/exporting/{pause,resume}` answer 204, and `GET /v2/exporting` the status of all replicas."""
    url = f"{target.gateway.rest}/v2/exporting"
    for what, phase in (("pause", "PAUSED"), ("resume", "EXPORTING")):
        answer = ask("POST", f"{url}/{what}")
        assert answer.status == 204, answer
        assert ask("GET", url).content == {"status": phase}
        eventually(lambda p=phase: all_in(target, p), 30)  # type: ignore[misc]


@expected(Need.RESTART, relied_on=_USED_BY, sources=(EXPORTING_STATE,), versions=("8.10",))
def a_pause_is_a_part_of_the_configuration(target: Target) -> None:
    """From 8.10 on a pause is `EXPORTING_STATE_CHANGE` of each broker; it is in the configuration, and outlasts restarts."""
    before = cluster(target)["version"]
    demand(target, "pause")
    after = cluster(target)
    assert after["version"] > before, after
    states = {
        partition["config"]["exporting"]["state"]
        for broker in after["brokers"]
        for partition in broker["partitions"]
    }
    assert states == {"PAUSED"}, states
    target.hands.stop(*target.brokers)
    target.hands.start(*target.brokers)
    eventually(lambda: unready(target), target.timing.patience)
    eventually(lambda: all_in(target, "PAUSED"), 30)
