"""The section `searchEngine`: ECK's names by default, and refused where the chart brings the engine."""

from typing import Any

import pytest

from dualregion.config.settings import Settings
from dualregion.errors import ConfigError
from dualregion.names import EngineAddress
from tests.inputs.examples import raw, region
from tests.raising import raises

REGIONS = [
    {key: text for key, text in region(each).items() if key != "failoverNamespace"}
    for each in (0, 1)
]
BUCKETS = [{"name": f"bucket-{each}", "awsRegion": f"eu-west-{each + 1}"} for each in (0, 1)]


def of(version: str = "8.9", **changes: Any) -> Settings:
    return Settings.parse(raw(camundaVersion=version, regions=REGIONS, **changes))


def address(**section: Any) -> EngineAddress:
    return of(searchEngine=section).engine_address


@pytest.mark.parametrize("version", ["8.9", "8.10"])
def test_by_default_it_is_called_as_eck_and_the_guide_call_it(version: str) -> None:
    found = of(version).engine_address
    assert found == of(version, searchEngine={}).engine_address
    assert found.url("camunda-x") == (
        "http://elasticsearch-es-masters.camunda-x.svc.cluster.local:9200"
    )
    assert found.selector == "elasticsearch.k8s.elastic.co/cluster-name=elasticsearch"
    assert found.login is not None
    assert found.login.secret == "elasticsearch-es-elastic-user"
    assert (found.login.user, found.login.key) == ("elastic", "elastic")
    assert found.login.copy_of(1) == "elasticsearch-es-password-region-1"
    assert found.tls is None


def test_a_resource_of_another_name_has_other_parts() -> None:
    found = address(name="search", scheme="https")
    assert found.service == "search-es-masters"
    assert found.login is not None
    assert found.login.secret == "search-es-elastic-user"
    assert found.login.copy_of(0) == "search-es-password-region-0"
    assert found.tls is not None
    assert found.tls.secret == "search-es-http-certs-public"
    assert found.url("x") == "https://search-es-masters.x.svc.cluster.local:9200"


def test_each_part_can_be_named() -> None:
    found = address(
        service="es",
        port="9243",
        user="camunda",
        secret="login",
        key="word",
        sharedSecrets="both-",
        label="app=search",
        scheme="https",
        caSecret="ca",
        serverName="other",
    )
    assert found.url("x") == "https://es.x.svc.cluster.local:9243"
    assert (found.selector, found.others) == ("app=search", "app!=search")
    assert found.login is not None
    assert (found.login.user, found.login.secret, found.login.key) == ("camunda", "login", "word")
    assert found.login.copy_of(0) == "both-0"
    assert found.tls is not None
    assert (found.tls.secret, found.tls.server_in("x")) == ("ca", "other.x.svc")


def test_of_another_user_the_password_is_under_the_users_name() -> None:
    login = address(user="camunda").login
    assert login is not None
    assert login.key == "camunda"


@pytest.mark.parametrize(
    "section",
    [
        {"name": "Search"},
        {"name": "x" * 37},
        {"service": "a.b"},
        {"port": 0},
        {"scheme": "ftp"},
        {"user": "a:b"},
        {"user": ""},
        {"label": "app"},
        {"label": "app in (x)"},
        {"sharedSecrets": "-x"},
        {"password": "x"},
    ],
    ids=str,
)
def test_what_no_part_can_be_called_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        of(searchEngine=section)


@pytest.mark.parametrize("version", ["8.6", "8.7", "8.8"])
def test_where_the_chart_brings_the_engine_there_is_none_to_address(version: str) -> None:
    with raises("engine-of-chart", ConfigError, version=version):
        of(version, searchEngine={})


def test_the_charts_engine_has_no_password() -> None:
    found = of("8.8", release="c8").engine_address
    assert found.login is None
    assert found.others == ""
    assert found.service == "c8-elasticsearch-master-hl"


@pytest.mark.parametrize("access", ["keys", "role"])
def test_an_engine_of_another_owner_is_not_given_its_way_to_the_buckets(access: str) -> None:
    arn = "arn:aws:iam::123456789012:oidc-provider/x"
    buckets = [each | {"oidcProviderArn": arn} for each in BUCKETS]
    storage = {"buckets": buckets, "access": access}
    with raises("engine-access-not-given", ConfigError, access=access, version="8.9"):
        of(backup={"storage": storage})
    of(backup={"storage": storage | {"access": "own"}})
