"""A file with nothing but addresses suffices: what needs no more is checked, as `make contract AT=file` does."""

from pathlib import Path

import pytest
import yaml

from tests.contract.expectations import Expectation
from tests.contract.from_file import target_at
from tests.contract.sections import all_expectations
from tests.contract.target import Target

pytestmark = pytest.mark.contract

BY_ADDRESSES = [
    each
    for each in all_expectations()
    if not each.needs and not each.quirk and each.section in ("topology", "commands", "pauses")
]


def test_there_are_checks_that_need_addresses_only() -> None:
    assert len(BY_ADDRESSES) > 10


def test_addresses_suffice(request: pytest.FixtureRequest, tmp_path: Path, target: Target) -> None:
    if request.config.getoption("--at"):
        pytest.skip("that is what the other tests do here")
    file = tmp_path / "target.yaml"
    gateway = target.gateway
    file.write_text(
        yaml.safe_dump(
            {
                "gateway": {
                    "grpc": gateway.grpc,
                    "rest": gateway.rest.removeprefix("http://"),
                    "management": f"{gateway.management}/",
                },
                "brokers": {
                    broker: {"management": url, "host": target.hosts[broker]}
                    for broker, url in target.brokers.items()
                },
            }
        )
    )
    named = target_at(file)
    assert named.can == frozenset()
    for each in BY_ADDRESSES:
        _check(each, named)


def _check(expectation: Expectation, target: Target) -> None:
    try:
        expectation.check(target)
    except AssertionError as error:
        raise AssertionError(f"{expectation.name}: {error}") from error
