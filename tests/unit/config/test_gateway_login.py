"""The section `gatewayLogin`: who the program is at the gateway's REST API, where that asks for a login."""

from typing import Any

import pytest

from dualregion.errors import ConfigError
from dualregion.names import GatewayLogin
from tests.raising import raises
from tests.unit.config.test_search_engine_settings import of


def test_a_user_and_the_secret_with_the_password() -> None:
    found = of("8.8", gatewayLogin={"user": "dual-region", "secret": "gateway-login"}).login
    assert found == GatewayLogin("dual-region", "gateway-login", "password")
    other = of("8.9", gatewayLogin={"user": "demo", "secret": "x", "key": "demo"}).login
    assert other == GatewayLogin("demo", "x", "demo")
    assert of("8.8").login is None


@pytest.mark.parametrize(
    "section",
    [
        {"user": "demo"},
        {"secret": "x"},
        {"user": "a:b", "secret": "x"},
        {"user": "demo", "secret": "X y"},
        {"user": "demo", "secret": "x", "password": "in-plain"},
    ],
    ids=str,
)
def test_what_is_no_login_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as told:
        of("8.8", gatewayLogin=section)
    assert "in-plain" not in str(told.value)


@pytest.mark.parametrize("version", ["8.6", "8.7"])
def test_where_nothing_asks_for_one_it_is_refused(version: str) -> None:
    with raises("no-gateway-login", ConfigError, version=version):
        of(version, gatewayLogin={"user": "demo", "secret": "x"})
