"""Each expectation of a broker and gateway holds: of the rehearsal broker, or of what `--at` names.

Where each comes from stands beside its check and in docs/develop/contract.md. A file with nothing but addresses suffices
for those that need no more.
"""

from pathlib import Path

import pytest
import yaml

from tests.contract.expectations import Expectation
from tests.contract.from_file import target_at
from tests.contract.sections import all_expectations
from tests.contract.target import OurHands, Target

pytestmark = pytest.mark.contract

VERSIONS = ("8.5", "8.7", "8.9", "8.10")
SAME = {"8.6": "8.7", "8.8": "8.9"}
"""What is checked of a version between which and the next nothing changes."""
CASES = [
    pytest.param(
        version, each, id=each.name if version == VERSIONS[0] else f"{version}-{each.name}"
    )
    for version in VERSIONS
    for each in all_expectations()
    if version in each.versions
]


def test_every_expectation_is_checked() -> None:
    assert {version for each in all_expectations() for version in each.versions} == set(VERSIONS)


@pytest.mark.parametrize(("version", "expectation"), CASES)
def test_contract(version: str, expectation: Expectation, target: Target) -> None:
    if SAME.get(target.version, target.version) != version:
        pytest.skip(f"is about {version}, and the target is {target.version}")
    if expectation.changes_members and not isinstance(target.given_hands, OurHands):
        pytest.skip("leaves other members behind: only a cluster of these tests is given up")
    missing = sorted(need.value for need in expectation.needs - target.can)
    if missing:
        pytest.skip(f"needs {'; '.join(missing)}")
    expectation.check(target)


BY_ADDRESSES = [
    each
    for each in all_expectations()
    if not each.needs and not each.quirk and each.section in ("topology", "commands", "pauses")
]


def test_there_are_checks_that_need_addresses_only() -> None:
    assert len(BY_ADDRESSES) > 10


def test_addresses_suffice(request: pytest.FixtureRequest, tmp_path: Path, target: Target) -> None:
    if request.config.getoption("--at"):
        pytest.skip("that is what the other tests show then")
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
