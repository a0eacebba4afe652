"""In an incident only the incident's changes pass.

The survivor's brokers are the only ones left. An older image (Zeebe cannot be downgraded), another chart, other sizes
or another namespace in the same `up` would be rolled out on all of them, by an old checkout or a stale values file.
"""

from dataclasses import replace
from typing import Any

import pytest

from dualregion.chart.adoption import ChartVersion
from dualregion.chart.values import merge
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.decision.drift import Wanted, drift
from dualregion.procedure import Phase
from dualregion.procedure.topology import Kind
from dualregion.state.held import nodes_of, stack_of
from dualregion.state.progress import Incident, Recorded, Release, Stack
from messages import Message
from messages.decision import drift as messages
from tests.inputs.examples import region, settings
from tests.raising import assert_message

CHART = ChartVersion("camunda-platform", "10.11.3")
BASE: dict[str, Any] = {
    "zeebe": {
        "image": {"tag": "8.5.8"},
        "env": [{"name": "MINE", "value": "1"}],
        "tolerations": [],
        "affinity": None,
    },
    "operate": {"enabled": True},
}
INCIDENT = str(Incident(1, 1))
BUCKET = {"settings": {"bucket": "b"}}
PHASES = ("failover", "failback-pending", "restored")


def found(region_id: int = 0, phase: str = "failover", **changes: Any) -> Settings:
    return settings(region=region_id, phase=phase, lostRegion=1, backup=BUCKET, **changes)


def installed(region_id: int, base: dict[str, Any] = BASE, **changes: Any) -> Stack:
    """Return a stack in phase normal as its state has it after an `up`: numbers are floats, what is empty is gone."""
    name = ("london", "paris")[region_id]
    wanted = desired(settings(region=region_id, **changes), base, Stack()).installations[0]
    return Stack(
        Phase.NORMAL,
        nodes=frozenset({Kind.NORMAL, "N"}),
        region=region_id,
        values={Kind.NORMAL: as_kept(wanted.values)},
        releases={Kind.NORMAL: Release("camunda", f"camunda-{name}", str(CHART))},
        recorded=Recorded("1.0", {"clusterSize": 8, "partitionCount": 8, "replicationFactor": 4}),
    )


def as_kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_kept(each) for key, each in value.items() if each not in (None, [])}
    if isinstance(value, list):
        return [as_kept(each) for each in value]
    return float(value) if type(value) is int else value


LONDON, PARIS = installed(0), installed(1)


def taken_over() -> Stack:
    """Return region 0's stack after the failover."""
    wanted = desired(found(), BASE, PARIS, LONDON)
    return replace(
        LONDON,
        phase=Phase.FAILOVER,
        lost_region=1,
        nodes=frozenset({"normal", "failover", "F1", "F2", "F3"}),
        gates=dict.fromkeys(("F1", "F2", "F3"), INCIDENT),
        values={each.name: as_kept(each.values) for each in wanted.installations},
        releases={
            **LONDON.releases,
            Kind.FAILOVER: Release("camunda", "camunda-london-failover", str(CHART)),
        },
    )


def seen(
    wanted: Settings,
    base: dict[str, Any] = BASE,
    *,
    own: Stack = LONDON,
    peer: Stack = PARIS,
    chart: ChartVersion = CHART,
    program: str = "1.0",
) -> list[Message]:
    topology = desired(wanted, base, peer, own)
    return drift(Wanted(wanted, topology, chart, program), own, peer)


@pytest.mark.parametrize("own", [LONDON, taken_over()], ids=["before", "after"])
def test_the_procedures_own_changes_pass(own: Stack) -> None:
    assert seen(found(), own=own) == []


@pytest.mark.parametrize("phase", PHASES[1:])
def test_they_pass_in_a_failback(phase: str) -> None:
    assert seen(found(0, phase), own=taken_over()) == []


@pytest.mark.parametrize(
    ("change", "path", "running"),
    [
        ({"zeebe": {"image": {"tag": "8.5.7"}}}, "zeebe.image.tag", "'8.5.8'"),
        (
            {"zeebe": {"resources": {"limits": {"cpu": 1}}}},
            "zeebe.resources.limits.cpu",
            "nothing",
        ),
        ({"zeebe": {"env": [{"name": "MINE", "value": "2"}]}}, "zeebe.env[MINE]", "'1'"),
        (
            {"elasticsearch": {"master": {"replicaCount": 3}}},
            "elasticsearch.master.replicaCount",
            "nothing",
        ),
        ({"global": {"image": {"tag": "8.6.0"}}}, "global.image.tag", "nothing"),
    ],
)
@pytest.mark.parametrize(
    ("phase", "own"), [("failover", LONDON), *((each, taken_over()) for each in PHASES)]
)
def test_every_other_change_of_values_is_named_with_the_way_to_take_it(
    change: dict[str, Any], path: str, running: str, phase: str, own: Stack
) -> None:
    problems = seen(found(0, phase), merge(BASE, change), own=own)
    assert problems
    for problem in problems:
        assert_message(problem, "values-changed")
        assert_message(problem.facts["difference"], "value-differs", path=path, running=running)
        assert_message(
            problem.facts["remedy"],
            "put-it-back-until-the-failback-is-done",
            phase=phase,
            change="values",
        )
    allowed = found(0, phase, allowChanges=["values"])
    assert seen(allowed, merge(BASE, change), own=own) == []


def test_in_phase_normal_values_chart_and_program_change_as_they_like() -> None:
    change = merge(BASE, {"zeebe": {"image": {"tag": "8.5.9"}}})
    newer = ChartVersion("camunda-platform", "10.12.0")
    assert seen(settings(), change, chart=newer, program="2.0") == []


def test_another_chart_and_another_program_are_refused_in_an_incident() -> None:
    newer = ChartVersion("camunda-platform", "10.12.0")
    (chart,) = seen(found(), chart=newer)
    assert_message(
        chart,
        "chart-changed",
        wanted="camunda-platform 10.12.0",
        installed="camunda-platform 10.11.3",
    )
    mine, theirs = seen(found(), program="2.0")
    assert_message(mine, "program-changed", version="2.0", stack=None, last="1.0")
    assert_message(theirs, "program-changed", version="2.0", stack="region1", last="1.0")
    assert seen(found(allowChanges=["chart", "program"]), chart=newer, program="2.0") == []
    (left,) = seen(found(allowChanges=["program"]), chart=newer, program="2.0")
    assert_message(left, "chart-changed")


@pytest.mark.parametrize("phase", ["normal", "failover"])
def test_sizes_stay_once_the_regions_have_worked_together(phase: str) -> None:
    wanted = found(0, phase, clusterSize=12)
    first, second = seen(wanted)
    assert_message(first, "size-changed", setting="clusterSize", wanted=12, installed=8, stack=None)
    assert_message(second, "size-changed", stack="region1")
    remedy = "put-it-back" if phase == "normal" else "put-it-back-until-the-failback-is-done"
    assert_message(first.facts["remedy"], remedy, change="sizes")
    emptied = replace(LONDON, nodes=frozenset(), values={}, releases={})
    assert len(seen(settings(clusterSize=12), own=emptied)) == 2, "outputs remember them, too"


def test_sizes_and_namespaces_may_change_before_they_have() -> None:
    alone = replace(LONDON, nodes=frozenset({Kind.NORMAL}))
    elsewhere = [region(0, namespace="other"), region(1)]
    wanted = settings(clusterSize=12, regions=elsewhere)
    assert seen(wanted, own=alone, peer=Stack()) == []


def test_the_second_region_is_installed_as_the_first_one_is() -> None:
    """Its brokers would not find the others, or not agree with them, and N be waited for in vain."""
    first = replace(LONDON, nodes=frozenset({Kind.NORMAL}))
    (size,) = seen(settings(region=1, clusterSize=12), own=Stack(), peer=first)
    assert_message(size, "size-changed", wanted=12, installed=8, stack="region0")
    elsewhere = [region(0, namespace="x"), region(1)]
    (moved,) = seen(settings(region=1, regions=elsewhere), own=Stack(), peer=first)
    assert_message(moved, "namespace-changed", setting="namespace", name="london", wanted="x")
    assert seen(settings(region=1), own=Stack(), peer=first) == []
    assert seen(settings(), own=Stack(), peer=Stack()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"regions": [region(0, namespace="x"), region(1)]},
            messages.namespace_changed("namespace", "london", "x", "camunda-london"),
        ),
        (
            {"regions": [region(0), region(1, namespace="x")]},
            messages.namespace_changed("namespace", "paris", "x", "camunda-paris"),
        ),
        ({"release": "c8"}, messages.release_changed("c8", "camunda")),
    ],
)
@pytest.mark.parametrize("phase", ["normal", "failover"])
def test_what_is_installed_is_not_installed_beside_itself(
    changes: dict[str, Any], expected: Message, phase: str
) -> None:
    wanted = found(0, phase, allowChanges=["values", "sizes", "chart", "program"], **changes)
    assert expected in seen(wanted)


def test_another_failover_namespace_counts_once_it_is_in_use() -> None:
    regions = [region(0, failoverNamespace="other"), region(1)]
    assert seen(found(regions=regions)) == []
    problems = seen(found(regions=regions), own=taken_over())
    assert (
        messages.namespace_changed(
            "failoverNamespace", "london", "other", "camunda-london-failover"
        )
        in problems
    )


def test_recreated_brokers_have_the_survivors_image_and_chart() -> None:
    """They join its cluster, and there is nothing of their own to compare with."""
    survivor = replace(
        taken_over(),
        gates={**taken_over().gates, "B0": INCIDENT},
        nodes=taken_over().nodes | {"B0"},
    )
    empty = Stack(Phase.FAILOVER, lost_region=1, region=1)
    wanted = found(1, "failback-pending")
    assert seen(wanted, own=empty, peer=survivor) == []
    older = merge(BASE, {"zeebe": {"image": {"tag": "8.5.7"}}})
    (image,) = seen(wanted, older, own=empty, peer=survivor)
    assert_message(image, "image-differs", namespace="camunda-paris")
    chart = ChartVersion("camunda-platform", "10.12.0")
    (other,) = seen(wanted, own=empty, peer=survivor, chart=chart)
    assert_message(other, "chart-changed", wanted="camunda-platform 10.12.0")


def ran(stack: Stack, version: str | None) -> Stack:
    return replace(stack, recorded=replace(stack.recorded, camunda=version))


@pytest.mark.parametrize("phase", PHASES)
def test_the_version_is_the_survivors_until_the_failback_is_done(phase: str) -> None:
    """Its steps are those of that version's procedure: nothing allows another one."""
    wanted = found(phase=phase, allowChanges=["chart", "values", "program", "sizes"])
    assert seen(wanted, own=ran(taken_over(), "8.5"), peer=ran(PARIS, "8.4")) == []
    assert seen(wanted, own=ran(taken_over(), None)) == []
    (other,) = seen(wanted, own=ran(taken_over(), "8.6"))
    assert_message(other, "version-changed", wanted="8.5", installed="8.6", stack=None)


def test_the_recreated_region_has_the_survivors_version() -> None:
    wanted = found(1, "failback-pending", allowChanges=["chart", "values"])
    own, peer = ran(PARIS, "8.4"), taken_over()
    assert seen(wanted, own=own, peer=ran(peer, "8.5")) == []
    (other,) = seen(wanted, own=own, peer=ran(peer, "8.6"))
    assert_message(other, "version-changed", wanted="8.5", installed="8.6", stack="region0")


def test_in_phase_normal_one_stack_is_upgraded_after_the_other() -> None:
    assert seen(settings(region=0), own=ran(LONDON, "8.4"), peer=ran(PARIS, "8.4")) == []


def test_sizes_are_known_from_the_outputs_where_the_values_have_them_elsewhere() -> None:
    """From 8.8 on they stand under `orchestration`: an upgrade is no time to forget them."""
    values = {"orchestration": LONDON.values[Kind.NORMAL]["zeebe"]}
    upgraded = replace(LONDON, values={Kind.NORMAL: values})
    (size,) = seen(settings(region=0, clusterSize=12), own=upgraded, peer=Stack())
    assert_message(size, "size-changed", setting="clusterSize", installed=8)


def test_a_region_that_is_cleaned_has_nothing_to_compare() -> None:
    wanted = found(1, allowChanges=["program"])
    newer = ChartVersion("camunda-platform", "10.12.0")
    change = merge(BASE, {"zeebe": {"image": {"tag": "8.5.7"}}})
    assert seen(wanted, change, own=PARIS, peer=taken_over(), chart=newer) == []


def test_what_the_state_tells_is_read() -> None:
    urn = "urn:pulumi:region0::p::dualregion:index:Camunda$kubernetes:helm.sh/v3:Release::normal"
    made = {
        "name": "camunda",
        "namespace": "camunda-london",
        "status": {"chart": "camunda-platform", "version": "10.11.3"},
        "__inputs": {"values": {"zeebe": {"clusterSize": 8.0}}},
    }
    outputs = {"phase": "normal", "region": 0, "programVersion": "1.0", "sizes": {"clusterSize": 8}}
    outputs["camundaVersion"] = "8.6"
    stack = stack_of(outputs, nodes_of({urn: made}))
    assert stack.releases == {
        "normal": Release("camunda", "camunda-london", "camunda-platform 10.11.3")
    }
    assert stack.recorded == Recorded("1.0", {"clusterSize": 8}, "8.6")
    assert stack_of({}, nodes_of({urn: {}})).releases == {}
