"""Values that break the procedure are refused when they are read, not found by full disks or in an incident.

Each input is the smallest of its kind; most come from reports of real installations.
"""

from typing import Any

import pytest
import yaml

from clients.charts import defaults_of
from clients.files import REFERENCE_VALUES, read_values
from dualregion.chart.demands import DEMANDS, conflicts, demand_rows
from dualregion.chart.values import (
    contact_points,
    exporter_urls,
    merge_all,
)
from dualregion.config.settings import Settings
from dualregion.iam import with_role
from dualregion.procedure.versions import VERSIONS
from messages import Message
from messages.chart import values as messages
from sandbox.versions import shape_of
from tests.checkout import CHECKOUT
from tests.inputs.examples import settings, storage, with_cidrs, with_roles
from tests.raising import assert_message

REFERENCE: dict[str, Any] = yaml.safe_load(REFERENCE_VALUES.read_text())
ISOLATING = settings(isolation=None, regions=with_cidrs())


def at(path: str, value: Any) -> dict[str, Any]:
    """Return values that give this one."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def told(*overlays: dict[str, Any], found: Settings = ISOLATING) -> list[Message]:
    return conflicts(merge_all([REFERENCE, *overlays]), found)


def env(*entries: dict[str, Any], of: str = "zeebe") -> dict[str, Any]:
    return {of: {"env": [*REFERENCE.get(of, {}).get("env", []), *entries]}}


def variable(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


def test_the_reference_values_do() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # B16: the chart's own exporter left on.
        ("global.elasticsearch.disableExporter", False),
        ("global.elasticsearch.disableExporter", None),
        # B03: an engine of one's own.
        ("global.elasticsearch.external", True),
        ("global.elasticsearch.url", {"protocol": "https", "host": "es", "port": 9243}),
        ("global.elasticsearch.url.host", "es.example.com"),
        ("global.elasticsearch.enabled", False),
        ("global.elasticsearch.tls.enabled", True),
        ("global.elasticsearch.auth.username", "elastic"),
        ("global.opensearch.enabled", True),
        ("elasticsearch.enabled", False),
        ("elasticsearch.enabled", None),
        ("elasticsearch.security.enabled", True),
        # A text is true for a template, whatever it says.
        ("elasticsearch.security.enabled", "false"),
        # B11: what moves names, ports and paths.
        ("zeebeGateway.contextPath", "/zeebe"),
        ("zeebe-gateway.contextPath", "/zeebe"),
        ("zeebeGateway.service.restPort", 8081),
        ("zeebe-gateway.service.httpPort", 80),
        ("zeebeGateway.service.grpcPort", "{{ .Values.port }}"),
        ("zeebe.service.internalPort", 26602),
        ("zeebe.service.httpPort", 9601),
        ("global.zeebeClusterName", "zeebe"),
        ("elasticsearch.nameOverride", "es"),
        ("elasticsearch.fullnameOverride", "search"),
        ("elasticsearch.master.servicenameOverride", "search"),
        ("elasticsearch.master.fullnameOverride", "{{ .Release.Name }}-x"),
        ("elasticsearch.containerPorts.restAPI", 9201),
        ("elasticsearch.clusterDomain", "corp.example"),
        ("operate.fullnameOverride", "operate"),
        ("tasklist.nameOverride", "tasks"),
        # What restarts, empties or wakes brokers.
        ("zeebe.persistenceType", "memory"),
        ("zeebe.persistenceType", "local"),
        ("zeebe.livenessProbe.enabled", True),
        ("zeebe.startupProbe.enabled", True),
        ("zeebe.readinessProbe.enabled", False),
        ("zeebe.command", ["/bin/zeebe"]),
        ("zeebe.enabled", False),
        # What writes to the engine besides, or asks for credentials.
        ("optimize.enabled", True),
        ("global.identity.auth.enabled", True),
        # The engine's own policy, which adds up with the isolation.
        ("elasticsearch.master.networkPolicy.enabled", True),
        # The overlay of a failover among the values of all phases.
        ("global.multiregion.installationType", "failOver"),
        ("global.multiregion.regions", 3),
    ],
)
def test_a_value_that_breaks_the_procedure_is_named_with_what_it_must_be_and_why(
    path: str, value: Any
) -> None:
    problems = told(at(path, value))
    assert problems
    for problem in problems:
        assert_message(problem, "value-refused", setting="values")
        assert problem.facts["path"].startswith(path)
        assert problem.facts["reason"]


@pytest.mark.parametrize(
    "path",
    [
        "global.elasticsearch.disableExporter",
        "global.identity.auth.enabled",
        "optimize.enabled",
        "elasticsearch.master.networkPolicy.enabled",
    ],
)
def test_a_default_of_the_chart_that_breaks_it_is_told_where_nothing_is_given(path: str) -> None:
    base = merge_all([REFERENCE])
    *above, last = path.split(".")
    inner = base
    for key in above:
        inner = inner[key]
    del inner[last]
    (problem,) = conflicts(base, ISOLATING)
    assert_message(problem, "default-refused", setting="values", path=path)


def test_the_defaults_of_a_chart_that_can_be_read_count() -> None:
    """A chart of one's own may leave the exporter off, or switch a probe on."""
    own = merge_all(
        [
            at("global", {"elasticsearch": {"disableExporter": True}}),
            at("zeebe.livenessProbe.enabled", True),
        ]
    )
    told_by = conflicts({}, settings(), own)
    defaults = {each.facts["path"]: each.facts["default"] for each in told_by}
    assert "global.elasticsearch.disableExporter" not in defaults
    assert defaults["zeebe.livenessProbe.enabled"] == "true"
    stand_in = defaults_of(
        settings(chart={"name": "sandbox/charts/camunda-platform"}).chart, CHECKOUT
    )
    assert stand_in == {}
    stand_in = defaults_of(
        settings(chart={"name": "./sandbox/charts/camunda-platform"}).chart, CHECKOUT
    )
    assert conflicts(REFERENCE, ISOLATING, stand_in) == []
    assert len(conflicts({}, ISOLATING, stand_in)) == 4


def test_own_values_that_leave_everything_out_are_told_all_at_once() -> None:
    assert len(conflicts({}, ISOLATING)) == 4
    own_isolation = settings()
    assert len(conflicts({}, own_isolation)) == 3, "the engine's policy cuts nothing of ours then"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("global.elasticsearch.disableExporter", "true"),
        ("global.elasticsearch.url.host", "{{ .Release.Name }}-elasticsearch"),
        ("global.elasticsearch.url.host", "camunda-elasticsearch"),
        ("global.elasticsearch.url.port", "9200"),
        ("global.zeebeClusterName", "{{.Release.Name}}-zeebe"),
        ("zeebe.service.httpPort", 9600.0),
        ("zeebe.command", []),
        ("zeebeGateway.contextPath", ""),
        ("elasticsearch.security.enabled", None),
        ("operate.fullnameOverride", None),
        ("global.multiregion.installationType", "normal"),
        ("global.multiregion.installationType", "PLACEHOLDER"),
        ("global.multiregion.regionId", "0"),
        ("elasticsearch.master.replicaCount", 3),
        ("connectors.enabled", True),
    ],
)
def test_what_says_the_same_as_the_chart_does(path: str, value: Any) -> None:
    assert told(at(path, value)) == []


def test_the_values_file_of_the_other_region_is_refused() -> None:
    (problem,) = told(at("global.multiregion.regionId", 1))
    assert_message(problem, "values-of-other-region", given="1", region=0)


@pytest.mark.parametrize(
    ("component", "entry"),
    [
        ("zeebe", variable("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_SCHEME", "FIXED")),
        (
            "zeebe",
            variable("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_FIXED_0_PARTITIONID", "1"),
        ),
        ("zeebe", variable("ZEEBE_BROKER_CLUSTER_CLUSTERSIZE", "3")),
        ("zeebe", variable("ZEEBE_BROKER_CLUSTER_NODEID", "0")),
        ("zeebe", variable("ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT", "1")),
        ("zeebe", variable("SERVER_PORT", "80")),
        ("zeebe", {"name": "SERVER_PORT", "valueFrom": {"configMapKeyRef": {"name": "x"}}}),
        ("zeebeGateway", variable("ZEEBE_GATEWAY_SECURITY_AUTHENTICATION_MODE", "identity")),
        ("zeebeGateway", variable("MANAGEMENT_ENDPOINTS_WEB_BASEPATH", "/x")),
        ("zeebe-gateway", variable("SERVER_SSL_ENABLED", "true")),
        ("zeebe", variable("zeebe.broker.cluster.node-id", "0")),
        ("zeebeGateway", variable("SERVER_SERVLET_CONTEXT_PATH", "/x")),
    ],
)
def test_a_variable_that_overrides_the_chart_is_refused(
    component: str, entry: dict[str, Any]
) -> None:
    (problem,) = told(env(entry, of=component))
    assert_message(problem, "variable-not-allowed", component=component, name=entry["name"])


@pytest.mark.parametrize(
    ("component", "entry"),
    [
        ("zeebe", variable("ZEEBE_BROKER_EXPERIMENTAL_PARTITIONING_SCHEME", "ROUND_ROBIN")),
        ("zeebe", variable("ZEEBE_BROKER_EXPORTERS_KAFKA_CLASSNAME", "io.zeebe.KafkaExporter")),
        ("zeebe", {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}),
        ("zeebeGateway", variable("ZEEBE_GATEWAY_SECURITY_AUTHENTICATION_MODE", "none")),
    ],
)
def test_other_variables_are_the_users(component: str, entry: dict[str, Any]) -> None:
    assert told(env(entry, of=component)) == []


@pytest.mark.parametrize(
    "value",
    [
        "io.camunda.zeebe.exporter.ElasticsearchExporter",
        "io.camunda.zeebe.exporter.opensearch.OpensearchExporter",
        "{{ .Values.x }}",
    ],
)
def test_a_third_exporter_to_a_search_engine_is_refused(value: str) -> None:
    (problem,) = told(env(variable("ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH_CLASSNAME", value)))
    name = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH_CLASSNAME"
    assert_message(problem, "third-exporter", name=name, given=repr(value))


@pytest.mark.parametrize("argument", ["ARGS_INDEX_PREFIX", "ARGS_BULK_DELAY"])
@pytest.mark.parametrize(
    "entry",
    [
        {"value": "{{ .Values.global.elasticsearch.prefix }}"},
        {"value": "$(PREFIX)"},
        {"valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}},
    ],
)
def test_what_the_failback_reads_is_a_plain_value(argument: str, entry: dict[str, Any]) -> None:
    """B14: `str(None)` became a prefix, and web apps were down for a deadline."""
    both = [
        {"name": VERSIONS["8.5"].exporter.variable(region, argument), **entry} for region in (0, 1)
    ]
    problems = told(env(*both))
    assert [(each.code, each.facts["name"]) for each in problems] == [
        ("variable-not-plain", each["name"]) for each in both
    ]


def test_a_delay_that_is_no_number_is_refused() -> None:
    (problem,) = told(env(variable(VERSIONS["8.5"].exporter.variable(0, "ARGS_BULK_DELAY"), "5s")))
    assert_message(problem, "delay-not-in-seconds", given="'5s'")


@pytest.mark.parametrize("given", ["²", "٣", "1" * 5000, "-1", "5.0", "", " 5"])
def test_a_delay_that_the_failback_could_not_read_is_refused(given: str) -> None:
    (problem,) = told(env(variable(VERSIONS["8.5"].exporter.variable(1, "ARGS_BULK_DELAY"), given)))
    assert_message(problem, "delay-not-in-seconds", given=repr(given))


@pytest.mark.parametrize("region", [0, 1])
@pytest.mark.parametrize(
    ("delay", "deadline", "enough"),
    [("5000", 900, 20000), ("226", 900, 904), ("999999999", 604800, 3999999996), ("6", 20, 24)],
)
def test_a_delay_that_b2_would_wait_for_too_long_is_refused(
    region: int, delay: str, deadline: int, enough: int
) -> None:
    """Milliseconds for seconds: B2 waited in vain, with exporters paused, until its deadline."""
    name = VERSIONS["8.5"].exporter.variable(region, "ARGS_BULK_DELAY")
    found = settings(isolation=None, regions=with_cidrs(), deadlineSeconds=deadline)
    (problem,) = told(env(variable(name, delay)), found=found)
    facts = {"delay": int(delay), "quiet": 2 * int(delay), "deadline": deadline, "enough": enough}
    assert_message(problem, "delay-too-long", setting="values", name=name, **facts)


@pytest.mark.parametrize(("delay", "deadline"), [("225", 900), ("5", 3), ("0", 1), ("000005", 3)])
def test_a_delay_that_fits_or_is_no_longer_than_the_default_is_not(
    delay: str, deadline: int
) -> None:
    name = VERSIONS["8.5"].exporter.variable(0, "ARGS_BULK_DELAY")
    found = settings(isolation=None, regions=with_cidrs(), deadlineSeconds=deadline)
    assert told(env(variable(name, delay)), found=found) == []


@pytest.mark.parametrize("component", ["zeebe", "zeebeGateway", "zeebe-gateway"])
@pytest.mark.parametrize("value", [5, 0, 0.5, True, False, ["a"], {"a": "b"}])
def test_a_value_that_is_no_text_is_refused_as_the_api_server_would(
    component: str, value: Any
) -> None:
    """The chart renders it as it stands."""
    (problem,) = told(env(variable("MINE", value), of=component))
    assert_message(problem, "variable-no-text", component=component, name="MINE")


@pytest.mark.parametrize("value", [None, "", "5", "true", "{{ .Values.x }}"])
def test_a_value_that_is_a_text_or_nothing_is_the_users(value: Any) -> None:
    assert told(env(variable("MINE", value))) == []


@pytest.mark.parametrize("given", [5, True, "x", ["a"], [{"a": 1}]])
@pytest.mark.parametrize(
    "path",
    [
        *("elasticsearch", "elasticsearch.master", "global", "global.elasticsearch.url"),
        *("operate", "tasklist", "optimize", "zeebe.readinessProbe", "zeebeGateway.service"),
    ],
)
def test_what_is_no_map_where_the_program_looks_into_one_is_refused(path: str, given: Any) -> None:
    """It counted as not given, and ended the program later."""
    problems = told(at(path, given))
    assert messages.values_no_map("values", path) in problems


@pytest.mark.parametrize("given", [{0: "mine"}, {0: "mine", 1: "yours"}])
def test_both_exporters_have_one_prefix(given: dict[int, str]) -> None:
    entries = [
        variable(VERSIONS["8.5"].exporter.variable(region, "ARGS_INDEX_PREFIX"), prefix)
        for region, prefix in given.items()
    ]
    (problem,) = told(env(*entries))
    assert_message(problem, "index-prefixes-differ")
    same = [
        variable(VERSIONS["8.5"].exporter.variable(region, "ARGS_INDEX_PREFIX"), "mine")
        for region in (0, 1)
    ]
    assert told(env(*same)) == []
    (twice,) = told(
        env(*same, variable(VERSIONS["8.5"].exporter.variable(1, "ARGS_INDEX_PREFIX"), "other"))
    )
    assert_message(twice, "index-prefixes-differ", prefixes=["mine", "other"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (VERSIONS["8.5"].brokers.contact_points, "camunda-zeebe-0.camunda-zeebe:26502"),
        (VERSIONS["8.5"].exporter.variable(0, "ARGS_URL"), "https://es-0.example.com:9243"),
        (
            VERSIONS["8.5"].exporter.variable(1, "ARGS_URL"),
            exporter_urls(settings(), replaced_region=1)[1],
        ),
        (
            VERSIONS["8.5"].exporter.variable(0, "CLASSNAME"),
            "io.camunda.zeebe.exporter.opensearch.OpensearchExporter",
        ),
    ],
)
def test_what_the_program_would_overwrite_is_refused(name: str, value: str) -> None:
    (problem,) = told(env(variable(name, value)))
    assert_message(problem, "variable-overwritten", name=name, given=repr(value))


@pytest.mark.parametrize(
    "name",
    [
        "zeebe.broker.cluster.initial-contact-points",
        "zeebe.broker.exporters.elasticsearchregion0.args.url",
        "Zeebe_Broker_Exporters_ElasticsearchRegion1_Args_Index_Prefix",
    ],
)
def test_another_spelling_of_what_the_program_sets_or_reads_is_refused(name: str) -> None:
    wanted = name.upper().replace(".", "_").replace("-", "")
    spelt = messages.variable_spelt_otherwise("values", name, wanted)
    assert spelt in told(env(variable(name, "x")))


def test_what_it_would_overwrite_with_the_same_is_not() -> None:
    found = settings()
    first, second = exporter_urls(found, replaced_region=None)
    same = (
        variable(VERSIONS["8.5"].brokers.contact_points, contact_points(found)),
        variable(VERSIONS["8.5"].exporter.variable(0, "ARGS_URL"), first),
        variable(
            VERSIONS["8.5"].exporter.variable(1, "ARGS_URL"),
            second.replace("camunda-e", "{{ .Release.Name }}-e"),
        ),
        variable(VERSIONS["8.5"].exporter.variable(1, "ARGS_URL"), "PLACEHOLDER"),
    )
    assert told(env(*same)) == []


def test_the_values_of_the_drill_and_of_every_role_do() -> None:
    rehearsal = tuple(map(str, shape_of("8.5").values))
    found = settings(clusterSize=4, partitionCount=4, regions=with_cidrs(), isolation=None)
    for files in (rehearsal, (str(REFERENCE_VALUES), *rehearsal)):
        assert conflicts(read_values(files, CHECKOUT), found) == []
    for name in ("real-brokers", "real-elasticsearch", "real-operate", "real-tasklist"):
        path = CHECKOUT / "sandbox" / "values" / f"{name}.yaml"
        over = read_values((str(REFERENCE_VALUES), *rehearsal, str(path)), CHECKOUT)
        assert conflicts(over, found) == [], name
    roles = settings(backup=storage(access="role", buckets=with_roles()))
    assert conflicts(with_role(REFERENCE, roles), roles) == []


@pytest.mark.golden
def test_the_documented_table_is_the_one_that_is_checked() -> None:
    text = (CHECKOUT / "docs" / "reference" / "helm-values.md").read_text()
    rows = [f"| `{path}` | {allowed} | {why} |" for path, allowed, why in demand_rows()]
    start = text.index(rows[0])
    assert text[start:].splitlines()[: len(rows)] == rows


def test_each_demand_is_one_that_the_chart_can_break_or_keep() -> None:
    paths = [each.path for each in DEMANDS]
    assert len(paths) == len(set(paths))
    assert all(why and allowed for _, allowed, why in demand_rows())
