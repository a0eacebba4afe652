"""Each expectation of a broker and gateway holds: of the rehearsal broker, or of what `--at` names.

Where each comes from stands beside its check and in docs/develop/contract.md.
"""

import pytest

from tests.contract.expectations import Expectation
from tests.contract.sections import all_expectations
from tests.contract.target import Target

pytestmark = pytest.mark.contract

VERSIONS = ("8.5", "8.7", "8.9", "8.10")
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
    if target.version != version:
        pytest.skip(f"is about {version}, and the target is {target.version}")
    missing = sorted(need.value for need in expectation.needs - target.can)
    if missing:
        pytest.skip(f"needs {'; '.join(missing)}")
    expectation.check(target)
