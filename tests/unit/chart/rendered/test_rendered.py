"""What the chart renders is held against what the program addresses.

The stand-in chart renders what users' values may rename or move, and each is found by what comes out, not by
the key that did it. What no value of the stand-in does is tried on its objects, changed here.
"""

import copy
import itertools
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clients import charts
from clients.files import read_values
from dualregion import procedure
from dualregion.chart import rendered
from dualregion.chart.installations import Bases
from dualregion.chart.values import contact_points, merge
from dualregion.config.chart_findings import Code, Finding
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired
from dualregion.errors import ConfigError
from dualregion.procedure.topology import Installation, Kind
from dualregion.state.progress import Stack
from messages import Message
from messages.chart import rendered as messages
from steps.releases.rendering import ADDRESSED
from tests.inputs.examples import settings, with_cidrs
from tests.raising import assert_message
from tests.unit.chart.test_chart import CHART, helm

Objects = list[dict[str, Any]]
Rendered = dict[str, tuple[Installation, Objects]]
LOOKED_AT = ("normal", "failover installation", "survivor in B4", "recreated in B1")
"""One release of each kind: the others differ in the exporters only."""


@pytest.fixture(autouse=True)
def with_helm(without_helm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del without_helm
    monkeypatch.setattr(charts, "helm", helm)


@cache
def given() -> Settings:
    return settings(regions=with_cidrs())


def render(extra: Mapping[str, Any], of_failover: Mapping[str, Any] | None = None) -> Rendered:
    base = merge(read_values((), Path()), extra)
    found = rendered.releases(given(), Bases.of(base, of_failover))
    return {
        stage: (found[stage], charts.render(CHART, "camunda", found[stage], ""))
        for stage in LOOKED_AT
    }


@cache
def well() -> Rendered:
    return render({})


def found_in(made: Rendered) -> list[Finding]:
    return rendered.findings(given(), made, ADDRESSED)


def test_with_the_reference_values_nothing_is_found() -> None:
    assert found_in(well()) == []


@pytest.mark.parametrize(
    ("extra", "codes", "expected"),
    [
        pytest.param(
            {"elasticsearch": {"nameOverride": "es"}},
            {Code.NAME, Code.EXTRA},
            messages.not_rendered(
                kind="StatefulSet",
                name="camunda-elasticsearch-master",
                others=["camunda-es-master", "camunda-zeebe"],
            ),
            id="an engine by another name",
        ),
        pytest.param(
            {"elasticsearch": {"fullnameOverride": "search"}},
            {Code.NAME},
            messages.not_rendered(
                kind="StatefulSet",
                name="camunda-elasticsearch-master",
                others=["camunda-zeebe", "search-master"],
            ),
            id="an engine by another full name",
        ),
        pytest.param(
            {"elasticsearch": {"enabled": False}},
            {Code.NAME},
            messages.not_rendered(
                kind="StatefulSet", name="camunda-elasticsearch-master", others=["camunda-zeebe"]
            ),
            id="an engine outside the chart",
        ),
        pytest.param(
            {"elasticsearch": {"containerPorts": {"restAPI": 9201}}},
            {Code.PORT},
            messages.ports_missing(what="Service camunda-elasticsearch-master-hl", ports=[9200]),
            id="an engine at another port",
        ),
        pytest.param(
            {"global": {"zeebeClusterName": "orders"}},
            {Code.NAME, Code.EXTRA},
            messages.not_rendered(
                kind="StatefulSet",
                name="camunda-zeebe",
                others=["camunda-elasticsearch-master", "orders"],
            ),
            id="brokers by another name",
        ),
        pytest.param(
            {"zeebeGateway": {"contextPath": "/zeebe"}},
            {Code.PATH},
            messages.below_other_path(
                workload="Deployment camunda-zeebe-gateway",
                path="/zeebe",
                key="spring.webflux.base-path",
            ),
            id="a gateway below another path",
        ),
        pytest.param(
            {"zeebeGateway": {"service": {"restPort": 8081}}},
            {Code.PORT},
            messages.ports_missing(what="Service camunda-zeebe-gateway", ports=[8080]),
            id="a gateway at another port",
        ),
        pytest.param(
            {"zeebe": {"contextPath": "/zeebe"}},
            {Code.PATH},
            messages.actuator_moved(
                workload="StatefulSet camunda-zeebe",
                probe="readinessProbe",
                path="/zeebe/actuator/health/readiness",
                wanted="/actuator",
            ),
            id="brokers below another path",
        ),
        pytest.param(
            {"zeebe": {"service": {"httpPort": 9601}}},
            {Code.PORT},
            messages.ports_missing(what="StatefulSet camunda-zeebe", ports=[9600]),
            id="brokers at another port",
        ),
        pytest.param(
            {"operate": {"fullnameOverride": "operate"}},
            {Code.NAME},
            messages.not_rendered(
                kind="Deployment",
                name="camunda-operate",
                others=["camunda-tasklist", "camunda-zeebe-gateway", "operate"],
            ),
            id="Operate by another name",
        ),
        pytest.param(
            {"tasklist": {"nameOverride": "tasks"}},
            {Code.NAME},
            messages.not_rendered(
                kind="Deployment",
                name="camunda-tasklist",
                others=["camunda-operate", "camunda-tasks", "camunda-zeebe-gateway"],
            ),
            id="Tasklist by another name",
        ),
        pytest.param(
            {"global": {"elasticsearch": {"disableExporter": False}}},
            {Code.EXPORTER},
            messages.exporter_unknown(exporter="elasticsearch"),
            id="the chart's own exporter",
        ),
        pytest.param(
            {"zeebe": {"configuration": "zeebe: {broker: {exporters: {kafka: {className: k}}}}"}},
            {Code.EXPORTER},
            messages.exporter_unknown(exporter="kafka"),
            id="an exporter in the configuration",
        ),
        pytest.param(
            {"zeebe": {"livenessProbe": {"enabled": True}, "startupProbe": {"enabled": True}}},
            {Code.PROBE},
            messages.probes_restart_sleepers(
                workload="StatefulSet camunda-zeebe", probes=["livenessProbe", "startupProbe"]
            ),
            id="probes that restart sleeping brokers",
        ),
        pytest.param(
            {"zeebe": {"persistenceType": "memory"}},
            {Code.STORAGE},
            messages.claims_missing(workload="StatefulSet camunda-zeebe"),
            id="brokers that keep nothing",
        ),
        pytest.param(
            {"zeebe": {"podLabels": {"app.kubernetes.io/component": "broker"}}},
            {Code.LABEL},
            messages.labels_missing(
                workload="StatefulSet camunda-zeebe",
                labels=["app.kubernetes.io/component=zeebe-broker"],
            ),
            id="brokers by other labels",
        ),
        pytest.param(
            {"operate": {"podLabels": {"app.kubernetes.io/component": "zeebe-broker"}}},
            {Code.LABEL},
            messages.labels_shared(
                workload="StatefulSet camunda-zeebe", other="Deployment camunda-operate"
            ),
            id="brokers' labels elsewhere",
        ),
        pytest.param(
            {"elasticsearch": {"master": {"networkPolicy": {"enabled": True}}}},
            {Code.POLICY},
            messages.policy_opens(policy="camunda-elasticsearch-master"),
            id="a policy that opens the engine",
        ),
    ],
)
def test_what_values_rename_or_move_is_found(
    extra: dict[str, Any], codes: set[Code], expected: Message
) -> None:
    found = found_in(render(extra))
    assert {each.code for each in found} == codes, found
    assert expected in [each.sentence for each in found]


def test_what_the_failover_installation_would_run_a_third_time_is_found() -> None:
    """Off by default there, and on by `failoverValues` only."""
    connectors = {"connectors": {"enabled": True, "inbound": {"mode": "disabled"}}}
    assert found_in(render(connectors)) == []
    found = found_in(render(connectors, connectors))
    assert {each.code for each in found} == {Code.EXTRA}
    assert found[0].sentence == messages.runs_twice("Deployment camunda-connectors")


def test_the_combined_ingress_is_not_rendered_where_it_would_have_no_paths() -> None:
    extra = {
        "global": {"ingress": {"enabled": True, "host": "h"}},
        "operate": {"contextPath": "/operate"},
        "tasklist": {"contextPath": "/tasklist"},
    }
    made = render(extra)
    kinds = [{each["kind"] for each in objects} for _, objects in made.values()]
    assert found_in(made) == []
    assert {"Ingress" in each for each in kinds} == {True, False}


def test_an_ingress_without_paths_is_found_whatever_renders_it() -> None:
    pathless = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "mine"},
        "spec": {"rules": [{"host": "h", "http": {}}]},
    }
    made = {stage: (spec, [*objects, pathless]) for stage, (spec, objects) in well().items()}
    found = found_in(made)
    assert Code.INGRESS in {each.code for each in found}
    assert messages.ingress_without_paths("mine") in [each.sentence for each in found]


def test_an_ingress_of_a_component_is_no_finding_and_an_engine_account_neither() -> None:
    extra = {
        "global": {"ingress": {"enabled": True}},
        "zeebeGateway": {"contextPath": "/"},
        "elasticsearch": {"master": {"serviceAccount": {"name": "elasticsearch-snapshots"}}},
    }
    assert found_in(render(extra)) == []


def test_a_finding_names_the_releases_that_it_is_in_unless_it_is_in_all() -> None:
    (found,) = found_in(render({"operate": {"fullnameOverride": "operate"}}))
    assert found.stages == ("normal",)
    assert_message(found.sentence, "not-rendered", name="camunda-operate")
    assert found.message == messages.chart_finding("name", found.sentence, ("normal",))
    (everywhere,) = found_in(render({"zeebeGateway": {"service": {"restPort": 8081}}}))
    assert everywhere.stages == ()


def brokers(objects: Objects) -> dict[str, Any]:
    return next(
        each
        for each in objects
        if each["kind"] == "StatefulSet" and each["metadata"]["name"] == "camunda-zeebe"
    )


def zeebe(objects: Objects) -> dict[str, Any]:
    (container,) = brokers(objects)["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def environment(name: str, value: Any) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        zeebe(objects)["env"].append({"name": name, **value})

    return change


@pytest.mark.parametrize(
    ("change", "code", "expected"),
    [
        pytest.param(
            environment("ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS", {"value": "x:26502"}),
            Code.ENVIRONMENT,
            messages.environment_differs(
                workload="StatefulSet camunda-zeebe",
                name="ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS",
                found="x:26502",
                wanted=contact_points(given()),
            ),
            id="a later entry counts",
        ),
        pytest.param(
            environment(
                "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL",
                {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ),
            Code.ENVIRONMENT,
            messages.environment_differs(
                workload="StatefulSet camunda-zeebe",
                name="ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL",
                found='from {"secretKeyRef": {"key": "k", "name": "s"}}',
                wanted="http://camunda-elasticsearch-master-hl.camunda-paris.svc.cluster.local:9200",
            ),
            id="an address from elsewhere",
        ),
        pytest.param(
            environment("ZEEBE_BROKER_EXPORTERS_AUDIT_CLASSNAME", {"value": "x.Audit"}),
            Code.EXPORTER,
            messages.exporter_unknown(exporter="audit"),
            id="a third exporter",
        ),
        pytest.param(
            lambda objects: brokers(objects)["spec"].update(replicas=3),
            Code.REPLICAS,
            messages.broker_count_differs(workload="StatefulSet camunda-zeebe", found=3, wanted=4),
            id="another count",
        ),
        pytest.param(
            lambda objects: zeebe(objects).update(name="broker"),
            Code.NAME,
            messages.container_missing(workload="StatefulSet camunda-zeebe", container="zeebe"),
            id="another container",
        ),
        pytest.param(
            lambda objects: brokers(objects)["spec"].update(serviceName="other"),
            Code.NAME,
            messages.pods_named_elsewhere(
                workload="StatefulSet camunda-zeebe", service="other", wanted="camunda-zeebe"
            ),
            id="pods' names elsewhere",
        ),
        pytest.param(
            lambda objects: objects.remove(
                next(
                    each
                    for each in objects
                    if (each["kind"], each["metadata"]["name"]) == ("Service", "camunda-zeebe")
                )
            ),
            Code.NAME,
            messages.not_rendered(
                kind="Service",
                name="camunda-zeebe",
                others=[
                    "camunda-elasticsearch",
                    "camunda-elasticsearch-master-hl",
                    "camunda-operate",
                    "camunda-tasklist",
                    "camunda-zeebe-gateway",
                ],
            ),
            id="no Service",
        ),
    ],
)
def test_what_is_otherwise_in_the_objects_is_found(
    change: Callable[[Objects], None], code: Code, expected: Message
) -> None:
    spec, objects = well()["normal"]
    changed = copy.deepcopy(objects)
    change(changed)
    found = found_in({"normal": (spec, changed)})
    assert [(each.code, each.sentence) for each in found] == [(code, expected)]


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ({"kind": "ClusterRole", "metadata": {"name": "mine"}}, True),
        ({"kind": "ConfigMap", "metadata": {"name": "mine", "namespace": "camunda-london"}}, True),
        ({"kind": "ConfigMap", "metadata": {"name": "mine"}}, False),
    ],
)
def test_what_both_releases_of_a_region_would_own_is_found(
    more: dict[str, Any], is_found: bool
) -> None:
    made = {
        stage: (spec, [*objects, {"apiVersion": "v1", **more}])
        for stage, (spec, objects) in well().items()
    }
    assert (Code.SCOPE in {each.code for each in found_in(made)}) is is_found


@pytest.mark.parametrize(
    ("spec", "opens"),
    [
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, True),
        ({"egress": [{"to": [{"ipBlock": {"cidr": "10.181.3.0/24"}}]}]}, True),
        ({"ingress": [{}]}, True),
        (
            {
                "ingress": [
                    {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.181.0.0/16"]}}]}
                ]
            },
            False,
        ),
        ({"ingress": [{"from": [{"podSelector": {}}]}], "egress": []}, False),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.180.0.0/16"}}]}]}, False),
    ],
)
def test_a_policy_opens_what_the_isolation_closes_or_not(spec: dict[str, Any], opens: bool) -> None:
    found, objects = well()["normal"]
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "mine"}, "spec": spec}
    codes = [each.code for each in found_in({"normal": (found, [*objects, policy])})]
    assert codes == ([Code.POLICY] if opens else [])


def _stacks(region: int, lost: int, phase: procedure.Phase) -> list[Stack]:
    """Return what a stack may hold on its way through an incident, step by step."""
    incident = f"1-region{lost}-lost"
    steps = list(procedure.CAMUNDA_8_5.steps_by_id)
    found = [Stack(), Stack(nodes=frozenset({"normal"}), region=region)]
    for count in range(1, len(steps) + 1):
        for kinds in ({"normal"}, {"normal", "failover"}):
            done = steps[:count]
            gates = {step: "none" if step == "N" else incident for step in done}
            for reached in {phase, procedure.Phase.FAILOVER}:
                found.append(Stack(reached, lost, frozenset({*kinds, *done}), region, gates))
    return found


@pytest.mark.parametrize(("region", "lost"), list(itertools.product((0, 1), (0, 1))))
def test_every_release_that_is_ever_declared_is_looked_at(region: int, lost: int) -> None:
    base: dict[str, Any] = {"operate": {"enabled": True}}
    seen: set[str] = set()
    for phase in procedure.Phase:
        found = settings(
            region=region, phase=phase.value, lostRegion=lost, backup={"settings": {"bucket": "b"}}
        )
        known = [each.values for each in rendered.releases(found, Bases.of(base)).values()]
        stacks = (_stacks(each, lost, phase) for each in (region, 1 - region))
        for own, peer in itertools.product(*stacks):
            try:
                topology = desired(found, base, peer, own)
            except ConfigError:
                continue
            for each in topology.installations:
                assert each.values in known, (phase, own, peer)
                seen.add(f"{each.kind}{each.values['global']['multiregion']['installationType']}")
    assert "normal" in seen
    assert (f"{Kind.FAILOVER}failOver" in seen) is (region != lost)
    assert ("normalfailBack" in seen) is (region == lost)
