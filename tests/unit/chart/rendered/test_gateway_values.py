"""A gateway that would answer 401 or 404 in the night is refused by its values: a login, or a path, that the program has not.

From 8.8 on the chart's default is basic authentication, and the REST API asks for it, too.
"""

from typing import Any

import pytest

from clients.files import read_values
from dualregion.chart.demands import conflicts
from dualregion.chart.values import merge_all
from dualregion.config.settings import Settings
from dualregion.procedure.versions import VERSIONS
from messages import Message
from sandbox.versions import shape_of
from tests.checkout import CHECKOUT
from tests.raising import assert_message
from tests.unit.chart.rendered.test_demands import at
from tests.unit.config.test_search_engine_settings import of

WITH_LOGIN = ["8.8", "8.9", "8.10"]
METHOD = "orchestration.security.authentication.method"
OPEN = "orchestration.security.authentication.unprotectedApi"
LOGIN = {"user": "demo", "secret": "gateway-login"}
SIZES = {"clusterSize": 4, "partitionCount": 4}


def told(version: str, *overlays: dict[str, Any], **changes: Any) -> list[Message]:
    """Return what is wrong with the values of a rehearsal, with these over them."""
    found: Settings = of(version, **SIZES, **changes)
    base = read_values(tuple(map(str, shape_of(version).values)), CHECKOUT)
    return conflicts(merge_all([base, *overlays]), found)


def variable(name: str, value: str) -> dict[str, Any]:
    return {"orchestration": {"env": [{"name": name, "value": value}]}}


@pytest.mark.parametrize("version", ["8.6", "8.7", *WITH_LOGIN])
def test_the_values_of_a_rehearsal_do(version: str) -> None:
    assert told(version) == []


@pytest.mark.parametrize("version", WITH_LOGIN)
def test_basic_authentication_needs_a_login_or_an_open_api(version: str) -> None:
    closed = at(OPEN, False)
    (problem,) = told(version, closed)
    assert_message(problem, "gateway-login-needed", path="global.security.authentication.method")
    assert told(version, closed, gatewayLogin=LOGIN) == []
    (own,) = told(version, closed, at(METHOD, "basic"))
    assert_message(own, "gateway-login-needed", path=METHOD)


@pytest.mark.parametrize("version", WITH_LOGIN)
def test_a_login_is_what_the_chart_has_by_default(version: str) -> None:
    """Values that leave it out made N fail with 401."""
    nothing = {"global": {"security": None}, **at("orchestration.security", None)}
    (problem,) = told(version, nothing)
    assert_message(problem, "gateway-login-needed")


@pytest.mark.parametrize("version", WITH_LOGIN)
@pytest.mark.parametrize("login", [{}, {"gatewayLogin": LOGIN}], ids=["without", "with a login"])
def test_tokens_of_an_identity_provider_are_not_had(version: str, login: dict[str, Any]) -> None:
    oidc = at(METHOD, "oidc")
    (problem,) = told(version, at(OPEN, False), oidc, **login)
    assert_message(problem, "gateway-login-by-oidc", path=METHOD)
    assert told(version, oidc, **login) == [], "an open API asks for none"


@pytest.mark.parametrize("version", WITH_LOGIN)
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("CAMUNDA_SECURITY_AUTHENTICATION_UNPROTECTEDAPI", "false", "gateway-login-needed"),
        ("camunda.security.authentication.unprotected-api", "false", "gateway-login-needed"),
    ],
)
def test_the_environment_outranks_the_values(
    version: str, name: str, value: str, code: str
) -> None:
    found = told(version, variable(name, value))
    assert code in [each.code for each in found]
    opened = variable(name, "true")
    assert "gateway-login-needed" not in [
        each.code for each in told(version, at(OPEN, False), opened)
    ]


@pytest.mark.parametrize("version", WITH_LOGIN)
def test_the_method_in_the_environment_counts(version: str) -> None:
    over = variable("CAMUNDA_SECURITY_AUTHENTICATION_METHOD", "oidc")
    found = told(version, at(OPEN, False), over, gatewayLogin=LOGIN)
    assert "gateway-login-by-oidc" in [each.code for each in found]


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("8.6", "zeebeGateway.contextPath"),
        ("8.7", "zeebeGateway.contextPath"),
        *((each, "orchestration.contextPath") for each in WITH_LOGIN),
    ],
)
def test_a_path_below_which_the_gateway_would_answer_is_refused(version: str, path: str) -> None:
    (problem,) = told(version, at(path, "/orchestration"))
    assert_message(problem, "value-refused", path=path, given="'/orchestration'")
    assert_message(problem.facts["reason"], "found-without-path")
    for same in ("", "/"):
        assert told(version, at(path, same)) == []


@pytest.mark.parametrize("version", ["8.6", *WITH_LOGIN])
@pytest.mark.parametrize(
    "name",
    [
        "SERVER_SERVLET_CONTEXTPATH",
        "server.servlet.context-path",
        "MANAGEMENT_SERVER_BASEPATH",
        "MANAGEMENT_ENDPOINTS_WEB_BASEPATH",
    ],
)
def test_such_a_path_in_the_environment_is_refused(version: str, name: str) -> None:
    component = "zeebeGateway" if version == "8.6" else "orchestration"
    over = {component: {"env": [{"name": name, "value": "/x"}]}}
    refused = [each for each in told(version, over) if each.code == "variable-not-allowed"]
    assert [each.facts["name"] for each in refused] == [name]


@pytest.mark.parametrize("version", WITH_LOGIN)
@pytest.mark.parametrize("path", ["orchestration.profiles", "orchestration.service"])
def test_what_is_no_map_where_later_versions_look_into_one_is_refused(
    version: str, path: str
) -> None:
    (problem,) = told(version, at(path, "x"))
    assert_message(problem, "values-no-map", setting="values", component=path)


@pytest.mark.parametrize("version", WITH_LOGIN)
def test_an_exporters_delay_must_fit_the_deadline_whatever_the_exporter_is_called(
    version: str,
) -> None:
    """Source: `bulk.delay` of the Camunda exporter, in seconds like that of the Elasticsearch exporter."""
    name = VERSIONS[version].exporter.variable(1, "ARGS_BULK_DELAY")
    (problem,) = told(version, variable(name, "5000"))
    assert_message(problem, "delay-too-long", name=name, delay=5000)
