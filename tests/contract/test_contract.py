"""Each expectation of a broker and gateway holds: of the rehearsal broker, or of what `--at` names.

Where each comes from stands beside its check and in docs/contract.md.
"""

import pytest

from tests.contract.expectations import Expectation
from tests.contract.sections import all_expectations
from tests.contract.target import Target

pytestmark = pytest.mark.contract


@pytest.mark.parametrize("expectation", all_expectations(), ids=lambda each: each.name)
def test_contract(target: Target, expectation: Expectation) -> None:
    missing = sorted(need.value for need in expectation.needs - target.can)
    if missing:
        pytest.skip(f"needs {'; '.join(missing)}")
    expectation.check(target)
